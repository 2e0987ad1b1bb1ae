import {
  environmentDomain,
  hostnameOf,
  type ModuleId,
  modulesInOrder,
  type ServiceName,
  strayHostnames,
} from '../../source/deployment/environments.ts';
import type {Deployment, Environment} from '../../source/deployment/schema.ts';
import {keycloakHost} from '../environment/names.ts';
import {hasKubernetes, kubernetesOf} from './deployment.ts';
import {grafanaName, rancherName} from './platform.ts';

/** Names of the platform that people work with: none while the ground alone is laid. */
export const platformNames = (deployment: Deployment): readonly string[] => {
  if (!hasKubernetes(deployment)) return [];
  const {rancher, monitoring} = kubernetesOf(deployment);
  return [
    ...(rancher.enabled ? [rancherName(deployment)] : []),
    ...(monitoring.enabled ? [grafanaName(deployment)] : []),
  ];
};

/** Services that all environments have. */
const commonServices: readonly ServiceName[] = [
  'kafka',
  'minio',
  'superset',
  'odk',
  'iam',
  'staffPortal',
  'staffPortalApi',
];

/** What a module is found at: a service whose name can be another one, and names that its chart takes below the domain. */
const moduleNames: Readonly<Record<ModuleId, readonly [ServiceName, ...string[]]>> = {
  registry: ['registry', 'minio-api', 'idgenerator-registry', 'awe'],
  spar: ['spar', 'spar-beneficiary'],
  pbms: ['pbms', 'pbms-tasks'],
  'g2p-bridge': ['g2pBridge', 'g2p-bridge-bene-portal', 'example-bank'],
};

/** Names of an environment that clients ask for, as the values of its charts say (steps/environment/values.ts). */
export const environmentClientNames = (deployment: Deployment, environment: Environment): readonly string[] => {
  const domain = environmentDomain(deployment, environment);
  return [
    ...new Set([
      keycloakHost(deployment, environment),
      ...commonServices.map(service => hostnameOf(deployment, environment, service)),
      ...modulesInOrder(environment).flatMap(id => {
        const [service, ...more] = moduleNames[id];
        return [hostnameOf(deployment, environment, service), ...more.map(name => `${name}.${domain}`)];
      }),
      ...strayHostnames(deployment, environment),
    ]),
  ];
};

/** Every name that a certificate must cover. */
export const clientNames = (deployment: Deployment): readonly string[] => [
  ...new Set([
    ...platformNames(deployment),
    ...deployment.environments.flatMap(each => environmentClientNames(deployment, each)),
  ]),
];
