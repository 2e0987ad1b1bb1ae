import {calendarOf} from '../cron.ts';
import {changed, left, number, type Row, secretLeft, type Table, taken, text} from '../reading.ts';
import {isTrue} from '../settings-file.ts';
import {otherFile} from './environments.ts';

const backup = 'components.backup';

const rows = (keys: readonly string[], row: Row): Table => Object.fromEntries(keys.map(key => [key, row]));

/** What copies are kept of, by the name that the scripts have for it. A group that is not mentioned is on. */
const groups = {
  pg: 'postgresql',
  etcd: 'etcd',
  rancher: 'rancher',
  nfs: 'files',
  configs: 'configurations',
} as const;

const group: Row = (_, look) =>
  taken({
    [`${backup}.groups`]: Object.entries(groups)
      .filter(([key]) => isTrue(look.of(`groups.${key}`) ?? 'true'))
      .map(([, id]) => id),
  });

const schedule =
  (path: string): Row =>
  value => {
    const calendar = calendarOf(value);
    return calendar.ok
      ? taken({[`${backup}.schedules.${path}`]: calendar.value})
      : {outcome: 'wrong', note: calendar.error};
  };

const retention = (path: string): Row => number(`${backup}.retention.${path}`);

const passphrase = secretLeft(
  'names the file of a passphrase: a new one is made and kept in the vault; keep the file for the old copies',
);
const decided = left('Groundwork sees to it; there is nothing to set');
const objects = left('objects of MinIO lie on volumes of the share, and are copied with the files');
const reports = left('whom alerts reach is set once, under Components');

/** `backup-config.yaml`, but for its machine. What was copied before stays where it is, and is not added to. */
export const backups: Table = {
  prod_config: otherFile(['prod-config']),
  backup_repo_root: value =>
    changed('a folder of its own there: what the scripts have copied stays as it is', {
      [`${backup}.path`]: `${value.replace(/\/+$/, '')}/groundwork`,
    }),
  ...rows(['restic_passphrase_file', 'pgbackrest_passphrase_file'], passphrase),
  etcd_at_rest_key_file: secretLeft(
    'RKE2 encrypts the cluster’s secrets with a key of its own, which is copied with its state',
  ),
  ...rows(
    Object.keys(groups).map(key => `groups.${key}`),
    group,
  ),
  'groups.objectstore': objects,
  'retention.pg_full_count': retention('postgresqlFull'),
  'retention.pg_diff_count': retention('postgresqlDifferential'),
  'retention.pg_wal_days': left('the scripts do not use it: the archive goes back to the oldest full backup'),
  'retention.etcd_snapshot_count': retention('etcd'),
  'retention.rancher_backup_count': retention('rancher'),
  'retention.keep_daily': retention('daily'),
  'retention.keep_weekly': retention('weekly'),
  'retention.keep_monthly': retention('monthly'),
  'schedules.pg_full': schedule('postgresqlFull'),
  'schedules.pg_diff': schedule('postgresqlDifferential'),
  'schedules.etcd_pull': schedule('etcd'),
  'schedules.rancher': text(`${backup}.schedules.rancher`),
  'schedules.nfs': schedule('files'),
  'schedules.configs': schedule('configurations'),
  'schedules.objectstore': objects,
  'schedules.drill': schedule('drill'),
  'schedules.daily_report': schedule('check'),
  'schedules.wal_health': decided,
  ...rows(['pg.stanza_name', 'pg.parallel_jobs', 'pg.archive_timeout_seconds', 'pg.canary_table'], decided),
  ...rows(['nfs.export_root', 'nfs.paths', 'nfs.path*'], left('the whole share is copied')),
  ...rows(['nfs.excludes', 'nfs.exclude*'], left('nothing on the share is left out')),
  'resource_set.*': left('the scripts do not use it; Groundwork sees to what belongs to Rancher'),
  'etcd_encryption.enabled': left('RKE2 encrypts the cluster’s secrets from the start'),
  ...rows(
    ['versions.pgbackrest', 'versions.restic', 'versions.rancher_backup_chart'],
    left('versions are those that go together with the rest'),
  ),
  ...rows(['rancher.pvc_storage_class', 'rancher.pvc_size'], decided),
  ...rows(
    [
      'monitoring.enabled',
      'monitoring.instance',
      'monitoring.namespace',
      'monitoring.apply_prometheusrule',
      'monitoring.pushgateway_url',
      'monitoring.wal',
      'monitoring.max_*',
    ],
    decided,
  ),
  ...rows(['alerting.email_enabled', 'alerting.smtp_env_file', 'alerting.cron_mailto', 'alerting.mail_to'], reports),
  ...rows(
    ['objectstore.rclone_conf', 'objectstore.restic_password_file'],
    secretLeft('names a file with a secret, which is not read; MinIO’s volumes are copied with the files'),
  ),
  ...rows(
    ['rclone_remote', 'bucket', 'mount_point', 'restic_tag', 'keep_daily', 'keep_weekly'].map(
      key => `objectstore.${key}`,
    ),
    objects,
  ),
};
