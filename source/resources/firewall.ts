import {ok, type Result} from '../result.ts';
import {type Script, sh} from '../shell/script.ts';
import {
  describe,
  type FirewallRule,
  guardFor,
  isGuard,
  isOurs,
  keyOf,
  readTuple,
  ruleWords,
  type Tuple,
  tuplesOf,
} from './firewall-rules.ts';
import {changeUnderTimer, confirmChange, markers, probeFirewall} from './firewall-script.ts';
import {type Apply, type Resource, resource} from './resource.ts';

export type {FirewallRule} from './firewall-rules.ts';

export type Policy = 'allow' | 'deny' | 'reject';

export type Firewall = {
  readonly rules: readonly FirewallRule[];
  /** Where this connection comes from and where it goes to (facts); undefined on this machine. */
  readonly seenFrom?: string | undefined;
  readonly sshPort?: number | undefined;
  /** What happens to what no rule names. Default: deny, allow, deny. */
  readonly incoming?: Policy;
  readonly outgoing?: Policy;
  readonly routed?: Policy;
  /** Seconds until the host puts the former firewall back, if no new connection came through the new one. Default 90. */
  readonly confirmWithin?: number;
};

export type FirewallState = {
  readonly enabled: boolean;
  readonly active: boolean;
  readonly installed: boolean;
  /** Whether the kernel speaks IPv6, and whether ufw filters it. */
  readonly ipv6: boolean;
  readonly filtersIpv6: boolean;
  readonly policies: Readonly<Record<'incoming' | 'outgoing' | 'routed', string>>;
  readonly rules: readonly Tuple[];
  /** An earlier change was made and not confirmed: it will be undone unless it is. */
  readonly unconfirmed: boolean;
};

type Settings = ReadonlyMap<string, string>;

/** ufw's own settings, in lower case. */
export const readSettings = (text: string): Settings =>
  new Map([...text.matchAll(/^(\w+)="?(\w*)"?$/gm)].map(([, key = '', value = '']) => [key, value.toLowerCase()]));

export const policiesOf = (settings: Settings): FirewallState['policies'] => ({
  incoming: settings.get('DEFAULT_INPUT_POLICY') ?? '',
  outgoing: settings.get('DEFAULT_OUTPUT_POLICY') ?? '',
  routed: settings.get('DEFAULT_FORWARD_POLICY') ?? '',
});

export const readFirewall = (stdout: string): Result<FirewallState, string> => {
  const [, settingsText = '', rulesText = '', nowText = ''] =
    new RegExp(`${markers.settings}\n([\\s\\S]*)${markers.rules}\n([\\s\\S]*)${markers.now}\n([\\s\\S]*)`).exec(
      stdout,
    ) ?? [];
  const settings = readSettings(settingsText);
  const rules: Tuple[] = [];
  for (const line of rulesText.split('\n').filter(text => text !== '')) {
    const tuple = readTuple(line);
    if (!tuple.ok) return tuple;
    rules.push(tuple.value);
  }
  const now = nowText.split('\n');
  return ok({
    enabled: settings.get('ENABLED') === 'yes',
    active: now.includes('Status: active'),
    installed: now.includes('installed'),
    ipv6: now.includes('ipv6'),
    filtersIpv6: settings.get('IPV6') === 'yes',
    policies: policiesOf(settings),
    rules,
    unconfirmed: now.includes('unconfirmed'),
  });
};

/** How /etc/default/ufw spells a policy. */
const spelling: Readonly<Record<Policy, string>> = {allow: 'accept', deny: 'drop', reject: 'reject'};

export type FirewallAction = {readonly summary: string; readonly command: Script};

/** Somebody else's rule about exactly the same packets. One that lets them in serves us; another is not ours to replace. */
const foreignTo = (rule: Tuple, state: FirewallState): Tuple | undefined =>
  state.rules.find(other => !isOurs(other) && keyOf(other) === keyOf(rule));

const add = (rule: Tuple, how: 'append' | 'prepend' = 'append'): FirewallAction => {
  const way = [...(rule.route ? ['route'] : []), ...(how === 'prepend' ? ['prepend'] : [])];
  return {summary: describe(rule), command: sh`ufw ${[...way, ...ruleWords(rule), 'comment', rule.comment]}`};
};

export const removeRule = (rule: Tuple): FirewallAction => ({
  summary: `no longer ${describe(rule)}`,
  command: sh`ufw ${[...(rule.route ? ['route'] : []), 'delete', ...ruleWords(rule)]}`,
});

export const settleIpv6 = (on: boolean): FirewallAction => ({
  summary: on ? 'filter IPv6 too' : 'leave IPv6 out, which this kernel does not have',
  command: sh`sed -i -e ${`s/^IPV6=.*/IPV6=${on ? 'yes' : 'no'}/`} /etc/default/ufw`,
});

