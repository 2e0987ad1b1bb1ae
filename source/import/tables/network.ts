import {
  changed,
  left,
  leftOut,
  lowerCase,
  number,
  type Row,
  subnet,
  subnetText,
  type Table,
  taken,
  text,
} from '../reading.ts';
import {isTrue} from '../settings-file.ts';
import {label} from './machines.ts';

/** How the deployment is called, in lists and folders on this side. */
export const clusterName: Table = {cluster_name: label('name', 'openg2p')};

/** The domain that a name of Rancher tells, which is always the same one below it here. */
export const domainOfRancher = (hostname: string | undefined): string | undefined =>
  hostname?.startsWith('rancher.') ? hostname.slice('rancher.'.length).toLowerCase() : undefined;

const rancherHostname: Row = (value, look) => {
  const told = domainOfRancher(value);
  const domain = look.of('public_domain');
  if (domain === undefined && told !== undefined) return changed('tells the domain', {domain: told});
  return value === `rancher.${domain}`
    ? taken({}, 'is where Rancher is found')
    : leftOut(`Rancher is found at rancher.${domain ?? 'DOMAIN'} and has no other name`);
};

/** The domain of `prod-config.yaml` and the names of the administration below it. */
export const productionDomain: Table = {
  public_domain: lowerCase('domain'),
  rancher_hostname: rancherHostname,
  keycloak_hostname: left('each environment has a Keycloak of its own, at keycloak. and its domain'),
};

const adminSources: Row = value => {
  const read = value.split(/[\s,]+/).map(subnetText);
  const notes = read.flatMap(({note}) => note ?? []);
  const sets = {'network.adminSources': read.map(({cidr}) => cidr)};
  return notes.length > 0 ? changed(notes.join('; '), sets) : taken(sets);
};

/** Where machines are, and from where they are administered. */
export const productionNetwork: Table = {
  private_subnet: subnet('network.privateSubnet'),
  admin_cidr: adminSources,
};

export const adminWorkstation: Table = {admin_workstation_cidr: adminSources};

const peers: Row = value =>
  changed(`peers have names here: one called "laptop" stands for the ${value}; name the others under Channels`);

const endpoint = text('channels[0].endpoint');
const vpnSubnet = subnet('channels[0].subnet');
const vpnPort = number('channels[0].port');

/** The VPN of `prod-config.yaml`. */
export const productionVpn: Table = {
  wg_endpoint: endpoint,
  wg_subnet: vpnSubnet,
  wg_port: vpnPort,
  wg_peers: peers,
  wg_peer_dns: text('components.dns.resolver'),
};

/** What goes through the tunnel: blank stands for the subnets that lie behind it. */
const tunnel: Row = value => {
  if (value.split(/[\s,]+/).includes('0.0.0.0/0')) return taken({'channels[0].tunnel': 'full'});
  return leftOut('a tunnel is "split" (the VPN and the private subnet) or "full" (everything); it stays "split"');
};

/** The VPN of the sandbox. */
export const sandboxVpn: Table = {
  'wireguard.endpoint': endpoint,
  'wireguard.subnet': vpnSubnet,
  'wireguard.port': vpnPort,
  'wireguard.peers': peers,
  'wireguard.cluster_subnet': tunnel,
};

/** A sandbox that is open to everybody needs a sentence that somebody types. */
export const publicAccess: Table = {
  public_access: value =>
    value === 'true'
      ? leftOut('opens the sandbox to the internet: add a public channel under Channels, which asks for a sentence')
      : taken({}, isTrue(value) ? 'the scripts know "true" only: it is private' : 'it is private'),
};
