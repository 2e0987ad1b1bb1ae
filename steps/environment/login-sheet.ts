import {hostnameOf, modulesInOrder, type ServiceName} from '../../source/deployment/environments.ts';
import type {Deployment, Environment} from '../../source/deployment/schema.ts';
import type {HandoverFile} from '../../source/engine/step.ts';
import {keycloakHost} from './names.ts';
import {keycloakPassword, staffPassword} from './passwords.ts';

export type Address = {readonly title: string; readonly url: string};

/** Where the people who use an environment begin. */
export const addressesOf = (deployment: Deployment, environment: Environment): readonly Address[] => {
  const at = (title: string, service: ServiceName): Address => ({
    title,
    url: `https://${hostnameOf(deployment, environment, service)}`,
  });
  const modules = modulesInOrder(environment);
  return [
    at('Staff portal', 'staffPortal'),
    {title: 'Keycloak', url: `https://${keycloakHost(deployment, environment)}`},
    at('Superset', 'superset'),
    at('ODK', 'odk'),
    at('MinIO', 'minio'),
    at('Kafka', 'kafka'),
    ...(modules.includes('registry') ? [at('Registry', 'registry')] : []),
    ...(modules.includes('pbms') ? [at('PBMS', 'pbms')] : []),
  ];
};

/** Addresses and first passwords of an environment, for the one who hands it over to its users. */
export const loginSheet = (
  deployment: Deployment,
  environment: Environment,
  secret: (name: string) => string,
): HandoverFile => {
  const addresses = addressesOf(deployment, environment);
  const width = Math.max(...addresses.map(({title}) => title.length));
  return {
    path: `environments/${environment.name}.txt`,
    title: `Addresses and first logins of ${environment.name}`,
    secret: true,
    content: [
      `Environment ${environment.name}`,
      '',
      ...addresses.map(({title, url}) => `${title.padEnd(width)}  ${url}`),
      '',
      `Staff, to be changed at the first login:  admin / ${secret(staffPassword(environment))}`,
      `Administration of Keycloak:               admin / ${secret(keycloakPassword(environment))}`,
      '',
    ].join('\n'),
  };
};
