import {z} from 'zod';
import {contains, parseAddress, subnetOf} from '../network/address.ts';
import type {Facts, Listener, NetworkInterface, Route} from './facts.ts';
import {readAddresses, readListeners, readRoutes} from './facts-proc.ts';
import {jsonOf, printable, type Section, type Sections, settings, wholeNumber} from './facts-sections.ts';

const linkSchema = z.object({
  ifname: z.string(),
  flags: z.array(z.string()).default([]),
  mtu: z.number().int().default(0),
  address: z.string().default(''),
  addr_info: z.array(z.object({local: z.string().optional(), prefixlen: z.number().int().optional()})).default([]),
});

const routeSchema = z.object({
  dst: z.string(),
  dev: z.string().optional(),
  gateway: z.string().optional(),
  metric: z.number().optional(),
  type: z.string().optional(),
});

/** Items of a JSON list that have the expected form; old versions of iproute2 print empty objects in between. */
const items = <T>(schema: z.ZodType<T>, value: unknown): T[] =>
  Array.isArray(value)
    ? value.flatMap(item => {
        const parsed = schema.safeParse(item);
        return parsed.success ? [parsed.data] : [];
      })
    : [];

export const parseInterfaces = (sections: Sections): readonly NetworkInterface[] => {
  if (!sections.has('addresses')) return readAddresses(sections);
  return items(linkSchema, jsonOf(sections.get('addresses'))).map(link => ({
    name: printable(link.ifname),
    mac: /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(link.address) ? link.address : '',
    mtu: link.mtu,
    up: link.flags.includes('UP') && !link.flags.includes('NO-CARRIER'),
    addresses: link.addr_info.flatMap(({local, prefixlen}) =>
      local !== undefined && prefixlen !== undefined && parseAddress(local).ok ? [`${local}/${prefixlen}`] : [],
    ),
  }));
};

type AnyRoute = Route & {readonly metric: number};

const routesOf = (section: Section): AnyRoute[] =>
  items(routeSchema, jsonOf(section)).flatMap(({dst, dev, gateway, metric, type}) => {
    if (dev === undefined || (type !== undefined && type !== 'unicast')) return [];
    const [address = '', prefix] = dst.split('/');
    const known = dst === 'default' || parseAddress(address).ok;
    const bits = address.includes(':') ? 128 : 32;
    if (!known) return [];
    return [
      {
        destination: dst === 'default' ? dst : subnetOf(address, wholeNumber(prefix) ?? bits),
        interface: printable(dev),
        gateway: gateway !== undefined && parseAddress(gateway).ok ? gateway : undefined,
        metric: metric ?? 0,
      },
    ];
  });

/** The default route with the lowest metric, an IPv4 one before an IPv6 one, and all other routes. */
export const parseRoutes = (sections: Sections): Pick<Facts, 'defaultRoute' | 'routes'> => {
  const all = sections.has('routes4')
    ? [...routesOf(sections.get('routes4')), ...routesOf(sections.get('routes6'))]
    : readRoutes(sections.get('route'));
  const usable = all.filter(route => route.destination === 'default' && route.gateway !== undefined);
  const version = (route: AnyRoute) => (route.gateway?.includes(':') ? 1 : 0);
  const best = usable.toSorted((a, b) => version(a) - version(b) || a.metric - b.metric)[0];
  return {
    defaultRoute: best && {interface: best.interface, gateway: best.gateway ?? ''},
    routes: all
      .filter(({destination}) => destination !== 'default')
      .map(({destination, interface: name, gateway}) => ({destination, interface: name, gateway})),
  };
};

/** `127.0.0.53%lo:53`, `[fe80::1]%ens5:546`, `*:80` as ss writes them. */
const endpoint = (text: string): {address: string; port: number} | undefined => {
  const [, before = '', digits] = /^(.*):(\d+)$/.exec(text) ?? [];
  const port = wholeNumber(digits);
  if (port === undefined || port > 65_535) return undefined;
  const address = before.replace(/%.*$/, '').replace(/[[\]]/g, '');
  return {address: address === '*' ? '::' : printable(address), port};
};

