import {createPrivateKey, createPublicKey, type KeyObject, randomBytes, webcrypto} from 'node:crypto';
import {parseAddress} from '../network/address.ts';
import {isDomainName} from '../network/names.ts';
import {err, ok, type Result} from '../result.ts';
import {readCertificate} from './certificate.ts';
import {nameConstraintsId, nameConstraintsOf, type Permitted, permits} from './name-constraints.ts';
import * as x509 from './x509.ts';

/** Both in PEM; the key in PKCS #8. The key never leaves this side: hosts get leaves only. */
export type Authority = {readonly certificate: string; readonly privateKey: string};

/**
 * ECDSA on P-256: every TLS client of the last ten years takes it (Java 8, Android 5, and what OpenG2P's containers
 * hold), certificates stay small, and a handshake costs a small host a tenth of RSA 2048. Nothing that OpenG2P
 * installs wants an RSA certificate of its proxy; the RSA keys of eSignet are its own and not for TLS.
 */
const signing = {name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256'} as const;

/** Certificates begin an hour ago, so that hosts and laptops with a slow clock take them at once. */
const backdateMs = 3_600_000;
const msPerDay = 86_400_000;

/** 16 random bytes with the first bit clear and the second set: positive, and of one length (RFC 5280 §4.1.2.2). */
const randomSerial = (): string => {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
};

export type AuthorityRequest = {
  /** Shown in the trust settings of operators' machines: say whose it is, and name the deployment. */
  readonly commonName: string;
  /** What it may issue for. Trusting it on a laptop then opens no way to impersonate anything else. */
  readonly permit: Permitted;
  readonly now: Date;
  readonly years?: number;
  /** A serial number in hexadecimal. */
  readonly serial?: () => string;
};

/**
 * A new self-signed authority. It can sign nothing but certificates of servers, directly, within `permit`:
 * path length 0, name constraints and extended key usage, the first two critical.
 */
export const createAuthority = async ({
  commonName,
  permit,
  now,
  years = 10,
  serial = randomSerial,
}: AuthorityRequest): Promise<Authority> => {
  const keys = await webcrypto.subtle.generateKey(signing, true, ['sign', 'verify']);
  const notAfter = new Date(now);
  notAfter.setUTCFullYear(notAfter.getUTCFullYear() + years);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: nameOf({O: 'Groundwork', CN: commonName}),
      serialNumber: serial(),
      notBefore: new Date(now.getTime() - backdateMs),
      notAfter,
      keys,
      signingAlgorithm: signing,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.Extension(nameConstraintsId, true, nameConstraintsOf(permit)),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  const privateKey = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  return {
    certificate: pem(certificate),
    privateKey: createPrivateKey({key: privateKey, format: 'der', type: 'pkcs8'})
      .export({type: 'pkcs8', format: 'pem'})
      .toString(),
  };
};

/** Typed strings, because the library gives quotes and backslashes in plain ones a meaning. */
const nameOf = (parts: Readonly<Record<string, string>>): x509.Name =>
  new x509.Name(Object.entries(parts).map(([key, utf8String]) => ({[key]: [{utf8String}]})));

const pem = (certificate: x509.X509Certificate): string => `${certificate.toString('pem').trim()}\n`;

/** One PEM text of both, certificate first: what the vault keeps. */
export const authorityToText = ({certificate, privateKey}: Authority): string => `${certificate}${privateKey}`;

export const authorityFromText = (text: string): Result<Authority, string> => {
  const certificate = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/)?.[0];
  const privateKey = text.match(/-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n/)?.[0];
  return certificate && privateKey
    ? ok({certificate, privateKey})
    : err('what the vault holds as the authority is not a certificate with its private key');
};

export type LeafRequest = {
  readonly authority: Authority;
  /** SPKI in PEM. The private key was made on the host and stays there. */
  readonly publicKey: string;
  /** Domain names, `*.` and a domain name, addresses. */
  readonly names: readonly string[];
  readonly now: Date;
  readonly days: number;
  readonly serial?: () => string;
};

