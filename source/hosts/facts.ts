export type Disk = {readonly name: string; readonly bytes: number; readonly rotational: boolean | undefined};

export type Mount = {
  readonly path: string;
  readonly type: string;
  readonly bytes: number;
  /** What root-less programs may still use: the blocks reserved for root do not count. */
  readonly freeBytes: number;
  /** Number.MAX_SAFE_INTEGER on file systems that have no fixed number of inodes (btrfs). */
  readonly freeInodes: number;
  /** Names of the disks below it, as in `Facts.disks`; empty when that cannot be told (overlay, network). */
  readonly disks: readonly string[];
};

/** A route of the main table other than the default ones. */
export type Route = {readonly destination: string; readonly interface: string; readonly gateway: string | undefined};

/** Proxies that the host's own settings name, with any password in them masked. */
export type ProxySettings = {
  readonly http: string | undefined;
  readonly https: string | undefined;
  readonly noProxy: string | undefined;
  readonly apt: string | undefined;
};

/** Which of the servers that apt installs from accepted a connection. */
export type PackageSources = {
  /** At least one did, or packages come from this machine's own disk. */
  readonly reachable: boolean;
  readonly detail: string;
  /** Those that did not. */
  readonly unreachable: readonly string[];
};

export type NetworkInterface = {
  readonly name: string;
  readonly mac: string;
  readonly mtu: number;
  readonly up: boolean;
  /** With prefix length: `10.0.0.11/24`, `fd00::1/64`. */
  readonly addresses: readonly string[];
};

export type Listener = {
  readonly protocol: 'tcp' | 'udp';
  readonly address: string;
  readonly port: number;
  /** Name of the first process that holds it; empty when the kernel itself listens, or it cannot be seen. */
  readonly process: string;
};

/** What one round trip found out about a host. Sizes in bytes. */
export type Facts = {
  /** /etc/os-release: `ubuntu` or `debian`, `24.04` or `12`, and its codename. */
  readonly os: {readonly id: string; readonly version: string; readonly codename: string; readonly title: string};
  readonly kernel: string;
  /** As dpkg names it: `amd64`, `arm64`. */
  readonly arch: string;
  readonly hostname: string;
  readonly machineId: string;
  /** Changes at every boot. */
  readonly bootId: string;
  /** `none`, `kvm`, `lxc`, … as systemd-detect-virt says; `unknown` if nothing says. */
  readonly virtualisation: string;
  readonly systemd: boolean;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly swapBytes: number;
  readonly disks: readonly Disk[];
  readonly mounts: readonly Mount[];
  readonly interfaces: readonly NetworkInterface[];
  readonly defaultRoute: {readonly interface: string; readonly gateway: string} | undefined;
  readonly routes: readonly Route[];
  /** The resolvers that the host uses itself, without its own stub (127.0.0.53). */
  readonly nameservers: readonly string[];
  readonly resolver: {
    /** systemd-resolved runs. */
    readonly resolved: boolean;
    /** Its stub listens on 127.0.0.53:53. */
    readonly stub: boolean;
    /** What /etc/resolv.conf is: the target of the link, `file`, or `absent`. */
    readonly resolvConf: string;
  };
  /** Who configures the interfaces. */
  readonly networkManagedBy: 'netplan' | 'ifupdown' | 'systemd-networkd' | 'NetworkManager' | 'unknown';
  /** Whether its own hostname resolves; sudo and others complain when it does not. */
  readonly hostnameResolves: boolean;
  readonly listeners: readonly Listener[];
  readonly time: {readonly synchronised: boolean; readonly service: string; readonly epochSeconds: number};
  /** Which of apt's locks a process holds, and which process; undefined when free. */
  readonly aptLock: string | undefined;
  /** Whether the first boot's set-up by cloud-init has ended. `error`: it ended, and reports errors. */
  readonly cloudInit: 'done' | 'running' | 'absent' | 'error';
  /** An update waits for a restart. */
  readonly rebootRequired: boolean;
  /** Undefined when it was not tried: see `inspectionScript`. */
  readonly packageSources: PackageSources | undefined;
  readonly proxy: ProxySettings;
  /** Whether the kernel can serve NFS, speak WireGuard, and filter packets, built in or as a loadable module. */
  readonly kernelFeatures: {
    readonly nfsd: boolean;
    readonly wireguard: boolean;
    /** wireguard-go and /dev/net/tun are there: WireGuard without the kernel's help. */
    readonly wireguardUserspace: boolean;
    readonly netfilter: boolean;
    readonly ipv6: boolean;
  };
  /**
   * The address from which this connection comes, as the host sees it. For this machine: where the operator's own
   * SSH session comes from, because a firewall must not cut that either; undefined at the console.
   */
  readonly seenFrom: string | undefined;
  /** The port of the SSH server that this connection uses; undefined without one. */
  readonly sshPort: number | undefined;
  /** What is already there of ours: the name of the deployment that wrote /var/lib/groundwork/deployment, if any. */
  readonly deployment: string | undefined;
  /** Leftovers that matter: an older Kubernetes, an OpenG2P bash installation. */
  readonly leftovers: readonly string[];
  readonly practice: boolean;
  /** Read as root. Without, listeners have no process names and locks cannot be seen. */
  readonly privileged: boolean;
  /** What could not be read, by name (`listeners`, `time`): the value beside it is a guess or empty. */
  readonly unread: readonly string[];
};
