import {nothing, type Script, sh} from '../shell/script.ts';
import {listOf} from './objects.ts';

/** Kinds of which it can be said whether they are ready, as kubectl takes them. */
export const workloadKinds =
  'deployments.apps,statefulsets.apps,daemonsets.apps,jobs.batch,persistentvolumeclaims' as const;

export type WorkloadKind = 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'Job' | 'PersistentVolumeClaim';

const kinds: readonly string[] = ['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'PersistentVolumeClaim'];

export const isWorkload = (kind: string): kind is WorkloadKind => kinds.includes(kind);

export type Condition = {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
};

/** What of a workload's object decides whether it is ready. */
export type Workload = {
  readonly kind: WorkloadKind;
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
  readonly spec: {
    /** Undefined: the server's default, 1. */
    readonly replicas?: number;
    readonly completions?: number;
    readonly suspend?: boolean;
    /** `RollingUpdate` or `OnDelete`. */
    readonly strategy?: string;
    readonly partition?: number;
    /** Of a claim: somebody makes its volume, or the class waits for the first pod that uses it. */
    readonly provisioned?: boolean;
  };
  readonly status: {
    readonly observedGeneration?: number;
    readonly replicas?: number;
    readonly currentNumberScheduled?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
    readonly availableReplicas?: number;
    readonly desiredNumberScheduled?: number;
    readonly updatedNumberScheduled?: number;
    readonly numberReady?: number;
    readonly active?: number;
    readonly succeeded?: number;
    readonly failed?: number;
    readonly phase?: string;
    readonly conditions?: readonly Condition[];
  };
  /** The Helm release that it belongs to, as `namespace/name`. */
  readonly release?: string;
  /** Made by a hook of a chart. */
  readonly hook?: boolean;
  /** Of which release it says itself that it is part, by the usual label. */
  readonly instance?: string;
};

export type WorkloadState = {
  readonly ready: boolean;
  /** `1/3`, `done`, `bound`: what a person would ask first. */
  readonly progress: string;
  /** Why it can never become ready. */
  readonly failed?: string;
};

export const conditionOf = (workload: Workload, type: string): Condition | undefined =>
  workload.status.conditions?.find(condition => condition.type === type && condition.status === 'True');

/**
 * Whether a workload is ready: what its controller reports is about the present object, and all that is wanted is there in
 * the present version. Nothing wanted (scaled to zero, no node for a DaemonSet, a suspended Job) is ready.
 */
export const stateOf = (workload: Workload): WorkloadState => {
  const {kind, generation, spec, status} = workload;
  const seen = (status.observedGeneration ?? 0) >= generation;
  const counted = (have: number, updated: number, wanted: number, left: number): WorkloadState => ({
    ready: seen && have >= wanted && updated >= wanted && left <= wanted,
    progress: `${Math.min(have, updated)}/${wanted}`,
  });
  switch (kind) {
    case 'Deployment': {
      const wanted = spec.replicas ?? 1;
      return counted(status.availableReplicas ?? 0, status.updatedReplicas ?? 0, wanted, status.replicas ?? 0);
    }
    case 'StatefulSet': {
      const wanted = spec.replicas ?? 1;
      // With OnDelete nobody but the operator brings the new version; below the partition the old one stays on purpose.
      const updated = spec.strategy === 'OnDelete' ? wanted : (status.updatedReplicas ?? 0) + (spec.partition ?? 0);
      return counted(status.readyReplicas ?? 0, updated, wanted, status.replicas ?? 0);
    }
    case 'DaemonSet': {
      const wanted = status.desiredNumberScheduled ?? 0;
      const updated = spec.strategy === 'OnDelete' ? wanted : (status.updatedNumberScheduled ?? 0);
      return counted(status.numberReady ?? 0, updated, wanted, 0);
    }
    case 'Job': {
      const failed = conditionOf(workload, 'Failed');
      const done = conditionOf(workload, 'Complete') !== undefined;
      if (failed)
        return {ready: false, progress: 'failed', failed: failed.message ?? failed.reason ?? 'the Job has failed'};
      if (done || spec.suspend === true) return {ready: true, progress: done ? 'done' : 'suspended'};
      return {ready: false, progress: `${status.succeeded ?? 0}/${spec.completions ?? 1}`};
    }
    case 'PersistentVolumeClaim':
      if (status.phase === 'Lost') return {ready: false, progress: 'lost', failed: 'its volume is gone'};
      // A claim that nobody provisions waits for its first pod; if that lacks a volume, the pod's owner is not ready.
      return {
        ready: status.phase === 'Bound' || spec.provisioned !== true,
        progress: (status.phase ?? 'Pending').toLowerCase(),
      };
  }
};

const tab = '{"\\t"}';

const fields = [
  '.kind',
  '.metadata.namespace',
  '.metadata.name',
  '.metadata.generation',
  '.metadata.annotations.meta\\.helm\\.sh/release-name',
  '.metadata.annotations.meta\\.helm\\.sh/release-namespace',
  '.metadata.annotations.helm\\.sh/hook',
  '.metadata.labels.app\\.kubernetes\\.io/instance',
  '.spec.replicas',
  '.spec.completions',
  '.spec.suspend',
  '.spec.updateStrategy.type',
  '.spec.updateStrategy.rollingUpdate.partition',
  '.metadata.annotations.volume\\.kubernetes\\.io/storage-provisioner',
  '.metadata.annotations.volume\\.beta\\.kubernetes\\.io/storage-provisioner',
  '.status',
];

/** For `kubectl get -o jsonpath=`: a line for each workload, some 400 bytes instead of the 5000 of its whole object. */
export const workloadTemplate = `{range .items[*]}workload${tab}${fields.map(field => `{${field}}`).join(tab)}{"\\n"}{end}`;

const numberOf = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** The workloads in what kubectl printed by the template; other lines are left. */
export const readWorkloads = (text: string): readonly Workload[] =>
  text.split('\n').flatMap((line): Workload[] => {
    const [mark, ...rest] = line.split('\t');
    const [kind = '', namespace = '', name = '', generation, release, releaseNamespace, hook, instance] = rest;
    const [replicas, completions, suspend, strategy, partition, provisioner, older, status = ''] = rest.slice(8);
    if (mark !== 'workload' || !isWorkload(kind) || rest.length < fields.length) return [];
    const counts = {
      replicas: numberOf(replicas),
      completions: numberOf(completions),
      partition: numberOf(partition),
    };
    return [
      {
        kind,
        namespace,
        name,
        generation: numberOf(generation) ?? 0,
        spec: {
          ...(counts.replicas !== undefined && {replicas: counts.replicas}),
          ...(counts.completions !== undefined && {completions: counts.completions}),
          ...(counts.partition !== undefined && {partition: counts.partition}),
          ...(suspend === 'true' && {suspend: true}),
          ...(strategy && {strategy}),
          ...((provisioner || older) && {provisioned: true}),
        },
        status: (jsonOf(status) ?? {}) as Workload['status'],
        ...(release && {release: `${releaseNamespace}/${release}`}),
        ...(hook && {hook: true}),
        ...(instance && {instance}),
      },
    ];
  });

/** Prints the Jobs of a namespace. */
export const jobsIn = (namespace: string): Script =>
  sh`kubectl --request-timeout=20s get jobs.batch --namespace=${namespace} ${`--output=jsonpath=${workloadTemplate}`}`;

/** Prints the workloads that helm made for a release, in whatever namespace they are. */
export const workloadsOfRelease = (name: string): Script => {
  const ofRelease = `.items[?(@.metadata.annotations.meta\\.helm\\.sh/release-name==${JSON.stringify(name)})]`;
  const template = workloadTemplate.replace('.items[*]', () => ofRelease);
  return sh`kubectl --request-timeout=20s get ${workloadKinds} --all-namespaces --selector=app.kubernetes.io/managed-by=Helm ${`--output=jsonpath=${template}`}`;
};

/** A workload by its name. */
export type WorkloadRef = {
  readonly kind: 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'Job';
  readonly name: string;
  readonly namespace: string;
};

/** Prints these workloads, as far as they are there. */
export const workloadsByName = (workloads: readonly WorkloadRef[]): Script => {
  if (workloads.length === 0) return nothing;
  const objects = workloads.map(({kind, name, namespace}) => ({
    apiVersion: kind === 'Job' ? 'batch/v1' : 'apps/v1',
    kind,
    metadata: {name, namespace},
  }));
  return sh`printf '%s\n' ${listOf(objects)} | kubectl --request-timeout=20s get --filename=- --ignore-not-found ${`--output=jsonpath=${workloadTemplate}`}`;
};

/** Those that nobody has made yet, as workloads of which nothing is there. */
export const missingOf = (wanted: readonly WorkloadRef[], found: readonly Workload[]): readonly Workload[] =>
  wanted
    .filter(
      ({kind, name, namespace}) =>
        !found.some(other => other.kind === kind && other.name === name && other.namespace === namespace),
    )
    // Of a DaemonSet nothing is wanted before it is there, so that it would count as ready: stand for it by another kind.
    .map(({kind, name, namespace}) => ({
      kind: kind === 'DaemonSet' ? 'Deployment' : kind,
      name,
      namespace,
      generation: 1,
      spec: {},
      status: {},
    }));
