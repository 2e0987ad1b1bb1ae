import {posix} from 'node:path';
import {err, ok, type Result} from '../result.ts';
import {lines, nothing, type Script, sh} from '../shell/script.ts';
import {type Change, type Resource, resource, type Stay, script} from './resource.ts';
import {absolute} from './write-file.ts';

/** Folders that hold more than what anybody installs, whatever a setting says. */
const untouchable = [
  ...['/bin', '/boot', '/dev', '/etc', '/home', '/lib', '/lib64', '/media', '/mnt', '/opt', '/proc', '/root', '/run'],
  ...['/sbin', '/srv', '/sys', '/tmp', '/usr', '/usr/local', '/var', '/var/lib', '/var/log', '/var/www'],
];

/** Whether a folder may be erased as a whole, because it can be somebody's own. */
export const isErasable = (path: string): boolean =>
  posix.isAbsolute(path) &&
  posix.normalize(path) === path &&
  !untouchable.includes(path) &&
  posix.dirname(path) !== '/';

/** A path that may be erased with all that is in it; anything else is a bug of the caller. */
const erasable = (path: string): string => {
  if (!isErasable(absolute(path))) throw new Error(`not a folder that may be erased as a whole: ${path}`);
  return path;
};

/** Seconds for adding up the files of one folder; a share of millions of files is not worth more of anybody's time. */
const countingSeconds = 4;

/** Prints `KiB N` of the folder in the variable `path`, as far as that can be found out soon. */
const measure: Script = sh`if mountpoint -q "$path" 2>/dev/null; then
  df --output=used "$path" 2>/dev/null | awk 'NR == 2 {print "KiB " $1}'
else
  timeout ${countingSeconds} du -skx "$path" 2>/dev/null | awk '{print "KiB " $1; exit}'
fi`;

type Tree =
  | {
      /** Directly in it, without those that are to stay. */
      readonly entries: number;
      readonly staying: number;
      readonly mounted: boolean;
      readonly bytes: number | undefined;
    }
  | undefined;

const named = (names: readonly string[]): Script =>
  names.length === 0
    ? sh`-false`
    : sh`'(' ${names.flatMap((name, at) => [...(at > 0 ? ['-o'] : []), '-name', name])} ')'`;

/** Prints an `x` for everything that lies directly in the folder `path`; a further condition of find's in `which`. */
const inside = (which: Script): Script => sh`find "$path" -xdev -mindepth 1 -maxdepth 1 ${which} -printf x`;

const probeTree = (path: string, except: readonly string[]): Script => sh`path=${path}
if [ -L "$path" ]; then echo link
elif [ ! -e "$path" ]; then echo missing
elif [ ! -d "$path" ]; then echo other
else
  echo "entries $(${inside(sh`! ${named(except)}`)} | wc -c) $(${inside(named(except))} | wc -c)"
  ! mountpoint -q "$path" 2>/dev/null || echo mounted
  ${measure}
fi
exit 0`;

const readTree = (path: string, stdout: string): Result<Tree, string> => {
  if (/^missing$/m.test(stdout)) return ok(undefined);
  if (/^(link|other)$/m.test(stdout)) return err(`${path} is no directory of its own, and is left alone`);
  const counts = /^entries (\d+) (\d+)$/m.exec(stdout);
  const kibibytes = /^KiB (\d+)$/m.exec(stdout)?.[1];
  if (!counts) return err(`the state of ${path} could not be read`);
  return ok({
    entries: Number(counts[1]),
    staying: Number(counts[2]),
    mounted: /^mounted$/m.test(stdout),
    bytes: kibibytes === undefined ? undefined : Number(kibibytes) * 1024,
  });
};

/** The largest share on the slowest disk. */
const eraseTimeoutMs = 12 * 3_600_000;

/**
 * Nothing else's file system is ever entered: what is mounted below is somebody else's data, and stops it. The folder
 * itself stays where it is a mount point, or where `only` is what is in it.
 */
