import {once} from 'node:events';
import type {AddressInfo} from 'node:net';
import {connect, createServer} from 'node:tls';
import {beforeAll, describe, expect, it} from 'vitest';
import {
  type Authority,
  authorityFromText,
  authorityToText,
  createAuthority,
  issueLeaf,
} from '../../source/tls/authority.ts';
import {authorityChanges, leafChanges, readCertificate} from '../../source/tls/certificate.ts';
import {hostKeys, openssl, p256, rsa} from '../support/openssl.ts';

const now = new Date();
const days = (count: number) => new Date(now.getTime() + count * 86_400_000);
const permit = {domains: ['openg2p.test'], subnets: ['10.0.0.0/16', 'fd00:1::/64']};
const names = ['openg2p.test', '*.openg2p.test', '10.0.0.11'];

let authority: Authority;
let keys: ReturnType<typeof hostKeys>;
let leaf: string;

const issue = async (changes: Partial<Parameters<typeof issueLeaf>[0]> = {}) =>
  issueLeaf({authority, publicKey: keys.publicKey, names, now, days: 397, ...changes});

const issued = async (changes: Partial<Parameters<typeof issueLeaf>[0]> = {}) => {
  const result = await issue(changes);
  if (!result.ok) throw new Error(result.error);
  return result.value;
};

beforeAll(async () => {
  authority = await createAuthority({commonName: 'OpenG2P local CA, sandbox "one"', permit, now});
  keys = hostKeys(p256);
  leaf = await issued();
});

describe('a local authority, judged by openssl', () => {
  it('verifies its leaf for every name that it covers, and for no other', () => {
    const files = {'ca.pem': authority.certificate, 'leaf.pem': leaf};
    const verify = (...more: string[]) =>
      openssl(['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', 'ca.pem', ...more, 'leaf.pem'], files);
    expect(verify('-verify_hostname', 'openg2p.test').text).toContain('leaf.pem: OK');
    expect(verify('-verify_hostname', 'rancher.openg2p.test').accepted).toBe(true);
    expect(verify('-verify_ip', '10.0.0.11').accepted).toBe(true);
    expect(verify('-verify_hostname', 'a.b.openg2p.test').text).toContain('hostname mismatch');
    expect(verify('-verify_hostname', 'example.org').accepted).toBe(false);
    expect(verify('-verify_ip', '10.0.0.12').accepted).toBe(false);
  });

  it('is not taken for the certificate of a client', () => {
    const verdict = openssl(['verify', '-purpose', 'sslclient', '-CAfile', 'ca.pem', 'leaf.pem'], {
      'ca.pem': authority.certificate,
      'leaf.pem': leaf,
    });
    expect(verdict).toMatchObject({accepted: false});
    expect(verdict.text).toMatch(/unsuitable certificate purpose/);
  });

  it('says in its own certificate what it may do', () => {
    const {text} = openssl(['x509', '-in', 'ca.pem', '-noout', '-text'], {'ca.pem': authority.certificate});
    expect(text).toMatch(/Subject: O = Groundwork, CN = "OpenG2P local CA, sandbox \\"one\\""/);
    expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    expect(text).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign/);
    expect(text).toMatch(/Name Constraints: critical\s+Permitted:\s+DNS:openg2p.test\s+IP:10.0.0.0\/255.255.0.0/);
    expect(text).toMatch(/ASN1 OID: prime256v1/);
    expect(text).toMatch(/Subject Key Identifier/);
  });

  it('says in a leaf what that is for', () => {
    const {text} = openssl(['x509', '-in', 'leaf.pem', '-noout', '-text'], {'leaf.pem': leaf});
    expect(text).toMatch(/Basic Constraints: critical\s+CA:FALSE/);
    expect(text).toMatch(/Key Usage: critical\s+Digital Signature\n/);
    expect(text).toMatch(/Extended Key Usage:\s+TLS Web Server Authentication/);
    expect(text).toMatch(/DNS:openg2p.test, DNS:\*.openg2p.test, IP Address:10.0.0.11/);
    expect(text).toMatch(/Authority Key Identifier/);
  });

  it('gives a leaf with an RSA key the usage that the RSA key exchange needs', async () => {
    const {text} = openssl(['x509', '-in', 'leaf.pem', '-noout', '-text'], {
      'leaf.pem': await issued({publicKey: hostKeys(rsa(2048)).publicKey}),
    });
    expect(text).toMatch(/Key Usage: critical\s+Digital Signature, Key Encipherment/);
  });

  it('leaves out a common name that would be too long, and is verified all the same', async () => {
    const long = `${'a'.repeat(60)}.openg2p.test`;
    const verdict = openssl(
      ['verify', '-x509_strict', '-purpose', 'sslserver', '-verify_hostname', long, '-CAfile', 'ca.pem', 'leaf.pem'],
      {'ca.pem': authority.certificate, 'leaf.pem': await issued({names: [long]})},
    );
    expect(verdict.text).toContain('leaf.pem: OK');
  });

  it('is refused by openssl for names outside its constraints, even when somebody signs them with its key', () => {
    const rogue = openssl(
      [
        ...[
          'x509',
          '-new',
          '-CA',
          'ca.pem',
          '-CAkey',
          'ca.key',
          '-force_pubkey',
          'key.pub',
          '-subj',
          '/CN=bank.example',
        ],
        ...['-extfile', 'extensions', '-days', '30'],
      ],
      {
        'ca.pem': authority.certificate,
        'ca.key': authority.privateKey,
        'key.pub': keys.publicKey,
        extensions: 'subjectAltName=DNS:bank.example\nextendedKeyUsage=serverAuth\n',
      },
    );
    const verdict = openssl(['verify', '-CAfile', 'ca.pem', 'rogue.pem'], {
      'ca.pem': authority.certificate,
      'rogue.pem': rogue.text,
    });
    expect(verdict).toMatchObject({accepted: false});
    expect(verdict.text).toMatch(/permitted subtree violation/);
  });
});