const fromSs = (section: Section): Listener[] =>
  section.lines.flatMap(line => {
    const [protocol, , , , local = '', , ...rest] = line.trim().split(/\s+/);
    const found = endpoint(local);
    if ((protocol !== 'tcp' && protocol !== 'udp') || !found) return [];
    const process = /users:\(\("((?:[^"\\]|\\.)*)"/.exec(rest.join(' '))?.[1] ?? '';
    return [{protocol, ...found, process: printable(process)}];
  });

export const parseListeners = (sections: Sections): readonly Listener[] => {
  const all = sections.has('listeners') ? fromSs(sections.get('listeners')) : readListeners(sections.get('sockets'));
  const seen = new Map(all.map(item => [`${item.protocol} ${item.address} ${item.port} ${item.process}`, item]));
  return [...seen.values()];
};

/** Whether a listener on `address` answers at `wanted` too. */
export const listensOn = (listener: Listener, wanted: string): boolean =>
  listener.address === wanted || listener.address === '::' || listener.address === '0.0.0.0';

const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.');

/** In the order in which the files were read, each with the servers that it names. */
const serversByFile = (section: Section): ReadonlyMap<string, string[]> => {
  const found = new Map<string, string[]>();
  let current: string[] = [];
  for (const line of section.lines) {
    const file = /^from=(.*)$/.exec(line)?.[1];
    if (file !== undefined) {
      current = [];
      found.set(file, current);
    }
    const named =
      /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ??
      /domain-name-servers\s+([^;]+);/.exec(line)?.[1] ??
      // dnsmasq: `server=10.0.0.2` or with a port behind `#`; `server=/domain/…` serves one domain only
      /^server=([^/#\s]+)/.exec(line)?.[1];
    for (const server of named?.split(/[\s,]+/) ?? []) {
      const parsed = parseAddress(server.replace(/%.*$/, ''));
      if (parsed.ok) current.push(parsed.value);
    }
  }
  return found;
};

/**
 * The resolvers behind the host's own ones. Each file is a place where some system keeps them; the first that names one
 * which is neither loopback nor the host itself decides, so that a second run, when the host asks a server of ours,
 * still finds what was there before.
 */
export const parseNameservers = (section: Section, own: readonly string[]): readonly string[] => {
  for (const servers of serversByFile(section).values()) {
    const others = [...new Set(servers)].filter(server => !isLoopback(server) && !own.includes(server));
    if (others.length > 0) return others;
  }
  return [];
};

export const parseResolver = (section: Section, listeners: readonly Listener[]): Facts['resolver'] => {
  const found = settings(section);
  return {
    resolved: found.get('resolved') === 'yes',
    stub: listeners.some(({address, port, process}) => port === 53 && address === '127.0.0.53' && isResolved(process)),
    resolvConf: found.get('link') ?? (found.get('file') === 'yes' ? 'file' : 'absent'),
  };
};

/** The kernel keeps 15 characters of a name, and systemd-resolved has 16. */
export const isResolved = (process: string): boolean => process === 'systemd-resolve' || process === 'systemd-resolved';

export const parseManagedBy = (section: Section): Facts['networkManagedBy'] => {
  const order = ['netplan', 'NetworkManager', 'systemd-networkd', 'ifupdown'] as const;
  return order.find(name => section.lines.includes(name)) ?? 'unknown';
};

/** `SSH_CONNECTION=10.0.0.5 50322 10.0.0.11 22`: where the client is, and the port of the server. */
export const parseSshConnection = (section: Section): Pick<Facts, 'seenFrom' | 'sshPort'> => {
  const [from = '', , , port] = (section.lines[0] ?? '').replace(/^SSH_CONNECTION=/, '').split(' ');
  const address = parseAddress(from.replace(/%.*$/, ''));
  return address.ok ? {seenFrom: address.value, sshPort: wholeNumber(port)} : {seenFrom: undefined, sshPort: undefined};
};

/** The addresses of a host without prefix lengths, link-local ones left out. */
export const ownAddresses = (interfaces: readonly NetworkInterface[]): readonly string[] =>
  interfaces
    .flatMap(({addresses}) => addresses.map(address => address.split('/')[0] ?? ''))
    .filter(address => !(address.includes(':') ? contains('fe80::/10', address) : contains('169.254.0.0/16', address)));
