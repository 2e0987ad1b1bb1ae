import {z} from 'zod';
import {parseAddress, parseCidr} from '../network/address.ts';
import {isDnsLabel, isDomainName, isHostReference} from '../network/names.ts';
import type {Result} from '../result.ts';
import {databasePlaces, moduleIds, type ServiceName, serviceNames} from './environments.ts';

/** The version that this program writes. Older ones are migrated when read (see migrate.ts). */
export const schemaVersion = 1;

const checked = (test: (text: string) => string | undefined) =>
  z.string().superRefine((text, context) => {
    const wrong = test(text);
    if (wrong) context.addIssue({code: 'custom', message: wrong});
  });

/** Checked and brought into its one canonical form, so that the rest of the program can compare text. */
const canonical = (parse: (text: string) => Result<string, string>) =>
  z.string().transform((text, context) => {
    const result = parse(text);
    if (result.ok) return result.value;
    context.addIssue({code: 'custom', message: result.error});
    return z.NEVER;
  });

export const address = canonical(parseAddress);
export const cidr = canonical(parseCidr);
export const dnsLabel = checked(text =>
  isDnsLabel(text)
    ? undefined
    : 'must be a DNS label: 1 to 63 lower-case letters, digits and hyphens, no hyphen at either end',
);
export const domainName = checked(text =>
  isDomainName(text) ? undefined : 'must be a domain name in lower case with at least one dot, like openg2p.test',
);
export const hostReference = checked(text =>
  isHostReference(text) ? undefined : 'must be an IP address or a host name',
);
export const port = z
  .int('must be a whole number')
  .min(1, 'must be from 1 to 65535')
  .max(65535, 'must be from 1 to 65535');
const unixPath = z.string().regex(/^\/(?!\/)[\w./@-]*$/, 'must be an absolute path of letters, digits and . _ @ - /');
const userName = z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/i, 'must be a user name of the host');

const login = {
  address: hostReference,
  port: port.default(22),
  user: userName.default('ubuntu'),
  /** Path on this side; without it the agent and OpenSSH's own settings decide. */
  identityFile: z
    .string()
    .regex(/^[^\p{Cc}]+$/u, 'must be the path of a file')
    .optional(),
};

/** A machine and how it is reached. `local` is the machine that Groundwork runs on. */
export const hostSpec = z.strictObject({
  name: dnsLabel,
  reach: z.enum(['ssh', 'local']).default('ssh'),
  ...login,
  jump: z.strictObject(login).optional(),
  roles: z.array(z.string().min(1)).min(1, 'needs at least one role'),
  /** Its address on the private subnet: what services bind to and names resolve to. */
  privateAddress: address,
});

/** A device of the VPN. Its address is given once and then stays, so that removing another peer does not move it. */
export const peer = z.strictObject({name: dnsLabel, address: address.optional()});

/** A VPN into the private network; several make several private channels. */
export const privateChannel = z.strictObject({
  name: dnsLabel,
  kind: z.literal('private'),
  subnet: cidr,
  port: port.default(51820),
  /** What peers dial: the public address or name of the proxy host, which may differ from every address it has. */
  endpoint: hostReference,
  /** `split`: only the VPN's and the private subnets go through it. `full`: everything does. */
  tunnel: z.enum(['split', 'full']).default('split'),
  peers: z.array(peer).default([]),
});

/** Opens 80 and 443 to everybody. Needs the sentence of `publicAcknowledgement`, typed. */
export const publicChannel = z.strictObject({
  name: dnsLabel,
  kind: z.literal('public'),
  acknowledgement: z.string(),
  /** What public names lead to: the proxy's own public address, or that of a router before it. */
  address: address.optional(),
});

export const publicAcknowledgement = 'anyone on the internet can reach this';

/** Minute, hour, day of the month, month, day of the week; each a number, `*`, a range, a list or a step. */
const cronSchedule = z
  .string()
  .regex(/^[\d*,/-]+( [\d*,/-]+){4}$/, 'must be five fields of cron, like "0 */12 * * *" (twice a day)');

