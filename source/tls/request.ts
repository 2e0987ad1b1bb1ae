import {createPrivateKey, createPublicKey, webcrypto} from 'node:crypto';
import {err, ok, type Result} from '../result.ts';
import {pemBlocks} from './pem-blocks.ts';
import * as x509 from './x509.ts';

/** A request that waits for its certificate: PKCS #10 and the key that it was made with, both in PEM. */
export type CertificateRequest = {readonly request: string; readonly key: string};

export type KeyKind = 'ec' | 'rsa';

const p256 = {name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256'} as const;

/** 3072 bits, as NIST SP 800-57 wants for what is used beyond 2030. */
const rsa3072 = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 3072,
  publicExponent: new Uint8Array([1, 0, 1]),
} as const;

const algorithmOf = (kind: KeyKind) => (kind === 'ec' ? p256 : rsa3072);

/** RFC 5280 appendix A.1, ub-common-name. */
const longestCommonName = 64;

const subjectAlternativeName = '2.5.29.17';

export type RequestWish = {
  /** Domain names and wildcards; the first one is the common name, too. */
  readonly names: readonly string[];
  /** What the CA wants beside it, like `C=KE, O=Ministry of Labour`. */
  readonly subject?: string;
  readonly kind: KeyKind;
  /** The key of an earlier request, to make it again with other names: PKCS #8 in PEM. */
  readonly key?: string;
};

const keysFrom = async (kind: KeyKind, pem: string | undefined): Promise<webcrypto.CryptoKeyPair> => {
  const algorithm = algorithmOf(kind);
  if (pem === undefined)
    return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;
  const privateKey = createPrivateKey(pem);
  return {
    privateKey: await webcrypto.subtle.importKey(
      'pkcs8',
      privateKey.export({type: 'pkcs8', format: 'der'}),
      algorithm,
      true,
      ['sign'],
    ),
    publicKey: await webcrypto.subtle.importKey(
      'spki',
      createPublicKey(privateKey).export({type: 'spki', format: 'der'}),
      algorithm,
      true,
      ['verify'],
    ),
  };
};

/** The kind of a key that is there already. */
const kindOf = (pem: string): KeyKind => (createPrivateKey(pem).asymmetricKeyType === 'rsa' ? 'rsa' : 'ec');

const notSubject = (text: string): string => `the subject "${text}" is not like "C=KE, O=Ministry of Labour"`;

/** The subject in words, with the common name first. The error says what is wrong with what was given. */
const subjectOf = (names: readonly string[], more = ''): Result<x509.Name, string> => {
  const parts = more.split(/(?<!\\),/).map(part => part.trim());
  if (more.trim() !== '' && !parts.every(part => /^[A-Za-z][A-Za-z0-9]*\s*=\s*[^=\s]/.test(part)))
    return err(notSubject(more));
  const common = names.find(name => name.length <= longestCommonName);
  try {
    const given = more.trim() === '' ? [] : new x509.Name(more).toJSON();
    return ok(new x509.Name([...(common ? [{CN: [{utf8String: common}]}] : []), ...given]));
  } catch {
    return err(notSubject(more));
  }
};

/** A request for a certificate of a server, in the form that every CA takes. */
export const createRequest = async ({
  names,
  subject,
  kind,
  key,
}: RequestWish): Promise<Result<CertificateRequest, string>> => {
  if (names.length === 0) return err('a request needs at least one name');
  const name = subjectOf(names, subject);
  if (!name.ok) return name;
  const actual = key === undefined ? kind : kindOf(key);
  const keys = await keysFrom(actual, key);
  const usages = x509.KeyUsageFlags.digitalSignature | (actual === 'rsa' ? x509.KeyUsageFlags.keyEncipherment : 0);
  const request = await x509.Pkcs10CertificateRequestGenerator.create(
    {
      name: name.value,
      keys,
      signingAlgorithm: algorithmOf(actual),
      extensions: [
        new x509.SubjectAlternativeNameExtension(names.map(value => ({type: 'dns' as const, value}))),
        new x509.KeyUsagesExtension(usages, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      ],
    },
    webcrypto,
  );
  const privateKey = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  return ok({
    request: `${request.toString('pem').trim()}\n`,
    key:
      key ??
      createPrivateKey({key: privateKey, format: 'der', type: 'pkcs8'})
        .export({type: 'pkcs8', format: 'pem'})
        .toString(),
  });
};

/** One PEM text of both, as the vault keeps it. */
export const requestToText = ({request, key}: CertificateRequest): string => `${request}${key}`;

export const requestFromText = (text: string): Result<CertificateRequest, string> => {
  const {blocks} = pemBlocks(text);
  const request = blocks.find(({label}) => label === 'CERTIFICATE REQUEST')?.text;
  const key = blocks.find(({label}) => label === 'PRIVATE KEY')?.text;
  return request && key ? ok({request, key}) : err('what the vault holds is not a request with its key; make it again');
};

/** The names that a request asks for. */
export const requestedNames = ({request}: Pick<CertificateRequest, 'request'>): readonly string[] => {
  const extension = new x509.Pkcs10CertificateRequest(request).getExtension(subjectAlternativeName);
  return extension
    ? new x509.SubjectAlternativeNameExtension(extension.rawData).names.toJSON().map(({value}) => value)
    : [];
};
