import {isHostReference} from '../network/names.ts';
import {err, ok, type Result} from '../result.ts';
import {type ListedHost, labelFrom, parseHost} from './host-list.ts';

/** A variable of an inventory, as text, with the line that it stands in. */
export type Variable = {readonly value: string; readonly line: number};

export type Variables = ReadonlyMap<string, Variable>;

/** A group as it stands in a file: hosts may be in several, and groups in groups. */
export type Group = {
  readonly hosts: ReadonlyMap<string, Variables & {readonly line?: number}>;
  readonly variables: Variables;
  readonly children: readonly string[];
};

export type Groups = ReadonlyMap<string, Group>;

export type Jump = {
  readonly address: string;
  readonly port: number;
  readonly user?: string;
  readonly identityFile?: string;
};

/** A host of an inventory, with what its groups say about it. */
export type InventoryHost = ListedHost & {
  /** As the inventory calls it. */
  readonly called: string;
  readonly line: number;
  /** Those that it is in, and those above them. */
  readonly groups: readonly string[];
  readonly jump?: Jump;
  /** `ansible_connection=local`: the machine that Ansible runs on. */
  readonly local: boolean;
};

/** A variable that was not used for a login, by the line that it stands in. */
export type Unused = {
  readonly line: number;
  readonly name: string;
  readonly why: 'secret' | 'template' | 'jump' | 'other';
};

export type Inventory = {readonly hosts: readonly InventoryHost[]; readonly unused: readonly Unused[]};

/** More than this nobody wrote down by hand; a range of ten digits would fill the memory. */
const mostHosts = 4096;

const secretVariable = /pass(word|phrase)?$|_pass$|secret|token/i;

/** Variables that say how a host is reached, each with its older spellings. */
const loginNames = {
  address: ['ansible_host', 'ansible_ssh_host'],
  port: ['ansible_port', 'ansible_ssh_port'],
  user: ['ansible_user', 'ansible_ssh_user'],
  identityFile: ['ansible_ssh_private_key_file', 'ansible_private_key_file'],
  connection: ['ansible_connection'],
  arguments: ['ansible_ssh_common_args', 'ansible_ssh_extra_args'],
} as const;

const known: readonly string[] = Object.values(loginNames).flat();

/** The distance of each group from the top, the longest way: what is nearer to the host counts more. */
const depths = (groups: Groups): ReadonlyMap<string, number> => {
  const found = new Map<string, number>();
  const walk = (name: string, depth: number, above: readonly string[]): void => {
    if (above.includes(name) || (found.get(name) ?? -1) >= depth) return;
    found.set(name, depth);
    for (const child of groups.get(name)?.children ?? []) walk(child, depth + 1, [...above, name]);
  };
  const below = new Set([...groups.values()].flatMap(({children}) => children));
  for (const name of groups.keys()) if (!below.has(name)) walk(name, name === 'all' ? 0 : 1, []);
  return found;
};

const groupsAbove = (groups: Groups, name: string, seen: readonly string[] = []): readonly string[] =>
  seen.includes(name)
    ? []
    : [
        name,
        ...[...groups]
          .filter(([, {children}]) => children.includes(name))
          .flatMap(([parent]) => groupsAbove(groups, parent, [...seen, name])),
      ];

