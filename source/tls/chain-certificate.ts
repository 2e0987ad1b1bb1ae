import {type KeyObject, X509Certificate} from 'node:crypto';
import {AsnConvert} from '@peculiar/asn1-schema';
import {Certificate as AsnCertificate, NameConstraints} from '@peculiar/asn1-x509';
import {nameConstraintsId} from './name-constraints.ts';
import * as x509 from './x509.ts';

/** What the verification of a chain asks about one certificate of it. */
export type ChainCertificate = {
  readonly raw: Buffer;
  readonly native: X509Certificate;
  /** DNS names of the subject alternative name, in lower case. The common name does not count, as for browsers. */
  readonly names: readonly string[];
  /** How people call it: its common name, or what it has instead. */
  readonly title: string;
  readonly issuerTitle: string;
  readonly selfIssued: boolean;
  readonly isAuthority: boolean;
  readonly hasExtensions: boolean;
  /** Authorities that may stand between it and a leaf; undefined: any number. */
  readonly pathLength: number | undefined;
  /** Bits of the key usage (x509.KeyUsageFlags); undefined: not restricted. */
  readonly usages: number | undefined;
  /** Object identifiers; undefined: not restricted. */
  readonly purposes: readonly string[] | undefined;
  readonly constraints: NameConstraints | undefined;
  /** Object identifiers of critical extensions that nobody here understands. */
  readonly notUnderstood: readonly string[];
  readonly publicKey: KeyObject;
  /** A phrase such as `an RSA key of 1024 bits`; undefined when the key is strong enough. */
  readonly weakKey: string | undefined;
  /** `SHA-1` or `MD5`; undefined when the signature is strong enough. */
  readonly weakSignature: string | undefined;
};

/** Critical extensions that OpenSSL's verification handles (its X509_supported_extension), as far as CAs use them. */
const understood: ReadonlySet<string> = new Set([
  ...['2.5.29.15', '2.5.29.17', '2.5.29.19', '2.5.29.30', '2.5.29.31', '2.5.29.32', '2.5.29.33', '2.5.29.36'],
  ...['2.5.29.37', '2.5.29.54', '2.16.840.1.113730.1.1', '1.3.6.1.5.5.7.1.7', '1.3.6.1.5.5.7.1.8'],
  '1.3.6.1.5.5.7.48.1.5',
]);

/** Signature algorithms below the 112 bits that Debian's and Ubuntu's OpenSSL insist on (security level 2). */
const weakSignatures: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.2': 'MD2',
  '1.2.840.113549.1.1.4': 'MD5',
  '1.2.840.113549.1.1.5': 'SHA-1',
  '1.2.840.10045.4.1': 'SHA-1',
  '1.2.840.10040.4.3': 'SHA-1',
};

/** NIST SP 800-57 part 1, table 2: 112 bits of security are RSA 2048 and curves of 224 bits. */
const leastBits = {rsa: 2048, ec: 224} as const;

/** Curves by OpenSSL's names: `prime256v1`, `secp192k1`, `brainpoolP160r1`. */
const curveBits = (curve: string): number => Number(/\d{3}/.exec(curve)?.[0] ?? 0);

const weakKeyOf = (key: KeyObject): string | undefined => {
  const {modulusLength = 0, namedCurve = ''} = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'rsa':
    case 'rsa-pss':
      return modulusLength < leastBits.rsa ? `an RSA key of ${modulusLength} bits` : undefined;
    case 'ec':
      return curveBits(namedCurve) < leastBits.ec ? `a key on the curve ${namedCurve}` : undefined;
    case 'ed25519':
    case 'ed448':
      return undefined;
    default:
      return `a key of the kind ${key.asymmetricKeyType}`;
  }
};

/** RSASSA-PSS names its hash in parameters, and means SHA-1 when it does not. */
const pss = '1.2.840.113549.1.1.10';

const weakSignatureOf = (raw: Buffer, parsed: x509.X509Certificate): string | undefined => {
  const {algorithm} = AsnConvert.parse(raw, AsnCertificate).signatureAlgorithm;
  if (algorithm !== pss) return weakSignatures[algorithm];
  const hash = parsed.signatureAlgorithm.hash?.name ?? 'SHA-1';
  return hash === 'SHA-1' ? hash : undefined;
};

const titleOf = (name: x509.Name): string =>
  (name.getField('CN')[0] ?? name.getField('OU')[0] ?? name.getField('O')[0] ?? name.toString()) || 'without a name';

/** Reads a certificate in DER; undefined when its extensions are not what they should be. */
export const chainCertificate = (raw: Buffer): ChainCertificate | undefined => {
  try {
    const native = new X509Certificate(raw);
    const parsed = new x509.X509Certificate(new Uint8Array(raw));
    const basic = parsed.getExtension(x509.BasicConstraintsExtension);
    const constraints = parsed.getExtension(nameConstraintsId);
    const names = parsed.getExtension(x509.SubjectAlternativeNameExtension)?.names.toJSON() ?? [];
    const {publicKey} = native;
    return {
      raw,
      native,
      names: names.filter(({type}) => type === 'dns').map(({value}) => value.toLowerCase()),
      title: titleOf(parsed.subjectName),
      issuerTitle: titleOf(parsed.issuerName),
      selfIssued: native.subject === native.issuer,
      isAuthority: basic?.ca ?? false,
      hasExtensions: parsed.extensions.length > 0,
      pathLength: basic?.pathLength,
      usages: parsed.getExtension(x509.KeyUsagesExtension)?.usages,
      purposes: parsed.getExtension(x509.ExtendedKeyUsageExtension)?.usages.map(String),
      constraints: constraints ? AsnConvert.parse(constraints.value, NameConstraints) : undefined,
      notUnderstood: parsed.extensions
        .filter(({critical, type}) => critical && !understood.has(type))
        .map(({type}) => type),
      publicKey,
      weakKey: weakKeyOf(publicKey),
      weakSignature: weakSignatureOf(raw, parsed),
    };
  } catch {
    return undefined;
  }
};

/** In PEM, with a line end. */
export const certificatePem = (raw: Buffer): string =>
  [
    '-----BEGIN CERTIFICATE-----',
    ...(raw.toString('base64').match(/.{1,64}/g) ?? []),
    '-----END CERTIFICATE-----',
    '',
  ].join('\n');
