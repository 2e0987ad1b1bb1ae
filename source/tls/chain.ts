import type {ChainCertificate} from './chain-certificate.ts';
import {namesOutside} from './constrained-names.ts';
import {day, error, type Finding, isError} from './findings.ts';
import type {Roots} from './roots.ts';
import {ExtendedKeyUsage, KeyUsageFlags} from './x509.ts';

/** A way from a certificate up to a root that is trusted, or as far as it goes. */
export type Chain = {
  /** The leaf first; the root last when `complete`. */
  readonly path: readonly ChainCertificate[];
  readonly complete: boolean;
  /** What clients would find wrong with it. */
  readonly findings: readonly Finding[];
};

/** Longer ones are not seen in the field. */
const longestPath = 8;

/** Cross-signed authorities make several ways; so many are looked at. */
const mostPaths = 64;

/** How OpenSSL calls the purposes that a server's certificate may have (its check for SSL server). */
const serverPurposes: readonly string[] = [
  ExtendedKeyUsage.serverAuth,
  '1.3.6.1.4.1.311.10.3.3',
  '2.16.840.1.113730.4.1',
];

const forServers = ({purposes}: ChainCertificate): boolean =>
  purposes === undefined || purposes.some(each => serverPurposes.includes(each));

const sameSubject = (certificate: ChainCertificate, issuer: ChainCertificate): boolean =>
  certificate.native.issuer === issuer.native.subject;

/** By its name, the key identifier, and the signature itself. */
const signedBy = (certificate: ChainCertificate, issuer: ChainCertificate): boolean => {
  if (!sameSubject(certificate, issuer) || !certificate.native.checkIssued(issuer.native)) return false;
  try {
    return certificate.native.verify(issuer.publicKey);
  } catch {
    return false;
  }
};

/** By its signature alone: a certificate of a server that signed itself says that it may not sign certificates. */
const isSelfSigned = ({selfIssued, native, publicKey}: ChainCertificate): boolean => {
  try {
    return selfIssued && native.verify(publicKey);
  } catch {
    return false;
  }
};

const time = (certificate: ChainCertificate, now: Date): readonly Finding[] => {
  const {title, native} = certificate;
  const {validFromDate: from, validToDate: to} = native;
  if (to < now) {
    return [error('expired', `${title} expired on ${day(to)}.`, 'Get a certificate that is valid now from the CA.')];
  }
  return from > now
    ? [error('not-yet-valid', `${title} is not valid before ${from.toISOString()}.`, 'Wait, or put the clock right.')]
    : [];
};

const strength = ({title, weakKey, weakSignature}: ChainCertificate, isRoot: boolean): readonly Finding[] => [
  ...(weakKey
    ? [error('weak-key', `${title} has ${weakKey}, which is too weak.`, 'Ask for RSA 2048 or more, or ECDSA on P-256.')]
    : []),
  // Nobody relies on the signature of a root: it is trusted by being known.
  ...(weakSignature && !isRoot
    ? [
        error(
          'weak-signature',
          `${title} is signed with ${weakSignature}, which can be forged.`,
          'Ask the CA for a chain that is signed with SHA-256.',
        ),
      ]
    : []),
];

const extensions = ({title, notUnderstood}: ChainCertificate): readonly Finding[] =>
  notUnderstood.length > 0
    ? [
        error(
          'critical-extension',
          `${title} has a critical extension that clients do not know (${notUnderstood.join(', ')}).`,
          'Ask the CA for a certificate of the usual kind for web servers.',
        ),
      ]
    : [];

/** What an authority of the chain may do, `below` being the certificates between it and the leaf, the leaf first. */
const authority = (issuer: ChainCertificate, below: readonly ChainCertificate[]): readonly Finding[] => {
  const {title, usages, isAuthority, selfIssued, hasExtensions, pathLength, constraints} = issuer;
  const between = below.slice(1).filter(({selfIssued}) => !selfIssued).length;
  const outside = constraints ? [...new Set(below.flatMap(({names}) => namesOutside(names, constraints)))] : [];
  const ask = 'Ask the CA for the chain that it publishes for web servers.';
  // A root of the first version of X.509 could not yet say that it is an authority.
  const mayIssue = isAuthority || (selfIssued && !hasExtensions);
  return [
    ...(mayIssue ? [] : [error('not-an-authority', `${title} is no authority, and yet signed the one below it.`, ask)]),
    ...(usages !== undefined && (usages & KeyUsageFlags.keyCertSign) === 0
      ? [error('not-an-authority', `${title} may not sign certificates.`, ask)]
      : []),
    ...(pathLength !== undefined && between > pathLength
      ? [error('path-length', `${title} allows ${pathLength} authorities below it, and there are ${between}.`, ask)]
      : []),
    ...(forServers(issuer) ? [] : [error('purpose', `${title} is not for certificates of servers.`, ask)]),
    ...(outside.length > 0
      ? [
          error(
            'constrained',
            `${title} may not vouch for ${outside.join(', ')}.`,
            'Ask a CA that may issue for this domain.',
          ),
        ]
      : []),
  ];
};

