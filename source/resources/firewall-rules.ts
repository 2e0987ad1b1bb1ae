import {contains, isIpv6, parseAddress, subnetOf} from '../network/address.ts';
import {err, ok, type Result} from '../result.ts';

export type FirewallRule = {
  readonly action: 'allow' | 'limit';
  /** `in`: to the host itself. `route`: through it. */
  readonly direction: 'in' | 'route';
  readonly protocol?: 'tcp' | 'udp';
  /** A number, or a range as `30000:32767`. */
  readonly port?: number | string;
  /** An address or a CIDR of either family; `any`, the default, is every address of both. */
  readonly from?: string;
  readonly to?: string;
  readonly interfaceIn?: string;
  /** Only of a `route` rule. */
  readonly interfaceOut?: string;
  /** What it is for: `SSH`. With it ufw knows a rule as ours. */
  readonly comment: string;
};

/** A rule as ufw keeps it: of one family, with every field said. */
export type Tuple = {
  readonly route: boolean;
  /** `allow`, `limit`; of somebody else's rules also `deny`, `reject`. */
  readonly action: string;
  readonly protocol: string;
  readonly port: string;
  readonly to: string;
  readonly sourcePort: string;
  readonly from: string;
  readonly interfaceIn: string | undefined;
  readonly interfaceOut: string | undefined;
  readonly comment: string;
};

const ourMark = 'groundwork';

/** The rule by which the installer itself comes in, where no other rule lets it. */
export const guardComment = `${ourMark} connection of the installer`;

const anywhere = {4: '0.0.0.0/0', 6: '::/0'} as const;

/** What two rules may not share: ufw takes a new rule with the same key for a change of the old one. */
export const keyOf = ({route, protocol, port, to, sourcePort, from, interfaceIn, interfaceOut}: Tuple): string =>
  [route, protocol, port, to, sourcePort, from, interfaceIn ?? '', interfaceOut ?? ''].join(' ');

export const isOurs = ({comment}: Tuple): boolean => comment === ourMark || comment.startsWith(`${ourMark} `);
export const isGuard = ({comment}: Tuple): boolean => comment === guardComment;

/** As ufw writes it: a whole block as address/length, a single address bare. */
const canonical = (text: string): string => {
  const [address = '', prefix] = text.split('/');
  const parsed = parseAddress(address);
  if (!parsed.ok) throw new Error(`not an address of a firewall rule: ${text}`);
  const bits = isIpv6(address) ? 128 : 32;
  return prefix === undefined || Number(prefix) === bits ? parsed.value : subnetOf(parsed.value, Number(prefix));
};

const familiesOf = (rule: FirewallRule): readonly (4 | 6)[] => {
  const named = [rule.from, rule.to].filter(address => address !== undefined && address !== 'any');
  const families = new Set(named.map(address => (isIpv6(address as string) ? 6 : 4)));
  if (families.size > 1) throw new Error(`a firewall rule with addresses of both families: ${rule.comment}`);
  return families.size === 1 ? [...families] : [4, 6];
};

const check = ({direction, protocol, port, interfaceIn, interfaceOut, comment}: FirewallRule): void => {
  const wrong = (what: string) => new Error(`firewall rule ${comment}: ${what}`);
  if (!/^[\w .,:()/+-]+$/.test(comment)) throw wrong('its comment has characters that ufw refuses');
  if (port !== undefined && !/^\d{1,5}(:\d{1,5})?$/.test(String(port))) throw wrong(`${port} is not a port or a range`);
  if (String(port).includes(':') && protocol === undefined) throw wrong('a range of ports needs a protocol');
  for (const name of [interfaceIn, interfaceOut])
    if (name !== undefined && !/^[A-Za-z0-9._-]{1,15}\+?$/.test(name)) throw wrong(`${name} is not an interface`);
  if (direction === 'in' && interfaceOut !== undefined) throw wrong('what comes in does not leave by an interface');
};

/** A rule as ufw keeps it: once for each family that it concerns. */
export const tuplesOf = (rule: FirewallRule, ipv6: boolean): readonly Tuple[] => {
  check(rule);
  const {action, direction, protocol, port, from = 'any', to = 'any', interfaceIn, interfaceOut, comment} = rule;
  return familiesOf(rule)
    .filter(family => family === 4 || ipv6)
    .map(family => ({
      route: direction === 'route',
      action,
      protocol: protocol ?? 'any',
      port: port === undefined ? 'any' : String(port),
      to: to === 'any' ? anywhere[family] : canonical(to),
      sourcePort: 'any',
      from: from === 'any' ? anywhere[family] : canonical(from),
      interfaceIn,
      interfaceOut,
      comment: `${ourMark} ${comment}`,
    }));
};

