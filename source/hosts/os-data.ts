import type {Facts} from './facts.ts';

/**
 * A server program as one release of a system packages it. Versions were read from the archives of the four systems in
 * November 2026 (release and updates); only `nginx` and `openssl` decide anything, the others are for the operator.
 */
export type OsData = {
  readonly id: 'ubuntu' | 'debian';
  readonly version: string;
  readonly codename: string;
  readonly title: string;
  /** Names of packages, by what they are for. Every one exists in every supported system. */
  readonly packages: {
    readonly timeSync: 'chrony';
    readonly firewall: 'ufw';
    readonly wireguard: 'wireguard-tools';
    /** WireGuard in user space, for a kernel that has none. */
    readonly wireguardUserspace: 'wireguard-go';
    readonly dnsServer: 'dnsmasq';
    /** `dig`. */
    readonly dnsTools: 'bind9-dnsutils';
    readonly proxy: 'nginx';
    readonly tls: 'openssl';
    readonly nfs: {readonly kernel: readonly string[]; readonly ganesha: readonly string[]};
    readonly automaticUpdates: 'unattended-upgrades';
  };
  /** Components of the archive that hold them; a minimal installation has all of these enabled. */
  readonly components: readonly string[];
  readonly time: {
    /** What a fresh installation keeps its clock right with; installing chrony removes it. */
    readonly shipped: 'systemd-timesyncd';
    readonly service: 'chrony';
    /** Both directories are read since chrony 4.0. */
    readonly sourcesDirectory: '/etc/chrony/sources.d';
    readonly configurationDirectory: '/etc/chrony/conf.d';
  };
  readonly resolver: {
    /** What a fresh server has; a host may differ, so that `Facts.resolver` decides and this only explains. */
    readonly usual: 'systemd-resolved' | 'resolv.conf';
  };
  /** Who usually configures interfaces on a fresh server; `Facts.networkManagedBy` says who does. */
  readonly network: readonly ('netplan' | 'ifupdown' | 'systemd-networkd')[];
  readonly nginx: {
    readonly version: string;
    /** Since 1.25.1 `http2 on;` is a directive and `listen … http2` prints a warning; before it is the only way. */
    readonly http2: 'listen' | 'directive';
    /** `ssl_reject_handshake on;` exists since 1.19.4. Before, a default server needs some certificate to refuse with. */
    readonly rejectHandshake: boolean;
  };
  readonly openssl: {readonly version: string};
  /** The major version that the archive's `postgresql` stands for. */
  readonly postgresql: {readonly version: number};
  readonly automaticUpdates: {
    /** `Unattended-Upgrade::Origins-Pattern` for security updates alone. */
    readonly securityOrigins: readonly string[];
  };
  readonly apt: {
    /** Installed by default: asks, or restarts services by itself, after every installation. */
    readonly needrestart: boolean;
    /** Environment that keeps apt and its hooks from asking and from restarting services. Harmless where it is not needed. */
    readonly quietEnvironment: Readonly<Record<string, string>>;
  };
  /** Whether systemd reads /etc/sysctl.conf at boot; Debian 13 has dropped it. Drop-ins in /etc/sysctl.d work everywhere. */
  readonly readsSysctlConf: boolean;
};

const packages: OsData['packages'] = {
  timeSync: 'chrony',
  firewall: 'ufw',
  wireguard: 'wireguard-tools',
  wireguardUserspace: 'wireguard-go',
  dnsServer: 'dnsmasq',
  dnsTools: 'bind9-dnsutils',
  proxy: 'nginx',
  tls: 'openssl',
  nfs: {kernel: ['nfs-kernel-server'], ganesha: ['nfs-ganesha', 'nfs-ganesha-vfs']},
  automaticUpdates: 'unattended-upgrades',
};

const time: OsData['time'] = {
  shipped: 'systemd-timesyncd',
  service: 'chrony',
  sourcesDirectory: '/etc/chrony/sources.d',
  configurationDirectory: '/etc/chrony/conf.d',
};

