import {type Cidr, contains, overlap, parseAddress, parseCidr, subnetOf} from '../network/address.ts';
import type {Listener, NetworkInterface} from './facts.ts';
import {isResolved, listensOn} from './facts-network.ts';
import {type Check, type CheckContext, failed, isOurs, onRealHost, passed, plays, whether} from './preflight-check.ts';

const bare = (address: string): string => address.split('/')[0] ?? '';

/** The smallest packet that IPv6 allows a network to carry; WireGuard cannot go below it either. */
const leastMtu = 1280;

const holderOf = ({facts, host}: CheckContext): NetworkInterface | undefined =>
  facts.interfaces.find(({addresses}) => addresses.some(address => bare(address) === host.privateAddress));

const listed = (items: readonly string[]): string => items.join(', ') || 'none';

const addressChecks: readonly Check[] = [
  {
    id: 'private-address',
    title: 'The private address is on the host',
    severity: 'error',
    acceptable: false,
    applies: onRealHost,
    // the public address may well be somebody else's (a NAT, an elastic address) and is not looked for
    test: context => {
      const {facts, host} = context;
      const holder = holderOf(context);
      const needed = `${host.privateAddress} on an interface`;
      const others = facts.interfaces
        .filter(({name}) => name !== 'lo')
        .flatMap(({name, addresses}) =>
          addresses.filter(address => !contains('fe80::/10', bare(address))).map(address => `${address} on ${name}`),
        );
      if (!holder) {
        return failed(listed(others), needed, 'Set the private address in Hosts to one that the host has.');
      }
      if (!holder.up) return failed(`${holder.name} is down`, needed, `Bring ${holder.name} up.`);
      return passed(`on ${holder.name}`, needed);
    },
  },
  {
    id: 'private-subnet',
    title: 'The private address is in the private subnet',
    severity: 'error',
    acceptable: false,
    // what is still being typed is no subnet; the answers' own checks say that
    applies: ({host, deployment: {network}}) =>
      parseCidr(network.privateSubnet).ok && parseAddress(host.privateAddress).ok,
    test: ({host, deployment: {network}}) =>
      whether(
        contains(network.privateSubnet, host.privateAddress),
        host.privateAddress,
        `in ${network.privateSubnet}`,
        'Correct the private address in Hosts, or the private subnet in Channels.',
      ),
  },
  {
    id: 'default-route',
    title: 'Way to other networks',
    severity: 'warning',
    acceptable: true,
    applies: onRealHost,
    test: ({facts: {defaultRoute}}) =>
      whether(
        defaultRoute !== undefined,
        defaultRoute ? `${defaultRoute.gateway} on ${defaultRoute.interface}` : 'no default route',
        'a default route',
        'VPN peers outside the private subnet get no answer from this host. Set a gateway unless all of them are inside.',
      ),
  },
  {
    id: 'nameservers',
    title: 'Resolvers of the host',
    severity: 'error',
    acceptable: true,
    applies: onRealHost,
    test: ({facts, deployment}) => {
      const {upstreams} = deployment.components.dns;
      return whether(
        facts.nameservers.length + upstreams.length > 0,
        upstreams.length > 0 ? `${listed(upstreams)}, from Components` : listed(facts.nameservers),
        'at least one',
        'Set a resolver on the host, or name upstreams in Components.',
      );
    },
  },
  {
    id: 'mtu',
    title: 'Size of packets',
    severity: 'warning',
    acceptable: true,
    applies: onRealHost,
    test: context => {
      const used = context.facts.interfaces.filter(
        ({name}) => name === context.facts.defaultRoute?.interface || name === holderOf(context)?.name,
      );
      const narrow = used.filter(({mtu}) => mtu < leastMtu);
      return whether(
        narrow.length === 0,
        (narrow.length > 0 ? narrow : used).map(({name, mtu}) => `${name} ${mtu}`).join(', ') || 'unknown',
        `at least ${leastMtu} bytes`,
        'Raise the MTU of the interface; the VPN and the pods need packets of this size.',
      );
    },
  },
  {
    id: 'ipv6',
    title: 'IPv6',
    severity: 'warning',
    acceptable: true,
    applies: onRealHost,
    test: ({facts}) => {
      const needed = 'on or off: the firewall covers both';
      const global = facts.interfaces
        .flatMap(({addresses}) => addresses.map(bare))
        .filter(address => address.includes(':') && address !== '::1' && !contains('fe80::/10', address));
      if (!facts.kernelFeatures.ipv6) return passed('off', needed);
      return passed(global.length > 0 ? `on, as ${listed(global)}` : 'on, without an address beyond the link', needed);
    },
  },
];

