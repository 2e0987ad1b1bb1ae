import {parse} from 'yaml';
import type {KubeObject} from '../../source/kubernetes/objects.ts';
import {definition, partsOf} from '../../source/practice/charts.ts';
import type {Controller} from './hollow-node.ts';
import type {Stored} from './kube-api.ts';

/*
 * What the programs in RKE2's, Rancher's and the monitoring's images make when they run, on a cluster that runs no images.
 */

const dns = 'rke2-coredns-rke2-coredns';
const systemNamespace = 'kube-system';

/** The address that RKE2 gives to its DNS service: the tenth of the services' network. */
export const dnsAddress = '10.43.0.10';

/** What RKE2 brings of its own charts, as far as the platform's steps look at it. */
const bundled: readonly KubeObject[] = [
  definition({group: 'helm.cattle.io', versions: ['v1'], kind: 'HelmChartConfig', plural: 'helmchartconfigs'}),
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {name: dns, namespace: systemNamespace},
    spec: {
      clusterIP: dnsAddress,
      selector: {'k8s-app': 'kube-dns'},
      ports: [
        {name: 'udp-53', port: 53, protocol: 'UDP'},
        {name: 'tcp-53', port: 53, protocol: 'TCP'},
      ],
    },
  },
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {name: dns, namespace: systemNamespace},
    data: {Corefile: '.:53 {\n}\n'},
  },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {name: dns, namespace: systemNamespace},
    spec: {
      replicas: 1,
      selector: {matchLabels: {'k8s-app': 'kube-dns'}},
      template: {
        metadata: {labels: {'k8s-app': 'kube-dns'}},
        spec: {containers: [{name: 'coredns', image: 'rancher/hardened-coredns:1'}]},
      },
    },
  },
];

type CoreDnsValues = {readonly servers?: readonly {readonly port: number; readonly zones: readonly {zone: string}[]}[]};

/** RKE2's controller of charts: installs CoreDNS, and again with the settings that it was given. */
export const rke2Charts: Controller = async api => {
  const map = `/api/v1/namespaces/${systemNamespace}/configmaps/${dns}`;
  if (!(await api.get(map))) for (const object of bundled) await api.create(object);
  const given = await api.get(`/apis/helm.cattle.io/v1/namespaces/${systemNamespace}/helmchartconfigs/rke2-coredns`);
  if (!given) return;
  const {servers = []} = parse(given.spec.valuesContent) as CoreDnsValues;
  const corefile = servers.flatMap(({port, zones}) => zones.map(({zone}) => `${zone}:${port} {\n}\n`)).join('');
  await api.patch(map, {data: {Corefile: corefile}});
};

const rancherNamespace = 'cattle-system';
const projects = '/apis/management.cattle.io/v3/namespaces/local/projects';
const projectLabel = 'stand-in/project';

/** Objects of a release's own program; those of a namespace lie in the release's. */
const made = (release: string, namespace: string): readonly KubeObject[] =>
  (
    JSON.parse(
      JSON.stringify(partsOf(release).made).replaceAll('{{ .Release.Name }}', release),
    ) as readonly KubeObject[]
  ).map(object =>
    ['Deployment', 'StatefulSet'].includes(object.kind)
      ? {...object, metadata: {...object.metadata, namespace}}
      : object,
  );

/** Rancher: its kinds, its settings, the cluster that it runs on, and a namespace for each project. */
export const rancherProgram: Controller = async api => {
  const own = await api.get(`/apis/apps/v1/namespaces/${rancherNamespace}/deployments/rancher`);
  if (!own?.status?.availableReplicas) return;
  if (!(await api.get('/apis/catalog.cattle.io/v1/clusterrepos/rancher-charts')))
    for (const object of made('rancher', rancherNamespace)) await api.create(object);
  const there = await api.list(projects);
  for (const {metadata, status} of there) {
    if (status?.backingNamespace !== undefined) continue;
    const name = `local-${metadata.name}`;
    await api.create({apiVersion: 'v1', kind: 'Namespace', metadata: {name, labels: {[projectLabel]: metadata.name}}});
    await api.patch(`${projects}/${metadata.name}`, {status: {backingNamespace: name}});
  }
  for (const {metadata} of await api.list(`/api/v1/namespaces?labelSelector=${encodeURIComponent(projectLabel)}`))
    if (
      metadata.deletionTimestamp === undefined &&
      !there.some(({metadata: {name}}) => name === metadata.labels?.[projectLabel])
    )
      await api.remove(`/api/v1/namespaces/${metadata.name}`);
};

const statefulSetOf = ({kind, metadata: {name, namespace, uid}, spec}: Stored): KubeObject => {
  const own = `${kind.toLowerCase()}-${name}`;
  const claim = (spec.storage ?? spec.storageSpec)?.volumeClaimTemplate;
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: {
      name: own,
      ...(namespace !== undefined && {namespace}),
      ...{
        ownerReferences: [
          {apiVersion: 'monitoring.coreos.com/v1', kind, name, uid, controller: true, blockOwnerDeletion: true},
        ],
      },
    },
    spec: {
      replicas: 1,
      serviceName: own,
      selector: {matchLabels: {app: own}},
      template: {
        metadata: {labels: {app: own}},
        spec: {containers: [{name: 'main', image: `stand-in/${own}`}]},
      },
      ...(claim && {volumeClaimTemplates: [{metadata: {name: own}, ...claim}]}),
    },
  };
};

/** Prometheus' operator: a workload for each Prometheus and each Alertmanager, on the disk that it asks for. */
export const prometheusOperator: Controller = async api => {
  for (const plural of ['prometheuses', 'alertmanagers'])
    for (const object of await api.list(`/apis/monitoring.coreos.com/v1/${plural}`))
      await api.create(statefulSetOf(object));
};
