import {isMap, isScalar, LineCounter, type Node, type Pair, parseDocument} from 'yaml';
import {err, ok, type Result} from '../result.ts';
import {expandRanges, type Group, type Inventory, resolveInventory, type Variable} from './inventory.ts';

type Plain = Readonly<Record<string, unknown>>;

const isGroup = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const parts = ['hosts', 'vars', 'children'] as const;

/** Whether a document is an inventory: groups by name, each with nothing but hosts, variables and groups in it. */
export const isYamlInventory = (value: unknown): boolean =>
  isGroup(value) &&
  Object.values(value).some(group => isGroup(group) && ('hosts' in group || 'children' in group)) &&
  Object.values(value).every(
    group => group === null || (isGroup(group) && Object.keys(group).every(key => parts.some(part => part === key))),
  );

/** Anchors are fine; what would blow up by them is not. */
const mostAliases = 50;

/** Undefined when the text is no YAML at all; the error when it is an inventory that cannot be used. */
export const parseYamlInventory = (text: string, file: string): Result<Inventory, string> | undefined => {
  const lines = new LineCounter();
  let plain: unknown;
  let contents: unknown;
  try {
    const document = parseDocument(text, {lineCounter: lines, logLevel: 'error', prettyErrors: false, merge: true});
    if (document.errors.length > 0) return undefined;
    plain = document.toJS({maxAliasCount: mostAliases});
    contents = document.contents;
  } catch (cause) {
    // Nested too deeply for a parser that calls itself, or blown up by aliases.
    if (cause instanceof RangeError || cause instanceof ReferenceError) return undefined;
    throw cause;
  }
  if (!isYamlInventory(plain)) return undefined;

  const lineOf = (path: readonly string[]): number => {
    let node: unknown = contents;
    let line = 1;
    for (const name of path) {
      const pair: Pair | undefined = isMap(node)
        ? node.items.find(({key}) => String(isScalar(key) ? key.value : key) === name)
        : undefined;
      if (pair === undefined) break;
      line = lines.linePos((pair.key as Node | null)?.range?.[0] ?? 0).line;
      node = pair.value;
    }
    return line;
  };
  const variablesAt = (value: unknown, path: readonly string[]): Map<string, Variable> =>
    new Map(
      Object.entries(isGroup(value) ? value : {}).map(([name, inner]) => [
        name,
        {value: typeof inner === 'object' ? '' : String(inner), line: lineOf([...path, name])},
      ]),
    );

  const groups = new Map<string, Group>();
  const collect = (name: string, group: unknown, path: readonly string[]): Result<void, string> => {
    const {hosts, vars, children} = isGroup(group) ? (group as Partial<Record<(typeof parts)[number], unknown>>) : {};
    const earlier = groups.get(name);
    const found = new Map(earlier?.hosts);
    for (const [pattern, own] of Object.entries(isGroup(hosts) ? hosts : {})) {
      const at = [...path, 'hosts', pattern];
      const names = expandRanges(pattern);
      if (!names.ok) return err(`${file}, line ${lineOf(at)}: ${names.error}`);
      for (const each of names.value) {
        found.set(each, Object.assign(variablesAt(own, at), {line: lineOf(at)}));
      }
    }
    const below = Object.entries(isGroup(children) ? children : {});
    groups.set(name, {
      hosts: found,
      variables: new Map([...(earlier?.variables ?? []), ...variablesAt(vars, [...path, 'vars'])]),
      children: [...(earlier?.children ?? []), ...below.map(([child]) => child)],
    });
    for (const [child, inner] of below) {
      const done = collect(child, inner, [...path, 'children', child]);
      if (!done.ok) return done;
    }
    return ok();
  };
  for (const [name, group] of Object.entries(plain as Plain)) {
    const done = collect(name, group, [name]);
    if (!done.ok) return done;
  }
  return resolveInventory(groups, file);
};
