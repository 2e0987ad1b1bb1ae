import {createHash} from 'node:crypto';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import ssh2 from 'ssh2';

/** A public key as known_hosts holds it, and its fingerprint as OpenSSH prints it. */
export type PublicKey = {readonly type: 'ssh-ed25519'; readonly key: string; readonly fingerprint: string};

export type KeyPair = {readonly privateKey: string; readonly publicKey: PublicKey};

const publicKeyFrom = (line: string): PublicKey => {
  const key = line.trim().split(' ')[1] ?? '';
  const hash = createHash('sha256').update(Buffer.from(key, 'base64')).digest('base64').replace(/=+$/, '');
  return {type: 'ssh-ed25519', key, fingerprint: `SHA256:${hash}`};
};

/**
 * A new key. ssh2 takes zeros at the beginning of a public key for padding and cuts them off, which spoils one key in
 * 256: such a one is thrown away.
 */
export const newKey = (
  comment: string,
  generate = ssh2.utils.generateKeyPairSync,
): {private: string; public: string} => {
  for (;;) {
    const made = generate('ed25519', {comment});
    if (!(ssh2.utils.parseKey(made.private) instanceof Error)) return made;
  }
};

/** The key in a file of mode 0600, with its public half beside it in `.pub`; made when it is not there. */
export const keyIn = (path: string, comment: string): KeyPair => {
  const publicPath = `${path}.pub`;
  if (!existsSync(path) || !existsSync(publicPath)) {
    const made = newKey(comment);
    writeFileSync(path, made.private, {mode: 0o600});
    writeFileSync(publicPath, `${made.public}\n`);
  }
  return {privateKey: readFileSync(path, 'utf8'), publicKey: publicKeyFrom(readFileSync(publicPath, 'utf8'))};
};
