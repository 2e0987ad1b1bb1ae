import {createHash, createHmac} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import type {Failure} from '../engine/failure.ts';
import {err, ok, type Result} from '../result.ts';
import type {HostKeyFinding} from './host-key.ts';

/** One line of a known_hosts file. */
export type KnownHost = {
  readonly marker: 'revoked' | 'cert-authority' | undefined;
  /** The first field as it stands: names with globs and negations, or one hashed name. */
  readonly names: string;
  readonly type: string;
  /** Base64. */
  readonly key: string;
  /** Where it stands, for the operator who must take it out: `/root/.ssh/known_hosts, line 12`. */
  readonly place: string;
};

/** `10.0.0.11` on port 22, `[10.0.0.11]:2222` elsewhere: how known_hosts writes a server. */
export const knownAs = (address: string, port: number): string => {
  const name = address.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
};

/** `SHA256:…` as OpenSSH prints it, of a key in base64. */
export const fingerprintOf = (key: string): string =>
  `SHA256:${createHash('sha256').update(Buffer.from(key, 'base64')).digest('base64').replace(/=+$/, '')}`;

/** The lines that mean something; OpenSSH passes over the others as well. */
export const parseKnownHosts = (text: string, file: string): KnownHost[] =>
  text.split(/\r?\n/).flatMap((line, index) => {
    const match = /^\s*(?:@(\S+)\s+)?([^#\s]\S*)\s+(\S+)\s+([A-Za-z0-9+/]+=*)(?:\s|$)/.exec(line);
    if (!match) return [];
    const [, marker, names = '', type = '', key = ''] = match;
    if (marker !== undefined && marker !== 'revoked' && marker !== 'cert-authority') return [];
    return [{marker, names, type, key, place: `${file}, line ${index + 1}`}];
  });

/**
 * The lines of several files, in order. A file that is not there has none. One that cannot be read is a failure:
 * it may hold the very line that would refuse a key.
 */
export const readKnownHosts = async (files: readonly string[]): Promise<Result<KnownHost[], Failure>> => {
  const entries: KnownHost[] = [];
  for (const file of new Set(files)) {
    try {
      entries.push(...parseKnownHosts(await readFile(file, 'utf8'), file));
    } catch (error) {
      const {code, message} = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') continue;
      return err({
        kind: 'input',
        message: `The file of known host keys ${file} cannot be read, so no host key can be trusted.`,
        attempted: 'reading the known host keys',
        cause: message,
        remedy: `Make ${file} readable for this user, or take it out of OpenSSH's settings.`,
      });
    }
  }
  return ok(entries);
};

const globMatches = (pattern: string, name: string): boolean => {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${source}$`, 's').test(name);
};

const hashMatches = (field: string, name: string): boolean => {
  const [, , salt = '', digest = ''] = field.split('|');
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === digest;
};

/** Whether the first field of a line means this server. A negated name (`!10.0.0.5`) outweighs every other. */
export const namesMatch = (field: string, name: string): boolean => {
  if (field.startsWith('|1|')) return hashMatches(field, name);
  const patterns = field.split(',');
  if (patterns.some(pattern => pattern.startsWith('!') && globMatches(pattern.slice(1), name))) return false;
  return patterns.some(pattern => !pattern.startsWith('!') && globMatches(pattern, name));
};

/** What the files say about one server. */
export const entriesFor = (entries: readonly KnownHost[], name: string): readonly KnownHost[] =>
  entries.filter(({names}) => namesMatch(names, name));

/**
 * Holds a key against what is known of the server. Stricter than OpenSSH in one point: a key of another type than
 * the known ones counts as changed, not as new, because whoever stands between could offer just that.
 */
export const judgeKey = (
  entries: readonly KnownHost[],
  {host, knownAs: name, type, key}: Pick<HostKeyFinding, 'host' | 'knownAs' | 'type' | 'key'>,
): HostKeyFinding => {
  const matching = entriesFor(entries, name);
  const finding = {host, knownAs: name, type, key, fingerprint: fingerprintOf(key)};
  const revoked = matching.find(entry => entry.marker === 'revoked' && entry.key === key);
  if (revoked) return {...finding, status: 'revoked', note: `It is revoked in ${revoked.place}.`};
  const plain = matching.filter(({marker}) => marker === undefined);
  if (plain.some(entry => entry.key === key)) return {...finding, status: 'known'};
  const expected = plain.find(entry => entry.type === type) ?? plain[0];
  if (expected) {
    const note = `The known key stands in ${expected.place}.`;
    return {...finding, status: 'changed', expected: fingerprintOf(expected.key), note};
  }
  const authority = matching.some(({marker}) => marker === 'cert-authority');
  return {
    ...finding,
    status: 'unknown',
    ...(authority && {
      note: 'A known_hosts file names a certificate authority for this host; Groundwork compares the key itself.',
    }),
  };
};

/** Best first: small and sound before old. */
const algorithms = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
  'ssh-rsa',
] as const;

export type HostKeyAlgorithm = (typeof algorithms)[number];

const typeOf = (algorithm: HostKeyAlgorithm): string => (algorithm.startsWith('rsa-sha2-') ? 'ssh-rsa' : algorithm);

/**
 * The order in which to ask a server for its key: types that are already known first, or a server with several
 * keys would show one that nobody has seen.
 */
export const algorithmOrder = (entries: readonly KnownHost[], name: string): HostKeyAlgorithm[] => {
  const types = new Set(
    entriesFor(entries, name)
      .filter(({marker}) => marker === undefined)
      .map(({type}) => type),
  );
  return algorithms.toSorted((a, b) => Number(types.has(typeOf(b))) - Number(types.has(typeOf(a))));
};
