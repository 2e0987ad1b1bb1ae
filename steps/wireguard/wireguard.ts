import type {SecretSpec, StepContext, Verification} from '../../source/engine/step.ts';
import {step} from '../../source/engine/step.ts';
import {prefixOf} from '../../source/network/address.ts';
import {aptPackages} from '../../source/resources/apt-packages.ts';
import {command} from '../../source/resources/command.ts';
import {directory} from '../../source/resources/directory.ts';
import {file} from '../../source/resources/file.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {service} from '../../source/resources/service.ts';
import {sysctl} from '../../source/resources/sysctl.ts';
import {lines, sh} from '../../source/shell/script.ts';
import {firewall} from '../firewall/firewall.ts';
import {exitsZero, prints} from '../shared/checks.ts';
import {roles, systemOf, type Vpn, vpns} from '../shared/deployment.ts';
import {aptRemedies} from '../shared/remedies.ts';
import {type AddressedPeer, addressedPeers, serverAddress} from './addresses.ts';
import {
  configurationPath,
  keysDirectory,
  mtuFor,
  peerConfiguration,
  reloadPath,
  reloadUnit,
  serverConfiguration,
} from './configuration.ts';
import {closeStale, staleInterfaces} from './interfaces.ts';
import {generatePresharedKey, generatePrivateKey, publicKeyOf} from './keys.ts';
import {wireguardRemedies} from './remedies.ts';
import {wireguardRemoval} from './removal.ts';
import {publicKeyProduct, serverKey} from './server-key.ts';
import {chain, chainRules, restoreFile, rulesPath, translationUnit, unitName, unitPath} from './translation.ts';

const keySecret = (vpn: Vpn, peer: string): string => `wireguard.${vpn.name}.${peer}.private-key`;
const presharedSecret = (vpn: Vpn, peer: string): string => `wireguard.${vpn.name}.${peer}.preshared-key`;

const unitOf = (vpn: Vpn): string => `wg-quick@${vpn.interface}.service`;

const withKeys = (vpn: Vpn, secret: StepContext['secret']) =>
  addressedPeers(vpn).map((peer: AddressedPeer) => ({
    ...peer,
    publicKey: publicKeyOf(secret(keySecret(vpn, peer.name))),
    presharedKey: secret(presharedSecret(vpn, peer.name)),
  }));

/** Interfaces that an earlier state of the deployment had and this one has not. */
const noOthers = (wanted: readonly Vpn[]): Resource => {
  const stale = staleInterfaces(wanted);
  return command({
    id: 'wireguard interfaces of channels that are gone',
    doing: 'closing VPNs of channels that are gone',
    unless: lines(stale, sh`[ -z "$(stale)" ]`),
    script: lines(stale, closeStale),
    change: 'close VPNs of channels that are gone',
  });
};

/** A reload takes over keys and peers; the interface's own address and size need a restart, which cuts sessions off. */
const interfaceAsWritten = (vpn: Vpn, mtu: number): Resource => {
  const address = `${serverAddress(vpn)}/${prefixOf(vpn.subnet)}`;
  return command({
    id: `wireguard interface ${vpn.interface}`,
    doing: `starting VPN ${vpn.name} anew`,
    unless: sh`ip -o link show dev ${vpn.interface} 2>/dev/null | grep -qF ${` mtu ${mtu} `} &&
ip -o address show dev ${vpn.interface} | grep -qF ${` ${address} `}`,
    script: sh`systemctl restart ${unitOf(vpn)}`,
    change: `give ${vpn.interface} the address ${address} and MTU ${mtu}`,
  });
};

const peersOf = (vpn: Vpn): string =>
  addressedPeers(vpn)
    .map(({address}) => `${address}/32`)
    .sort()
    .join(' ');

const livePeers = (vpn: Vpn) => sh`wg show ${vpn.interface} allowed-ips | cut -f 2 | sort | xargs`;

/** Somebody may have changed the running interface with `wg set`: the file did not change, and yet it is not obeyed. */
const runningAsWritten = (vpn: Vpn): Resource =>
  command({
    id: `wireguard peers of ${vpn.interface}`,
    doing: `reading the peers of VPN ${vpn.name} again`,
    unless: sh`[ "$(wg show ${vpn.interface} listen-port)" = ${vpn.port} ] && [ "$(${livePeers(vpn)})" = ${peersOf(vpn)} ]`,
    script: sh`systemctl reload ${unitOf(vpn)}`,
    change: `port ${vpn.port} and ${vpn.peers.length} peers, as written`,
  });

const liveRules = sh`iptables -w -t nat -S ${chain} | tail -n +2`;

const jumps = sh`iptables -w -t nat -C POSTROUTING -j ${chain}`;

