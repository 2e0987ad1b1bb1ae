import type {Deployment, HostSpec} from '../../source/deployment/schema.ts';
import type {KubeObject} from '../../source/kubernetes/objects.ts';
import {kubernetesOf} from '../shared/deployment.ts';
import {grafanaName, namespace, namespaces, opaqueSecret, published, rancherName} from '../shared/platform.ts';
import {configurationSecret, credentialsSecret} from './alerting.ts';
import {monitoringSizes} from './sizes.ts';

export const grafanaPassword = 'grafana-admin-password';

/** Where dashboards are, as ConfigMaps with the label `grafana_dashboard`. The chart looks in this namespace alone. */
export const dashboards = 'cattle-dashboards';

/** On the first compute host. */
export const measurementsDirectory = '/var/lib/groundwork/prometheus';

const measurements = 'prometheus-measurements';

const sizeOf = (deployment: Deployment) => monitoringSizes[kubernetesOf(deployment).monitoring.size];

/**
 * A disk of the machine for Prometheus, because it says of itself that it loses data on NFS (its documentation, Storage:
 * “non-POSIX compliant filesystems are not supported”). The class belongs to this one volume, so nobody else gets it.
 */
export const measurementsVolume = (deployment: Deployment, host: Pick<HostSpec, 'name'>): readonly KubeObject[] => [
  {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: {name: measurements},
    provisioner: 'kubernetes.io/no-provisioner',
    volumeBindingMode: 'WaitForFirstConsumer',
    reclaimPolicy: 'Retain',
  },
  {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: {name: measurements},
    spec: {
      capacity: {storage: `${sizeOf(deployment).diskGb}Gi`},
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      storageClassName: measurements,
      local: {path: measurementsDirectory},
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            {matchExpressions: [{key: 'kubernetes.io/hostname', operator: 'In', values: [host.name]}]},
          ],
        },
      },
    },
  },
];

/** Namespace and first login of Grafana. */
export const monitoringPrerequisites = (password: string): readonly KubeObject[] => [
  // The exporter of each machine's measurements looks at the whole machine.
  namespace(namespaces.monitoring, 'privileged'),
  opaqueSecret(
    {name: 'grafana-admin', namespace: namespaces.monitoring},
    {'admin-user': 'admin', 'admin-password': password},
  ),
];

const claim = (storageClassName: string, gigabytes: number) => ({
  volumeClaimTemplate: {
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName,
      resources: {requests: {storage: `${gigabytes}Gi`}},
    },
  },
});

/** The parts of RKE2 that listen on the machine itself only: a helper on each machine passes their measurements on. */
const controlPlane = {
  rke2ControllerManager: {enabled: true},
  rke2Scheduler: {enabled: true},
  rke2Proxy: {enabled: true},
  rke2Etcd: {enabled: true},
  rke2IngressNginx: {enabled: false},
} as const;

/** For both charts alike; `local` is how Rancher calls the cluster that it runs on. */
const cluster = (deployment: Deployment) => ({
  global: {
    cattle: {
      clusterId: 'local',
      clusterName: deployment.name,
      url: `https://${rancherName(deployment)}`,
      rkePathPrefix: '',
      rkeWindowsPathPrefix: '',
      systemDefaultRegistry: '',
    },
    systemDefaultRegistry: '',
  },
});

export const definitionsValues = cluster;

/** Loki as Grafana's second source, under the name that the dashboards have. */
const loki = {
  name: 'Loki',
  uid: 'loki',
  type: 'loki',
  access: 'proxy',
  url: `http://loki.${namespaces.logging}.svc.cluster.local:3100`,
  jsonData: {timeout: 60, maxLines: 1000},
};

const grafanaValues = (deployment: Deployment) => ({
  // By the Secret alone: a password among the values would stand in the release.
  admin: {existingSecret: 'grafana-admin', userKey: 'admin-user', passwordKey: 'admin-password'},
  persistence: {
    enabled: true,
    type: 'pvc',
    storageClassName: kubernetesOf(deployment).storage.className,
    accessModes: ['ReadWriteOnce'],
    size: '2Gi',
  },
  resources: {requests: {cpu: '100m', memory: '200Mi'}, limits: {memory: '600Mi'}},
  additionalDataSources: kubernetesOf(deployment).logging.enabled ? [loki] : [],
  sidecar: {dashboards: {searchNamespace: dashboards}},
  'grafana.ini': {
    server: {root_url: `https://${grafanaName(deployment)}`},
    // Who looks must have logged in: dashboards show log lines.
    auth: {disable_login_form: false},
    'auth.anonymous': {enabled: false},
    'auth.basic': {enabled: true},
    users: {allow_sign_up: false, auto_assign_org_role: 'Viewer'},
    security: {cookie_secure: true, allow_embedding: true},
    analytics: {reporting_enabled: false, check_for_updates: false, check_for_plugin_updates: false},
  },
});

export const monitoringValues = (deployment: Deployment) => {
  const {diskGb, days, memory, cpu} = sizeOf(deployment);
  return {
    ...cluster(deployment),
    ...controlPlane,
    prometheus: {
      prometheusSpec: {
        retention: `${days}d`,
        // Before the disk is full: compaction needs room for a copy of its largest block.
        retentionSize: `${Math.floor(diskGb * 0.8)}GiB`,
        scrapeInterval: '30s',
        evaluationInterval: '30s',
        externalLabels: {cluster: deployment.name},
        resources: {requests: {cpu, memory: memory.request}, limits: {memory: memory.limit}},
        storageSpec: claim(measurements, diskGb),
      },
    },
    alertmanager: {
      alertmanagerSpec: {
        useExistingSecret: true,
        configSecret: configurationSecret,
        secrets: [credentialsSecret],
        storage: claim(kubernetesOf(deployment).storage.className, 1),
        resources: {requests: {cpu: '20m', memory: '64Mi'}, limits: {memory: '256Mi'}},
      },
    },
    grafana: grafanaValues(deployment),
  };
};

/**
 * Grafana under its own name. Rancher's chart puts a proxy before it that rewrites pages for Rancher's frame; under a name
 * of its own Grafana needs none, so its own port is served.
 */
export const grafanaRoutes = (deployment: Deployment): readonly KubeObject[] => [
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {name: 'grafana', namespace: namespaces.monitoring},
    spec: {
      selector: {'app.kubernetes.io/name': 'grafana', 'app.kubernetes.io/instance': 'rancher-monitoring'},
      ports: [{name: 'http', port: 80, targetPort: 3000, protocol: 'TCP'}],
    },
  },
  ...published({
    name: 'grafana',
    namespace: namespaces.monitoring,
    host: grafanaName(deployment),
    service: 'grafana',
    port: 80,
  }),
];
