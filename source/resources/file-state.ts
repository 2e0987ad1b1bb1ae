import {err, ok, type Result} from '../result.ts';
import {type Script, sh} from '../shell/script.ts';
import type {Change} from './resource.ts';
import {textDiff} from './text-diff.ts';
import {octal, sha256} from './write-file.ts';

export type FileSpec = {
  readonly path: string;
  readonly content: string;
  readonly mode: number;
  readonly owner: string;
  /** Neither the old nor the new content may be shown, or leave the host. */
  readonly secret: boolean;
};

export type FileState =
  | {readonly kind: 'missing' | 'symlink'}
  | {
      readonly kind: 'file';
      readonly mode: number;
      /** By name, and by number. */
      readonly owners: readonly [string, string];
      readonly same: boolean;
      /** Only of a file that differs, that everybody on the host may read, and that is small. */
      readonly content?: string;
    };

/** A larger file is not a configuration that anybody reads as a diff. */
export const largestFile = 1_048_576;

/** What is at a path, compared on the host, so that a file that is right costs a line and a secret stays there. */
export const probeFile = ({path, content, secret}: FileSpec): Script => sh`path=${path}
if [ -L "$path" ]; then echo symlink
elif [ -d "$path" ]; then echo directory
elif [ -f "$path" ]; then
  stat -c 'file %a %U:%G %u:%g %s' "$path"
  set -- $(stat -c '%a %s' "$path") $(sha256sum <"$path")
  if [ "$3" = ${sha256(content)} ]; then echo same
  else
    case ${secret ? 'secret' : 'open'}-$1 in
      open-*[4567]) [ "$2" -gt ${largestFile} ] || base64 -w0 "$path" ;;
    esac
  fi
elif [ -e "$path" ]; then echo other
else echo missing
fi`;

export const readFileState = (path: string, text: string): Result<FileState, string> => {
  const [first = '', second = ''] = text.split('\n');
  if (first === 'missing' || first === 'symlink') return ok({kind: first});
  if (first === 'directory') return err(`${path} is a directory, and a file must be there`);
  if (first === 'other') return err(`${path} is a device, a pipe or a socket, and a file must be there`);
  const found = /^file ([0-7]+) (\S+) (\d+:\d+) \d+$/.exec(first);
  if (!found) return err(`the state of ${path} could not be read`);
  const [, mode = '', names = '', numbers = ''] = found;
  const same = second === 'same';
  return ok({
    kind: 'file',
    mode: Number.parseInt(mode, 8),
    owners: [names, numbers],
    same,
    ...(!same && second !== '' && {content: Buffer.from(second, 'base64').toString('utf8')}),
  });
};

const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

const contentChange = (before: string | undefined, after: string): Change => {
  if (before === undefined || before.includes('\0')) return {summary: 'content'};
  const {added, removed, lines} = textDiff(before, after);
  return {summary: `content: ${plural(added, 'line')} added, ${removed} removed`, detail: lines};
};

/** How a file differs from what it should be, without a word of a secret. */
export const fileChanges = (state: FileState, {content, mode, owner, secret}: FileSpec): Change[] => {
  if (state.kind !== 'file') {
    const what = `mode ${octal(mode)}, ${owner}`;
    const summary = state.kind === 'missing' ? `create: ${what}` : `replace a symbolic link by a file: ${what}`;
    return [{summary, ...(!secret && {detail: textDiff('', content).lines})}];
  }
  return [
    ...(state.same ? [] : [secret ? {summary: 'content (secret)'} : contentChange(state.content, content)]),
    ...(state.mode === mode ? [] : [{summary: `mode ${octal(state.mode)} → ${octal(mode)}`}]),
    ...(state.owners.includes(owner) ? [] : [{summary: `owner ${state.owners[0]} → ${owner}`}]),
  ];
};
