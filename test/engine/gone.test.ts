import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import type {RunEvent} from '../../source/engine/events.ts';
import {runView, waitsFor, workSeconds} from '../../source/engine/run-view.ts';
import {plainLines} from '../../source/reporters/plain.ts';
import {ends, newDisk, of, run, writes} from '../support/engine.ts';
import {type FakeHosts, fakeHosts} from '../support/fake-hosts.ts';

let hosts: FakeHosts;
beforeEach(() => {
  hosts = fakeHosts();
});
afterEach(() => hosts.remove());

const names = ['one', 'two', 'three'];
const ground = writes('ground');
/** On the first host alone, as a database is. */
const store = writes('store', {role: 'first', after: [ground]});
const after = writes('after', {after: [store]});
const more = writes('more', {after: [ground]});
const steps = [ground, store, after, more];

/** Turns a host off when an event comes. */
const goesDown = (host: string, when: (event: RunEvent) => boolean) => {
  const events: RunEvent[] = [];
  const listener = (event: RunEvent): void => {
    events.push(event);
    if (when(event)) hosts.setDown(host, true);
  };
  return {events, listener};
};

const finished = (step: string, host: string) => (event: RunEvent) =>
  event.type === 'step.finished' && event.step === step && event.host === host;

describe('a host that dies in the middle', () => {
  test('holds up what needs it, which the question names, while the rest goes on', async () => {
    const {events, listener} = goesDown('one', finished('ground', 'one'));
    const {questions, result} = await run({hosts, steps, names}, {events: listener});
    expect(questions).toHaveLength(1);
    expect(questions[0]).toMatchObject({step: 'store', hosts: ['one']});
    expect(questions[0]?.held).toEqual([
      'Step after on one',
      'Step after on two',
      'Step after on three',
      'Step more on one',
    ]);
    expect(ends(events).toSorted()).toEqual([
      'after@one blocked',
      'after@three blocked',
      'after@two blocked',
      'ground@one changed',
      'ground@three changed',
      'ground@two changed',
      'more@one blocked',
      'more@three changed',
      'more@two changed',
      'store@one failed',
    ]);
    expect(result).toMatchObject({outcome: 'failed', failed: 1});
  });

  test('is named by each step that it holds up, at the root of the chain', async () => {
    const {events, listener} = goesDown('one', finished('ground', 'one'));
    const last = writes('last', {after: [after]});
    await run({hosts, steps: [...steps, last], names}, {events: listener});
    const held = Object.fromEntries(
      of(events, 'step.finished').flatMap(({step, host, heldBy}) => (heldBy ? [[`${step}@${host}`, heldBy]] : [])),
    );
    expect(held).toEqual({
      'after@one': 'one, which does not answer',
      'more@one': 'one, which does not answer',
      'last@one': 'one, which does not answer',
      'after@two': 'Step store on one',
      'after@three': 'Step store on one',
      'last@two': 'Step store on one',
      'last@three': 'Step store on one',
    });
    expect(runView(events).steps.find(({step, host}) => step === 'last' && host === 'two')?.heldBy).toBe(
      'Step store on one',
    );
    expect(plainLines(of(events, 'step.finished').find(({heldBy}) => heldBy?.startsWith('Step')) as RunEvent)).toEqual([
      expect.stringMatching(/^\w+: \w+: BLOCKED by Step store on one \(0 s\)$/),
    ]);
  });

  test('is tried no further once it was left, and taken up where it was by the next run', async () => {
    const disk = newDisk();
    const {events, listener} = goesDown('one', finished('ground', 'one'));
    await run({hosts, steps, names, disk}, {events: listener});
    expect(
      of(events, 'step.started')
        .filter(({host}) => host === 'one')
        .map(({step}) => step),
    ).not.toContain('more');
    hosts.setDown('one', false);
    const second = await run({hosts, steps, names, disk});
    expect(second.result.outcome).toBe('succeeded');
    expect(
      ends(second.events)
        .filter(each => each.endsWith(' changed'))
        .toSorted(),
    ).toEqual([
      'after@one changed',
      'after@three changed',
      'after@two changed',
      'more@one changed',
      'store@one changed',
    ]);
  });
});

describe('a host that does not answer at the start', () => {
  test('can be left for later: all that does not need it is done, and its own steps have not failed', async () => {
    hosts.setDown('two', true);
    const {events, questions, result} = await run({hosts, steps, names}, {answers: ['leave']});
    expect(questions[0]).toMatchObject({
      step: 'connect',
      hosts: ['two'],
      choices: ['retry', 'change', 'leave', 'stop'],
      held: ['Step ground on two', 'Step after on two', 'Step more on two'],
    });
    expect(ends(events).filter(each => each.includes('@two'))).toEqual([
      'ground@two blocked',
      'after@two blocked',
      'more@two blocked',
    ]);
    expect(
      ends(events)
        .filter(each => !each.includes('@two'))
        .every(each => each.endsWith(' changed')),
    ).toBe(true);
    expect(result).toMatchObject({outcome: 'failed', failures: [{kind: 'unreachable', host: 'two'}]});
    const view = runView(events);
    expect(view.failed).toBe(1);
    expect(view.hosts.find(({host}) => host === 'two')).toMatchObject({state: 'failed'});
    expect(view.steps.filter(({state}) => state === 'failed')).toEqual([]);
  });

  test('holds up what others need of it', async () => {
    hosts.setDown('one', true);
    const {events, questions} = await run({hosts, steps, names}, {answers: ['leave']});
    expect(questions[0]?.held).toContain('Step after on three');
    expect(ends(events)).toContain('after@three blocked');
    expect(ends(events)).toContain('more@three changed');
  });

  test('cannot be left when there is no other', async () => {
    hosts.setDown('one', true);
    const {questions, result} = await run({hosts, steps, names: ['one']});
    expect(questions[0]?.choices).toEqual(['retry', 'change', 'stop']);
    expect(result.outcome).toBe('failed');
  });
});

test('a step that has not begun says what it waits for, on whichever host', async () => {
  const seen: string[] = [];
  const events: RunEvent[] = [];
  await run(
    {hosts, steps, names},
    {
      events: event => {
        events.push(event);
        if (event.type !== 'step.started' || event.step !== 'store') return;
        const view = runView(events);
        const waiting = view.steps.find(({step, host}) => step === 'after' && host === 'two')!;
        seen.push(...waitsFor(view, waiting).map(({step, host}) => `${step}@${host}`));
      },
    },
  );
  expect(seen).toEqual(['store@one']);
  expect(workSeconds(runView(events))).toBeGreaterThanOrEqual(0);
});
