import type {Environment} from '../../source/deployment/schema.ts';
import type {KubeObject} from '../../source/kubernetes/objects.ts';
import {type Resource, resource, script} from '../../source/resources/resource.ts';
import {err, ok} from '../../source/result.ts';
import {lines, sh} from '../../source/shell/script.ts';
import {clusterPaths} from '../postgresql/paths.ts';
import {scramVerifier} from '../postgresql/scram.ts';
import {asSuperuser, identifier, literal} from '../postgresql/sql.ts';
import {labelsOf} from './names.ts';
import {postgresSecret} from './passwords.ts';

/**
 * Databases of the shared services, under the names that OpenG2P's charts have for them (openg2p-commons-base and
 * -services 2.3, values.yaml). Modules make theirs themselves.
 */
export const databases = [
  'superset',
  'odkdb',
  'mosip_keymgr',
  'mosip_mockidentitysystem',
  'mosip_esignet',
  'keycloak',
  'iam',
  'master_data',
  'audit_manager',
] as const;

/** What the users of environments begin with, so that none is called like a user of a chart. */
const userPrefix = 'environment_';

/** Owns the environment's databases; for people who look into them. It is no superuser, and makes no users. */
export const databaseUser = ({name}: Pick<Environment, 'name'>): string => `${userPrefix}${name}`;

type Database = {readonly name: string; readonly owner: string; readonly open: boolean};

type State = {
  /** The server runs and was asked. */
  readonly seen: boolean;
  readonly user: boolean;
  readonly password: boolean;
  readonly databases: readonly Database[];
};

/** One line for each database that is not of every server: name, owner, whether any user may connect. */
const listDatabases = `SELECT 'database', datname, pg_get_userbyid(datdba), EXISTS (SELECT FROM aclexplode(coalesce(datacl, acldefault('d', datdba))) WHERE grantee = 0 AND privilege_type = 'CONNECT')
FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY datname;`;

const readState = (stdout: string): State => ({
  seen: /^asked$/m.test(stdout),
  user: /^user\|/m.test(stdout),
  password: /^user\|t$/m.test(stdout),
  databases: [...stdout.matchAll(/^database\|([^|]+)\|([^|]*)\|([tf])$/gm)].map(([, name = '', owner = '', open]) => ({
    name,
    owner,
    open: open === 't',
  })),
});

/** The environment that a database of the server belongs to, where that is another one. */
const otherOwner = (environment: Environment, {databases: there}: State): string | undefined =>
  there
    .map(({owner}) => owner)
    .find(owner => owner.startsWith(userPrefix) && owner !== databaseUser(environment))
    ?.slice(userPrefix.length);

/** What has to be done, each with what it is in words. The order is that in which it is done. */
const todo = (environment: Environment, verifier: string, state: State) => {
  const user = databaseUser(environment);
  const owned = (name: string) => state.databases.find(each => each.name === name);
  const missing = databases.filter(name => !owned(name));
  const foreign = databases.filter(name => owned(name) && owned(name)?.owner !== user);
  const open = databases.filter(name => !owned(name) || owned(name)?.open);
  return [
    ...(state.user
      ? []
      : [{summary: `make the database user ${user}`, sql: [`CREATE ROLE ${identifier(user)} LOGIN;`]}]),
    ...(state.password
      ? []
      : [
          {
            summary: `give it the password of the vault`,
            sql: [`ALTER ROLE ${identifier(user)} PASSWORD ${literal(verifier)};`],
          },
        ]),
    ...(missing.length > 0
      ? [
          {
            summary: `make the databases ${missing.join(', ')}`,
            sql: missing.map(
              name =>
                `CREATE DATABASE ${identifier(name)} OWNER ${identifier(user)} TEMPLATE template0 ENCODING 'UTF8';`,
            ),
          },
        ]
      : []),
    ...(foreign.length > 0
      ? [
          {
            summary: `give ${foreign.join(', ')} to ${user}`,
            sql: foreign.map(name => `ALTER DATABASE ${identifier(name)} OWNER TO ${identifier(user)};`),
          },
        ]
      : []),
    ...(open.length > 0
      ? [
          {
            summary: `let into ${open.join(', ')} only who was given the right`,
            sql: open.map(name => `REVOKE CONNECT, TEMPORARY ON DATABASE ${identifier(name)} FROM PUBLIC;`),
          },
        ]
      : []),
  ];
};

/**
 * The environment's databases and the user that owns them, on the storage host's server. A server that holds those of
 * another environment, running or kept after its removal, is refused: the charts would write into them.
 */
