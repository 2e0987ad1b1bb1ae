import {left, leftOut, number, type Row, secretFor, type Table, taken, text, wholeNumber} from '../reading.ts';

/** What Ubuntu 24.04 has, the only system that OpenG2P's scripts run on. */
const versionOfUbuntu = 16;

const postgresVersion: Row = value => {
  const version = wholeNumber(value);
  if (!version.ok) return {outcome: 'wrong', note: version.error};
  return version.value === versionOfUbuntu
    ? taken({'components.postgresql.packages': 'distribution'}, 'is what Ubuntu 24.04 has')
    : taken(
        {'components.postgresql.packages': 'pgdg', 'components.postgresql.version': version.value},
        'comes from the PostgreSQL project’s own packages',
      );
};

const listen: Row = (value, look) =>
  value === look.of('storage_private_ip')
    ? taken({}, 'it listens on the private address of the storage machine')
    : leftOut('PostgreSQL listens on the private address of the storage machine');

export const postgresql: Table = {
  postgres_version: postgresVersion,
  postgres_listen: listen,
  postgres_port: number('components.postgresql.port'),
  postgres_superuser_password: secretFor('postgres-superuser'),
};

export const nfs: Table = {
  // Both put the name of the cluster behind it.
  nfs_export_path: text('components.nfs.exportPath'),
  nfs_mount_path: left('volumes are mounted where they are needed; no path on the compute machine is'),
};
