import type {Deployment, Tls} from '../../source/deployment/schema.ts';
import type {SecretSpec} from '../../source/engine/step.ts';
import {type Bundle, bundleFromText, judgeKept} from '../../source/tls/bundle.ts';
import {covers} from '../../source/tls/coverage.ts';
import {isError} from '../../source/tls/findings.ts';
import type {Verdict} from '../../source/tls/judge.ts';
import {type Roots, systemRoots} from '../../source/tls/roots.ts';
import {clientNames} from '../shared/client-names.ts';
import {servedNames} from '../shared/deployment.ts';

export type SuppliedTls = Extract<Tls, {readonly mode: 'supplied'}>;

/** Where the vault keeps a supplied certificate with its chain and key. */
export const certificateSecret = (name: string): string => `certificate.${name}`;

/** Where the vault keeps the key of a request, and the request, until its certificate comes back. */
export const requestSecret = (name: string): string => `certificate-request.${name}`;

/** Names of the certificates of which a vault holds something under the names that `secretOf` gives. */
export const keptNames = (secretOf: (name: string) => string, names: readonly string[]): readonly string[] => {
  const prefix = secretOf('');
  return names.filter(name => name.startsWith(prefix)).map(name => name.slice(prefix.length));
};

export const suppliedSpecs = ({name: deployment}: Pick<Deployment, 'name'>, tls: SuppliedTls): readonly SecretSpec[] =>
  tls.certificates.map(name => ({
    name: certificateSecret(name),
    given: `the certificate "${name}"`,
    remedy: `Import it with \`groundwork certificates import --deployment ${deployment} FILES\`, then try again.`,
  }));

/** A certificate of the deployment by its name. Throws when the vault's text is no such thing: see `certificateState`. */
export const bundleNamed = (name: string, secret: (name: string) => string): Bundle => {
  const bundle = bundleFromText(secret(certificateSecret(name)));
  if (!bundle.ok) throw new Error(`${certificateSecret(name)}: ${bundle.error}`);
  return bundle.value;
};

export type NamedVerdict = {readonly name: string; readonly verdict: Verdict};

export type CertificateState = {
  readonly verdicts: readonly NamedVerdict[];
  /** Certificates that are still with the CA, and those of which nothing is there. */
  readonly waiting: readonly string[];
  readonly missing: readonly string[];
  /** Names that clients ask for and no certificate covers. */
  readonly uncovered: readonly string[];
  /** Why an installation cannot begin, a sentence each; none when all is well. */
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
};

/** Many names below one domain are told by the first two. */
const fewOf = (names: readonly string[]): string =>
  [...Map.groupBy(names, name => name.split('.').slice(1).join('.'))]
    .map(([domain, below]) =>
      below.length > 3
        ? `${below.slice(0, 2).join(', ')} and ${below.length - 2} more below ${domain}`
        : below.join(', '),
    )
    .join('; ');

const textOf = ({message, remedy}: {readonly message: string; readonly remedy?: string}): string =>
  [message, remedy].filter(Boolean).join(' ');

export type StateOptions = {
  /** A secret of the vault; undefined when there is none of that name. */
  readonly get: (secret: string) => string | undefined;
  readonly now: Date;
  readonly roots?: Roots;
};

/** What is to be said of the supplied certificates of a deployment; nothing for one that has a CA of its own. */
export const certificateState = (
  deployment: Deployment,
  {get, now, roots = systemRoots()}: StateOptions,
): CertificateState => {
  const {tls, name: deploymentName} = deployment;
  if (tls.mode !== 'supplied') {
    return {verdicts: [], waiting: [], missing: [], uncovered: [], errors: [], warnings: []};
  }
  const importing = `groundwork certificates import --deployment ${deploymentName} FILES`;
  const absent = tls.certificates.filter(name => get(certificateSecret(name)) === undefined);
  const waiting = absent.filter(name => get(requestSecret(name)) !== undefined);
  const missing = absent.filter(name => !waiting.includes(name));
  const judged = tls.certificates.flatMap(name => {
    const text = get(certificateSecret(name));
    return text === undefined ? [] : [{name, verdict: judgeKept(text, {roots, now, warnDays: tls.warnDays})}];
  });
  const verdicts = judged.flatMap(({name, verdict}) => (verdict.ok ? [{name, verdict: verdict.value}] : []));
  const certified = verdicts.flatMap(({verdict}) => verdict.leaf.names);
  const wanted = clientNames(deployment);
  const uncovered = absent.length > 0 ? [] : wanted.filter(name => !covers(certified, name));
  const idle =
    absent.length === 0 && !servedNames(deployment).some(name => covers(certified, name)) && wanted.length === 0;
  const domains = servedNames(deployment).filter(name => !name.startsWith('*.'));
  const bare = verdicts.length === 0 || absent.length > 0 ? [] : domains.filter(name => !covers(certified, name));
  return {
    verdicts,
    waiting,
    missing,
    uncovered: idle ? servedNames(deployment) : uncovered,
    errors: [
      ...missing.map(name => `The certificate "${name}" is not there yet. Import it: ${importing}`),
      ...waiting.map(name => `The certificate "${name}" is still with the CA. When it has come back: ${importing}`),
      ...judged.flatMap(({name, verdict}) => (verdict.ok ? [] : [`The certificate "${name}": ${verdict.error}.`])),
      ...verdicts.flatMap(({name, verdict}) =>
        verdict.findings.filter(isError).map(finding => `The certificate "${name}": ${textOf(finding)}`),
      ),
      ...(uncovered.length > 0 || idle
        ? [
            `No certificate covers ${fewOf(idle ? servedNames(deployment) : uncovered)}. A wildcard covers one label only, so each environment needs its own. Import one that does: ${importing}`,
          ]
        : []),
    ],
    warnings: [
      ...verdicts.flatMap(({name, verdict}) =>
        verdict.findings
          .filter(({severity}) => severity === 'warning')
          .map(finding => `The certificate "${name}": ${textOf(finding)}`),
      ),
      ...(bare.length > 0
        ? [`No certificate covers ${bare.join(', ')} itself. No service is found there, so nginx refuses it.`]
        : []),
    ],
  };
};
