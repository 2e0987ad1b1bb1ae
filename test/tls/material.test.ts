import {createPrivateKey, X509Certificate} from 'node:crypto';
import {afterAll, describe, expect, it} from 'vitest';
import {isUsable, isUsableFor, judge} from '../../source/tls/judge.ts';
import {type InputFile, readMaterial} from '../../source/tls/material.ts';
import {rootsFrom} from '../../source/tls/roots.ts';
import {sortSupplies} from '../../source/tls/supply.ts';
import {type Made, openWorkshop} from '../support/pki.ts';

const workshop = openWorkshop();
afterAll(workshop.remove);

const root = workshop.authority('Public Root');
const issuing = workshop.authority('Public Issuing CA', {by: root});
const names = ['DNS:openg2p.example.org', 'DNS:*.openg2p.example.org'];
const ec = workshop.make({by: issuing, cn: 'openg2p.example.org', names});
const rsa = workshop.make({by: issuing, cn: 'openg2p.example.org', names, algorithm: {bits: 2048}});
const other = workshop.make({by: issuing, cn: 'other', names});

const password = 'Gehheimes Wört 1';

const file = (name: string, ...parts: readonly (string | Buffer)[]): InputFile => ({
  name,
  bytes: Buffer.concat(parts.map(part => Buffer.from(part as string))),
});

const {run, writes, zip} = workshop;

/** A private key as openssl writes it with these arguments of `pkey`, `ec` or `rsa`. */
const keyAs = ({key}: Made, ...args: readonly string[]): Buffer => run([...args, '-in', 'key.pem'], {'key.pem': key});

const derOf = ({certificate}: Made): Buffer => run(['x509', '-in', 'c.pem', '-outform', 'DER'], {'c.pem': certificate});

const pfxOf = (made: Made, ...args: readonly string[]): Buffer =>
  writes('made.p12', ['pkcs12', '-export', '-in', 'c.pem', '-inkey', 'key.pem', '-certfile', 'chain.pem', ...args], {
    'c.pem': made.certificate,
    'key.pem': made.key,
    'chain.pem': issuing.certificate + root.certificate,
  });

const p7bOf = (...args: readonly string[]): Buffer =>
  writes('made.p7b', ['crl2pkcs7', '-nocrl', '-certfile', 'all.pem', ...args], {
    'all.pem': ec.certificate + issuing.certificate + root.certificate,
  });

const crlf = (text: string | Buffer): string => text.toString().replaceAll('\n', '\r\n');

const bagged = (text: string): string =>
  `Bag Attributes\n    localKeyID: 54 69 6D 65 20 31\n    friendlyName: openg2p\nsubject=CN = openg2p\n\nissuer=CN = x\n\n${text}`;

const roots = rootsFrom([new X509Certificate(root.certificate)]);

/** Reads, sorts and judges; what goes wrong before the judging is the message. */
const judged = async (files: readonly InputFile[], given?: string) => {
  const material = await readMaterial(files, given);
  if (!material.ok) return material.error.message;
  const {supplies, findings} = sortSupplies(material.value);
  const [supply] = supplies;
  if (!supply || supplies.length > 1)
    return findings.map(({message}) => message).join(' ') || `${supplies.length} certificates`;
  const verdict = judge(supply, {roots, now: new Date(), warnDays: 0});
  return {
    usable: isUsableFor(verdict, 'rancher.openg2p.example.org'),
    whose: supply.key && createPrivateKey(supply.key.pem).export({type: 'pkcs8', format: 'pem'}).toString(),
    chain: verdict.chain.path.map(({title}) => title),
    findings: [...findings, ...verdict.findings].map(({id}) => id),
  };
};

const pkcs8 = ({key}: Made): string => createPrivateKey(key).export({type: 'pkcs8', format: 'pem'}).toString();

const whole = (made: Made) => ({
  usable: true,
  whose: pkcs8(made),
  chain: ['openg2p.example.org', 'Public Issuing CA', 'Public Root'],
  findings: [],
});

