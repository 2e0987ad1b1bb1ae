import type {KubeObject} from '../kubernetes/objects.ts';

/*
 * Templates of the charts that practice hosts download: what of each real chart the steps look at afterwards. They are
 * JSON with values in them, which the real helm renders too. Where a chart is not named here, it brings one Deployment
 * with the name of its release.
 */

/** Texts that are filled in when a release is made. */
const name = '{{ .Release.Name }}';

const workload = (kind: string, own: string, image: string): KubeObject => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: {name: own, labels: {app: own, 'app.kubernetes.io/instance': name}},
  spec: {
    ...(kind !== 'DaemonSet' && {replicas: 1}),
    ...(kind === 'StatefulSet' && {serviceName: own}),
    selector: {matchLabels: {app: own}},
    template: {metadata: {labels: {app: own}}, spec: {containers: [{name: own, image}]}},
  },
});

const deployment = (own: string, image = `practice/${own}:1`): KubeObject => workload('Deployment', own, image);
const statefulSet = (own: string): KubeObject => workload('StatefulSet', own, `practice/${own}:1`);
const daemonSet = (own: string): KubeObject => workload('DaemonSet', own, `practice/${own}:1`);

const service = (own: string, port: number, portName = 'http'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {name: own},
  spec: {selector: {app: own}, ports: [{name: portName, port}]},
});

const job = (own: string): KubeObject => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: {name: own},
  spec: {template: {spec: {restartPolicy: 'Never', containers: [{name: own, image: `practice/${own}:1`}]}}},
});

type Definition = {
  readonly group: string;
  readonly versions: readonly string[];
  readonly kind: string;
  readonly plural: string;
  readonly cluster?: boolean;
};

