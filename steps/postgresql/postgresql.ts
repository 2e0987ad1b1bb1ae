import {step} from '../../source/engine/step.ts';
import {aptPackages} from '../../source/resources/apt-packages.ts';
import {command} from '../../source/resources/command.ts';
import {directory} from '../../source/resources/directory.ts';
import {file} from '../../source/resources/file.ts';
import {service} from '../../source/resources/service.ts';
import {waitFor} from '../../source/resources/wait-for.ts';
import {lines, sh} from '../../source/shell/script.ts';
import {authorityFrom, authoritySecret, authoritySpec, leafTerms} from '../certificates/authority.ts';
import {leaf} from '../certificates/leaf.ts';
import {firewall} from '../firewall/firewall.ts';
import {exitsZero, prints} from '../shared/checks.ts';
import {roles} from '../shared/deployment.ts';
import {newPassword} from '../shared/password.ts';
import {aptRemedies} from '../shared/remedies.ts';
import {accessRules} from './access.ts';
import {databaseServer} from './cluster.ts';
import {settingsInForce} from './in-force.ts';
import {packageSources} from './packages.ts';
import {clusterPaths, clusterUnit, tlsPaths} from './paths.ts';
import {postgresqlRemedies} from './remedies.ts';
import {postgresqlRemoval} from './removal.ts';
import {rolePassword} from './roles.ts';
import {creationDefaults, serverSettings, unitDropIn} from './settings.ts';
import {asSuperuser} from './sql.ts';
import {
  hasPostgresql,
  postgresqlOf,
  postgresqlVersion,
  serverName,
  superuserSecret,
  versionProduct,
} from './version.ts';

/** Databases of MOSIP are made with this collation by name, and those of OpenG2P's own image have it too. */
export const locale = command({
  id: 'locale en_US.UTF-8',
  doing: 'making the locale of the databases',
  unless: sh`locale -a | grep -qix 'en_US\.utf-\?8'`,
  script: sh`set -e
grep -qx 'en_US.UTF-8 UTF-8' /etc/locale.gen 2>/dev/null || echo 'en_US.UTF-8 UTF-8' >>/etc/locale.gen
locale-gen`,
  change: 'make the locale en_US.UTF-8, which the databases sort by',
  options: {timeoutMs: 180_000},
});

/** Percent of a file system that may be used before the verification complains. */
const fullest = 90;

export const postgresql = step({
  id: 'postgresql',
  title: 'PostgreSQL',
  why: 'Keeps the databases of OpenG2P on the storage host, where they outlive the cluster and can be backed up.',
  role: roles.storage,
  after: [firewall],
  estimate: 60,
  enabled: hasPostgresql,
  provides: [versionProduct],
  secrets: deployment => [authoritySpec(deployment), {name: superuserSecret, generate: newPassword}],
  resources: context => {
    const {deployment, facts, host, secret, now} = context;
    const version = postgresqlVersion(deployment, facts);
    const {access, ourSettings} = clusterPaths(version);
    const {port} = postgresqlOf(deployment);
    const authority = authorityFrom(secret(authoritySecret(deployment)));
    return [
      ...packageSources(deployment, facts),
      aptPackages(['locales']),
      locale,
      file(creationDefaults.path, creationDefaults.content),
      file(unitDropIn.path, unitDropIn.content),
      // Not started before it has its settings: it would come up with those of the package.
      aptPackages([`postgresql-${version}`, `postgresql-client-${version}`], {withoutStarting: true}),
      databaseServer(version),
      directory(tlsPaths.directory),
      file(tlsPaths.authority, authority.certificate),
      leaf({
        files: {...tlsPaths, owner: 'postgres:postgres'},
        authority,
        names: [serverName(deployment)],
        now,
        ...leafTerms(deployment),
      }),
      file(ourSettings, serverSettings(context), {owner: 'postgres:postgres'}),
      file(access, accessRules(deployment, host), {owner: 'postgres:postgres', mode: 0o640}),
      service('postgresql.service', {enabled: true}),
      service(clusterUnit(version), {running: true}),
      settingsInForce(version),
      waitFor({
        id: 'database server answers',
        doing: 'waiting for the database server to answer',
        until: sh`pg_isready --quiet --host=${host.privateAddress} --port=${port}`,
        timeoutSeconds: 60,
        what: `the database server to answer at ${host.privateAddress}, port ${port}`,
      }),
      rolePassword(version, 'postgres', secret(superuserSecret)),
    ];
  },
  verify: ({deployment, facts, host}) => {
    const version = postgresqlVersion(deployment, facts);
    const {data} = clusterPaths(version);
    const {port} = postgresqlOf(deployment);
    return [
      exitsZero({
        id: 'ready',
        title: `PostgreSQL ${version} accepts connections at ${host.privateAddress}, port ${port}`,
        script: sh`pg_isready --host=${host.privateAddress} --port=${port} --timeout=5`,
      }),
      prints(
        {
          id: 'checksums',
          title: 'it finds out when a disk gives back other data than it was given',
          script: asSuperuser(version, 'SHOW data_checksums;'),
        },
        'on',
      ),
      exitsZero(
        {
          id: 'tls',
          title: `its certificate for ${serverName(deployment)} was issued by the deployment’s CA`,
          script: lines(
            sh`openssl verify -purpose sslserver -CAfile ${tlsPaths.authority} -verify_hostname ${serverName(deployment)} ${tlsPaths.certificate} || exit 1`,
            sh`[ "$(${asSuperuser(version, 'SHOW ssl;')})" = on ] || { echo 'TLS is off' >&2; exit 1; }`,
          ),
        },
        'openssl verified it, and TLS is on',
      ),
      prints(
        {
          id: 'settings',
          title: 'it works with the settings and the rules of access that are in its files',
          script: asSuperuser(
            version,
            `SELECT (SELECT count(*) FROM pg_settings WHERE pending_restart) + (SELECT count(*) FROM pg_hba_file_rules WHERE error IS NOT NULL);`,
          ),
        },
        '0',
      ),
      exitsZero({
        id: 'room',
        title: 'its file system has room',
        script: sh`# The WAL may have a file system of its own, and stops the server in the same way.
used=$(df --output=pcent ${data} ${`${data}/pg_wal`} | tail -n +2 | tr -dc '0-9\n' | sort -n | tail -n 1)
[ "$used" -lt ${fullest} ] || { echo "the file system of the databases is full to $used %" >&2; exit 1; }
echo "$used % are used"`,
      }),
    ];
  },
  removal: postgresqlRemoval,
  remedies: [...postgresqlRemedies, ...aptRemedies],
});
