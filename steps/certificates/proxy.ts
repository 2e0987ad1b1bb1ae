import type {Deployment} from '../../source/deployment/schema.ts';
import {readCertificate} from '../../source/tls/certificate.ts';
import {servedNames} from '../shared/deployment.ts';
import {paths, suppliedPaths} from './paths.ts';
import {bundleNamed, certificateSecret} from './supplied.ts';

/** A certificate as nginx finds it, and the names that it covers. */
export type ProxyCertificate = {
  readonly certificate: string;
  readonly key: string;
  readonly names: readonly string[];
};

/** The certificates that lie on the proxy, in the order in which they are tried for a name. */
export const proxyCertificates = (
  deployment: Deployment,
  secret: (name: string) => string,
): readonly ProxyCertificate[] => {
  const {tls} = deployment;
  if (tls.mode === 'local-ca')
    return [{certificate: paths.certificate, key: paths.key, names: servedNames(deployment)}];
  return tls.certificates.map(name => {
    const leaf = readCertificate(bundleNamed(name, secret).fullchain);
    if (!leaf.ok) throw new Error(`${certificateSecret(name)}: ${leaf.error}`);
    return {...suppliedPaths(name), names: leaf.value.names};
  });
};
