import {describe, expect, test} from 'vitest';
import {type Container, type KubeEvent, type Pod, readEvents, readPods} from '../../source/kubernetes/pods.ts';
import {doingOf, problemOf, refusalOf} from '../../source/kubernetes/problems.ts';
import type {Workload} from '../../source/kubernetes/workloads.ts';

const container = (given: Partial<Container> = {}): Container => ({
  name: 'main',
  init: false,
  image: 'registry.test/cart:1',
  restarts: 0,
  state: {},
  last: {},
  ...given,
});
const waiting = (reason: string, message = '') => ({state: {waiting: {reason, message}}});
const pod = (given: Partial<Pod> = {}): Pod => ({
  namespace: 'shop',
  name: 'cart-1',
  owner: {kind: 'Deployment', name: 'cart'},
  phase: 'Pending',
  leaving: false,
  containers: [],
  ...given,
});
const event = (reason: string, message: string, of: Partial<KubeEvent> = {}): KubeEvent => ({
  namespace: 'shop',
  kind: 'Pod',
  name: 'cart-1',
  reason,
  message,
  ...of,
});
const problem = (containers: readonly Container[], events: readonly KubeEvent[] = []) =>
  problemOf(pod({containers}), events);

describe('an image', () => {
  test.each([
    'rpc error: code = NotFound desc = failed to pull and unpack image "registry.test/cart:1": not found',
    'failed to authorize: failed to fetch anonymous token: 401 Unauthorized',
    'manifest unknown: manifest tagged by "1" is not found',
  ])('that is not there is not waited for without end: %s', message => {
    expect(problem([container(waiting('ErrImagePull', message))])).toMatchObject({kind: 'image', patience: 300});
  });

  test.each([
    'dial tcp: lookup registry.test: no such host',
    'net/http: TLS handshake timeout',
    'toomanyrequests: You have reached your pull rate limit',
    'unexpected status code 503 Service Unavailable',
    'dial tcp 10.0.0.1:443: connect: connection refused',
  ])('that cannot be had at this moment may come: %s', message => {
    expect(problem([container(waiting('ErrImagePull', message))])?.patience).toBeUndefined();
  });

  test('with a wrong name is given up soon', () => {
    expect(problem([container(waiting('InvalidImageName', "couldn't parse image reference"))])).toMatchObject({
      kind: 'image-name',
      patience: 30,
    });
  });
});

describe('a pod that no node takes', () => {
  const unscheduled = (message: string, events: readonly KubeEvent[] = []) =>
    problemOf(pod({scheduled: {type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message}}), events);

  test('tells the words of the scheduler', () => {
    expect(unscheduled('0/1 nodes are available: 1 Insufficient cpu.')).toEqual({
      kind: 'unschedulable',
      namespace: 'shop',
      workload: 'cart',
      text: 'not scheduled: 0/1 nodes are available: 1 Insufficient cpu.',
      patience: 300,
    });
  });
  test('waits for a node that is not ready yet', () => {
    const message = '0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }.';
    expect(unscheduled(message)?.patience).toBeUndefined();
  });
  test('says which volume claim it lacks and why', () => {
    const why = event('ProvisioningFailed', 'storageclass.storage.k8s.io "nfs" not found', {
      kind: 'PersistentVolumeClaim',
      name: 'data-cart-0',
    });
    expect(unscheduled('pod has unbound immediate PersistentVolumeClaims', [why])).toMatchObject({
      kind: 'claim',
      text: 'not scheduled: pod has unbound immediate PersistentVolumeClaims; claim data-cart-0: storageclass.storage.k8s.io "nfs" not found',
      patience: 300,
    });
    expect(unscheduled('pod has unbound immediate PersistentVolumeClaims')?.patience).toBeUndefined();
  });
});

describe('a program that ends', () => {
  const dead = {terminated: {reason: 'Error', exitCode: 3}};

  test('is told with its exit status and where its log is, and may come up later', () => {
    const crashing = container({...waiting('CrashLoopBackOff', 'back-off'), last: dead, restarts: 4});
    expect(problem([crashing])).toEqual({
      kind: 'crash',
      namespace: 'shop',
      workload: 'cart',
      text: 'main ended with exit status 3, 4 restarts',
      log: {pod: 'cart-1', container: 'main', previous: false},
    });
  });
  test('and runs again is on its way', () => {
    expect(problem([container({state: {running: {}}, last: dead, restarts: 1})])).toBeUndefined();
  });
  test('because it used too much memory is not asked for ever', () => {
    const killed = {terminated: {reason: 'OOMKilled', exitCode: 137}};
    const again = (restarts: number) => problem([container({state: {running: {}}, last: killed, restarts})]);
    expect(again(2)).toMatchObject({kind: 'memory', log: {previous: true}});
    expect(again(2)?.patience).toBeUndefined();
    expect(again(4)?.patience).toBe(0);
  });
  test('before the others start is an init container', () => {
    const init = container({init: true, name: 'schema', state: dead});
    expect(problem([init, container(waiting('PodInitializing'))])?.text).toBe(
      'init container schema ended with exit status 3, 0 restarts',
    );
  });
  test('well is no problem', () => {
    expect(problem([container({state: {terminated: {reason: 'Completed', exitCode: 0}}})])).toBeUndefined();
  });
});