/** The words of a command line, with quotes taken off, as a shell would see them. */
export const words = (text: string): readonly string[] =>
  [...text.matchAll(/(?:[^\s"']|"[^"]*"|'[^']*')+/g)].map(([word]) => word.replace(/"([^"]*)"|'([^']*)'/g, '$1$2'));

/** `user@host:port`, as ProxyJump has it; the host may be a name that only the inventory knows. */
const jumpAt = (text: string): Result<Jump, string> => {
  const plain = text.replace(/^ssh:\/\//, '');
  const [, user, address = '', port = '22'] = /^(?:([^@\s]+)@)?(\w[\w.-]*)(?::(\d{1,5}))?$/.exec(plain) ?? [];
  if (address !== '') return ok({address, port: Number(port), ...(user !== undefined && {user})});
  const host = parseHost(plain);
  return host.ok ? ok({port: 22, ...host.value}) : host;
};

/** `ssh -W %h:%p … user@host`, how jumps were written before ProxyJump. */
const jumpByCommand = (command: string): Result<Jump, string> => {
  const [program, ...rest] = words(command);
  if (program !== 'ssh' || !command.includes('-W')) return err(command);
  const options = new Map<string, string>();
  let target = '';
  for (let index = 0; index < rest.length; index++) {
    const [, flag, value] = /^-([WpilFoJ])(.*)$/.exec(rest[index] ?? '') ?? [];
    if (flag !== undefined) options.set(flag, value || (rest[++index] ?? ''));
    else if (!rest[index]?.startsWith('-')) target = rest[index] ?? '';
  }
  const jump = jumpAt(options.has('p') ? `${target}:${options.get('p')}` : target);
  if (!jump.ok) return jump;
  const [user, identityFile] = [options.get('l'), options.get('i')];
  return ok({...jump.value, ...(user && {user}), ...(identityFile && {identityFile})});
};

/** The jump host in arguments of ssh: one hop. Undefined when there is none; the error is what cannot be understood. */
export const jumpOf = (text: string): Result<Jump | undefined, string> => {
  const all = words(text);
  for (const [index, word] of all.entries()) {
    const option = word === '-o' ? all[index + 1] : word.startsWith('-o') ? word.slice(2) : undefined;
    const [, name = '', value = ''] = /^(\w+)(?:\s*=\s*|\s+)(.*)$/.exec(option ?? '') ?? [];
    const hop = word === '-J' ? all[index + 1] : name.toLowerCase() === 'proxyjump' ? value : undefined;
    if (hop !== undefined && hop !== 'none') return hop.includes(',') ? err(hop) : jumpAt(hop);
    if (name.toLowerCase() === 'proxycommand') return jumpByCommand(value);
  }
  return ok(undefined);
};

/** What the groups of a host and itself say, the nearest last: those of one distance in the order of their names. */
const variablesOf = (
  groups: Groups,
  host: string,
  own: readonly string[],
  depth: ReadonlyMap<string, number>,
): Variables => {
  const above = [...new Set(['all', ...own.flatMap(name => groupsAbove(groups, name))])].toSorted(
    (a, b) => (depth.get(a) ?? 0) - (depth.get(b) ?? 0) || (a < b ? -1 : 1),
  );
  return new Map([
    ...above.flatMap(name => [...(groups.get(name)?.variables ?? [])]),
    ...own.flatMap(name => [...(groups.get(name)?.hosts.get(host) ?? [])]),
  ]);
};

const isTemplate = ({value}: Variable): boolean => value.includes('{{') || value.includes('{%');

/** The hosts of an inventory that was read, each reached as its variables and those of its groups say. */
export const resolveInventory = (groups: Groups, file: string): Result<Inventory, string> => {
  const depth = depths(groups);
  const names = [...new Set([...groups.values()].flatMap(({hosts}) => [...hosts.keys()]))];
  if (names.length === 0) return err(`${file} names no host`);
  if (names.length > mostHosts) return err(`${file} names more than ${mostHosts} hosts`);
  const unused = new Map<string, Unused>();
  const note = (name: string, line: number, why: Unused['why']): void => {
    unused.set(`${line} ${name}`, {line, name, why});
  };
  for (const {variables, hosts} of groups.values()) {
    for (const [name, variable] of [variables, ...hosts.values()].flatMap(each => [...each])) {
      if (secretVariable.test(name)) note(name, variable.line, 'secret');
      else if (!known.includes(name)) note(name, variable.line, 'other');
      else if (isTemplate(variable)) note(name, variable.line, 'template');
    }
  }
  const hosts: InventoryHost[] = [];
  for (const called of names) {
    const own = [...groups].filter(([, group]) => group.hosts.has(called)).map(([name]) => name);
    const variables = variablesOf(groups, called, own, depth);
    const line = own.map(name => groups.get(name)?.hosts.get(called)?.line).find(each => each !== undefined) ?? 1;
    const get = (spellings: readonly string[]): string | undefined =>
      spellings.map(name => variables.get(name)).find(variable => variable !== undefined && !isTemplate(variable))
        ?.value;
    const said = get(loginNames.address);
    const host = parseHost(said ?? called);
    if (!host.ok) return err(`${file}, line ${line}: ${host.error}`);
    const portText = get(loginNames.port);
    const port = portText === undefined ? host.value.port : Number(portText);
    if (
      portText !== undefined &&
      !(/^\d{1,5}$/.test(portText) && Number(portText) >= 1 && Number(portText) <= 65_535)
    ) {
      return err(`${file}, line ${line}: "${called}": a port is a number from 1 to 65535`);
    }
    const [user, identityFile, args] = [get(loginNames.user), get(loginNames.identityFile), get(loginNames.arguments)];
    const jump = args === undefined ? ok(undefined) : jumpOf(args);
    if (!jump.ok) note('ansible_ssh_common_args', line, 'jump');
    hosts.push({
      ...host.value,
      called,
      line,
      groups: [...new Set(own.flatMap(name => groupsAbove(groups, name)))].filter(name => name !== 'all'),
      local: get(loginNames.connection) === 'local',
      ...(port !== undefined && {port}),
      ...(said !== undefined && {name: labelFrom(called)}),
      ...(user && {user}),
      ...(identityFile && {identityFile}),
      ...(jump.ok && jump.value && {jump: jump.value}),
    });
  }
  const reached = hosts.map(host => throughListed(host, hosts));
  reached.forEach(({jump, line}, index) => {
    if (jump === undefined && hosts[index]?.jump !== undefined) note('ansible_ssh_common_args', line, 'jump');
  });
  return ok({
    hosts: reached,
    unused: [...unused.values()].toSorted((a, b) => a.line - b.line),
  });
};

/** A jump host that is itself in the inventory is reached as that says; a name that says nothing leads nowhere. */
const throughListed = (host: InventoryHost, all: readonly InventoryHost[]): InventoryHost => {
  const {jump, ...without} = host;
  if (jump === undefined) return host;
  const through = all.find(({called}) => called === jump.address);
  if (through === undefined) return isHostReference(jump.address) ? host : without;
  const user = jump.user ?? through.user;
  const identityFile = jump.identityFile ?? through.identityFile;
  return {
    ...host,
    jump: {
      address: through.address,
      port: through.port ?? jump.port,
      ...(user !== undefined && {user}),
      ...(identityFile !== undefined && {identityFile}),
    },
  };
};

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** The names that one with ranges stands for: `node[1:3]`, `node[01:09:2]`, `db-[a:c]`, several in one name. */
export const expandRanges = (name: string): Result<readonly string[], string> => {
  const [, before = '', first = '', last = '', step = '1', after = ''] =
    /^([^[]*)\[([^:\]]*):([^:\]]+)(?::(\d+))?\](.*)$/.exec(name) ?? [];
  if (last === '') return name.includes('[') ? err(`"${name}" holds no range like node[1:3]`) : ok([name]);
  const numbers = /^\d{0,9}$/.test(first) && /^\d{1,9}$/.test(last);
  const at = (text: string): number => (numbers ? Number(text || '0') : letters.indexOf(text));
  const isLetters = first.length === 1 && last.length === 1 && at(first) >= 0 && at(last) >= 0;
  if (!(numbers || isLetters) || at(first) > at(last) || Number(step) < 1) {
    return err(`"${name}": a range goes from a smaller number or letter to a larger one, like node[1:3]`);
  }
  const count = Math.floor((at(last) - at(first)) / Number(step)) + 1;
  if (count > mostHosts) return err(`"${name}" stands for more than ${mostHosts} hosts`);
  // A number that begins with 0 keeps its width.
  const width = /^0\d/.test(first) ? first.length : 0;
  const middles = Array.from({length: count}, (_, index) => {
    const value = at(first) + index * Number(step);
    return numbers ? String(value).padStart(width, '0') : (letters[value] ?? '');
  });
  const rest = expandRanges(after);
  if (!rest.ok) return rest;
  if (count * rest.value.length > mostHosts) return err(`"${name}" stands for more than ${mostHosts} hosts`);
  return ok(middles.flatMap(middle => rest.value.map(end => `${before}${middle}${end}`)));
};
