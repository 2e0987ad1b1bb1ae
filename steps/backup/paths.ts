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
export const pgbackrestHome = '/var/lib/groundwork/pgbackrest';
export const pgbackrestLog = '/var/log/groundwork-backup';
export const pgbackrestConfiguration = '/etc/pgbackrest/pgbackrest.conf';
export const spoolPath = '/var/spool/pgbackrest';

/** Owns pgBackRest’s repository. Of its own, so that the database’s account of this host, if there is one, cannot touch it. */
export const repositoryUser = 'pgbackrest';

/** Where Debian’s tools are told not to make a server of their own on the backup host. */
export const createClusterPath = '/etc/postgresql-common/createcluster.d/groundwork-backup.conf';

/** Beside the server’s own settings, whose folder is `folder`. */
export const archiveSettingsPath = (folder: string): string => `${folder}/groundwork-backup.conf`;

/** Debian’s home of the database’s account, where its SSH server looks for keys. */
export const databaseKeysFolder = '/var/lib/postgresql/.ssh';
export const databaseAuthorizedKeys = `${databaseKeysFolder}/authorized_keys`;

export const unitsFolder = '/etc/systemd/system';

/** The account that the backup host comes in with, and its rights. */
export const accessUser = 'groundwork-backup';
export const accessSudoers = '/etc/sudoers.d/groundwork-backup';

/** The account through which a host hands out what is copied of it. */
export const accessHome = '/var/lib/groundwork/backup-access';

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
