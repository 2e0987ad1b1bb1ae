import {proxyOf} from '../../source/artifacts/source.ts';
import type {Deployment} from '../../source/deployment/schema.ts';
import type {KubeObject} from '../../source/kubernetes/objects.ts';
import {kubernetesOf} from '../shared/deployment.ts';
import {namespace, namespaces, opaqueSecret, published, rancherName} from '../shared/platform.ts';

export const passwordSecret = 'rancher-bootstrap-password';

/** What Helm looks at before it takes over an object that was there before the release. */
const ofTheRelease = {
  labels: {'app.kubernetes.io/managed-by': 'Helm'},
  annotations: {'meta.helm.sh/release-name': 'rancher', 'meta.helm.sh/release-namespace': namespaces.rancher},
};

/**
 * What must be there before Rancher starts: the first administrator's password, in the Secret that its chart looks up
 * and then keeps (so that it never stands among the chart's values), and the private authorities that browsers and machines of
 * other clusters are to believe, if there are any.
 */
export const rancherPrerequisites = (password: string, authorities: readonly string[]): readonly KubeObject[] => [
  namespace(namespaces.rancher, 'privileged'),
  opaqueSecret(
    {name: 'bootstrap-secret', namespace: namespaces.rancher, ...ofTheRelease},
    {bootstrapPassword: password},
  ),
  ...(authorities.length > 0
    ? [opaqueSecret({name: 'tls-ca', namespace: namespaces.rancher}, {'cacerts.pem': authorities.join('')})]
    : []),
];

/** What a program in the cluster reaches without the site's proxy: the cluster itself and the site. */
const withoutProxy = ({network, domain}: Deployment, more: readonly string[]): string =>
  [
    ...new Set([
      '127.0.0.0/8',
      network.pods,
      network.services,
      network.privateSubnet,
      '.svc',
      '.cluster.local',
      `.${domain}`,
      ...more,
    ]),
  ].join(',');

export const rancherValues = (deployment: Deployment, privateAuthority = true) => {
  const proxy = proxyOf(deployment);
  return {
    hostname: rancherName(deployment),
    replicas: kubernetesOf(deployment).rancher.replicas,
    // TLS ends at nginx; the way in is Istio's gateway.
    tls: 'external',
    ingress: {enabled: false},
    privateCA: privateAuthority,
    // The charts that Rancher shows come out of its own image where the internet is not to be asked.
    useBundledSystemChart: deployment.artifacts.source !== 'online',
    ...(proxy && {proxy: proxy.address, noProxy: withoutProxy(deployment, proxy.exclude)}),
    resources: {requests: {cpu: '250m', memory: '1Gi'}, limits: {memory: '4Gi'}},
    // Ten minutes and not two: the first start makes a hundred kinds of objects, on slow disks too.
    startupProbe: {periodSeconds: 10, failureThreshold: 60, timeoutSeconds: 5},
  };
};

/** The way from the gateway to Rancher. */
export const rancherRoutes = (deployment: Deployment): readonly KubeObject[] =>
  published({
    name: 'rancher',
    namespace: namespaces.rancher,
    host: rancherName(deployment),
    service: 'rancher',
    port: 80,
  });

const setting = (name: string, value: string): KubeObject => ({
  apiVersion: 'management.cattle.io/v3',
  kind: 'Setting',
  metadata: {name},
  value,
});

/**
 * What Rancher is told as objects, and not through its HTTP API, which takes a login, a token and a way through the
 * proxy: its address, that nobody need go through the questions of a first login, and that it sends no statistics.
 */
export const rancherSettings = (deployment: Deployment): readonly KubeObject[] => [
  setting('server-url', `https://${rancherName(deployment)}`),
  setting('first-login', 'false'),
  setting('telemetry-opt', 'out'),
];

/** The name that Rancher shows for the cluster it runs on. The object is Rancher's own; only its name is ours. */
export const clusterName = ({name}: Pick<Deployment, 'name'>): KubeObject => ({
  apiVersion: 'management.cattle.io/v3',
  kind: 'Cluster',
  metadata: {name: 'local'},
  spec: {displayName: name},
});

/**
 * OpenG2P's charts in Rancher's catalogue, from its index for Rancher: the other one lacks what Rancher's forms need.
 * None where the charts were carried in, since there is nothing that Rancher could ask.
 */
export const catalogue = ({artifacts}: Pick<Deployment, 'artifacts'>): readonly KubeObject[] => {
  const path = 'openg2p.github.io/openg2p-helm/rancher';
  if (artifacts.source === 'directory') return [];
  return [
    {
      apiVersion: 'catalog.cattle.io/v1',
      kind: 'ClusterRepo',
      metadata: {name: 'openg2p'},
      spec: {url: artifacts.source === 'mirror' ? `${artifacts.address}/${path}` : `https://${path}`},
    },
  ];
};
