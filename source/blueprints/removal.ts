import type {Deployment} from '../deployment/schema.ts';
import {type Purge, type RemovalScope, removalSteps} from '../engine/removal.ts';
import type {Step} from '../engine/step.ts';
import {type Blueprint, stepsOf} from './blueprint.ts';

/** What an operator wants to be taken away. */
export type RemovalRequest =
  | {readonly scope: 'environment'; readonly environment: string; readonly purge: Purge}
  | {
      readonly scope: RemovalScope;
      readonly purge: Purge;
      /** Only on these hosts, by name; absent: on all. For when one of them is gone for good. */
      readonly hosts?: readonly string[];
    };

/** In words, after "removes": `the platform`. */
export const removedName = (request: RemovalRequest): string => {
  switch (request.scope) {
    case 'environment':
      return `environment ${request.environment}`;
    case 'platform':
      return 'the platform';
    case 'hosts':
      return 'everything on the hosts';
  }
};

/** What the operator types before it is begun. */
export const removalWord = (request: RemovalRequest, deployment: Pick<Deployment, 'name'>): string =>
  request.scope === 'environment' ? request.environment : deployment.name;

/** And this, before backups are erased: nothing brings the data back after that. */
export const backupsPhrase = ({name}: Pick<Deployment, 'name'>): string => `erase the backups of ${name}`;

/** The steps that do it. An environment that is not in the deployment has none. */
export const stepsRemoving = (
  blueprint: Blueprint,
  deployment: Deployment,
  request: RemovalRequest,
): readonly Step[] => {
  if (request.scope !== 'environment') return removalSteps(stepsOf(blueprint, deployment), request);
  const environment = deployment.environments.find(({name}) => name === request.environment);
  return environment ? (blueprint.environmentRemoval?.(environment, request.purge) ?? []) : [];
};

/** The hosts that it concerns. */
export const hostsOf = (request: RemovalRequest, {hosts}: Pick<Deployment, 'hosts'>): Deployment['hosts'] => {
  const only = request.scope === 'environment' ? undefined : request.hosts;
  return only === undefined ? hosts : hosts.filter(({name}) => only.includes(name));
};
