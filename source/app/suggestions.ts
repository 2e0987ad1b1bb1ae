import type {Deployment} from '../deployment/schema.ts';
import type {Facts} from '../hosts/facts.ts';
import {contains, isIpv6, parseAddress, subnetOf} from '../network/address.ts';

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

/**
 * What a host's own facts say better than a default can: its private address where the one it was reached by is not
 * its own, the private subnet where it is still the default or holds none of the hosts, and where the VPN's devices
 * dial. What the operator typed and fits is left alone. The same object comes back when there is nothing to suggest.
 */
export const suggestFromReport = (
  deployment: Deployment,
  name: string,
  facts: Facts,
  defaultSubnet: string | undefined,
): Deployment => {
  const primary = primaryAddress(facts);
  const host = deployment.hosts.find(each => each.name === name);
  if (!primary || !host) return deployment;
  const ownAddress = hasAddress(facts, host.privateAddress);
  const privateAddress = ownAddress ? host.privateAddress : primary.address;
  const subnetFits = deployment.hosts.some(
    each => parseAddress(each.privateAddress).ok && fits(deployment.network.privateSubnet, each.privateAddress),
  );
  const isAnswered = deployment.network.privateSubnet !== defaultSubnet;
  const privateSubnet =
    isAnswered && subnetFits && fits(deployment.network.privateSubnet, privateAddress)
      ? deployment.network.privateSubnet
      : (subnetsOf(facts).find(subnet => fits(subnet, privateAddress)) ?? primary.subnet);
  const reachedAt = parseAddress(host.address).ok && !isLoopback(host.address) ? host.address : primary.address;
  const endpoint = host.reach === 'ssh' ? reachedAt : primary.address;
  const needsEndpoint = deployment.channels.some(each => each.kind === 'private' && each.endpoint === '');
  const unchanged =
    privateAddress === host.privateAddress && privateSubnet === deployment.network.privateSubnet && !needsEndpoint;
  if (unchanged) return deployment;
  return {
    ...deployment,
    hosts: deployment.hosts.map(each => (each.name === name ? {...each, privateAddress} : each)),
    network: {...deployment.network, privateSubnet},
    channels: deployment.channels.map(each =>
      each.kind === 'private' && each.endpoint === '' ? {...each, endpoint} : each,
    ),
  };
};

/** A subnet that is no subnet (yet) fits nothing. */
const fits = (subnet: string, address: string): boolean => {
  try {
    return contains(subnet, address);
  } catch {
    return false;
  }
};
