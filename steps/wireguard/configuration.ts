import type {Deployment} from '../../source/deployment/schema.ts';
import type {Facts} from '../../source/hosts/facts.ts';
import {type Cidr, contains, isIpv6, parseAddress, prefixOf} from '../../source/network/address.ts';
import {managedFile, word} from '../shared/config-text.ts';
import {hasOwnDns, type Vpn} from '../shared/deployment.ts';
import {type AddressedPeer, serverAddress} from './addresses.ts';

export const configurationPath = (vpn: Pick<Vpn, 'interface'>): string => `/etc/wireguard/${vpn.interface}.conf`;

export const keysDirectory = '/etc/wireguard/keys';

/** The server's private key: made on the host, and nowhere else. By channel, since interfaces are only counted. */
export const keyPath = (vpn: Pick<Vpn, 'name'>): string => `${keysDirectory}/${vpn.name}.key`;

export const reloadPath = (vpn: Pick<Vpn, 'interface'>): string =>
  `/etc/systemd/system/wg-quick@${vpn.interface}.service.d/groundwork.conf`;

/**
 * WireGuard over IPv6 takes 80 bytes of a packet. 1420 is what fits into Ethernet's 1500 and what all of WireGuard's
 * own tools take; networks of clouds can be narrower.
 */
export const mtuFor = (facts: Pick<Facts, 'interfaces' | 'defaultRoute'>): number => {
  const outward = facts.interfaces.find(({name}) => name === facts.defaultRoute?.interface);
  return Math.max(1280, Math.min(1420, (outward?.mtu || 1500) - 80));
};

export type PeerKeys = {readonly publicKey: string; readonly presharedKey: string};

/**
 * The server's side of a VPN. Without its private key: that never leaves the host, so `PostUp` takes it from its
 * own file, and a reload adds it (see `reloadUnit`).
 */
export const serverConfiguration = (vpn: Vpn, peers: readonly (AddressedPeer & PeerKeys)[], mtu: number): string =>
  managedFile(
    `# Channel ${word(vpn.name)}. The private key is in ${word(keyPath(vpn))}.`,
    '[Interface]',
    `Address = ${word(serverAddress(vpn))}/${prefixOf(vpn.subnet)}`,
    `ListenPort = ${word(vpn.port)}`,
    `MTU = ${word(mtu)}`,
    `PostUp = wg set %i private-key ${word(keyPath(vpn))}`,
    ...peers.flatMap(peer => [
      '',
      `# ${word(peer.name)}`,
      '[Peer]',
      `PublicKey = ${word(peer.publicKey)}`,
      `PresharedKey = ${word(peer.presharedKey)}`,
      `AllowedIPs = ${word(peer.address)}/32`,
    ]),
  );

/**
 * What `systemctl reload` does: hands the changed list of peers to the running interface, so that those who stay keep
 * their sessions. The distribution's own reload would take a file without a private key as an order to forget it.
 */
export const reloadUnit = (vpn: Vpn): string =>
  managedFile(
    '[Service]',
    'ExecReload=',
    `ExecReload=/bin/bash -c 'exec wg syncconf %i <(wg-quick strip %i; echo "[Interface]"; echo -n "PrivateKey = "; cat ${word(keyPath(vpn))})'`,
  );

/**
 * What a peer sends through the tunnel. An endpoint inside the private subnet is dialled from inside it, or by a route
 * that leads there: taking the subnet into the tunnel would then send the tunnel's own packets into itself.
 */
export const allowedIps = (vpn: Vpn, privateSubnet: Cidr): readonly Cidr[] => {
  if (vpn.tunnel === 'full') return ['0.0.0.0/0', '::/0'];
  const dialledInside = parseAddress(vpn.endpoint).ok && contains(privateSubnet, vpn.endpoint);
  return dialledInside ? [vpn.subnet] : [vpn.subnet, privateSubnet];
};

/**
 * Whom a peer's device asks for names while the tunnel is up: our own server, at an address inside the tunnel, or the
 * site's resolver. No line: it goes on asking whom it asks anyway.
 */
const resolverLines = (vpn: Vpn, deployment: Deployment): readonly string[] => {
  const resolver = hasOwnDns(deployment) ? serverAddress(vpn) : deployment.components.dns.resolver;
  return resolver === undefined ? [] : [`DNS = ${word(resolver)}, ${word(deployment.domain)}`];
};

/** The file that a peer's own device imports. */
export const peerConfiguration = (
  {vpn, deployment, mtu}: {readonly vpn: Vpn; readonly deployment: Deployment; readonly mtu: number},
  peer: AddressedPeer,
  keys: {readonly privateKey: string; readonly presharedKey: string; readonly serverPublicKey: string},
): string => {
  const endpoint = isIpv6(vpn.endpoint) ? `[${vpn.endpoint}]` : vpn.endpoint;
  return `${[
    `# ${word(deployment.name)}, channel ${word(vpn.name)}, peer ${word(peer.name)}. Keep it secret: it is the key to the network.`,
    '[Interface]',
    `PrivateKey = ${word(keys.privateKey)}`,
    `Address = ${word(peer.address)}/32`,
    ...resolverLines(vpn, deployment),
    `MTU = ${word(mtu)}`,
    '',
    '[Peer]',
    `PublicKey = ${word(keys.serverPublicKey)}`,
    `PresharedKey = ${word(keys.presharedKey)}`,
    `Endpoint = ${word(endpoint)}:${word(vpn.port)}`,
    `AllowedIPs = ${allowedIps(vpn, deployment.network.privateSubnet).map(word).join(', ')}`,
    'PersistentKeepalive = 25',
  ].join('\n')}\n`;
};
