import type {Remedy} from '../../source/engine/step.ts';

/** The first that matches is shown, so what is special stands before what is general. */
export const postgresqlRemedies: readonly Remedy[] = [
  {
    id: 'postgresql-disk',
    match:
      /the file system of the databases is full|could not write init file|(could not (write|extend|create)|PANIC|FATAL).*no space left on device/i,
    cause:
      'The disk of the databases is full, and PostgreSQL stops rather than lose data. Often it is WAL that a backup did not fetch.',
    remedy:
      'See `df -h /var/lib/postgresql` and `du -sh /var/lib/postgresql/*/main/pg_wal`. Never delete in pg_wal: enlarge the disk, let the backup run, or drop a dead replication slot (pg_replication_slots). Then retry.',
  },
  {
    id: 'postgresql-port',
    match:
      /could not bind .*address already in use|is another postmaster already running on port|port \d+ is already used/i,
    cause: 'Another program of the host holds the port of the database server.',
    remedy: 'See which with `ss -tlpn "sport = :5432"`; stop and disable it, or choose another port, then retry.',
  },
  {
    id: 'postgresql-address',
    match: /could not bind .*cannot assign requested address/i,
    cause: 'The private address of the deployment is not an address of this host.',
    remedy: 'Compare `ip address` on the host with its private address in the deployment, then retry.',
  },
  {
    id: 'postgresql-locale',
    match:
      /invalid locale (name|settings)|locale .*(not available|is not supported)|encoding "\w+" does not match locale/i,
    cause: 'The host lacks the locale en_US.UTF-8, or makes databases with another.',
    remedy: 'Check `locale -a | grep en_US` on the host. If it is missing: `sudo locale-gen en_US.UTF-8`, then retry.',
  },
  {
    id: 'postgresql-damaged',
    match:
      /replorigin.*wrong magic|could not (read|find|locate).*(replorigin_checkpoint|checkpoint record|valid checkpoint)|invalid (primary )?checkpoint record/i,
    cause:
      'A file that the server needs to come up is damaged: a disk that lied about having written, or a copy taken while it ran.',
    remedy:
      'Do not run pg_resetwal: it loses data without saying which. Check the disk (`dmesg`, `smartctl`), then restore from the backup.',
  },
  {
    id: 'postgresql-checksum',
    match: /page verification failed|invalid page in block/i,
    cause: 'The disk gave back other data than it was given: some of the database is damaged.',
    remedy: 'Take no new full backup over the old ones. Check the disk, then restore to a point before the damage.',
  },
  {
    id: 'postgresql-other-version',
    match: /its data would not be in version/i,
    cause: 'The host has databases of another version, and a new server would begin empty beside them.',
    remedy:
      'Set the version that is there in the deployment; or move the data first: `sudo pg_upgradecluster OLD main`.',
  },
  {
    id: 'postgresql-no-checksums',
    match: /holds data without checksums/i,
    cause: 'The databases on the host were made without checksums, so a bad disk would go unnoticed.',
    remedy: 'Take a backup, run the command that the message names while nobody works, then retry.',
  },
  {
    id: 'postgresql-files',
    match: /does not take its files|configuration file .* contains errors|could not load .*pg_hba\.conf/i,
    cause: 'Somebody’s settings in /etc/postgresql have an error, so none of the changed ones was taken.',
    remedy: 'Put right the line that the message names, then retry.',
  },
  {
    id: 'postgresql-down',
    match:
      /the database server (does not run|did not come up again)|could not start postgresql@|postgresql@.* did not stay up/i,
    cause: 'The database server is down. The lines above say why, as far as it said so.',
    remedy: 'See `sudo tail -n 50 /var/log/postgresql/postgresql-*-main.log` on the host; put that right, then retry.',
  },
  {
    id: 'postgresql-silent',
    match: /waited .* for the database server|no response|rejecting connections/i,
    cause: 'The server runs and does not answer at its private address: it is still recovering, or listens elsewhere.',
    remedy: 'See `ss -tln "sport = :5432"` and its log; a server that recovers says how far it is. Then retry.',
    transient: true,
  },
];
