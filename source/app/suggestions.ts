import type {Deployment} from '../deployment/schema.ts';
import type {Facts} from '../hosts/facts.ts';
import {contains, isIpv6, parseAddress, subnetOf} from '../network/address.ts';
import {publicAddressOf} from './machines.ts';

/** The address that a host has on its way out, with the subnet that it lies in. IPv4 before IPv6. */
export const primaryAddress = (facts: Facts): {readonly address: string; readonly subnet: string} | undefined => {
  const outward = facts.interfaces.find(each => each.name === facts.defaultRoute?.interface);
  const candidates = outward ? [outward] : facts.interfaces.filter(each => each.name !== 'lo' && each.up);
  const addresses = candidates
    .flatMap(each => each.addresses)
    .filter(text => !text.startsWith('fe80:') && !text.startsWith('127.'))
    .sort((a, b) => Number(isIpv6(a)) - Number(isIpv6(b)));
  const [address, prefix] = addresses[0]?.split('/') ?? [];
  if (!address) return undefined;
  return {address, subnet: subnetOf(address, Number(prefix ?? (isIpv6(address) ? 128 : 32)))};
};

/** Every IPv4 or IPv6 subnet that a host has an address in, for those who want another one than the first. */
export const subnetsOf = (facts: Facts): readonly string[] => [
  ...new Set(
    facts.interfaces
      .filter(each => each.name !== 'lo' && each.up)
      .flatMap(each => each.addresses)
      .filter(text => !text.startsWith('fe80:'))
      .map(text => {
        const [address = '', prefix = '32'] = text.split('/');
        return subnetOf(address, Number(prefix));
      }),
  ),
];

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1';

/** Every host has the loopback addresses; they tell nothing about it, and no other machine reaches it by them. */
const hasAddress = (facts: Facts, address: string): boolean =>
  !isLoopback(address) && facts.interfaces.some(each => each.addresses.some(text => text.split('/')[0] === address));

/** Facts of hosts, by name. */
export type KnownFacts = Readonly<Record<string, Facts>>;

/** The address that a host has itself in a subnet. */
const addressIn = (facts: Facts, subnet: string): string | undefined =>
  facts.interfaces
    .filter(({name, up}) => name !== 'lo' && up)
    .flatMap(({addresses}) => addresses.map(text => text.split('/')[0] ?? ''))
    .find(address => parseAddress(address).ok && fits(subnet, address));

/** Hosts by how many can be in a subnet. */
const held = (subnet: string, known: readonly Facts[]): number =>
  known.filter(facts => addressIn(facts, subnet) !== undefined).length;

/**
 * The subnet that all hosts share, or most: the operator's own answer as long as no other holds more of them, else the
 * first of the hosts' that does, beginning with those of their private addresses.
 */
const sharedSubnet = (deployment: Deployment, known: KnownFacts, isAnswered: boolean): string | undefined => {
  const all = Object.values(known);
  const {privateSubnet} = deployment.network;
  const own = deployment.hosts.flatMap(({name, privateAddress}) => {
    const facts = known[name];
    if (!facts) return [];
    const address = hasAddress(facts, privateAddress) ? privateAddress : primaryAddress(facts)?.address;
    const first = subnetsOf(facts).filter(subnet => address !== undefined && fits(subnet, address));
    return [...first, ...subnetsOf(facts)];
  });
  const candidates = [...(isAnswered ? [privateSubnet] : []), ...own.filter(subnet => !isIpv6(subnet)), ...own];
  const most = Math.max(0, ...candidates.map(subnet => held(subnet, all)));
  return most === 0 ? undefined : candidates.find(subnet => held(subnet, all) === most);
};

/** Where the VPN's devices dial: the proxy's public address, else what it is reached by, if that is no loopback. */
const endpointOf = (deployment: Deployment, known: KnownFacts): string | undefined => {
  const proxy = deployment.hosts.find(({name, roles}) => roles.includes('proxy') && known[name]);
  const facts = proxy && known[proxy.name];
  if (!facts) return undefined;
  const reached = proxy.reach === 'ssh' && parseAddress(proxy.address).ok && !isLoopback(proxy.address);
  return publicAddressOf(facts) ?? (reached ? proxy.address : primaryAddress(facts)?.address);
};

/** Nobody said where to dial, or the host that was thought of is no proxy any more. */
const lacksEndpoint = ({hosts}: Deployment, endpoint: string): boolean =>
  endpoint === '' ||
  (hosts.some(({address, privateAddress}) => endpoint === address || endpoint === privateAddress) &&
    !hosts.some(
      ({address, privateAddress, roles}) =>
        roles.includes('proxy') && (endpoint === address || endpoint === privateAddress),
    ));

/**
 * What the facts of hosts say better than a default can: the private subnet that they share, each one's private address
 * in it where the one it was reached by is not its own, and where the VPN's devices dial. What the operator typed and
 * fits is left alone. The same object comes back when there is nothing to suggest.
 */
export const suggestFromFacts = (
  deployment: Deployment,
  known: KnownFacts,
  defaultSubnet: string | undefined,
): Deployment => {
  const isAnswered = deployment.network.privateSubnet !== defaultSubnet;
  const privateSubnet = sharedSubnet(deployment, known, isAnswered) ?? deployment.network.privateSubnet;
  const hosts = deployment.hosts.map(host => {
    const facts = known[host.name];
    if (!facts) return host;
    const isOwn = hasAddress(facts, host.privateAddress);
    if (isOwn && fits(privateSubnet, host.privateAddress)) return host;
    const better = addressIn(facts, privateSubnet) ?? (isOwn ? host.privateAddress : primaryAddress(facts)?.address);
    return better === undefined || better === host.privateAddress ? host : {...host, privateAddress: better};
  });
  const endpoint = endpointOf(deployment, known);
  const channels = deployment.channels.map(each =>
    each.kind === 'private' && endpoint !== undefined && lacksEndpoint(deployment, each.endpoint)
      ? {...each, endpoint}
      : each,
  );
  const unchanged =
    privateSubnet === deployment.network.privateSubnet &&
    hosts.every((host, index) => host === deployment.hosts[index]) &&
    channels.every((channel, index) => channel === deployment.channels[index]);
  return unchanged ? deployment : {...deployment, hosts, channels, network: {...deployment.network, privateSubnet}};
};

/** Why a host's private address cannot be in the private subnet: it has none there. */
export const outsideSubnet = ({network}: Deployment, facts: Facts): string | undefined => {
  if (addressIn(facts, network.privateSubnet) !== undefined || facts.interfaces.length === 0) return undefined;
  const own = subnetsOf(facts).filter(subnet => !isIpv6(subnet));
  return `No address of it is in the private subnet ${network.privateSubnet}; it is in ${own.join(', ') || 'no network'}.`;
};

/** A subnet that is no subnet (yet) fits nothing. */
const fits = (subnet: string, address: string): boolean => {
  try {
    return contains(subnet, address);
  } catch {
    return false;
  }
};
