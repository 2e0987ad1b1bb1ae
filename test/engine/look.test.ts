import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {verifyDeployment} from '../../source/engine/plan.ts';
import type {Verification} from '../../source/engine/step.ts';
import {err, ok} from '../../source/result.ts';
import {sh} from '../../source/shell/script.ts';
import {lookPorts, newDisk, type Process, plan, run, stepOf} from '../support/engine.ts';
import {type FakeHosts, fakeHosts, made, note} from '../support/fake-hosts.ts';

let hosts: FakeHosts;
beforeEach(() => {
  hosts = fakeHosts();
});
afterEach(() => hosts.remove());

const holds = (name: string): Verification => ({
  id: `holds-${name}`,
  title: `${name} is there`,
  script: sh`[ -e ${name} ]`,
  check: ({code}) => (code === 0 ? ok('seen') : err('it is missing')),
});

const names = (count: number) => Array.from({length: count}, (_, index) => `file-${index}`);

/** 20 steps of 10 files each; one makes a key that the next ones need, and the facts are part of a file. */
const manySteps = () => {
  const key = stepOf('key', {
    role: 'first',
    provides: ['key'],
    resources: () => [made('key', 'key', sh`echo public-key`)],
    verify: () => [holds('key')],
  });
  const rest = names(20).map(step =>
    stepOf(step, {
      after: [key],
      needs: ['key'],
      resources: ({products, facts}) =>
        names(10).map(name => note(`${step}-${name}`, `${products.key} ${facts.swapBytes}\n`)),
      verify: () => [holds(`${step}-file-0`)],
    }),
  );
  return [key, ...rest];
};

/** Puts all that `manySteps` wants in place, and lets a run find it so. */
const finished = async (process: Process) => {
  for (const host of process.names ?? ['one']) {
    const write = (name: string, text: string) => writeFileSync(join(hosts.folder(host), name), text);
    if (host === 'one') write('key', 'public-key\n');
    for (const step of names(20)) for (const name of names(10)) write(`${step}-${name}`, 'public-key 0\n');
  }
  const {result} = await run(process);
  expect(result).toMatchObject({outcome: 'succeeded', changed: 0});
};

