import {X509Certificate} from 'node:crypto';
import {getCACertificates, rootCertificates} from 'node:tls';
import {type ChainCertificate, chainCertificate} from './chain-certificate.ts';

/** Certificates that are trusted by being known. */
export type Roots = {
  /** By subject, as Node writes it. */
  readonly bySubject: ReadonlyMap<string, readonly ChainCertificate[]>;
  /** Whether every browser and phone knows it (Mozilla's list). Others are those of an organisation. */
  readonly isPublic: (root: ChainCertificate) => boolean;
};

const derOf = (pem: string): readonly Buffer[] => {
  try {
    return [new X509Certificate(pem).raw];
  } catch {
    return [];
  }
};

export const rootsFrom = (known: readonly Buffer[], others: readonly Buffer[] = []): Roots => {
  const known64 = new Set(known.map(raw => raw.toString('base64')));
  const all = new Map([...known, ...others].map(raw => [raw.toString('base64'), raw]));
  const certificates = [...all.values()].flatMap(raw => chainCertificate(raw) ?? []);
  return {
    bySubject: Map.groupBy(certificates, ({native}) => native.subject),
    isPublic: root => known64.has(root.raw.toString('base64')),
  };
};

let remembered: Roots | undefined;

/**
 * Mozilla's list as Node carries it, and what this machine's system trusts beside it: the root of an organisation whose
 * machines all have it. Read once, because there are some hundreds.
 */
export const systemRoots = (): Roots => {
  remembered ??= rootsFrom(rootCertificates.flatMap(derOf), getCACertificates('system').flatMap(derOf));
  return remembered;
};

/** Roots that came along with a certificate are trusted like those of the system, and said to be private. */
export const withPrivateRoots = (roots: Roots, more: readonly ChainCertificate[]): Roots => {
  const merged = new Map(roots.bySubject);
  for (const each of more) merged.set(each.native.subject, [...(merged.get(each.native.subject) ?? []), each]);
  return {...roots, bySubject: merged};
};
