import {databasePlaceOf} from '../../source/deployment/environments.ts';
import type {Deployment, Environment} from '../../source/deployment/schema.ts';
import type {SecretSpec} from '../../source/engine/step.ts';
import type {KubeObject} from '../../source/kubernetes/objects.ts';
import {superuserSecret} from '../postgresql/version.ts';
import {newPassword} from '../shared/password.ts';
import {opaqueSecret} from '../shared/platform.ts';
import {commons, labelsOf, vaultName} from './names.ts';

/** Of the superuser of a server in the environment's own namespace. */
export const postgresPassword = (environment: Environment): string => vaultName(environment, 'postgres');
/**
 * Of the superuser that OpenG2P's charts make databases and users with. On the storage host that is the server's own: their
 * job gives each user REPLICATION (OpenG2P/postgres-init, init-db.sh), which nobody else may do before PostgreSQL 16. So it
 * lies in the namespace of the one environment that has the server to itself, and in no other.
 */
export const superuserPassword = (deployment: Deployment, environment: Environment): string =>
  databasePlaceOf(deployment, environment) === 'storage-host' ? superuserSecret : postgresPassword(environment);
/** Of the user that owns the environment's databases on the storage host. */
export const databasePassword = (environment: Environment): string => vaultName(environment, 'database');
/** Of `admin` in Keycloak's own realm. */
export const keycloakPassword = (environment: Environment): string => vaultName(environment, 'keycloak-admin');
/** Of the Redis that eSignet keeps its sessions in. */
export const redisPassword = (environment: Environment): string => vaultName(environment, 'redis');
/** Of the first user of the staff's realm, who changes it when logging in for the first time. */
export const staffPassword = (environment: Environment): string => vaultName(environment, 'staff-admin');
/** What Superset signs its sessions with; its chart has a well-known one. */
export const supersetKey = (environment: Environment): string => vaultName(environment, 'superset-key');
/** Of the users that approve changes to the registry; its chart has a well-known one. */
export const approverPassword = (environment: Environment): string => vaultName(environment, 'registry-approver');

export const generated = (...names: readonly string[]): readonly SecretSpec[] =>
  names.map(name => ({name, generate: newPassword}));

/** Where charts look for the superuser's password, whether PostgreSQL is theirs or somebody else's. */
export const postgresSecret = {name: `${commons.base}-postgresql`, key: 'postgres-password'} as const;
export const keycloakSecret = {name: `${commons.base}-keycloak`, key: 'admin-password'} as const;
export const redisSecret = {name: `${commons.base}-redis-auth`, key: 'redis-password'} as const;

/**
 * Secrets that the charts are told to use instead of making their own: so an installation that was cut off finds the
 * passwords that its volumes were made with, and an upgrade never asks for the old ones.
 */
export const passwordSecrets = (
  deployment: Deployment,
  environment: Environment,
  secret: (name: string) => string,
): readonly KubeObject[] =>
  [
    {...postgresSecret, of: superuserPassword(deployment, environment)},
    {...keycloakSecret, of: keycloakPassword(environment)},
    {...redisSecret, of: redisPassword(environment)},
  ].map(({name, key, of}) =>
    opaqueSecret({name, namespace: environment.name, labels: labelsOf(environment)}, {[key]: secret(of)}),
  );