/** A kind of its own that takes any content. */
export const definition = ({group, versions, kind, plural, cluster = false}: Definition): KubeObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {name: `${plural}.${group}`},
  spec: {
    group,
    scope: cluster ? 'Cluster' : 'Namespaced',
    names: {kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List`},
    versions: versions.map((version, index) => ({
      name: version,
      served: true,
      storage: index === 0,
      schema: {openAPIV3Schema: {type: 'object', 'x-kubernetes-preserve-unknown-fields': true}},
    })),
  },
});

const definitions = (group: string, versions: readonly string[], kinds: readonly string[], cluster = false) =>
  kinds.map(kind => {
    const lower = kind.toLowerCase();
    const plural = /[^aeiou]y$/.test(lower)
      ? lower.replace(/y$/, 'ies')
      : /s$/.test(lower)
        ? `${lower}es`
        : `${lower}s`;
    return definition({group, versions, kind, plural: kind === 'Prometheus' ? 'prometheuses' : plural, cluster});
  });

const istioKinds: readonly KubeObject[] = [
  ...definitions(
    'networking.istio.io',
    ['v1', 'v1beta1', 'v1alpha3'],
    ['Gateway', 'VirtualService', 'DestinationRule', 'ServiceEntry', 'Sidecar', 'WorkloadEntry', 'WorkloadGroup'],
  ),
  ...definitions('networking.istio.io', ['v1alpha3'], ['EnvoyFilter']),
  ...definitions(
    'security.istio.io',
    ['v1', 'v1beta1'],
    ['AuthorizationPolicy', 'PeerAuthentication', 'RequestAuthentication'],
  ),
  ...definitions('telemetry.istio.io', ['v1', 'v1alpha1'], ['Telemetry']),
];

const monitoringKinds: readonly KubeObject[] = definitions(
  'monitoring.coreos.com',
  ['v1'],
  ['ServiceMonitor', 'PodMonitor', 'PrometheusRule', 'Prometheus', 'Alertmanager', 'Probe', 'ThanosRuler'],
).concat(definitions('monitoring.coreos.com', ['v1alpha1'], ['AlertmanagerConfig', 'ScrapeConfig']));

/** Rancher makes these itself when it starts. */
const rancherKinds: readonly KubeObject[] = [
  ...definitions(
    'management.cattle.io',
    ['v3'],
    ['Setting', 'Cluster', 'User', 'RoleTemplate', 'GlobalRole', 'GlobalRoleBinding', 'Feature', 'AuthConfig', 'Token'],
    true,
  ),
  ...definitions(
    'management.cattle.io',
    ['v3'],
    ['Project', 'ProjectRoleTemplateBinding', 'ClusterRoleTemplateBinding', 'Preference'],
  ),
  ...definitions('catalog.cattle.io', ['v1'], ['ClusterRepo'], true),
  ...definitions('catalog.cattle.io', ['v1'], ['App', 'Operation']),
];

const namespace = (own: string): KubeObject => ({apiVersion: 'v1', kind: 'Namespace', metadata: {name: own}, spec: {}});

const madeMark = 'practice/made';

/** Made by a program of the chart when it runs, so helm neither knows nor changes it. */
const made = (object: KubeObject): KubeObject => ({
  ...object,
  metadata: {...object.metadata, annotations: {...object.metadata.annotations, [madeMark]: 'by its operator'}},
});

/** A document that is there only when a condition of helm's templates holds. */
type Template = KubeObject | {readonly when: string; readonly object: KubeObject};

const rancherObject = (kind: string, own: string, more: object): KubeObject => ({
  apiVersion: 'management.cattle.io/v3',
  kind,
  metadata: {name: own},
  ...more,
});

/** By the name that the chart has in its repository. */
const templates: Readonly<Record<string, readonly Template[]>> = {
  'csi-driver-nfs': [
    deployment('csi-nfs-controller'),
    daemonSet('csi-nfs-node'),
    {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIDriver',
      metadata: {name: 'nfs.csi.k8s.io'},
      spec: {attachRequired: false},
    },
  ],
  base: istioKinds,
  istiod: [deployment('istiod'), service('istiod', 15012)],
  gateway: [
    deployment(name),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {name},
      spec: {type: '{{ .Values.service.type }}', selector: {app: name}, ports: '{{ .Values.service.ports | toJson }}'},
    },
  ],
  rancher: [
    deployment('rancher'),
    service('rancher', 80),
    ...[
      ...rancherKinds,
      ...['cattle-fleet-system', 'cattle-global-data', 'cattle-dashboards', 'fleet-local', 'local'].map(namespace),
      deployment('rancher-webhook'),
      ...['server-url', 'first-login', 'cacerts', 'telemetry-opt', 'eula-agreed'].map(own =>
        rancherObject('Setting', own, {value: '', customized: false, default: '', source: ''}),
      ),
      rancherObject('Cluster', 'local', {spec: {displayName: 'local', internal: true}}),
      rancherObject('User', 'user-practice', {username: 'admin', displayName: 'Default Admin', enabled: true}),
      {
        apiVersion: 'catalog.cattle.io/v1',
        kind: 'ClusterRepo',
        metadata: {name: 'rancher-charts'},
        spec: {gitRepo: 'https://git.rancher.io/charts', gitBranch: 'release'},
      },
    ].map(made),
  ],
  'rancher-backup-crd': definitions('resources.cattle.io', ['v1'], ['Backup', 'ResourceSet', 'Restore'], true),
  'rancher-backup': [
    deployment('rancher-backup'),
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {name: 'rancher-backup-1'},
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: '{{ .Values.persistence.storageClass }}',
        resources: {requests: {storage: '{{ .Values.persistence.size }}'}},
      },
    },
    made({
      apiVersion: 'resources.cattle.io/v1',
      kind: 'ResourceSet',
      metadata: {name: 'rancher-resource-set-full'},
      resourceSelectors: [],
    }),
  ],
  'rancher-monitoring-crd': monitoringKinds,
  'rancher-monitoring': [
    deployment('rancher-monitoring-operator'),
    deployment('rancher-monitoring-grafana'),
    deployment('rancher-monitoring-kube-state-metrics'),
    daemonSet('rancher-monitoring-prometheus-node-exporter'),
    made(statefulSet('prometheus-rancher-monitoring-prometheus')),
    made(statefulSet('alertmanager-rancher-monitoring-alertmanager')),
    service('rancher-monitoring-grafana', 80),
    service('rancher-monitoring-prometheus', 9090),
    service('rancher-monitoring-alertmanager', 9093),
  ],
  loki: [
    statefulSet(name),
    deployment(`${name}-gateway`),
    service(name, 3100, 'http-metrics'),
    service(`${name}-gateway`, 80),
  ],
  'opentelemetry-collector': [
    {when: 'eq .Values.mode "daemonset"', object: daemonSet(name)},
    {when: 'ne .Values.mode "daemonset"', object: deployment(name)},
  ],
  'openg2p-commons-base': [
    {when: '.Values.postgresql.enabled', object: statefulSet(`${name}-postgresql`)},
    statefulSet(`${name}-keycloak`),
    statefulSet(`${name}-minio`),
    statefulSet(`${name}-kafka-controller`),
    statefulSet(`${name}-redis-master`),
    deployment(`${name}-softhsm`),
    deployment(`${name}-kafka-ui`),
    deployment(`${name}-mail`),
    job(`${name}-postgres-init`),
    job(`${name}-keycloak-init`),
    {when: '.Values.postgresql.enabled', object: service(`${name}-postgresql`, 5432)},
    service(`${name}-keycloak`, 80),
  ],
};

/** Of a list that a value makes: the quotes around the text go. */
const unquoted = (text: string): string => text.replace(/"(\{\{ [^"]*\| toJson \}\})"/g, '$1');

const textOf = (template: Template): string =>
  'when' in template && typeof template.when === 'string'
    ? `{{- if ${template.when} }}\n${textOf(template.object as KubeObject)}{{- end }}\n`
    : `---\n${unquoted(JSON.stringify(template, null, 2))}\n`;

const textOfAll = (all: readonly Template[]): string => all.map(textOf).join('');

const templatesOf = (chart: string): readonly Template[] => templates[chart] ?? [deployment(name)];

const isMade = (template: Template): template is KubeObject =>
  'metadata' in template && template.metadata.annotations?.[madeMark] !== undefined;

/** The templates of a chart with all that comes of it, as the file `templates/all.yaml` of its package. */
export const templateOf = (chart: string): string => textOfAll(templatesOf(chart));

/** The same for a cluster that has controllers: what helm installs, and what the chart's programs then make by themselves. */
export const partsOf = (chart: string): {readonly template: string; readonly made: readonly KubeObject[]} => {
  const all = templatesOf(chart);
  return {template: textOfAll(all.filter(each => !isMade(each))), made: all.filter(isMade)};
};
