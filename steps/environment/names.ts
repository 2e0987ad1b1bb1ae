import {environmentDomain, type ModuleId} from '../../source/deployment/environments.ts';
import type {Deployment, Environment} from '../../source/deployment/schema.ts';

/** Everything that Groundwork makes for an environment carries it. */
export const environmentLabel = 'groundwork.openg2p.org/environment';

export const labelsOf = ({name}: Pick<Environment, 'name'>): Readonly<Record<string, string>> => ({
  'app.kubernetes.io/managed-by': 'groundwork',
  [environmentLabel]: name,
});

/** `environment-qa-gateway`: what the operator retries. */
export const stepId = ({name}: Pick<Environment, 'name'>, part: string): string => `environment-${name}-${part}`;

/** `environment-qa-postgres`: how the vault knows it. */
export const vaultName = ({name}: Pick<Environment, 'name'>, secret: string): string => `environment-${name}-${secret}`;

/**
 * The name that OpenG2P's charts give to the gateway in their VirtualServices when nobody says otherwise. It lies in the
 * environment's namespace.
 */
export const gatewayName = 'internal';

/** The deployment's CA for pods that want to trust it; the name is that of OpenG2P's own installer. */
export const authorityConfigMap = {name: 'openg2p-ca-cert', key: 'ca.crt'} as const;

/**
 * Releases of the shared services. OpenG2P's charts find each other by these: the second one looks for `commons-keycloak`,
 * modules look for `commons-services-iam-staff-portal-api`.
 */
export const commons = {base: 'commons', services: 'commons-services'} as const;

/** Charts of the shared services. */
export const commonsCharts = {base: 'openg2p-commons-base', services: 'openg2p-commons-services'} as const;

export type ModuleChart = {readonly release: string; readonly chart: string; readonly title: string};

/** A module's release and chart. SPAR's and the registry's releases are named in what other modules look for. */
export const moduleCharts: Readonly<Record<ModuleId, ModuleChart>> = {
  registry: {release: 'registry', chart: 'openg2p-registry', title: 'Registry'},
  spar: {release: 'spar', chart: 'openg2p-spar', title: 'SPAR'},
  pbms: {release: 'pbms', chart: 'openg2p-pbms', title: 'PBMS'},
  'g2p-bridge': {release: 'g2p-bridge', chart: 'openg2p-bridge', title: 'G2P Bridge'},
};

export const chartId = (chart: string): string => `chart-${chart}`;

export const keycloakHost = (deployment: Pick<Deployment, 'domain'>, environment: Environment): string =>
  `keycloak.${environmentDomain(deployment, environment)}`;
