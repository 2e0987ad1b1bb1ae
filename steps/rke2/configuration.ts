import {stringify} from 'yaml';
import {proxyOf} from '../../source/artifacts/source.ts';
import type {Deployment, HostSpec} from '../../source/deployment/schema.ts';
import type {Facts} from '../../source/hosts/facts.ts';
import {parseAddress, purposeOf} from '../../source/network/address.ts';
import {upstreams} from '../local-dns/configuration.ts';
import {managedFile, managedNote, word} from '../shared/config-text.ts';
import {kubernetesOf} from '../shared/deployment.ts';
import {dataDirectory, podSecurityPath, resolverPath} from './paths.ts';
import {parseVersion, rke2Version} from './versions.ts';

/** The vault's names for what stands in RKE2's files. */
export const tokenSecret = 'rke2-token';
export const registrySecret = 'registry-password';

const yaml = (content: object): string => `${managedNote}\n${stringify(content, {lineWidth: 0})}`;

const isLoopback = (name: string): boolean => {
  const address = parseAddress(name);
  return name === 'localhost' || (address.ok && purposeOf(address.value) === 'loopback');
};

/**
 * The names that the API server's certificate holds beside those that RKE2 puts there itself. From the first day,
 * because a name that is missing is noticed only when somebody needs it, and every client trusts the old certificate.
 */
export const serverNames = ({domain}: Pick<Deployment, 'domain'>, host: HostSpec): readonly string[] => [
  ...new Set(
    [host.privateAddress, host.name, `rancher.${domain}`, host.address]
      .map(name => name.toLowerCase())
      .filter(name => !isLoopback(name)),
  ),
];

/**
 * No ingress controller: Istio's gateway is the way in. `ingress-controller` came with 1.30.3; releases from 1.36 on
 * no longer know the ingress among what can be `disable`d (`rke2 server --help` of both).
 */
export const withoutIngress = (version: string): object =>
  (parseVersion(version)?.minor ?? 0) >= 31 ? {'ingress-controller': 'none'} : {disable: ['rke2-ingress-nginx']};

/** More than three are ignored by the C library, and the kubelet complains about them at every pod. */
const mostResolvers = 3;

/**
 * The resolvers of the cluster. Not the host's own file: where that names the loopback, as it does with our DNS server
 * on the host, RKE2 would ask 8.8.8.8 in its place, which a closed site does not have. Undefined where none are known.
 */
export const resolverFile = (
  deployment: Deployment,
  host: HostSpec,
  facts: Pick<Facts, 'resolver' | 'nameservers'>,
): string | undefined => {
  const known = upstreams(deployment, host, facts).slice(0, mostResolvers);
  return known.length === 0 ? undefined : managedFile(known.map(address => `nameserver ${word(address)}`));
};

/**
 * Secrets are encrypted at rest without being asked (docs.rke2.io, security/secrets_encryption), and Canal is the
 * network unless another is named; both are left as RKE2 has them.
 */
export const serverConfiguration = (
  deployment: Deployment,
  host: HostSpec,
  token: string,
  {ownResolvers}: {readonly ownResolvers: boolean},
): string => {
  const {cis, snapshots} = kubernetesOf(deployment);
  const {pods, services} = deployment.network;
  return yaml({
    token,
    'node-name': host.name,
    'node-ip': host.privateAddress,
    'tls-san': serverNames(deployment, host),
    'cluster-cidr': pods,
    'service-cidr': services,
    ...(ownResolvers && {'resolv-conf': resolverPath}),
    ...withoutIngress(rke2Version(deployment)),
    'write-kubeconfig-mode': '0600',
    'etcd-snapshot-schedule-cron': snapshots.schedule,
    'etcd-snapshot-retention': snapshots.keep,
    'node-label': ['shouldInstallIstioIngress=true'],
    // At most 250 MB for each container, whatever it prints.
    'kubelet-arg': ['container-log-max-size=50Mi', 'container-log-max-files=5'],
    // Packets to these ports are redirected to pods before the firewall's rules for this host are asked.
    'kube-proxy-arg': [`nodeport-addresses=${host.privateAddress}/32`],
    ...(cis && {profile: 'cis', 'pod-security-admission-config-file': podSecurityPath}),
  });
};