/** A port that a step of ours will listen on, and the programs that are ours there once it has run. */
type Port = {
  readonly id: string;
  readonly port: number;
  readonly protocols: readonly Listener['protocol'][];
  readonly use: string;
  readonly role: string;
  readonly ours: readonly string[];
  /** The kernel itself listens there when the step has run: no process shows. */
  readonly kernel?: boolean;
  /** Addresses at which another listener is in the way; empty: anywhere. */
  readonly at: (context: CheckContext) => readonly string[];
};

const anywhere = () => [];

const fixedPorts: readonly Port[] = [
  {id: 'port-80', port: 80, protocols: ['tcp'], use: 'nginx', role: 'proxy', ours: ['nginx'], at: anywhere},
  {id: 'port-443', port: 443, protocols: ['tcp'], use: 'nginx', role: 'proxy', ours: ['nginx'], at: anywhere},
  {
    id: 'port-53',
    port: 53,
    protocols: ['udp', 'tcp'],
    use: 'local DNS',
    role: 'proxy',
    ours: ['dnsmasq'],
    // systemd-resolved's stub keeps to 127.0.0.53 and 127.0.0.54, libvirt's dnsmasq to its own bridge
    at: ({host}) => [host.privateAddress, '127.0.0.1'],
  },
  {
    id: 'port-2049',
    port: 2049,
    protocols: ['tcp'],
    use: 'NFS',
    role: 'storage',
    ours: ['ganesha.nfsd'],
    kernel: true,
    at: anywhere,
  },
];

/** What RKE2 and its first parts listen on (docs.rke2.io, install/requirements). */
const clusterPorts: readonly Port[] = (
  [
    [6443, 'the API of Kubernetes', ['kube-apiserver']],
    [9345, 'RKE2', ['rke2']],
    [10250, 'the kubelet', ['kubelet']],
    [2379, 'etcd', ['etcd']],
    [2380, 'etcd', ['etcd']],
  ] as const
).map(([port, use, ours]) => ({
  id: `port-${port}`,
  port,
  protocols: ['tcp'],
  use,
  role: 'compute',
  ours,
  at: anywhere,
}));

const portsOf = ({deployment}: CheckContext): readonly Port[] => [
  ...fixedPorts,
  ...(deployment.components.kubernetes === undefined ? [] : clusterPorts),
  ...deployment.channels
    .filter(channel => channel.kind === 'private')
    .filter(({port}) => Number.isInteger(port))
    .map(
      ({port, name}): Port => ({
        id: `port-${port}`,
        port,
        protocols: ['udp'],
        use: `WireGuard (${name})`,
        role: 'proxy',
        ours: ['wireguard-go'],
        kernel: true,
        at: anywhere,
      }),
    ),
];

const inTheWay = (context: CheckContext, {port, protocols, at}: Port): readonly Listener[] => {
  const wanted = at(context);
  return context.facts.listeners.filter(
    listener =>
      listener.port === port &&
      protocols.includes(listener.protocol) &&
      !(isResolved(listener.process) && listener.address.startsWith('127.0.0.5')) &&
      (wanted.length === 0 || wanted.some(address => listensOn(listener, address))),
  );
};

