import type {Deployment, HostSpec} from '../../source/deployment/schema.ts';
import {hasPostgresql, postgresqlOf} from '../postgresql/version.ts';
import {hasKubernetes, hasOwnDns, hostsPlaying, isPublic, roles, vpns} from '../shared/deployment.ts';

/**
 * Who may come in. `admins`: the operators' own networks. `private`: the machines' subnet. `vpn`: each VPN's peers.
 * `web`: private and vpn, or everybody when there is a public channel. `nodes`, `proxies` and `backups`: the other machines of
 * that role. `pods`: those on this machine, which alone come with addresses of their own.
 */
export type Source = 'admins' | 'private' | 'vpn' | 'web' | 'anyone' | 'nodes' | 'proxies' | 'backups' | 'pods';

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
 * what IPv6 needs to work are let in by ufw itself.
 */
export const roleRules: readonly RoleRule[] = [
  {role: roles.base, ports: ['ssh'], protocol: 'tcp', from: ['admins', 'private', 'vpn'], purpose: 'SSH'},
  {role: roles.proxy, ports: ['wireguard'], protocol: 'udp', from: ['anyone'], purpose: 'WireGuard'},
  {role: roles.proxy, ports: [80, 443], protocol: 'tcp', from: ['web'], purpose: 'web'},
];

/**
 * What the cluster needs beside (docs.rke2.io, install/requirements, with Canal as the network). Pods reach their own
 * machine as strangers do; other machines they reach with its address. Ports that services are given (30000 to 32767)
 * never get this far: they are redirected to pods before, and answer at the private address alone.
 */
export const kubernetesRules: readonly RoleRule[] = [
  {role: roles.compute, ports: [6443], protocol: 'tcp', from: ['private', 'vpn', 'pods'], purpose: 'Kubernetes API'},
  {role: roles.compute, ports: [9345, 2379, 2380], protocol: 'tcp', from: ['nodes'], purpose: 'cluster members'},
  {role: roles.compute, ports: [10250], protocol: 'tcp', from: ['nodes', 'pods'], purpose: 'kubelet'},
  {role: roles.compute, ports: [9796], protocol: 'tcp', from: ['nodes', 'pods'], purpose: 'metrics of the machine'},
  {role: roles.compute, ports: [8472], protocol: 'udp', from: ['nodes'], purpose: 'network of the pods'},
  {role: roles.compute, ports: [30080], protocol: 'tcp', from: ['proxies'], purpose: 'Istio gateway'},
  {role: roles.proxy, ports: [80, 443], protocol: 'tcp', from: ['pods'], purpose: 'web'},
];

/**
 * What is kept on the storage host, for the machines that work with it and for the one that copies it; on a single machine
 * the share is open to the private subnet, so that another one can be added to the cluster.
 */
export const storageRules = (deployment: Deployment): readonly RoleRule[] => [
  {
    role: roles.storage,
    ports: [2049],
    protocol: 'tcp',
    from: deployment.hosts.length > 1 ? ['nodes', 'backups'] : ['private'],
    purpose: 'NFS',
  },
  ...(hasPostgresql(deployment)
    ? [
        {
          role: roles.storage,
          ports: [postgresqlOf(deployment).port],
          protocol: 'tcp' as const,
          from: ['nodes' as const, 'pods' as const],
          purpose: 'PostgreSQL',
        },
      ]
    : []),
];

/** Where a DNS server of ours is on the proxy: with `site`, nobody has business at that port. */
export const ownDnsRules: readonly RoleRule[] = (['udp', 'tcp'] as const).map(protocol => ({
  role: roles.proxy,
  ports: [53],
  protocol,
  from: ['private', 'vpn', 'pods'],
  purpose: 'DNS',
}));

/** The rules of a deployment: what the ground needs, and what it has beside it. */
export const rulesFor = (deployment: Deployment): readonly RoleRule[] => [
  ...roleRules,
  ...storageRules(deployment),
  ...(hasOwnDns(deployment) ? ownDnsRules : []),
  ...(hasKubernetes(deployment) ? kubernetesRules : []),
];

/** One rule as ufw has it. `any` stands for every address of both families. */
export type InRule = {
  readonly from: string;
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
  readonly purpose: string;
};

/** What may pass through the host from a VPN or from its pods. Answers pass by themselves. */
export type RoutedRule = {readonly in?: string; readonly from: string; readonly to: string; readonly purpose: string};

/** What the rules look at of the host that they are for. */
export type FirewalledHost = Pick<HostSpec, 'roles' | 'privateAddress'>;

const othersPlaying = (deployment: Deployment, role: string, host: FirewalledHost): readonly string[] =>
  hostsPlaying(deployment, role)
    .map(({privateAddress}) => privateAddress)
    .filter(address => address !== host.privateAddress);

const sourcesOf = (source: Source, deployment: Deployment, host: FirewalledHost): readonly string[] => {
  const {adminSources, privateSubnet, pods} = deployment.network;
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
    case 'nodes':
      return othersPlaying(deployment, roles.compute, host);
    case 'proxies':
      return othersPlaying(deployment, roles.proxy, host);
    case 'backups':
      return othersPlaying(deployment, roles.backup, host);
    case 'pods':
      return hasKubernetes(deployment) && host.roles.includes(roles.compute) ? [pods] : [];
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
export const inRules = (deployment: Deployment, host: FirewalledHost, sshPort: number): readonly InRule[] => {
  const all = rulesFor(deployment)
    .filter(({role}) => host.roles.includes(role))
    .flatMap(({ports, protocol, from, purpose}) =>
      ports
        .flatMap(port => numbersOf(port, deployment, sshPort))
        .flatMap(port =>
          from
            .flatMap(source => sourcesOf(source, deployment, host))
            .map(source => ({from: spelled(source), port, protocol, purpose})),
        ),
    );
  const key = ({from, port, protocol}: InRule) => `${from} ${port} ${protocol}`;
  return all.filter((rule, index) => all.findIndex(other => key(other) === key(rule)) === index);
};

/**
 * What a proxy forwards: peers of a VPN reach the private subnet, and with a full tunnel everything. What a node of the
 * cluster forwards: what its pods ask of each other and of others.
 */
export const routedRules = (deployment: Deployment, host: Pick<HostSpec, 'roles'>): readonly RoutedRule[] => [
  ...(host.roles.includes(roles.proxy)
    ? vpns(deployment).map(vpn => ({
        in: vpn.interface,
        from: vpn.subnet,
        to: vpn.tunnel === 'full' ? 'any' : deployment.network.privateSubnet,
        purpose: `VPN ${vpn.name}`,
      }))
    : []),
  ...(hasKubernetes(deployment) && host.roles.includes(roles.compute)
    ? [{from: deployment.network.pods, to: 'any', purpose: 'pods'}]
    : []),
];
