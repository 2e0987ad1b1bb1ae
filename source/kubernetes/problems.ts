import type {Container, KubeEvent, Pod} from './pods.ts';
import {conditionOf, type Workload} from './workloads.ts';

export type ProblemKind =
  | 'image' // the image cannot be had
  | 'image-name'
  | 'unschedulable'
  | 'claim' // a volume claim is not bound
  | 'volume' // a volume cannot be mounted
  | 'settings' // a ConfigMap or Secret that the pod reads is missing
  | 'crash'
  | 'memory'
  | 'evicted'
  | 'refused' // the cluster does not let the pod be made: quota, policy
  | 'job';

/** Why something is not ready. */
export type Problem = {
  readonly kind: ProblemKind;
  readonly namespace: string;
  readonly workload: string;
  /** What the cluster says about it, in one line. */
  readonly text: string;
  /** Where the log is that says more. */
  readonly log?: {
    readonly pod: string;
    readonly container: string;
    /** The container runs again, and the log is of the one before. */
    readonly previous: boolean;
  };
  /** Seconds after which it counts as one that does not go away by itself; undefined: it may, however long it takes. */
  readonly patience?: number;
};

/** A registry that is busy or a name that does not resolve at this moment; anything else about an image stays as it is. */
const passing =
  /timeout|timed out|temporar|too ?many ?requests|refused|reset|no such host|server misbehaving|unreachable|EOF|\b50[0-4]\b/i;

/**
 * Seconds. Longer than what usually makes such a thing go away: another pod that ends, a registry that is told of an image,
 * a chart's Job that makes a Secret.
 */
const patienceFor = {imageName: 30, image: 300, unschedulable: 300, claim: 300, settings: 300, refused: 120, memory: 0};

/** Restarts after which a container that runs out of memory is not asked to try again. */
const mostMemoryDeaths = 4;

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();

const capped = (text: string): string => (text.length > 300 ? `${text.slice(0, 300)}…` : text);

const containerProblem = (
  pod: Pod,
  container: Container,
): Pick<Problem, 'kind' | 'text' | 'log' | 'patience'> | undefined => {
  const {waiting, terminated} = container.state;
  const who = container.init ? `init container ${container.name}` : container.name;
  const message = capped(oneLine(waiting?.message ?? ''));
  const log = {pod: pod.name, container: container.name, previous: container.state.running !== undefined};
  const dead = terminated ?? container.last.terminated;
  if (dead?.reason === 'OOMKilled')
    return {
      kind: 'memory',
      text: `${who} was killed because it used more memory than it may, ${container.restarts} restarts`,
      log,
      ...(container.restarts >= mostMemoryDeaths && {patience: patienceFor.memory}),
    };
  switch (waiting?.reason) {
    case 'InvalidImageName':
    case 'ErrImageNeverPull':
      return {kind: 'image-name', text: `image ${container.image}: ${message}`, patience: patienceFor.imageName};
    case 'ErrImagePull':
    case 'ImagePullBackOff':
    case 'RegistryUnavailable':
      return {
        kind: 'image',
        text: `image ${container.image} cannot be pulled: ${message}`,
        ...(!passing.test(message) && {patience: patienceFor.image}),
      };
    case 'CreateContainerConfigError':
      return {kind: 'settings', text: `${who}: ${message}`, patience: patienceFor.settings};
    case 'CrashLoopBackOff':
    case 'RunContainerError':
    case 'CreateContainerError':
    case 'StartError':
      return {kind: 'crash', text: crashText(who, container, dead, message), log};
    default:
      break;
  }
  if (dead && dead.exitCode !== 0 && !container.state.running)
    return {kind: 'crash', text: crashText(who, container, dead, message), log};
  return undefined;
};

const crashText = (
  who: string,
  {restarts}: Container,
  dead: {readonly exitCode?: number; readonly message?: string} | undefined,
  message: string,
): string => {
  if (dead?.exitCode === undefined) return `${who} does not start: ${message}`;
  const last = dead.message ? `: ${capped(oneLine(dead.message))}` : '';
  return `${who} ended with exit status ${dead.exitCode}, ${restarts} restarts${last}`;
};

