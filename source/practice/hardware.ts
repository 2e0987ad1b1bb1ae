import {supportedSystems} from '../hosts/os-data.ts';

/** The machine that a practice host pretends to be. Memory in GiB as bought; disk in GB as vendors count. */
export type PracticeHostSpec = {
  /** Its host name. */
  readonly name: string;
  readonly cpus: number;
  readonly memoryGb: number;
  readonly diskGb: number;
  /** A second, empty disk. */
  readonly volumeGb?: number;
  /** `ubuntu-24.04`, `debian-12`, …: one that Groundwork installs on. */
  readonly os: string;
};

/** Where it stands in the network that practice hosts pretend to share. */
export type Place = {
  readonly address: string;
  readonly mac: string;
  readonly operator: string;
  readonly gateway: string;
};

export const placeOf = (index: number): Place => ({
  address: `10.0.0.${11 + index}`,
  mac: `02:42:0a:00:00:${(11 + index).toString(16).padStart(2, '0')}`,
  operator: '10.0.0.5',
  gateway: '10.0.0.1',
});

export const systemOf = ({os}: Pick<PracticeHostSpec, 'os'>) =>
  supportedSystems.find(({id, version}) => `${id}-${version}` === os);

/** Of each GiB that is bought, the kernel keeps about a fiftieth for itself and shows the rest. */
const shown = 0.981;

const lines = (...all: readonly string[]): string => `${all.join('\n')}\n`;

const memory = ({memoryGb}: PracticeHostSpec): string => {
  const total = Math.round(memoryGb * 1024 * 1024 * shown);
  const kb = (name: string, value: number) => `${`${name}:`.padEnd(16)}${String(Math.round(value)).padStart(8)} kB`;
  return lines(
    kb('MemTotal', total),
    kb('MemFree', total * 0.93),
    kb('MemAvailable', total * 0.97),
    kb('Buffers', total * 0.005),
    kb('Cached', total * 0.03),
    kb('SwapTotal', 2 * 1024 * 1024),
    kb('SwapFree', 2 * 1024 * 1024),
  );
};

const processors = ({cpus}: PracticeHostSpec): string =>
  lines(
    ...Array.from({length: cpus}, (_, index) =>
      lines(
        `processor\t: ${index}`,
        'vendor_id\t: GenuineIntel',
        'model name\t: practice processor',
        `cpu cores\t: ${cpus}`,
      ),
    ),
  );

/** /sys/block counts in sectors of 512 bytes, whatever the disk's own are. */
const sectors = (gigabytes: number): number => Math.floor((gigabytes * 1e9) / 512);

const network = (name: string, mac: string, mtu: number): Readonly<Record<string, string>> => ({
  [`sys/class/net/${name}/address`]: lines(mac),
  [`sys/class/net/${name}/mtu`]: lines(String(mtu)),
  [`sys/class/net/${name}/flags`]: lines('0x1003'),
});

/**
 * What the kernel of the host shows in /proc and /sys, as files that take the place of the real ones. The kernel
 * settings that are not named here do not exist on the host.
 *
 * @param bootId changes with every start, as the kernel's does
 */
export const kernelFiles = (
  spec: PracticeHostSpec,
  {mac}: Place,
  bootId: string,
  device: string,
): Readonly<Record<string, string>> => ({
  'proc/meminfo': memory(spec),
  'proc/cpuinfo': processors(spec),
  'proc/swaps': lines('Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority', '/swap.img file\t\t2097148\t\t0\t\t-2'),
  'proc/sys/kernel/hostname': lines(spec.name),
  'proc/sys/kernel/osrelease': lines('6.8.0-71-generic'),
  'proc/sys/kernel/ostype': lines('Linux'),
  'proc/sys/kernel/cap_last_cap': lines('40'),
  'proc/sys/kernel/pid_max': lines('4194304'),
  'proc/sys/kernel/random/boot_id': lines(bootId),
  'proc/sys/kernel/random/uuid': '',
  'proc/sys/fs/inotify/max_user_watches': lines('65536'),
  'proc/sys/fs/inotify/max_user_instances': lines('128'),
  'proc/sys/fs/file-max': lines('9223372036854775807'),
  'proc/sys/net/ipv4/ip_forward': lines('0'),
  'proc/sys/net/ipv4/conf/all/forwarding': lines('0'),
  'proc/sys/net/ipv6/conf/all/disable_ipv6': lines('0'),
  'proc/sys/net/ipv6/conf/all/forwarding': lines('0'),
  'proc/sys/net/ipv6/conf/default/forwarding': lines('0'),
  'proc/sys/net/core/somaxconn': lines('4096'),
  'proc/sys/vm/swappiness': lines('60'),
  'proc/sys/vm/max_map_count': lines('65530'),
  'proc/sys/vm/overcommit_memory': lines('0'),
  'proc/sys/vm/panic_on_oom': lines('0'),
  'proc/sys/kernel/panic': lines('0'),
  'proc/sys/kernel/panic_on_oops': lines('0'),
  'sys/block/vda/dev': lines('252:0'),
  'sys/block/vda/size': lines(String(sectors(spec.diskGb))),
  'sys/block/vda/queue/rotational': lines('0'),
  'sys/block/vda/vda1/dev': lines(device),
  ...(spec.volumeGb !== undefined && {
    'sys/block/vdb/dev': lines('252:16'),
    'sys/block/vdb/size': lines(String(sectors(spec.volumeGb))),
    'sys/block/vdb/queue/rotational': lines('0'),
  }),
  'sys/module/nfsd/initstate': lines('live'),
  'sys/module/wireguard/initstate': lines('live'),
  'sys/module/nf_tables/initstate': lines('live'),
  'sys/module/ip_tables/initstate': lines('live'),
  'sys/module/tun/initstate': lines('live'),
  ...network('lo', '00:00:00:00:00:00', 65_536),
  ...network('ens5', mac, 1500),
});

/** Settings that the stand-in tools read, as shell assignments of words that need no quoting. */
export const machineSettings = (
  spec: PracticeHostSpec,
  {address, mac, gateway, operator}: Place,
  pace: number,
): string => {
  const system = systemOf(spec);
  return lines(
    `NAME=${spec.name}`,
    `CPUS=${spec.cpus}`,
    `MEMORY_GB=${spec.memoryGb}`,
    `DISK_BYTES=${spec.diskGb * 1e9}`,
    `ADDRESS=${address}`,
    `MAC=${mac}`,
    `GATEWAY=${gateway}`,
    `OPERATOR=${operator}`,
    // Thousandths, because shells know whole numbers only.
    `PACE=${Math.round(pace * 1000)}`,
    `OS_ID=${system?.id ?? ''}`,
    `OS_VERSION=${system?.version ?? ''}`,
    `OS_CODENAME=${system?.codename ?? ''}`,
    `NGINX_VERSION=${system?.nginx.version ?? ''}`,
  );
};

export const osRelease = (spec: PracticeHostSpec): string => {
  const system = systemOf(spec);
  const name = system?.id === 'ubuntu' ? 'Ubuntu' : 'Debian GNU/Linux';
  return lines(
    `PRETTY_NAME="${system?.title ?? spec.os} (practice host)"`,
    `NAME="${name}"`,
    `VERSION_ID="${system?.version ?? ''}"`,
    `VERSION_CODENAME=${system?.codename ?? ''}`,
    `ID=${system?.id ?? ''}`,
  );
};
