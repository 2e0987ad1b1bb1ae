import {err} from '../result.ts';
import {lines, sh} from '../shell/script.ts';
import {
  changeFirewall,
  type FirewallAction,
  type FirewallState,
  policiesOf,
  readFirewall,
  readSettings,
  removeRule,
  settleIpv6,
} from './firewall.ts';
import {describe, isOurs, letsIn, plainAddress, portMatches, type Tuple} from './firewall-rules.ts';
import {markers, probeFirewall, probeOriginal} from './firewall-script.ts';
import {type Resource, resource} from './resource.ts';

export type FirewallRemoval = {
  /** Where this connection comes from and where it goes to (facts); undefined on this machine. */
  readonly seenFrom: string | undefined;
  readonly sshPort: number;
};

/** The firewall as it is now, and as it was before our first change where that is known. */
type State = FirewallState & {
  readonly original: Pick<FirewallState, 'enabled' | 'filtersIpv6' | 'policies'> | undefined;
};

type Withdrawal = {readonly actions: readonly FirewallAction[]; readonly kept: readonly Tuple[]};

const words: Readonly<Record<string, string>> = {accept: 'allow', drop: 'deny', reject: 'reject'};

/** Whether those who come in now still do without any rule of ours. */
const openWithout = (state: State, incoming: string, {seenFrom, sshPort}: FirewallRemoval): boolean => {
  if (incoming === 'accept') return true;
  const foreign = state.rules.filter(rule => !isOurs(rule));
  // On this machine nobody knows where its operators will come from: any rule of the site's own for SSH is taken for theirs.
  if (seenFrom === undefined)
    return foreign.some(
      rule => !rule.route && (rule.action === 'allow' || rule.action === 'limit') && portMatches(rule.port, sshPort),
    );
  return foreign.some(rule => letsIn(rule, plainAddress(seenFrom), sshPort));
};

/**
 * What is undone, and which of our rules must stay. A firewall that was off before is off again; one that was on, or of
 * which nothing is known, stays on, and keeps our rules for SSH where no other rule would let the operator in.
 */
export const withdrawal = (state: State, options: FirewallRemoval): Withdrawal => {
  const ours = state.rules.filter(isOurs);
  if (ours.length === 0) return {actions: [], kept: []};
  const {original} = state;
  const off = original?.enabled === false;
  const policies = original?.policies ?? state.policies;
  const kept =
    off || openWithout(state, policies.incoming, options)
      ? []
      : ours.filter(({route, port, protocol}) => !route && protocol !== 'udp' && portMatches(port, options.sshPort));
  const removed = ours.filter(rule => !kept.includes(rule));
  // Our rules for SSH alone are what an earlier removal has left.
  if (removed.length === 0) return {actions: [], kept};
  const restored = (['incoming', 'outgoing', 'routed'] as const)
    .filter(name => policies[name] !== state.policies[name] && words[policies[name]] !== undefined)
    .map((name): FirewallAction => {
      const policy = words[policies[name]] as string;
      return {summary: `${name}: ${policy} again what no rule names`, command: sh`ufw default ${policy} ${name}`};
    });
  return {
    kept,
    actions: [
      ...(off && (state.active || state.enabled)
        ? [{summary: 'turn the firewall off, as it was before', command: sh`ufw --force disable`}]
        : []),
      ...(original && original.filtersIpv6 !== state.filtersIpv6 ? [settleIpv6(original.filtersIpv6)] : []),
      ...restored,
      ...removed.map(removeRule),
    ],
  };
};

/**
 * None of our rules in the host's firewall (ufw), and its settings as they were before. Like every change of it, this one
 * is undone by the host itself unless a new connection comes through: nobody is ever locked out.
 */
export const firewallAbsent = (options: FirewallRemoval): Resource =>
  resource<State>({
    id: 'no firewall rules',
    doing: 'taking our rules out of the firewall',
    probe: lines(probeFirewall, probeOriginal),
    read: ({stdout}) => {
      const [now = '', before = ''] = stdout.split(`${markers.original}\n`);
      const state = readFirewall(now);
      if (!state.ok) return err(state.error);
      const settings = readSettings(before);
      const original =
        settings.size === 0
          ? undefined
          : {
              enabled: settings.get('ENABLED') === 'yes',
              filtersIpv6: settings.get('IPV6') === 'yes',
              policies: policiesOf(settings),
            };
      return {ok: true, value: {...state.value, original}};
    },
    diff: state => {
      const actions = withdrawal(state, options).actions.map(({summary}) => ({summary}));
      return actions.length === 0 && state.unconfirmed
        ? [{summary: 'confirm an earlier change, which the host would undo'}]
        : actions;
    },
    stays: state => {
      const {kept} = withdrawal(state, options);
      return kept.length === 0
        ? []
        : [
            {
              kind: 'other',
              what: `the firewall, which is on, with ${kept.map(rule => `"${describe(rule)}"`).join(', ')}`,
              why: `no other rule lets SSH in${state.original ? '' : ', and what was there before is not known'}`,
            },
          ];
    },
    apply: state => changeFirewall(withdrawal(state, options).actions),
  });
