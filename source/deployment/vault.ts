import {randomUUID} from 'node:crypto';
import {chmodSync, readFileSync} from 'node:fs';
import {dirname} from 'node:path';
import {armor, Decrypter, Encrypter} from 'age-encryption';
import {z} from 'zod';
import type {Failure} from '../engine/failure.ts';
import {err, ok, type Result} from '../result.ts';
import {ownFolder, removeUnfinished, writeDurably} from './durable-file.ts';
import {withMutex} from './file-mutex.ts';

/**
 * Secrets that Groundwork made, in a file of their own. What a call has answered is on the disk: a secret is written
 * before its first use, and the same one is read back ever after.
 */
export type Vault = {
  readonly get: (name: string) => string | undefined;
  readonly set: (name: string, value: string) => Promise<Result<void, Failure>>;
  /** The secret of this name; made and written first if there is none. Two callers at once get the same. */
  readonly ensure: (name: string, generate: () => string | Promise<string>) => Promise<Result<string, Failure>>;
  readonly names: () => readonly string[];
  /** All secrets, so that they can be kept out of logs. */
  readonly values: () => readonly string[];
  readonly isSealed: () => boolean;
  /** From now on the file is an armoured age file: `age --decrypt` opens it with this passphrase, too. */
  readonly seal: (passphrase: string) => Promise<Result<void, Failure>>;
  readonly unseal: () => Promise<Result<void, Failure>>;
};

export type VaultOptions = {
  readonly passphrase?: string;
  /**
   * Base-2 logarithm of scrypt's cost. Default 18, as in age itself: opening a sealed vault and every change to it
   * take a second or two on an ordinary machine, during which nothing else happens in this program.
   */
  readonly scryptWorkFactor?: number;
  /** Hosts use secrets of it already, so a file that is not there was lost. Default: it begins empty. */
  readonly inUse?: boolean;
};

const format = 1;

const content = z.strictObject({version: z.int(), secrets: z.record(z.string(), z.string().min(1))});

type Secrets = ReadonlyMap<string, string>;

/** The fewest characters of a passphrase; age's own advice is 8 to 10 random ones. */
const shortestPassphrase = 10;

const armorHeader = '-----BEGIN AGE ENCRYPTED FILE-----';

const looksSealed = (text: string): boolean => text.trimStart().startsWith(armorHeader);

const readText = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cause;
  }
};

/** Whether a passphrase is needed to open the vault. A vault that is not there yet needs none. */
export const isSealed = (path: string): boolean => looksSealed(readText(path) ?? '');

const failure = (message: string, more: Partial<Failure> = {}): Failure => ({kind: 'input', message, ...more});

const damaged = (path: string, cause: string): Failure =>
  failure(`The vault ${path} cannot be read.`, {
    cause,
    remedy:
      'Put a copy of the file back from your backup. Groundwork never replaces a vault that it cannot read, because ' +
      'the hosts already use what is in it. If there is no copy, move the file away yourself: the next run makes ' +
      'new secrets and sets the hosts up with them.',
  });

const lost = (path: string): Failure =>
  failure(`The vault ${path} is gone.`, {
    cause: 'Hosts were set up with what was in it, and other secrets would not fit them.',
    remedy:
      'Put a copy of the file back from your backup. If there is none, remove what was handed over (ca.crt and peers, ' +
      'beside it): the next run then makes new secrets and sets the hosts up with them.',
  });

const wrongPassphrase = (path: string): Failure =>
  failure(`The passphrase does not open the vault ${path}.`, {
    remedy: 'Type it again: capital letters and the layout of the keyboard count.',
  });

const parse = (path: string, text: string): Result<Secrets, Failure> => {
  try {
    const {version, secrets} = content.parse(JSON.parse(text));
    return version === format
      ? ok(new Map(Object.entries(secrets)))
      : err(failure(`The vault ${path} was written by a newer Groundwork.`, {remedy: 'Update Groundwork.'}));
  } catch {
    // The parser's own words would quote what is in there.
    return err(damaged(path, 'It is not what Groundwork writes: it was cut off, or changed by hand.'));
  }
};

const decrypt = async (path: string, text: string, passphrase: string): Promise<Result<string, Failure>> => {
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase);
  try {
    return ok(await decrypter.decrypt(armor.decode(text), 'text'));
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : '';
    return err(
      /no identity matched/.test(message)
        ? wrongPassphrase(path)
        : damaged(path, 'The sealed file was changed or cut off.'),
    );
  }
};

