import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {ends, newDisk, of, passes, run, stepOf, writes} from '../support/engine.ts';
import {command, type FakeHosts, fakeHosts, note} from '../support/fake-hosts.ts';

let hosts: FakeHosts;
beforeEach(() => {
  hosts = fakeHosts();
});
afterEach(() => hosts.remove());

describe('a step that fails', () => {
  const failing = (id: string, more: Parameters<typeof stepOf>[1] = {}) =>
    stepOf(id, {
      resources: () => [note(`${id}-before`, 'x'), command(id, `echo 'about to'; echo 'E: it broke' >&2; exit 3`)],
      ...more,
    });

  test('tells what was attempted, how it ended, and the last lines', async () => {
    const {result, events} = await run({hosts, steps: [failing('bad')]});
    expect(result).toMatchObject({outcome: 'failed', changed: 1, failed: 1});
    expect(result.failures[0]).toEqual({
      kind: 'command',
      host: 'one',
      attempted: 'running bad',
      exit: 3,
      message: 'E: it broke',
      tail: ['about to', 'E: it broke'],
    });
    expect(
      of(events, 'log')
        .map(({line}) => line)
        .toSorted(),
    ).toEqual(['E: it broke', 'about to']);
  });

  test('blocks what is after it, and nothing else', async () => {
    const bad = failing('bad', {role: 'first'});
    const after = writes('after', {after: [bad]});
    const last = writes('last', {after: [after]});
    const other = writes('other');
    const {result, events} = await run({hosts, steps: [bad, after, last, other], names: ['one', 'two']});
    expect(result).toMatchObject({outcome: 'failed', failed: 1});
    expect(ends(events).toSorted()).toEqual([
      'after@one blocked',
      'after@two blocked',
      'bad@one failed',
      'last@one blocked',
      'last@two blocked',
      'other@one changed',
      'other@two changed',
    ]);
  });

  test('is tried again when the operator says so, from where it is', async () => {
    const flaky = stepOf('flaky', {
      resources: () => [note('kept', 'x'), command('flaky', `[ -e seen ] && touch flaky || { touch seen; exit 1; }`)],
    });
    const {result, events, questions} = await run({hosts, steps: [flaky]}, {answers: ['retry']});
    expect(result).toMatchObject({outcome: 'succeeded', changed: 2, unchanged: 0, failed: 0});
    expect(questions).toHaveLength(1);
    expect(of(events, 'step.started').map(({attempt}) => attempt)).toEqual([1, 2]);
    expect(of(events, 'resource.started').map(({resource: id}) => id)).toEqual([
      'note kept',
      'command flaky',
      'command flaky',
    ]);
    expect(of(events, 'answer')[0]).toMatchObject({answer: 'retry', by: 'operator'});
  });

  test('can be skipped only when it says so itself, whatever is answered', async () => {
    const both = (bad: ReturnType<typeof failing>) => [bad, writes('after', {after: [bad]})];
    const strict = await run({hosts, steps: both(failing('bad'))}, {answers: ['skip']});
    expect(strict.questions[0]?.choices).not.toContain('skip');
    expect(strict.result.outcome).toBe('stopped');
    expect(ends(strict.events)).toContain('after@one stopped');
    const lenient = await run(
      {hosts, steps: both(failing('bad', {skippable: 'no time servers'}))},
      {answers: ['skip']},
    );
    expect(lenient.questions[0]).toMatchObject({skipCosts: 'no time servers'});
    expect(lenient.result).toMatchObject({outcome: 'succeeded', failed: 0});
    expect(ends(lenient.events)).toEqual(['bad@one failed', 'bad@one skipped', 'after@one changed']);
  });

  test('ends the run when the operator stops or wants to change a setting, and says which', async () => {
    const steps = [failing('bad'), writes('other')];
    const stopped = await run({hosts, steps}, {answers: ['stop']});
    expect(stopped.result.outcome).toBe('stopped');
    expect(stopped.result.change).toBeUndefined();
    expect(ends(stopped.events)).toEqual(['bad@one failed', 'other@one stopped']);
    const changed = await run({hosts, steps}, {answers: ['change']});
    expect(changed.result).toMatchObject({outcome: 'stopped', change: {attempted: 'running bad'}});
  });

  test('is repeated on all its hosts with retry-all', async () => {
    const flaky = stepOf('flaky', {
      resources: () => [
        command('flaky', `[ $(basename "$PWD") = one ] || [ -e seen ] && touch flaky || { touch seen; exit 1; }`),
      ],
    });
    const {result, events, questions} = await run(
      {hosts, steps: [flaky], names: ['one', 'two']},
      {answers: ['retry-all'], parallel: 1},
    );
    expect(questions[0]?.choices).toContain('retry-all');
    expect(result).toMatchObject({outcome: 'succeeded', changed: 2, unchanged: 0});
    expect(ends(events).filter(end => end.startsWith('flaky@one'))).toHaveLength(2);
  });

  test('whose command says nothing wrong although nothing changed is told with what remains', async () => {
    const {result} = await run({hosts, steps: [stepOf('idle', {resources: () => [command('idle', ':')]})]});
    expect(result.failures[0]).toMatchObject({
      kind: 'not-converged',
      message: 'Everything ran, and command idle is still not as it should be: run idle',
    });
  });

  test('of which the proof fails is told with each thing that is not true, after some patience', async () => {
    const unproven = writes('a', {verify: () => [passes('never', 'echo down; exit 1'), passes('fine', 'true')]});
    const {result, events, slept} = await run({hosts, steps: [unproven]});
    expect(result.failures[0]).toMatchObject({
      kind: 'verification',
      message: 'Not true: never works',
      tail: ['never works: it says: down'],
    });
    expect(slept).toEqual([0.5, 1, 2, 4, 8]);
    expect(of(events, 'verified')).toHaveLength(2);
  });

  test('is proven when what was started comes up in a moment', async () => {
    const slow = writes('a', {verify: () => [passes('slow', 'echo x >>tries; [ $(wc -l <tries) -ge 3 ]')]});
    const {result, slept} = await run({hosts, steps: [slow]});
    expect(result.outcome).toBe('succeeded');
    expect(slept).toEqual([0.5, 1]);
  });

  test('is found by its proof also when there was nothing to change', async () => {
    const process = {hosts, steps: [writes('a', {verify: () => [passes('up', '[ ! -e broken ]')]})], disk: newDisk()};
    await run(process);
    await run({hosts, steps: [writes('broken')]});
    const {result, events} = await run(process);
    expect(result).toMatchObject({outcome: 'failed', changed: 0, unchanged: 1, failed: 1});
    expect(ends(events)).toEqual(['a@one unchanged', 'a@one failed']);
  });

  test('by a bug is told as such, and the run ends in an orderly way', async () => {
    const buggy = stepOf('buggy', {
      verify: () => {
        throw new TypeError('x is undefined');
      },
      resources: () => [note('buggy', 'x')],
    });
    const {result, events} = await run({hosts, steps: [buggy, writes('other')]});
    expect(result).toMatchObject({
      outcome: 'failed',
      failures: [{kind: 'bug', message: expect.stringContaining('x is undefined')}],
    });
    expect(ends(events)).toContain('other@one changed');
    expect(events.at(-1)?.type).toBe('run.finished');
  });

  test('with a remedy that knows it is told with cause and advice', async () => {
    const known = failing('bad', {
      remedies: [{id: 'broke', match: /it broke/, cause: 'It was made of glass.', remedy: 'Glue it.'}],
    });
    const {result} = await run({hosts, steps: [known]});
    expect(result.failures[0]).toMatchObject({cause: 'It was made of glass.', remedy: 'Glue it.'});
  });
});

