import type {Deployment} from '../../source/deployment/schema.ts';
import {step} from '../../source/engine/step.ts';
import {aptPackages} from '../../source/resources/apt-packages.ts';
import {command} from '../../source/resources/command.ts';
import {directory} from '../../source/resources/directory.ts';
import {file} from '../../source/resources/file.ts';
import {type Resource, resource, script} from '../../source/resources/resource.ts';
import {err, ok, type Result} from '../../source/result.ts';
import {sh} from '../../source/shell/script.ts';
import {packageSources} from '../postgresql/packages.ts';
import {locale} from '../postgresql/postgresql.ts';
import {versionProduct} from '../postgresql/version.ts';
import {exitsZero} from '../shared/checks.ts';
import {managedFile} from '../shared/config-text.ts';
import {hostsPlaying, roles} from '../shared/deployment.ts';
import {newPassword} from '../shared/password.ts';
import {backupJobs} from './backup-jobs.ts';
import {backupPostgresql, dataProduct, systemProduct} from './backup-postgresql.ts';
import {pgbackrestOnly} from './host-programs.ts';
import {databaseKey, keyProduct, repositoryKey, sourceIn, sourceProduct} from './keys.ts';
import {createClusterPath, pgbackrestHome, postgresqlRepository, programPath, repositoryUser} from './paths.ts';
import {
  configurationFile,
  folderResources,
  pgbackrestAs,
  repositoryConfiguration,
  repositoryPassphrase,
  sshResources,
} from './pgbackrest.ts';
import {backupRemedies} from './remedies.ts';
import {repositoryRemoval} from './removal.ts';
import {keeps, serviceOf} from './settings.ts';

/** What pgBackRest’s `info --output=json` says of one stanza, as far as it is looked at (pgbackrest.org, command info). */
type StanzaInfo = {
  readonly backup: readonly {readonly type: string}[];
  readonly db: readonly {readonly 'system-id': number; readonly version: string}[];
  readonly status: {readonly code: number; readonly message: string};
};

/**
 * JSON numbers of this size lose their last digits in JavaScript: the identifier is read as text.
 */
export const systemsIn = (json: string): readonly string[] =>
  [...json.matchAll(/"system-id":\s*(\d+)/g)].map(([, system = '']) => system);

type Stanza = {readonly systems: readonly string[]; readonly backups: number};

export const readStanza = (json: string): Result<Stanza, string> => {
  try {
    const [stanza] = JSON.parse(json) as StanzaInfo[];
    return ok({systems: systemsIn(json), backups: stanza?.backup?.length ?? 0});
  } catch {
    return err('pgBackRest does not say what is in its repository');
  }
};

/**
 * The place of this deployment’s databases in the repository. One that holds backups of another database stays as it is:
 * somebody must decide whether these are to be restored, or the new database is to go on beside them.
 */
export const stanza = (deployment: Deployment, system: string): Resource =>
  resource<Stanza>({
    id: 'stanza of the databases',
    doing: 'making the place of the databases in the repository',
    probe: sh`if command -v pgbackrest >/dev/null && [ -d ${`${postgresqlRepository(deployment)}/backup`} ]; then ${pgbackrestAs(repositoryUser, deployment, '--output=json', '--log-level-console=off', 'info')}; else echo '[]'; fi`,
    read: ({stdout}) => {
      const found = readStanza(stdout);
      if (!found.ok) return found;
      const last = found.value.systems.at(-1);
      return last === undefined || last === system
        ? found
        : err(
            `the database on the storage host (${system}) is another database than the one that the backups are of (${last})`,
          );
    },
    diff: ({systems}) => (systems.length > 0 ? [] : [{summary: 'make it'}]),
    apply: () => script(pgbackrestAs(repositoryUser, deployment, 'stanza-create'), {timeoutMs: 300_000}),
  });

