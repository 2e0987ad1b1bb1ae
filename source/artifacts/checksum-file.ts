import {type Script, sh} from '../shell/script.ts';

/**
 * The sha256 that a file of checksums gives for a file: a line `HASH  NAME` as sha256sum writes it, or the hash alone
 * as the only word, as Kubernetes has it.
 */
export const checksumIn = (text: string, name: string): string | undefined => {
  for (const line of text.split('\n')) {
    const [hash = '', file] = line.trim().split(/\s+/);
    const named = file === undefined || file.replace(/^\*/, '').split('/').at(-1) === name;
    if (named && /^[0-9a-f]{64}$/i.test(hash)) return hash.toLowerCase();
  }
  return undefined;
};

const awkProgram = `
{ sub(/\\r$/, ""); file = $2; sub(/^\\*/, "", file); sub(/^.*\\//, "", file) }
(NF == 1 || (NF == 2 && file == name)) && length($1) == 64 && $1 ~ /^[0-9a-fA-F]+$/ { print tolower($1); exit }`;

/** The same on a host. @param file a shell word: the file of checksums there */
export const checksumInScript = (file: Script, name: string): Script =>
  sh`awk -v ${`name=${name}`} ${awkProgram} ${file}`;
