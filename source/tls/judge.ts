import {type Chain, findChain} from './chain.ts';
import type {ChainCertificate} from './chain-certificate.ts';
import {covers} from './coverage.ts';
import {day, error, type Finding, isError, note, warning} from './findings.ts';
import {type Roots, withPrivateRoots} from './roots.ts';
import type {Supply} from './supply.ts';
import {KeyUsageFlags} from './x509.ts';

/** What is thought of a certificate, for whatever names it is wanted. */
export type Verdict = {
  readonly leaf: ChainCertificate;
  readonly chain: Chain;
  /** The root at the top, when there is one. */
  readonly root: ChainCertificate | undefined;
  /** The root is one of an organisation: devices must be told to trust it. */
  readonly isPrivate: boolean;
  /** Everything but the names: chain, times, strength, key. The worst first. */
  readonly findings: readonly Finding[];
  readonly daysLeft: number;
};

const msPerDay = 86_400_000;

const isRoot = ({selfIssued, isAuthority, hasExtensions}: ChainCertificate): boolean =>
  selfIssued && (isAuthority || !hasExtensions);

/** Curves that browsers take from a server. */
const browserCurves: readonly string[] = ['prime256v1', 'secp384r1', 'secp521r1'];

/** What some clients mind, or will soon. */
const doubts = ({
  leaf,
  path,
  now,
  warnDays,
}: {
  readonly leaf: ChainCertificate;
  readonly path: readonly ChainCertificate[];
  readonly now: Date;
  readonly warnDays: number;
}): readonly Finding[] => {
  const {asymmetricKeyType: kind, asymmetricKeyDetails} = leaf.publicKey;
  const oddCurve = kind === 'ec' && !browserCurves.includes(asymmetricKeyDetails?.namedCurve ?? '');
  const first = path.toSorted((a, b) => a.native.validToDate.getTime() - b.native.validToDate.getTime())[0] ?? leaf;
  const left = Math.floor((first.native.validToDate.getTime() - now.getTime()) / msPerDay);
  return [
    ...(left >= 0 && left < warnDays
      ? [
          warning(
            'expires-soon',
            `${first.title} expires in ${left} days, on ${day(first.native.validToDate)}.`,
            'Order its successor now; `groundwork certificates import` puts it in place.',
          ),
        ]
      : []),
    ...(kind?.startsWith('ed') || oddCurve
      ? [
          warning(
            'odd-key',
            `Browsers do not take a key of this kind (${asymmetricKeyDetails?.namedCurve ?? kind}).`,
            'Ask for RSA 2048 or more, or ECDSA on P-256.',
          ),
        ]
      : []),
    ...(leaf.usages !== undefined && (leaf.usages & KeyUsageFlags.digitalSignature) === 0
      ? [
          warning(
            'no-signature',
            'Its key usage lacks digital signature, which TLS 1.3 needs; strict clients refuse it.',
            'Ask the CA for a certificate for a web server (TLS server).',
          ),
        ]
      : []),
    ...(leaf.names.length === 0
      ? [
          error(
            'no-names',
            `${leaf.title} has no DNS name in its subject alternative name; its common name does not count.`,
            'Ask the CA for a certificate with the names as subject alternative names.',
          ),
        ]
      : []),
  ];
};

const byGravity = (findings: readonly Finding[]): readonly Finding[] => {
  const rank = {error: 0, warning: 1, note: 2} as const;
  return findings.toSorted((a, b) => rank[a.severity] - rank[b.severity]);
};

export type JudgeOptions = {
  readonly roots: Roots;
  readonly now: Date;
  /** Days before the end from which it is said. */
  readonly warnDays: number;
};

/**
 * Whether clients would take a certificate from a server, for the names that it has. What OpenSSL verifies for a TLS
 * server at security level 2 is verified here, with the roots of the system and those that came along; and what
 * OpenSSL leaves to browsers: that the common name does not count. Revocation is not asked for: that needs the internet.
 */
export const judge = ({leaf, key, pool}: Supply, {roots, now, warnDays}: JudgeOptions): Verdict => {
  const own = pool.filter(isRoot);
  const chain = findChain({leaf, pool, roots: withPrivateRoots(roots, own), now});
  const root = chain.complete ? chain.path.at(-1) : undefined;
  const isPrivate = root !== undefined && !roots.isPublic(root);
  return {
    leaf,
    chain,
    root,
    isPrivate,
    daysLeft: Math.floor((leaf.native.validToDate.getTime() - now.getTime()) / msPerDay),
    findings: byGravity([
      ...chain.findings,
      ...doubts({leaf, path: chain.path, now, warnDays}),
      ...(key
        ? []
        : [
            error(
              'no-key',
              `The private key of ${leaf.title} is not here, and no request waits for it.`,
              'Name the file with the key beside the certificate; or import on the machine where the request was made.',
            ),
          ]),
      ...(isPrivate
        ? [
            note(
              'private-root',
              `It was issued by the private CA "${root.title}": the hosts are made to trust it, and every device of the users must trust it, too.`,
            ),
          ]
        : []),
    ]),
  };
};

/** Whether clients take it at all. */
export const isUsable = ({findings}: Verdict): boolean => !findings.some(isError);

/** Whether clients take it for a host name, or for all that a wildcard stands for. */
export const isUsableFor = (verdict: Verdict, name: string): boolean =>
  isUsable(verdict) && covers(verdict.leaf.names, name);
