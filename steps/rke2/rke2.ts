import {randomBytes} from 'node:crypto';
import {type SecretSpec, type StepContext, step, type Verification} from '../../source/engine/step.ts';
import {kubeconfigPath, kubeEnvironment} from '../../source/kubernetes/access.ts';
import {parseAddress} from '../../source/network/address.ts';
import {artifact} from '../../source/resources/artifact.ts';
import {directory} from '../../source/resources/directory.ts';
import {absent, file} from '../../source/resources/file.ts';
import {kernelModule} from '../../source/resources/kernel-module.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {service} from '../../source/resources/service.ts';
import {sysctl} from '../../source/resources/sysctl.ts';
import {user} from '../../source/resources/user.ts';
import {waitFor} from '../../source/resources/wait-for.ts';
import {lines, sh} from '../../source/shell/script.ts';
import {firewall} from '../firewall/firewall.ts';
import {kubernetesTools} from '../kubernetes-tools/kubernetes-tools.ts';
import {exitsZero, prints} from '../shared/checks.ts';
import {hasKubernetes, kubernetesOf, roles} from '../shared/deployment.ts';
import {
  cisSettings,
  environmentFile,
  podSecurity,
  profile,
  registriesConfiguration,
  registrySecret,
  resolverFile,
  serverConfiguration,
  serverNames,
  tokenSecret,
} from './configuration.ts';
import {noOtherCluster} from './existing-cluster.ts';
import {rke2Images, rke2Program} from './installation.ts';
import {
  configurationDirectory,
  configurationPath,
  environmentPath,
  podSecurityPath,
  profilePath,
  program,
  registriesPath,
  resolverPath,
  serverCertificate,
  unit,
} from './paths.ts';
import {clusterReady, startProgress} from './readiness.ts';
import {rke2Remedies} from './remedies.ts';
import {rke2Removal} from './removal.ts';
import {rke2Version} from './versions.ts';

/** Seconds. Images are unpacked at the first start: ten minutes on a disk that turns. */
const startSeconds = 900;
const readySeconds = 900;

/** Of 256 bits, in characters that mean nothing to YAML, to a shell or in RKE2's own form of tokens. */
const newToken = (): string => randomBytes(32).toString('hex');

/** What a node must have before RKE2's CIS profile lets it start. */
const hardened: readonly Resource[] = [
  sysctl('rke2-cis', cisSettings),
  user('etcd', {system: true}),
  file(podSecurityPath, podSecurity, {mode: 0o600}),
];

const registries = (context: StepContext): Resource => {
  const content = registriesConfiguration(context.deployment, context.secret);
  return content === undefined ? absent(registriesPath) : file(registriesPath, content, {mode: 0o600, secret: true});
};

/** What the running server has read when it started. */
const readAtStart = ({deployment}: StepContext): readonly string[] => [
  configurationPath,
  environmentPath,
  ...(kubernetesOf(deployment).registry ? [registriesPath] : []),
  ...(kubernetesOf(deployment).cis ? [podSecurityPath] : []),
];

const certificateHolds = (name: string): Verification =>
  prints(
    {
      id: `certificate-${name}`,
      title: `the API server’s certificate is valid for ${name}`,
      script: parseAddress(name).ok
        ? sh`openssl x509 -in ${serverCertificate} -noout -checkip ${name}`
        : sh`openssl x509 -in ${serverCertificate} -noout -checkhost ${name}`,
    },
    /does match certificate$/,
  );

export const rke2 = step({
  id: 'rke2',
  title: 'RKE2 (Kubernetes)',
  why: 'Makes the cluster that Istio, Rancher and OpenG2P’s services run on.',
  role: roles.compute,
  // Further machines join this one: a step of its own, after it and on the others.
  once: true,
  after: [firewall, kubernetesTools],
  estimate: 300,
  enabled: hasKubernetes,
  secrets: (deployment): readonly SecretSpec[] => [
    {name: tokenSecret, generate: newToken},
    ...(kubernetesOf(deployment).registry?.user === undefined
      ? []
      : [{name: registrySecret, given: 'the password of the image registry'}]),
  ],
  removal: rke2Removal,
  resources: context => {
    const {deployment, host, secret, facts} = context;
    const version = rke2Version(deployment);
    const resolvers = resolverFile(deployment, host, facts);
    const configuration = serverConfiguration(deployment, host, secret(tokenSecret), {
      ownResolvers: resolvers !== undefined,
    });
    return [
      noOtherCluster(deployment, host, secret(tokenSecret)),
      kernelModule('overlay'),
      kernelModule('br_netfilter'),
      sysctl('rke2', {
        'net.ipv4.ip_forward': 1,
        'net.bridge.bridge-nf-call-iptables': 1,
        ...(facts.kernelFeatures.ipv6 && {'net.bridge.bridge-nf-call-ip6tables': 1}),
      }),
      directory(configurationDirectory),
      ...(kubernetesOf(deployment).cis ? hardened : []),
      ...(resolvers === undefined ? [] : [file(resolverPath, resolvers)]),
      file(configurationPath, configuration, {mode: 0o600, secret: true}),
      registries(context),
      file(environmentPath, environmentFile(deployment)),
      artifact(context, 'rke2-archive'),
      artifact(context, 'rke2-images'),
      rke2Images(context),
      rke2Program(context),
      file(profilePath, profile),
      service(unit, {
        enabled: true,
        running: true,
        configuration: [...readAtStart(context)],
        programs: [program],
        onChange: 'restart',
        slow: {seconds: startSeconds, progress: startProgress},
      }),
      waitFor({
        id: 'RKE2 is ready',
        doing: 'waiting for the cluster',
        until: clusterReady(deployment, host),
        timeoutSeconds: readySeconds,
        what: `node ${host.name} and the pods of RKE2 ${version} to be ready`,
      }),
    ];
  },
  verify: ({deployment, host}) => [
    exitsZero({
      id: 'ready',
      title: `node ${host.name} is ready, and all that RKE2 brings is running`,
      script: clusterReady(deployment, host),
    }),
    prints(
      {
        id: 'encryption',
        title: 'secrets are encrypted in the cluster’s state',
        script: sh`${program} secrets-encrypt status | head -n 1`,
      },
      'Encryption Status: Enabled',
    ),
    ...serverNames(deployment, host).map(certificateHolds),
    prints(
      {
        id: 'kubeconfig-mode',
        title: 'root alone can read the configuration with full rights',
        script: sh`stat -L -c '%a %U' ${kubeconfigPath}`,
      },
      '600 root',
    ),
    exitsZero({
      id: 'gateway-label',
      title: 'the node is marked for Istio’s gateway',
      script: lines(
        kubeEnvironment,
        sh`kubectl get nodes --selector=shouldInstallIstioIngress=true --no-headers | grep -F ${`${host.name} `}`,
      ),
    }),
  ],
  remedies: rke2Remedies,
});
