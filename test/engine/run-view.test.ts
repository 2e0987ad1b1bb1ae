import {describe, expect, test} from 'vitest';
import type {NewEvent, PlannedStep, RunEvent, StepState} from '../../source/engine/events.ts';
import {advance, emptyRunView, progressOf, runView, tailLimit} from '../../source/engine/run-view.ts';

const clockFrom = (start: string) => {
  let now = Date.parse(start);
  return (event: NewEvent, seconds = 1): RunEvent => {
    now += seconds * 1000;
    return {at: new Date(now).toISOString(), ...event} as RunEvent;
  };
};

const planned = (step: string, host: string, more: Partial<PlannedStep> = {}): PlannedStep => ({
  step,
  title: `Step ${step}`,
  host,
  estimate: 20,
  resources: [
    {id: 'file a', changes: [{summary: 'create'}]},
    {id: 'file b', changes: []},
  ],
  ...more,
});

const start: NewEvent = {type: 'run.started', run: 'r1', deployment: 'demo', practice: true, resumed: false};
const plan = (...steps: PlannedStep[]): NewEvent => ({type: 'plan', changes: 1, unchanged: 1, steps});
const begin = (step: string, host = 'one', attempt = 1): NewEvent => ({type: 'step.started', step, host, attempt});
const end = (step: string, state: StepState, seconds = 1, host = 'one'): NewEvent => ({
  type: 'step.finished',
  step,
  host,
  state,
  changed: state === 'changed' ? 1 : 0,
  unchanged: 1,
  seconds,
  ...(state === 'failed' && {failure: {kind: 'command' as const, message: 'it broke'}}),
});

const view = (...events: NewEvent[]) => {
  const stamp = clockFrom('2026-11-21T08:00:00.000Z');
  return runView(events.map(event => stamp(event)));
};

