import {randomInt} from 'node:crypto';
import {lookup, Resolver} from 'node:dns/promises';
import type {Answer} from '../../steps/site-dns/resolution.ts';

/** A random name below a wildcard, which nothing can remember. */
const concrete = (name: string): string =>
  name.startsWith('*.') ? `groundwork-${randomInt(1e9)}${name.slice(1)}` : name;

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : String(error);

/** What this machine's resolvers say about a name's A records, told apart as a host's answer is. Never rejects. */
export const resolveHere = async (
  name: string,
  resolver: Pick<Resolver, 'resolve4'> = new Resolver({timeout: 2000, tries: 2}),
): Promise<Answer> => {
  const asked = concrete(name);
  try {
    const found = await resolver.resolve4(asked, {ttl: true});
    return {
      kind: 'addresses',
      addresses: [...new Set(found.map(({address}) => address))].toSorted(),
      ttl: Math.min(...found.map(({ttl}) => ttl)),
    };
  } catch (error) {
    const answer = answerTo(codeOf(error));
    // Programs here may be told otherwise: a resolver of one domain alone (macOS, NRPT), a line in the hosts file.
    const known = answer.kind === 'silent' ? [] : await lookup(asked, {all: true, family: 4}).catch(() => []);
    return known.length > 0 ? {kind: 'addresses', addresses: known.map(({address}) => address).toSorted()} : answer;
  }
};

/** c-ares' codes, as Node passes them on. */
const answerTo = (code: string): Answer => {
  switch (code) {
    case 'ENOTFOUND':
      return {kind: 'absent', exists: false};
    case 'ENODATA':
      return {kind: 'absent', exists: true};
    case 'ETIMEOUT':
    case 'ECONNREFUSED':
      return {kind: 'silent', said: code === 'ETIMEOUT' ? 'timed out' : 'connection refused'};
    case 'ESERVFAIL':
    case 'EREFUSED':
    case 'ENOTIMP':
      return {kind: 'refused', status: code.slice(1)};
    default:
      return {kind: 'unknown', said: code};
  }
};
