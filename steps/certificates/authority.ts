import type {Deployment} from '../../source/deployment/schema.ts';
import type {SecretSpec} from '../../source/engine/step.ts';
import {type Authority, authorityFromText, authorityToText, createAuthority} from '../../source/tls/authority.ts';

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
