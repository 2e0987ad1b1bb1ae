import {chmod, mkdir, open, readFile, rename, rm} from 'node:fs/promises';
import {dirname} from 'node:path';
import {lock} from 'proper-lockfile';
import type {Failure} from '../engine/failure.ts';
import {err, ok, type Result} from '../result.ts';
import type {HostKeyFinding} from './host-key.ts';
import {judgeKey, parseKnownHosts} from './known-hosts.ts';

/**
 * Writes keys that the operator has accepted to Groundwork's own known_hosts file: mode 0600, whole or not at all,
 * one program at a time. Keys that changed or are revoked are refused, all of the call with them: those are settled
 * by hand, in the file where the old key stands.
 */
export const trust = async (findings: readonly HostKeyFinding[], file: string): Promise<Result<void, Failure>> => {
  const refused = findings.find(({status}) => status === 'changed' || status === 'revoked');
  if (refused) {
    return err({
      kind: 'host-key-changed',
      host: refused.host,
      message: `The host key of ${refused.host} is ${refused.status} and cannot be accepted here.`,
      ...(refused.note && {cause: refused.note}),
      remedy: `Find out why. Only if the new key is right: take the old one out first, with \`ssh-keygen -R '${refused.knownAs}'\`.`,
    });
  }
  try {
    await mkdir(dirname(file), {recursive: true, mode: 0o700});
    const release = await lock(file, {realpath: false, retries: {retries: 20, minTimeout: 50, maxTimeout: 500}});
    try {
      await append(findings, file);
    } finally {
      await release();
    }
    return ok();
  } catch (error) {
    return err({
      kind: 'input',
      message: `The accepted host keys could not be written to ${file}.`,
      cause: error instanceof Error ? error.message : String(error),
      remedy: 'Make its directory writable for this user, and check that the disk is not full.',
    });
  }
};

const append = async (findings: readonly HostKeyFinding[], file: string): Promise<void> => {
  const before = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const known = parseKnownHosts(before, file);
  const lines = findings
    .filter(finding => judgeKey(known, finding).status === 'unknown')
    .map(({knownAs, type, key}) => `${knownAs} ${type} ${key}\n`);
  const text = `${before}${before === '' || before.endsWith('\n') ? '' : '\n'}${[...new Set(lines)].join('')}`;
  const candidate = `${file}.new`;
  await rm(candidate, {force: true});
  const handle = await open(candidate, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await chmod(candidate, 0o600);
  await rename(candidate, file);
};