export const environmentDatabases = (version: number, environment: Environment, password: string): Resource => {
  const user = databaseUser(environment);
  const verifier = scramVerifier(user, password);
  return resource<State>({
    id: `databases of ${environment.name}`,
    doing: `making the databases of ${environment.name}`,
    probe: asSuperuser(
      version,
      `SELECT 'asked';\nSELECT 'user', coalesce(rolpassword = ${literal(verifier)}, false) FROM pg_authid WHERE rolname = ${literal(user)};\n${listDatabases}`,
    ),
    read: ({stdout}) => {
      const state = readState(stdout);
      const other = otherOwner(environment, state);
      return other === undefined
        ? ok(state)
        : err(
            `the server holds the databases of the environment ${other}, which have the same names: set database: in-cluster for ${environment.name}, or erase those of ${other} with groundwork environment remove ${other} --purge`,
          );
    },
    diff: state =>
      state.seen
        ? todo(environment, verifier, state).map(({summary}) => ({summary}))
        : [{summary: `make the user ${user} and the databases ${databases.join(', ')}`}],
    apply: state =>
      script(
        asSuperuser(
          version,
          todo(environment, verifier, state)
            .flatMap(({sql}) => sql)
            .join('\n'),
        ),
        // An error repeats the statement, which may hold what the server keeps of a password.
        {timeoutMs: 180_000, told: () => undefined},
      ),
  });
};

/** All databases of the server that are not of every server, with the users that have rights or things in one of them. */
const ours = `CREATE TEMPORARY TABLE going AS
SELECT DISTINCT r.rolname FROM pg_shdepend s JOIN pg_authid r ON s.refclassid = 'pg_authid'::regclass AND r.oid = s.refobjid
JOIN pg_database d ON NOT d.datistemplate AND d.datname <> 'postgres' AND (s.dbid = d.oid OR (s.classid = 'pg_database'::regclass AND s.objid = d.oid))
WHERE r.rolname <> 'postgres';`;

/**
 * Neither databases nor users of an environment on the server. Only when its own user is there: then the server was its
 * alone, so all that is in it is erased, that of its modules too. Without `purge` they stay, and that is told.
 */
export const noDatabases = (version: number, environment: Environment, purge: boolean): Resource => {
  const user = databaseUser(environment);
  const what = `databases of ${environment.name} on the storage host`;
  return resource<string | undefined>({
    id: `no databases of ${environment.name}`,
    doing: `erasing the databases of ${environment.name}`,
    probe: lines(
      sh`[ -e ${`${clusterPaths(version).data}/PG_VERSION`} ] || exit 0`,
      asSuperuser(
        version,
        `SELECT 'there', (SELECT pg_size_pretty(sum(pg_database_size(oid))) FROM pg_database WHERE NOT datistemplate) FROM pg_authid WHERE rolname = ${literal(user)};`,
      ),
    ),
    read: ({code, stdout, stderr}) =>
      code === 0
        ? ok(/^there\|(.*)$/m.exec(stdout)?.[1])
        : err(`the database server cannot be asked: ${stderr.trim()}`),
    diff: size =>
      size === undefined || !purge ? [] : [{summary: `erase the ${what}, with their users (${size})`, loses: true}],
    stays: size =>
      size === undefined || purge
        ? []
        : [{kind: 'data', what: `${what} (${size})`, why: 'data is kept unless it is purged'}],
    apply: () =>
      script(
        asSuperuser(
          version,
          [
            ours,
            `INSERT INTO going SELECT ${literal(user)} WHERE NOT EXISTS (SELECT FROM going WHERE rolname = ${literal(user)});`,
            `SELECT format('DROP DATABASE %I WITH (FORCE)', datname) FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' \\gexec`,
            // Its own user last: as long as that is there, a removal that was cut off is taken up again.
            `SELECT format('DROP ROLE %I', rolname) FROM going ORDER BY rolname = ${literal(user)} \\gexec`,
          ].join('\n'),
        ),
        {timeoutMs: 600_000, detached: true},
      ),
  });
};

export type DatabaseServer = {
  readonly address: string;
  readonly port: number;
};

/**
 * The storage host's server under the name that it would have in the namespace, and at the usual port. So charts that know no
 * other name find it, and another machine in its place changes two objects and no release.
 */
export const databaseService = (environment: Environment, {address, port}: DatabaseServer): readonly KubeObject[] => {
  const metadata = {name: postgresSecret.name, namespace: environment.name, labels: labelsOf(environment)};
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: {ports: [{name: 'postgresql', protocol: 'TCP', port: 5432, targetPort: port}]},
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        ...metadata,
        labels: {
          ...metadata.labels,
          'kubernetes.io/service-name': metadata.name,
          'endpointslice.kubernetes.io/managed-by': 'groundwork',
        },
      },
      addressType: address.includes(':') ? 'IPv6' : 'IPv4',
      endpoints: [{addresses: [address], conditions: {ready: true}}],
      ports: [{name: 'postgresql', protocol: 'TCP', port}],
    },
  ];
};
