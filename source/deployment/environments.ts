import type {Deployment, Environment} from './schema.ts';

/** Modules of OpenG2P that an environment may have beside the services that all of them share. */
export const moduleIds = ['registry', 'spar', 'pbms', 'g2p-bridge'] as const;

export type ModuleId = (typeof moduleIds)[number];

/**
 * What a module takes from another one of the same environment: PBMS reads the registry's database, and the bridge asks
 * SPAR's mapper where to pay (their charts name each other's releases and Secrets).
 */
export const moduleNeeds: Readonly<Record<ModuleId, readonly ModuleId[]>> = {
  registry: [],
  spar: [],
  pbms: ['registry'],
  'g2p-bridge': ['spar'],
};

/** Where an environment's databases can be: on the storage host's PostgreSQL, or on a server of its own in its namespace. */
export const databasePlaces = ['storage-host', 'in-cluster'] as const;

export type DatabasePlace = (typeof databasePlaces)[number];

export const databasePlaceOf = (
  {components}: Pick<Deployment, 'components'>,
  {database}: Pick<Environment, 'database'>,
): DatabasePlace => database ?? (components.postgresql === undefined ? 'in-cluster' : 'storage-host');

/** Services of an environment whose host name can be another one, with the name below the environment's domain that they have otherwise. */
export const defaultHostnames = {
  kafka: 'kafka',
  minio: 'minio',
  superset: 'superset',
  odk: 'odk',
  iam: 'iam',
  staffPortal: 'staff-portal',
  staffPortalApi: 'staff-iam',
  registry: 'registry',
  spar: 'spar',
  pbms: 'pbms',
  g2pBridge: 'g2p-bridge',
} as const;

export type ServiceName = keyof typeof defaultHostnames;

export const serviceNames = Object.keys(defaultHostnames) as readonly ServiceName[];

/** An environment's own domain, or its name below the deployment's. */
export const environmentDomain = ({domain}: Pick<Deployment, 'domain'>, environment: Environment): string =>
  environment.domain ?? `${environment.name}.${domain}`;

export const hostnameOf = (
  deployment: Pick<Deployment, 'domain'>,
  environment: Environment,
  service: ServiceName,
): string =>
  environment.hostnames[service] ?? `${defaultHostnames[service]}.${environmentDomain(deployment, environment)}`;

/** Names of an environment's services that its own wildcard does not stand for. */
export const strayHostnames = (deployment: Pick<Deployment, 'domain'>, environment: Environment): readonly string[] => {
  const domain = environmentDomain(deployment, environment);
  return [...new Set(Object.values(environment.hostnames).filter(name => name !== undefined))].filter(
    name => name !== domain && !isDirectlyBelow(name, domain),
  );
};

/** Whether the wildcard of a domain stands for a name: one label more and no dot in it. */
export const isDirectlyBelow = (name: string, domain: string): boolean => {
  const [, ...rest] = name.split('.');
  return rest.join('.') === domain;
};

/** Modules in the order in which they are installed: each after those that it needs. */
export const modulesInOrder = ({modules}: Pick<Environment, 'modules'>): readonly ModuleId[] =>
  moduleIds.filter(id => modules.includes(id));
