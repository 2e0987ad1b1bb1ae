import {createPrivateKey, createPublicKey, type KeyObject} from 'node:crypto';
import {err, ok, type Result} from '../result.ts';

/** A private key in the one form that everything after the reading knows. */
export type PrivateKey = {
  /** PKCS #8 in PEM, not encrypted: for the vault and the host only. */
  readonly pem: string;
  /** SPKI in PEM. */
  readonly publicKey: string;
};

/** Why something locked could not be opened; `unknown-cipher`: by no password. */
export type Locked = 'password-needed' | 'password-wrong' | 'unknown-cipher';

export const privateKeyOf = (key: KeyObject): PrivateKey => ({
  pem: key.export({type: 'pkcs8', format: 'pem'}).toString(),
  publicKey: createPublicKey(key).export({type: 'spki', format: 'pem'}).toString(),
});

/** OpenSSL's ways of saying that what a password opened is no key. */
const wrongPassword = /bad decrypt|bad password|wrong|cipherfinal|mac verify|bad pkcs8|asn1|decode|decoder/i;

/** A key in PEM of any kind that OpenSSL reads: PKCS #8, PKCS #1, SEC 1, each encrypted or not. */
export const readPrivateKeyPem = (
  text: string,
  password: string | undefined,
): Result<PrivateKey, Locked | 'unreadable'> => {
  const locked = /-----BEGIN ENCRYPTED |^Proc-Type:.*ENCRYPTED/m.test(text);
  if (locked && password === undefined) return err('password-needed');
  try {
    return ok(privateKeyOf(createPrivateKey({key: text, ...(locked && {passphrase: password})})));
  } catch (error) {
    if (!locked) return err('unreadable');
    const {message = '', code = ''} = error as NodeJS.ErrnoException;
    if (/unsupported/i.test(`${message} ${code}`) && !wrongPassword.test(message)) return err('unknown-cipher');
    return err('password-wrong');
  }
};

/** The same in DER; undefined when it is no key that is not encrypted. */
export const readPrivateKeyDer = (der: Buffer): PrivateKey | undefined => {
  for (const type of ['pkcs8', 'sec1', 'pkcs1'] as const) {
    try {
      return privateKeyOf(createPrivateKey({key: der, format: 'der', type}));
    } catch {
      // The next kind may fit.
    }
  }
  return undefined;
};

/** Whether two public keys in PEM are the same one. */
export const samePublicKey = (a: string, b: string): boolean => {
  try {
    return createPublicKey(a).equals(createPublicKey(b));
  } catch {
    return false;
  }
};