/** What there is to do, in the order in which nobody who may come in is kept out meanwhile. */
export const firewallActions = (state: FirewallState, options: Firewall): readonly FirewallAction[] => {
  const {rules, incoming = 'deny', outgoing = 'allow', routed = 'deny', seenFrom, sshPort} = options;
  const wanted = [
    ...new Map(rules.flatMap(rule => tuplesOf(rule, state.ipv6)).map(rule => [keyOf(rule), rule] as const)).values(),
  ];
  const ours = state.rules.filter(isOurs);
  const same = (rule: Tuple) => (other: Tuple) =>
    keyOf(rule) === keyOf(other) && rule.action === other.action && rule.comment === other.comment;
  const missing = wanted.filter(rule => !ours.some(same(rule)) && foreignTo(rule, state) === undefined);
  const unwanted = ours.filter(rule => !wanted.some(other => keyOf(other) === keyOf(rule)));
  const policies = (
    [
      ['incoming', incoming],
      ['outgoing', outgoing],
      ['routed', routed],
    ] as const
  )
    .filter(([name, policy]) => state.policies[name] !== spelling[policy])
    .map(
      ([name, policy]): FirewallAction => ({
        summary: `${name}: ${policy} what no rule names`,
        command: sh`ufw default ${policy} ${name}`,
      }),
    );
  const on = state.enabled && state.active;
  const ipv6 = state.filtersIpv6 === state.ipv6 ? [] : [settleIpv6(state.ipv6)];
  const turnedOn = [
    ...(on ? [] : [{summary: 'turn the firewall on', command: sh`ufw --force enable`}]),
    // ufw reads this setting only when it builds all of its chains.
    ...(on && ipv6.length > 0 ? [{summary: 'build the rules anew for IPv6', command: sh`ufw reload`}] : []),
  ];
  const stale = unwanted.filter(rule => !isGuard(rule));
  // Who looks at a firewall that is on has come in through it: only a change needs the rule for this connection.
  if ([ipv6, missing, stale, policies, turnedOn].every(list => list.length === 0)) return [];
  const guard = guardFor(wanted, seenFrom, sshPort);
  const forGuard = (rule: Tuple) => guard !== undefined && keyOf(rule) === keyOf(guard);
  const inTheWay = guard && ours.find(forGuard);
  const letIn =
    guard === undefined || ours.some(same(guard)) || foreignTo(guard, state)
      ? []
      : [add(guard, inTheWay ? 'append' : 'prepend')];
  return [
    ...letIn,
    ...ipv6,
    ...missing.map(rule => add(rule)),
    ...unwanted.filter(rule => !forGuard(rule)).map(removeRule),
    ...policies,
    ...turnedOn,
  ];
};

/** Rules of somebody else that forbid exactly what one of ours lets in: replacing them is not ours to decide. */
const contradictions = (state: FirewallState, {rules}: Firewall): readonly string[] =>
  rules
    .flatMap(rule => tuplesOf(rule, state.ipv6))
    .flatMap(rule => {
      const foreign = foreignTo(rule, state);
      return foreign && foreign.action !== 'allow' && foreign.action !== 'limit'
        ? [
            `ufw has the rule "${describe(foreign)}", which is not ours and contradicts "${describe(rule)}"; delete one of the two`,
          ]
        : [];
    });

const confirmAttempts = 2;

/** Makes the changes under the host's timer, and takes that away over a connection that was made after them. */
export const changeFirewall =
  (actions: readonly FirewallAction[], confirmWithin = 90): Apply =>
  async port => {
    // A command of ufw takes half a second on an ordinary machine, and several on a slow one.
    const seconds = confirmWithin + 3 * actions.length;
    const changed = await port.run(
      changeUnderTimer(
        actions.map(({command}) => command),
        seconds,
      ),
      {timeoutMs: seconds * 1000},
    );
    if (!changed.ok) return changed;
    const patience = Math.floor(Math.min(20, confirmWithin / (confirmAttempts + 1)) * 1000);
    for (let attempt = 1; ; attempt += 1) {
      const confirmed = await port.run(confirmChange, {fresh: true, timeoutMs: patience});
      if (confirmed.ok || confirmed.error.kind === 'cancelled' || confirmed.error.kind === 'command') return confirmed;
      if (attempt < confirmAttempts) continue;
      return {
        ok: false,
        error: {
          ...confirmed.error,
          kind: 'verification',
          message: `No new connection came through the changed firewall. The host puts the former one back within ${seconds} s.`,
          attempted: 'connecting anew after the change of the firewall',
          cause:
            'The rules, or older rules of the host that come before them, keep this machine out; or the host went down just then.',
          remedy: 'Check the addresses of the operators in the settings, and `sudo ufw status numbered` on the host.',
          transient: false,
        },
      };
    }
  };

/**
 * The host's firewall (ufw), as a difference: our rules are known by their comments, missing ones are added and ours that
 * are no longer wanted are deleted. Nothing is reset, and nobody else's rule is touched. The connection in use
 * always gets in, and a change that it could not be made anew after is undone by the host itself.
 */
export const firewall = (options: Firewall): Resource => {
  const {confirmWithin = 90} = options;
  const rules = options.rules.flatMap(rule => tuplesOf(rule, true));
  for (const rule of rules) if (isGuard(rule)) throw new Error(`the comment "${rule.comment}" is the installer's own`);
  return resource<FirewallState>({
    id: 'firewall',
    doing: 'setting the firewall',
    probe: probeFirewall,
    read: ({stdout}) => {
      const state = readFirewall(stdout);
      if (!state.ok) return state;
      const [contradiction] = contradictions(state.value, options);
      return contradiction === undefined ? state : {ok: false, error: contradiction};
    },
    diff: state => {
      const actions = firewallActions(state, options).map(({summary}) => ({summary}));
      return actions.length === 0 && state.unconfirmed
        ? [{summary: 'confirm an earlier change, which the host would undo'}]
        : actions;
    },
    apply: state => changeFirewall(firewallActions(state, options), confirmWithin),
  });
};
