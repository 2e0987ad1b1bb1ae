import {describe, expect, it} from 'vitest';
import {healthLines, isHealthy} from '../../source/commands/health.ts';
import {parseHealth} from '../../source/kubernetes/health.ts';
import type {PartOutput} from '../../source/shell/frame.ts';
import {anEnvironment} from '../support/deployments.ts';

const printed = (stdout: string, more: Partial<PartOutput> = {}): PartOutput => ({
  code: 0,
  stdout,
  stderr: '',
  ...more,
});

const nodes = 'sandbox-1   Ready   control-plane,etcd   12d   v1.35.8+rke2r1\n';
const release = (name: string, namespace: string, status = 'deployed') => ({
  name,
  namespace,
  revision: '1',
  status,
  chart: `${name}-1.0.0`,
});

const look = (pods: string, releases: readonly unknown[] = [release('rancher', 'cattle-system')], node = nodes) => {
  const parsed = parseHealth(
    new Map([printed(node), printed(pods), printed(JSON.stringify(releases))].map((part, index) => [index, part])),
  );
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
};

const wellPods = [
  'cattle-system   rancher-7d9f   1/1   Running   3 (5m ago)   12d',
  'cattle-system   helm-operation-x   0/2   Completed   0   12d',
  'dev             odk-0          2/2   Running   0   12d',
].join('\n');

describe('the health of a cluster', () => {
  it('is told in a few lines when all is well', () => {
    const health = look(wellPods);
    expect(healthLines({environments: [anEnvironment({name: 'dev'})]}, health)).toEqual([
      'nodes: 1 of 1 ready (sandbox-1 v1.35.8+rke2r1)',
      'releases: 1 of 1 deployed',
      'platform: 1 of 1 pod ready',
      'environment dev: 1 of 1 pod ready',
    ]);
    expect(isHealthy(health)).toBe(true);
  });

  it('names what is wrong: a node, a release, a pod, an environment', () => {
    const health = look(
      'dev   odk-0   1/2   Running   0   2m\ndev   minio-0   0/1   ImagePullBackOff   0   2m\n',
      [release('commons', 'dev', 'pending-install')],
      nodes.replace('Ready', 'NotReady'),
    );
    const told = healthLines({environments: [anEnvironment({name: 'dev'}), anEnvironment({name: 'qa'})]}, health);
    expect(told).toEqual([
      'nodes: 0 of 1 ready (sandbox-1 v1.35.8+rke2r1, NOT READY)',
      'releases: 0 of 1 deployed; commons in dev is pending-install',
      'platform: 0 of 0 pods ready',
      'environment dev: 0 of 2 pods ready; odk-0 not ready yet; minio-0 ImagePullBackOff',
      'environment qa: is not there',
    ]);
    expect(isHealthy(health)).toBe(false);
  });

  it('counts what it does not name', () => {
    const pods = Array.from({length: 8}, (_, index) => `dev   job-${index}   0/1   Pending   0   1m`).join('\n');
    const [, , , dev] = healthLines({environments: [anEnvironment({name: 'dev'})]}, look(pods));
    expect(dev).toMatch(/^environment dev: 0 of 8 pods ready; job-0 Pending; .*job-4 Pending; 3 more$/);
  });

  it.each([
    ['there is no cluster', [printed('no-cluster'), printed('no-cluster'), printed('no-cluster')], 'no cluster on it'],
    [
      'it does not answer',
      [printed('', {code: 1, stderr: 'The connection was refused\n'}), printed(''), printed('[]')],
      'was refused',
    ],
    ['an answer is missing', [printed(nodes)], 'cut off'],
    ['helm answers nonsense', [printed(nodes), printed(''), printed('Error: x')], 'helm does not answer'],
  ])('says that %s', (_, parts, told) => {
    const parsed = parseHealth(new Map(parts.map((part, index) => [index, part])));
    expect(!parsed.ok && parsed.error).toContain(told);
  });
});
