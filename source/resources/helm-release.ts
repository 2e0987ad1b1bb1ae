import type {ObjectRef} from '../kubernetes/objects.ts';
import {ok} from '../result.ts';
import {nothing} from '../shell/script.ts';
import {type Resource, resource, script} from './resource.ts';

/** A verified chart on the host. */
export type ChartRef = {
  /** Absolute path of the .tgz. */
  readonly path: string;
  readonly version: string;
  /** sha256 of the file, where one version is published more than once (`0.0.0-develop`). */
  readonly sha256?: string;
};

/** Which Jobs of a chart's hooks. A Job must match everything that is given. */
export type HookMatcher = {
  /** Part of the Job's name. */
  readonly name?: string;
  /** Part of an image: `mosipid/postgres-init`. */
  readonly image?: string;
};

export type HelmRelease = {
  readonly name: string;
  readonly namespace: string;
  readonly chart: ChartRef;
  readonly values: object;
  /** Texts among the values that must never be shown. */
  readonly secretValues?: readonly string[];
  /** Default false: the namespace is there. */
  readonly createNamespace?: boolean;
  /** For the hooks, and again for the workloads to become ready. Default 900. */
  readonly timeoutSeconds?: number;
  /** Workloads that the chart does not hold and that an operator makes of it. */
  readonly alsoReady?: readonly ObjectRef[];
  /** Hook Jobs that run as ordinary Jobs beside everything else instead of one after the other while helm waits. */
  readonly hooksAsJobs?: readonly HookMatcher[];
};

/** A Helm release with exactly these values and this chart, whose workloads are ready. */
export const helmRelease = ({name, namespace}: HelmRelease): Resource =>
  resource({
    id: `release ${namespace}/${name}`,
    doing: `installing ${name}`,
    probe: nothing,
    read: () => ok(undefined),
    diff: () => [],
    apply: () => script(nothing),
  });

export type HelmAbsent = {
  readonly name: string;
  readonly namespace: string;
  /** Also delete the volume claims of the release, and with them the data. Default false: they stay. */
  readonly purge?: boolean;
  /** Default 300. */
  readonly timeoutSeconds?: number;
};

/** No release of this name. */
export const helmAbsent = ({name, namespace}: HelmAbsent): Resource =>
  resource({
    id: `no release ${namespace}/${name}`,
    doing: `removing ${name}`,
    probe: nothing,
    read: () => ok(undefined),
    diff: () => [],
    apply: () => script(nothing),
  });