describe('a fault that may pass', () => {
  test('is tried again by itself, with a countdown that everybody can see, then the operator is asked', async () => {
    const locked = stepOf('packages', {
      resources: () => [command('packages', `echo 'E: Could not get lock /var/lib/dpkg/lock-frontend' >&2; exit 100`)],
    });
    const {events, questions, slept} = await run({hosts, steps: [locked]});
    expect(of(events, 'retry.scheduled').map(({attempt, inSeconds}) => [attempt, inSeconds])).toEqual([
      [2, 5],
      [3, 15],
      [4, 45],
    ]);
    expect(slept).toEqual([5, 15, 45]);
    expect(questions).toHaveLength(1);
    expect(questions[0]?.failure.cause).toContain('Another program installs packages');
  });

  test('is forgotten once it has passed', async () => {
    const flaky = stepOf('packages', {
      resources: () => [
        command(
          'packages',
          `echo x >>tries; [ $(wc -l <tries) -ge 3 ] && touch packages || { echo 'Temporary failure resolving'; exit 1; }`,
        ),
      ],
    });
    const {result, questions} = await run({hosts, steps: [flaky]});
    expect(result).toMatchObject({outcome: 'succeeded', changed: 1, failed: 0, failures: []});
    expect(questions).toEqual([]);
  });

  test('a host that is away is tried once more, and asked about when it stays away', async () => {
    hosts.setDown('two', true);
    const {result, events, questions} = await run(
      {hosts, steps: [writes('a')], names: ['one', 'two']},
      {
        ask: async question => {
          expect(question).toMatchObject({
            hosts: ['two'],
            failure: {kind: 'unreachable'},
            choices: ['retry', 'change', 'leave', 'stop'],
            held: ['Step a on two'],
          });
          hosts.setDown('two', false);
          return {choice: 'retry', by: 'operator'};
        },
      },
    );
    expect(questions).toEqual([]);
    expect(of(events, 'retry.scheduled').map(({step, host}) => [step, host])).toEqual([['connect', 'two']]);
    expect(result).toMatchObject({outcome: 'succeeded', changed: 2});
  });

  test('a host that stays away ends the run before anything is changed', async () => {
    hosts.setDown('two', true);
    const {result, events} = await run({hosts, steps: [writes('a')], names: ['one', 'two']}, {answers: ['stop']});
    expect(result).toMatchObject({outcome: 'failed', changed: 0, failed: 1});
    expect(of(events, 'problem')[0]?.failure).toMatchObject({kind: 'unreachable', host: 'two'});
    expect(hosts.files('one')).toEqual({});
  });
});
