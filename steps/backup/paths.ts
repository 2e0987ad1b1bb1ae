import type {Deployment} from '../../source/deployment/schema.ts';
import {backupOf} from './settings.ts';

/** Settings of the backups, on the backup host and on those that it fetches from. */
export const settingsFolder = '/etc/groundwork/backup';

export const keysFolder = `${settingsFolder}/keys`;
export const keyPath = (key: string): string => `${keysFolder}/${key}`;

/** The keys of the other hosts, from what the installer saw over its own verified connections. */
export const knownHostsPath = `${settingsFolder}/known_hosts`;
export const sshSettingsPath = `${settingsFolder}/ssh_config`;

/** Which machine each host was when its copies were begun: NAME MACHINE-ID. */
export const machinesPath = `${settingsFolder}/machines`;

export const resticPassphrasePath = `${settingsFolder}/restic-passphrase`;
export const offsitePassphrasePath = `${settingsFolder}/offsite-passphrase`;
export const offsiteCredentialsPath = `${settingsFolder}/offsite-credentials`;
export const mailSettingsPath = `${settingsFolder}/msmtprc`;

/** Programs of ours on the hosts. */
export const programsFolder = '/usr/local/lib/groundwork/backup';
export const programPath = (name: string): string => `${programsFolder}/${name}`;
export const jobPath = (job: string): string => `${programsFolder}/jobs/${job}`;

/** One job at a time, whoever starts it. */
export const lockPath = '/run/lock/groundwork-backup.lock';

/** Home of the account that owns pgBackRest’s repository, and of its locks and logs. */
export const repositoryAccount = 'pgbackrest';
export const pgbackrestHome = '/var/lib/groundwork/pgbackrest';
export const pgbackrestLog = '/var/log/groundwork-backup';
export const pgbackrestConfiguration = '/etc/pgbackrest/pgbackrest.conf';
export const spoolPath = '/var/spool/pgbackrest';

/** The account through which a host hands out what is copied of it. */
export const accessAccount = 'groundwork-backup';
export const accessHome = '/var/lib/groundwork/backup-access';
export const sudoersPath = '/etc/sudoers.d/groundwork-backup';

export const resticCache = '/var/cache/groundwork-backup';

/** Where RKE2 lays copies of the cluster’s state (docs.rke2.io, datastore/backup_restore). */
export const snapshotsFolder = '/var/lib/rancher/rke2/server/db/snapshots';

const below = (folder: string) => (deployment: Pick<Deployment, 'components'>) =>
  `${backupOf(deployment).path}/${folder}`;

export const postgresqlRepository = below('postgresql');
export const etcdFolder = below('etcd');
/** The newest state of the share, which restic makes its snapshots of. */
export const filesMirror = below('files');
export const configurationsFolder = below('configurations');
export const resticRepository = below('restic');
export const statusFolder = below('status');
/** Where throw-away databases and staged restores lie. */
export const restoreFolder = below('restore');
