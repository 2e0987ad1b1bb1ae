import pLimit from 'p-limit';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import type {Step} from '../../source/engine/step.ts';
import {err, ok} from '../../source/result.ts';
import {sh} from '../../source/shell/script.ts';
import {type Disk, newDisk, plan, run, stepOf} from '../support/engine.ts';
import {type FakeHosts, fakeHosts, made, note} from '../support/fake-hosts.ts';

const hostNames = ['one', 'two'];

/** A secret, a key that is made on a host and must never be made twice, and what is built from both on two hosts. */
const installation = (): readonly Step[] => {
  let generated = 0;
  const base = stepOf('base', {resources: () => [note('base', 'base')]});
  const key = stepOf('key', {
    role: 'first',
    after: [base],
    provides: ['key'],
    resources: () => [made('key', 'key', sh`echo x >>made; echo "key-$(wc -l <made)"`)],
    handover: ({products}) => [{path: 'key.txt', title: 'the key', content: products.key ?? '', secret: false}],
  });
  const service = stepOf('service', {
    after: [key],
    needs: ['key'],
    secrets: () => [{name: 'password', generate: () => `password-${++generated}`}],
    resources: ({products, secret}) => [
      note('configuration', `${products.key} ${secret('password')}`),
      note('unit', 'x'),
    ],
    verify: () => [
      {
        id: 'up',
        title: 'it is up',
        script: sh`cat unit`,
        check: ({stdout}) => (stdout === 'x' ? ok('up') : err('down')),
      },
    ],
  });
  return [base, key, service];
};

const open: FakeHosts[] = [];
const newHosts = (): FakeHosts => {
  const hosts = fakeHosts();
  open.push(hosts);
  return hosts;
};
afterAll(() => {
  for (const hosts of open) hosts.remove();
});

const stateOf = (hosts: FakeHosts, disk: Disk) => ({
  files: hostNames.map(hosts.files),
  vault: [...disk.vault],
  handedOver: [...disk.handedOver],
});

let whole: ReturnType<typeof stateOf>;
let execs = 0;
beforeAll(async () => {
  const hosts = newHosts();
  const disk = newDisk();
  const {result} = await run({hosts, steps: installation(), names: hostNames, disk});
  expect(result).toMatchObject({outcome: 'succeeded', changed: 7});
  whole = stateOf(hosts, disk);
  execs = hosts.execs();
});

/** Does something for every script of the installation, some of them side by side. */
const atEach = async (work: (exec: number) => Promise<void>): Promise<void> => {
  const limit = pLimit(6);
  await Promise.all(Array.from({length: execs}, (_, index) => limit(() => work(index + 1))));
};

test('the installation that is cut below is one worth cutting', () => {
  expect(execs).toBeGreaterThan(15);
  expect(whole.vault).toEqual([['password', 'password-1']]);
  expect(whole.files[1]?.configuration).toBe('key-1 password-1');
});

describe.each(['before', 'after'] as const)('a connection that is cut %s the host has run a script', when => {
  test('is opened again by itself, and the end is the same, whichever script it was', async () => {
    await atEach(async exec => {
      const [hosts, disk] = [newHosts(), newDisk()];
      hosts.cutAt({exec, when});
      const {result, questions, events} = await run({hosts, steps: installation(), names: hostNames, disk});
      expect({exec, ...result}).toMatchObject({exec, outcome: 'succeeded', changed: 7, unchanged: 0, failed: 0});
      expect(questions).toEqual([]);
      expect(events.filter(({type}) => type === 'retry.scheduled')).toHaveLength(1);
      expect(stateOf(hosts, disk)).toEqual(whole);
    });
  }, 120_000);
});

test('an installer that is killed at any script is followed by one that ends the same, with the same secrets', async () => {
  await atEach(async exec => {
    const [hosts, disk] = [newHosts(), newDisk()];
    hosts.killAt(exec);
    const killed = run({hosts, steps: installation(), names: hostNames, disk});
    while (hosts.execs() < exec) await new Promise(resolve => setTimeout(resolve, 5));
    // What is under way on the host goes on there while nobody listens.
    await new Promise(resolve => setTimeout(resolve, 30));
    hosts.startAnew();
    const {result} = await run({hosts, steps: installation(), names: hostNames, disk});
    expect({exec, ...result}).toMatchObject({exec, outcome: 'succeeded', failed: 0});
    expect(stateOf(hosts, disk)).toEqual(whole);
    expect(await plan({hosts, steps: installation(), names: hostNames, disk})).toMatchObject({
      changes: 0,
      unchanged: 7,
    });
    expect(await Promise.race([killed, Promise.resolve('silent')])).toBe('silent');
  });
}, 120_000);
