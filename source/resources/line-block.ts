import type {Failure} from '../engine/failure.ts';
import {err, ok, type Result} from '../result.ts';
import {sh} from '../shell/script.ts';
import {largestFile} from './file-state.ts';
import {type ApplyPort, type Change, type Resource, resource} from './resource.ts';
import {textDiff} from './text-diff.ts';
import {absolute, octal, sha256, writeFile} from './write-file.ts';

export type LineBlock = {
  /** Tells our blocks in one file from each other. */
  readonly name: string;
  /** None: the block is taken out. */
  readonly lines: readonly string[];
  /** Where a new block goes; one that is there stays where it is. `start` is after a `#!` line. Default `end`. */
  readonly position?: 'start' | 'end';
  /** Of a file that is made because there was none; an existing file keeps its mode and owner. Default 0644. */
  readonly mode?: number;
};

/** Bytes of a file as a string of characters 0 to 255, so that whatever is in it comes out as it went in. */
type Bytes = string;

type State = {
  /** The file itself, where the path is a symbolic link. */
  readonly target: string;
  /** Undefined when there is no file. */
  readonly content: Bytes | undefined;
};

const bytesOf = (text: string): Bytes => Buffer.from(text, 'utf8').toString('latin1');
const textOf = (bytes: Bytes): string => Buffer.from(bytes, 'latin1').toString('utf8');

/** A line with its end, whatever that is; the last one may have none. */
const linesWithEnds = (content: Bytes): string[] => content.match(/[^\n]*\n|[^\n]+$/g) ?? [];

/** Spans of [first, last] lines that are a block of this name. A marker without its partner is a span of its own. */
const spansOf = (all: readonly string[], begin: Bytes, end: Bytes): [number, number][] => {
  const spans: [number, number][] = [];
  let open: number | undefined;
  for (const [index, line] of all.entries()) {
    const bare = line.replace(/\r?\n?$/, '');
    if (bare === begin) {
      if (open !== undefined) spans.push([open, open]);
      open = index;
    } else if (bare === end) {
      spans.push([open ?? index, index]);
      open = undefined;
    }
  }
  if (open !== undefined) spans.push([open, open]);
  return spans;
};

/**
 * The content with the block as it should be: once, in the place of the first, or at `position`. Every other byte stays; a
 * last line without an end gets one when the block follows it.
 */
export const withBlock = (content: Bytes, {name, lines, position = 'end'}: LineBlock): Bytes => {
  const begin = bytesOf(`# BEGIN groundwork ${name}`);
  const end = bytesOf(`# END groundwork ${name}`);
  const block = lines.length === 0 ? '' : `${[begin, ...lines.map(bytesOf), end].join('\n')}\n`;
  const all = linesWithEnds(content);
  const spans = spansOf(all, begin, end);
  const first = spans[0];
  if (first) {
    const inside = (index: number) => spans.some(([from, to]) => index >= from && index <= to);
    return all.map((line, index) => (index === first[0] ? block : inside(index) ? '' : line)).join('');
  }
  if (block === '') return content;
  if (position === 'start') {
    const head = all[0]?.startsWith('#!') ? 1 : 0;
    return joined(joined(all.slice(0, head).join(''), block), all.slice(head).join(''));
  }
  return joined(content, block);
};

const joined = (before: Bytes, after: Bytes): Bytes =>
  before === '' || before.endsWith('\n') || after === '' ? before + after : `${before}\n${after}`;

const read = (path: string, stdout: string): Result<State, string> => {
  const [target = '', ...rest] = stdout.split('\n');
  const [kind, content = ''] = rest;
  if (kind === 'missing') return ok({target, content: undefined});
  if (kind === 'large') return err(`${path} is larger than ${largestFile} bytes, and no configuration file is`);
  if (kind === 'other') return err(`${path} is not a file`);
  if (kind !== 'file') return err(`${path} could not be read`);
  return ok({target, content: Buffer.from(content, 'base64').toString('latin1')});
};

/** Status of a script that found the file changed since it was probed. */
const changedMeanwhile = 75;
const attempts = 3;

/**
 * Our lines in a file that is not ours, between `# BEGIN groundwork NAME` and `# END groundwork NAME`. Everything else
 * in the file stays byte for byte, and so do its owner and mode. A symbolic link is followed.
 */
export const lineBlock = (path: string, block: LineBlock): Resource => {
  absolute(path);
  for (const line of [path, block.name, ...block.lines])
    if (/[\n\0]/.test(line)) throw new Error(`not one line: ${JSON.stringify(line)}`);
  const probe = sh`readlink -m ${path}
if [ ! -e ${path} ]; then echo missing
elif [ ! -f ${path} ]; then echo other
elif [ "$(stat -L -c %s ${path})" -gt ${largestFile} ]; then echo large
else echo file; base64 -w0 ${path}
fi`;
  const write = ({target, content}: State) =>
    writeFile({
      path: target,
      content: Buffer.from(withBlock(content ?? '', block), 'latin1'),
      before:
        content === undefined
          ? sh`[ ! -e ${target} ] || exit ${changedMeanwhile}`
          : sh`set -- $(sha256sum <${target}); [ "$*" = ${`${sha256(Buffer.from(content, 'latin1'))} -`} ] || exit ${changedMeanwhile}`,
      permissions:
        content === undefined
          ? sh`chmod ${octal(block.mode ?? 0o644)} "$candidate"`
          : sh`chown --reference="$path" "$candidate"; chmod --reference="$path" "$candidate"`,
    });
  const apply = async (port: ApplyPort, state: State, attempt = 1): Promise<Result<unknown, Failure>> => {
    const written = await port.run(write(state));
    if (written.ok || written.error.exit !== changedMeanwhile || attempt === attempts) return written;
    const probed = await port.run(probe);
    if (!probed.ok) return probed;
    const again = read(path, probed.value.stdout);
    return again.ok ? apply(port, again.value, attempt + 1) : err({kind: 'command', message: again.error});
  };
  const diff = ({content}: State): Change[] => {
    const wanted = withBlock(content ?? '', block);
    if (wanted === (content ?? '')) return [];
    const {lines} = textDiff(textOf(content ?? ''), textOf(wanted));
    const summary = block.lines.length === 0 ? `remove block ${block.name} from ${path}` : `set block ${block.name}`;
    return [{summary: content === undefined ? `create with block ${block.name}` : summary, detail: lines}];
  };
  return resource({
    id: `block ${block.name} in ${path}`,
    doing: `writing block ${block.name} in ${path}`,
    probe,
    read: ({stdout}) => read(path, stdout),
    diff,
    apply: state => port => apply(port, state),
  });
};
