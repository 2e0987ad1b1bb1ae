import {z} from 'zod';
import {err, ok, type Result} from '../result.ts';
import type {PartOutput} from '../shell/frame.ts';
import {lines, type Script, sh} from '../shell/script.ts';
import {kubeEnvironment, unlessInstalled} from './access.ts';

export type NodeHealth = {readonly name: string; readonly ready: boolean; readonly version: string};

export type ReleaseHealth = {
  readonly name: string;
  readonly namespace: string;
  /** As helm says it: `deployed`, `failed`, `pending-install`. */
  readonly status: string;
  readonly chart: string;
};

/** Pods of a namespace that should run; those of Jobs that have ended do not count. */
export type NamespaceHealth = {
  readonly name: string;
  readonly pods: number;
  readonly ready: number;
  readonly troubled: readonly {readonly pod: string; readonly status: string}[];
};

/** How a cluster is, at one look. */
export type ClusterHealth = {
  readonly nodes: readonly NodeHealth[];
  readonly releases: readonly ReleaseHealth[];
  readonly namespaces: readonly NamespaceHealth[];
};

const asking = (program: 'kubectl' | 'helm', script: Script): Script =>
  lines(kubeEnvironment, unlessInstalled(program), script);

/** What is asked, for `frame`: nodes, pods, releases. Read-only, one call each. */
export const healthParts: readonly Script[] = [
  asking('kubectl', sh`kubectl get nodes --no-headers --request-timeout=10s`),
  asking('kubectl', sh`kubectl get pods --all-namespaces --no-headers --request-timeout=10s`),
  asking('helm', sh`helm list --all-namespaces --all --output json`),
];

const rowsOf = (table: string): readonly (readonly string[])[] =>
  table
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .filter(([first]) => first !== undefined && first !== '');

/** `sandbox-1   Ready   control-plane,etcd   12d   v1.35.8+rke2r1`; a cordoned one says `Ready,SchedulingDisabled`. */
const nodesOf = (table: string): readonly NodeHealth[] =>
  rowsOf(table).map(([name = '', status = '', , , version = '']) => ({
    name,
    ready: status.split(',').includes('Ready'),
    version,
  }));

const ended = ['Completed', 'Succeeded'];

/** `cattle-system   rancher-7d9…   1/1   Running   0   12d` */
const namespacesOf = (table: string): readonly NamespaceHealth[] => {
  const pods = rowsOf(table)
    .map(([namespace = '', pod = '', counts = '', status = '']) => {
      const [ready, all] = counts.split('/');
      return {namespace, pod, status, ready: status === 'Running' && ready === all};
    })
    .filter(({status}) => !ended.includes(status));
  return [...new Set(pods.map(({namespace}) => namespace))].map(name => {
    const own = pods.filter(({namespace}) => namespace === name);
    return {
      name,
      pods: own.length,
      ready: own.filter(({ready}) => ready).length,
      troubled: own
        .filter(({ready}) => !ready)
        .map(({pod, status}) => ({pod, status: status === 'Running' ? 'not ready yet' : status})),
    };
  });
};

const listed = z.array(z.object({name: z.string(), namespace: z.string(), status: z.string(), chart: z.string()}));

const releasesOf = (text: string): readonly ReleaseHealth[] | undefined => {
  try {
    return listed.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
};

const noCluster = 'there is no cluster on it yet';

/** Reads the outputs of `healthParts`, by their index. The error says why nothing is known. */
export const parseHealth = (outputs: ReadonlyMap<number, PartOutput>): Result<ClusterHealth, string> => {
  const [nodes, pods, releases] = [outputs.get(0), outputs.get(1), outputs.get(2)];
  if (!nodes || !pods || !releases) return err('its answer was cut off');
  if (nodes.stdout.trim() === 'no-cluster') return err(noCluster);
  const failed = [nodes, pods, releases].find(({code}) => code !== 0);
  if (failed) return err(failed.stderr.trim().split('\n').at(-1) || `exit status ${failed.code}`);
  const known = releasesOf(releases.stdout);
  return known
    ? ok({nodes: nodesOf(nodes.stdout), releases: known, namespaces: namespacesOf(pods.stdout)})
    : err('helm does not answer as it should');
};
