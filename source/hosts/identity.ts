import {readFile} from 'node:fs/promises';
import type {ParsedKey} from 'ssh2';
import {parseKey, publicKeyOf} from './agent.ts';

/** A key file, as far as it can be used. */
export type Identity =
  /** Ready to sign with. */
  | {readonly state: 'ready'; readonly file: string; readonly key: ParsedKey; readonly publicKey: string}
  /** Only its public part can be read: the agent may hold the private one. */
  | {readonly state: 'locked'; readonly file: string; readonly publicKey: string | undefined; readonly problem: Locked}
  | {readonly state: 'unusable'; readonly file: string; readonly problem: Unusable; readonly detail: string};

export type Locked = 'no passphrase given' | 'wrong passphrase' | 'only the public part';
export type Unusable = 'missing' | 'unreadable' | 'no key';

const read = async (file: string): Promise<string | NodeJS.ErrnoException> => {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
};

const publicPartBeside = async (file: string): Promise<string | undefined> => {
  const text = await read(`${file}.pub`);
  const parsed = typeof text === 'string' ? parseKey(text) : text;
  return parsed instanceof Error ? undefined : publicKeyOf(parsed);
};

/** Reads a key file, with its passphrase if there is one. */
export const readIdentity = async (file: string, passphrase: string | undefined): Promise<Identity> => {
  const text = await read(file);
  if (typeof text !== 'string') {
    const problem = text.code === 'ENOENT' || text.code === 'ENOTDIR' ? 'missing' : 'unreadable';
    return {state: 'unusable', file, problem, detail: text.message};
  }
  const parsed = parseKey(text, passphrase);
  if (parsed instanceof Error) {
    // ssh2 tells these two apart by words only.
    const encrypted = /no passphrase given/i.test(parsed.message);
    const wrong = passphrase !== undefined && isEncrypted(text);
    if (!encrypted && !wrong) return {state: 'unusable', file, problem: 'no key', detail: parsed.message};
    const problem = encrypted ? 'no passphrase given' : 'wrong passphrase';
    return {state: 'locked', file, problem, publicKey: await publicPartBeside(file)};
  }
  const publicKey = publicKeyOf(parsed);
  if (!parsed.isPrivateKey()) return {state: 'locked', file, problem: 'only the public part', publicKey};
  return {state: 'ready', file, key: parsed, publicKey};
};

const isEncrypted = (text: string): boolean => {
  const parsed = parseKey(text);
  return parsed instanceof Error && /no passphrase given/i.test(parsed.message);
};
