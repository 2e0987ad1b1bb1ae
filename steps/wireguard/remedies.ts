import type {Remedy} from '../../source/engine/step.ts';

export const wireguardRemedies: readonly Remedy[] = [
  {
    id: 'wireguard-kernel',
    match: /unknown device type|protocol not supported|module wireguard not found/i,
    cause: 'The kernel of the host has no WireGuard, and the user-space program is missing.',
    remedy: 'Install the distribution’s own kernel, or the package wireguard-go, then retry.',
  },
  {
    id: 'wireguard-tun',
    match: /\/dev\/net\/tun.*(no such file|not permitted|does not exist)|failed to create tun device/i,
    cause: 'The host is a container that may not create network interfaces.',
    remedy: 'Allow the container /dev/net/tun, or load the module wireguard on the machine below.',
  },
  {
    id: 'wireguard-port',
    match: /rtnetlink answers: address already in use|unable to (bind|set) .*port/i,
    cause: 'Another program holds the UDP port of the VPN.',
    remedy: 'See which with `ss -ulpn`; stop it, or choose another port for the channel.',
  },
  {
    id: 'wireguard-exists',
    match: /wg-quick: `?wg\d+'? already exists/i,
    cause: 'An interface of this name was started by hand.',
    remedy: 'Take it down on the host (`sudo wg-quick down wg0`, or `sudo ip link delete wg0`), then retry.',
  },
  {
    id: 'wireguard-overlap',
    match: /rtnetlink answers: file exists/i,
    cause: 'The VPN’s subnet is already routed elsewhere on this host.',
    remedy: 'Look at `ip route` on the host and choose another subnet for the channel.',
  },
  {
    id: 'nat-table',
    match: /table .?nat.? .*(does not exist|not found)|can't initialize iptables table/i,
    cause:
      'The kernel of the host cannot translate addresses: modules are missing, or it was updated and not restarted.',
    remedy: 'Restart the host so that the running kernel and its modules belong together, then retry.',
  },
];
