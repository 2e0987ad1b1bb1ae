import {playsRole} from '../../source/blueprints/blueprint.ts';
import {step, type Verification} from '../../source/engine/step.ts';
import {command} from '../../source/resources/command.ts';
import {directory} from '../../source/resources/directory.ts';
import {file} from '../../source/resources/file.ts';
import {sh} from '../../source/shell/script.ts';
import {hostBaseline} from '../host-baseline/host-baseline.ts';
import {exitsZero} from '../shared/checks.ts';
import {roles, servedNames} from '../shared/deployment.ts';
import {authorityFrom, authoritySecret, authoritySpec} from './authority.ts';
import {leaf} from './leaf.ts';
import {handedOverAuthority, paths, trustBundle, trustedPath} from './paths.ts';
import {certificatesRemoval} from './removal.ts';

/** A line in the middle of the certificate's base64: no other certificate has it. */
const tellingLine = (certificate: string): string => certificate.trim().split('\n').at(-3) ?? certificate;

/** A name that a wildcard certificate must cover: `*.` stands for any one label. */
const exampleOf = (name: string): string => name.replace(/^\*/, 'any-name');

const verifyLeaf = (names: readonly string[]): readonly Verification[] => [
  exitsZero({
    id: 'chain',
    title: 'the certificate was issued by the deployment’s CA for a server',
    script: sh`openssl verify -purpose sslserver -CAfile ${paths.authority} ${paths.certificate}`,
  }),
  exitsZero(
    {
      id: 'names',
      title: `the certificate covers ${names.join(', ')}`,
      script: sh`for name in ${names.map(exampleOf)}; do
  openssl x509 -in ${paths.certificate} -noout -checkhost "$name" | grep -F 'does match' || exit 1
done`,
    },
    `covers ${names.length} names`,
  ),
  exitsZero(
    {
      id: 'pair',
      title: 'the certificate belongs to the private key, which only root can read',
      script: sh`[ "$(openssl x509 -in ${paths.certificate} -noout -pubkey)" = "$(openssl pkey -in ${paths.key} -pubout)" ] &&
[ "$(stat -c '%a %U' ${paths.key})" = '600 root' ]`,
    },
    'the public keys are equal',
  ),
  exitsZero({
    id: 'validity',
    title: 'the certificate is valid for at least a week',
    script: sh`openssl x509 -in ${paths.certificate} -noout -enddate -checkend 604800 | head -n 1 &&
openssl x509 -in ${paths.certificate} -noout -checkend 604800 >/dev/null`,
  }),
];

export const certificates = step({
  id: 'certificates',
  title: 'Local CA and certificates',
  why: 'Gives the platform’s names certificates that every machine which trusts the deployment’s CA accepts.',
  role: roles.base,
  after: [hostBaseline],
  estimate: 5,
  secrets: deployment => [authoritySpec(deployment)],
  removal: certificatesRemoval,
  resources: ({deployment, host, secret, now}) => {
    const authority = authorityFrom(secret(authoritySecret(deployment)));
    const trusted = trustedPath(deployment);
    return [
      directory(paths.directory),
      file(paths.authority, authority.certificate),
      file(trusted, authority.certificate),
      command({
        id: 'trust of the deployment’s CA',
        doing: 'making the host trust the deployment’s CA',
        unless: sh`grep -qF -- ${tellingLine(authority.certificate)} ${trustBundle}`,
        script: sh`update-ca-certificates`,
        change: 'trust the deployment’s CA',
      }),
      ...(playsRole(host, roles.proxy)
        ? [
            leaf({
              files: paths,
              authority,
              names: servedNames(deployment),
              now,
              days: deployment.tls.leafDays,
              renewDays: deployment.tls.renewDays,
            }),
          ]
        : []),
    ];
  },
  verify: ({deployment, host}) => [
    exitsZero({
      id: 'trust',
      title: 'the host trusts the deployment’s CA',
      script: sh`openssl verify -CAfile ${trustBundle} ${paths.authority}`,
    }),
    ...(playsRole(host, roles.proxy) ? verifyLeaf(servedNames(deployment)) : []),
  ],
  handover: ({deployment, secret}) => [
    {
      path: handedOverAuthority,
      title: 'Certificate of the deployment’s CA, to be trusted by browsers',
      content: authorityFrom(secret(authoritySecret(deployment))).certificate,
      secret: false,
    },
  ],
  remedies: [
    {
      id: 'clock',
      match: /certificate is not yet valid/i,
      cause: 'The clock of the host is behind the clock of the machine that issued the certificate.',
      remedy: 'Compare `date -u` on both; put the wrong one right, then retry.',
    },
    {
      id: 'expired',
      match: /certificate has expired|expired on/i,
      cause: 'The certificate ended, or the clock of the host is ahead.',
      remedy: 'Compare `date -u` with the right time. If it is right, retry: a new certificate is issued.',
    },
    {
      id: 'domains',
      match: /authority may not issue for/i,
      cause: 'The deployment’s CA was made for other domains, which are written into it.',
      remedy: 'Put the environment’s domain below the deployment’s, or go back to the domain that the CA was made for.',
    },
    {
      id: 'other-authority',
      match: /unable to get (local )?issuer certificate|self[- ]signed certificate/i,
      cause: 'The certificate on the host was issued by another authority, or the CA file was exchanged.',
      remedy: 'Retry the step: it writes the CA of this deployment’s vault and issues the certificate again.',
    },
  ],
});