/**
 * Every image is asked of the site's registry first, whichever registry its name says. Undefined: RKE2 goes to the
 * registries themselves, for what is not among the images that were brought along.
 */
export const registriesConfiguration = (
  deployment: Deployment,
  secret: (name: string) => string,
): string | undefined => {
  const {registry} = kubernetesOf(deployment);
  if (!registry) return undefined;
  const {host, origin, pathname} = new URL(registry.address);
  const path = pathname.replace(/^\/|\/$/g, '');
  const {user, authorityFile} = registry;
  return yaml({
    mirrors: {'*': {endpoint: [origin], ...(path !== '' && {rewrite: {'^(.*)$': `${path}/$1`}})}},
    ...((user !== undefined || authorityFile !== undefined) && {
      configs: {
        [host]: {
          ...(user !== undefined && {auth: {username: user, password: secret(registrySecret)}}),
          ...(authorityFile !== undefined && {tls: {ca_file: authorityFile}}),
        },
      },
    }),
  });
};

/** As systemd reads it. The ranges of the cluster are added by RKE2 itself; those of the machines it cannot know. */
export const environmentFile = (deployment: Deployment): string => {
  const proxy = proxyOf(deployment);
  if (!proxy) return managedFile();
  const {privateSubnet, pods, services} = deployment.network;
  const own = ['127.0.0.0/8', privateSubnet, pods, services, '.svc', '.cluster.local', `.${deployment.domain}`];
  const quoted = (text: string): string => `"${text.replace(/["\\$`]/g, '\\$&')}"`;
  return managedFile(
    `HTTP_PROXY=${quoted(proxy.address)}`,
    `HTTPS_PROXY=${quoted(proxy.address)}`,
    `NO_PROXY=${quoted([...own, ...proxy.exclude].join(','))}`,
  );
};

/** What the operator's shell on the host knows: the programs of the cluster and, for root, how to reach it. */
export const profile = managedFile(
  `export PATH="$PATH:${dataDirectory}/bin"`,
  `export CRI_CONFIG_FILE=${dataDirectory}/agent/etc/crictl.yaml`,
  // Somebody who may not read it gets the error of another file otherwise, and looks in the wrong place.
  'if [ -r /etc/rancher/rke2/rke2.yaml ]; then export KUBECONFIG=/etc/rancher/rke2/rke2.yaml; fi',
);

/** The kernel settings without which the CIS profile does not start (docs.rke2.io, security/hardening_guide). */
export const cisSettings = {
  'vm.panic_on_oom': 0,
  'vm.overcommit_memory': 1,
  'kernel.panic': 10,
  'kernel.panic_on_oops': 1,
} as const;

/** Namespaces of the cluster and the platform, whose programs need more of the machine than a restricted pod may have. */
const exemptNamespaces = [
  'kube-system',
  'cattle-system',
  'cattle-capi-system',
  'cattle-dashboards',
  'cattle-fleet-clusters-system',
  'cattle-fleet-local-system',
  'cattle-fleet-system',
  'cattle-impersonation-system',
  'cattle-local-user-passwords',
  'cattle-monitoring-system',
  'cattle-provisioning-capi-system',
  'cattle-resources-system',
  'cattle-turtles-system',
  'cattle-ui-plugin-system',
  'compliance-operator-system',
  'istio-system',
  'observability',
] as const;

/** In place of the list that comes with the CIS profile, under which Istio, Rancher and the monitoring would not start. */
export const podSecurity = yaml({
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'AdmissionConfiguration',
  plugins: [
    {
      name: 'PodSecurity',
      configuration: {
        apiVersion: 'pod-security.admission.config.k8s.io/v1',
        kind: 'PodSecurityConfiguration',
        defaults: {
          enforce: 'restricted',
          'enforce-version': 'latest',
          audit: 'restricted',
          'audit-version': 'latest',
          warn: 'restricted',
          'warn-version': 'latest',
        },
        exemptions: {usernames: [], runtimeClasses: [], namespaces: exemptNamespaces},
      },
    },
  ],
});
