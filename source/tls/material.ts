import {X509Certificate} from 'node:crypto';
import {err, ok, type Result} from '../result.ts';
import {largestFile, mostFiles} from './limits.ts';
import {type PemBlock, pemBlocks} from './pem-blocks.ts';
import {looksLikePfx, readPfx} from './pfx.ts';
import {type Locked, type PrivateKey, readPrivateKeyDer, readPrivateKeyPem} from './private-key.ts';
import * as x509 from './x509.ts';
import {isZip, readZip} from './zip.ts';

/** A file as it came from a CA or a department, under the name by which it is talked about. */
export type InputFile = {readonly name: string; readonly bytes: Uint8Array};

export type FoundCertificate = {
  /** In DER; the same certificate is found once, wherever it came from. */
  readonly raw: Buffer;
  readonly file: string;
};

export type FoundKey = PrivateKey & {readonly file: string};

/** What was in the files, in no order yet. */
export type Material = {
  readonly certificates: readonly FoundCertificate[];
  readonly keys: readonly FoundKey[];
  /** Files of an archive that are no certificates: instructions, and the like. */
  readonly passedOver: readonly string[];
};

export type Unreadable = {
  readonly file: string;
  readonly reason: 'password-needed' | 'password-wrong' | 'unreadable';
  /** A sentence about the file, with what to do. */
  readonly message: string;
};

type Part = {readonly certificates: readonly Buffer[]; readonly keys: readonly PrivateKey[]};

const nothing: Part = {certificates: [], keys: []};

const lockedWords: Readonly<Record<Locked, string>> = {
  'password-needed': 'is locked with a password: give it',
  'password-wrong': 'is not opened by this password: capital letters and the layout of the keyboard count',
  'unknown-cipher':
    'is encrypted in a way that is not read any more; write it anew with `openssl pkey` or `openssl pkcs12` on the machine that it came from',
};

const unreadable = (file: string, message: string): Unreadable => ({
  file,
  reason: 'unreadable',
  message: `${file} ${message}.`,
});

const locked = (file: string, how: Locked): Unreadable => ({
  file,
  reason: how === 'unknown-cipher' ? 'unreadable' : how,
  message: `${file} ${lockedWords[how]}.`,
});

/** What people send by mistake, and what to ask for. */
const notWanted: readonly (readonly [RegExp, string])[] = [
  [/REQUEST$/, 'is a certificate request. What is wanted is the certificate that the CA made from it'],
  [/^OPENSSH PRIVATE KEY$/, 'is a key for SSH, not one of a certificate'],
  [/PUBLIC KEY$/, 'is a public key alone, not a certificate'],
  [/^DSA PRIVATE KEY$/, 'is a DSA key, which no browser takes'],
];

/** Beside certificates and keys of no account. */
const parameters = /PARAMETERS$|^X509 CRL$/;

const isCertificate = (der: Buffer): boolean => {
  try {
    return new X509Certificate(der).raw.length > 0;
  } catch {
    return false;
  }
};

/** The certificates of a PKCS #7 bundle; undefined when it is none. */
const pkcs7 = (der: Buffer): readonly Buffer[] | undefined => {
  try {
    const found = new x509.X509Certificates(new Uint8Array(der)).map(({rawData}) => Buffer.from(rawData));
    return found.length > 0 ? found : undefined;
  } catch {
    return undefined;
  }
};