/** `NEEDRESTART_SUSPEND` switches needrestart's apt hook off; on 24.04 it would restart services unasked. */
const quietEnvironment = {
  DEBIAN_FRONTEND: 'noninteractive',
  DEBCONF_NONINTERACTIVE_SEEN: 'true',
  APT_LISTCHANGES_FRONTEND: 'none',
  NEEDRESTART_SUSPEND: '1',
};

type Release = Pick<OsData, 'version' | 'codename' | 'nginx' | 'openssl' | 'postgresql' | 'readsSysctlConf'>;

const ubuntu = (release: Release): OsData => ({
  ...release,
  id: 'ubuntu',
  title: `Ubuntu ${release.version} LTS`,
  packages,
  components: ['main', 'universe'],
  time,
  resolver: {usual: 'systemd-resolved'},
  network: ['netplan'],
  automaticUpdates: {
    securityOrigins: [
      `origin=Ubuntu,archive=${release.codename}-security`,
      `origin=UbuntuESMApps,archive=${release.codename}-apps-security`,
      `origin=UbuntuESM,archive=${release.codename}-infra-security`,
    ],
  },
  apt: {needrestart: true, quietEnvironment},
});

const debian = (release: Release): OsData => ({
  ...release,
  id: 'debian',
  title: `Debian ${release.version}`,
  packages,
  components: ['main'],
  time,
  resolver: {usual: 'resolv.conf'},
  network: ['ifupdown', 'netplan', 'systemd-networkd'],
  automaticUpdates: {
    securityOrigins: [`origin=Debian,codename=${release.codename}-security,label=Debian-Security`],
  },
  apt: {needrestart: false, quietEnvironment},
});

const listen = (version: string, rejectHandshake: boolean): OsData['nginx'] => ({
  version,
  http2: 'listen',
  rejectHandshake,
});

/** Every system that Groundwork installs on. What differs between them stands here and nowhere else. */
export const supportedSystems: readonly OsData[] = [
  ubuntu({
    version: '22.04',
    codename: 'jammy',
    nginx: listen('1.18.0', false),
    openssl: {version: '3.0.2'},
    postgresql: {version: 14},
    readsSysctlConf: true,
  }),
  ubuntu({
    version: '24.04',
    codename: 'noble',
    nginx: listen('1.24.0', true),
    openssl: {version: '3.0.13'},
    postgresql: {version: 16},
    readsSysctlConf: true,
  }),
  debian({
    version: '12',
    codename: 'bookworm',
    nginx: listen('1.22.1', true),
    openssl: {version: '3.0'},
    postgresql: {version: 15},
    readsSysctlConf: true,
  }),
  debian({
    version: '13',
    codename: 'trixie',
    nginx: {version: '1.26.3', http2: 'directive', rejectHandshake: true},
    openssl: {version: '3.5'},
    postgresql: {version: 17},
    readsSysctlConf: false,
  }),
];

/** What Groundwork knows of a host's system; undefined for one that it does not install on. */
export const osDataFor = (facts: Pick<Facts, 'os'>): OsData | undefined =>
  supportedSystems.find(({id, version}) => id === facts.os.id && version === facts.os.version);

/** In one line, for messages: `Ubuntu 22.04 LTS, Ubuntu 24.04 LTS, Debian 12, Debian 13`. */
export const supportedTitles: string = supportedSystems.map(({title}) => title).join(', ');

/** Kinds of virtualisation that share the kernel, and with it the clock and the swap, of the machine below. */
const containers = /^(container|lxc|lxc-libvirt|systemd-nspawn|docker|podman|openvz|rkt|proot|pouch)/;

export const isContainer = (facts: Pick<Facts, 'virtualisation'>): boolean => containers.test(facts.virtualisation);

/**
 * Which NFS server a host gets: the kernel's where the kernel can serve, else NFS-Ganesha in user space. A container
 * sees the kernel's server and may not use it. A setting other than `auto` is obeyed; preflight says when it cannot work.
 */
export const nfsServerFor = (
  setting: 'auto' | 'kernel' | 'ganesha',
  facts: Pick<Facts, 'kernelFeatures' | 'virtualisation'>,
): 'kernel' | 'ganesha' => {
  if (setting !== 'auto') return setting;
  return facts.kernelFeatures.nfsd && !isContainer(facts) ? 'kernel' : 'ganesha';
};
