import type {Backup, BackupGroup, Deployment, HostSpec} from '../../source/deployment/schema.ts';
import {hasKubernetes, hostsPlaying, kubernetesOf, roles} from '../shared/deployment.ts';

export const hasBackup = ({components}: Pick<Deployment, 'components'>): boolean => components.backup !== undefined;

/** The settings of the backups. To ask for them where there are none is a bug. */
export const backupOf = ({components}: Pick<Deployment, 'components'>): Backup => {
  if (components.backup === undefined) throw new Error('the deployment has no backups');
  return components.backup;
};

/** The host that keeps the copies. To ask for it where there is none is a bug: the rules of a deployment want one. */
export const backupHost = (deployment: Deployment): HostSpec => {
  const [host] = hostsPlaying(deployment, roles.backup);
  if (!host) throw new Error('the deployment has no backup host');
  return host;
};

/** Every host that something is fetched from. */
export const sourceHosts = (deployment: Deployment): readonly HostSpec[] =>
  deployment.hosts.filter(host => host.name !== backupHost(deployment).name);

const present: Readonly<Record<BackupGroup, (deployment: Deployment) => boolean>> = {
  postgresql: ({components}) => components.postgresql !== undefined,
  etcd: hasKubernetes,
  rancher: deployment => hasKubernetes(deployment) && kubernetesOf(deployment).rancher.enabled,
  files: deployment => hostsPlaying(deployment, roles.storage).length > 0,
  configurations: () => true,
};

/** Whether a group is wanted, and there is something that it copies. */
export const keeps = (deployment: Deployment, group: BackupGroup): boolean =>
  hasBackup(deployment) && backupOf(deployment).groups.includes(group) && present[group](deployment);

export const jobIds = [
  'postgresql-full',
  'postgresql-differential',
  'etcd',
  'files',
  'configurations',
  'offsite',
  'verify',
  'drill',
  'check',
] as const;

export type JobId = (typeof jobIds)[number];

/** What the backup host does by itself at its times. */
export type Job = {readonly id: JobId; readonly title: string; readonly calendar: string};

/** The jobs of a deployment, in the order of the night. */
export const jobsOf = (deployment: Deployment): readonly Job[] => {
  const {schedules, offsite} = backupOf(deployment);
  const databases = keeps(deployment, 'postgresql');
  const job = (id: JobId, title: string, calendar: string, wanted = true): readonly Job[] =>
    wanted ? [{id, title, calendar}] : [];
  return [
    ...job('postgresql-full', 'full backup of the databases', schedules.postgresqlFull, databases),
    ...job(
      'postgresql-differential',
      'differential backup of the databases',
      schedules.postgresqlDifferential,
      databases,
    ),
    ...job('etcd', 'copies of the cluster’s state', schedules.etcd, keeps(deployment, 'etcd')),
    ...job('files', 'volumes of the NFS share', schedules.files, keeps(deployment, 'files')),
    ...job(
      'configurations',
      'configurations of all hosts',
      schedules.configurations,
      keeps(deployment, 'configurations'),
    ),
    ...job('offsite', 'copy to the other site', schedules.offsite, offsite !== undefined),
    ...job('verify', 'proof that the copies can be read', schedules.verify),
    ...job('drill', 'restore into a throw-away database', schedules.drill, databases),
    ...job('check', 'look for missing and old backups', schedules.check),
  ];
};

export const serviceOf = (job: JobId): string => `groundwork-backup@${job}.service`;
export const timerOf = (job: JobId): string => `groundwork-backup-${job}.timer`;

/** The name under which pgBackRest keeps a deployment’s databases. */
export const stanzaOf = ({name}: Pick<Deployment, 'name'>): string => name;
