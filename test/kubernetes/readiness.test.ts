import {createHash} from 'node:crypto';
import {describe, expect, test} from 'vitest';
import {hopeless, lasting, reportsOf, tellUntil, waitUntilReady} from '../../source/kubernetes/readiness.ts';
import {kubernetesRemedies} from '../../source/kubernetes/remedies.ts';
import type {Workload} from '../../source/kubernetes/workloads.ts';
import type {ApplyPort} from '../../source/resources/resource.ts';
import {err, ok} from '../../source/result.ts';
import {sh} from '../../source/shell/script.ts';

const workload = (kind: string, name: string, status: object, {hook = '', replicas = '1'} = {}): string =>
  [
    'workload',
    kind,
    'shop',
    name,
    '1',
    '',
    '',
    hook,
    '',
    replicas,
    '',
    '',
    '',
    '',
    '',
    '',
    JSON.stringify(status),
  ].join('\t');
const up = {observedGeneration: 1, replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1};
const down = {observedGeneration: 1, replicas: 1, updatedReplicas: 1};
const pod = (owner: string, state: object, kind = 'StatefulSet'): string =>
  [
    'pod',
    'shop',
    `${owner}-0`,
    kind,
    owner,
    '',
    '',
    'Pending',
    '',
    '',
    '',
    'main',
    'main',
    'a:1',
    '0',
    JSON.stringify(state),
    '{}',
  ].join('\t');
const pulling = {waiting: {reason: 'ContainerCreating'}};
const never = {waiting: {reason: 'ErrImageNeverPull', message: 'not present with pull policy of Never'}};

/** A host that answers with one look after the other, the last again and again; each takes 10 seconds. */
const host = (...looks: readonly (string | undefined)[]) => {
  const lines: string[] = [];
  const asked: string[] = [];
  let count = 0;
  let now = 0;
  const port: ApplyPort = {
    now: () => new Date(now),
    tell: line => lines.push(line),
    send: async () => ok(),
    run: async (script, options) => {
      await new Promise(resolve => setImmediate(resolve));
      if (script.text.includes('kubectl --request-timeout=20s logs'))
        return ok({code: 0, stdout: 'last words\n', stderr: '', truncated: false});
      // Nothing of an answer is for the log.
      expect(options?.told?.('x')).toBeUndefined();
      asked.push(/"\$1" != (\w+)/.exec(script.text)?.[1] ?? '');
      const look = looks[Math.min(count, looks.length - 1)];
      count += 1;
      now += 10_000;
      const hash = look === undefined ? 'unseen' : createHash('sha256').update(look).digest('hex');
      return ok({code: 0, stdout: `${hash}\n${look ?? 'refused'}`, stderr: '', truncated: false});
    },
  };
  return {port, lines, asked, seconds: () => now / 1000};
};

const wait = (port: ApplyPort, more = {}) =>
  waitUntilReady(port, {what: 'shop', look: sh`true`, timeoutSeconds: 300, ...more});

describe('waiting', () => {
  test('ends at once when all is ready, with not a word', async () => {
    const {port, lines} = host(
      [
        workload('StatefulSet', 'cart', up),
        workload('StatefulSet', 'off', {observedGeneration: 1}, {replicas: '0'}),
      ].join('\n'),
    );
    expect(await wait(port)).toEqual(ok());
    expect(lines).toEqual([]);
  });

  test('for nothing ends at once', async () => {
    expect(await wait(host('').port)).toEqual(ok());
  });

  test('tells what each workload does, once each time that it is something else', async () => {
    const busy = [workload('StatefulSet', 'cart', down), workload('StatefulSet', 'db', up), pod('cart', pulling)].join(
      '\n',
    );
    const pull = `${busy}\n${['event', 'shop', 'Pod', 'cart-0', 'Normal', 'Pulling', 'Pulling image "a:1"'].join('\t')}`;
    const {port, lines, asked} = host(
      busy,
      busy,
      pull,
      [workload('StatefulSet', 'cart', up), workload('StatefulSet', 'db', up)].join('\n'),
    );
    expect(await wait(port)).toEqual(ok());
    expect(lines).toEqual(['cart 0/1: container is being made', 'cart 0/1: pulling image a:1', 'cart 1/1']);
    // The host is told what we know, and answers when it is something else.
    expect(asked[0]).toBe('none');
    expect(asked[1]).toBe(createHash('sha256').update(busy).digest('hex'));
  });

  test('goes on while the API server restarts', async () => {
    const {port, lines} = host(
      workload('StatefulSet', 'cart', down),
      undefined,
      undefined,
      workload('StatefulSet', 'cart', up),
    );
    expect(await wait(port)).toEqual(ok());
    expect(lines).toContain('waiting: the API server does not answer');
  });

  test('ends when the time is over, with who is not ready and the last lines of a log', async () => {
    const crashing = {waiting: {reason: 'CrashLoopBackOff', message: 'back-off'}};
    const {port, seconds} = host(
      [workload('StatefulSet', 'cart', down), workload('StatefulSet', 'db', up), pod('cart', crashing)].join('\n'),
    );
    const result = await wait(port);
    expect(result).toMatchObject({
      ok: false,
      error: {
        kind: 'command',
        message: 'shop did not become ready in 300 s: cart 0/1: main does not start: back-off',
        tail: ['cart 0/1: main does not start: back-off', 'log of cart-0, main:', '  last words'],
        cause: 'A program of the release ends as soon as it is started.',
      },
    });
    expect(seconds()).toBe(300);
  });

  test('ends before that for what does not heal', async () => {
    const {port, seconds} = host([workload('StatefulSet', 'cart', down), pod('cart', never)].join('\n'));
    expect(await wait(port)).toMatchObject({
      ok: false,
      error: {message: expect.stringContaining('shop cannot become ready')},
    });
    expect(seconds()).toBe(40);
  });

  test('is for what an operator has yet to make, too', async () => {
    const expected = [{kind: 'StatefulSet', name: 'prometheus', namespace: 'shop'}];
    const {port, lines} = host('', workload('StatefulSet', 'prometheus', up));
    expect(await wait(port, {expected})).toEqual(ok());
    expect(lines).toEqual(['prometheus 0/1: waiting for its controller', 'prometheus 1/1']);
  });

  test('ends with the connection', async () => {
    const lost = {kind: 'connection-lost', message: 'gone'} as const;
    const port: ApplyPort = {
      now: () => new Date(0),
      tell: () => {},
      send: async () => ok(),
      run: async () => err(lost),
    };
    expect(await wait(port)).toEqual(err(lost));
  });
});