/** A registry of the site that images are pulled from. Its password, if it wants one, is in the vault. */
export const imageRegistry = z.strictObject({
  /** With a path when the registry keeps the images of others below one: `https://registry.site.example/mirror`. */
  address: z
    .string()
    .regex(
      /^https?:\/\/[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?(\/[\w.-]+)*$/,
      'must be an address like https://registry.site.example:5000, without a login and without "/" at its end',
    ),
  user: z
    .string()
    .regex(/^[\w.@$+-]+$/, 'must be a user name of the registry')
    .optional(),
  /** On the compute hosts: the certificate of the authority that signed the registry's own. */
  authorityFile: unixPath.optional(),
});

/** How much of a machine a part of the platform may take: `small` is for one machine of the sandbox's size. */
const platformSize = z.enum(['small', 'medium', 'large']);

/** An address that mail goes from or to. */
const mailAddress = z.email('must be a mail address, like operators@example.org');

/**
 * Where alerts go. Nothing secret stands here: the address of Slack's webhook, the mail server's password and the token
 * of Telegram's bot are in the vault.
 */
export const alertChannels = z.strictObject({
  slack: z.strictObject({channel: z.string().regex(/^[#@][\w.-]+$/, 'must be a channel like #alerts')}).optional(),
  mail: z
    .strictObject({
      server: hostReference,
      port: port.default(587),
      from: mailAddress,
      to: z.array(mailAddress).min(1, 'needs at least one receiver'),
      /** Without it the server is used without logging in. */
      user: z
        .string()
        .regex(/^[^\p{Cc}]+$/u, 'must be a user name of the mail server')
        .optional(),
    })
    .optional(),
  /** The number of the chat, negative for a group. */
  telegram: z.strictObject({chat: z.int().refine(chat => chat !== 0, 'must be the number of a chat')}).optional(),
});

/** What runs on the cluster for its operators. */
const platform = {
  storage: z
    .strictObject({
      /** Of the class that claims get when they name none. */
      className: dnsLabel,
      /** What becomes of the data of a claim that is deleted. */
      reclaim: z.enum(['Retain', 'Delete']),
    })
    .default({className: 'nfs-csi', reclaim: 'Retain'}),
  rancher: z
    .strictObject({
      enabled: z.boolean().default(true),
      replicas: z.int().min(1).max(5).default(1),
    })
    .default({enabled: true, replicas: 1}),
  monitoring: z
    .strictObject({
      enabled: z.boolean().default(true),
      size: platformSize.default('small'),
      alerts: alertChannels.default({}),
    })
    .default({enabled: true, size: 'small', alerts: {}}),
  logging: z
    .strictObject({
      enabled: z.boolean().default(true),
      size: platformSize.default('small'),
      /** After which log lines are erased. */
      retentionDays: z.int().min(1).max(365).default(7),
    })
    .default({enabled: true, size: 'small', retentionDays: 7}),
};

/** RKE2 and what runs on it. */
export const kubernetes = z.strictObject({
  /** A row of the version matrix. */
  versions: z.string().default('default'),
  /** The profile that RKE2 has for the CIS benchmark: more is refused, also of what others install. */
  cis: z.boolean().default(false),
  registry: imageRegistry.optional(),
  /** Copies of the cluster's state on the host itself; those that are off the host are another matter. */
  snapshots: z
    .strictObject({schedule: cronSchedule, keep: z.int().min(1).max(1000)})
    // The two defaults of RKE2 itself.
    .default({schedule: '0 */12 * * *', keep: 5}),
  ...platform,
});

/** Programs beside us on the way out of the site: without a login, because nothing secret stands in a deployment. */
const outboundProxy = z.strictObject({
  address: z
    .string()
    .regex(
      /^(https?|socks5h?):\/\/([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(:\d{1,5})?$/i,
      'must be an address like http://proxy.site.example:3128, without a login',
    ),
  /** Names, domains and subnets that are reached without it. */
  exclude: z.array(z.string().regex(/^[\w.*:/-]+$/, 'must be a name, a domain, an address or a subnet')).default([]),
});

/** Where what is downloaded comes from: its publishers, a copy of them inside the site, a folder that was carried in. */
export const artifactSource = z.discriminatedUnion('source', [
  z.strictObject({source: z.literal('online'), proxy: outboundProxy.optional()}),
  z.strictObject({
    source: z.literal('mirror'),
    /** The same files lie below it at HOST/PATH of their publishers' addresses. */
    address: z
      .string()
      .regex(
        /^https?:\/\/([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(:\d{1,5})?(\/[\w.~-]+)*$/i,
        'must be an address like https://mirror.site.example/groundwork, without a login and without "/" at its end',
      ),
    /**
     * `pinned`: what Groundwork knows beforehand must be what the mirror has. `published`: the checksums on the mirror
     * decide, for a site that builds its own; whoever can write there is then trusted like the publishers.
     */
    checksums: z.enum(['pinned', 'published']).default('pinned'),
    proxy: outboundProxy.optional(),
  }),
  z.strictObject({
    source: z.literal('directory'),
    /** On this side; filled by `groundwork artifacts pull`. */
    path: z.string().regex(/^\/[^\p{Cc}]*$/u, 'must be the absolute path of a folder on this side'),
    proxy: outboundProxy.optional(),
  }),
]);

/** Who answers for the platform's names. */
const dns = z.strictObject({
  /** `own`: a DNS server on the proxy that Groundwork sets up. `site`: the DNS that the site has, where people make records. */
  server: z.enum(['own', 'site']).default('own'),
  /** With `site`: the resolver that devices of the VPN ask, inside of what the tunnel reaches. Absent: they keep theirs. */
  resolver: address.optional(),
  /** Whom our own server asks about other names. Empty: taken from the host. */
  upstreams: z.array(address).default([]),
});

/** PostgreSQL on the storage host, for all environments: each has users and databases of its own there. */
export const postgresql = z.strictObject({
  /** `distribution`: the version that the host's system has. `pgdg`: a version of the PostgreSQL project's own packages. */
  packages: z.enum(['distribution', 'pgdg']).default('distribution'),
  /** Major version, with `pgdg`. */
  version: z.int().min(15, 'must be 15 or newer').max(18, 'must be 18 or older').default(17),
  port: port.default(5432),
});

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

/** Who vouches for the names of the deployment. */
export const tls = z.discriminatedUnion('mode', [
  z.strictObject({
    /** An authority of the deployment's own, made by Groundwork. */
    mode: z.literal('local-ca'),
    /** Days that a leaf certificate is valid. 825 is the most that Apple's systems accept from a private CA. */
    leafDays: z.int().min(30).max(825).default(397),
    /** Days before expiry from which a run renews it. */
    renewDays: z.int().min(1).max(200).default(60),
  }),
  z.strictObject({
    /** Certificates from a CA, which the operator brings. With their keys they lie in the vault, under these names. */
    mode: z.literal('supplied'),
    certificates: z.array(dnsLabel).min(1, 'needs the name of at least one certificate').default(['main']),
    /** Days before expiry from which it is said. */
    warnDays: z.int().min(1).max(200).default(30),
  }),
]);

const hostnames = Object.fromEntries(serviceNames.map(name => [name, domainName.optional()])) as Record<
  ServiceName,
  z.ZodOptional<typeof domainName>
>;

/** Who may work in an environment, as a project of Rancher: its administrators may everywhere. */
const member = z.strictObject({
  /** As Rancher names a user or a group: `local://u-abc12`. */
  principal: z.string().regex(/^[a-z0-9_]+:\/\/[\w.@=,+-]+$/i, 'must be a principal of Rancher, like local://u-abc12'),
  kind: z.enum(['user', 'group']).default('user'),
  /** `member` changes what runs there, `read-only` looks at it; neither sees Secrets. */
  role: z.enum(['member', 'read-only']).default('member'),
});

/** A namespace with OpenG2P's services and modules, and a domain of its own. */
export const environment = z.strictObject({
  name: checked(text =>
    /^[a-z][a-z0-9]{0,19}$/.test(text)
      ? undefined
      : 'must be 1 to 20 lower-case letters and digits that begin with a letter, like qa: it becomes part of names',
  ),
  /** Absent: its name below the deployment's domain. */
  domain: domainName.optional(),
  modules: z.array(z.enum(moduleIds)).default([]),
  /** Where its databases are. Absent: on the storage host where that has PostgreSQL, else in its namespace. */
  database: z.enum(databasePlaces).optional(),
  /** Where a service is to be found under another name than the usual one below the environment's domain. */
  hostnames: z.strictObject(hostnames).default({}),
  /** Of the first user, who may do everything in the environment's services. */
  adminEmail: z.email('must be an e-mail address').optional(),
  members: z.array(member).default([]),
});

export const deployment = z.strictObject({
  version: z.literal(schemaVersion),
  name: dnsLabel,
  blueprint: z.string(),
  topology: z.string(),
  hosts: z.array(hostSpec),
  domain: domainName,
  tls,
  channels: z.array(z.discriminatedUnion('kind', [privateChannel, publicChannel])),
  network: z.strictObject({
    privateSubnet: cidr,
    /** Where SSH is allowed from, beside the private subnet and the VPN. */
    adminSources: z.array(cidr).min(1, 'needs at least one source, or nobody can log in'),
    pods: cidr.default('10.42.0.0/16'),
    services: cidr.default('10.43.0.0/16'),
  }),
  components: z.strictObject({
    timeServers: z.array(hostReference).default([]),
    dns,
    nfs: z.strictObject({
      server: z.enum(['auto', 'kernel', 'ganesha']).default('auto'),
      exportPath: unixPath.default('/srv/nfs'),
    }),
    nginx: z.strictObject({
      /** Megabytes of the largest request body: uploads to ODK, MinIO and Superset. */
      maxBodyMb: z.int().min(1).max(10_000).default(100),
    }),
    /** Absent: each environment has a database server of its own in its namespace. */
    postgresql: postgresql.optional(),
    /** Absent: nothing is backed up. */
    backup: backup.optional(),
    automaticUpdates: z.enum(['security', 'off']).default('security'),
    /** Absent: the ground alone is laid. */
    kubernetes: kubernetes.optional(),
  }),
  artifacts: artifactSource.default({source: 'online'}),
  environments: z.array(environment).default([]),
  /** Preflight checks that failed and were accepted, by host: `["sandbox-1:memory"]`. */
  acceptedChecks: z.array(z.string()).default([]),
});

export type Deployment = z.infer<typeof deployment>;
export type HostSpec = z.infer<typeof hostSpec>;
export type ArtifactSource = z.infer<typeof artifactSource>;
export type OutboundProxy = z.infer<typeof outboundProxy>;
export type Postgresql = z.infer<typeof postgresql>;
export type Backup = z.infer<typeof backup>;
export type BackupGroup = (typeof backupGroups)[number];
export type Kubernetes = z.infer<typeof kubernetes>;
export type Tls = z.infer<typeof tls>;
export type Channel = Deployment['channels'][number];
export type Environment = Deployment['environments'][number];
export type PrivateChannel = z.infer<typeof privateChannel>;
export type PublicChannel = z.infer<typeof publicChannel>;
export type Peer = z.infer<typeof peer>;
