import {describe, expect, test} from 'vitest';
import {groundwork, jsonLines, newHome} from '../support/program.ts';

const lastRun = (events: readonly Record<string, unknown>[]) => events.findLast(({type}) => type === 'run.finished');

// Minutes, where the machine has other work: the whole sandbox is installed.
describe('practice without a terminal', {timeout: 400_000}, () => {
  test('runs through on fresh hosts, and finds nothing to change afterwards', async () => {
    const {status, stdout, stderr} = await groundwork(['practice', '--yes', '--pace', '0', '--output', 'jsonl'], {
      home: newHome(),
    });
    expect(stderr).toBe('');
    const events = jsonLines(stdout);
    const finished = lastRun(events);
    expect(finished).toEqual({
      type: 'run.finished',
      outcome: 'succeeded',
      changed: expect.any(Number),
      unchanged: expect.any(Number),
      failed: 0,
    });
    expect(finished?.changed).toBeGreaterThan(100);
    expect(events.at(-1)).toMatchObject({type: 'plan', changes: 0});
    expect(events.filter(({type}) => type === 'verified').length).toBeGreaterThan(60);
    expect(events.every(({type}) => typeof type === 'string')).toBe(true);
    expect(status).toBe(0);
  });
});

test.each([
  ['--fault', 'ngin', 'nginx'],
  ['--topology', 'palace', 'sandbox'],
  ['--pace', 'slow', 'number'],
  ['--output', 'xml', 'jsonl'],
])('%s %s is refused with what there is', async (option, value, valid) => {
  const {status, stdout, stderr} = await groundwork(['practice', '--yes', option, value], {home: newHome()});
  expect(status).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toContain(value);
  expect(stderr).toContain(valid);
});
