import {createHash} from 'node:crypto';
import {posix} from 'node:path';
import {lines, nothing, type Script, sh} from '../shell/script.ts';

export const sha256 = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');

/** `0644`, as people write modes. */
export const octal = (mode: number): string => mode.toString(8).padStart(4, '0');

/** A path that means the same whatever the working directory is; anything else is a bug of the caller. */
export const absolute = (path: string): string => {
  if (!path.startsWith('/') || path.endsWith('/')) throw new Error(`not an absolute path of a file: ${path}`);
  return path;
};

/** `user:group`, by name or number; anything else is a bug of the caller. */
export const ownerAndGroup = (owner: string): string => {
  if (!/^[^:\s]+:[^:\s]+$/.test(owner)) throw new Error(`not user:group: ${owner}`);
  return owner;
};

/**
 * Where a file is written before it takes its place: in the same directory, because a rename is atomic only there.
 * Always the same name for the same file, so that what a cut left behind is taken away by the next attempt. No
 * extension and a dot in front, so that a program that reads `*.conf` or all visible files does not read it.
 */
export const candidateOf = (path: string): string =>
  posix.join(posix.dirname(path), `.groundwork-${sha256(path).slice(0, 16)}`);

/** Lines of 76 characters in a here-document; base64 holds no character that could end it. */
const encoded = (content: Buffer): Script => ({
  kind: 'script',
  text: `base64 -d >"$candidate" <<'END_OF_CONTENT'
${(content.toString('base64').match(/.{1,76}/g) ?? []).join('\n')}
END_OF_CONTENT`,
});

export type Writing = {
  readonly path: string;
  readonly content: Buffer;
  /** Gives the candidate its owner and mode; it is 0600 and root's until then. */
  readonly permissions: Script;
  /** Ends with a failure when the candidate must not take the file's place. */
  readonly validate?: (candidate: string) => Script;
  /** Before anything is written. */
  readonly before?: Script;
};

/**
 * Writes a file so that at every moment, whatever is cut, either the old or the whole new content is there. The
 * content travels on standard input with the script: it is in no argument and in no environment.
 */
export const writeFile = ({path, content, permissions, validate, before = nothing}: Writing): Script => {
  const candidate = candidateOf(path);
  return lines(
    sh`set -eu`,
    before,
    sh`path=${path} candidate=${candidate} folder=${posix.dirname(path)}`,
    sh`if [ -d "$path" ] && [ ! -L "$path" ]; then echo "$path is a directory, and a file must be there" >&2; exit 1; fi`,
    sh`[ -d "$folder" ] || (umask 022; mkdir -p "$folder")`,
    sh`rm -f "$candidate"`,
    sh`trap 'rm -f "$candidate"' EXIT`,
    // Refuses to follow a link that somebody put there in between.
    sh`(umask 077; set -C; : >"$candidate")`,
    encoded(content),
    permissions,
    ...(validate
      ? [
          sh`if ! (
${validate(candidate)}
) </dev/null; then echo "the new $path was not accepted; the old one stays" >&2; exit 1; fi`,
        ]
      : []),
    sh`sync "$candidate"`,
    sh`mv -fT "$candidate" "$path"`,
    sh`sync "$folder"`,
  );
};

/**
 * An owner and a mode for a path in the shell variable `name`. The mode last: changing the owner clears some bits. Five
 * digits, because chmod with four leaves the setgid bit of a directory.
 */
export const setPermissions = (name: 'candidate' | 'path', owner: string, mode: number): Script =>
  name === 'candidate'
    ? sh`chown ${owner} "$candidate"; chmod ${`0${octal(mode)}`} "$candidate"`
    : sh`chown ${owner} "$path"; chmod ${`0${octal(mode)}`} "$path"`;