describe('while helm works', () => {
  const readiness = {what: 'shop', look: sh`true`, timeoutSeconds: 300};
  const later = () => new Promise(resolve => setTimeout(resolve, 200));

  test('a hook that cannot start is given up, and it is said why', async () => {
    let stopped = 0;
    const {port} = host(
      [workload('Job', 'init', {active: 1}, {hook: 'post-install'}), pod('init', never, 'Job')].join('\n'),
    );
    const failure = await tellUntil(port, readiness, new Promise(() => {}), async () => {
      stopped += 1;
    });
    expect(failure?.message).toMatch(/^a hook of shop cannot start: init 0\/1: image a:1: not present/);
    expect(stopped).toBe(1);
  });

  test('the same trouble of what the hook may be there to heal is not', async () => {
    const {port} = host([workload('StatefulSet', 'cart', down), pod('cart', never)].join('\n'));
    expect(await tellUntil(port, readiness, later(), async () => expect.unreachable())).toBeUndefined();
  });
});

describe('trouble', () => {
  const report = (text: string) =>
    reportsOf({
      workloads: [
        {
          kind: 'Job',
          namespace: 'shop',
          name: 'init',
          generation: 1,
          spec: {},
          status: {conditions: [{type: 'Failed', status: 'True', message: text}]},
        } satisfies Workload,
      ],
      pods: [],
      events: [],
    });

  test('counts from when it was first seen, until it goes', () => {
    const first = lasting(report('a'), new Map(), 1000);
    const second = lasting(report('b'), first, 9000);
    expect([...second.values()]).toEqual([1000]);
    expect(lasting([], second, 10_000).size).toBe(0);
  });

  test('of a failed Job is final', () => {
    const reports = report('too often');
    expect(hopeless(reports, lasting(reports, new Map(), 0), 0)).toEqual(reports);
    expect(reports[0]?.line).toBe('init failed: the Job has failed: too often');
  });
});

describe('remedies', () => {
  test.each([
    ['kube-image', 'web 0/1: image a/b:1 cannot be pulled: not found'],
    [
      'kube-image-name',
      'web 0/1: image localhost/never:1: Container image "localhost/never:1" is not present with pull policy of Never',
    ],
    ['kube-resources', 'big 0/1: not scheduled: 0/1 nodes are available: 1 Insufficient memory.'],
    ['kube-claim', 'base 0/1: not scheduled: pod has unbound immediate PersistentVolumeClaims'],
    [
      'kube-unschedulable',
      "a 0/1: not scheduled: 0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
    ],
    ['kube-mount', 'a 0/1: MountVolume.SetUp failed for volume "pvc": mount.nfs: access denied'],
    ['kube-memory', 'a 0/1: main was killed because it used more memory than it may, 5 restarts'],
    ['kube-quota', 'a 0/1: its pods are refused: pods "a" is forbidden: exceeded quota: x'],
    ['kube-settings', 'a 0/1: main: secret "absent" not found'],
    ['kube-crash', 'a 0/1: main ended with exit status 1, 3 restarts'],
    ['kube-job', 'init failed: the Job has failed: Job has reached the specified backoff limit'],
    [
      'helm-immutable-stateful-set',
      'UPGRADE FAILED: cannot patch "a" with kind StatefulSet: StatefulSet.apps "a" is invalid: spec: Forbidden: updates to statefulset spec for fields other than \'replicas\' are forbidden',
    ],
    [
      'helm-immutable',
      'cannot patch "a" with kind Job: Job.batch "a" is invalid: spec.template: Invalid value: …: field is immutable',
    ],
    [
      'helm-owned',
      'rendered manifests contain a resource that already exists. Unable to continue with install: ConfigMap "a" exists and cannot be imported into the current release: invalid ownership metadata',
    ],
    ['helm-values', "values don't meet the specifications of the schema(s) in the following chart(s)"],
    ['kube-kind', 'no matches for kind "Gateway" in version "networking.istio.io/v1"'],
    ['kube-webhook', 'Internal error occurred: failed calling webhook "rancher.cattle.io": dial tcp: i/o timeout'],
    ['kube-api', 'The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?'],
  ])('%s', (id, text) => {
    expect(kubernetesRemedies.find(({match}) => match.test(text))?.id).toBe(id);
  });
});
