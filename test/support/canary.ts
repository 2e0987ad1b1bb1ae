import {lstatSync, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';

/** The lines of the private keys in a text; certificates beside them are public. */
const privateLines = (text: string): string[] =>
  [...text.matchAll(/-----BEGIN [A-Z ]*PRIVATE KEY-----\n([^-]+)-----END/g)].flatMap(([, body = '']) =>
    body.split('\n').filter(line => line.length >= 20),
  );

/** What a secret could look like where it leaked: as it is, in hexadecimal, and in base64 at each of its three alignments. */
export const shapesOf = (secret: string): readonly string[] => {
  const plain = secret.includes('-----BEGIN') ? privateLines(secret) : [secret];
  return plain.flatMap(text => {
    const bytes = Buffer.from(text);
    const inBase64 = [0, 1, 2].map(before => {
      const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
      // The first and the last characters depend on what stands beside the secret.
      return encoded.slice(before === 0 ? 0 : 4, -4);
    });
    // A key that is itself written in base64 could also be shown by its bytes.
    const raw = /^[A-Za-z0-9+/]{43}=$/.test(text) ? [Buffer.from(text, 'base64').toString('hex')] : [];
    return [text, bytes.toString('hex'), ...inBase64, ...raw];
  });
};

/** Which of the secrets, by name, stand in a text in any shape. */
export const leaksIn = (text: string, secrets: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(secrets).flatMap(([name, secret]) =>
    shapesOf(secret).some(shape => text.includes(shape)) ? [name] : [],
  );

/** Every regular file below a folder. */
export const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder).flatMap(name => {
    const path = join(folder, name);
    const stat = lstatSync(path);
    return stat.isDirectory() ? filesBelow(path) : stat.isFile() ? [path] : [];
  });

/** `FILE: SECRET` for every leak below a folder, but for the files that `belongs` says secrets belong in. */
export const leaksBelow = (
  folder: string,
  secrets: Readonly<Record<string, string>>,
  belongs: (path: string) => boolean,
): readonly string[] =>
  filesBelow(folder)
    .filter(path => !belongs(path))
    .flatMap(path => leaksIn(readFileSync(path, 'latin1'), secrets).map(name => `${path}: ${name}`));

export type Watch = {
  /** Stops looking; what was seen, each different text once. */
  readonly end: () => readonly string[];
};

/** Looks again and again at the arguments and the environment of every process of this machine that it may read. */
export const watchProcesses = (everyMs = 100): Watch => {
  const seen = new Set<string>();
  const look = (): void => {
    for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
      for (const file of ['cmdline', 'environ']) {
        try {
          seen.add(readFileSync(`/proc/${pid}/${file}`, 'latin1'));
        } catch {
          // It has ended, or it is somebody else's.
        }
      }
    }
  };
  const timer = setInterval(look, everyMs);
  return {
    end: () => {
      clearInterval(timer);
      return [...seen];
    },
  };
};

/** The secrets in a vault that is not sealed, by name. */
export const vaultSecrets = (path: string): Readonly<Record<string, string>> =>
  JSON.parse(readFileSync(path, 'utf8')).secrets;
