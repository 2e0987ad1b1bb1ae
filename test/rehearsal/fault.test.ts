import {expect, test} from 'vitest';
import {groundwork, jsonLines, newHome} from '../support/program.ts';

test('practice lets the step of --fault fail once, tries it again, and succeeds', async () => {
  const {status, stdout} = await groundwork(
    ['practice', '--yes', '--pace', '0', '--output', 'jsonl', '--fault', 'rancher'],
    {
      home: newHome(),
    },
  );
  const events = jsonLines(stdout);
  const failed = events.filter(({type, state}) => type === 'step.finished' && state === 'failed');
  expect(failed).toMatchObject([{step: 'rancher', failure: {kind: 'command', remedy: expect.any(String)}}]);
  expect(events.filter(({type, step}) => type === 'step.started' && step === 'rancher').length).toBe(2);
  expect(events.findLast(({type}) => type === 'run.finished')).toMatchObject({outcome: 'succeeded', failed: 0});
  expect(events.at(-1)).toMatchObject({type: 'plan', changes: 0});
  expect(status).toBe(0);
}, 400_000);
