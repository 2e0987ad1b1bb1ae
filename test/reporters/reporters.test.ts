import {describe, expect, test} from 'vitest';
import type {RunEvent} from '../../source/engine/events.ts';
import type {Failure} from '../../source/engine/failure.ts';
import {runView} from '../../source/engine/run-view.ts';
import {failureLines} from '../../source/reporters/failure-lines.ts';
import {jsonLine} from '../../source/reporters/json-lines.ts';
import {plainLines} from '../../source/reporters/plain.ts';
import {summaryLines} from '../../source/reporters/summary.ts';

const at = '2026-11-21T08:00:00.000Z';
const failure: Failure = {
  kind: 'command',
  host: 'sandbox-1',
  message: 'nginx: [emerg] bind() to 0.0.0.0:443 failed',
  attempted: 'starting nginx',
  exit: 1,
  tail: ['Job for nginx.service failed.'],
  cause: 'Another program holds port 443.',
  remedy: 'Stop it, then retry.',
};

const events: readonly RunEvent[] = [
  {at, type: 'run.started', run: 'r1', deployment: 'demo', practice: false, resumed: true},
  {at, type: 'host.connected', host: 'sandbox-1', address: '10.0.0.11'},
  {
    at,
    type: 'plan',
    changes: 2,
    unchanged: 3,
    steps: [
      {
        step: 'nginx',
        title: 'Web proxy',
        host: 'sandbox-1',
        estimate: 10,
        resources: [{id: 'a', changes: [{summary: 'create'}]}],
      },
      {step: 'nfs', title: 'NFS server', host: 'sandbox-1', estimate: 10, resources: [], undecided: 'Web proxy'},
      {step: 'dns', title: 'Local DNS', host: 'sandbox-1', estimate: 10, resources: [{id: 'b', changes: []}]},
    ],
  },
  {at, type: 'step.started', step: 'nginx', host: 'sandbox-1', attempt: 1},
  {at, type: 'resource.started', step: 'nginx', host: 'sandbox-1', resource: 'a', doing: 'starting nginx'},
  {at, type: 'log', step: 'nginx', host: 'sandbox-1', line: 'a line'},
  {
    at,
    type: 'step.finished',
    step: 'nginx',
    host: 'sandbox-1',
    state: 'failed',
    changed: 0,
    unchanged: 0,
    seconds: 2.5,
    failure,
  },
  {at, type: 'handover', path: '/state/laptop.conf', title: 'WireGuard of laptop', secret: true},
  {at, type: 'run.finished', outcome: 'failed', changed: 0, unchanged: 3, failed: 1},
];

describe('plain lines', () => {
  test('tell a run in words, a failure in full', () => {
    expect(events.flatMap(plainLines)).toEqual([
      'Run r1 of demo, resumed',
      'sandbox-1: connected (10.0.0.11)',
      '2 to change, 3 as they should be',
      '  Web proxy on sandbox-1: 1 to change',
      '  NFS server on sandbox-1: decided after Web proxy',
      'sandbox-1: nginx: starting nginx',
      'sandbox-1: nginx: FAILED (2.5 s)',
      ...failureLines(failure),
      'Run failed: 0 changed, 3 unchanged, 1 failed',
    ]);
  });

  test('say for whom a step waits, and nothing else of its log', () => {
    const log = {at, type: 'log', step: 'nginx', host: 'sandbox-1'} as const;
    expect(plainLines({...log, line: 'Unpacking nginx ...'})).toEqual([]);
    expect(plainLines({...log, line: 'waiting: process 7 (apt) holds the lock'})).toEqual([
      'sandbox-1: nginx: waiting: process 7 (apt) holds the lock',
    ]);
  });

  test('hold no colour and no cursor movement', () => {
    expect(events.flatMap(plainLines).join('\n')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  });
});

test('a failure says what, where, what was printed, why and what to do', () => {
  expect(failureLines(failure)).toEqual([
    'FAILED on sandbox-1: nginx: [emerg] bind() to 0.0.0.0:443 failed',
    '  while starting nginx (exit status 1)',
    '  | Job for nginx.service failed.',
    '  cause: Another program holds port 443.',
    '  what to do: Stop it, then retry.',
  ]);
});

describe('JSON lines', () => {
  test('are one object an event, its type first', () => {
    for (const event of events) {
      const line = jsonLine(event);
      expect(line).not.toContain('\n');
      expect(line.startsWith(`{"type":"${event.type}"`)).toBe(true);
      if (event.type !== 'run.finished') expect(JSON.parse(line)).toEqual(event);
    }
  });

  test('end with exactly what the manual promises', () => {
    expect(jsonLine(events.at(-1) as RunEvent)).toBe(
      '{"type":"run.finished","outcome":"failed","changed":0,"unchanged":3,"failed":1}',
    );
  });
});

describe('the summary', () => {
  test('says what stands, what does not, where files lie, and what next', () => {
    expect(summaryLines(runView(events), '/state')).toEqual([
      '  It took 0 s.',
      '  Failed: Web proxy on sandbox-1',
      '  Not begun: NFS server on sandbox-1, Local DNS on sandbox-1',
      '  WireGuard of laptop: /state/laptop.conf (secret: give it to nobody else)',
      '  Journal, logs and vault: /state',
      '  Next: put right what failed, then groundwork resume',
    ]);
  });

  test('of a run that succeeded leads on', () => {
    const done = [
      ...events.slice(0, 3),
      {at, type: 'run.finished', outcome: 'succeeded', changed: 1, unchanged: 0, failed: 0} as const,
    ];
    expect(summaryLines(runView(done), '/state').at(-1)).toBe('  Next: groundwork verify');
  });
});
