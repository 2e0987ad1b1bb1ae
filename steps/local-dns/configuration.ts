import type {Deployment, HostSpec} from '../../source/deployment/schema.ts';
import type {Facts} from '../../source/hosts/facts.ts';
import type {Address} from '../../source/network/address.ts';
import {managedFile, word} from '../shared/config-text.ts';
import {vpns} from '../shared/deployment.ts';
import {serverAddress} from '../wireguard/addresses.ts';

/** Facts look for a file of this name when they need to know who is asked beyond us. */
export const configurationPath = '/etc/dnsmasq.d/groundwork.conf';

/** The last of systemd-resolved's drop-ins, so that it can take back what others say. */
export const resolvedPath = '/etc/systemd/resolved.conf.d/zz-groundwork.conf';

/**
 * How the host itself gets to our server. `resolved`: systemd-resolved stays what programs ask, and asks us for our
 * domain. `file`: we stand first in /etc/resolv.conf, and those who were there stay behind us.
 */
export const resolverOf = ({resolver}: Pick<Facts, 'resolver'>): 'resolved' | 'file' =>
  resolver.resolved && resolver.resolvConf !== 'file' && resolver.resolvConf !== 'absent' ? 'resolved' : 'file';

const isLoopback = (address: Address): boolean => address.startsWith('127.') || address === '::1';

/** Addresses that dnsmasq answers on: the private one, each VPN's, and the loopback where no stub does that work. */
export const listenAddresses = (
  deployment: Deployment,
  host: Pick<HostSpec, 'privateAddress'>,
  facts: Pick<Facts, 'resolver'>,
): readonly Address[] => [
  ...(resolverOf(facts) === 'file' ? ['127.0.0.1'] : []),
  host.privateAddress,
  ...vpns(deployment).map(serverAddress),
];

/** Who is asked about all other names. Never ourselves: that would be a loop. */
export const upstreams = (
  deployment: Deployment,
  host: Pick<HostSpec, 'privateAddress'>,
  facts: Pick<Facts, 'resolver' | 'nameservers'>,
): readonly Address[] => {
  const {upstreams: chosen} = deployment.components.dns;
  const own = listenAddresses(deployment, host, facts);
  return (chosen.length > 0 ? chosen : facts.nameservers).filter(
    address => !own.includes(address) && !isLoopback(address),
  );
};

/**
 * Names of the platform lead to the proxy, wherever they are asked for; all others go upstream. `local` keeps our
 * domain from ever being asked upstream, also for IPv6 addresses that it does not have. Queries are not logged: they
 * tell who looks at what.
 */
export const dnsmasqConfiguration = (
  deployment: Deployment,
  host: Pick<HostSpec, 'privateAddress'>,
  facts: Pick<Facts, 'resolver' | 'nameservers'>,
): string =>
  managedFile(
    // Only these addresses, and each from the moment it exists: the VPN's may come up later.
    'bind-dynamic',
    listenAddresses(deployment, host, facts).map(address => `listen-address=${word(address)}`),
    'no-resolv',
    'no-hosts',
    'dns-loop-detect',
    'cache-size=1000',
    `local=/${word(deployment.domain)}/`,
    `address=/${word(deployment.domain)}/${word(host.privateAddress)}`,
    upstreams(deployment, host, facts).map(address => `server=${word(address)}`),
  );

/**
 * Makes systemd-resolved ask our server about our domain. The servers that the host had for all its networks alike are
 * taken out: any one of them might be asked about our domain too. Our server asks them, as its upstreams; those that
 * belong to a single network stay as they are.
 */
export const resolvedDropIn = (deployment: Deployment, host: Pick<HostSpec, 'privateAddress'>): string =>
  managedFile('[Resolve]', 'DNS=', `DNS=${word(host.privateAddress)}`, `Domains=~${word(deployment.domain)}`);
