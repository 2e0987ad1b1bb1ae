import {X509Certificate} from 'node:crypto';
import {rootCertificates} from 'node:tls';
import {expect, it} from 'vitest';
import {chainCertificate} from '../../source/tls/chain-certificate.ts';
import {rootsFrom, systemRoots, withPrivateRoots} from '../../source/tls/roots.ts';

const [first, second] = rootCertificates.map(pem => new X509Certificate(pem)) as [X509Certificate, X509Certificate];

it('Mozilla’s roots are found by their subject, and are public', () => {
  const roots = systemRoots();
  for (const pem of rootCertificates) {
    const {subject, fingerprint256} = new X509Certificate(pem);
    const found = roots.named(subject).find(({native}) => native.fingerprint256 === fingerprint256);
    expect(found && roots.isPublic(found), subject).toBe(true);
  }
});

it('a root of an organisation is trusted where it came along, and is not public', () => {
  const own = chainCertificate(second.raw);
  if (!own) throw new Error('the root cannot be read');
  const roots = rootsFrom([first]);
  expect(roots.named(second.subject)).toEqual([]);
  const more = withPrivateRoots(roots, [own]);
  expect(more.named(second.subject)).toEqual([own]);
  expect(more.isPublic(own)).toBe(false);
});
