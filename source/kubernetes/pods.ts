import {type Script, sh} from '../shell/script.ts';
import type {Condition} from './workloads.ts';

type Waiting = {readonly reason?: string; readonly message?: string};
type Terminated = {readonly reason?: string; readonly exitCode?: number; readonly message?: string};

type ContainerPhase = {
  readonly waiting?: Waiting;
  readonly running?: {readonly startedAt?: string};
  readonly terminated?: Terminated;
};

/** A container that is not ready. */
export type Container = {
  readonly name: string;
  /** Runs to its end before the others start. */
  readonly init: boolean;
  readonly image: string;
  readonly restarts: number;
  readonly state: ContainerPhase;
  readonly last: ContainerPhase;
};

/** A pod of which something is not as it should be. */
export type Pod = {
  readonly namespace: string;
  readonly name: string;
  /** What made it, as people know it: the Deployment rather than its ReplicaSet. */
  readonly owner: {readonly kind: string; readonly name: string};
  readonly phase: string;
  /** Why the pod as a whole is where it is: `Evicted`. */
  readonly reason?: string;
  readonly message?: string;
  readonly leaving: boolean;
  readonly scheduled?: Condition;
  /** Those that are not ready. */
  readonly containers: readonly Container[];
};

/** What the cluster says happened to an object. */
export type KubeEvent = {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  readonly reason: string;
  readonly message: string;
};

const tab = '{"\\t"}';
const podFields = [
  '.metadata.namespace',
  '.metadata.name',
  '.metadata.ownerReferences[0].kind',
  '.metadata.ownerReferences[0].name',
  '.metadata.labels.pod-template-hash',
  '.metadata.deletionTimestamp',
  '.status.phase',
  '.status.reason',
  '.status.message',
  '.status.conditions[?(@.type=="PodScheduled")]',
];
const containerFields = ['.name', '.image', '.restartCount', '.state', '.lastState'];

const containersOf = (list: string, mark: string): string =>
  `{range .status.${list}[?(@.ready==false)]}${tab}${mark}${containerFields.map(field => `${tab}{${field}}`).join('')}{end}`;

const podTemplate = `{range .items[*]}pod${podFields.map(field => `${tab}{${field}}`).join('')}${containersOf('initContainerStatuses', 'init')}${containersOf('containerStatuses', 'main')}{"\\n"}{end}`;

const eventTemplate = `{range .items[*]}event${[
  '.involvedObject.namespace',
  '.involvedObject.kind',
  '.involvedObject.name',
  '.type',
  '.reason',
  '.message',
]
  .map(field => `${tab}{${field}}`)
  .join('')}{"\\n"}{end}`;

/** Fields of a pod's line when nothing is wrong with it. */
const calmFields = podFields.length + 1;

/**
 * Prints the pods of the namespaces that standard input names of which something is not ready, and what happened there
 * lately, as lines with tabs. Pods that run and those that have done their work stay on the host, and so does what nobody
 * asks for among the events.
 */
export const podsOfNamespaces: Script = sh`while read -r namespace; do
  kubectl --request-timeout=20s get pods --namespace="$namespace" ${`--output=jsonpath=${podTemplate}`} </dev/null |
    awk -F '\t' ${`NF > ${calmFields} || ($8 != "Running" && $8 != "Succeeded")`}
  kubectl --request-timeout=20s get events --namespace="$namespace" --sort-by=.lastTimestamp ${`--output=jsonpath=${eventTemplate}`} </dev/null |
    awk -F '\t' '$1 == "event" && ($5 == "Warning" || $6 == "Pulling" || $6 == "Pulled")' | tail -n 100
done`;

const jsonOf = (text: string | undefined): unknown => {
  if (!text) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const ownerOf = (kind: string, name: string, hash: string, pod: string): Pod['owner'] => {
  if (kind === '') return {kind: 'Pod', name: pod};
  if (kind === 'ReplicaSet' && hash !== '' && name.endsWith(`-${hash}`))
    return {kind: 'Deployment', name: name.slice(0, -hash.length - 1)};
  return {kind, name};
};

const readContainers = (fields: readonly string[]): readonly Container[] => {
  const width = containerFields.length + 1;
  return Array.from({length: Math.floor(fields.length / width)}, (_, index) => {
    const [mark, name = '', image = '', restarts, state, last] = fields.slice(index * width, (index + 1) * width);
    return {
      name,
      init: mark === 'init',
      image,
      restarts: Number(restarts) || 0,
      state: (jsonOf(state) ?? {}) as ContainerPhase,
      last: (jsonOf(last) ?? {}) as ContainerPhase,
    };
  });
};

export const readPods = (text: string): readonly Pod[] =>
  text.split('\n').flatMap((line): Pod[] => {
    const [mark, ...rest] = line.split('\t');
    if (mark !== 'pod' || rest.length < podFields.length) return [];
    const [
      namespace = '',
      name = '',
      kind = '',
      owner = '',
      hash = '',
      deleted,
      phase = '',
      reason,
      message,
      condition,
    ] = rest;
    const scheduled = jsonOf(condition) as Condition | undefined;
    return [
      {
        namespace,
        name,
        owner: ownerOf(kind, owner, hash, name),
        phase,
        leaving: deleted !== '',
        ...(reason && {reason}),
        ...(message && {message}),
        ...(scheduled && {scheduled}),
        containers: readContainers(rest.slice(podFields.length)),
      },
    ];
  });

/** The events in what was printed, the oldest first. */
export const readEvents = (text: string): readonly KubeEvent[] =>
  text.split('\n').flatMap((line): KubeEvent[] => {
    const [mark, namespace = '', kind = '', name = '', , reason = '', ...message] = line.split('\t');
    return mark === 'event' ? [{namespace, kind, name, reason, message: message.join(' ')}] : [];
  });