test('other things that keep a pod', () => {
  const missing = 'secret "login" not found';
  expect(problem([container(waiting('CreateContainerConfigError', missing))])).toMatchObject({
    kind: 'settings',
    text: 'main: secret "login" not found',
  });
  const mount = event('FailedMount', 'MountVolume.SetUp failed:\n mount.nfs: Connection timed out');
  expect(problem([container(waiting('ContainerCreating'))], [mount])).toMatchObject({
    kind: 'volume',
    text: 'MountVolume.SetUp failed: mount.nfs: Connection timed out',
  });
  expect(problem([container({state: {running: {}}})], [mount])).toBeUndefined();
  expect(problemOf(pod({phase: 'Failed', reason: 'Evicted', message: 'low on disk'}), [])).toMatchObject({
    kind: 'evicted',
    text: 'Evicted: low on disk',
  });
  expect(problemOf(pod({leaving: true, containers: [container({...waiting('ErrImagePull')})]}), [])).toBeUndefined();
});

describe('a workload whose pods are refused', () => {
  const workload = (kind: Workload['kind'], status: Workload['status']): Workload => ({
    kind,
    namespace: 'shop',
    name: 'cart',
    generation: 1,
    spec: {replicas: 2},
    status,
  });
  const words = 'pods "cart-1" is forbidden: exceeded quota: little';
  const refused = event('FailedCreate', words, {kind: 'StatefulSet', name: 'cart'});

  test('says who refuses them', () => {
    const condition = {type: 'ReplicaFailure', status: 'True', message: words};
    expect(refusalOf(workload('Deployment', {conditions: [condition]}), [])).toMatchObject({
      text: `its pods are refused: ${words}`,
      patience: 120,
    });
    expect(refusalOf(workload('StatefulSet', {}), [refused])?.kind).toBe('refused');
  });
  test('does so no longer when the pods have come, although the event is still told', () => {
    expect(refusalOf(workload('StatefulSet', {replicas: 2, readyReplicas: 1}), [refused])).toBeUndefined();
    expect(refusalOf(workload('StatefulSet', {replicas: 1, readyReplicas: 0}), [refused])).toBeUndefined();
    expect(refusalOf(workload('Deployment', {}), [event('FailedCreate', words, {kind: 'ReplicaSet'})])).toBeUndefined();
  });
  test('waits for a webhook that is starting', () => {
    const hook = event('FailedCreate', 'failed calling webhook "istio"', {kind: 'StatefulSet', name: 'cart'});
    expect(refusalOf(workload('StatefulSet', {}), [hook])?.patience).toBeUndefined();
  });
});

test('a pod that is on its way says what it does', () => {
  const doing = (given: Partial<Pod>, events: readonly KubeEvent[] = []) => doingOf(pod(given), events);
  expect(
    doing({containers: [container(waiting('ContainerCreating'))]}, [event('Pulling', 'Pulling image "a:1"')]),
  ).toBe('pulling image a:1');
  expect(doing({containers: [container(waiting('ContainerCreating'))]})).toBe('container is being made');
  expect(doing({containers: [container({state: {running: {}}})]})).toBe('main runs and is not ready yet');
  expect(doing({containers: [container({init: true, name: 'wait', state: {running: {}}})]})).toBe(
    'init container wait runs',
  );
  expect(doing({leaving: true})).toBe('an old pod is going');
  expect(doing({})).toBe('pending');
});

test('pods and events are read from lines, whatever their messages hold', () => {
  const fields = ['shop', 'cart-5d-x', 'ReplicaSet', 'cart-5d', '5d', '', 'Pending', '', '', ''];
  const state = JSON.stringify({waiting: {reason: 'ErrImagePull', message: 'a\tb\nc'}});
  const text = [
    ['pod', ...fields, 'main', 'web', 'web:1', '2', state, '{}'].join('\t'),
    ['event', 'shop', 'Pod', 'cart-5d-x', 'Warning', 'Failed', 'one\ttwo'].join('\t'),
    'Error from server',
  ].join('\n');
  expect(readPods(text)).toEqual([
    {
      namespace: 'shop',
      name: 'cart-5d-x',
      owner: {kind: 'Deployment', name: 'cart'},
      phase: 'Pending',
      leaving: false,
      containers: [
        {
          name: 'web',
          init: false,
          image: 'web:1',
          restarts: 2,
          state: {waiting: {reason: 'ErrImagePull', message: 'a\tb\nc'}},
          last: {},
        },
      ],
    },
  ]);
  expect(readEvents(text)).toEqual([event('Failed', 'one two', {name: 'cart-5d-x'})]);
});
