import {chmodSync, lstatSync, readdirSync, readFileSync, realpathSync, rmSync} from 'node:fs';
import {join} from 'node:path';

/** The mount points of this process, from the text of /proc/self/mountinfo, which writes blanks as `\040`. */
const mountPoints = (mountinfo: string): readonly string[] =>
  mountinfo
    .split('\n')
    .flatMap(line => line.split(' ')[4] ?? [])
    .map(path => path.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8))));

/** The mounts at a path or below it: what removing the path would empty, although it lies elsewhere. */
export const mountsBelow = (path: string, mountinfo: string): readonly string[] =>
  mountPoints(mountinfo).filter(point => point === path || point.startsWith(`${path}/`));

/** A folder that a script closed to its own owner could not be emptied. */
const openFolders = (folder: string): void => {
  chmodSync(folder, 0o700);
  for (const entry of readdirSync(folder, {withFileTypes: true})) {
    if (entry.isDirectory()) openFolders(join(folder, entry.name));
  }
};

/**
 * Removes the folder of a practice host. Links are removed and never followed; a folder that is a link itself, or in
 * which something is mounted, is left as it is, because what is behind it belongs to somebody else.
 *
 * @returns why it was not removed; undefined when it is gone
 */
export const wipe = (folder: string): string | undefined => {
  const found = lstatSync(folder, {throwIfNoEntry: false});
  if (!found) return undefined;
  if (!found.isDirectory()) return `${folder} is not a folder`;
  const mounts = mountsBelow(realpathSync(folder), readFileSync('/proc/self/mountinfo', 'utf8'));
  if (mounts.length > 0) return `${mounts.join(', ')} is mounted`;
  openFolders(folder);
  rmSync(folder, {recursive: true});
  return undefined;
};
