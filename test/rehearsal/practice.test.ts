import {expect, test} from 'vitest';
import {groundwork, jsonLines, newHome} from '../support/program.ts';

// Minutes, where the machine has other work: the whole sandbox is installed.
test('practice without a terminal lets the step of --fault fail once, tries it again, and leaves nothing to change', async () => {
  const {status, stdout, stderr} = await groundwork(
    ['practice', '--yes', '--pace', '0', '--output', 'jsonl', '--fault', 'rancher'],
    {home: newHome()},
  );
  expect(stderr).toBe('');
  const events = jsonLines(stdout);
  expect(events.every(({type}) => typeof type === 'string')).toBe(true);
  const failed = events.filter(({type, state}) => type === 'step.finished' && state === 'failed');
  expect(failed).toMatchObject([{step: 'rancher', failure: {kind: 'command', remedy: expect.any(String)}}]);
  expect(events.filter(({type, step}) => type === 'step.started' && step === 'rancher').length).toBe(2);
  const finished = events.findLast(({type}) => type === 'run.finished');
  expect(finished).toEqual({
    type: 'run.finished',
    outcome: 'succeeded',
    changed: expect.any(Number),
    unchanged: expect.any(Number),
    failed: 0,
  });
  expect(finished?.changed).toBeGreaterThan(100);
  expect(events.filter(({type}) => type === 'verified').length).toBeGreaterThan(60);
  expect(events.at(-1)).toMatchObject({type: 'plan', changes: 0});
  expect(status).toBe(0);
}, 400_000);