describe('looking at hosts', () => {
  test('a finished installation costs one round trip per host for a plan, however many resources it has', async () => {
    const disk = newDisk();
    const process = {hosts, steps: manySteps(), names: ['one', 'two'], disk};
    await finished(process);
    const before = [hosts.execs('one'), hosts.execs('two')];
    expect(await plan(process)).toMatchObject({changes: 0, unchanged: 401});
    expect([hosts.execs('one') - before[0]!, hosts.execs('two') - before[1]!]).toEqual([1, 1]);
  });

  test('an installation with nothing to do proves everything in the same round trip', async () => {
    const process = {hosts, steps: manySteps(), names: ['one', 'two'], disk: newDisk()};
    await finished(process);
    const before = hosts.execs('one');
    const {result, events} = await run(process);
    expect(result).toMatchObject({outcome: 'succeeded', changed: 0, unchanged: 401});
    expect(events.filter(event => event.type === 'verified' && event.passed)).toHaveLength(41);
    expect(hosts.execs('one') - before).toBe(1);
  });

  test('facts that changed cost one more round trip, and the plan is right', async () => {
    const disk = newDisk();
    const process = {hosts, steps: manySteps(), disk};
    await finished(process);
    writeFileSync(join(hosts.folder('one'), '.facts'), JSON.stringify({swapBytes: 7}));
    const before = hosts.execs();
    expect(await plan(process)).toMatchObject({changes: 200, unchanged: 1});
    expect(hosts.execs() - before).toBeLessThanOrEqual(2);
  });

  test('the run after the first one finds nothing to do in two round trips, although facts changed meanwhile', async () => {
    const counted = stepOf('counted', {
      resources: ({facts}) => [note('.facts', '{"swapBytes":7}'), note(`after-${facts.swapBytes}`, 'x')],
      verify: ({facts}) => [holds(`after-${facts.swapBytes}`)],
    });
    const process = {hosts, steps: [counted], disk: newDisk()};
    await run(process);
    writeFileSync(join(hosts.folder('one'), 'after-7'), 'x');
    const before = hosts.execs();
    const {result, events} = await run(process);
    expect(result).toMatchObject({outcome: 'succeeded', changed: 0, unchanged: 2});
    expect(events.filter(event => event.type === 'verified' && event.passed)).toHaveLength(1);
    expect(hosts.execs() - before).toBe(2);
  });

  test('an answer is judged by the fresh facts, also when the probe is the same as before', async () => {
    const steps = [stepOf('swap', {resources: ({facts}) => [note('swap', `${facts.swapBytes}`)]})];
    const process = {hosts, steps, disk: newDisk()};
    await run(process);
    writeFileSync(join(hosts.folder('one'), '.facts'), JSON.stringify({swapBytes: 7}));
    expect(await plan(process)).toMatchObject({changes: 1});
  });

  test('without a cache facts come first, then probes, then what needs what others made', async () => {
    const process = {hosts, steps: manySteps(), disk: newDisk()};
    await finished(process);
    const before = hosts.execs();
    expect(await plan({...process, disk: newDisk()})).toMatchObject({changes: 0, unchanged: 201});
    expect(hosts.execs() - before).toBe(3);
  });

  test('a cache of something else costs a round trip and no wrong answer', async () => {
    const process = {hosts, steps: manySteps(), disk: newDisk()};
    await finished(process);
    const disk = newDisk();
    disk.cache = {facts: {one: {} as never}, products: {key: 'another'}, settled: ['key@one']};
    expect(await plan({...process, disk})).toMatchObject({changes: 0, unchanged: 201});
  });

  test('a step that waits for what is not made yet says whose it is', async () => {
    const planned = await plan({hosts, steps: manySteps()});
    expect(planned.steps[1]).toMatchObject({step: 'file-0', undecided: 'Step key', resources: []});
    expect(planned.changes).toBe(21);
  });

  test('a host that does not answer is reported, and the others are planned', async () => {
    hosts.setDown('two', true);
    const planned = await plan({hosts, steps: manySteps(), names: ['one', 'two']});
    expect(planned.hosts.map(each => ('failure' in each ? each.failure.kind : 'ready'))).toEqual([
      'ready',
      'unreachable',
    ]);
    expect(planned.steps.every(({host}) => host === 'one')).toBe(true);
  });

  test('a state that cannot be read is part of the plan, and not taken for good', async () => {
    const broken = {...note('broken', 'x'), assess: () => err('its probe printed nonsense')};
    const planned = await plan({hosts, steps: [stepOf('broken', {resources: () => [broken]})]});
    expect(planned).toMatchObject({changes: 1, unchanged: 0});
    expect(planned.steps[0]?.resources[0]?.changes[0]?.summary).toContain('its probe printed nonsense');
  });

  test('a step with a bug does not keep the others from being planned', async () => {
    const buggy = stepOf('buggy', {
      resources: () => {
        throw new Error('undefined is not a function');
      },
    });
    const planned = await plan({hosts, steps: [buggy, stepOf('good', {resources: () => [note('a', 'a')]})]});
    expect(planned.steps.map(({resources}) => resources[0]?.changes[0]?.summary)).toEqual([
      expect.stringContaining('undefined is not a function'),
      'create a',
    ]);
  });
});

describe('verifying', () => {
  test('proves a finished installation in two round trips per host, and tells what is wrong', async () => {
    const process = {hosts, steps: manySteps(), disk: newDisk()};
    await finished(process);
    const events: unknown[] = [];
    const before = hosts.execs();
    const verified = await verifyDeployment(lookPorts(process), event => events.push(event));
    expect(verified).toMatchObject({ok: true, value: {passed: 21, failures: []}});
    expect(events).toHaveLength(21);
    expect(hosts.execs() - before).toBe(2);
  });

  test('tells of each step when its answers are there, and not when all are', async () => {
    const told = join(hosts.folder('one'), 'told');
    const steps = [
      stepOf('quick', {verify: () => [{...holds('.'), title: 'at once'}]}),
      // Waits in vain unless the first has been told of.
      stepOf('slow', {
        verify: () => [
          {...holds('told'), script: sh`for look in $(seq 50); do [ ! -e told ] || exit 0; sleep 0.1; done; exit 1`},
        ],
      }),
    ];
    const verified = await verifyDeployment(lookPorts({hosts, steps}), event => {
      if (event.type === 'verified' && event.step === 'quick') writeFileSync(told, '');
    });
    expect(verified).toMatchObject({ok: true, value: {passed: 2, failures: []}});
  });

  test('of something that is not installed fails step by step, without a word of bugs', async () => {
    const verified = await verifyDeployment(lookPorts({hosts, steps: manySteps()}), () => {});
    expect(verified).toMatchObject({ok: true, value: {passed: 0}});
    const failures = verified.ok ? verified.value.failures : [];
    expect(failures).toHaveLength(21);
    expect(failures[0]).toMatchObject({kind: 'verification', host: 'one', message: 'Not true: key is there'});
    expect(failures[1]?.tail?.[0]).toContain('nobody has made what it needs (key)');
  });
});
