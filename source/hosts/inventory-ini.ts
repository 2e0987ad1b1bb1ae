import {err, ok, type Result} from '../result.ts';
import {
  expandRanges,
  type Group,
  type Groups,
  type Inventory,
  resolveInventory,
  type Variable,
  words,
} from './inventory.ts';

/** Whether a text is an inventory in Ansible's form of INI: it has a section, or a host with a variable of Ansible. */
export const looksLikeIniInventory = (text: string): boolean =>
  /^\s*\[[^\]\s]+\]\s*([#;].*)?$/m.test(text) || /^[^\s#;:=]+[ \t].*\bansible_\w+=/m.test(text);

type Building = {
  readonly hosts: Map<string, Map<string, Variable> & {line?: number}>;
  readonly variables: Map<string, Variable>;
  readonly children: string[];
};

/** A value of `[group:vars]` is the whole rest of the line, `#` and all, but for a comment behind one in quotes. */
const groupValue = (text: string): string => text.trim().replace(/^(["'])(.*?)\1(?:\s*#.*)?$/, '$2');

/** A comment begins with `#` or `;` at the start of a line, and with ` #` later on where it is in no quotes. */
const withoutComment = (line: string): string =>
  /^\s*[#;]/.test(line) ? '' : (/^((?:[^"'#]|"[^"]*"|'[^']*'|(?<=\S)#)*)/.exec(line)?.[1] ?? line).trim();

/**
 * Reads an Ansible inventory in its form of INI, which readers of INI cannot: a line of a section is a host with
 * variables behind it, names stand for ranges of hosts, and `:vars` and `:children` change what the lines mean.
 * The error names the line.
 */
export const parseIniInventory = (text: string, file: string): Result<Inventory, string> => {
  const groups = new Map<string, Building>();
  const groupCalled = (name: string): Building => {
    const group: Building = groups.get(name) ?? {hosts: new Map(), variables: new Map(), children: []};
    groups.set(name, group);
    return group;
  };
  let current = groupCalled('ungrouped');
  let kind = 'hosts';
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const content = withoutComment(raw);
    if (content === '') continue;
    const wrong = (message: string) => err(`${file}, line ${index + 1}: ${message}`);
    const section = /^\[([^\]:\s]+)(?::(\w+))?\]$/.exec(content);
    if (section) {
      current = groupCalled(section[1] ?? '');
      kind = section[2] ?? 'hosts';
      if (!['hosts', 'vars', 'children'].includes(kind)) return wrong(`"${content}" is no section of an inventory`);
      continue;
    }
    if (kind === 'children') {
      groupCalled(content);
      current.children.push(content);
      continue;
    }
    if (kind === 'vars') {
      const [, name, value = ''] = /^\s*([\w.-]+)\s*=(.*)$/.exec(raw) ?? [];
      if (name === undefined) return wrong(`"${content}" is not written like name=value`);
      current.variables.set(name, {value: groupValue(value), line: index + 1});
      continue;
    }
    const added = addHosts(current, content, index + 1);
    if (!added.ok) return wrong(added.error);
  }
  return resolveInventory(groups satisfies Map<string, Group> as Groups, file);
};

const addHosts = ({hosts}: Building, content: string, line: number): Result<void, string> => {
  const [first = '', ...rest] = words(content);
  const [, pattern = first, port] = /^([^:]+(?:\[[^\]]*\][^:]*)*):(\d+)$/.exec(first) ?? [];
  const names = expandRanges(pattern);
  if (!names.ok) return names;
  const pairs: [string, Variable][] = port === undefined ? [] : [['ansible_port', {value: port, line}]];
  for (const word of rest) {
    const at = word.indexOf('=');
    if (at < 1) return err(`"${word}" is not written like name=value`);
    pairs.push([word.slice(0, at), {value: word.slice(at + 1), line}]);
  }
  for (const name of names.value) {
    const variables: Map<string, Variable> & {line?: number} = hosts.get(name) ?? new Map();
    variables.line ??= line;
    for (const [key, variable] of pairs) variables.set(key, variable);
    hosts.set(name, variables);
  }
  return ok();
};
