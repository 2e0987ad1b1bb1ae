import {X509Certificate} from 'node:crypto';
import {parseAddress} from '../network/address.ts';
import {err, ok, type Result} from '../result.ts';
import {nameConstraintsId, type Permitted, permittedBy} from './name-constraints.ts';
import {samePublicKey} from './private-key.ts';
import * as x509 from './x509.ts';

/** What a certificate says, in the words of the field. */
export type CertificateInfo = {
  /** DNS names and addresses of the subject alternative name; the common name does not count, as for browsers. */
  readonly names: readonly string[];
  readonly subject: string;
  readonly issuer: string;
  /** Hexadecimal, lower case. */
  readonly serial: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** SPKI in PEM. */
  readonly publicKey: string;
  readonly isAuthority: boolean;
  /** What an authority may issue for; undefined when it says nothing about it. */
  readonly permitted: Permitted | undefined;
  /** SHA-256 in hexadecimal with colons, as browsers show it. */
  readonly fingerprint: string;
};

/** One spelling per address, so that names can be compared as text. */
const canonicalName = (name: string): string => {
  const address = parseAddress(name);
  return address.ok ? address.value : name.toLowerCase();
};

/** Reads the first certificate of a PEM text. The error is a sentence without the text itself. */
export const readCertificate = (pem: string): Result<CertificateInfo, string> => {
  try {
    const certificate = new X509Certificate(pem);
    const parsed = new x509.X509Certificate(certificate.raw);
    const names = parsed.getExtension(x509.SubjectAlternativeNameExtension)?.names.toJSON() ?? [];
    const constraints = parsed.getExtension(nameConstraintsId);
    return ok({
      names: names.filter(({type}) => type === 'dns' || type === 'ip').map(({value}) => canonicalName(value)),
      subject: parsed.subject,
      issuer: parsed.issuer,
      serial: certificate.serialNumber.toLowerCase(),
      notBefore: certificate.validFromDate,
      notAfter: certificate.validToDate,
      publicKey: certificate.publicKey.export({type: 'spki', format: 'pem'}).toString(),
      isAuthority: certificate.ca,
      permitted: constraints ? permittedBy(constraints.value) : undefined,
      fingerprint: certificate.fingerprint256,
    });
  } catch {
    return err('it is not a certificate in PEM');
  }
};

/** Whether the second certificate signed the first: by its name, and by its key. */
const issuedBy = (pem: string, authorityPem: string): boolean => {
  try {
    const [certificate, authority] = [new X509Certificate(pem), new X509Certificate(authorityPem)];
    return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
  } catch {
    return false;
  }
};

const msPerDay = 86_400_000;

const daysUntil = (date: Date, now: Date): number => Math.floor((date.getTime() - now.getTime()) / msPerDay);

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

const nameChanges = (has: readonly string[], wanted: readonly string[]): string[] => {
  const missing = wanted.filter(name => !has.includes(name));
  const extra = has.filter(name => !wanted.includes(name));
  return [
    ...(missing.length > 0 ? [`does not cover ${missing.join(', ')}`] : []),
    ...(extra.length > 0 ? [`covers ${extra.join(', ')}, which is no longer wanted`] : []),
  ];
};

export type LeafWish = {
  /** What is there now, in PEM; undefined if nothing is. */
  readonly certificate: string | undefined;
  /** The key that it must be for, SPKI in PEM. */
  readonly publicKey: string;
  readonly names: readonly string[];
  /** The certificate of the authority that must have issued it, in PEM. */
  readonly authority: string;
  readonly now: Date;
  /** Days before its end from which it is renewed. */
  readonly renewDays: number;
};

/** The reasons to issue a certificate (again), each a phrase about the one that is there; none when it is right. */
export const leafChanges = ({certificate, publicKey, names, authority, now, renewDays}: LeafWish): string[] => {
  if (certificate === undefined) return ['there is no certificate yet'];
  const [info, issuer] = [readCertificate(certificate), readCertificate(authority)];
  if (!info.ok) return [`what is there cannot be used: ${info.error}`];
  const {notBefore, notAfter} = info.value;
  const left = daysUntil(notAfter, now);
  // A certificate that already lasts as long as its authority would not last longer for being issued again.
  const asLongAsAuthority = issuer.ok && notAfter >= issuer.value.notAfter;
  return [
    ...(samePublicKey(info.value.publicKey, publicKey) ? [] : ['is for another key']),
    ...(issuedBy(certificate, authority) ? [] : ['was issued by another authority']),
    ...nameChanges(info.value.names, names.map(canonicalName)),
    ...(notBefore > now ? [`is not valid before ${notBefore.toISOString()}`] : []),
    ...(notAfter <= now
      ? [`expired on ${notAfter.toISOString()}`]
      : left < renewDays && !asLongAsAuthority
        ? [`expires in ${plural(left, 'day')}, on ${notAfter.toISOString().slice(0, 10)}`]
        : []),
  ];
};

export type AuthorityWish = {
  readonly certificate: string;
  readonly permit: Permitted;
  readonly now: Date;
  readonly renewDays: number;
};

/**
 * The reasons why an authority cannot go on: it ends, or may not issue for what the deployment needs. A new one means
 * that every operator must trust it anew, so nobody should act on this without asking.
 */
export const authorityChanges = ({certificate, permit, now, renewDays}: AuthorityWish): string[] => {
  const info = readCertificate(certificate);
  if (!info.ok) return [`what is there cannot be used: ${info.error}`];
  const {isAuthority, permitted, notAfter} = info.value;
  const uncovered = permitted
    ? [
        ...permit.domains.filter(domain => !permitted.domains.includes(domain)),
        ...permit.subnets.filter(subnet => !permitted.subnets.includes(subnet)),
      ]
    : [];
  const left = daysUntil(notAfter, now);
  return [
    ...(isAuthority ? [] : ['is not an authority']),
    ...(uncovered.length > 0 ? [`may not issue for ${uncovered.join(', ')}`] : []),
    ...(notAfter <= now
      ? [`expired on ${notAfter.toISOString()}`]
      : left < renewDays
        ? [`expires in ${plural(left, 'day')}`]
        : []),
  ];
};
