import type {Deployment, Environment, HostSpec} from '../deployment/schema.ts';
import type {Purge} from '../engine/removal.ts';
import type {Step} from '../engine/step.ts';

/** Nominal size of a machine: GB as vendors count them, GiB for memory. */
export type Size = {readonly cpus: number; readonly memoryGb: number; readonly diskGb: number};

export type Role = {
  /** What steps name in `role`, and hosts carry in `roles`. */
  readonly id: string;
  readonly title: string;
  readonly purpose: string;
};

/** A kind of machine of a topology: the roles that it plays, how many there are, how large each is. */
export type Machine = {
  readonly id: string;
  readonly title: string;
  readonly count: {readonly min: number; readonly max: number};
  readonly nominal: Size;
  /** What preflight insists on, with the slack that real machines need (a 64 GB machine shows 62.8 GiB). */
  readonly least: Size;
  /** A volume beside the system's disk, for copies. GB as vendors count them; less than `least` is warned of. */
  readonly volumeGb?: {readonly nominal: number; readonly least: number};
  readonly roles: readonly string[];
};

export type Topology = {
  readonly id: string;
  readonly title: string;
  readonly purpose: string;
  readonly machines: readonly Machine[];
  /** Lines of at most 76 columns, ASCII only, drawn for the operator. */
  readonly drawing: readonly string[];
};

/** A product that can be installed. */
export type Blueprint = {
  readonly id: string;
  readonly title: string;
  readonly purpose: string;
  readonly topologies: readonly Topology[];
  readonly roles: readonly Role[];
  /** In the order that the operator sees; `after` decides what waits for what. */
  readonly steps: readonly Step[];
  /** The steps that an environment has of its own, so that each is seen, retried and skipped by itself. */
  readonly environmentSteps?: (environment: Environment) => readonly Step[];
  /** The steps that take an environment away, with its data or without. */
  readonly environmentRemoval?: (environment: Environment, purge: Purge) => readonly Step[];
  /** A new deployment with everything at its default. */
  readonly defaults: (name: string, topology: string) => Deployment;
};

/**
 * Every step that a deployment has: the blueprint's, then those of its environments. Steps know each other by identity,
 * so whoever works with them asks once.
 */
export const stepsOf = (
  blueprint: Pick<Blueprint, 'steps' | 'environmentSteps'>,
  {environments}: Pick<Deployment, 'environments'>,
): readonly Step[] => [
  ...blueprint.steps,
  ...environments.flatMap(environment => blueprint.environmentSteps?.(environment) ?? []),
];

export const playsRole = (host: HostSpec, role: string): boolean => host.roles.includes(role);

/** The kind of machine that a host is to be: the one with exactly its roles. */
export const machineOf = (
  {machines}: Pick<Topology, 'machines'>,
  {roles}: Pick<HostSpec, 'roles'>,
): Machine | undefined =>
  machines.find(
    machine => machine.roles.length === new Set(roles).size && machine.roles.every(role => roles.includes(role)),
  );
