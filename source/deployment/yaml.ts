import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLError,
  Document as YamlDocument,
} from 'yaml';
import type {z} from 'zod';
import {err, ok, type Result} from '../result.ts';
import {migrate} from './migrate.ts';
import {nearest} from './nearest.ts';
import {type Path, type Problem, pathOf, pathText, valueAt, wordsOf} from './problem.ts';
import {type Deployment, deployment as schema} from './schema.ts';
import {holdsSecret, looksLikeSecretName} from './secrets-in-text.ts';
import {inShape, keysAt} from './shape.ts';

/** A problem with the place in the file where it is to be put right. Lines and columns count from 1. */
export type YamlProblem = Problem & {readonly line: number; readonly column: number};

/** `line 12: hosts[0].privateAddress: "10.0.0.300" is not an IP address` */
export const printProblem = ({line, path, message, severity}: YamlProblem): string =>
  `line ${line}: ${severity === 'warning' ? 'warning: ' : ''}${path ? `${path}: ` : ''}${message}`;

/** A deployment of a hundred hosts and a thousand peers has less than half of this; what is larger was not meant. */
const largestBytes = 262_144;

/** Enough for people who like anchors, and too few to blow a document up. */
const mostAliases = 50;

const heading = ` A deployment of Groundwork: everything that it installs, and no secret.
 Check it with "groundwork plan --deployment FILE". Passwords and keys are asked for,
 or made and kept in the vault; they never belong in here.`;

const sections: Readonly<Record<string, string>> = {
  hosts: ' The machines and how they are reached. privateAddress is what services bind to.',
  domain: ' Everything is found at this domain and below it.',
  channels: ' Ways in. private: a VPN with its peers. public: open to everybody.',
  network: ' adminSources: where SSH is allowed from, beside the private subnet and the VPN.',
  components: ' Lists that are empty are filled from the host.',
  artifacts: ' Where downloads come from: online, mirror or directory (docs/artifacts.md).',
  environments: ' Each environment gets a namespace and a domain below the one above.',
  acceptedChecks: ' Failed preflight checks that were accepted, as host:check.',
};

/** The document of a deployment, finished or not: always in the same order, with the defaults written out. */
export const toYaml = (deployment: Deployment): string => {
  const document = new YamlDocument(inShape(schema, deployment));
  document.commentBefore = heading;
  if (isMap(document.contents)) {
    for (const {key} of document.contents.items) {
      const comment = isScalar(key) ? sections[String(key.value)] : undefined;
      if (!isScalar(key) || comment === undefined) continue;
      key.commentBefore = comment;
      key.spaceBefore = true;
    }
  }
  return document.toString({lineWidth: 0});
};

/** A document that could be read as YAML, with what it takes to find the line of a path. */
type Source = {readonly document: Document.Parsed; readonly lines: LineCounter};

/** Whatever a file holds, what is said about it must not move the cursor or fill the screen. */
const printable = (text: string): string => {
  const plain = text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    character => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
  return plain.length > 300 ? `${plain.slice(0, 299)}…` : plain;
};

const problemAt = ({lines}: Pick<Source, 'lines'>, offset: number, problem: Problem): YamlProblem => {
  const {line, col} = lines.linePos(offset);
  return {
    ...problem,
    path: printable(problem.path),
    message: printable(problem.message),
    line: Math.max(1, line),
    column: Math.max(1, col),
  };
};

const error = (path: string, message: string): Problem => ({path, message, severity: 'error'});

const pairOf = (node: unknown, key: PropertyKey): Pair | undefined =>
  isMap(node) ? node.items.find(pair => String(isScalar(pair.key) ? pair.key.value : pair.key) === key) : undefined;

const offsetOf = (node: unknown): number | undefined => (node as Node | null)?.range?.[0];

