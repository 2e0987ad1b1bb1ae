import type {Deployment, Postgresql} from '../../source/deployment/schema.ts';
import type {Facts} from '../../source/hosts/facts.ts';
import {systemOf} from '../shared/deployment.ts';

/** The settings of the database server. To ask for them where each environment has a server of its own is a bug. */
export const postgresqlOf = ({components}: Pick<Deployment, 'components'>): Postgresql => {
  if (components.postgresql === undefined) throw new Error('the deployment has no PostgreSQL on its storage host');
  return components.postgresql;
};

/** Whether the storage host has a database server for all environments. */
export const hasPostgresql = ({components}: Pick<Deployment, 'components'>): boolean =>
  components.postgresql !== undefined;

/** The major version that the storage host with these facts gets. */
export const postgresqlVersion = (deployment: Pick<Deployment, 'components'>, facts: Pick<Facts, 'os'>): number => {
  const {packages, version} = postgresqlOf(deployment);
  return packages === 'pgdg' ? version : systemOf(facts).postgresql.version;
};

/** The major version of the running server, for other hosts: the name of a product of the step. */
export const versionProduct = 'postgresql-version';

/** How the vault knows the password of the server's superuser, `postgres`. */
export const superuserSecret = 'postgres-superuser';

/** By which clients verify the server. Nobody has to resolve it: it stands in the certificate, and clients are told the address. */
export const serverName = ({domain}: Pick<Deployment, 'domain'>): string => `postgresql.${domain}`;