/** The curves and key sizes that browsers take from a server. */
const keyUsageOf = (key: KeyObject): Result<number, string> => {
  const {namedCurve = '', modulusLength = 0} = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'ec') {
    return ['prime256v1', 'secp384r1'].includes(namedCurve)
      ? ok(x509.KeyUsageFlags.digitalSignature)
      : err(`browsers do not take keys on the curve ${namedCurve}; use prime256v1`);
  }
  if (key.asymmetricKeyType === 'rsa') {
    // Key encipherment is what the RSA key exchange of TLS 1.2 needs.
    return modulusLength >= 2048
      ? ok(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment)
      : err(`an RSA key of ${modulusLength} bits is too short; use 2048 or more`);
  }
  return err(`browsers do not take ${key.asymmetricKeyType} keys; use ECDSA on prime256v1`);
};

const readPublicKey = (text: string): Result<KeyObject, string> => {
  if (text.includes('PRIVATE KEY')) return err('a private key was given where the public one is wanted');
  try {
    return ok(createPublicKey(text));
  } catch {
    return err('the public key is not SPKI in PEM');
  }
};

const isLeafName = (name: string): boolean => parseAddress(name).ok || isDomainName(name.replace(/^\*\./, ''));

/** RFC 5280 appendix A.1, ub-common-name. */
const longestCommonName = 64;

/**
 * A server certificate for a key that was made elsewhere. It never outlives its authority. The common name repeats
 * the first name for the eyes of people; clients look at the alternative names only.
 */
export const issueLeaf = async ({
  authority,
  publicKey,
  names,
  now,
  days,
  serial = randomSerial,
}: LeafRequest): Promise<Result<string, string>> => {
  const issuer = readCertificate(authority.certificate);
  if (!issuer.ok) return err(`the authority cannot be used: ${issuer.error}`);
  const {permitted, notAfter: lastDay} = issuer.value;
  if (lastDay <= now) return err(`the authority expired on ${lastDay.toISOString()}`);
  if (names.length === 0) return err('a certificate needs at least one name');
  const odd = names.filter(name => !isLeafName(name));
  if (odd.length > 0) return err(`${odd.join(', ')}: neither a domain name nor an address`);
  const outside = permitted ? names.filter(name => !permits(permitted, name)) : [];
  if (outside.length > 0) return err(`the authority may not issue for ${outside.join(', ')}`);
  const key = readPublicKey(publicKey);
  if (!key.ok) return key;
  const usages = keyUsageOf(key.value);
  if (!usages.ok) return usages;

  const issuerCertificate = new x509.X509Certificate(authority.certificate);
  const subjectKey = new x509.PublicKey(key.value.export({type: 'spki', format: 'der'}));
  const [first = ''] = names;
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serial(),
      issuer: issuerCertificate.subjectName,
      subject: nameOf(first.length <= longestCommonName ? {CN: first} : {}),
      notBefore: new Date(now.getTime() - backdateMs),
      notAfter: new Date(Math.min(now.getTime() + days * msPerDay, lastDay.getTime())),
      publicKey: subjectKey,
      signingKey: await signingKeyOf(authority.privateKey),
      signingAlgorithm: signing,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(usages.value, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(
          names.map(name => ({type: parseAddress(name).ok ? ('ip' as const) : ('dns' as const), value: name})),
          // RFC 5280 §4.2.1.6: critical when the subject is empty.
          first.length > longestCommonName,
        ),
        await x509.SubjectKeyIdentifierExtension.create(subjectKey, false, webcrypto),
        await x509.AuthorityKeyIdentifierExtension.create(issuerCertificate, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return ok(pem(certificate));
};

const signingKeyOf = (privateKey: string): Promise<CryptoKey> =>
  webcrypto.subtle.importKey(
    'pkcs8',
    createPrivateKey(privateKey).export({type: 'pkcs8', format: 'der'}),
    signing,
    false,
    ['sign'],
  );