/** An hour for each 100 GB, and more patience than anybody has: it runs on the host by itself. */
const firstBackupMs = 24 * 3_600_000;

export const backupRepository = step({
  id: 'backup-repository',
  title: 'Backups of the databases',
  why: 'Keeps full and differential backups of the databases and their journal, encrypted, on the backup host.',
  role: roles.backup,
  after: [backupJobs, backupPostgresql],
  estimate: 60,
  enabled: deployment => keeps(deployment, 'postgresql'),
  needs: deployment => [
    versionProduct,
    systemProduct,
    dataProduct,
    keyProduct(databaseKey),
    ...hostsPlaying(deployment, roles.storage)
      .slice(0, 1)
      .map(({name}) => sourceProduct(name)),
  ],
  secrets: () => [{name: repositoryPassphrase, generate: newPassword}],
  resources: ({deployment, facts, products, secret}) => {
    const [host] = hostsPlaying(deployment, roles.storage);
    const source = sourceIn(products[sourceProduct(host?.name ?? '')]);
    if (!host || !source) throw new Error('the storage host is not known');
    const version = products[versionProduct] ?? '';
    return [
      ...packageSources(deployment, facts),
      // The databases of a throw-away server do not open without the locale that they sort by.
      aptPackages(['locales']),
      locale,
      // A server of the database's version, for restores into a throw-away one; none of its own runs here.
      file(createClusterPath, managedFile('create_main_cluster = false')),
      aptPackages(['pgbackrest', `postgresql-${version}`]),
      ...folderResources(repositoryUser),
      directory(postgresqlRepository(deployment), {owner: `${repositoryUser}:${repositoryUser}`, mode: 0o750}),
      ...sshResources({host, source, key: repositoryKey}),
      configurationFile(
        repositoryConfiguration(
          deployment,
          {host, data: products[dataProduct] ?? '', cpus: facts.cpus},
          secret(repositoryPassphrase),
        ),
        repositoryUser,
      ),
      file(programPath('only-pgbackrest'), pgbackrestOnly(deployment, 'repo'), {mode: 0o755}),
      directory(`${pgbackrestHome}/.ssh`),
      file(
        `${pgbackrestHome}/.ssh/authorized_keys`,
        managedFile(
          `restrict,from="${host.privateAddress}",command="${programPath('only-pgbackrest')}" ${products[keyProduct(databaseKey)] ?? ''}`,
        ),
      ),
      stanza(deployment, products[systemProduct] ?? ''),
      command({
        id: 'first backup of the databases',
        doing: 'making the first backup of the databases',
        unless: sh`${pgbackrestAs(repositoryUser, deployment, '--output=json', '--log-level-console=off', 'info')} | grep -q '"type":"full"'`,
        script: sh`systemctl start ${serviceOf('postgresql-full')} || { journalctl --unit=${serviceOf('postgresql-full')} --lines=30 --no-pager --output=cat >&2; exit 1; }`,
        change: 'make a full backup, so that there is something to restore from the first day',
        options: {detached: true, timeoutMs: firstBackupMs},
      }),
    ];
  },
  verify: ({deployment, facts}) => [
    exitsZero({
      id: 'backed-up',
      title: 'there is a full backup of the databases, and it is sound',
      script: sh`${pgbackrestAs(repositoryUser, deployment, '--output=json', '--log-level-console=off', 'info')} | grep -o '"label":"[^"]*"' | tail -n 1 | cut -d '"' -f 4 | grep .`,
    }),
    ...(facts.practice
      ? []
      : [
          exitsZero(
            {
              id: 'archive-arrives',
              title: 'the journal of the databases arrives here',
              script: pgbackrestAs(
                repositoryUser,
                deployment,
                '--log-level-console=warn',
                '--archive-timeout=12',
                'check',
              ),
            },
            'a piece that was just written has arrived',
          ),
        ]),
  ],
  remedies: backupRemedies,
  removal: repositoryRemoval,
});
