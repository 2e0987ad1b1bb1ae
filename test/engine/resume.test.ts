import {describe, expect, test} from 'vitest';
import type {PlannedStep, RunEvent} from '../../source/engine/events.ts';
import {ago, describeLastRun, lastRunOf} from '../../source/engine/resume.ts';

const at = (minute: number) => `2026-11-21T08:${String(minute).padStart(2, '0')}:00.000Z`;
const now = new Date(at(10));

const planned = (step: string, title: string): PlannedStep => ({
  step,
  title,
  host: 'sandbox-1',
  estimate: 20,
  resources: [{id: 'a', changes: [{summary: 'b'}]}],
});

const begun: readonly RunEvent[] = [
  {at: at(1), type: 'run.started', run: 'r1', deployment: 'demo', practice: false, resumed: false},
  {at: at(2), type: 'check.accepted', host: 'sandbox-1', check: 'memory', found: '2 GiB'},
  {
    at: at(2),
    type: 'plan',
    changes: 2,
    unchanged: 0,
    steps: [planned('nginx', 'Web proxy'), planned('wireguard', 'WireGuard server')],
  },
  {at: at(3), type: 'step.started', step: 'wireguard', host: 'sandbox-1', attempt: 1},
];

const finished = (state: 'failed' | 'stopped'): RunEvent => ({
  at: at(5),
  type: 'step.finished',
  step: 'wireguard',
  host: 'sandbox-1',
  state,
  changed: 0,
  unchanged: 0,
  seconds: 1,
});

const ended = (outcome: 'succeeded' | 'failed' | 'stopped'): RunEvent => ({
  at: at(9),
  type: 'run.finished',
  outcome,
  changed: 0,
  unchanged: 0,
  failed: 0,
});

const sentence = (...more: RunEvent[]) => {
  const last = lastRunOf([...begun, ...more]);
  return last && describeLastRun(last, now);
};

describe('the last run', () => {
  test('that has no end was interrupted, in the step that was being done', () => {
    expect(lastRunOf(begun)).toMatchObject({
      run: 'r1',
      outcome: 'interrupted',
      at: at(3),
      accepted: ['sandbox-1:memory'],
    });
    expect(sentence()).toBe('Interrupted in WireGuard server on sandbox-1, 7 minutes ago.');
  });

  test('that failed names the step that failed', () => {
    expect(sentence(finished('failed'), ended('failed'))).toBe(
      'Failed in WireGuard server on sandbox-1, 1 minute ago.',
    );
  });

  test('that was stopped names where', () => {
    expect(sentence(finished('stopped'), ended('stopped'))).toBe(
      'Stopped in WireGuard server on sandbox-1, 1 minute ago.',
    );
  });

  test('that succeeded says when', () => {
    expect(sentence(ended('succeeded'))).toBe('Succeeded, 1 minute ago.');
  });

  test('of which nothing is written down is none', () => {
    expect(lastRunOf([])).toBeUndefined();
  });

  test.each([
    ['2026-11-21T08:09:30.000Z', 'just now'],
    ['2026-11-21T06:00:00.000Z', '2 hours ago'],
    ['2026-11-20T08:00:00.000Z', '1 day ago'],
    ['2026-11-21T08:20:00.000Z', 'just now'],
  ])('at %s was %s', (moment, text) => {
    expect(ago(moment, now)).toBe(text);
  });
});
