import {rmSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import type {CheckResult} from '../../source/hosts/check.ts';
import {resource, script} from '../../source/resources/resource.ts';
import {err, ok} from '../../source/result.ts';
import {nothing, sh} from '../../source/shell/script.ts';
import {ends, newDisk, of, passes, run, stepOf, writes} from '../support/engine.ts';
import {command, type FakeHosts, fakeHosts, made, note} from '../support/fake-hosts.ts';

let hosts: FakeHosts;
beforeEach(() => {
  hosts = fakeHosts();
});
afterEach(() => hosts.remove());

describe('a run', () => {
  test('changes what differs, proves it, and tells each thing as it happens', async () => {
    const greeting = writes('greeting', {verify: () => [passes('greeting', 'cat greeting')]});
    const {result, events} = await run({hosts, steps: [greeting]});
    expect(result).toEqual({outcome: 'succeeded', changed: 1, unchanged: 0, failed: 0, failures: []});
    expect(hosts.files('one')).toEqual({greeting: 'greeting\n'});
    expect(events.map(({type}) => type)).toEqual([
      'run.started',
      'host.connected',
      'plan',
      'step.started',
      'resource.started',
      'resource.changed',
      'verified',
      'step.finished',
      'run.finished',
    ]);
    expect(of(events, 'verified')[0]).toMatchObject({passed: true, detail: 'greeting'});
    expect(events.at(-1)).toMatchObject({
      type: 'run.finished',
      outcome: 'succeeded',
      changed: 1,
      unchanged: 0,
      failed: 0,
    });
  });

  test('of what is done already changes nothing and still proves it', async () => {
    const process = {hosts, steps: [writes('a', {verify: () => [passes('a', 'cat a')]})], disk: newDisk()};
    await run(process);
    const {result, events} = await run(process);
    expect(result).toMatchObject({outcome: 'succeeded', changed: 0, unchanged: 1});
    expect(ends(events)).toEqual(['a@one unchanged']);
    expect(of(events, 'verified').map(({passed}) => passed)).toEqual([true]);
  });

  test('begins a step when all that it is after is done on every host', async () => {
    const first = writes('first');
    const second = writes('second', {after: [first], role: 'first'});
    const third = writes('third', {after: [second]});
    const {events} = await run({hosts, steps: [third, second, first], names: ['one', 'two', 'three']});
    const order = ends(events);
    const at = (end: string) => order.indexOf(`${end} changed`);
    for (const host of ['one', 'two', 'three']) expect(at(`first@${host}`)).toBeLessThan(at('second@one'));
    for (const host of ['one', 'two', 'three']) expect(at('second@one')).toBeLessThan(at(`third@${host}`));
  });

  test('works on hosts side by side, on no more at once than allowed, and on one host on one step at a time', async () => {
    const steps = ['a', 'b', 'c'].map(id => writes(id));
    const most = async (parallel: number) => {
      const {events} = await run({hosts, steps, names: ['one', 'two', 'three']}, {parallel});
      const busy: string[] = [];
      let highest = 0;
      for (const event of events) {
        if (event.type === 'step.started') {
          expect(busy).not.toContain(event.host);
          busy.push(event.host);
        }
        if (event.type === 'step.finished') busy.splice(busy.indexOf(event.host), 1);
        highest = Math.max(highest, busy.length);
      }
      return highest;
    };
    expect(await most(8)).toBe(3);
    for (const host of ['one', 'two', 'three']) for (const id of ['a', 'b', 'c']) rmSync(join(hosts.folder(host), id));
    expect(await most(2)).toBe(2);
  });

  test('hands what one step found out to those that need it, on other hosts too', async () => {
    const key = stepOf('key', {
      role: 'first',
      provides: ['key'],
      resources: () => [made('key', 'key', sh`echo made-on-one`)],
    });
    const user = stepOf('user', {
      after: [key],
      needs: ['key'],
      resources: ({products}) => [note('user', products.key ?? '')],
      handover: ({products, host}) => [
        {path: `${host.name}.conf`, title: 'a file', content: products.key ?? '', secret: true},
      ],
    });
    const disk = newDisk();
    const {result, events} = await run({hosts, steps: [key, user], names: ['one', 'two'], disk});
    expect(result.outcome).toBe('succeeded');
    expect(hosts.files('two').user).toBe('made-on-one');
    expect(disk.handedOver.get('two.conf')).toBe('made-on-one');
    expect(of(events, 'handover').map(({path, secret}) => [path, secret])).toContainEqual(['/state/two.conf', true]);
    expect(JSON.stringify(of(events, 'plan')[0]?.steps)).toContain('"undecided":"Step key"');
  });

  test('makes a secret once, keeps it before its first use, and gives only those that were asked for', async () => {
    let generated = 0;
    const secret = stepOf('secret', {
      secrets: () => [{name: 'database', generate: () => `s3cret-${++generated}-value`}],
      resources: ({secret: get}) => [note('password', get('database'))],
    });
    const disk = newDisk();
    await run({hosts, steps: [secret], disk});
    await run({hosts, steps: [secret], disk});
    expect(generated).toBe(1);
    expect(hosts.files('one').password).toBe('s3cret-1-value');
    const nosy = stepOf('nosy', {resources: ({secret: get}) => [note('x', get('database'))]});
    const {result} = await run({hosts, steps: [nosy], disk: newDisk()});
    expect(result.failures[0]).toMatchObject({kind: 'bug', message: expect.stringContaining('no step asked for')});
  });

  test('says how to keep a secret that only the operator has, and uses it once it is there', async () => {
    const step = stepOf('mail', {
      secrets: () => [{name: 'mail-password', given: 'the password of the mail server'}],
      resources: ({secret}) => [note('mail', secret('mail-password'))],
    });
    const disk = newDisk();
    const without = await run({hosts, steps: [step], disk});
    expect(without.result.failures[0]).toMatchObject({
      kind: 'input',
      message: 'The vault lacks the password of the mail server.',
      remedy: expect.stringContaining('groundwork secrets set demo mail-password'),
    });
    disk.vault.set('mail-password', 'told-by-the-operator');
    const {result} = await run({hosts, steps: [step], disk});
    expect(result).toMatchObject({outcome: 'succeeded', changed: 1});
    expect(hosts.files('one').mail).toBe('told-by-the-operator');
  });

  test('of some steps only takes the others as done', async () => {
    const first = writes('first');
    const second = writes('second', {after: [first]});
    const {result, events} = await run({hosts, steps: [first, second]}, {only: ['second']});
    expect(result).toMatchObject({outcome: 'succeeded', changed: 1});
    expect(ends(events)).toEqual(['second@one changed']);
    expect(Object.keys(hosts.files('one'))).toEqual(['second']);
  });

  test('reads a later resource again after an earlier one of the step was changed', async () => {
    const copies = resource({
      id: 'copy',
      doing: 'copying',
      probe: sh`cmp -s original copy && echo same || echo differs`,
      read: ({stdout}) => ok(stdout.trim()),
      diff: state => (state === 'same' ? [] : [{summary: 'copy it'}]),
      apply: () => script(sh`cp original copy`),
    });
    const process = {hosts, steps: [stepOf('pair', {resources: () => [note('original', 'new'), copies]})]};
    await run(process);
    const {result} = await run({
      ...process,
      steps: [stepOf('pair', {resources: () => [note('original', 'newer'), copies]})],
    });
    expect(result).toMatchObject({changed: 2});
    expect(hosts.files('one').copy).toBe('newer');
  });
});

describe('preflight', () => {
  const check = (more: Partial<CheckResult>): CheckResult => ({
    id: 'memory',
    host: 'one',
    title: 'Memory',
    severity: 'error',
    outcome: 'failed',
    acceptable: true,
    found: '2 GiB',
    needed: '60 GiB',
    remedy: 'Take a larger machine.',
    ...more,
  });

  test('a failed check ends the run before anything is changed', async () => {
    const {result, events} = await run({hosts, steps: [writes('a')]}, {preflight: () => [check({})]});
    expect(result).toMatchObject({
      outcome: 'failed',
      changed: 0,
      failed: 1,
      failures: [{kind: 'preflight', host: 'one'}],
    });
    expect(of(events, 'problem')[0]?.failure.remedy).toContain('--accept one:memory');
    expect(hosts.files('one')).toEqual({});
  });

  test('one that was accepted by name is written down, and the run goes on', async () => {
    const {result, events} = await run(
      {hosts, steps: [writes('a')]},
      {preflight: () => [check({}), check({id: 'swap', severity: 'warning'})], accepted: ['one:memory']},
    );
    expect(result.outcome).toBe('succeeded');
    expect(of(events, 'check.accepted')).toMatchObject([{host: 'one', check: 'memory', found: '2 GiB'}]);
  });

  test('one that nobody may accept stays an end', async () => {
    const {result} = await run(
      {hosts, steps: [writes('a')]},
      {preflight: () => [check({acceptable: false})], accepted: ['one:memory']},
    );
    expect(result.outcome).toBe('failed');
  });
});

test('no event holds a secret or a control sequence, whatever a host prints', async () => {
  const noisy = stepOf('noisy', {
    secrets: () => [{name: 'canary', generate: () => 'canary-4711-canary'}],
    resources: ({secret}) => [
      command(
        'noisy',
        `printf '\\033[31mpassword is %s\\033[0m\\n' ${secret('canary')}; echo $(printf %s ${secret('canary')} | base64) >&2; touch noisy`,
      ),
      {
        ...note('other', secret('canary')),
        assess: ({stdout}) => err(`cannot read \u001b[2J${secret('canary')} ${stdout.trim()}`),
      },
    ],
  });
  const {events} = await run({hosts, steps: [noisy]}, {typed: ['typed-by-hand']});
  const text = JSON.stringify(events);
  expect(of(events, 'log')).toHaveLength(2);
  expect(text).toContain('password is [secret]');
  expect(text).not.toContain('canary-4711');
  expect(text).not.toContain(Buffer.from('canary-4711').toString('base64').slice(0, 10));
  expect(text).not.toMatch(/\\u001b|\\u009b/);
});

test('an empty deployment is done at once', async () => {
  const {result} = await run({
    hosts,
    steps: [stepOf('a', {enabled: () => false, resources: () => [{...note('a', 'a'), probe: nothing}]})],
  });
  expect(result).toMatchObject({outcome: 'succeeded', changed: 0, unchanged: 0});
});
