import {createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes} from 'node:crypto';

/**
 * X25519 keys in WireGuard's form: 32 bytes in base64. Peers' keys are made on the operator's side, because a gateway
 * must not hold what lets somebody pose as its users.
 */
export const generatePrivateKey = (): string => {
  const {d} = generateKeyPairSync('x25519').privateKey.export({format: 'jwk'});
  return Buffer.from(d as string, 'base64url').toString('base64');
};

/** DER header of an X25519 private key (RFC 8410); the 32 bytes of the key follow. */
const pkcs8Header = Buffer.from('302e020100300506032b656e04220420', 'hex');

export const publicKeyOf = (privateKey: string): string => {
  const bytes = Buffer.from(privateKey, 'base64');
  if (bytes.length !== 32) throw new Error('a WireGuard key has 32 bytes');
  const key = createPrivateKey({key: Buffer.concat([pkcs8Header, bytes]), format: 'der', type: 'pkcs8'});
  const {x} = createPublicKey(key).export({format: 'jwk'});
  return Buffer.from(x as string, 'base64url').toString('base64');
};

/** A key that server and peer share beside their own, against one who records now and breaks X25519 later. */
export const generatePresharedKey = (): string => randomBytes(32).toString('base64');
