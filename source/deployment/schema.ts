import {z} from 'zod';
import {databasePlaces, moduleIds, type ServiceName, serviceNames} from './environments.ts';
import {backup, backupGroups} from './schema/backup.ts';
import {kubernetes} from './schema/kubernetes.ts';
import {
  address,
  checked,
  cidr,
  dnsLabel,
  domainName,
  hostReference,
  port,
  unixPath,
  userName,
} from './schema/scalars.ts';

export {backup, backupGroups, kubernetes};

/** The version that this program writes. Older ones are migrated when read (see migrate.ts). */
export const schemaVersion = 1;

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
