import {type StepContext, step} from '../../source/engine/step.ts';
import type {Facts} from '../../source/hosts/facts.ts';
import {aptPackages} from '../../source/resources/apt-packages.ts';
import {type FirewallRule, firewall as ufw} from '../../source/resources/firewall.ts';
import {firewallAbsent} from '../../source/resources/firewall-removal.ts';
import {service} from '../../source/resources/service.ts';
import {packagesStay} from '../../source/resources/stays.ts';
import {sh} from '../../source/shell/script.ts';
import {hostBaseline} from '../host-baseline/host-baseline.ts';
import {exitsZero} from '../shared/checks.ts';
import {roles, systemOf} from '../shared/deployment.ts';
import {aptRemedies} from '../shared/remedies.ts';
import {inRules, routedRules} from './rules.ts';

/** Where the host's SSH server listens: what this connection uses, else what the server is seen on, else the usual. */
export const sshPortOf = ({sshPort, listeners}: Pick<Facts, 'sshPort' | 'listeners'>): number =>
  sshPort ?? listeners.find(({protocol, process}) => protocol === 'tcp' && process === 'sshd')?.port ?? 22;

/** The role table as ufw's rules. */
const rulesFor = ({deployment, host, facts}: StepContext): readonly FirewallRule[] => [
  ...inRules(deployment, host, sshPortOf(facts)).map(
    ({from, port, protocol, purpose}): FirewallRule => ({
      action: 'allow',
      direction: 'in',
      protocol,
      port,
      from,
      comment: purpose,
    }),
  ),
  ...routedRules(deployment, host).map(
    ({in: interfaceIn, from, to, purpose}): FirewallRule => ({
      action: 'allow',
      direction: 'route',
      ...(interfaceIn !== undefined && {interfaceIn}),
      from,
      to,
      comment: purpose,
    }),
  ),
];

export const firewall = step({
  id: 'firewall',
  title: 'Firewall',
  why: 'Lets in who has business with this machine, by the roles it plays, and nobody else.',
  role: roles.base,
  after: [hostBaseline],
  estimate: 15,
  removal: {
    resources: ({scope, facts}) =>
      scope === 'platform'
        ? []
        : [
            packagesStay([systemOf(facts).packages.firewall]),
            firewallAbsent({seenFrom: facts.seenFrom, sshPort: sshPortOf(facts)}),
          ],
  },
  resources: context => [
    aptPackages([systemOf(context.facts).packages.firewall]),
    ufw({rules: rulesFor(context), seenFrom: context.facts.seenFrom, sshPort: context.facts.sshPort}),
    // The rules come back after a restart only with it, and somebody may have turned it off.
    service('ufw', {enabled: true}),
  ],
  verify: ({facts}) => [
    exitsZero(
      {
        id: 'active',
        title: 'the firewall is on, and refuses what no rule names',
        // ufw says `disabled (routed)` on a host that forwards nothing at all.
        script: sh`LC_ALL=C ufw status verbose | grep -E '^(Status: active|Default: deny \(incoming\), allow \(outgoing\), (deny|disabled) \(routed\))$' | wc -l | grep -qx 2`,
      },
      'ufw is active; deny incoming, allow outgoing, nothing routed unnamed',
    ),
    exitsZero({
      id: 'ssh',
      title: 'SSH stays open to its sources',
      script: sh`LC_ALL=C ufw status | grep -E ${`^${sshPortOf(facts)}/tcp +ALLOW`}`,
    }),
    exitsZero(
      {
        id: 'boot',
        title: 'the firewall comes back after a restart',
        script: sh`grep -qx ENABLED=yes /etc/ufw/ufw.conf && systemctl is-enabled ufw.service`,
      },
      'enabled at boot',
    ),
  ],
  remedies: [
    ...aptRemedies,
    {
      id: 'firewall-rolled-back',
      match: /no new connection came through the changed firewall/i,
      cause: 'The rules keep the installer’s own connection out, so the host puts the former ones back by itself.',
      remedy: 'Add the address that you come from to the operators’ networks (or change them), then retry.',
    },
    {
      id: 'firewall-contradiction',
      match: /which is not ours and contradicts/i,
      cause: 'Somebody set a rule on this host that forbids what the deployment needs.',
      remedy: 'See `sudo ufw status numbered` on the host; delete that rule if it is no longer needed, then retry.',
    },
    {
      id: 'firewall-kernel',
      match:
        /could not fetch rule set generation|ip6?tables.*(no such file|permission denied|not supported|table does not exist)|problem running ufw-init/i,
      cause: 'The kernel of the host cannot filter packets: modules are missing, or it was updated and not restarted.',
      remedy: 'Restart the host, then retry. A container needs the right to filter packets (CAP_NET_ADMIN).',
    },
    {
      id: 'firewall-other',
      match: /firewalld|nftables\.service.*active/i,
      cause: 'Another firewall program manages the host’s rules, and the two would undo each other’s.',
      remedy: 'Choose one: disable the other (`systemctl disable --now firewalld`), then retry.',
    },
  ],
});