const serverUsages = KeyUsageFlags.digitalSignature | KeyUsageFlags.keyEncipherment | KeyUsageFlags.keyAgreement;

/** What a certificate must be to stand in front. */
const leafUse = (leaf: ChainCertificate): readonly Finding[] => [
  ...(forServers(leaf)
    ? []
    : [
        error(
          'purpose',
          `${leaf.title} is not for servers: server authentication is missing in its extended key usage.`,
          'Ask the CA for a certificate for a web server (TLS server).',
        ),
      ]),
  ...(leaf.usages !== undefined && (leaf.usages & serverUsages) === 0
    ? [
        error(
          'purpose',
          `${leaf.title} may not be used for TLS: its key usage allows neither signatures nor encipherment.`,
          'Ask the CA for a certificate for a web server (TLS server).',
        ),
      ]
    : []),
];

const problemsOf = (path: readonly ChainCertificate[], now: Date): readonly Finding[] => [
  ...path.slice(0, 1).flatMap(leafUse),
  ...path.flatMap((certificate, index) => [
    ...time(certificate, now),
    ...strength(certificate, index === path.length - 1),
    ...extensions(certificate),
    ...(index > 0 ? authority(certificate, path.slice(0, index)) : []),
  ]),
];

export type ChainInput = {
  readonly leaf: ChainCertificate;
  /** What came along, in any order. */
  readonly pool: readonly ChainCertificate[];
  readonly roots: Roots;
  readonly now: Date;
};

/** The best way up: one without faults, else the complete one with the fewest, else as far as it goes. */
export const findChain = ({leaf, pool, roots, now}: ChainInput): Chain => {
  const ways: Chain[] = [];
  const walk = (path: readonly ChainCertificate[]): void => {
    if (ways.length >= mostPaths || path.length > longestPath) return;
    const last = path.at(-1) as ChainCertificate;
    const seen = (each: ChainCertificate): boolean => path.some(({raw}) => raw.equals(each.raw));
    const trusted = roots.named(last.native.issuer).filter(each => signedBy(last, each));
    // A leaf that signed itself is vouched for by nobody, whatever the list of roots holds.
    for (const root of trusted.filter(each => !each.raw.equals(last.raw))) {
      const whole = [...path, root];
      ways.push({path: whole, complete: true, findings: problemsOf(whole, now)});
    }
    if (path.length > 1 && trusted.some(each => each.raw.equals(last.raw)))
      ways.push({path, complete: true, findings: problemsOf(path, now)});
    const next = pool.filter(each => !seen(each) && !isSelfSigned(each) && signedBy(last, each));
    for (const each of next) walk([...path, each]);
    if (trusted.length === 0 && next.length === 0)
      ways.push({path, complete: false, findings: [...problemsOf(path, now), missing(path, pool)]});
  };
  walk([leaf]);
  const weight = ({complete, findings}: Chain): number => findings.filter(isError).length + (complete ? 0 : 1000);
  return (
    ways.toSorted((a, b) => weight(a) - weight(b) || a.path.length - b.path.length)[0] ?? {
      path: [leaf],
      complete: false,
      findings: [missing([leaf], pool)],
    }
  );
};

/** Why a chain ends before a root. */
const missing = (path: readonly ChainCertificate[], pool: readonly ChainCertificate[]): Finding => {
  const last = path.at(-1) as ChainCertificate;
  if (isSelfSigned(last)) {
    return path.length === 1
      ? error(
          'self-signed',
          `${last.title} signed itself, so nobody vouches for it.`,
          'Have a CA sign a request (groundwork certificates request), or use the CA of its own.',
        )
      : error(
          'unknown-root',
          `The root ${last.title} is known to no device.`,
          'Name the file of the root beside the others, if it is the CA of your organisation.',
        );
  }
  const namesake = pool.find(each => sameSubject(last, each));
  if (namesake) {
    return error(
      'wrong-issuer',
      `${last.title} names ${last.issuerTitle} as its issuer, but the certificate of that name that came along did not sign it.`,
      'Ask the CA for the chain of this certificate: the one at hand belongs to another.',
    );
  }
  return error(
    'chain-incomplete',
    `The certificate of ${last.issuerTitle}, which issued ${last.title}, is missing.`,
    'Add the file with the chain (intermediate certificates) that the CA sent or offers for download. If it is the CA of your organisation, add its root, too.',
  );
};
