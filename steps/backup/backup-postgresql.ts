import type {Deployment} from '../../source/deployment/schema.ts';
import {type StepContext, step} from '../../source/engine/step.ts';
import {aptPackages} from '../../source/resources/apt-packages.ts';
import {directory} from '../../source/resources/directory.ts';
import {file} from '../../source/resources/file.ts';
import {type Products, type Resource, resource, script} from '../../source/resources/resource.ts';
import {ok} from '../../source/result.ts';
import {nothing, sh} from '../../source/shell/script.ts';
import {settingsInForce} from '../postgresql/in-force.ts';
import {clusterPaths} from '../postgresql/paths.ts';
import {postgresql} from '../postgresql/postgresql.ts';
import {asSuperuser} from '../postgresql/sql.ts';
import {postgresqlVersion} from '../postgresql/version.ts';
import {exitsZero, prints} from '../shared/checks.ts';
import {managedFile} from '../shared/config-text.ts';
import {roles} from '../shared/deployment.ts';
import {alertResources, mailSecrets} from './alerts.ts';
import {backupAccess, keyLine} from './backup-access.ts';
import {backupKeys} from './backup-keys.ts';
import {pgbackrestOnly} from './host-programs.ts';
import {databaseKey, keyProduct, repositoryKey, sourceIn, sourceProduct, sshKey} from './keys.ts';
import {machinesProduct, sameMachine} from './machine.ts';
import {archiveSettingsPath, databaseAuthorizedKeys, databaseKeysFolder, programPath, spoolPath} from './paths.ts';
import {configurationFile, databaseConfiguration, folderResources, sshResources} from './pgbackrest.ts';
import {backupRemedies} from './remedies.ts';
import {archiveRemoval} from './removal.ts';
import {backupHost, keeps, stanzaOf} from './settings.ts';
import {watchResources} from './watch.ts';

/** Which database it is, for the life of its data: PostgreSQL gives it when the server is made. */
export const systemProduct = 'postgresql-system';
/** Where its data lies. */
export const dataProduct = 'postgresql-data';

/** Reads which database it is, and where its data lies. */
export const databaseIdentity = (version: number): Resource => {
  const {data, programs} = clusterPaths(version);
  return resource<string>({
    id: 'identity of the database',
    doing: 'reading which database it is',
    probe: sh`tool=${`${programs}/pg_controldata`}
[ -x "$tool" ] || tool=$(command -v pg_controldata) || exit 0
LC_ALL=C "$tool" ${data} 2>/dev/null | sed -n 's/^Database system identifier: *//p'`,
    read: ({stdout}) => ok(/^\d+$/.test(stdout.trim()) ? stdout.trim() : ''),
    diff: () => [],
    products: (system): Products => (system === '' ? {} : {[systemProduct]: system, [dataProduct]: data}),
    apply: () => script(nothing),
  });
};

/**
 * `wal_level` is not ours: others follow the changes and need more than backups do. A minute is the most that is lost with
 * the storage host, whose journal is sent on at least that often.
 */
export const archiveSettings = (deployment: Deployment): string =>
  managedFile(
    'archive_mode = on',
    `archive_command = 'pgbackrest --stanza=${stanzaOf(deployment)} archive-push "%p"'`,
    'archive_timeout = 60',
  );

const farSide = ({deployment, products}: StepContext) => {
  const host = backupHost(deployment);
  const source = sourceIn(products[sourceProduct(host.name)]);
  return source ? {host, source, key: databaseKey} : undefined;
};

export const backupPostgresql = step({
  id: 'backup-postgresql',
  title: 'Archive of the databases',
  why: 'Sends the databases’ journal to the backup host as it is written, so that nothing older than a minute is lost.',
  role: roles.storage,
  after: [postgresql, backupKeys, backupAccess],
  estimate: 25,
  enabled: deployment => keeps(deployment, 'postgresql'),
  needs: deployment => [machinesProduct, keyProduct(repositoryKey), sourceProduct(backupHost(deployment).name)],
  provides: [keyProduct(databaseKey), systemProduct, dataProduct],
  secrets: mailSecrets,
  resources: context => {
    const {deployment, facts, host, products, secret} = context;
    const version = postgresqlVersion(deployment, facts);
    const {data, settings} = clusterPaths(version);
    const far = farSide(context);
    return [
      {...sameMachine(context), id: 'same machine as the archive is of'},
      databaseIdentity(version),
      aptPackages(['pgbackrest']),
      sshKey(databaseKey, 'postgres'),
      ...folderResources('postgres'),
      directory(spoolPath, {owner: 'postgres:postgres', mode: 0o750}),
      ...(far ? sshResources(far) : []),
      configurationFile(databaseConfiguration(deployment, {data, cpus: facts.cpus}), 'postgres'),
      file(programPath('only-pgbackrest'), pgbackrestOnly(deployment, 'pg'), {mode: 0o755}),
      directory(databaseKeysFolder, {owner: 'postgres:postgres', mode: 0o700}),
      // Root's and readable: the server reads it as that account, which must not be able to let in others.
      file(
        databaseAuthorizedKeys,
        managedFile(keyLine(deployment, products[keyProduct(repositoryKey)] ?? '', programPath('only-pgbackrest'))),
      ),
      ...alertResources(deployment, host.name, secret),
      ...watchResources(deployment, data),
      file(archiveSettingsPath(settings), archiveSettings(deployment), {owner: 'postgres:postgres'}),
      {...settingsInForce(version), id: 'settings of the archive in force'},
    ];
  },
  verify: ({deployment, facts}) => {
    const version = postgresqlVersion(deployment, facts);
    return [
      prints(
        {
          id: 'archives',
          title: 'the database sends its journal on',
          script: asSuperuser(version, 'SHOW archive_mode;'),
        },
        'on',
      ),
      prints(
        {
          id: 'wal-level',
          title: 'its journal holds enough for backups',
          script: asSuperuser(version, 'SHOW wal_level;'),
        },
        /^(replica|logical)$/,
      ),
      exitsZero(
        {
          id: 'watched',
          title: 'somebody looks whether the journal piles up',
          script: sh`systemctl is-active groundwork-backup-watch.timer`,
        },
        'every five minutes',
      ),
    ];
  },
  remedies: backupRemedies,
  removal: archiveRemoval,
});
