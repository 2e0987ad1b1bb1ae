import {serverAddress} from '../../../steps/wireguard/addresses.ts';
import {
  type Cidr,
  hostCapacity,
  isHostAddress,
  isIpv6,
  overlap,
  parseAddress,
  purposeOf,
} from '../../network/address.ts';
import {publicAcknowledgement} from '../schema.ts';
import {error, type Rule, repeated, validCidr, warning} from './rule.ts';

type Block = {readonly path: string; readonly title: string; readonly cidr: Cidr};
type Deployment = Parameters<Rule>[0];

const privateChannels = ({channels}: Deployment) =>
  channels.flatMap((channel, index) => (channel.kind === 'private' ? [{channel, path: `channels[${index}]`}] : []));

/** Every block of the deployment, those that are set rarely first: a clash is reported at the one that is easier to change. */
const blocks = (deployment: Deployment): readonly Block[] =>
  [
    {path: 'network.services', title: 'the services of the cluster', text: deployment.network.services},
    {path: 'network.pods', title: 'the pods of the cluster', text: deployment.network.pods},
    {path: 'network.privateSubnet', title: 'the private subnet', text: deployment.network.privateSubnet},
    ...privateChannels(deployment).map(({channel, path}) => ({
      path: `${path}.subnet`,
      title: `the VPN "${channel.name}"`,
      text: channel.subnet,
    })),
  ].flatMap(({path, title, text}) => {
    const cidr = validCidr(text);
    return cidr ? [{path, title, cidr}] : [];
  });

/** One address must lead to one place. */
export const blocksApart: Rule = deployment => {
  const all = blocks(deployment);
  return all.flatMap((block, index) =>
    all
      .slice(0, index)
      .filter(earlier => overlap(earlier.cidr, block.cidr))
      .map(earlier => error(block.path, `${block.cidr} overlaps ${earlier.title} (${earlier.cidr})`)),
  );
};

const unusable: readonly string[] = ['loopback', 'link-local', 'multicast', 'reserved'];

/** The ground is laid over IPv4: pods, services, DNS records and forwarding rules are. */
export const blocksUsable: Rule = deployment =>
  blocks(deployment).flatMap(({path, title, cidr}) => {
    if (isIpv6(cidr)) return [error(path, `${cidr} is IPv6; ${title} must be IPv4`)];
    const purpose = purposeOf(cidr);
    if (unusable.includes(purpose))
      return [error(path, `${cidr} is set aside (${purpose}) and cannot be used for hosts`)];
    return purpose === 'public'
      ? [warning(path, `${cidr} belongs to the public internet; what lives there will not be reachable`)]
      : [];
  });

export const adminSourcesNarrow: Rule = ({network}) =>
  network.adminSources.flatMap((source, index) =>
    source.endsWith('/0')
      ? [
          warning(
            `network.adminSources[${index}]`,
            `${source} lets everybody on the internet knock at SSH; name the networks that you log in from`,
          ),
        ]
      : [],
  );

/** UDP ports of a proxy host that something else listens on. */
const takenPorts: Readonly<Record<number, string>> = {
  53: 'DNS',
  123: 'time',
  5353: 'mDNS',
  8472: "the cluster's network",
};

/** Kubernetes gives these to services of type NodePort. */
const nodePorts = {first: 30000, last: 32767};

export const vpnPorts: Rule = deployment => {
  const channels = privateChannels(deployment);
  return [
    ...repeated(
      channels.map(({channel, path}) => ({path: `${path}.port`, key: String(channel.port)})),
      (port, earlier) => `${port} is the port of ${earlier.replace('.port', '')} already`,
    ),
    ...channels.flatMap(({channel: {port}, path}) => {
      const taken = takenPorts[port];
      if (taken) return [error(`${path}.port`, `${port} is the port of ${taken}`)];
      return port >= nodePorts.first && port <= nodePorts.last
        ? [error(`${path}.port`, `${port} is one of the ports that Kubernetes gives to services (30000 to 32767)`)]
        : [];
    }),
  ];
};

