import {X509Certificate} from 'node:crypto';
import {getCACertificates, rootCertificates} from 'node:tls';
import {type ChainCertificate, chainCertificate} from './chain-certificate.ts';

/** Certificates that are trusted by being known. */
export type Roots = {
  /** Those of this subject, as Node writes it. */
  readonly named: (subject: string) => readonly ChainCertificate[];
  /** Whether every browser and phone knows it (Mozilla's list). Others are those of an organisation. */
  readonly isPublic: (root: ChainCertificate) => boolean;
};

/** Hundreds are known and one or two are asked for, so each is read in full only then. */
export const rootsFrom = (known: readonly X509Certificate[], others: readonly X509Certificate[] = []): Roots => {
  const publicOnes = new Set(known.map(({fingerprint256}) => fingerprint256));
  const all = new Map([...known, ...others].map(root => [root.fingerprint256, root]));
  const bySubject = Map.groupBy(all.values(), ({subject}) => subject);
  return {
    named: subject => (bySubject.get(subject) ?? []).flatMap(({raw}) => chainCertificate(raw) ?? []),
    isPublic: ({native}) => publicOnes.has(native.fingerprint256),
  };
};

const parsed = (pems: readonly string[]): readonly X509Certificate[] =>
  pems.flatMap(pem => {
    try {
      return [new X509Certificate(pem)];
    } catch {
      return [];
    }
  });

let remembered: Roots | undefined;

/**
 * Mozilla's list as Node carries it, and what this machine's system trusts beside it: the root of an organisation whose
 * machines all have it. Read once.
 */
export const systemRoots = (): Roots => {
  remembered ??= rootsFrom(parsed(rootCertificates), parsed(getCACertificates('system')));
  return remembered;
};

/** Roots that came along with a certificate are trusted like those of the system, and said to be private. */
export const withPrivateRoots = ({named, isPublic}: Roots, more: readonly ChainCertificate[]): Roots => ({
  named: subject => [...named(subject), ...more.filter(({native}) => native.subject === subject)],
  isPublic,
});
