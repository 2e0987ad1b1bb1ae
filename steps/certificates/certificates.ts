import {playsRole} from '../../source/blueprints/blueprint.ts';
import type {Deployment} from '../../source/deployment/schema.ts';
import {type HandoverFile, step, type Verification} from '../../source/engine/step.ts';
import {command} from '../../source/resources/command.ts';
import {directory} from '../../source/resources/directory.ts';
import {file} from '../../source/resources/file.ts';
import {reloadOf} from '../../source/resources/reload.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {sh} from '../../source/shell/script.ts';
import {hostBaseline} from '../host-baseline/host-baseline.ts';
import {exitsZero} from '../shared/checks.ts';
import {roles, servedNames} from '../shared/deployment.ts';
import {authorityFrom, authoritySecret, leafTerms, voucherSpecs, vouchersOf} from './authority.ts';
import {leaf} from './leaf.ts';
import {exampleOf} from './names.ts';
import {handedOverAuthority, handedOverCertificate, paths, suppliedPaths, trustBundle, trustedPath} from './paths.ts';
import {type ProxyCertificate, proxyCertificates} from './proxy.ts';
import {certificatesRemoval} from './removal.ts';
import {bundleNamed, type SuppliedTls} from './supplied.ts';

/** A line in the middle of the certificate's base64: no other certificate has it. */
const tellingLine = (certificate: string): string => certificate.trim().split('\n').at(-3) ?? certificate;

/** What is on the proxy of one certificate. */
type OnProxy = Pick<ProxyCertificate, 'certificate' | 'key' | 'names'> & {
  /** Its name where there are several. */
  readonly name: string;
};

const verifyOne = ({name, certificate, key, names}: OnProxy): readonly Verification[] => {
  const [prefix, which] = name === '' ? ['', 'the certificate'] : [`${name}-`, `the certificate “${name}”`];
  return [
    exitsZero({
      id: `${prefix}chain`,
      title: `${which} was issued for a server by an authority that the host trusts`,
      script: sh`openssl verify -purpose sslserver -CAfile ${paths.authority} -untrusted ${certificate} ${certificate}`,
    }),
    exitsZero(
      {
        id: `${prefix}names`,
        title: `${which} covers ${names.join(', ')}`,
        script: sh`for name in ${names.map(exampleOf)}; do
  openssl x509 -in ${certificate} -noout -checkhost "$name" | grep -F 'does match' || exit 1
done`,
      },
      `covers ${names.length} names`,
    ),
    exitsZero(
      {
        id: `${prefix}pair`,
        title: `${which} belongs to the private key, which only root can read`,
        script: sh`[ "$(openssl x509 -in ${certificate} -noout -pubkey)" = "$(openssl pkey -in ${key} -pubout)" ] &&
[ "$(stat -c '%a %U' ${key})" = '600 root' ]`,
      },
      'the public keys are equal',
    ),
    exitsZero({
      id: `${prefix}validity`,
      title: `${which} is valid for at least a week`,
      script: sh`openssl x509 -in ${certificate} -noout -enddate -checkend 604800 | head -n 1 &&
openssl x509 -in ${certificate} -noout -checkend 604800 >/dev/null`,
    }),
  ];
};

/** Makes the host trust authorities that its system does not know by itself. */
const trustOf = (deployment: Deployment, authorities: readonly string[]): readonly Resource[] => [
  ...authorities.map((certificate, index) => file(trustedPath(deployment, index), certificate)),
  ...(authorities.length > 0
    ? [
        command({
          id: 'trust of the deployment’s CA',
          doing: 'making the host trust the deployment’s CA',
          unless: sh`for line in ${authorities.map(tellingLine)}; do grep -qF -- "$line" ${trustBundle} || exit 1; done`,
          script: sh`update-ca-certificates`,
          change: 'trust the deployment’s CA',
        }),
      ]
    : []),
];

/** Supplied certificates with their keys; the running nginx takes a new one at once. */
const suppliedFiles = (tls: SuppliedTls, secret: (name: string) => string): readonly Resource[] => [
  ...tls.certificates.flatMap(name => {
    const bundle = bundleNamed(name, secret);
    const {certificate, key} = suppliedPaths(name);
    return [file(key, bundle.key, {mode: 0o600, secret: true}), file(certificate, bundle.fullchain)];
  }),
  reloadOf(
    'nginx.service',
    tls.certificates.flatMap(name => Object.values(suppliedPaths(name))),
  ),
];

const onProxy = (deployment: Deployment, secret: (name: string) => string): readonly OnProxy[] => {
  const {tls} = deployment;
  const names = tls.mode === 'supplied' && tls.certificates.length > 1 ? tls.certificates : [''];
  return proxyCertificates(deployment, secret).map((each, index) => ({...each, name: names[index] ?? ''}));
};

/** The deployment's own CA, or private ones that vouch for supplied certificates: for browsers to trust. */
const handovers = (deployment: Deployment, secret: (name: string) => string): readonly HandoverFile[] => {
  const {tls} = deployment;
  const authorities = vouchersOf(deployment, secret).private;
  return [
    ...(authorities.length > 0
      ? [
          {
            path: handedOverAuthority,
            title: 'Certificate of the deployment’s CA, to be trusted by browsers',
            content: authorities.join(''),
            secret: false,
          },
        ]
      : []),
    ...(tls.mode === 'supplied'
      ? tls.certificates.map(name => ({
          path: handedOverCertificate(name),
          title: `Certificate “${name}” with its chain, as the proxy sends it`,
          content: bundleNamed(name, secret).fullchain,
          secret: false,
        }))
      : []),
  ];
};

export const certificates = step({
  id: 'certificates',
  title: 'CA and certificates',
  why: 'Gives the platform’s names certificates that every machine which trusts their CA accepts.',
  role: roles.base,
  after: [hostBaseline],
  estimate: 5,
  secrets: voucherSpecs,
  removal: certificatesRemoval,
  resources: ({deployment, host, secret, now}) => {
    const {tls} = deployment;
    const vouchers = vouchersOf(deployment, secret);
    const common = [
      directory(paths.directory),
      file(paths.authority, vouchers.all.join('')),
      ...trustOf(deployment, vouchers.private),
    ];
    if (!playsRole(host, roles.proxy)) return common;
    if (tls.mode === 'supplied') return [...common, ...suppliedFiles(tls, secret)];
    const authority = authorityFrom(secret(authoritySecret(deployment)));
    return [
      ...common,
      leaf({files: paths, authority, names: servedNames(deployment), now, ...leafTerms(deployment)}),
      // A new certificate is served also when this step alone is retried.
      reloadOf('nginx.service', [paths.certificate, paths.key]),
    ];
  },
  verify: ({deployment, host, secret}) => [
    exitsZero({
      id: 'trust',
      title: 'the host trusts the deployment’s CA',
      script: sh`openssl verify -CAfile ${trustBundle} ${paths.authority}`,
    }),
    ...(playsRole(host, roles.proxy) ? onProxy(deployment, secret).flatMap(verifyOne) : []),
  ],
  handover: ({deployment, secret}) => handovers(deployment, secret),
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
      remedy:
        'Compare `date -u` with the right time. If it is right, retry: a certificate of the deployment’s own CA is issued anew, and a supplied one is replaced by importing its successor.',
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
      remedy:
        'Retry the step: it writes what this deployment’s vault holds, and issues a certificate of its own CA again.',
    },
  ],
});
