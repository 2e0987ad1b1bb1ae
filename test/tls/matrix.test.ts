import {spawnSync} from 'node:child_process';
import {X509Certificate} from 'node:crypto';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {isUsableFor, judge, type Verdict} from '../../source/tls/judge.ts';
import {readMaterial} from '../../source/tls/material.ts';
import {rootsFrom} from '../../source/tls/roots.ts';
import {sortSupplies} from '../../source/tls/supply.ts';
import {type Made, ofAuthority, ofServer, openWorkshop, type Wish} from '../support/pki.ts';

const workshop = openWorkshop();
afterAll(workshop.remove);

const {make, authority} = workshop;

/** A public CA with one intermediate, an organisation's own root, and certificates in all states of repair. */
const world = () => {
  const root = authority('Public Root');
  const issuing = authority('Public Issuing CA', {by: root});
  const own = authority('Ministry Root');
  const ownIssuing = authority('Ministry Issuing CA', {by: own});
  const server = (wish: Wish) => make({by: issuing, cn: 'openg2p.example.org', names: both, ...wish});
  return {root, issuing, own, ownIssuing, server};
};

const both = ['DNS:openg2p.example.org', 'DNS:*.openg2p.example.org'];
const host = 'rancher.openg2p.example.org';
const apex = 'openg2p.example.org';

type Case = {
  readonly title: string;
  readonly leaf: Made;
  /** What came along beside the leaf: intermediates, and roots of organisations. */
  readonly along: readonly Made[];
  /** What is asked, and what the answer must be, so that the two judges cannot agree on nonsense. */
  readonly hosts: Readonly<Record<string, boolean>>;
  /** Of the finding that must be among the reasons when no host is served. */
  readonly reason?: string;
  /** Days from now at which it is looked at. */
  readonly inDays?: number;
};

const serverWith = (...changes: readonly string[]) => [
  ...ofServer.filter(line => !changes.some(change => change.split('=')[0] === line.split('=')[0])),
  ...changes,
];
const authorityWith = (...changes: readonly string[]) => [
  ...ofAuthority.filter(line => !changes.some(change => change.split('=')[0] === line.split('=')[0])),
  ...changes,
];

