import {z} from 'zod';
import {cronSchedule, hostReference, port, unixPath, userName} from './scalars.ts';

/** What is kept copies of. `files` are the volumes on the NFS share. */
export const backupGroups = ['postgresql', 'etcd', 'rancher', 'files', 'configurations'] as const;

/** When something is done, as systemd's calendar writes it (systemd.time(7)); the time zone stands beside it, once. */
const calendar = z
  .string()
  .regex(
    /^(((Mon|Tue|Wed|Thu|Fri|Sat|Sun)(\.\.(Mon|Tue|Wed|Thu|Fri|Sat|Sun))?)(,(Mon|Tue|Wed|Thu|Fri|Sat|Sun)(\.\.(Mon|Tue|Wed|Thu|Fri|Sat|Sun))?)* )?(\*-\*-[\d*,./]+ )?[\d*,./]+:[\d*,./]+$/,
    'must be a time of systemd’s calendar without a zone, like "Sun *-*-* 02:00" or "*-*-* 00/6:15"',
  );

const kept = (usual: number) => z.int().min(1).max(1000).default(usual);

const retention = z.strictObject({
  /** Full backups of the databases; what the archive needs to go from the oldest of them to now stays with them. */
  postgresqlFull: kept(4),
  /** Differential backups between them. */
  postgresqlDifferential: kept(7),
  /** Copies of the cluster’s state, of each server. */
  etcd: kept(28),
  /** Copies of Rancher’s objects. */
  rancher: kept(14),
  /** Of files and configurations: the last one of so many days, weeks and months. */
  daily: kept(7),
  weekly: kept(4),
  monthly: kept(6),
});

/** One after the other through the night: what others copy comes before them. */
const backupSchedules = z.strictObject({
  postgresqlFull: calendar.default('Sun *-*-* 02:00'),
  postgresqlDifferential: calendar.default('Mon..Sat *-*-* 02:00'),
  etcd: calendar.default('*-*-* 00/6:15'),
  /** As cron writes it, in UTC: Rancher’s own operator keeps it, inside the cluster. */
  rancher: cronSchedule.default('0 3 * * *'),
  files: calendar.default('*-*-* 03:30'),
  configurations: calendar.default('*-*-* 04:00'),
  offsite: calendar.default('*-*-* 04:30'),
  verify: calendar.default('Sat *-*-* 05:00'),
  drill: calendar.default('Sun *-*-* 05:00'),
  check: calendar.default('*-*-* 07:00'),
});

/** Whether old copies at the other site are given up as here; false where it takes what is new and lets nothing go. */
const prune = z.boolean().default(true);

/** A second repository at another site, written with restic. What opens it is in the vault. */
const offsite = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('s3'),
    endpoint: z
      .string()
      .regex(
        /^https?:\/\/[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/,
        'must be an address like https://s3.other-site.example, without "/" at its end',
      ),
    bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of a bucket'),
    region: z
      .string()
      .regex(/^[a-z0-9-]+$/, 'must be a region like eu-central-1')
      .optional(),
    keyId: z.string().regex(/^[\w+/=-]+$/, 'must be the id of an access key'),
    prune,
  }),
  z.strictObject({
    kind: z.literal('sftp'),
    host: hostReference,
    port: port.default(22),
    user: userName,
    path: unixPath,
    /** The server’s public key, as in known_hosts: it is never taken from the network. */
    hostKey: z
      .string()
      .regex(/^(ssh-(ed25519|rsa)|ecdsa-sha2-nistp\d+) [A-Za-z0-9+/]+=*$/, 'must be a key like "ssh-ed25519 AAAA…"'),
    prune,
  }),
]);

/** The backup host: what it fetches, how long it keeps it, when. */
export const backup = z.strictObject({
  /** Where the copies lie; best a volume of its own. */
  path: unixPath.default('/var/lib/groundwork-backup'),
  /** A group whose part of the platform is not installed is passed over. */
  groups: z.array(z.enum(backupGroups)).default([...backupGroups]),
  retention: retention.default(retention.parse({})),
  schedules: backupSchedules.default(backupSchedules.parse({})),
  /** Of all schedules, whatever the machines’ own zone is. */
  timeZone: z
    .string()
    .regex(/^[A-Za-z]+([/_+-][A-Za-z0-9_+-]+)*$/, 'must be a time zone like UTC or Africa/Nairobi')
    .default('UTC'),
  /**
   * GB of the database’s journal that may wait while the backup host cannot be reached. Beyond, the oldest is given up, so
   * that the database does not stop for want of room; the next backup closes the gap.
   */
  archiveQueueGb: z.int().min(1).max(10_000).default(32),
  /** GB that must be free in the repository; less is an alert. */
  leastFreeGb: z.int().min(1).max(100_000).default(25),
  offsite: offsite.optional(),
});
