import {databasePlaceOf} from '../../source/deployment/environments.ts';
import type {Deployment, Environment} from '../../source/deployment/schema.ts';
import {type Step, step} from '../../source/engine/step.ts';
import {command} from '../../source/resources/command.ts';
import {manifest} from '../../source/resources/manifest.ts';
import {lines, type Script, sh} from '../../source/shell/script.ts';
import {tlsPaths} from '../postgresql/paths.ts';
import {postgresqlRemedies} from '../postgresql/remedies.ts';
import {asSuperuser, literal} from '../postgresql/sql.ts';
import {postgresqlOf, postgresqlVersion, serverName} from '../postgresql/version.ts';
import {prints} from '../shared/checks.ts';
import {hasKubernetes, hostsPlaying, roles} from '../shared/deployment.ts';
import {onCluster} from '../shared/platform.ts';
import {databaseService, databases, databaseUser, environmentDatabases} from './databases.ts';
import {stepId} from './names.ts';
import {databasePassword, generated, postgresSecret} from './passwords.ts';
import {environmentRemedies} from './remedies.ts';

/** Whether this environment's databases are on the storage host. */
export const onStorageHost =
  (environment: Environment) =>
  (deployment: Deployment): boolean =>
    hasKubernetes(deployment) && databasePlaceOf(deployment, environment) === 'storage-host';

/** Where the storage host's server is found. */
const serverOf = (deployment: Deployment): {readonly address: string; readonly port: number} => {
  const [host] = hostsPlaying(deployment, roles.storage);
  if (!host) throw new Error('the deployment has no storage host');
  return {address: host.privateAddress, port: postgresqlOf(deployment).port};
};

/** On the storage host: the databases, and the user that owns them. */
export const databasesStep = (environment: Environment, after: readonly Step[]): Step =>
  step({
    id: stepId(environment, 'databases'),
    title: `${environment.name}: databases on the storage host`,
    why: `Makes the databases of ${environment.name}, which only its own users get into.`,
    role: roles.storage,
    after,
    estimate: 5,
    enabled: onStorageHost(environment),
    secrets: () => generated(databasePassword(environment)),
    resources: ({deployment, facts, secret}) => [
      environmentDatabases(postgresqlVersion(deployment, facts), environment, secret(databasePassword(environment))),
    ],
    verify: ({deployment, facts}) => [
      prints(
        {
          id: 'owned',
          title: `all ${databases.length} databases belong to ${databaseUser(environment)}`,
          script: asSuperuser(
            postgresqlVersion(deployment, facts),
            `SELECT count(*) FROM pg_database WHERE pg_get_userbyid(datdba) = ${literal(databaseUser(environment))};`,
          ),
        },
        String(databases.length),
      ),
    ],
    remedies: [
      {
        id: 'databases-of-another',
        match: /the server holds the databases of the environment/i,
        cause: 'OpenG2P gives the databases of every environment the same names, so a server takes one environment.',
        remedy: 'Do what the message says: the new environment gets a server in its namespace, or the old data goes.',
      },
      ...postgresqlRemedies,
    ],
  });

/** A password for `psql`, in a file that only root can read and that is gone with the script. */
const withPassword = (password: string, script: Script): Script =>
  lines(
    sh`passwords=$(mktemp /run/groundwork-XXXXXXXX) && trap 'rm -f "$passwords"' EXIT || exit 1`,
    sh`printf '*:*:*:*:%s\n' ${password} >"$passwords"`,
    sh`export PGPASSFILE="$passwords" PGCONNECT_TIMEOUT=5`,
    script,
  );

/** How a client is told where the server is, and to verify that it is the one. */
const connection = (deployment: Deployment, database: string, user: string): string => {
  const {address, port} = serverOf(deployment);
  return `host=${serverName(deployment)} hostaddr=${address} port=${port} dbname=${database} user=${user} sslmode=verify-full sslrootcert=${tlsPaths.authority}`;
};

/** In the cluster: the name under which the environment's services find the server; and the proof that it lets them in. */
export const databaseAccessStep = (environment: Environment, after: readonly Step[]): Step => {
  const user = databaseUser(environment);
  return step({
    id: stepId(environment, 'database-access'),
    title: `${environment.name}: way to its databases`,
    why: 'Leads the services to the storage host under the name that OpenG2P’s charts look for.',
    role: roles.compute,
    once: true,
    after,
    estimate: 5,
    enabled: onStorageHost(environment),
    secrets: () => generated(databasePassword(environment)),
    resources: ({deployment}) => [
      command({
        id: `no database server in the namespace ${environment.name}`,
        doing: 'looking for databases in the namespace',
        unless: onCluster(
          sh`[ -z "$(kubectl get statefulset ${postgresSecret.name} --namespace ${environment.name} --ignore-not-found --output name 2>/dev/null)" ]`,
        ),
        script: sh`echo ${`the databases of ${environment.name} are in its namespace: data is not moved by changing the deployment`} >&2; exit 1`,
        change: 'stop: its databases are in the namespace',
      }),
      manifest({
        id: `database service of ${environment.name}`,
        objects: databaseService(environment, serverOf(deployment)),
      }),
    ],
    verify: ({deployment, secret}) => [
      prints(
        {
          id: 'connects',
          title: `${user} gets into its databases over TLS, and the server is the right one`,
          script: withPassword(
            secret(databasePassword(environment)),
            sh`psql --no-psqlrc --no-password --tuples-only --no-align --command=${'SELECT current_user, ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()'} --dbname=${connection(deployment, 'keycloak', user)}`,
          ),
        },
        `${user}|t`,
      ),
    ],
    remedies: [
      {
        id: 'databases-in-namespace',
        match: /are in its namespace: data is not moved/i,
        cause: 'This environment was installed with a database server of its own in the cluster.',
        remedy:
          'Set its `database: in-cluster` again; or copy the data (pg_dumpall), remove the environment with --purge, and add it anew.',
      },
      {
        id: 'database-plain',
        match: /no pg_hba\.conf entry .*no encryption/i,
        cause: 'A client came without TLS, and the server takes none without.',
        remedy:
          'Find out which service it is (the server’s log names its user), and set `sslmode=prefer` or better there.',
      },
      {
        id: 'database-stranger',
        match: /no pg_hba\.conf entry for host/i,
        cause: 'The server does not know the address that the client comes from as one of the compute hosts.',
        remedy:
          'Compare the address in the message with the private addresses in the deployment, then retry “PostgreSQL”.',
      },
      ...environmentRemedies,
    ],
  });
};