/** Where the value at a path begins; for one that is not there, the key of the group that it is missing in. */
const offsetAt = ({document}: Source, path: Path): number => {
  let node: unknown = document.contents;
  let offset = 0;
  for (const part of path) {
    if (isAlias(node)) node = node.resolve(document);
    const pair = pairOf(node, part);
    const next = pair ? pair.value : isSeq(node) ? node.items[Number(part)] : undefined;
    if (next === undefined && !pair) break;
    // A value on the lines below its key is sought at the key, where people look.
    offset = (isScalar(next) ? offsetOf(next) : offsetOf(pair?.key ?? next)) ?? offsetOf(pair?.key) ?? offset;
    node = next;
  }
  return offset;
};

const offsetOfKey = (source: Source, path: Path, key: string): number => {
  let node: unknown = source.document.contents;
  for (const part of path) {
    if (isAlias(node)) node = node.resolve(source.document);
    node = pairOf(node, part)?.value ?? (isSeq(node) ? node.items[Number(part)] : undefined);
  }
  if (isAlias(node)) node = node.resolve(source.document);
  return offsetOf(pairOf(node, key)?.key) ?? offsetAt(source, path);
};

const tooDeep = 'it is nested too deeply; that is no deployment';

const syntaxWords = ({code, message}: YAMLError, text: string, offset: number): string => {
  // The parser is recursive: what is nested thousands of levels deep ends it.
  if (message.includes('call stack')) return tooDeep;
  switch (code) {
    case 'TAB_AS_INDENT':
      return 'a tab indents this line; YAML takes spaces only';
    case 'DUPLICATE_KEY':
      return `"${text.slice(offset).match(/^[^\s:]+/)?.[0] ?? ''}" is there twice`;
    case 'MULTIPLE_DOCS':
      return 'a second document begins here; one file holds one deployment';
    default:
      return `this is not YAML: ${message.split('\n')[0]}`;
  }
};

const unknownAliases = (source: Source): YamlProblem[] => {
  const found: YamlProblem[] = [];
  visit(source.document, {
    Alias: (_, alias) => {
      if (alias.resolve(source.document)) return;
      found.push(problemAt(source, offsetOf(alias) ?? 0, error('', `"*${alias.source}" stands for nothing above it`)));
    },
  });
  return found;
};

const read = (text: string): Result<Source, YamlProblem[]> => {
  const lines = new LineCounter();
  const refuse = (message: string): Result<never, YamlProblem[]> => err([problemAt({lines}, 0, error('', message))]);
  if (Buffer.byteLength(text) > largestBytes) return refuse('the file is larger than 256 KiB; that is no deployment');
  try {
    const document = parseDocument(text, {lineCounter: lines, prettyErrors: false, logLevel: 'error'});
    const faults = [...document.errors, ...document.warnings];
    // What follows the first slip is mostly its echo; a repeated key is a slip of its own.
    const [first] = faults.filter(({code}) => code !== 'DUPLICATE_KEY');
    const told = first ? [first] : faults;
    if (told.length > 0) {
      return err(
        told.map(fault => problemAt({lines}, fault.pos[0], error('', syntaxWords(fault, text, fault.pos[0])))),
      );
    }
    if (document.contents === null) return refuse('the file is empty');
    const strays = unknownAliases({document, lines});
    return strays.length > 0 ? err(strays) : ok({document, lines});
  } catch (cause) {
    if (cause instanceof RangeError) return refuse(tooDeep);
    throw cause;
  }
};

const refusal = 'a deployment holds no secrets: remove it here, and change it if others have seen this file';

