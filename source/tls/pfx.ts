import forge from 'node-forge';
import {err, ok, type Result} from '../result.ts';
import {type Locked, type PrivateKey, readPrivateKeyDer} from './private-key.ts';

export type PfxContent = {readonly certificates: readonly Buffer[]; readonly keys: readonly PrivateKey[]};

const {asn1, pki, pkcs12} = forge;

/** OpenSSL makes 2048, Windows 2000, careful people a hundred thousand; more only keeps us busy. */
const mostIterations = 1_000_000;

const toDer = (value: forge.asn1.Asn1): Buffer => Buffer.from(asn1.toDer(value).getBytes(), 'binary');

const children = (value: forge.asn1.Asn1 | undefined): readonly forge.asn1.Asn1[] =>
  Array.isArray(value?.value) ? (value.value as forge.asn1.Asn1[]) : [];

/** PFX ::= version 3, authSafe, MacData (RFC 7292 §4); the iterations are the last of MacData and 1 when not said. */
const iterationsOf = (root: forge.asn1.Asn1): number => {
  const iterations = children(children(root)[2])[2];
  return typeof iterations?.value === 'string'
    ? Number.parseInt(Buffer.from(iterations.value, 'binary').toString('hex'), 16)
    : 1;
};

/** Whether DER begins like a PFX: a sequence that begins with the version 3 and a ContentInfo. */
export const looksLikePfx = (der: Buffer): boolean => {
  try {
    const [version, content, ...rest] = children(asn1.fromDer(der.toString('binary'), false));
    return (
      version?.type === asn1.Type.INTEGER &&
      version.value === '\u0003' &&
      children(content).length > 0 &&
      rest.length <= 1
    );
  } catch {
    return false;
  }
};

/**
 * What is in a PFX (PKCS #12) file, encrypted in today's way (AES) or in those of Windows and old Java (RC2, 3DES).
 * Without a password the two ways in which programs write down an empty one are tried.
 */
export const readPfx = (der: Buffer, password: string | undefined): Result<PfxContent, Locked | 'unreadable'> => {
  let root: forge.asn1.Asn1;
  try {
    root = asn1.fromDer(der.toString('binary'), false);
  } catch {
    return err('unreadable');
  }
  if (iterationsOf(root) > mostIterations) return err('unreadable');
  const failures: string[] = [];
  for (const {pfx, word} of waysToOpen(root, password)) {
    try {
      return ok(
        contentOf(word === undefined ? pkcs12.pkcs12FromAsn1(pfx, false) : pkcs12.pkcs12FromAsn1(pfx, false, word)),
      );
    } catch (error) {
      failures.push(error instanceof Error ? error.message : '');
    }
  }
  if (failures.some(message => /Unsupported|Unknown|not supported/i.test(message))) return err('unknown-cipher');
  return err(password ? 'password-wrong' : 'password-needed');
};

type Way = {readonly pfx: forge.asn1.Asn1; readonly word: string | undefined};

/**
 * A password with other letters than those of ASCII means UTF-16 for the checksum and the old ciphers, and UTF-8 for AES.
 * forge takes one for both, so the second time it is given the file without its checksum: what is wrong is then found
 * by the decryption.
 */
const waysToOpen = (root: forge.asn1.Asn1, password: string | undefined): readonly Way[] => {
  if (!password)
    return [
      {pfx: root, word: ''},
      {pfx: root, word: undefined},
    ];
  const withoutChecksum = {...root, value: children(root).slice(0, 2)} as forge.asn1.Asn1;
  return [
    {pfx: root, word: password},
    ...(/^[\x20-\x7e]*$/.test(password) ? [] : [{pfx: withoutChecksum, word: forge.util.encodeUtf8(password)}]),
  ];
};

/** forge reads RSA only and leaves the rest as it was encoded, which is all that is wanted. */
const contentOf = (pfx: forge.pkcs12.Pkcs12Pfx): PfxContent => {
  const bags = pfx.safeContents.flatMap(({safeBags}) => safeBags);
  const certificates = bags.flatMap(({type, cert, asn1: encoded}) => {
    if (type !== pki.oids.certBag) return [];
    const certificate = cert ? pki.certificateToAsn1(cert) : encoded;
    return certificate ? [toDer(certificate)] : [];
  });
  const keys = bags.flatMap(({type, key, asn1: encoded}) => {
    if (type !== pki.oids.keyBag && type !== pki.oids.pkcs8ShroudedKeyBag) return [];
    const info = key ? pki.wrapRsaPrivateKey(pki.privateKeyToAsn1(key)) : encoded;
    return (info && readPrivateKeyDer(toDer(info))) ?? [];
  });
  return {certificates, keys};
};