describe('what CAs and departments send is read', () => {
  const chain = issuing.certificate;
  const inputs: readonly (readonly [string, Made, () => readonly InputFile[], (string | undefined)?])[] = [
    ['key, certificate and chain in one file', ec, () => [file('all.pem', ec.key, ec.certificate, chain)]],
    ['chain first, key last', ec, () => [file('all.pem', chain, ec.certificate, ec.key)]],
    ['a full chain and the key', ec, () => [file('fullchain.pem', ec.certificate, chain), file('privkey.pem', ec.key)]],
    [
      'certificate, chain and key apart',
      ec,
      () => [file('c.crt', ec.certificate), file('ca.crt', chain), file('c.key', ec.key)],
    ],
    [
      'the key before the rest, the root with it',
      ec,
      () => [file('c.key', ec.key), file('ca.crt', root.certificate, chain), file('c.crt', ec.certificate)],
    ],
    [
      'the same certificate in two files',
      ec,
      () => [file('c.crt', ec.certificate), file('full.crt', ec.certificate, chain), file('c.key', ec.key)],
    ],
    ['lines that end as on Windows', ec, () => [file('all.pem', crlf(ec.key + ec.certificate + chain))]],
    [
      'lines that end as on old Macs',
      ec,
      () => [file('all.pem', (ec.key + ec.certificate + chain).replaceAll('\n', '\r'))],
    ],
    ['a byte order mark', ec, () => [file('all.pem', '\uFEFF', ec.key, ec.certificate, chain)]],
    [
      'UTF-16 of a Windows editor',
      ec,
      () => [file('all.pem', Buffer.from(`\uFEFF${crlf(ec.key + ec.certificate + chain)}`, 'utf16le'))],
    ],
    [
      'bag attributes around the blocks',
      ec,
      () => [file('all.pem', bagged(ec.key), bagged(ec.certificate), bagged(chain))],
    ],
    [
      'the certificate in words before it',
      ec,
      () => [file('all.pem', run(['x509', '-in', 'c.pem', '-text'], {'c.pem': ec.certificate}), chain, ec.key)],
    ],
    [
      'lines that a mail program indented',
      ec,
      () => [file('all.pem', (ec.key + ec.certificate + chain).replaceAll('\n', '\n   '))],
    ],
    [
      'a trusted certificate of OpenSSL',
      ec,
      () => [file('all.pem', run(['x509', '-in', 'c.pem', '-trustout'], {'c.pem': ec.certificate}), chain, ec.key)],
    ],
    [
      'DER, each in a file of its own',
      ec,
      () => [
        file('c.cer', derOf(ec)),
        file('ca.cer', derOf(issuing)),
        file('c.der', keyAs(ec, 'pkey', '-outform', 'DER')),
      ],
    ],
    [
      'base64 without the lines around it',
      ec,
      () => [
        file('c.cer', derOf(ec).toString('base64')),
        file('ca.cer', derOf(issuing).toString('base64')),
        file('c.key', ec.key),
      ],
    ],
    [
      'SEC 1 with its parameters',
      ec,
      () => [
        file('c.key', run(['ecparam', '-name', 'prime256v1']), keyAs(ec, 'ec')),
        file('c.crt', ec.certificate, chain),
      ],
    ],
    [
      'SEC 1 in DER',
      ec,
      () => [file('c.key', keyAs(ec, 'ec', '-outform', 'DER')), file('c.crt', ec.certificate, chain)],
    ],
    ['PKCS #1', rsa, () => [file('c.key', keyAs(rsa, 'rsa', '-traditional')), file('c.crt', rsa.certificate, chain)]],
    [
      'PKCS #1 in DER',
      rsa,
      () => [
        file('c.key', keyAs(rsa, 'rsa', '-traditional', '-outform', 'DER')),
        file('c.crt', rsa.certificate, chain),
      ],
    ],
    [
      'an encrypted key (PKCS #8, AES)',
      ec,
      () => [
        file('c.key', keyAs(ec, 'pkcs8', '-topk8', '-passout', `pass:${password}`)),
        file('c.crt', ec.certificate, chain),
      ],
      password,
    ],
    [
      'an encrypted key (PKCS #8, 3DES of PKCS #12)',
      ec,
      () => [
        file('c.key', keyAs(ec, 'pkcs8', '-topk8', '-v1', 'PBE-SHA1-3DES', '-passout', 'pass:secret')),
        file('c.crt', ec.certificate, chain),
      ],
      'secret',
    ],
    [
      'an encrypted key in DER',
      ec,
      () => [
        file('c.key', keyAs(ec, 'pkcs8', '-topk8', '-outform', 'DER', '-passout', `pass:${password}`)),
        file('c.crt', ec.certificate, chain),
      ],
      password,
    ],
    [
      'an encrypted key of the first OpenSSL',
      rsa,
      () => [
        file('c.key', keyAs(rsa, 'rsa', '-traditional', '-aes256', '-passout', `pass:${password}`)),
        file('c.crt', rsa.certificate, chain),
      ],
      password,
    ],
    [
      'the same with 3DES and lines as on Windows',
      rsa,
      () => [
        file('c.key', crlf(keyAs(rsa, 'rsa', '-traditional', '-des3', '-passout', `pass:${password}`))),
        file('c.crt', rsa.certificate, chain),
      ],
      password,
    ],
    [
      'an encrypted EC key of the first OpenSSL',
      ec,
      () => [
        file('c.key', keyAs(ec, 'ec', '-aes128', '-passout', `pass:${password}`)),
        file('c.crt', ec.certificate, chain),
      ],
      password,
    ],
    ['PKCS #7 in DER', ec, () => [file('c.p7b', p7bOf('-outform', 'DER')), file('c.key', ec.key)]],
    ['PKCS #7 in PEM', ec, () => [file('c.p7b', p7bOf()), file('c.key', ec.key)]],
    [
      'PKCS #7 in base64 alone',
      ec,
      () => [file('c.p7b', p7bOf('-outform', 'DER').toString('base64')), file('c.key', ec.key)],
    ],
    ['PFX of today (AES), EC', ec, () => [file('c.pfx', pfxOf(ec, '-passout', `pass:${password}`))], password],
    ['PFX of today (AES), RSA', rsa, () => [file('c.pfx', pfxOf(rsa, '-passout', `pass:${password}`))], password],
    [
      'PFX of Windows and old Java (RC2, 3DES), EC',
      ec,
      () => [file('c.p12', pfxOf(ec, '-legacy', '-passout', 'pass:secret'))],
      'secret',
    ],
    [
      'PFX of Windows and old Java (RC2, 3DES), RSA',
      rsa,
      () => [file('c.p12', pfxOf(rsa, '-legacy', '-passout', 'pass:secret'))],
      'secret',
    ],
    [
      'PFX with 3DES for both',
      rsa,
      () => [
        file(
          'c.p12',
          pfxOf(
            rsa,
            '-keypbe',
            'PBE-SHA1-3DES',
            '-certpbe',
            'PBE-SHA1-3DES',
            '-macalg',
            'sha1',
            '-passout',
            'pass:secret',
          ),
        ),
      ],
      'secret',
    ],
    ['PFX with an empty password', ec, () => [file('c.p12', pfxOf(ec, '-passout', 'pass:'))]],
    [
      'PFX that is not encrypted',
      ec,
      () => [file('c.p12', pfxOf(ec, '-keypbe', 'NONE', '-certpbe', 'NONE', '-passout', 'pass:secret'))],
      'secret',
    ],
    [
      'a ZIP as Sectigo packs it',
      ec,
      () => [
        file('openg2p.zip', zip({'openg2p.crt': ec.certificate, 'openg2p.ca-bundle': crlf(chain + root.certificate)})),
        file('c.key', ec.key),
      ],
    ],
    [
      'a ZIP as DigiCert packs it, with instructions',
      ec,
      () => [
        file(
          'certs.zip',
          zip({
            'openg2p.crt': ec.certificate,
            'DigiCertCA.crt': chain,
            'TrustedRoot.crt': root.certificate,
            'INSTALL_INSTRUCTIONS.en.txt': 'Copy the files.',
          }),
        ),
        file('c.key', ec.key),
      ],
    ],
    [
      'a ZIP with a PFX in it',
      rsa,
      () => [file('all.zip', zip({'openg2p.pfx': pfxOf(rsa, '-passout', 'pass:secret')}))],
      'secret',
    ],
  ];
  it.each(inputs.map(([title, ...input]) => ({title, input})))('$title', async ({input: [made, files, given]}) => {
    expect(await judged(files(), given)).toEqual(whole(made));
  });
});

