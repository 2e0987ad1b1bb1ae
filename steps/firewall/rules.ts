import type {Deployment, HostSpec} from '../../source/deployment/schema.ts';
import {isPublic, roles, vpns} from '../shared/deployment.ts';

/**
 * Who may come in. `admins`: the operators' own networks. `private`: the machines' subnet. `vpn`: each VPN's peers.
 * `web`: private and vpn, or everybody when there is a public channel.
 */
export type Source = 'admins' | 'private' | 'vpn' | 'web' | 'anyone';

/** `ssh` is the port that the host's SSH server has; `wireguard` the ports of the VPNs. */
export type PortName = number | 'ssh' | 'wireguard';

export type RoleRule = {
  readonly role: string;
  readonly ports: readonly PortName[];
  readonly protocol: 'tcp' | 'udp';
  readonly from: readonly Source[];
  readonly purpose: string;
};

/**
 * The firewall of every host, by the roles it plays. Everything else that comes in is refused; ICMP, answers and
 * what IPv6 needs to work are let in by ufw itself. Ports of Kubernetes come with Kubernetes.
 */
export const roleRules: readonly RoleRule[] = [
  {role: roles.base, ports: ['ssh'], protocol: 'tcp', from: ['admins', 'private', 'vpn'], purpose: 'SSH'},
  {role: roles.proxy, ports: ['wireguard'], protocol: 'udp', from: ['anyone'], purpose: 'WireGuard'},
  {role: roles.proxy, ports: [80, 443], protocol: 'tcp', from: ['web'], purpose: 'web'},
  {role: roles.proxy, ports: [53], protocol: 'udp', from: ['private', 'vpn'], purpose: 'DNS'},
  {role: roles.proxy, ports: [53], protocol: 'tcp', from: ['private', 'vpn'], purpose: 'DNS'},
  {role: roles.storage, ports: [2049], protocol: 'tcp', from: ['private'], purpose: 'NFS'},
];

/** One rule as ufw has it. `any` stands for every address of both families. */
export type InRule = {
  readonly from: string;
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
  readonly purpose: string;
};

/** What may pass through the host from a VPN. Answers pass by themselves. */
export type RoutedRule = {readonly in: string; readonly from: string; readonly to: string; readonly purpose: string};

const sourcesOf = (source: Source, deployment: Deployment): readonly string[] => {
  const {adminSources, privateSubnet} = deployment.network;
  const peers = vpns(deployment).map(({subnet}) => subnet);
  switch (source) {
    case 'admins':
      return adminSources;
    case 'private':
      return [privateSubnet];
    case 'vpn':
      return peers;
    case 'web':
      return isPublic(deployment) ? ['any'] : [privateSubnet, ...peers];
    case 'anyone':
      return ['any'];
  }
};

const numbersOf = (port: PortName, deployment: Deployment, sshPort: number): readonly number[] => {
  if (port === 'ssh') return [sshPort];
  if (port === 'wireguard') return vpns(deployment).map(vpn => vpn.port);
  return [port];
};

/** `0.0.0.0/0` among the operators' networks means every address. */
const spelled = (source: string): string => (source === '0.0.0.0/0' || source === '::/0' ? 'any' : source);

/** What may come in to a host, each rule once. */
export const inRules = (deployment: Deployment, host: Pick<HostSpec, 'roles'>, sshPort: number): readonly InRule[] => {
  const all = roleRules
    .filter(({role}) => host.roles.includes(role))
    .flatMap(({ports, protocol, from, purpose}) =>
      ports
        .flatMap(port => numbersOf(port, deployment, sshPort))
        .flatMap(port =>
          from
            .flatMap(source => sourcesOf(source, deployment))
            .map(source => ({from: spelled(source), port, protocol, purpose})),
        ),
    );
  const key = ({from, port, protocol}: InRule) => `${from} ${port} ${protocol}`;
  return all.filter((rule, index) => all.findIndex(other => key(other) === key(rule)) === index);
};

/** What a proxy forwards: peers of a VPN reach the private subnet, and with a full tunnel everything. */
export const routedRules = (deployment: Deployment, host: Pick<HostSpec, 'roles'>): readonly RoutedRule[] =>
  host.roles.includes(roles.proxy)
    ? vpns(deployment).map(vpn => ({
        in: vpn.interface,
        from: vpn.subnet,
        to: vpn.tunnel === 'full' ? 'any' : deployment.network.privateSubnet,
        purpose: `VPN ${vpn.name}`,
      }))
    : [];