describe('a leaf in a real handshake', () => {
  const handshake = async (servername: string, certificate: string) => {
    const server = createServer({key: keys.privateKey, cert: certificate}, socket => socket.end());
    server.on('tlsClientError', () => undefined);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const {port} = server.address() as AddressInfo;
    const socket = connect({port, host: '127.0.0.1', servername, ca: authority.certificate});
    const outcome = await once(socket, 'secureConnect').then(
      () => 'accepted',
      (error: NodeJS.ErrnoException) => error.code,
    );
    socket.destroy();
    server.close();
    return outcome;
  };

  it('is accepted for its names by a client that trusts the authority, and refused for others', async () => {
    expect(await handshake('keycloak.openg2p.test', leaf)).toBe('accepted');
    expect(await handshake('keycloak.example.org', leaf)).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
  });
});

describe('issuing', () => {
  it.each([
    ['a domain outside its constraints', {names: ['openg2p.test', 'bank.example']}, /may not issue for bank\.example/],
    ['a domain that only ends alike', {names: ['notopeng2p.test']}, /may not issue for notopeng2p\.test/],
    ['an address outside its subnets', {names: ['10.9.0.1']}, /may not issue for 10\.9\.0\.1/],
    ['no name', {names: []}, /at least one name/],
    ['something that is no name', {names: ['a b.openg2p.test']}, /neither a domain name nor an address/],
    [
      'a private key',
      {publicKey: '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'},
      /a private key was given/,
    ],
    ['something that is no key', {publicKey: 'hello'}, /not SPKI in PEM/],
    ['an authority that has expired', {now: days(3700)}, /the authority expired/],
  ] as const)('refuses %s', async (_, changes, message) => {
    const result = await issue(changes as Partial<Parameters<typeof issueLeaf>[0]>);
    expect(result).toEqual({ok: false, error: expect.stringMatching(message)});
  });

  it.each([
    ['a short RSA key', rsa(1024), /too short/],
    ['an Ed25519 key', ['-algorithm', 'ED25519'], /do not take ed25519/],
    ['a curve that browsers do not know', ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:secp256k1'], /secp256k1/],
  ])('refuses %s', async (_, algorithm, message) => {
    expect(await issue({publicKey: hostKeys(algorithm).publicKey})).toEqual({
      ok: false,
      error: expect.stringMatching(message),
    });
  });

  it('begins an hour ago, for hosts with a slow clock, and never outlives the authority', async () => {
    const short = await createAuthority({commonName: 'short', permit, now, years: 1});
    const info = readCertificate(await issued({authority: short, days: 800}));
    const ca = readCertificate(short.certificate);
    if (!info.ok || !ca.ok) throw new Error('unreadable');
    expect(now.getTime() - info.value.notBefore.getTime()).toBeGreaterThanOrEqual(3_600_000);
    expect(info.value.notAfter).toEqual(ca.value.notAfter);
  });

  it('takes serial numbers from where it is told, and else never the same twice', async () => {
    const serialOf = (pem: string) => {
      const info = readCertificate(pem);
      return info.ok ? info.value.serial : undefined;
    };
    expect(serialOf(await issued({serial: () => '1234abcd'}))).toBe('1234abcd');
    const serials = await Promise.all(Array.from({length: 5}, async () => serialOf(await issued())));
    expect(new Set(serials).size).toBe(5);
    expect(serials.every(serial => serial?.length === 32)).toBe(true);
  });
});

describe('the vault text of an authority', () => {
  it('reads back as what it was', () => {
    expect(authorityFromText(authorityToText(authority))).toEqual({ok: true, value: authority});
  });

  it('is refused without quoting it when a half is missing', () => {
    const result = authorityFromText(authority.privateKey);
    expect(result.ok).toBe(false);
    expect(JSON.stringify(result)).not.toContain(authority.privateKey.split('\n')[1]);
  });
});

describe('reading a certificate', () => {
  it('tells its names, dates, key and issuer', () => {
    expect(readCertificate(leaf)).toEqual({
      ok: true,
      value: expect.objectContaining({
        names,
        subject: 'CN=openg2p.test',
        isAuthority: false,
        permitted: undefined,
        publicKey: keys.publicKey,
        fingerprint: expect.stringMatching(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/),
      }),
    });
    expect(readCertificate(authority.certificate)).toEqual({
      ok: true,
      value: expect.objectContaining({isAuthority: true, permitted: permit}),
    });
  });

  it.each([
    '',
    'hello',
    '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
  ])('says that %j is none', text => {
    expect(readCertificate(text)).toEqual({ok: false, error: 'it is not a certificate in PEM'});
  });
});

describe('the reasons to issue a leaf again', () => {
  const reasons = (changes: Partial<Parameters<typeof leafChanges>[0]> = {}) =>
    leafChanges({
      certificate: leaf,
      publicKey: keys.publicKey,
      names,
      authority: authority.certificate,
      now,
      renewDays: 60,
      ...changes,
    });

  it('are none when it is right, in whatever order and spelling the names come', () => {
    expect(reasons()).toEqual([]);
    expect(reasons({names: ['10.0.0.11', '*.OPENG2P.test', 'openg2p.test']})).toEqual([]);
  });

  it('name what is wrong', async () => {
    expect(reasons({certificate: undefined})).toEqual(['there is no certificate yet']);
    expect(reasons({certificate: 'rubbish'})).toEqual([expect.stringContaining('cannot be used')]);
    expect(reasons({publicKey: hostKeys(p256).publicKey})).toEqual(['is for another key']);
    const other = await createAuthority({commonName: 'OpenG2P local CA, sandbox "one"', permit, now});
    expect(reasons({authority: other.certificate})).toEqual(['was issued by another authority']);
    expect(reasons({names: ['openg2p.test', 'new.openg2p.test', '10.0.0.11']})).toEqual([
      'does not cover new.openg2p.test',
      'covers *.openg2p.test, which is no longer wanted',
    ]);
    expect(reasons({now: days(397 - 59.5)})).toEqual([expect.stringMatching(/^expires in 59 days, on \d{4}-/)]);
    expect(reasons({now: days(397 - 60.5)})).toEqual([]);
    expect(reasons({now: days(398)})).toEqual([expect.stringMatching(/^expired on/)]);
    expect(reasons({now: days(-1)})).toEqual([expect.stringMatching(/^is not valid before/)]);
  });

  it('do not ask for a renewal that could not last any longer', async () => {
    const short = await createAuthority({commonName: 'short', permit, now, years: 1});
    const certificate = await issued({authority: short, days: 800});
    expect(reasons({certificate, authority: short.certificate, now: days(350)})).toEqual([]);
  });
});

describe('the reasons to replace an authority', () => {
  const reasons = (changes: Partial<Parameters<typeof authorityChanges>[0]> = {}) =>
    authorityChanges({certificate: authority.certificate, permit, now, renewDays: 400, ...changes});

  it('are none when it covers what is wanted for long enough', () => {
    expect(reasons()).toEqual([]);
    expect(reasons({permit: {domains: ['openg2p.test'], subnets: []}})).toEqual([]);
  });

  it('name what is wrong', () => {
    expect(reasons({permit: {domains: ['other.test'], subnets: ['10.9.0.0/16']}})).toEqual([
      'may not issue for other.test, 10.9.0.0/16',
    ]);
    expect(reasons({now: days(3600)})).toEqual([expect.stringMatching(/^expires in \d+ days/)]);
    expect(reasons({now: days(3700)})).toEqual([expect.stringMatching(/^expired on/)]);
    expect(reasons({certificate: leaf})).toContain('is not an authority');
    expect(reasons({certificate: ''})).toEqual([expect.stringContaining('cannot be used')]);
  });
});