const cases = (): readonly Case[] => {
  const {root, issuing, own, ownIssuing, server} = world();
  const bad = (title: string, leaf: Made, reason: string, more: Partial<Case> = {}): Case => ({
    title,
    leaf,
    along: [issuing],
    hosts: {[host]: false, [apex]: false},
    reason,
    ...more,
  });
  const good = (title: string, leaf: Made, more: Partial<Case> = {}): Case => ({
    title,
    leaf,
    along: [issuing],
    hosts: {[host]: true, [apex]: true},
    ...more,
  });
  const second = authority('Second Issuing CA', {by: issuing});
  const expiredIssuing = authority('Expired Issuing CA', {by: root, days: -1});
  const crossed = authority('New Root');
  const crossedByOld = authority('New Root', {by: root, key: crossed.key});
  const underCrossed = authority('Issuing CA of the new root', {by: crossed});
  const noPath = authority('CA without room', {
    by: root,
    extensions: authorityWith('basicConstraints=critical,CA:TRUE,pathlen:0'),
  });
  const belowNoPath = authority('CA below it', {by: noPath});
  const clientCa = authority('CA for people', {by: root, extensions: [...ofAuthority, 'extendedKeyUsage=clientAuth']});
  const serverCa = authority('CA for servers', {
    by: root,
    extensions: [...ofAuthority, 'extendedKeyUsage=serverAuth,clientAuth'],
  });
  const permitted = authority('CA of example.org', {
    by: root,
    extensions: [...ofAuthority, 'nameConstraints=critical,permitted;DNS:example.org'],
  });
  const permittedElse = authority('CA of example.net', {
    by: root,
    extensions: [...ofAuthority, 'nameConstraints=critical,permitted;DNS:example.net'],
  });
  const permittedBelow = authority('CA below openg2p', {
    by: root,
    extensions: [...ofAuthority, 'nameConstraints=critical,permitted;DNS:.openg2p.example.org'],
  });
  const excluded = authority('CA of all but openg2p', {
    by: root,
    extensions: [...ofAuthority, 'nameConstraints=critical,excluded;DNS:openg2p.example.org'],
  });
  const noAuthority = make({by: root, cn: 'Not a CA', extensions: serverWith('keyUsage=digitalSignature,keyCertSign')});
  const noSigning = authority('CA that may not sign', {
    by: root,
    extensions: authorityWith('keyUsage=critical,cRLSign'),
  });
  const rsaCa = authority('RSA CA', {by: root, algorithm: {bits: 2048}});
  const weakCa = authority('Weak CA', {by: root, algorithm: {bits: 1024}});
  const sha1Ca = authority('SHA-1 CA', {by: root, digest: 'sha1'});
  const namesake = authority('Public Issuing CA', {by: root});
  const selfSigned = make({cn: apex, names: both, extensions: [...ofServer]});
  const selfSignedAuthority = make({cn: apex, names: both, extensions: ofAuthority});
  const unknown = authority('Unknown CA');
  return [
    good('a wildcard and its domain', server({})),
    good(
      'with an RSA key',
      server({algorithm: {bits: 2048}, extensions: serverWith('keyUsage=critical,digitalSignature,keyEncipherment')}),
    ),
    good('with RSA 3072', server({algorithm: {bits: 3072}})),
    good('on P-384', server({algorithm: {curve: 'secp384r1'}})),
    good('with Ed25519, which OpenSSL takes', server({algorithm: 'ed25519'})),
    good('signed with SHA-384', server({digest: 'sha384'})),
    good('signed with SHA-512', server({digest: 'sha512'})),
    good('without restrictions of use', server({extensions: ['basicConstraints=CA:FALSE']})),
    good(
      'for key encipherment only',
      server({algorithm: {bits: 2048}, extensions: serverWith('keyUsage=critical,keyEncipherment')}),
    ),
    good('for servers and clients', server({extensions: serverWith('extendedKeyUsage=clientAuth,serverAuth')})),
    good('below the root itself', server({by: root}), {along: []}),
    good('below two authorities', server({by: second}), {along: [second, issuing]}),
    good('with the chain in another order', server({by: second}), {along: [issuing, second]}),
    good('with authorities that have nothing to do with it', server({}), {
      along: [second, ownIssuing, issuing, clientCa],
    }),
    good('with the public root in the chain', server({}), {along: [issuing, root]}),
    good('from a private root that came along', make({by: ownIssuing, cn: apex, names: both}), {
      along: [ownIssuing, own],
    }),
    good('from a private root directly', make({by: own, cn: apex, names: both}), {along: [own]}),
    good('below a new root that an old one has signed', server({by: underCrossed}), {
      along: [underCrossed, crossedByOld],
    }),
    good('from an authority for servers', server({by: serverCa}), {along: [serverCa]}),
    good('within the names that its authority may vouch for', server({by: permitted}), {along: [permitted]}),
    good('for a wildcard only: the domain is a name of its own', server({names: ['DNS:*.openg2p.example.org']}), {
      hosts: {[host]: true, [apex]: false, 'a.b.openg2p.example.org': false},
    }),
    good('for the domain only', server({names: ['DNS:openg2p.example.org']}), {hosts: {[host]: false, [apex]: true}}),
    good('for one name', server({names: [`DNS:${host}`]}), {
      hosts: {[host]: true, 'grafana.openg2p.example.org': false},
    }),
    good(
      'for several names',
      server({names: [`DNS:${host}`, 'DNS:grafana.openg2p.example.org', 'DNS:iam.qa.openg2p.example.org']}),
      {
        hosts: {
          [host]: true,
          'grafana.openg2p.example.org': true,
          'iam.qa.openg2p.example.org': true,
          'iam.dev.openg2p.example.org': false,
        },
      },
    ),
    good('for a wildcard: an environment lies a label too deep', server({}), {
      hosts: {'qa.openg2p.example.org': true, 'iam.qa.openg2p.example.org': false},
    }),
    good('for the wildcard of an environment', server({names: [...both, 'DNS:*.qa.openg2p.example.org']}), {
      hosts: {'iam.qa.openg2p.example.org': true, 'iam.dev.openg2p.example.org': false},
    }),
    good('in capital letters', server({names: ['DNS:OpenG2P.Example.ORG', 'DNS:*.OPENG2P.example.org']})),
    good(
      'with letters of another script',
      server({names: ['DNS:xn--mnchen-3ya.example.org', 'DNS:*.xn--mnchen-3ya.example.org']}),
      {
        hosts: {
          'xn--mnchen-3ya.example.org': true,
          'iam.xn--mnchen-3ya.example.org': true,
          'munchen.example.org': false,
        },
      },
    ),
    good('for a wildcard and a name in another script below it', server({}), {
      hosts: {'xn--mnchen-3ya.openg2p.example.org': true},
    }),
    good('for a wildcard of a top-level domain, which stands for nothing', server({names: ['DNS:*.org']}), {
      hosts: {'example.org': false},
    }),
    good('for a wildcard in the middle, which stands for nothing', server({names: ['DNS:iam.*.example.org']}), {
      hosts: {'iam.openg2p.example.org': false},
    }),
    good('whose common name says more than its names', server({cn: host, names: ['DNS:other.example.org']}), {
      hosts: {[host]: false, 'other.example.org': true},
    }),
    good('with an address among its names', server({names: [...both, 'IP:10.0.0.11']})),
    good('on its last day', server({days: 1})),
    bad('expired', server({days: -1}), 'expired'),
    bad('looked at after its end', server({days: 5}), 'expired', {inDays: 6}),
    bad('not valid yet', server({}), 'not-yet-valid', {inDays: -10}),
    bad('whose authority has expired', server({by: expiredIssuing}), 'expired', {along: [expiredIssuing]}),
    bad('without its authority', server({}), 'chain-incomplete', {along: []}),
    bad('without the middle of its chain', server({by: second}), 'chain-incomplete', {along: [second]}),
    bad('with the chain of another certificate', server({}), 'chain-incomplete', {along: [ownIssuing]}),
    bad('with an authority of the same name and another key', server({}), 'wrong-issuer', {along: [namesake]}),
    bad(
      'from a private root that did not come along',
      make({by: ownIssuing, cn: apex, names: both}),
      'chain-incomplete',
      {along: [ownIssuing]},
    ),
    bad('from a CA that nobody knows', make({by: unknown, cn: apex, names: both}), 'chain-incomplete', {along: []}),
    bad('self-signed', selfSigned, 'self-signed', {along: []}),
    bad('self-signed as an authority, as `openssl req -x509` makes it', selfSignedAuthority, 'self-signed', {
      along: [],
    }),
    bad('for clients', server({extensions: serverWith('extendedKeyUsage=clientAuth')}), 'purpose'),
    bad('for signing code', server({extensions: serverWith('extendedKeyUsage=codeSigning')}), 'purpose'),
    bad(
      'for any purpose, which OpenSSL does not take for a server',
      server({extensions: serverWith('extendedKeyUsage=anyExtendedKeyUsage')}),
      'purpose',
    ),
    bad('for signing certificates only', server({extensions: serverWith('keyUsage=critical,keyCertSign')}), 'purpose'),
    bad('with RSA 1024', server({algorithm: {bits: 1024}}), 'weak-key'),
    bad('on a curve of 192 bits', server({algorithm: {curve: 'prime192v1'}}), 'weak-key'),
    bad('signed with SHA-1', server({digest: 'sha1'}), 'weak-signature'),
    bad('signed with MD5', server({by: rsaCa, digest: 'md5'}), 'weak-signature', {along: [rsaCa]}),
    bad('below an authority with a weak key', server({by: weakCa}), 'weak-key', {along: [weakCa]}),
    bad('below an authority that is signed with SHA-1', server({by: sha1Ca}), 'weak-signature', {along: [sha1Ca]}),
    bad('below what is no authority', server({by: noAuthority}), 'not-an-authority', {along: [noAuthority]}),
    bad('below an authority that may not sign', server({by: noSigning}), 'wrong-issuer', {along: [noSigning]}),
    bad('below an authority for people', server({by: clientCa}), 'purpose', {along: [clientCa]}),
    bad('below one authority too many', server({by: belowNoPath}), 'path-length', {along: [belowNoPath, noPath]}),
    bad('outside of what its authority may vouch for', server({by: permittedElse}), 'constrained', {
      along: [permittedElse],
    }),
    bad(
      'for the domain where its authority may vouch for what is below it',
      server({by: permittedBelow}),
      'constrained',
      {along: [permittedBelow]},
    ),
    bad('for what its authority may not vouch for', server({by: excluded}), 'constrained', {along: [excluded]}),
    bad(
      'with a critical extension that nobody knows',
      server({extensions: [...ofServer, '1.2.3.4.5.6=critical,ASN1:UTF8String:odd']}),
      'critical-extension',
    ),
  ];
};