export const vpnRoom: Rule = deployment =>
  privateChannels(deployment).flatMap(({channel, path}) => {
    const subnet = validCidr(channel.subnet);
    if (!subnet || hostCapacity(subnet) > BigInt(channel.peers.length)) return [];
    return [
      error(
        `${path}.subnet`,
        `${subnet} has ${hostCapacity(subnet)} addresses, too few for the server and ${channel.peers.length} peers`,
      ),
    ];
  });

export const peersDiffer: Rule = deployment =>
  privateChannels(deployment).flatMap(({channel, path}) => [
    ...repeated(
      channel.peers.map(({name}, index) => ({path: `${path}.peers[${index}].name`, key: name})),
      (name, earlier) => `"${name}" is the name of ${earlier.replace('.name', '')} already`,
    ),
    ...repeated(
      channel.peers.map(({address = ''}, index) => ({path: `${path}.peers[${index}].address`, key: address})),
      (address, earlier) => `${address} is the address of ${earlier.replace('.address', '')} already`,
    ),
  ]);

export const peerAddresses: Rule = deployment =>
  privateChannels(deployment).flatMap(({channel, path}) => {
    const subnet = validCidr(channel.subnet);
    if (!subnet) return [];
    const server = serverAddress({subnet});
    return channel.peers.flatMap(({address: text}, index) => {
      const address = text === undefined ? undefined : parseAddress(text);
      const at = `${path}.peers[${index}].address`;
      if (!address?.ok) return [];
      if (address.value === server) return [error(at, `${server} is the server's own address in ${subnet}`)];
      return isHostAddress(subnet, address.value)
        ? []
        : [error(at, `${text} is not an address for a peer in ${subnet}`)];
    });
  });

/** What peers dial must be somewhere else than on the peer. */
export const endpointsElsewhere: Rule = deployment =>
  privateChannels(deployment).flatMap(({channel: {endpoint}, path}) => {
    const address = parseAddress(endpoint);
    const here = endpoint === 'localhost' || (address.ok && purposeOf(address.value) === 'loopback');
    return here ? [warning(`${path}.endpoint`, `${endpoint} is the peer's own machine; nobody can dial in there`)] : [];
  });

export const channelNames: Rule = ({channels}) =>
  repeated(
    channels.map(({name}, index) => ({path: `channels[${index}].name`, key: name})),
    (name, earlier) => `"${name}" is the name of ${earlier.replace('.name', '')} already`,
  );

/** The door to the internet opens once, and only for who typed what that means. */
export const publicOnce: Rule = ({channels}) => {
  const open = channels.flatMap((channel, index) => (channel.kind === 'public' ? [{channel, index}] : []));
  return [
    ...open.slice(1).map(({index}) => error(`channels[${index}].kind`, 'there can be one public channel only')),
    ...open
      .filter(({channel}) => channel.acknowledgement !== publicAcknowledgement)
      .map(({index}) =>
        error(`channels[${index}].acknowledgement`, `must be the sentence "${publicAcknowledgement}", word for word`),
      ),
  ];
};

/** Public records lead there, so it is listed for whoever makes them. */
export const publicAddressKnown: Rule = ({channels, hosts}) =>
  channels.flatMap((channel, index) => {
    if (channel.kind !== 'public') return [];
    const path = `channels[${index}].address`;
    if (channel.address === undefined)
      return [warning(path, 'is not set: the records that the public needs cannot be listed with their address')];
    return parseAddress(channel.address).ok &&
      ['private', 'loopback', 'link-local'].includes(purposeOf(channel.address)) &&
      !hosts.some(({privateAddress}) => privateAddress === channel.address)
      ? [warning(path, `${channel.address} is not an address of the internet`)]
      : [];
  });

/** Without a VPN the platform is reached from the private subnet only. */
export const someWayIn: Rule = ({channels}) =>
  channels.length === 0
    ? [warning('channels', 'there is none: only machines in the private subnet will reach the platform')]
    : [];
