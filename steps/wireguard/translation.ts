import type {Cidr} from '../../source/network/address.ts';
import {managedFile, word} from '../shared/config-text.ts';
import type {Vpn} from '../shared/deployment.ts';

/** Our own chain of the nat table; what others have there stays as it is. */
export const chain = 'GROUNDWORK-VPN';

export const unitName = 'groundwork-vpn-nat.service';
export const unitPath = `/etc/systemd/system/${unitName}`;

export const rulesPath = '/etc/groundwork/vpn-nat.rules';

/**
 * The rules of our chain, as `iptables -S` prints them. Machines of the private subnet know no way back to the VPN,
 * so its packets go out with the proxy's address. The source decides, never the name of a network card: those differ
 * (eth0, ens5, enp0s3) and may change.
 */
export const chainRules = (vpns: readonly Vpn[], privateSubnet: Cidr): readonly string[] =>
  vpns.map(({subnet, tunnel}) => {
    const destination = tunnel === 'full' ? `! -d ${word(subnet)}` : `-d ${word(privateSubnet)}`;
    return `-A ${chain} -s ${word(subnet)} ${destination} -j MASQUERADE`;
  });

/** Input of `iptables-restore --noflush`: fills our chain anew in one stroke, and leaves all others alone. */
export const restoreFile = (rules: readonly string[]): string =>
  managedFile('*nat', `:${chain} - [0:0]`, rules, 'COMMIT');

/**
 * Puts the chain in place at boot. A unit of its own and not wg-quick's `PostUp`, so that a change of the rules needs
 * no restart of the VPN, which would cut everybody off.
 */
export const translationUnit = managedFile(
  '[Unit]',
  'Description=Address translation for the VPN',
  'After=network-pre.target ufw.service',
  'Before=network-online.target',
  '',
  '[Service]',
  'Type=oneshot',
  'RemainAfterExit=yes',
  `ExecStart=-/usr/sbin/iptables -w -t nat -D POSTROUTING -j ${chain}`,
  `ExecStart=/usr/sbin/iptables-restore -w --noflush ${rulesPath}`,
  `ExecStart=/usr/sbin/iptables -w -t nat -A POSTROUTING -j ${chain}`,
  `ExecStop=-/usr/sbin/iptables -w -t nat -D POSTROUTING -j ${chain}`,
  '',
  '[Install]',
  'WantedBy=multi-user.target',
);