const portCheck = (port: Port): Check => ({
  id: port.id,
  title: `Port ${port.port} for ${port.use}`,
  severity: 'error',
  acceptable: false,
  applies: context => onRealHost(context) && plays(port.role)(context),
  test: context => {
    const needed = `free for ${port.use}`;
    const listeners = inTheWay(context, port);
    const same = ({process}: Listener) =>
      port.ours.includes(process) || (port.kernel === true && process === '' && context.facts.privileged);
    const strangers = listeners.filter(listener => !same(listener));
    const named = [...new Set(strangers.map(({process}) => process || 'a process that cannot be seen'))].join(', ');
    if (strangers.length > 0) {
      return failed(
        `${named} listens on ${listed([...new Set(strangers.map(item => `${item.address} (${item.protocol})`))])}`,
        needed,
        `Stop and disable ${strangers[0]?.process || 'what listens there'}, or choose another host. \`ss -lntup\` on the host shows it.`,
      );
    }
    if (listeners.length > 0 && !isOurs(context)) {
      return failed(
        `${listeners[0]?.process || 'the kernel'} of somebody else listens already`,
        needed,
        'If you accept this, the installation takes the running program over and changes its configuration.',
        {acceptable: true},
      );
    }
    return passed(listeners.length > 0 ? `${listeners[0]?.process || 'the kernel'} of ours` : 'free', needed);
  },
});

type Planned = {readonly id: string; readonly title: string; readonly subnet: Cidr};

/** Those that are subnets already: an answer that is still being typed is told about by the answers' own checks. */
const plannedSubnets = ({deployment: {channels, network}}: CheckContext): readonly Planned[] =>
  [
    ...channels
      .filter(channel => channel.kind === 'private')
      .map(({name, subnet}) => ({id: `subnet-${name}`, title: `VPN subnet of ${name}`, subnet})),
    {id: 'subnet-pods', title: 'Subnet of the pods', subnet: network.pods},
    {id: 'subnet-services', title: 'Subnet of the services', subnet: network.services},
  ].filter(({subnet}) => parseCidr(subnet).ok);

/** The networks that a host is in or has a way to, each with the interface, without loopback and link-local ones. */
const networksOf = ({facts}: CheckContext): readonly {readonly subnet: Cidr; readonly name: string}[] => {
  const direct = facts.interfaces.flatMap(({name, addresses}) =>
    addresses.flatMap(address => {
      const [ip = '', prefix] = address.split('/');
      return parseAddress(ip).ok ? [{subnet: subnetOf(ip, Number(prefix)), name}] : [];
    }),
  );
  const routed = facts.routes.map(({destination, interface: name}) => ({subnet: destination, name}));
  const unimportant = ['127.0.0.0/8', '169.254.0.0/16', '::1/128', 'fe80::/10', 'ff00::/8'];
  const found = [...direct, ...routed].filter(({subnet}) => !unimportant.some(block => contains(block, subnet)));
  return [...new Map(found.map(item => [`${item.subnet} ${item.name}`, item])).values()];
};

const subnetCheck = ({id, title, subnet}: Planned): Check => ({
  id,
  title,
  severity: 'error',
  acceptable: true,
  applies: onRealHost,
  test: context => {
    const clashes = networksOf(context)
      .filter(network => overlap(network.subnet, subnet))
      // on a host that is ours, what lies inside is what we have put there
      .filter(network => !(isOurs(context) && contains(subnet, network.subnet)));
    return whether(
      clashes.length === 0,
      clashes.length === 0 ? 'overlaps with none' : clashes.map(({subnet: of, name}) => `${of} on ${name}`).join(', '),
      `${subnet} in use nowhere else`,
      'Packets for one of the two networks would go to the other. Choose another subnet in Channels.',
    );
  },
});

/** Checks of the network: the same for every host, and those that the deployment's channels and subnets add. */
export const networkChecks = (context: CheckContext): readonly Check[] => [
  ...addressChecks,
  ...portsOf(context).map(portCheck),
  ...plannedSubnets(context).map(subnetCheck),
];
