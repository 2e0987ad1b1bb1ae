import {contains, parseAddress, prefixOf, subnetOf} from '../network/address.ts';
import type {Listener, NetworkInterface, Route} from './facts.ts';
import {printable, type Section, type Sections, wholeNumber} from './facts-sections.ts';

/*
 * The network as /proc and /sys tell it, for hosts without iproute2. The kernel writes addresses there as hexadecimal
 * numbers in the order of the processor; every supported one (amd64, arm64) is little-endian.
 */

const bytesOf = (hex: string): number[] => hex.match(/../g)?.map(pair => Number.parseInt(pair, 16)) ?? [];

/** `0B00000A` or 32 digits: each group of four bytes is turned round. */
const littleEndian = (hex: string): string => {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap(word => bytesOf(word).toReversed());
  return bytes.length === 4 ? bytes.join('.') : ipv6Of(bytes);
};

const ipv6Of = (bytes: readonly number[]): string => {
  const groups = Array.from({length: 8}, (_, index) =>
    (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16),
  );
  const parsed = parseAddress(groups.join(':'));
  return parsed.ok ? parsed.value : '::';
};

export const readRoutes = (section: Section): (Route & {metric: number})[] =>
  section.lines.slice(1).flatMap(line => {
    const [name = '', destination = '', gateway = '', flags = '', , , metric, mask = ''] = line.split(/\s+/);
    // 0x0001: the route is up; 0x0200: it rejects
    if (!/^[0-9A-F]{8}$/i.test(destination) || (Number.parseInt(flags, 16) & 0x0201) !== 0x0001) return [];
    const prefix = bytesOf(mask).reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0);
    return [
      {
        destination: prefix === 0 ? 'default' : subnetOf(littleEndian(destination), prefix),
        interface: printable(name),
        gateway: /^0+$/.test(gateway) ? undefined : littleEndian(gateway),
        metric: wholeNumber(metric) ?? 0,
      },
    ];
  });

/** The host's own IPv4 addresses: in fib_trie each is followed by `/32 host LOCAL`. */
const localAddresses = (section: Section): string[] => {
  const found = section.lines.flatMap((line, index) => {
    const address = /\|-- (\S+)$/.exec(line)?.[1];
    return address && /^\s*\/32 host LOCAL/.test(section.lines[index + 1] ?? '') ? [address] : [];
  });
  return [...new Set(found)];
};

/** IPv4 addresses are given to the interface whose connected route holds them, with that route's prefix length. */
export const readAddresses = (sections: Sections): readonly NetworkInterface[] => {
  const connected = readRoutes(sections.get('route')).filter(
    route => route.gateway === undefined && route.destination !== 'default',
  );
  const ipv4 = localAddresses(sections.get('fib')).map(address => {
    const route = connected
      .filter(({destination}) => contains(destination, address))
      .toSorted((a, b) => prefixOf(b.destination) - prefixOf(a.destination))[0];
    const loopback = address.startsWith('127.');
    return {
      name: loopback ? 'lo' : route?.interface,
      text: `${address}/${loopback ? 8 : route ? prefixOf(route.destination) : 32}`,
    };
  });
  const ipv6 = sections.get('inet6').lines.flatMap(line => {
    const [hex = '', , prefix = '', , , name = ''] = line.split(/\s+/);
    return /^[0-9a-f]{32}$/.test(hex) ? [{name, text: `${ipv6Of(bytesOf(hex))}/${Number.parseInt(prefix, 16)}`}] : [];
  });
  return sections.get('interfaces').lines.map(line => {
    const [path = '', mtu, flags = '0', mac = ''] = line.split(' ');
    const name = path.split('/').at(-1) ?? '';
    return {
      name: printable(name),
      mac: printable(mac),
      mtu: wholeNumber(mtu) ?? 0,
      up: (Number.parseInt(flags, 16) & 1) === 1,
      addresses: [...ipv4, ...ipv6].filter(item => item.name === name).map(({text}) => text),
    };
  });
};

/** From /proc/net/{tcp,udp}{,6}, with the processes that hold the sockets where they could be seen. */
export const readListeners = (section: Section): Listener[] => {
  const names = new Map<string, string>();
  const holders = new Map<string, string>();
  for (const line of section.lines) {
    const [, pid, name] = /^\/proc\/(\d+)\/comm:(.*)$/.exec(line) ?? [];
    if (pid !== undefined) names.set(pid, name ?? '');
    const [, holder, inode] = /^\/proc\/(\d+)\/fd socket:\[(\d+)\]$/.exec(line) ?? [];
    if (holder !== undefined && inode !== undefined && !holders.has(inode)) holders.set(inode, holder);
  }
  return section.lines.flatMap(line => {
    const match = /^\/proc\/net\/(tcp|udp)6?:\s*\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) (.*)$/i.exec(line);
    if (!match) return [];
    const inode = (match[4] ?? '').split(/\s+/)[7] ?? '';
    return [
      {
        protocol: match[1] === 'udp' ? ('udp' as const) : ('tcp' as const),
        address: littleEndian(match[2] ?? ''),
        port: Number.parseInt(match[3] ?? '0', 16),
        process: printable(names.get(holders.get(inode) ?? '') ?? ''),
      },
    ];
  });
};
