import {type ChainCertificate, certificatePem, chainCertificate} from './chain-certificate.ts';
import {error, type Finding, note} from './findings.ts';
import type {FoundKey, Material} from './material.ts';
import {samePublicKey} from './private-key.ts';

/** A certificate of a server among what was supplied, with what came along. */
export type Supply = {
  readonly leaf: ChainCertificate;
  /** Undefined when no key came along and none waits for it. */
  readonly key: FoundKey | undefined;
  /** All the other certificates: intermediates and roots, in any order. */
  readonly pool: readonly ChainCertificate[];
};

const publicKeyOf = ({publicKey}: ChainCertificate): string =>
  publicKey.export({type: 'spki', format: 'pem'}).toString();

export type Sorted = {
  readonly supplies: readonly Supply[];
  /** About the files as a whole: a key that fits nothing. */
  readonly findings: readonly Finding[];
};

/**
 * Which of the certificates are those of servers, and which keys are theirs. `waiting` are keys of requests that the
 * vault keeps: what a CA signed for one of them needs no key in the files. A certificate without a key is one of a
 * server when it issued none of the others and is no authority.
 */
export const sortSupplies = ({certificates, keys}: Material, waiting: readonly FoundKey[] = []): Sorted => {
  const readable = certificates.flatMap(({raw, file}) => {
    const certificate = chainCertificate(raw);
    return certificate ? [{certificate, file}] : [];
  });
  const all = readable.map(({certificate}) => certificate);
  const unreadable = certificates.filter(({raw}) => !all.some(each => each.raw.equals(raw)));
  const keyOf = (certificate: ChainCertificate): FoundKey | undefined =>
    [...keys, ...waiting].find(({publicKey}) => samePublicKey(publicKey, publicKeyOf(certificate)));
  const withKey = all.filter(each => keyOf(each) !== undefined);
  const alone = all.filter(
    each => !each.isAuthority && !all.some(other => other !== each && other.native.issuer === each.native.subject),
  );
  const leaves = withKey.length > 0 ? withKey : alone;
  const stray = keys.filter(({publicKey}) => !all.some(each => samePublicKey(publicKey, publicKeyOf(each))));
  return {
    supplies: leaves.map(leaf => ({leaf, key: keyOf(leaf), pool: all.filter(each => each !== leaf)})),
    findings: [
      ...unreadable.map(({file}) =>
        error(
          'damaged',
          `${file} holds a certificate with extensions that cannot be read.`,
          'Ask the CA for it once more.',
        ),
      ),
      ...(leaves.length === 0 && all.length > 0
        ? [
            error(
              'no-leaf',
              'Only certificates of authorities are here, none of a server.',
              'Name the file with the certificate itself, too.',
            ),
          ]
        : []),
      ...(all.length === 0
        ? [error('no-certificate', 'No certificate is here.', 'Name the file with the certificate that the CA sent.')]
        : []),
      ...stray.map(({file}) =>
        withKey.length > 0
          ? note('stray-key', `The key in ${file} belongs to none of the certificates, and is left out.`)
          : error(
              'pair',
              `The key in ${file} does not belong to ${leaves[0]?.title ?? 'a certificate that is here'}: the two are no pair.`,
              'Find the key that the request for this certificate was made with, or have a new certificate issued.',
            ),
      ),
    ],
  };
};

/** Those of a chain that a server sends: the leaf and the authorities below the root, which clients have. */
export const fullchainPem = (path: readonly ChainCertificate[]): string =>
  path.map(({raw}) => certificatePem(raw)).join('');