const decode = async (
  path: string,
  text: string | undefined,
  passphrase?: string,
): Promise<Result<Secrets, Failure>> => {
  if (text === undefined) return ok(new Map());
  if (!looksSealed(text)) return parse(path, text);
  if (passphrase === undefined) {
    return err(failure(`The vault ${path} is sealed.`, {remedy: 'Give the passphrase that it was sealed with.'}));
  }
  const plain = await decrypt(path, text, passphrase);
  return plain.ok ? parse(path, plain.value) : plain;
};

const encode = async (secrets: Secrets, passphrase: string | undefined, workFactor: number): Promise<string> => {
  const text = `${JSON.stringify({version: format, secrets: Object.fromEntries(secrets)}, undefined, 2)}\n`;
  if (passphrase === undefined) return text;
  const encrypter = new Encrypter();
  encrypter.setScryptWorkFactor(workFactor);
  encrypter.setPassphrase(passphrase);
  return armor.encode(await encrypter.encrypt(text));
};

const diskFailure = (path: string, cause: unknown): Failure =>
  failure(`The vault ${path} cannot be written or read.`, {
    cause: cause instanceof Error ? cause.message : String(cause),
  });

/**
 * Opens a vault; one that is not there begins empty, and its file is made with the first secret. Failures: it is
 * sealed and the passphrase is missing or wrong, it is damaged, or it was lost. None is ever repaired by itself.
 */
export const openVault = async (
  path: string,
  {passphrase: given, scryptWorkFactor = 18, inUse = false}: VaultOptions = {},
): Promise<Result<Vault, Failure>> => {
  if (inUse && readText(path) === undefined) return err(lost(path));
  let text: string | undefined;
  let secrets: Secrets = new Map();
  let passphrase: string | undefined;

  /** What is on the disk now; another program may have written since. Decrypting again is dear, so only if it must be. */
  const refresh = async (phrase: string | undefined): Promise<Result<void, Failure>> => {
    const now = readText(path);
    // A file that vanished while it was in use is not an empty vault: what is known of it stays, and is written again.
    if (now === text || now === undefined) return ok();
    const decoded = await decode(path, now, phrase);
    if (!decoded.ok) return decoded;
    text = now;
    secrets = decoded.value;
    passphrase = looksSealed(now) ? phrase : undefined;
    return ok();
  };

  const write = async (next: Secrets, phrase: string | undefined): Promise<void> => {
    if ([...next.values()].includes('')) throw new TypeError('a secret is never empty');
    const encoded = await encode(next, phrase, scryptWorkFactor);
    writeDurably(path, encoded, randomUUID());
    text = encoded;
    secrets = next;
    passphrase = phrase;
  };

  const update = async <T>(body: () => Promise<T>): Promise<Result<T, Failure>> => {
    try {
      return await withMutex(path, async (): Promise<Result<T, Failure>> => {
        const fresh = await refresh(passphrase);
        return fresh.ok ? ok(await body()) : fresh;
      });
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === undefined) throw cause;
      return err(diskFailure(path, cause));
    }
  };

  try {
    ownFolder(dirname(path));
    const opened = await withMutex(path, async () => {
      removeUnfinished(path);
      if (readText(path) !== undefined) chmodSync(path, 0o600);
      return refresh(given);
    });
    if (!opened.ok) return opened;
  } catch (cause) {
    return err(diskFailure(path, cause));
  }

  return ok({
    get: name => secrets.get(name),
    set: (name, value) => update(() => write(new Map([...secrets, [name, value]]), passphrase)),
    ensure: (name, generate) =>
      update(async () => {
        const kept = secrets.get(name);
        if (kept !== undefined) return kept;
        const made = await generate();
        await write(new Map([...secrets, [name, made]]), passphrase);
        return made;
      }),
    names: () => [...secrets.keys()].toSorted(),
    values: () => [...secrets.values()],
    isSealed: () => passphrase !== undefined,
    seal: async phrase =>
      phrase.length < shortestPassphrase
        ? err(failure(`The passphrase is too short: use ${shortestPassphrase} characters or more.`))
        : update(() => write(secrets, phrase)),
    unseal: () => update(() => write(secrets, undefined)),
  });
};
