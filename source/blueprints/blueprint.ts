import type {Deployment, HostSpec} from '../deployment/schema.ts';
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
  /** A new deployment with everything at its default. */
  readonly defaults: (name: string, topology: string) => Deployment;
};

export const playsRole = (host: HostSpec, role: string): boolean => host.roles.includes(role);
