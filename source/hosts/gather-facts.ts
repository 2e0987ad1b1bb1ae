import {z} from 'zod';
import {err, ok, type Result} from '../result.ts';
import type {Facts, PackageSources, ProxySettings} from './facts.ts';
import {
  ownAddresses,
  parseInterfaces,
  parseListeners,
  parseManagedBy,
  parseNameservers,
  parseResolver,
  parseRoutes,
  parseSshConnection,
} from './facts-network.ts';
import {jsonOf, printable, readSections, type Section, type Sections, settings, wholeNumber} from './facts-sections.ts';
import {parseDisks, parseMounts} from './facts-storage.ts';

export {factsScript, inspectionScript} from './facts-script.ts';

const kibi = 1024;

/**
 * The facts from what `factsScript` or `inspectionScript` printed. An error is a sentence that says why there are none.
 * What a host could not tell is listed in `unread`; nothing that was not read is assumed to be good.
 */
export const parseFacts = (stdout: string): Result<Facts, string> => {
  const read = readSections(stdout);
  if (!read.ok) return read;
  const sections = read.value;
  const values = settings(sections.get('values'));
  const text = (name: string) => values.get(name) ?? '';
  const yes = (name: string) => values.get(name) === 'yes';
  if (!values.has('uid') || !values.has('kernel'))
    return err('the host answered, but not with the facts of a Linux system');

  const interfaces = parseInterfaces(sections);
  const listeners = parseListeners(sections);
  const own = ownAddresses(interfaces);
  const memory = memoryOf(sections, values.get('memory-limit'));
  const cpus = wholeNumber(values.get('cpus'));
  const clock = wholeNumber(sections.get('clock').lines[0]);
  const mounts = parseMounts(sections.get('mounts'), sections.get('devices'), sections.get('disks'));
  return ok({
    os: osOf(sections.get('os')),
    kernel: text('kernel'),
    arch: archOf(text('arch')),
    hostname: text('hostname'),
    machineId: text('machine-id'),
    bootId: text('boot-id'),
    virtualisation: text('virtualisation') || text('container') || 'unknown',
    systemd: yes('systemd'),
    cpus: cpus ?? 0,
    memoryBytes: memory ?? 0,
    swapBytes: swapOf(sections),
    disks: parseDisks(sections.get('disks')),
    mounts,
    interfaces,
    ...parseRoutes(sections),
    nameservers: parseNameservers(sections.get('resolver'), own),
    resolver: parseResolver(sections.get('resolver'), listeners),
    networkManagedBy: parseManagedBy(sections.get('managed-by')),
    hostnameResolves: sections.get('hostname').lines[0] === 'yes',
    listeners,
    time: timeOf(sections.get('time'), clock),
    aptLock: aptLockOf(sections.get('apt-lock')),
    cloudInit: cloudInitOf(sections),
    rebootRequired: yes('reboot-required'),
    packageSources: sections.has('sources') ? packageSourcesOf(sections.get('sources')) : undefined,
    proxy: proxyOf(sections.get('proxies')),
    kernelFeatures: featuresOf(sections.get('features')),
    ...parseSshConnection(sections.get('ssh')),
    deployment: text('deployment') || undefined,
    leftovers: leftoversOf(sections.get('leftovers')),
    practice: yes('practice'),
    privileged: text('uid') === '0',
    unread: unreadOf({
      cpus: cpus !== undefined,
      memory: memory !== undefined,
      mounts: mounts.length > 0,
      interfaces: interfaces.length > 0,
      listeners: sections.get('sockets').lines.length > 0 || sections.get('listeners').code === 0,
      time: sections.get('time').lines.some(line => /^(tracking|timesyncd|kernel)=\S/.test(line)),
      clock: clock !== undefined,
    }),
  });
};

const unreadOf = (read: Readonly<Record<string, boolean>>): readonly string[] =>
  Object.entries(read).flatMap(([name, done]) => (done ? [] : [name]));

const osOf = (section: Section): Facts['os'] => {
  const release = settings(section);
  const id = release.get('ID') ?? '';
  return {
    id,
    version: release.get('VERSION_ID') ?? '',
    codename: release.get('VERSION_CODENAME') ?? '',
    title: release.get('PRETTY_NAME') ?? (id || 'unknown system'),
  };
};

/** As dpkg names it, also where only `uname -m` answered. */
const archOf = (name: string): string => ({x86_64: 'amd64', aarch64: 'arm64'})[name] ?? name;

/**
 * What the host may use: the kernel's total, or less where a container has a limit. "No limit" is `max` in version 2 of
 * control groups and a number near 2^63 in version 1.
 */
const memoryOf = (sections: Sections, limit: string | undefined): number | undefined => {
  const line = sections.get('memory').lines.find(item => item.startsWith('MemTotal:'));
  const total = wholeNumber(line?.match(/(\d+) kB/)?.[1]);
  if (total === undefined) return undefined;
  return Math.min(total * kibi, wholeNumber(limit) ?? Number.MAX_SAFE_INTEGER);
};

/** From /proc/swaps, the second number from the left being KiB; what a container cannot see of it is no swap of its own. */
const swapOf = (sections: Sections): number =>
  sections
    .get('swaps')
    .lines.slice(1)
    .reduce((sum, line) => sum + (wholeNumber(line.trim().split(/\s+/)[2]) ?? 0) * kibi, 0);