const isSelfSigned = ({certificate}: Made): boolean => {
  const parsed = new X509Certificate(certificate);
  return parsed.subject === parsed.issuer && parsed.verify(parsed.publicKey);
};

const msPerDay = 86_400_000;

/** What openssl thinks, given the public root and the private ones that came along, as at security level 2. */
const opensslAccepts = ({leaf, along, inDays = 0}: Case, publicRoot: string, name: string): boolean => {
  const trusted = [publicRoot, ...along.filter(isSelfSigned).map(({certificate}) => certificate)].join('');
  const chain = along
    .filter(each => !isSelfSigned(each))
    .map(({certificate}) => certificate)
    .join('');
  writeFileSync(join(workshop.folder, 'trusted.pem'), trusted);
  writeFileSync(join(workshop.folder, 'chain.pem'), chain);
  writeFileSync(join(workshop.folder, 'leaf.pem'), leaf.certificate);
  const at = String(Math.floor((Date.now() + inDays * msPerDay) / 1000));
  const {status, stdout, stderr} = spawnSync(
    'openssl',
    [
      'verify',
      '-no-CAfile',
      '-no-CApath',
      '-auth_level',
      '2',
      '-purpose',
      'sslserver',
      '-attime',
      at,
      '-CAfile',
      'trusted.pem',
      ...(chain === '' ? [] : ['-untrusted', 'chain.pem']),
      '-verify_hostname',
      name,
      'leaf.pem',
    ],
    {cwd: workshop.folder, encoding: 'utf8'},
  );
  if (status !== 0 && !/error \d+ at|verification failed/.test(stdout + stderr)) throw new Error(stdout + stderr);
  return status === 0;
};