/** Settings and values that look like secrets, told without quoting them. */
const secretsIn = (source: Source): YamlProblem[] => {
  const found: YamlProblem[] = [];
  const pathTo = (ancestors: readonly unknown[]): Path =>
    ancestors.flatMap((node, index): readonly (string | number)[] => {
      const child = ancestors[index + 1];
      if (isSeq(node) && child !== undefined) return [node.items.indexOf(child as Node)];
      return isPair(node) && isScalar(node.key) ? [String(node.key.value)] : [];
    });
  visit(source.document, {
    Pair: (_, pair, ancestors) => {
      if (!isScalar(pair.key) || !looksLikeSecretName(String(pair.key.value))) return;
      const path = pathText(pathTo([...ancestors, pair]));
      found.push(problemAt(source, offsetOf(pair.key) ?? 0, error(path, refusal)));
      return visit.SKIP;
    },
    Scalar: (_, scalar, ancestors) => {
      if (typeof scalar.value !== 'string' || !holdsSecret(scalar.value)) return;
      found.push(problemAt(source, offsetOf(scalar) ?? 0, error(pathText(pathTo([...ancestors, scalar])), refusal)));
    },
  });
  return found;
};

const toPlain = ({document, lines}: Source): Result<unknown, YamlProblem[]> => {
  try {
    return ok(document.toJS({maxAliasCount: mostAliases}));
  } catch (cause) {
    if (!(cause instanceof ReferenceError || cause instanceof RangeError)) throw cause;
    const message = 'its anchors and aliases would make it far too large; write it out';
    return err([problemAt({lines}, 0, error('', message))]);
  }
};

/**
 * Reads a deployment of any version that is known. The errors are all that is wrong with single fields, by line; what
 * is wrong across fields comes from `problemsOf`, and `withLines` finds the lines for it.
 */
export const fromYaml = (text: string): Result<Deployment, YamlProblem[]> => {
  const source = read(text);
  if (!source.ok) return source;
  const secrets = secretsIn(source.value);
  if (secrets.length > 0) return err(secrets);
  const raw = toPlain(source.value);
  if (!raw.ok) return raw;
  const migrated = migrate(raw.value);
  if (!migrated.ok) {
    return err([problemAt(source.value, offsetAt(source.value, ['version']), error('', migrated.error))]);
  }
  const parsed = schema.safeParse(migrated.value);
  if (parsed.success) return ok(parsed.data);
  const {issues} = parsed.error;
  const misspelt = new Map(issues.flatMap(issue => misspellings(migrated.value, issue)));
  const meant = [...misspelt.values()];
  const problems = issues.flatMap((issue): YamlProblem[] => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map(key => unknownKey(source.value, issue.path, key, misspelt));
    }
    // What is missing because it is misspelt is told once, where it is misspelt.
    if (meant.includes(pathText(issue.path))) return [];
    const message = wordsOf(issue, valueAt(migrated.value, issue.path));
    return [problemAt(source.value, offsetAt(source.value, issue.path), error(pathText(issue.path), message))];
  });
  return err(problems.toSorted((a, b) => a.line - b.line || a.column - b.column));
};

/** The paths of unknown keys, each with the path that was surely meant and that the document lacks. */
const misspellings = (value: unknown, issue: z.core.$ZodIssue): [string, string][] => {
  if (issue.code !== 'unrecognized_keys') return [];
  const absent = keysAt(schema, value, issue.path).filter(key => valueAt(value, [...issue.path, key]) === undefined);
  return issue.keys.flatMap((key): [string, string][] => {
    const meant = nearest(key, absent);
    return meant ? [[pathText([...issue.path, key]), pathText([...issue.path, meant])]] : [];
  });
};

const unknownKey = (source: Source, path: Path, key: string, misspelt: ReadonlyMap<string, string>): YamlProblem => {
  const meant = pathOf(misspelt.get(pathText([...path, key])) ?? '').at(-1);
  const message = `no such setting${meant === undefined ? '' : `; did you mean "${String(meant)}"?`}`;
  return problemAt(source, offsetOfKey(source, path, key), error(pathText([...path, key]), message));
};

/** The lines that problems of a deployment have in the file that it was read from. */
export const withLines = (text: string, problems: readonly Problem[]): YamlProblem[] => {
  const source = read(text);
  if (!source.ok) return source.error;
  return problems
    .map(problem => problemAt(source.value, offsetAt(source.value, pathOf(problem.path)), problem))
    .toSorted((a, b) => a.line - b.line || a.column - b.column);
};
