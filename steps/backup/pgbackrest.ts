import type {Deployment, HostSpec} from '../../source/deployment/schema.ts';
import {directory} from '../../source/resources/directory.ts';
import {file} from '../../source/resources/file.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {lines, type Script, sh} from '../../source/shell/script.ts';
import {socketDirectory} from '../postgresql/paths.ts';
import {postgresqlOf} from '../postgresql/version.ts';
import {managedFile, word} from '../shared/config-text.ts';
import {program} from './host-programs.ts';
import type {Source} from './keys.ts';
import {
  keyPath,
  pgbackrestConfiguration,
  pgbackrestHome,
  pgbackrestLog,
  postgresqlRepository,
  programPath,
  settingsFolder,
  spoolPath,
} from './paths.ts';
import {backupHost, backupOf, stanzaOf} from './settings.ts';

/** The passphrase of pgBackRest’s repository. It is on the backup host alone: the other side is told when it needs it. */
export const repositoryPassphrase = 'backup-pgbackrest-passphrase';

const sshSettingsPath = `${settingsFolder}/pgbackrest-ssh_config`;
const sshKnownHostsPath = `${settingsFolder}/pgbackrest-known_hosts`;
const sshProgram = programPath('ssh-pgbackrest');

/** Locks and logs apart from those of the other account, which Debian’s package gives its folders to. */
const locksFolder = `${pgbackrestHome}/locks`;
const spoolFolder = `${pgbackrestHome}/spool`;

export type FarSide = {readonly host: HostSpec; readonly source: Source; readonly key: string};

/** How pgBackRest comes to the other side: with one key, and with the host key that the installer saw. */
export const sshResources = ({host, source, key}: FarSide): readonly Resource[] => [
  file(sshKnownHostsPath, `${host.name} ${source.hostKey}\n`),
  file(
    sshSettingsPath,
    managedFile(
      'Host *',
      `  HostKeyAlias ${word(host.name)}`,
      `  Port ${source.port}`,
      `  IdentityFile ${keyPath(key)}`,
      `  UserKnownHostsFile ${sshKnownHostsPath}`,
      '  GlobalKnownHostsFile /dev/null',
      '  StrictHostKeyChecking yes',
      '  UpdateHostKeys no',
      '  IdentitiesOnly yes',
      '  BatchMode yes',
      '  ConnectTimeout 15',
      '  ServerAliveInterval 30',
      '  ServerAliveCountMax 10',
    ),
  ),
  // pgBackRest takes the name of a program and no words for it.
  file(sshProgram, program(sh`exec ssh -F ${sshSettingsPath} "$@"`), {mode: 0o755}),
];

const shared = [
  `cmd-ssh=${sshProgram}`,
  `lock-path=${locksFolder}`,
  `log-path=${pgbackrestLog}`,
  'log-level-console=info',
  'log-level-file=detail',
  'compress-type=zst',
  'compress-level=3',
] as const;

/** Of the account that pgBackRest runs as on this side. */
export const folderResources = (user: string): readonly Resource[] => [
  directory(pgbackrestHome, {owner: `${user}:${user}`, mode: 0o755}),
  directory(locksFolder, {owner: `${user}:${user}`, mode: 0o750}),
  directory(spoolFolder, {owner: `${user}:${user}`, mode: 0o750}),
  directory(pgbackrestLog, {owner: `${user}:${user}`, mode: 0o750}),
  directory('/etc/pgbackrest'),
];

/** The commands that reach for the database. The others must not, or they would not run on this host. */
const reaching = ['backup', 'check', 'stanza-create', 'stanza-upgrade'] as const;

/** Processes at once: a quarter of a machine that also serves. */
const processesFor = (cpus: number): number => Math.max(1, Math.min(4, Math.floor(cpus / 2)));

/** On the backup host: what is kept of the databases, and how long; the archive is kept as far back as the oldest full. */
export const repositoryConfiguration = (
  deployment: Deployment,
  database: {readonly host: HostSpec; readonly data: string; readonly cpus: number},
  passphrase: string,
): string => {
  const {retention} = backupOf(deployment);
  const {host, data, cpus} = database;
  return managedFile(
    '[global]',
    shared,
    `repo1-path=${word(postgresqlRepository(deployment))}`,
    // A restore tidies it up, and Debian's own belongs to another account.
    `spool-path=${spoolFolder}`,
    'repo1-cipher-type=aes-256-cbc',
    `repo1-cipher-pass=${word(passphrase)}`,
    `repo1-retention-full=${retention.postgresqlFull}`,
    'repo1-retention-full-type=count',
    `repo1-retention-diff=${retention.postgresqlDifferential}`,
    `process-max=${processesFor(cpus)}`,
    // Not at the database's next checkpoint, which may be many minutes away.
    'start-fast=y',
    // A backup that was cut off goes on where it was.
    'resume=y',
    ...reaching.map(name => [
      '',
      `[${stanzaOf(deployment)}:${name}]`,
      `pg1-host=${word(host.privateAddress)}`,
      'pg1-host-user=postgres',
      `pg1-path=${word(data)}`,
      `pg1-port=${postgresqlOf(deployment).port}`,
      `pg1-socket-path=${socketDirectory}`,
    ]),
  );
};

/** On the storage host. No passphrase: pgBackRest asks the backup host for it. */
export const databaseConfiguration = (
  deployment: Deployment,
  {data, cpus}: {readonly data: string; readonly cpus: number},
): string =>
  managedFile(
    '[global]',
    shared,
    `repo1-host=${word(backupHost(deployment).privateAddress)}`,
    'repo1-host-user=pgbackrest',
    `spool-path=${spoolPath}`,
    'archive-async=y',
    `archive-push-queue-max=${backupOf(deployment).archiveQueueGb}GB`,
    `process-max=${processesFor(cpus)}`,
    '',
    `[${stanzaOf(deployment)}]`,
    `pg1-path=${word(data)}`,
    `pg1-port=${postgresqlOf(deployment).port}`,
    `pg1-socket-path=${socketDirectory}`,
  );

export const configurationFile = (content: string, group: string): Resource =>
  file(pgbackrestConfiguration, content, {owner: `root:${group}`, mode: 0o640, secret: true});

/** pgBackRest as its own account of this side. */
export const pgbackrestAs = (user: string, deployment: Deployment, ...words: readonly string[]): Script =>
  lines(sh`runuser -u ${user} -- pgbackrest ${`--stanza=${stanzaOf(deployment)}`} ${words}`);