/** A line `### tuple ### allow tcp 22 0.0.0.0/0 any 10.0.0.0/8 in_eth0 comment=hex` of ufw's own files. */
export const readTuple = (line: string): Result<Tuple, string> => {
  const words = line.replace('### tuple ###', '').trim().split(' ');
  const [head = '', protocol = '', port = '', to = '', sourcePort = '', from = ''] = words;
  const comment = words.find(word => word.startsWith('comment='))?.slice('comment='.length) ?? '';
  // Rules made from an application's profile name it before the direction.
  const way = words.filter(word => !word.startsWith('comment=')).at(-1) ?? '';
  const [, route, action = ''] = /^(route:)?(allow|deny|reject|limit)(?:_log(?:-all)?)?$/.exec(head) ?? [];
  if (action === '' || words.length < 7) return err(`a rule of ufw could not be read: ${line}`);
  return ok({
    route: route !== undefined,
    action,
    protocol,
    port,
    to,
    sourcePort,
    from,
    interfaceIn: /(?:^|!)in_([^!]+)/.exec(way)?.[1],
    interfaceOut: /(?:^|!)out_([^!]+)/.exec(way)?.[1],
    comment: Buffer.from(comment, 'hex').toString('utf8'),
  });
};

/** What stands behind `ufw` or `ufw delete` to mean exactly this rule, of one family. */
export const ruleWords = (tuple: Tuple): readonly string[] => {
  const {action, interfaceIn, interfaceOut, from, sourcePort, to, port, protocol} = tuple;
  return [
    action,
    ...(interfaceIn ? ['in', 'on', interfaceIn] : []),
    ...(interfaceOut ? ['out', 'on', interfaceOut] : []),
    ...['from', from, ...(sourcePort === 'any' ? [] : ['port', sourcePort])],
    ...['to', to, ...(port === 'any' ? [] : ['port', port])],
    ...(protocol === 'any' ? [] : ['proto', protocol]),
  ];
};

/** A rule for people: `allow tcp 22 from 10.0.0.0/8 (SSH)`. */
export const describe = (tuple: Tuple): string => {
  const {route, action, protocol, port, from, to, interfaceIn, interfaceOut, comment} = tuple;
  const said = (address: string) => {
    if (address === anywhere[4]) return 'anywhere';
    return address === anywhere[6] ? 'anywhere (IPv6)' : address;
  };
  return [
    route ? `${action} forwarding` : action,
    ...(protocol === 'any' ? [] : [protocol]),
    ...(port === 'any' ? [] : [port]),
    `from ${said(from)}`,
    ...(interfaceIn ? [`on ${interfaceIn}`] : []),
    ...(to === anywhere[4] || to === anywhere[6] ? [] : [`to ${to}`]),
    ...(interfaceOut ? [`out on ${interfaceOut}`] : []),
    ...(comment === '' ? [] : [`(${comment.replace(/^groundwork /, '')})`]),
  ].join(' ');
};

/** An address as sshd saw it: without the zone of a link-local one, IPv4 not as a part of IPv6. */
export const plainAddress = (seen: string): string => seen.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '');

export const portMatches = (rule: string, port: number): boolean => {
  const [first, last = first] = rule.split(':').map(Number);
  return rule === 'any' || (port >= (first as number) && port <= (last as number));
};

/** Whether this rule alone lets new SSH connections of that source in, as often as it likes. */
export const letsIn = (rule: Tuple, from: string, port: number): boolean =>
  !rule.route &&
  rule.action === 'allow' &&
  (rule.protocol === 'any' || rule.protocol === 'tcp') &&
  portMatches(rule.port, port) &&
  rule.interfaceIn === undefined &&
  (rule.to === anywhere[4] || rule.to === anywhere[6]) &&
  contains(rule.from.includes('/') ? rule.from : `${rule.from}/${isIpv6(rule.from) ? 128 : 32}`, from);

/** The rule that this connection needs and no wanted rule gives it. */
export const guardFor = (
  wanted: readonly Tuple[],
  seenFrom: string | undefined,
  port: number | undefined,
): Tuple | undefined => {
  if (seenFrom === undefined || port === undefined) return undefined;
  const address = parseAddress(plainAddress(seenFrom));
  if (!address.ok) throw new Error(`not the address of a connection: ${seenFrom}`);
  const from = address.value;
  const sameFamily = wanted.filter(rule => isIpv6(rule.from) === isIpv6(from));
  if (sameFamily.some(rule => letsIn(rule, from, port))) return undefined;
  return {
    route: false,
    action: 'allow',
    protocol: 'tcp',
    port: String(port),
    to: anywhere[isIpv6(from) ? 6 : 4],
    sourcePort: 'any',
    from,
    interfaceIn: undefined,
    interfaceOut: undefined,
    comment: guardComment,
  };
};
