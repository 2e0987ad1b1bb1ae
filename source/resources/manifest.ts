import type {KubeObject, ObjectRef} from '../kubernetes/objects.ts';
import {ok} from '../result.ts';
import {nothing} from '../shell/script.ts';
import {type Resource, resource, script} from './resource.ts';

/** A condition in the status of an object: `{kind: 'crd', name: 'x', condition: 'Established'}`. */
export type ObjectCondition = ObjectRef & {readonly condition: string};

export type Manifest = {
  /** Unique on the cluster: `istio gateway`. */
  readonly id: string;
  readonly objects: readonly KubeObject[];
  /** Conditions that must be true afterwards, and are part of the state: a false one is a change. */
  readonly waitFor?: readonly ObjectCondition[];
  /** Also wait until the Deployments, StatefulSets, DaemonSets, Jobs and claims among the objects are ready. Default false. */
  readonly ready?: boolean;
  /** For all waiting together: kinds that are not served yet, conditions, readiness. Default 300. */
  readonly timeoutSeconds?: number;
};

/** Objects of Kubernetes as they should be. */
export const manifest = ({id}: Manifest): Resource =>
  resource({
    id: `manifest ${id}`,
    doing: `applying ${id}`,
    probe: nothing,
    read: () => ok(undefined),
    diff: () => [],
    apply: () => script(nothing),
  });

/** No such objects: they are deleted, with what they own. A kind that the cluster does not have counts as absent. */
export const manifestAbsent = ({id}: {readonly id: string; readonly objects: readonly ObjectRef[]}): Resource =>
  manifest({id, objects: []});