const erase = (path: string, except: readonly string[], only: 'contents' | undefined): Script =>
  lines(
    sh`set -u
path=${path}
[ -d "$path" ] && [ ! -L "$path" ] || exit 0
if awk -v below="$path/" 'index($2, below) == 1 {print $2; found = 1} END {exit !found}' /proc/self/mounts >&2; then
  echo "something is mounted below $path, and nothing in it was erased" >&2
  exit 1
fi
find "$path" -xdev -mindepth 1 -maxdepth 1 ! ${named(except)} -exec rm -rf --one-file-system -- {} + || exit`,
    only === 'contents'
      ? nothing
      : sh`[ -n "$(ls -A "$path")" ] || mountpoint -q "$path" 2>/dev/null || rmdir "$path" || exit`,
    sh`sync ${posix.dirname(path)}`,
  );

/** Nothing is left that could be taken away: what is empty and cannot go counts as gone. */
const gone = (tree: Tree): tree is undefined => !tree || (tree.entries === 0 && (tree.staying > 0 || tree.mounted));

/**
 * A folder of ours is gone with all that is in it, but for the names in `except` that lie directly in it: then the
 * folder stays around them. What is there of it and holds nothing but those counts as gone.
 */
export const treeAbsent = (path: string, {except = []}: {readonly except?: readonly string[]} = {}): Resource =>
  resource<Tree>({
    id: `no folder ${erasable(path)}`,
    doing: `removing ${path}`,
    probe: probeTree(path, except),
    read: ({stdout}) => readTree(path, stdout),
    diff: tree => {
      if (gone(tree)) return [];
      const size = tree.bytes === undefined ? '' : ` (${sizeOf(tree.bytes)})`;
      return [{summary: `remove ${path} with all that is in it${size}`}];
    },
    apply: () => script(erase(path, except, undefined), {detached: true, timeoutMs: eraseTimeoutMs}),
  });

export type Data = {
  /** `volumes of the cluster` */
  readonly what: string;
  readonly path: string;
  /** Why it stays; a sentence without its end. */
  readonly why: string;
  /** Erase it. Without, it stays, and is told with its size. */
  readonly purge: boolean;
  /** The folder itself stays also then. */
  readonly only?: 'contents';
};

/** Data of the operator's in a folder: told, and erased only when that was said. */
export const data = ({what, path, why, purge, only}: Data): Resource =>
  resource<Tree>({
    id: `data ${erasable(path)}`,
    doing: `erasing ${path}`,
    probe: probeTree(path, []),
    read: ({stdout}) => readTree(path, stdout),
    diff: (tree): readonly Change[] => {
      if (!purge || gone(tree) || (only === 'contents' && tree.entries === 0)) return [];
      if (tree.entries === 0) return [{summary: `remove the empty ${path}`}];
      const size = tree.bytes === undefined ? '' : ` (${sizeOf(tree.bytes)})`;
      return [{summary: `erase ${what} in ${path}${size}`, loses: true}];
    },
    stays: (tree): readonly Stay[] =>
      purge || !tree || tree.entries === 0
        ? []
        : [{kind: 'data', what: `${what} in ${path}`, why, ...(tree.bytes !== undefined && {bytes: tree.bytes})}],
    apply: () => script(erase(path, [], only), {detached: true, timeoutMs: eraseTimeoutMs}),
  });

/** `12.3 GB`, as disks are sold. */
export const sizeOf = (bytes: number): string => {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
};

/** A folder that is taken away once nothing is in it; until then it stays, and nobody is told. */
export const emptyFolderAbsent = (path: string): Resource =>
  resource<boolean>({
    id: `no empty folder ${erasable(path)}`,
    doing: `removing the empty ${path}`,
    probe: sh`if [ -d ${path} ] && [ ! -L ${path} ] && [ -z "$(ls -A ${path})" ] && ! mountpoint -q ${path}; then echo empty; fi`,
    read: ({stdout}) => ok(stdout.trim() === 'empty'),
    diff: empty => (empty ? [{summary: `remove the empty ${path}`}] : []),
    apply: () => script(sh`rmdir ${path}`),
  });
