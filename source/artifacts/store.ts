import {posix} from 'node:path';
import {lines, type Script, sh} from '../shell/script.ts';
import {type Artifact, artifactPath, fileNameOf} from './artifact.ts';

/**
 * What lies beside a verified file: `SHA256 SIZE MTIME`. As long as size and time are these the content is that of the
 * hash, and nobody has to read gigabytes at every look. Not the time of the inode: it changes with each hard link.
 */
const recordOf = (path: string): string => `${path}.verified`;

/** What has come of a file that is not whole yet. */
export const partOf = (path: string): string => `${path}.part`;

export type Stored =
  | {readonly kind: 'missing'; readonly part: number}
  /** There, but not as it was when it was verified; or nobody ever verified it. */
  | {readonly kind: 'unverified'}
  | {readonly kind: 'verified'; readonly sha256: string};

/** Read-only and quick: `missing BYTES-OF-THE-PART`, or `file SIZE MTIME RECORD…`. */
export const storedScript = (path: string): Script =>
  sh`if [ -f ${path} ] && [ ! -L ${path} ]; then
  echo file $(stat -c '%s %Y' ${path}) $(cat ${recordOf(path)} 2>/dev/null)
else
  echo missing $(stat -c %s ${partOf(path)} 2>/dev/null || echo 0)
fi`;

/** Defines `verified`: whether the file is there as it was when it was verified, and is the one known beforehand. */
export const verifiedScript = (path: string, sha256: string | undefined): Script => sh`verified() {
  local known rest
  read -r known rest 2>/dev/null <${recordOf(path)} || return
  [ -f ${path} ] && [ "$rest" = "$(stat -c '%s %Y' ${path})" ] && [ "$known" = ${sha256 === undefined ? sh`"$known"` : sh`${sha256}`} ]
}`;

export const readStored = (stdout: string): Stored | undefined => {
  const [kind, first = '', second = '', sha256 = '', size, changed] = stdout.trim().split(' ');
  if (kind === 'missing' && /^\d+$/.test(first)) return {kind, part: Number(first)};
  if (kind !== 'file' || !/^\d+$/.test(first)) return undefined;
  return /^[0-9a-f]{64}$/.test(sha256) && size === first && changed === second
    ? {kind: 'verified', sha256}
    : {kind: 'unverified'};
};

/** Bytes that must stay free when a file is whole: what else writes on that disk meanwhile. */
const reserve = 64 * 1024 * 1024;

/**
 * Shell variables and functions with which a file comes into the store. Messages go to standard error, the reason of a
 * failure last; what is told on the way goes to standard output.
 */
export const storeFunctions = (artifact: Artifact, store?: string): Script => {
  const path = artifactPath(artifact, store);
  return lines(
    sh`set -u`,
    sh`umask 022`,
    sh`export LC_ALL=C`,
    sh`file=${path} part=${partOf(path)} record=${recordOf(path)} folder=${posix.dirname(path)} name=${fileNameOf(artifact)}`,
    sh`size=${artifact.size ?? ''}`,
    sh`fail() { printf '%s\n' "$1" >&2; exit 1; }`,
    sh`mkdir -p "$folder" || fail "the folder $folder cannot be made"`,
    sh`bytes_of() { stat -c %s "$1" 2>/dev/null || echo 0; }`,
    sh`megabytes() { printf '%d.%d' $(( $1 / 1000000 )) $(( $1 / 100000 % 10 )); }`,
    sh`rate() { if [ "$1" -ge 1000000 ]; then printf '%s MB/s' "$(megabytes "$1")"; else printf '%d kB/s' $(( $1 / 1000 )); fi; }`,
    sh`hash_of() { sha256sum <"$1" | cut -d ' ' -f 1; }`,
    // What is missing of $size, against what is free where it will lie.
    sh`room() {
  [ -n "$size" ] || return 0
  local free needed
  free=$(df --output=avail -B1 "$folder" | tail -n 1 | tr -d ' ')
  needed=$(( size - $(bytes_of "$part") + ${reserve} ))
  [ "$free" -ge "$needed" ] || fail "not enough free space for $name in $folder: $(megabytes "$free") MB are free, $(megabytes "$needed") MB are needed"
}`,
    // The file is whole, is the right one, and gets its name.
    sh`accept() {
  chmod 0644 "$part" && sync "$part" && mv -fT "$part" "$file" && note "$1" && sync "$folder" || fail "$file could not be written"
}`,
    sh`note() { printf '%s %s\n' "$1" "$(stat -c '%s %Y' "$file")" >"$record.new" && mv -fT "$record.new" "$record"; }`,
    // What was put there by somebody else, or before a cut, may be the right one.
    sh`keep() {
  [ -f "$file" ] && [ ! -L "$file" ] || { rm -rf "$file"; return 1; }
  if [ "$(hash_of "$file")" = "$1" ]; then
    note "$1" || fail "$record could not be written"
    echo "$name is there already, and is the right one"
    return 0
  fi
  echo "$file is not what it should be and is taken away"
  rm -f "$file"
  return 1
}`,
  );
};