const readBlock = (file: string, block: PemBlock, password: string | undefined): Result<Part, Unreadable> => {
  const {label, text, der} = block;
  if (/^(X509 |TRUSTED )?CERTIFICATE$/.test(label)) {
    return isCertificate(der)
      ? ok({certificates: [new X509Certificate(der).raw], keys: []})
      : err(unreadable(file, 'holds a certificate that is damaged: it was cut off or changed on its way'));
  }
  if (/^(PKCS7|CMS|PKCS #7 SIGNED DATA)$/.test(label)) {
    const certificates = pkcs7(der);
    return certificates
      ? ok({certificates, keys: []})
      : err(unreadable(file, 'holds a PKCS #7 bundle without certificates'));
  }
  if (/^((RSA|EC|ENCRYPTED) )?PRIVATE KEY$/.test(label)) {
    const key = readPrivateKeyPem(text, password);
    if (key.ok) return ok({certificates: [], keys: [key.value]});
    return err(
      key.error === 'unreadable'
        ? unreadable(file, 'holds a private key that is damaged: it was cut off or changed on its way')
        : locked(file, key.error),
    );
  }
  if (parameters.test(label)) return ok(nothing);
  const known = notWanted.find(([pattern]) => pattern.test(label));
  return err(unreadable(file, known ? known[1] : `holds a "${label}", which is neither a certificate nor a key`));
};

const joined = (parts: readonly Part[]): Part => ({
  certificates: parts.flatMap(({certificates}) => certificates),
  keys: parts.flatMap(({keys}) => keys),
});

const readPem = (file: string, text: string, password: string | undefined): Result<Part, Unreadable> => {
  const {blocks, cutOff} = pemBlocks(text);
  if (cutOff !== undefined) return err(unreadable(file, `was cut off: its ${cutOff.toLowerCase()} has no end`));
  const parts: Part[] = [];
  for (const block of blocks) {
    const part = readBlock(file, block, password);
    if (!part.ok) return part;
    parts.push(part.value);
  }
  return ok(joined(parts));
};

/** `SEQUENCE { SEQUENCE { OID …` of an encrypted PKCS #8 key begins like nothing else that was tried before. */
const asEncryptedKey = (der: Buffer): string => {
  const body = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN ENCRYPTED PRIVATE KEY-----', ...body, '-----END ENCRYPTED PRIVATE KEY-----', ''].join('\n');
};

const readDer = (file: string, der: Buffer, password: string | undefined): Result<Part, Unreadable> | undefined => {
  if (isCertificate(der)) return ok({certificates: [new X509Certificate(der).raw], keys: []});
  const key = readPrivateKeyDer(der);
  if (key) return ok({certificates: [], keys: [key]});
  const certificates = pkcs7(der);
  if (certificates) return ok({certificates, keys: []});
  if (looksLikePfx(der)) {
    const content = readPfx(der, password);
    if (content.ok) return content;
    return err(
      content.error === 'unreadable' ? unreadable(file, 'is a PFX file that is damaged') : locked(file, content.error),
    );
  }
  // `SEQUENCE { SEQUENCE { OBJECT IDENTIFIER 1.2.840.113549.1…`: PKCS #5 or PKCS #12 encryption of a key.
  if (
    /^\x30.{1,4}\x30.{1,3}\x06.\x2a\x86\x48\x86\xf7\x0d\x01[\x05\x0c]/s.test(der.subarray(0, 32).toString('latin1'))
  ) {
    const opened = readPrivateKeyPem(asEncryptedKey(der), password);
    if (opened.ok) return ok({certificates: [], keys: [opened.value]});
    if (opened.error !== 'unreadable') return err(locked(file, opened.error));
  }
  return undefined;
};

/** Text as editors of all systems save it. */
const textOf = (bytes: Buffer): string => {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.subarray(2).toString('utf16le');
  if (bytes[0] === 0xfe && bytes[1] === 0xff)
    return Buffer.from(bytes.subarray(2, bytes.length - (bytes.length % 2)))
      .swap16()
      .toString('utf16le');
  return bytes.toString('utf8').replace(/^\uFEFF/, '');
};

const readOne = (file: string, bytes: Buffer, password: string | undefined): Result<Part, Unreadable> => {
  if (bytes.length === 0) return err(unreadable(file, 'is empty'));
  if (bytes.length > largestFile)
    return err(unreadable(file, `is larger than ${largestFile / 1024} KiB, and so no certificate`));
  const text = textOf(bytes);
  if (text.includes('-----BEGIN ')) return readPem(file, text, password);
  if (bytes[0] === 0x30) {
    const part = readDer(file, bytes, password);
    if (part) return part;
  }
  if (bytes.subarray(0, 4).toString('hex') === 'feedfeed') {
    return err(
      unreadable(file, 'is a keystore of Java: write it anew with `keytool -importkeystore -deststoretype PKCS12`'),
    );
  }
  // Some CAs send base64 without the lines around it.
  if (/^[A-Za-z0-9+/=\s]+$/.test(text)) {
    const part = readDer(file, Buffer.from(text, 'base64'), password);
    if (part) return part;
  }
  return err(
    unreadable(file, 'is neither a certificate nor a key: PEM, DER, PKCS #7 (.p7b), PFX (.p12) and ZIP are read'),
  );
};

/** What an archive may hold beside certificates. */
const instructions = /\.(txt|html?|pdf|md|rtf|docx?|csr|json|xml)$|(^|\/)readme/i;

/**
 * Everything that CAs and departments send: certificates and keys in PEM (in one file or several, with text around them,
 * from any system), DER, PKCS #7, PFX, and ZIP archives of those. One password opens all that is locked. The first file
 * that cannot be read is the error. Nothing is written anywhere.
 */
export const readMaterial = async (
  files: readonly InputFile[],
  password?: string,
): Promise<Result<Material, Unreadable>> => {
  const certificates = new Map<string, FoundCertificate>();
  const keys = new Map<string, FoundKey>();
  const passedOver: string[] = [];
  if (files.length > mostFiles)
    return err({
      file: '',
      reason: 'unreadable',
      message: `${files.length} files are too many: name at most ${mostFiles}.`,
    });
  const keep = (file: string, part: Part): void => {
    for (const raw of part.certificates) {
      const key = raw.toString('base64');
      if (!certificates.has(key)) certificates.set(key, {raw, file});
    }
    for (const key of part.keys) if (!keys.has(key.publicKey)) keys.set(key.publicKey, {...key, file});
  };
  for (const {name, bytes} of files) {
    const zipped = isZip(bytes) ? await readZip(bytes) : undefined;
    if (zipped && !zipped.ok) return err(unreadable(name, zipped.error));
    for (const each of zipped?.value ?? [{name: '', bytes: Buffer.from(bytes)}]) {
      const file = each.name === '' ? name : `${name}:${each.name}`;
      const part = readOne(file, each.bytes, password);
      if (part.ok) keep(file, part.value);
      else if (zipped && part.error.reason === 'unreadable' && instructions.test(each.name)) passedOver.push(file);
      else return part;
    }
  }
  return ok({certificates: [...certificates.values()], keys: [...keys.values()], passedOver});
};
