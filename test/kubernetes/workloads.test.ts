import {describe, expect, test} from 'vitest';
import {
  missingOf,
  readWorkloads,
  stateOf,
  type Workload,
  type WorkloadKind,
  workloadsByName,
  workloadTemplate,
} from '../../source/kubernetes/workloads.ts';

const workload = (kind: WorkloadKind, given: Partial<Workload> = {}): Workload => ({
  kind,
  namespace: 'shop',
  name: 'cart',
  generation: 2,
  spec: {},
  status: {observedGeneration: 2},
  ...given,
});
const seen = {observedGeneration: 2};

describe('a Deployment', () => {
  const full = {...seen, replicas: 2, updatedReplicas: 2, availableReplicas: 2};
  const state = (status: Workload['status'], replicas = 2) =>
    stateOf(workload('Deployment', {spec: {replicas}, status}));

  test('is ready when all that is wanted is available in the present version', () => {
    expect(state(full)).toEqual({ready: true, progress: '2/2'});
  });
  test('is not while its controller has not seen the present object', () => {
    expect(state({...full, observedGeneration: 1}).ready).toBe(false);
  });
  test('is not while old pods serve, or one is missing', () => {
    expect(state({...full, updatedReplicas: 1})).toEqual({ready: false, progress: '1/2'});
    expect(state({...full, replicas: 3}).ready).toBe(false);
    expect(state({...full, availableReplicas: 1})).toEqual({ready: false, progress: '1/2'});
    expect(state(seen)).toEqual({ready: false, progress: '0/2'});
  });
  test('scaled to zero is ready when its pods are gone', () => {
    expect(state(seen, 0)).toEqual({ready: true, progress: '0/0'});
    expect(state({...seen, replicas: 1}, 0).ready).toBe(false);
  });
  test('wants one pod when it does not say how many', () => {
    expect(stateOf(workload('Deployment', {status: seen})).progress).toBe('0/1');
  });
});

describe('a StatefulSet', () => {
  const state = (spec: Workload['spec'], status: Workload['status']) =>
    stateOf(workload('StatefulSet', {spec, status: {...seen, ...status}})).ready;

  test('is ready when all pods are, in the present version', () => {
    expect(state({replicas: 3}, {replicas: 3, readyReplicas: 3, updatedReplicas: 3})).toBe(true);
    expect(state({replicas: 3}, {replicas: 3, readyReplicas: 3, updatedReplicas: 2})).toBe(false);
    expect(state({replicas: 3}, {replicas: 3, readyReplicas: 2, updatedReplicas: 3})).toBe(false);
  });
  test('keeps old pods where it is told to', () => {
    expect(state({replicas: 3, partition: 2}, {replicas: 3, readyReplicas: 3, updatedReplicas: 1})).toBe(true);
    expect(state({replicas: 3, strategy: 'OnDelete'}, {replicas: 3, readyReplicas: 3})).toBe(true);
  });
});

describe('a DaemonSet', () => {
  const state = (status: Workload['status'], strategy = 'RollingUpdate') =>
    stateOf(workload('DaemonSet', {spec: {strategy}, status: {...seen, ...status}}));

  test('is ready when each node that is to have one has it', () => {
    expect(state({desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberReady: 2}).ready).toBe(true);
    expect(state({desiredNumberScheduled: 2, updatedNumberScheduled: 1, numberReady: 2}).ready).toBe(false);
    expect(state({desiredNumberScheduled: 2, numberReady: 2}, 'OnDelete').ready).toBe(true);
  });
  test('for which there is no node is ready', () => {
    expect(state({desiredNumberScheduled: 0})).toEqual({ready: true, progress: '0/0'});
  });
});

describe('a Job', () => {
  const state = (status: Workload['status'], spec: Workload['spec'] = {}) => stateOf(workload('Job', {status, spec}));
  const condition = (type: string, message?: string) => ({
    conditions: [{type, status: 'True', ...(message && {message})}],
  });

  test('is ready when it is complete', () => {
    expect(state(condition('Complete'))).toEqual({ready: true, progress: 'done'});
    expect(state({active: 1}, {completions: 3})).toEqual({ready: false, progress: '0/3'});
  });
  test('that has failed never will be', () => {
    expect(state(condition('Failed', 'too often'))).toEqual({ready: false, progress: 'failed', failed: 'too often'});
  });
  test('that is suspended is as it should be', () => {
    expect(state({}, {suspend: true}).ready).toBe(true);
  });
});

describe('a volume claim', () => {
  const state = (phase: string, provisioned = false) =>
    stateOf(workload('PersistentVolumeClaim', {spec: {...(provisioned && {provisioned})}, status: {phase}}));

  test('is ready when it is bound, or waits for its first pod', () => {
    expect(state('Bound', true)).toEqual({ready: true, progress: 'bound'});
    expect(state('Pending')).toEqual({ready: true, progress: 'pending'});
    expect(state('Pending', true).ready).toBe(false);
  });
  test('whose volume is gone never will be', () => {
    expect(state('Lost').failed).toBe('its volume is gone');
  });
});

describe('the lines of kubectl', () => {
  const line = (...fields: readonly string[]) => `workload\t${fields.join('\t')}`;
  const status = '{"observedGeneration":1,"replicas":1}';

  test('have a field for each of the template', () => {
    expect(workloadTemplate.split('{"\\t"}')).toHaveLength(17);
  });
  test('are read, whatever stands between them', () => {
    const text = [
      'No resources found',
      line('Deployment', 'shop', 'cart', '3', 'all', 'shop', '', '', '2', '', '', '', '', '', '', status),
      line('Job', 'shop', 'init', '1', '', '', 'post-install', 'all', '', '1', 'true', '', '', '', '', '{}'),
      line('CronJob', 'shop', 'nightly', '1', '', '', '', '', '', '', '', '', '', '', '', '{}'),
      line('Deployment', 'cut', 'off'),
      line('PersistentVolumeClaim', 'shop', 'data', '', '', '', '', '', '', '', '', '', '', '', 'nfs', 'not json'),
    ].join('\n');
    expect(readWorkloads(text)).toEqual([
      {
        kind: 'Deployment',
        namespace: 'shop',
        name: 'cart',
        generation: 3,
        spec: {replicas: 2},
        status: {observedGeneration: 1, replicas: 1},
        release: 'shop/all',
      },
      {
        kind: 'Job',
        namespace: 'shop',
        name: 'init',
        generation: 1,
        spec: {completions: 1, suspend: true},
        status: {},
        hook: true,
        instance: 'all',
      },
      {
        kind: 'PersistentVolumeClaim',
        namespace: 'shop',
        name: 'data',
        generation: 0,
        spec: {provisioned: true},
        status: {},
      },
    ]);
  });
});

test('workloads that somebody else has yet to make are not ready', () => {
  const wanted = [
    {kind: 'StatefulSet', name: 'prometheus', namespace: 'watch'},
    {kind: 'DaemonSet', name: 'agent', namespace: 'watch'},
    {kind: 'Deployment', name: 'cart', namespace: 'shop'},
  ] as const;
  const missing = missingOf(wanted, [workload('Deployment')]);
  expect(missing.map(({name}) => name)).toEqual(['prometheus', 'agent']);
  expect(missing.map(found => stateOf(found).ready)).toEqual([false, false]);
  expect(workloadsByName([]).text).toBe(':');
});