describe('what cannot be used is said in words', () => {
  const chain = issuing.certificate;
  const refused: readonly (readonly [string, () => readonly InputFile[], string | undefined, RegExp])[] = [
    [
      'a locked key without its password',
      () => [file('c.key', keyAs(ec, 'pkcs8', '-topk8', '-passout', 'pass:secret'))],
      undefined,
      /^c\.key is locked with a password: give it\.$/,
    ],
    [
      'a locked key with another password',
      () => [file('c.key', keyAs(ec, 'pkcs8', '-topk8', '-passout', 'pass:secret'))],
      'sekret',
      /^c\.key is not opened by this password/,
    ],
    [
      'an old locked key with another password',
      () => [file('c.key', keyAs(rsa, 'rsa', '-traditional', '-aes256', '-passout', 'pass:secret'))],
      'sekret',
      /^c\.key is not opened by this password/,
    ],
    [
      'a PFX without its password',
      () => [file('c.pfx', pfxOf(ec, '-passout', 'pass:secret'))],
      undefined,
      /^c\.pfx is locked with a password/,
    ],
    [
      'a PFX with another password',
      () => [file('c.pfx', pfxOf(ec, '-legacy', '-passout', 'pass:secret'))],
      'sekret',
      /^c\.pfx is not opened by this password/,
    ],
    [
      'a certificate that was cut off',
      () => [file('c.crt', ec.certificate.slice(0, 300))],
      undefined,
      /^c\.crt was cut off: its certificate has no end\.$/,
    ],
    [
      'a certificate with a hole',
      () => [file('c.crt', ec.certificate.replace(/\n.{64}\n/, '\n'))],
      undefined,
      /^c\.crt holds a certificate that is damaged/,
    ],
    [
      'a request in place of the certificate',
      () => [file('c.csr', run(['req', '-new', '-key', 'k', '-subj', '/CN=a'], {k: ec.key}))],
      undefined,
      /certificate request\. What is wanted/,
    ],
    [
      'a key for SSH',
      () => [file('id', '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n')],
      undefined,
      /key for SSH/,
    ],
    [
      'a keystore of Java',
      () => [file('c.jks', Buffer.from('feedfeed00000002', 'hex'))],
      undefined,
      /keytool -importkeystore/,
    ],
    ['an empty file', () => [file('c.crt', '')], undefined, /^c\.crt is empty\.$/],
    [
      'a picture',
      () => [file('c.crt', Buffer.from('89504e470d0a1a0a', 'hex'))],
      undefined,
      /neither a certificate nor a key/,
    ],
    [
      'a file of a gigabyte',
      () => [{name: 'big', bytes: Buffer.alloc(1024 * 1024 + 1)}],
      undefined,
      /larger than 1024 KiB/,
    ],
    [
      'a ZIP that was cut off',
      () => [file('c.zip', zip({'c.crt': ec.certificate}).subarray(0, 200))],
      undefined,
      /ZIP archive that is damaged/,
    ],
    [
      'a ZIP that unpacks to very much',
      () => [file('bomb.zip', zip({'c.crt': Buffer.alloc(8 * 1024 * 1024)}))],
      undefined,
      /unpacks to more than 1024 KiB/,
    ],
    [
      'a ZIP that lies about its size',
      () => [file('liar.zip', lying(zip({'c.crt': Buffer.alloc(8 * 1024 * 1024)})))],
      undefined,
      /holds something else than it claims/,
    ],
    [
      'a ZIP of very many files',
      () => [file('many.zip', zip(Object.fromEntries(Array.from({length: 101}, (_, index) => [`${index}.crt`, 'x']))))],
      undefined,
      /101 files, which no CA sends/,
    ],
    [
      'a ZIP whose names lead elsewhere',
      () => [
        file(
          'evil.zip',
          Buffer.from(
            zip({'aaaaaaaaaaaa.crt': ec.certificate})
              .toString('latin1')
              .replaceAll('aaaaaaaaaaaa.crt', '../../../etc/cron'.slice(0, 16)),
            'latin1',
          ),
        ),
      ],
      undefined,
      /ZIP archive that is damaged/,
    ],
    [
      'an archive in an archive',
      () => [file('out.zip', zip({'in.zip': zip({'c.crt': ec.certificate})}))],
      undefined,
      /^out\.zip:in\.zip is neither/,
    ],
    ['authorities only', () => [file('ca.crt', chain, root.certificate)], undefined, /none of a server/],
    ['a key only', () => [file('c.key', ec.key)], undefined, /No certificate is here/],
  ];
  it.each(refused)('%s', async (_title, files, given, message) => {
    expect(await judged(files(), given)).toMatch(message);
  });

  /** The first size field of the directory at the archive's end and of its entry, made small. */
  const lying = (archive: Buffer): Buffer => {
    const directory = archive.indexOf(Buffer.from('PK\u0001\u0002'));
    archive.writeUInt32LE(100, directory + 24);
    archive.writeUInt32LE(100, 22);
    return archive;
  };

  it('a key that belongs to another certificate', async () => {
    const result = await judged([file('c.crt', ec.certificate, chain), file('c.key', other.key)]);
    expect(result).toMatchObject({usable: false, findings: ['pair', 'no-key']});
  });

  it('a certificate without its key', async () => {
    expect(await judged([file('c.crt', ec.certificate, chain)])).toMatchObject({usable: false, findings: ['no-key']});
  });

  it('a second key that fits nothing is left out', async () => {
    const result = await judged([
      file('c.crt', ec.certificate, chain),
      file('a.key', other.key),
      file('c.key', ec.key),
    ]);
    expect(result).toMatchObject({usable: true, findings: ['stray-key']});
  });

  it('never repeats a password or a key', async () => {
    const locked = keyAs(ec, 'pkcs8', '-topk8', '-passout', 'pass:correct-horse').toString();
    const message = await judged([file('c.key', locked)], 'battery-staple');
    expect(message).not.toMatch(/battery-staple/);
    expect(message).not.toContain(locked.split('\n')[2]);
  });
});

describe('where openssl is laxer than browsers', () => {
  const verdictOf = async (made: Made) => {
    const material = await readMaterial([file('all.pem', made.key, made.certificate, issuing.certificate)]);
    if (!material.ok) throw new Error(material.error.message);
    const [supply] = sortSupplies(material.value).supplies;
    if (!supply) throw new Error('no certificate');
    return judge(supply, {roots, now: new Date(), warnDays: 0});
  };

  it('the common name does not count', async () => {
    const verdict = await verdictOf(workshop.make({by: issuing, cn: 'openg2p.example.org'}));
    expect(isUsable(verdict)).toBe(false);
    expect(verdict.findings.map(({id}) => id)).toContain('no-names');
  });

  it('a wildcard is a whole label', async () => {
    const verdict = await verdictOf(workshop.make({by: issuing, names: ['DNS:ranch*.openg2p.example.org']}));
    expect(isUsableFor(verdict, 'rancher.openg2p.example.org')).toBe(false);
  });
});