const translation = (wanted: readonly Vpn[], privateSubnet: string): readonly Resource[] => {
  const rules = chainRules(wanted, privateSubnet);
  return [
    file(rulesPath, restoreFile(rules)),
    file(unitPath, translationUnit),
    service(unitName, {enabled: true, running: true}),
    command({
      id: 'address translation of the VPN',
      doing: 'setting the VPN’s address translation',
      unless: sh`[ "$(${liveRules})" = ${rules.join('\n')} ] && ${jumps}`,
      script: sh`systemctl restart ${unitName}`,
      change: 'set the rules of address translation',
    }),
  ];
};

const verifyVpn = (vpn: Vpn, {products}: StepContext): readonly Verification[] => {
  return [
    prints(
      {
        id: `${vpn.interface}-listens`,
        title: `VPN ${vpn.name} listens on UDP port ${vpn.port} with its own key`,
        script: sh`echo $(wg show ${vpn.interface} listen-port) $(wg show ${vpn.interface} public-key)`,
      },
      `${vpn.port} ${products[publicKeyProduct(vpn)] ?? ''}`,
    ),
    prints(
      {
        id: `${vpn.interface}-peers`,
        title: `VPN ${vpn.name} knows its ${vpn.peers.length} peers and no others`,
        script: livePeers(vpn),
      },
      peersOf(vpn),
    ),
    prints(
      {
        id: `${vpn.interface}-forwards`,
        title: `the firewall lets VPN ${vpn.name} through to the private subnet`,
        script: sh`ufw status | grep -F ${`on ${vpn.interface}`} | grep -c 'ALLOW FWD'`,
      },
      /^[1-9]/,
    ),
    exitsZero(
      {
        id: `${vpn.interface}-translation`,
        title: `packets of VPN ${vpn.name} find their way back`,
        script: sh`${jumps} && ${liveRules} | grep -F -- ${`-s ${vpn.subnet} `}`,
      },
      'masqueraded by source subnet',
    ),
  ];
};

export const wireguard = step({
  id: 'wireguard',
  title: 'WireGuard server',
  why: 'Lets named people and machines into the private network from anywhere, and nobody else.',
  role: roles.proxy,
  after: [firewall],
  estimate: 15,
  enabled: deployment => vpns(deployment).length > 0,
  secrets: deployment =>
    vpns(deployment).flatMap(vpn =>
      vpn.peers.flatMap(({name}): SecretSpec[] => [
        {name: keySecret(vpn, name), generate: generatePrivateKey},
        {name: presharedSecret(vpn, name), generate: generatePresharedKey},
      ]),
    ),
  removal: wireguardRemoval,
  resources: ({deployment, facts, secret}) => {
    const all = vpns(deployment);
    const {packages} = systemOf(facts);
    const mtu = mtuFor(facts);
    return [
      aptPackages([packages.wireguard, ...(facts.kernelFeatures.wireguard ? [] : [packages.wireguardUserspace])]),
      directory('/etc/wireguard', {mode: 0o700}),
      directory(keysDirectory, {mode: 0o700}),
      sysctl('wireguard', {'net.ipv4.ip_forward': 1}),
      noOthers(all),
      ...all.flatMap(vpn => [
        serverKey(vpn),
        file(configurationPath(vpn), serverConfiguration(vpn, withKeys(vpn, secret), mtu), {
          mode: 0o600,
          secret: true,
        }),
        file(reloadPath(vpn), reloadUnit(vpn)),
        service(unitOf(vpn), {
          enabled: true,
          running: true,
          configuration: [configurationPath(vpn)],
          onChange: 'reload',
        }),
        interfaceAsWritten(vpn, mtu),
        runningAsWritten(vpn),
      ]),
      ...translation(all, deployment.network.privateSubnet),
    ];
  },
  verify: context => vpns(context.deployment).flatMap(vpn => verifyVpn(vpn, context)),
  handover: ({deployment, facts, products, secret}) =>
    vpns(deployment).flatMap(vpn => {
      const serverPublicKey = products[publicKeyProduct(vpn)];
      if (serverPublicKey === undefined) return [];
      return addressedPeers(vpn).map(peer => ({
        path: vpns(deployment).length > 1 ? `peers/${vpn.name}/${peer.name}.conf` : `peers/${peer.name}.conf`,
        title: `WireGuard configuration of ${peer.name} (VPN ${vpn.name})`,
        content: peerConfiguration({vpn, deployment, mtu: mtuFor(facts)}, peer, {
          privateKey: secret(keySecret(vpn, peer.name)),
          presharedKey: secret(presharedSecret(vpn, peer.name)),
          serverPublicKey,
        }),
        secret: true,
      }));
    }),
  remedies: [...aptRemedies, ...wireguardRemedies],
  skippable:
    'Nobody can come in over this VPN: the platform is reachable from the private subnet only. Right for a site that has a VPN of its own into that subnet.',
});