/** What keeps a pod from being ready; undefined while it is on its way. */
export const problemOf = (pod: Pod, events: readonly KubeEvent[]): Problem | undefined => {
  if (pod.leaving) return undefined;
  const about = {namespace: pod.namespace, workload: pod.owner.name};
  const said = (...reasons: readonly string[]) =>
    events.findLast(
      event =>
        event.namespace === pod.namespace &&
        event.kind === 'Pod' &&
        event.name === pod.name &&
        reasons.includes(event.reason),
    );
  if (pod.phase === 'Failed' && pod.containers.length === 0)
    return {kind: 'evicted', ...about, text: capped(oneLine(`${pod.reason ?? 'failed'}: ${pod.message ?? ''}`))};
  if (pod.scheduled?.status === 'False') {
    const words = capped(oneLine(pod.scheduled.message ?? pod.scheduled.reason ?? 'no node takes it'));
    if (/persistentvolumeclaim|unbound/i.test(words)) {
      const why = events.findLast(
        event =>
          event.namespace === pod.namespace &&
          event.kind === 'PersistentVolumeClaim' &&
          /ProvisioningFailed|FailedBinding/.test(event.reason),
      );
      const patience = /not found/.test(`${words} ${why?.message}`) ? {patience: patienceFor.claim} : {};
      return {
        kind: 'claim',
        ...about,
        text: `not scheduled: ${words}${why ? `; claim ${why.name}: ${capped(oneLine(why.message))}` : ''}`,
        ...patience,
      };
    }
    // A node that has just joined or is being looked after is tainted for a while.
    const stays =
      /Insufficient|didn't match|didn't have free ports/.test(words) && !/not-ready|unreachable/.test(words);
    return {
      kind: 'unschedulable',
      ...about,
      text: `not scheduled: ${words}`,
      ...(stays && {patience: patienceFor.unschedulable}),
    };
  }
  for (const container of pod.containers) {
    const found = containerProblem(pod, container);
    if (found) return {...about, ...found};
  }
  const mount = said('FailedMount', 'FailedAttachVolume');
  const waits = pod.containers.some(({state}) => /ContainerCreating|PodInitializing/.test(state.waiting?.reason ?? ''));
  if (mount && waits) return {kind: 'volume', ...about, text: capped(oneLine(mount.message))};
  return undefined;
};

/** Why the pods of a workload are not even made: the cluster refuses them to their owner. */
export const refusalOf = (workload: Workload, events: readonly KubeEvent[]): Problem | undefined => {
  const {kind, namespace, name, status, spec} = workload;
  const {replicas = 0, readyReplicas = 0, active = 0, succeeded = 0, currentNumberScheduled = 0} = status;
  // An event is told for an hour: it counts only while there is no pod that could be the one.
  const missing =
    (kind === 'StatefulSet' && replicas < (spec.replicas ?? 1) && readyReplicas === replicas) ||
    (kind === 'DaemonSet' && currentNumberScheduled < (status.desiredNumberScheduled ?? 0)) ||
    (kind === 'Job' && active === 0 && succeeded < (spec.completions ?? 1));
  const event = missing
    ? events.findLast(
        found =>
          found.reason === 'FailedCreate' &&
          found.namespace === namespace &&
          found.kind === kind &&
          found.name === name,
      )
    : undefined;
  const message = conditionOf(workload, 'ReplicaFailure')?.message ?? event?.message;
  if (message === undefined) return undefined;
  return {
    kind: 'refused',
    namespace,
    workload: name,
    text: `its pods are refused: ${capped(oneLine(message))}`,
    ...(!/webhook/.test(message) && !passing.test(message) && {patience: patienceFor.refused}),
  };
};

/** What a pod that is on its way does just now. */
export const doingOf = (pod: Pod, events: readonly KubeEvent[]): string => {
  if (pod.leaving) return 'an old pod is going';
  const container = pod.containers.find(({state}) => !state.terminated);
  const last = events.findLast(event => event.kind === 'Pod' && event.name === pod.name);
  if (last?.reason === 'Pulling')
    return oneLine(last.message)
      .replace(/^Pulling/, 'pulling')
      .replaceAll('"', '');
  if (!container) return pod.phase.toLowerCase();
  const waiting = container.state.waiting?.reason;
  if (waiting === 'PodInitializing') return 'waiting for its init containers';
  if (waiting === 'ContainerCreating') return 'container is being made';
  if (container.init) return `init container ${container.name} runs`;
  return container.state.running ? `${container.name} runs and is not ready yet` : (waiting ?? 'starting');
};