const verdictOf = async ({leaf, along, inDays = 0}: Case, publicRoot: string): Promise<Verdict> => {
  const bytes = Buffer.from([leaf.key, leaf.certificate, ...along.map(({certificate}) => certificate)].join(''));
  const material = await readMaterial([{name: 'all.pem', bytes}]);
  if (!material.ok) throw new Error(material.error.message);
  const {supplies} = sortSupplies(material.value);
  expect(supplies).toHaveLength(1);
  const roots = rootsFrom([new X509Certificate(publicRoot)]);
  return judge(supplies[0] as (typeof supplies)[0], {
    roots,
    now: new Date(Date.now() + inDays * msPerDay),
    warnDays: 0,
  });
};

describe('a certificate, judged by us and by openssl', () => {
  let all: readonly Case[];
  let publicRoot: string;
  beforeAll(() => {
    all = cases();
    // Every public certificate of the cases descends from the one root that the first one has.
    publicRoot = publicRootOf(all);
  }, 60_000);

  const publicRootOf = (made: readonly Case[]): string => {
    const withRoot = made.find(({title}) => title === 'with the public root in the chain');
    return withRoot?.along.at(-1)?.certificate ?? '';
  };

  it('has the same verdict in every case and for every name, for the right reason', async () => {
    const differing: string[] = [];
    let asked = 0;
    for (const each of all) {
      const verdict = await verdictOf(each, publicRoot);
      for (const [name, expected] of Object.entries(each.hosts)) {
        asked++;
        const answers = {expected, ours: isUsableFor(verdict, name), openssl: opensslAccepts(each, publicRoot, name)};
        if (answers.ours !== expected || answers.openssl !== expected)
          differing.push(
            `${each.title}, for ${name}: ${JSON.stringify(answers)} ${verdict.findings.map(({id}) => id).join(' ')}`,
          );
      }
      if (each.reason && !verdict.findings.some(({id, severity}) => severity === 'error' && id === each.reason))
        differing.push(`${each.title}: not for ${each.reason} but ${verdict.findings.map(({id}) => id).join(' ')}`);
    }
    expect(differing).toEqual([]);
    expect(all.length).toBeGreaterThanOrEqual(40);
    expect(asked).toBeGreaterThan(100);
  }, 60_000);
});
