import {loggingSizes as logging} from '../../steps/logging/sizes.ts';
import {monitoringSizes as monitoring} from '../../steps/monitoring/sizes.ts';
import {type ModuleId, modulesInOrder} from '../deployment/environments.ts';
import type {Deployment, Environment, Kubernetes} from '../deployment/schema.ts';
import type {Size} from './blueprint.ts';

/** A part of an installation with what it takes of a machine: GB as vendors count them, GiB for memory. */
export type Part = {readonly id: string; readonly title: string; readonly size: Size};

const size = (cpus: number, memoryGb: number, diskGb: number): Size => ({cpus, memoryGb, diskGb});

/**
 * What the parts take, for an operator who decides what to leave out; not limits, and nothing is refused because of
 * them. From OpenG2P's own measurements on idle machines (operations/deployment, report on storage and memory of 2026):
 *
 * - a machine with the ground alone uses 0.5 GiB and 2 GB, and its system wants 25 GB over the years;
 * - with RKE2, Istio, Rancher, monitoring and logging it uses 5.7 GiB and 15 GB; with the common services of one
 *   environment 17 GiB and 42 GB.
 *
 * Each is divided by what the images of its parts weigh there, and rounded up, because machines are not idle. RKE2 itself
 * wants 2 CPUs and 4 GB (docs.rke2.io, requirements). Modules were not measured: each is an Odoo or a few services with
 * PostgreSQL, of which the common services show what such a thing takes.
 */
const sizes = {
  ground: size(1, 1, 27),
  kubernetes: size(2, 4, 10),
  rancher: size(1, 2, 2),
  commons: size(2, 11, 27),
} as const satisfies Readonly<Record<string, Size>>;

type PlatformSize = Kubernetes['monitoring']['size'];

/**
 * Half of the volume that Prometheus gets: it is full only when there is more to measure than usual. Beside Prometheus run
 * Grafana, Alertmanager and the operator, which take a gigabyte together.
 */
export const monitoringSizes: Readonly<Record<PlatformSize, Size>> = {
  small: size(1, 2, monitoring.small.diskGb / 2),
  medium: size(2, 3, monitoring.medium.diskGb / 2),
  large: size(3, 5, monitoring.large.diskGb / 2),
};

/** A quarter of the volume: OpenG2P's storage calculator has 1 to 9 GB for the lines of a week. */
export const loggingSizes: Readonly<Record<PlatformSize, Size>> = {
  small: size(1, 1, Math.round(logging.small.storeGb / 4)),
  medium: size(2, 2, Math.round(logging.medium.storeGb / 4)),
  large: size(2, 3, Math.round(logging.large.storeGb / 4)),
};

export const moduleSizes: Readonly<Record<ModuleId, Size>> = {
  registry: size(1, 2, 4),
  spar: size(0.5, 1, 2),
  pbms: size(1, 2, 4),
  'g2p-bridge': size(0.5, 1, 2),
};

export const moduleTitles: Readonly<Record<ModuleId, string>> = {
  registry: 'Registry',
  spar: 'SPAR',
  pbms: 'PBMS',
  'g2p-bridge': 'G2P Bridge',
};

export const partSizes: Readonly<Record<keyof typeof sizes, Size>> = sizes;

export const sumOf = (parts: readonly Size[]): Size =>
  parts.reduce(
    (sum, each) => size(sum.cpus + each.cpus, sum.memoryGb + each.memoryGb, sum.diskGb + each.diskGb),
    size(0, 0, 0),
  );

/** An environment with the services that all its modules share. */
export const environmentSize = (environment: Pick<Environment, 'modules'>): Size =>
  sumOf([sizes.commons, ...modulesInOrder(environment).map(id => moduleSizes[id])]);

/** All that a deployment installs, with what each part takes. Of the platform's parts only those that were chosen. */
export const partsOf = ({
  components,
  environments,
}: Pick<Deployment, 'components' | 'environments'>): readonly Part[] => {
  const {kubernetes} = components;
  if (!kubernetes) return [{id: 'ground', title: 'Ground', size: sizes.ground}];
  const {rancher} = kubernetes;
  return [
    {id: 'ground', title: 'Ground', size: sizes.ground},
    {id: 'kubernetes', title: 'Kubernetes', size: sizes.kubernetes},
    ...(rancher.enabled ? [{id: 'rancher', title: 'Rancher', size: sizes.rancher}] : []),
    ...(kubernetes.monitoring.enabled
      ? [{id: 'monitoring', title: 'Monitoring', size: monitoringSizes[kubernetes.monitoring.size]}]
      : []),
    ...(kubernetes.logging.enabled
      ? [{id: 'logging', title: 'Logging', size: loggingSizes[kubernetes.logging.size]}]
      : []),
    ...environments.map(environment => ({
      id: `environment-${environment.name}`,
      title: `Environment ${environment.name}`,
      size: environmentSize(environment),
    })),
  ];
};
