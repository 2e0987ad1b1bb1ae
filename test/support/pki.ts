import {execFileSync} from 'node:child_process';
import {createPublicKey, generateKeyPairSync, randomBytes} from 'node:crypto';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';

/** A certificate with its key, both in PEM, as the real openssl made them. */
export type Made = {readonly certificate: string; readonly key: string};

/** A curve by OpenSSL's name, bits of RSA, or Ed25519. */
export type Algorithm = {readonly curve: string} | {readonly bits: number} | 'ed25519';

export type Wish = {
  /** Common name. */
  readonly cn?: string;
  /** Who signs; undefined: itself. */
  readonly by?: Made;
  /** As openssl writes them: `DNS:a.example.org`, `IP:10.0.0.1`. */
  readonly names?: readonly string[];
  readonly days?: number;
  /** Default: a key on P-256. */
  readonly algorithm?: Algorithm;
  /** A key that was made before. */
  readonly key?: string;
  /** Lines of the extensions' section, instead of those of a server. */
  readonly extensions?: readonly string[];
  readonly digest?: string;
};

/** A folder in which openssl works; gone with `remove`. */
export type Workshop = {
  readonly make: (wish: Wish) => Made;
  readonly authority: (cn: string, wish?: Wish) => Made;
  readonly run: (args: readonly string[], files?: Readonly<Record<string, string | Buffer>>) => Buffer;
  /** Runs openssl and gives the file that it wrote. */
  readonly writes: (out: string, args: readonly string[], files: Readonly<Record<string, string | Buffer>>) => Buffer;
  readonly zip: (files: Readonly<Record<string, string | Buffer>>) => Buffer;
  readonly folder: string;
  readonly remove: () => void;
};

export const ofServer = [
  'basicConstraints=critical,CA:FALSE',
  'keyUsage=critical,digitalSignature',
  'extendedKeyUsage=serverAuth',
];
export const ofAuthority = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'];

/** Made by Node: the certificates are what openssl is to judge, and its process costs more than a key. */
export const newKey = (algorithm: Algorithm = {curve: 'prime256v1'}): string => {
  const encoding = {
    privateKeyEncoding: {type: 'pkcs8', format: 'pem'},
    publicKeyEncoding: {type: 'spki', format: 'pem'},
  } as const;
  if (algorithm === 'ed25519') return generateKeyPairSync('ed25519', encoding).privateKey;
  return 'curve' in algorithm
    ? generateKeyPairSync('ec', {namedCurve: algorithm.curve, ...encoding}).privateKey
    : generateKeyPairSync('rsa', {modulusLength: algorithm.bits, ...encoding}).privateKey;
};

export const openWorkshop = (): Workshop => {
  const folder = mkdtempSync(join(tmpdir(), 'groundwork-pki-'));
  const put = (files: Readonly<Record<string, string | Buffer>>): void => {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  };
  const run: Workshop['run'] = (args, files = {}) => {
    put(files);
    return execFileSync('openssl', args, {cwd: folder, stdio: ['ignore', 'pipe', 'pipe']});
  };
  const writes: Workshop['writes'] = (out, args, files) => {
    run([...args, '-out', out], files);
    return readFileSync(join(folder, out));
  };
  const make: Workshop['make'] = ({
    cn = '',
    by,
    names = [],
    days = 90,
    algorithm,
    key = newKey(algorithm),
    extensions = ofServer,
    digest = 'sha256',
  }) => {
    const subject = cn === '' ? '/' : `/CN=${cn}`;
    const san = names.length > 0 ? [`subjectAltName=${names.join(',')}`] : [];
    const section = [
      ...extensions,
      ...san,
      'subjectKeyIdentifier=hash',
      ...(by ? ['authorityKeyIdentifier=keyid'] : []),
    ];
    const signer = by ? ['-CA', 'by.pem', '-CAkey', 'by.key', '-force_pubkey', 'new.pub'] : ['-key', 'new.key'];
    const certificate = run(
      [
        'x509',
        '-new',
        '-subj',
        subject,
        ...signer,
        '-set_serial',
        `0x${randomBytes(8).toString('hex')}`,
        '-days',
        String(days),
        `-${digest}`,
        '-extfile',
        'ext',
      ],
      {
        ext: `${section.join('\n')}\n`,
        'new.key': key,
        'new.pub': createPublicKey(key).export({type: 'spki', format: 'pem'}).toString(),
        ...(by && {'by.pem': by.certificate, 'by.key': by.key}),
      },
    ).toString();
    return {certificate, key};
  };

  return {
    make,
    authority: (cn, wish = {}) => make({cn, days: 3650, extensions: ofAuthority, ...wish}),
    run,
    writes,
    zip: files => {
      const inside = mkdtempSync(join(folder, 'zip-'));
      for (const [name, content] of Object.entries(files)) writeFileSync(join(inside, name), content);
      execFileSync('python3', ['-m', 'zipfile', '-c', 'out.zip', ...Object.keys(files)], {cwd: inside});
      return readFileSync(join(inside, 'out.zip'));
    },
    folder,
    remove: () => rmSync(folder, {recursive: true, force: true}),
  };
};
