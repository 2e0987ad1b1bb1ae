import type {Deployment} from '../../source/deployment/schema.ts';
import type {SecretSpec} from '../../source/engine/step.ts';
import {type Authority, authorityFromText, authorityToText, createAuthority} from '../../source/tls/authority.ts';
import type {Bundle} from '../../source/tls/bundle.ts';
import {chainCertificate} from '../../source/tls/chain-certificate.ts';
import {pemBlocks} from '../../source/tls/pem-blocks.ts';
import {systemRoots} from '../../source/tls/roots.ts';
import {bundleNamed, suppliedSpecs} from './supplied.ts';

/**
 * The vault's name for the deployment's authority. By the domain that it may issue for, since that is written into it:
 * another domain needs another authority, which everybody has to trust anew.
 */
export const authoritySecret = (deployment: Deployment): string => `certificate-authority.${deployment.domain}`;

export const authoritySpec = (deployment: Deployment): SecretSpec => ({
  name: authoritySecret(deployment),
  generate: async () =>
    authorityToText(
      await createAuthority({
        commonName: `Groundwork CA of ${deployment.name} (${deployment.domain})`,
        permit: {domains: [deployment.domain], subnets: []},
        now: new Date(),
      }),
    ),
});

/** Throws when the vault's text is not what `authoritySpec` made: somebody edited the vault. */
export const authorityFrom = (text: string): Authority => {
  const authority = authorityFromText(text);
  if (!authority.ok) throw new Error(authority.error);
  return authority.value;
};

/** What must be known to say who vouches for the names of the deployment. */
export const voucherSpecs = (deployment: Deployment): readonly SecretSpec[] =>
  deployment.tls.mode === 'supplied' ? suppliedSpecs(deployment, deployment.tls) : [authoritySpec(deployment)];

/** Those who vouch for the names of the deployment, each certificate in PEM. */
export type Vouchers = {
  /** All of them: who knows these can check every certificate of the proxy. */
  readonly all: readonly string[];
  /** Those that no browser and no system knows by itself. */
  readonly private: readonly string[];
};

const isPublic = ({root}: Bundle): boolean =>
  pemBlocks(root).blocks.some(({der}) => {
    const certificate = chainCertificate(der);
    return certificate !== undefined && systemRoots().isPublic(certificate);
  });

export const vouchersOf = (deployment: Deployment, secret: (name: string) => string): Vouchers => {
  const {tls} = deployment;
  if (tls.mode === 'local-ca') {
    const {certificate} = authorityFrom(secret(authoritySecret(deployment)));
    return {all: [certificate], private: [certificate]};
  }
  const bundles = tls.certificates.map(name => bundleNamed(name, secret));
  return {
    all: [...new Set(bundles.map(({root}) => root))],
    private: [...new Set(bundles.filter(bundle => !isPublic(bundle)).map(({root}) => root))],
  };
};

/**
 * How long certificates of the deployment's own CA are valid, and when they are renewed. Beside supplied certificates it
 * issues for the machines alone (the database), at its usual terms.
 */
export const leafTerms = ({tls}: Pick<Deployment, 'tls'>): {readonly days: number; readonly renewDays: number} =>
  tls.mode === 'local-ca' ? {days: tls.leafDays, renewDays: tls.renewDays} : {days: 397, renewDays: 60};
