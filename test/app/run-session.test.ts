import {describe, expect, test, vi} from 'vitest';
import {startRun} from '../../source/app/run-session.ts';
import type {RunPorts, RunResult} from '../../source/app/services.ts';
import type {NewEvent, Question, RunEvent} from '../../source/engine/events.ts';
import {sampleFailure} from '../support/services.ts';
import {answered} from '../support/walk.ts';

const {deployment} = answered();
const stopped: RunResult = {outcome: 'stopped', changed: 0, unchanged: 0, failed: 0};

/** A run whose engine is the test. */
const begin = () => {
  let ports: RunPorts | undefined;
  const finished = Promise.withResolvers<RunResult>();
  const run = (_: unknown, given: RunPorts) => {
    ports = given;
    return finished.promise;
  };
  const session = startRun({run, verify: run, uninstall: (_, __, given) => run(_, given)}, deployment, 'run');
  if (!ports) throw new Error('the run was not started');
  const engine = ports;
  const emit = (event: NewEvent) => engine.events({...event, at: '2026-11-21T10:00:00.000Z'} as RunEvent);
  const steps = ['one', 'two'].map(step => ({
    step,
    title: step,
    host: step === 'one' ? 'a' : 'b',
    estimate: 5,
    resources: [],
  }));
  emit({type: 'run.started', run: 'r', deployment: 'sandbox', practice: false, resumed: false});
  emit({type: 'plan', changes: 2, unchanged: 0, steps});
  return {session, engine, emit, finish: finished.resolve};
};

const question = (step: string): Question => ({
  kind: 'failed',
  step,
  title: step,
  hosts: ['a'],
  failure: sampleFailure,
  choices: ['retry', 'stop'],
});

describe('a run', () => {
  test('is drawn at most 15 times a second, however much it prints', async () => {
    const {session, emit} = begin();
    let drawn = 0;
    session.picture.subscribe(() => drawn++);
    for (let line = 0; line < 20_000; line++) emit({type: 'log', step: 'one', host: 'a', line: `line ${line}`});
    await vi.waitFor(() => expect(drawn).toBe(1));
    expect(session.log('one', 'a')).toHaveLength(5000);
    expect(session.log('one', 'a').at(-1)).toBe('line 19999');
    expect(session.log('two', 'b')).toEqual([]);
  });

  test('asks one question after the other', async () => {
    const {session, engine} = begin();
    const never = new AbortController().signal;
    const first = engine.ask(question('one'), never);
    const second = engine.ask(question('two'), never);
    expect(session.picture.get()).toMatchObject({question: {step: 'one'}, moreQuestions: 1});
    session.answer('retry');
    expect(session.picture.get()).toMatchObject({question: {step: 'two'}, moreQuestions: 0});
    session.answer('stop');
    expect(await Promise.all([first, second])).toEqual([
      {choice: 'retry', by: 'operator'},
      {choice: 'stop', by: 'operator'},
    ]);
    expect(session.picture.get().question).toBeUndefined();
  });

  test('takes back a question that nobody needs answered any more', async () => {
    const {session, engine} = begin();
    const gone = new AbortController();
    const asked = engine.ask(question('one'), gone.signal);
    gone.abort(new Error('the run has ended'));
    await expect(asked).rejects.toThrow('the run has ended');
    expect(session.picture.get().question).toBeUndefined();
  });

  test('holds while it is paused, and goes on', async () => {
    const {session, engine} = begin();
    session.togglePause();
    const going = vi.fn();
    const held = engine.control.whenRunning().then(going);
    await new Promise(resolve => setImmediate(resolve));
    expect(going).not.toHaveBeenCalled();
    session.togglePause();
    await held;
    expect(going).toHaveBeenCalled();
  });
});

describe('stopping after the running command', () => {
  test('waits for every host, then ends the run', async () => {
    const {session, engine, emit} = begin();
    emit({type: 'step.started', step: 'one', host: 'a', attempt: 1});
    emit({type: 'step.started', step: 'two', host: 'b', attempt: 1});
    session.stop('after-command');
    const first = engine.control.whenRunning();
    expect(engine.control.signal.aborted).toBe(false);
    const second = engine.control.whenRunning();
    expect(engine.control.signal.aborted).toBe(true);
    await Promise.all([first, second]);
  });

  test('does not wait for a host whose step ends meanwhile', async () => {
    const {session, engine, emit} = begin();
    emit({type: 'step.started', step: 'one', host: 'a', attempt: 1});
    emit({type: 'step.started', step: 'two', host: 'b', attempt: 1});
    session.stop('after-command');
    const held = engine.control.whenRunning();
    emit({type: 'step.finished', step: 'two', host: 'b', state: 'changed', changed: 1, unchanged: 0, seconds: 1});
    expect(engine.control.signal.aborted).toBe(true);
    await held;
  });

  test('ends at once what only waits for its next attempt', () => {
    const {session, engine, emit} = begin();
    emit({type: 'step.started', step: 'one', host: 'a', attempt: 1});
    emit({type: 'retry.scheduled', step: 'one', host: 'a', attempt: 2, inSeconds: 30, reason: 'apt is busy'});
    session.stop('after-command');
    expect(engine.control.signal.aborted).toBe(true);
  });

  test('can become stopping now', () => {
    const {session, engine, emit} = begin();
    emit({type: 'step.started', step: 'one', host: 'a', attempt: 1});
    session.stop('after-command');
    expect(engine.control.signal.aborted).toBe(false);
    session.stop('now');
    expect(engine.control.signal.aborted).toBe(true);
    expect(session.picture.get().stopping).toBe('now');
  });
});

test('a run that has ended is what it ended as', async () => {
  const {session, finish} = begin();
  finish(stopped);
  expect(await session.ended).toBe(stopped);
  expect(session.picture.get().result).toBe(stopped);
});