/**
 * The services are asked in the order of `services`; the first that is active keeps the time. chrony says by itself
 * whether it follows a server; timesyncd leaves a file; else the kernel's flag decides, which any of them sets.
 */
const timeOf = (section: Section, clock: number | undefined): Facts['time'] => {
  const found = settings(section);
  const services = (found.get('services') ?? '').split(' ');
  const states = (found.get('states') ?? '').split(' ');
  const service = services.find((_, index) => states[index] === 'active') ?? 'none';
  const tracking = (found.get('tracking') ?? '').split(',');
  const synchronised =
    service === 'chrony' && tracking.length > 10
      ? tracking.at(-1) === 'Normal'
      : found.get('timesyncd') === 'yes' || found.get('kernel') === 'yes';
  return {synchronised, service, epochSeconds: clock ?? 0};
};

const aptLockOf = (section: Section): string | undefined => {
  const [, pid, file, name] = /^(\d+) (\/\S+) (.*)$/.exec(section.lines[0] ?? '') ?? [];
  return pid === undefined ? undefined : `${file} is held by ${printable(name ?? '') || 'a process'} (process ${pid})`;
};

const cloudInitResult = z.object({v1: z.object({errors: z.array(z.unknown()).default([])})});

const cloudInitOf = (sections: Sections): Facts['cloudInit'] => {
  const found = settings(sections.get('cloud-init'));
  const is = (name: string) => found.get(name) === 'yes';
  if (is('disabled') || (!is('started') && !is('finished'))) return 'absent';
  if (!is('finished')) return 'running';
  const result = cloudInitResult.safeParse(jsonOf(sections.get('cloud-init-result')));
  return result.success && result.data.v1.errors.length === 0 ? 'done' : 'error';
};

const featuresOf = (section: Section): Facts['kernelFeatures'] => {
  const has = (module: string, option: string) =>
    section.lines.includes(`${module}.ko`) || section.lines.includes(`CONFIG_${option}=y`);
  return {
    nfsd: has('nfsd', 'NFSD'),
    wireguard: has('wireguard', 'WIREGUARD'),
    wireguardUserspace: section.lines.includes('wireguard-go'),
    netfilter: has('nf_tables', 'NF_TABLES') || has('ip_tables', 'IP_NF_IPTABLES'),
    ipv6: section.lines.includes('ipv6'),
  };
};

const proxyOf = (section: Section): ProxySettings => {
  const environment = (name: string) => {
    const pattern = new RegExp(`^\\s*(?:export\\s+)?${name}=["']?([^"']*)`, 'i');
    const value = section.lines.map(line => pattern.exec(line)?.[1]).find(item => item !== undefined && item !== '');
    return value === undefined ? undefined : printable(value);
  };
  const apt = section.lines.map(line => /^Acquire::http::Proxy "([^"]+)"/.exec(line)?.[1]).find(Boolean);
  return {
    http: environment('http_proxy'),
    https: environment('https_proxy'),
    noProxy: environment('no_proxy'),
    apt: apt === undefined ? undefined : printable(apt),
  };
};

const packageSourcesOf = (section: Section): PackageSources => {
  if (section.lines.includes('practice')) {
    return {reachable: true, detail: 'practice hosts install nothing from the network', unreachable: []};
  }
  const named = (kind: string) =>
    section.lines.filter(line => line.startsWith(`${kind} `)).map(line => printable(line.slice(kind.length + 1)));
  const [reached, failed, local, other] = [named('yes'), named('no'), named('local'), named('other')];
  const through = section.lines.includes('proxy') ? 'the proxy ' : '';
  const sentences = [
    ...(reached.length > 0 ? [`connected to ${through}${reached.join(', ')}`] : []),
    ...(local.length > 0 ? [`${local.join(', ')} is on this host`] : []),
    ...(failed.length > 0 ? [`no connection to ${through}${failed.join(', ')}`] : []),
    ...(other.length > 0 ? [`${other.join(', ')} was not tried`] : []),
  ];
  return {
    // a source of a kind that cannot be tried is no proof against the host
    reachable: reached.length + local.length + other.length > 0,
    detail: sentences.join('; ') || 'apt has no source of packages',
    unreachable: failed,
  };
};

const leftoverKinds: readonly (readonly [RegExp, string])[] = [
  [/openg2p/, "OpenG2P's shell installer"],
  [/rke2/, 'RKE2'],
  [/k3s/, 'k3s'],
  [/microk8s/, 'MicroK8s'],
  [/^\/etc\/kubernetes\//, 'Kubernetes'],
  [/docker/, 'Docker'],
  [/^\/etc\/wireguard\//, 'WireGuard'],
];

/** `RKE2 (/var/lib/rancher/rke2, /etc/rancher/rke2)`: one line for each kind. */
const leftoversOf = (section: Section): readonly string[] => {
  const kinds = new Map<string, string[]>();
  for (const line of section.lines) {
    const path = printable(line);
    const kind = leftoverKinds.find(([pattern]) => pattern.test(path))?.[1] ?? 'unknown';
    kinds.set(kind, [...(kinds.get(kind) ?? []), path]);
  }
  return [...kinds].map(([kind, paths]) => {
    const shown = paths.slice(0, 4).join(', ');
    return `${kind} (${shown}${paths.length > 4 ? ` and ${paths.length - 4} more` : ''})`;
  });
};
