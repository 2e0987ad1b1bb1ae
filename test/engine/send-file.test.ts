import {mkdtempSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {sendFile} from '../../source/engine/send-file.ts';
import type {Connection} from '../../source/hosts/connection.ts';
import {connectionLost} from '../../source/hosts/failures.ts';
import {err, ok} from '../../source/result.ts';
import {localBash} from '../support/local.ts';
import {bytesOf} from '../support/mirror.ts';

/** Two pieces. */
const content = bytesOf(300_000);

let directory: string;
const path = (name: string) => join(directory, name);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'send-'));
  writeFileSync(path('from'), content);
});
afterEach(() => rmSync(directory, {recursive: true, force: true}));

/** A connection of which some calls are lost: before their script ran, or after it, when only the answer is missing. */
const lossy = (losses: Readonly<Record<number, 'before' | 'after'>>) => {
  let calls = 0;
  const inner = localBash();
  const connection: Connection = {
    ...inner,
    run: async (script, options) => {
      calls += 1;
      const loss = losses[calls];
      if (loss === 'before') return err(connectionLost('here', 'cut'));
      const ran = await inner.run(script, options);
      return loss === 'after' ? err(connectionLost('here', 'cut')) : ran;
    },
  };
  return {connection, calls: () => calls};
};

const send = async (connection: Connection, signal = new AbortController().signal) => {
  const told: string[] = [];
  const slept: number[] = [];
  let opened = 0;
  let milliseconds = 0;
  const sent = await sendFile(
    {from: path('from'), to: path('to')},
    {
      host: 'here',
      connect: async () => {
        opened += 1;
        return ok(connection);
      },
      lost: async () => {},
      clock: {
        now: () => {
          milliseconds += 50;
          return new Date(milliseconds);
        },
        sleep: async pause => {
          slept.push(pause / 1000);
        },
      },
      signal,
      onLine: line => told.push(line),
    },
  );
  return {sent, told, slept, opened};
};

const arrived = () => readFileSync(path('to')).equals(content);

describe('sending a file', () => {
  it('brings it over whole, readable by root alone', async () => {
    const {sent, told} = await send(localBash());
    expect(sent.ok).toBe(true);
    expect(arrived()).toBe(true);
    expect(statSync(path('to')).mode & 0o777).toBe(0o600);
    expect(told).toEqual([expect.stringMatching(/^from: 0\.3 of 0\.3 MB, /)]);
  });

  it.each(['before', 'after'] as const)('survives a cut %s a piece was taken', async when => {
    const {connection} = lossy({3: when});
    const {sent, told, slept} = await send(connection);
    expect(sent.ok).toBe(true);
    expect(arrived()).toBe(true);
    expect(slept).toEqual([1]);
    expect(told[0]).toMatch(/was lost\. What went over stays there; trying to reach it again in 1 s/);
  });

  it('gives up in the end, keeps what went over, and goes on from there the next time', async () => {
    const all = Object.fromEntries(Array.from({length: 30}, (_, index) => [index + 3, 'before' as const]));
    const {sent, slept} = await send(lossy(all).connection);
    expect(sent).toMatchObject({ok: false, error: {kind: 'connection-lost', transient: true}});
    expect(slept).toEqual([1, 2, 5, 10, 20, 30, 30, 30]);
    const kept = statSync(path('to')).size;
    expect(kept).toBeGreaterThan(0);
    const again = await send(localBash());
    expect(again.told[0]).toMatch(/^from: going on behind 0\.\d MB$/);
    expect(arrived()).toBe(true);
  });

  it('writes a piece that a cut left half over what is there of it', async () => {
    writeFileSync(path('to'), content.subarray(0, 123_457));
    expect((await send(localBash())).sent.ok).toBe(true);
    expect(arrived()).toBe(true);
  });

  it('begins again when more is there than there can be', async () => {
    writeFileSync(path('to'), bytesOf(400_000, 4));
    expect((await send(localBash())).sent.ok).toBe(true);
    expect(arrived()).toBe(true);
  });

  it('brings an empty file over', async () => {
    writeFileSync(path('from'), '');
    expect((await send(localBash())).sent.ok).toBe(true);
    expect(readFileSync(path('to')).length).toBe(0);
  });

  it('says that the file on this side is gone', async () => {
    rmSync(path('from'));
    expect((await send(localBash())).sent).toMatchObject({
      ok: false,
      error: {kind: 'input', remedy: expect.stringMatching(/stick/)},
    });
  });

  it('says what the host says against it', async () => {
    rmSync(directory, {recursive: true});
    const elsewhere = mkdtempSync(join(tmpdir(), 'send-'));
    writeFileSync(join(elsewhere, 'from'), content);
    const sent = await sendFile(
      {from: join(elsewhere, 'from'), to: path('to')},
      {
        host: 'here',
        connect: async () => ok(localBash()),
        lost: async () => {},
        clock: {now: () => new Date(), sleep: async () => {}},
        signal: new AbortController().signal,
        onLine: () => {},
      },
    );
    rmSync(elsewhere, {recursive: true});
    expect(sent).toMatchObject({ok: false, error: {kind: 'command', message: expect.stringMatching(/No such file/)}});
  });

  it('stops between two pieces when it is told to', async () => {
    const stop = new AbortController();
    stop.abort();
    expect((await send(localBash(), stop.signal)).sent).toMatchObject({ok: false, error: {kind: 'cancelled'}});
  });
});
