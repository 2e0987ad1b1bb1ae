import type {Deployment, PrivateChannel} from '../../source/deployment/schema.ts';
import {type Address, addressAt, type Cidr, isHostAddress, sizeOf} from '../../source/network/address.ts';

/** A peer with the address it has in its channel's subnet. */
export type AddressedPeer = {readonly name: string; readonly address: Address};

/** Where the addresses that hosts may have begin: after the network's own address, which a block of two does not have. */
const firstIndex = (subnet: Cidr): bigint => (sizeOf(subnet) <= 2n ? 0n : 1n);

/** The server's address in a VPN: the first one that a host can have. */
export const serverAddress = ({subnet}: Pick<PrivateChannel, 'subnet'>): Address =>
  addressAt(subnet, firstIndex(subnet)) as Address;

/**
 * The peers of a channel with an address each: their own if they have one, else the lowest that is free, in the
 * order of the list. A subnet that is too small is refused by the deployment's checks, hence the throw.
 */
export const addressedPeers = ({subnet, peers}: Pick<PrivateChannel, 'subnet' | 'peers'>): readonly AddressedPeer[] => {
  const taken = new Set([serverAddress({subnet}), ...peers.flatMap(({address}) => address ?? [])]);
  let index = firstIndex(subnet);
  return peers.map(({name, address}) => {
    if (address !== undefined) return {name, address};
    for (let free = addressAt(subnet, index); free !== undefined; free = addressAt(subnet, index)) {
      index += 1n;
      if (taken.has(free) || !isHostAddress(subnet, free)) continue;
      return {name, address: free};
    }
    throw new Error(`${subnet} has no free address for peer ${name}`);
  });
};

/** The deployment with every peer's address written down, so that removing one peer later moves none of the others. */
export const pinPeerAddresses = (deployment: Deployment): Deployment => ({
  ...deployment,
  channels: deployment.channels.map(channel =>
    channel.kind === 'private' ? {...channel, peers: [...addressedPeers(channel)]} : channel,
  ),
});
