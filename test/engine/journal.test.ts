import {appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import type {RunEvent} from '../../source/engine/events.ts';
import {openJournal, readJournal} from '../../source/engine/journal.ts';
import {openLogs} from '../../source/engine/logs.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'groundwork-journal-'));
});
afterEach(() => rmSync(folder, {recursive: true}));

const at = '2026-11-21T08:00:00.000Z';
const event = (host: string): RunEvent => ({at, type: 'host.connected', host, address: '10.0.0.11'});
const path = () => join(folder, 'run', 'journal.jsonl');

describe('a journal', () => {
  test('gives back what was appended, and can be read by its owner only', () => {
    const journal = openJournal(join(folder, 'run'));
    journal.append(event('one'));
    journal.append(event('two'));
    expect(readJournal(join(folder, 'run')).events).toEqual([event('one'), event('two')]);
    journal.close();
    expect(statSync(path()).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'run')).mode & 0o777).toBe(0o700);
  });

  test('that was cut off in the middle of a line gives all whole ones', () => {
    const journal = openJournal(join(folder, 'run'));
    journal.append(event('one'));
    journal.close();
    for (const half of ['{', '{"at":"2026', '"', 'null', '\u0000\u0000\u0000']) {
      writeFileSync(path(), `${JSON.stringify(event('one'))}\n${half}`);
      expect(readJournal(join(folder, 'run')).events).toEqual([event('one')]);
    }
  });

  test('that is continued after such a cut loses nothing of what follows', () => {
    const journal = openJournal(join(folder, 'run'));
    journal.append(event('one'));
    journal.close();
    appendFileSync(path(), '{"at":"20');
    const next = openJournal(join(folder, 'run'));
    next.append(event('two'));
    next.close();
    expect(readJournal(join(folder, 'run')).events).toEqual([event('one'), event('two')]);
  });

  test('that is not there is empty', () => {
    expect(readJournal(join(folder, 'nowhere')).events).toEqual([]);
  });
});

describe('logs', () => {
  const line = (host: string, text: string) => ({at, type: 'log' as const, step: 'nginx', host, line: text});

  test('are one file a host, with time and step, for their owner only', () => {
    const logs = openLogs(join(folder, 'logs'));
    logs.write(line('one', 'first'));
    logs.write(line('two', 'other'));
    logs.write(line('one', 'second'));
    logs.close();
    expect(readFileSync(join(folder, 'logs', 'one.log'), 'utf8')).toBe(`${at} nginx: first\n${at} nginx: second\n`);
    expect(statSync(join(folder, 'logs', 'two.log')).mode & 0o777).toBe(0o600);
  });

  test('are continued by the next run, and never grow beyond twice their limit', () => {
    for (let runs = 0; runs < 5; runs += 1) {
      const logs = openLogs(join(folder, 'logs'), 1000);
      for (let count = 0; count < 20; count += 1) logs.write(line('one', `line ${runs}-${count}`));
      logs.close();
    }
    const [now, before] = ['one.log', 'one.log.1'].map(name => readFileSync(join(folder, 'logs', name), 'utf8'));
    expect(now!.length + before!.length).toBeLessThan(2200);
    expect(`${before}${now}`.trimEnd().split('\n').at(-1)).toContain('line 4-19');
  });
});