describe('the view of a run', () => {
  test('begins with looking at the hosts, and shows which answer', () => {
    const seen = view(
      start,
      {type: 'host.connected', host: 'one', address: '10.0.0.11'},
      {type: 'retry.scheduled', step: 'connect', host: 'two', attempt: 2, inSeconds: 5, reason: 'no answer'},
    );
    expect(seen).toMatchObject({run: 'r1', practice: true, phase: 'looking', steps: []});
    expect(seen.hosts).toMatchObject([
      {host: 'one', address: '10.0.0.11', state: 'connected'},
      {host: 'two', state: 'connecting', retry: {inSeconds: 5, attempt: 2, reason: 'no answer'}},
    ]);
  });

  test('shows the steps of the plan in its order, with what each would change', () => {
    const seen = view(start, plan(planned('a', 'one'), planned('b', 'one', {resources: [], undecided: 'Step a'})));
    expect(seen.phase).toBe('running');
    expect(seen.steps).toMatchObject([
      {title: 'Step a', state: 'pending', planned: 1, resources: [{id: 'file a', state: 'pending'}]},
      {title: 'Step b', state: 'pending', undecided: 'Step a', estimate: 20},
    ]);
  });

  test('follows a step from its beginning to its end', () => {
    const during = view(
      start,
      plan(planned('a', 'one')),
      begin('a'),
      {type: 'resource.started', step: 'a', host: 'one', resource: 'file a', doing: 'writing a'},
      {type: 'log', step: 'a', host: 'one', line: 'hello'},
    );
    expect(during.steps[0]).toMatchObject({
      state: 'running',
      doing: 'writing a',
      tail: ['hello'],
      resources: [{state: 'running'}],
    });
    const stamp = clockFrom('2026-11-21T09:00:00.000Z');
    const after = [
      {type: 'resource.changed', step: 'a', host: 'one', resource: 'file a', changes: [{summary: 'created'}]} as const,
      {type: 'verified', step: 'a', host: 'one', check: 'c', title: 'a works', passed: true, detail: 'yes'} as const,
      end('a', 'changed', 12),
    ].reduce((current, event) => advance(current, stamp(event)), during);
    expect(after.steps[0]).toMatchObject({state: 'changed', seconds: 12, changed: 1, resources: [{state: 'changed'}]});
    expect(after.steps[0]).not.toHaveProperty('doing');
    expect(after.steps[0]?.verified).toEqual([{check: 'c', title: 'a works', passed: true, detail: 'yes'}]);
    expect(after).toMatchObject({changed: 1, unchanged: 1, failed: 0});
  });

  test('shows a failure, its question, the countdown of a retry, and forgets them when it goes on', () => {
    const question: NewEvent = {
      type: 'question',
      id: 'q',
      question: {
        kind: 'failed',
        step: 'a',
        title: 'Step a',
        hosts: ['one'],
        failure: {kind: 'command', message: 'it broke'},
        choices: ['retry', 'stop'],
      },
    };
    const failed = view(start, plan(planned('a', 'one')), begin('a'), end('a', 'failed'), question);
    expect(failed).toMatchObject({failed: 1, questions: [{id: 'q'}]});
    expect(failed.steps[0]).toMatchObject({state: 'failed', failure: {message: 'it broke'}});
    const again = view(
      start,
      plan(planned('a', 'one')),
      begin('a'),
      end('a', 'failed'),
      question,
      {type: 'answer', id: 'q', answer: 'retry', by: 'operator'},
      begin('a', 'one', 2),
    );
    expect(again).toMatchObject({failed: 0, questions: []});
    expect(again.steps[0]).toMatchObject({state: 'running', attempt: 2});
    expect(again.steps[0]).not.toHaveProperty('failure');
    const counting = view(start, plan(planned('a', 'one')), begin('a'), {
      type: 'retry.scheduled',
      step: 'a',
      host: 'one',
      attempt: 2,
      inSeconds: 15,
      reason: 'apt is locked',
    });
    expect(counting.steps[0]?.retry).toMatchObject({inSeconds: 15, reason: 'apt is locked', at: counting.lastAt});
  });

  test('keeps the last lines of each step on each host only', () => {
    const lines = Array.from(
      {length: tailLimit + 50},
      (_, index): NewEvent => ({
        type: 'log',
        step: 'a',
        host: index % 2 === 0 ? 'one' : 'two',
        line: `line ${index}`,
      }),
    );
    const seen = view(start, plan(planned('a', 'one'), planned('a', 'two')), ...lines, ...lines);
    expect(seen.steps.map(({tail}) => tail.length)).toEqual([tailLimit, tailLimit]);
    expect(seen.steps[0]?.tail.at(-1)).toBe(`line ${tailLimit + 48}`);
  });

  test('shows the end, what was handed over once, and what was accepted', () => {
    const handover: NewEvent = {type: 'handover', path: '/x/laptop.conf', title: 'laptop', secret: true};
    const seen = view(
      start,
      {type: 'check.accepted', host: 'one', check: 'memory', found: '2 GiB'},
      plan(planned('a', 'one')),
      {type: 'paused'},
      {type: 'continued'},
      handover,
      handover,
      {type: 'run.finished', outcome: 'stopped', changed: 3, unchanged: 4, failed: 0},
    );
    expect(seen).toMatchObject({
      phase: 'finished',
      outcome: 'stopped',
      changed: 3,
      unchanged: 4,
      accepted: [{check: 'memory'}],
    });
    expect(seen.handovers).toHaveLength(1);
  });

  test('of a host that cannot be reached and of a failed check tells which', () => {
    const seen = view(
      start,
      {type: 'problem', failure: {kind: 'unreachable', host: 'two', message: 'no answer'}},
      {type: 'problem', failure: {kind: 'preflight', host: 'one', message: 'too little memory'}},
    );
    expect(seen.problems).toHaveLength(2);
    expect(seen.hosts).toMatchObject([{host: 'two', state: 'failed', failure: {message: 'no answer'}}]);
  });

  test('does not change what was shown before', () => {
    const stamp = clockFrom('2026-11-21T08:00:00.000Z');
    const before = [start, plan(planned('a', 'one'))].reduce(
      (seen, event) => advance(seen, stamp(event)),
      emptyRunView,
    );
    const copy = structuredClone(before);
    advance(before, stamp(begin('a')));
    advance(before, stamp({type: 'log', step: 'a', host: 'one', line: 'x'}));
    expect(before).toEqual(copy);
  });
});

describe('progress', () => {
  const at = (seconds: number) => new Date(Date.parse('2026-11-21T08:00:01.000Z') + seconds * 1000);

  test('is by the estimates of what is to be done, the slowest host deciding', () => {
    const seen = view(
      start,
      plan(
        planned('a', 'one'),
        planned('b', 'one', {estimate: 60}),
        planned('a', 'two'),
        planned('c', 'two', {resources: []}),
      ),
    );
    expect(progressOf(seen, at(1))).toEqual({fraction: 0, elapsedSeconds: 1, remainingSeconds: 80});
  });

  test('learns how fast this machine is', () => {
    const seen = view(start, plan(planned('a', 'one'), planned('b', 'one')), begin('a'), end('a', 'changed', 40));
    expect(progressOf(seen, at(40))).toMatchObject({fraction: 0.5, remainingSeconds: 40});
  });

  test('never reaches its end before the run does', () => {
    const running = view(start, plan(planned('a', 'one')), begin('a'));
    expect(progressOf(running, at(10_000)).fraction).toBeLessThan(1);
    expect(progressOf(running, at(10_000)).remainingSeconds).toBeGreaterThan(0);
    const done = view(start, {type: 'run.finished', outcome: 'succeeded', changed: 0, unchanged: 0, failed: 0});
    expect(progressOf(done, at(10_000))).toEqual({fraction: 1, elapsedSeconds: 1, remainingSeconds: 0});
  });

  test('is unknown while nothing is planned', () => {
    expect(progressOf(view(start), at(5))).toEqual({fraction: 0, elapsedSeconds: 5, remainingSeconds: undefined});
  });
});
