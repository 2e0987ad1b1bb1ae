import type {Deployment} from '../../source/deployment/schema.ts';
import {kubernetesOf} from '../shared/deployment.ts';
import {namespaces} from '../shared/platform.ts';
import {buckets, objectStore, objectStoreAddress, objectStoreKey, objectStoreUser} from './object-store.ts';
import {redactionProcessor} from './redaction.ts';
import {rulesConfigMap, rulesDirectory, tenant} from './rules.ts';
import {loggingSizes} from './sizes.ts';

const loggingOf = (deployment: Deployment) => kubernetesOf(deployment).logging;
const sizeOf = (deployment: Deployment) => loggingSizes[loggingOf(deployment).size];

export const lokiService = `loki.${namespaces.logging}.svc.cluster.local:3100`;

/** Loki puts variables of its environment in place of such words when it is started with `-config.expand-env`. */
const variable = (name: string): string => `\${${name}}`;

/**
 * Loki in one program: its larger forms want several machines. It is asked at its own service, without the nginx that the
 * chart can put before it and that would need the name of RKE2's DNS service to find it.
 */
export const lokiValues = (deployment: Deployment) => {
  const {className} = kubernetesOf(deployment).storage;
  const {memory} = sizeOf(deployment);
  return {
    deploymentMode: 'Monolithic',
    loki: {
      auth_enabled: false,
      analytics: {reporting_enabled: false},
      commonConfig: {replication_factor: 1},
      schemaConfig: {
        configs: [
          {
            from: '2024-04-01',
            store: 'tsdb',
            object_store: 's3',
            schema: 'v13',
            index: {prefix: 'loki_index_', period: '24h'},
          },
        ],
      },
      storage: {
        type: 's3',
        bucketNames: buckets,
        s3: {
          endpoint: objectStoreAddress,
          region: 'us-east-1',
          accessKeyId: objectStoreUser,
          secretAccessKey: variable('OBJECT_STORE_PASSWORD'),
          s3ForcePathStyle: true,
          insecure: true,
        },
      },
      limits_config: {
        retention_period: `${loggingOf(deployment).retentionDays * 24}h`,
        ingestion_rate_mb: 10,
        ingestion_burst_size_mb: 20,
        allow_structured_metadata: true,
        volume_enabled: true,
      },
      compactor: {retention_enabled: true, delete_request_store: 's3'},
      rulerConfig: {
        storage: {type: 'local', local: {directory: rulesDirectory}},
        rule_path: '/var/loki/rules-temp',
        ring: {kvstore: {store: 'inmemory'}},
        enable_api: true,
        ...(kubernetesOf(deployment).monitoring.enabled && {
          alertmanager_url: `http://rancher-monitoring-alertmanager.${namespaces.monitoring}.svc.cluster.local:9093`,
          enable_alertmanager_v2: true,
        }),
      },
    },
    singleBinary: {
      replicas: 1,
      extraArgs: ['-config.expand-env=true'],
      extraEnv: [{name: 'OBJECT_STORE_PASSWORD', valueFrom: {secretKeyRef: {name: objectStore, key: objectStoreKey}}}],
      extraVolumes: [{name: 'alerting-rules', configMap: {name: rulesConfigMap}}],
      extraVolumeMounts: [{name: 'alerting-rules', mountPath: `${rulesDirectory}/${tenant}`, readOnly: true}],
      persistence: {enabled: true, size: '10Gi', storageClass: className},
      resources: {requests: {cpu: '200m', memory: memory.request}, limits: {memory: memory.limit}},
    },
    // Not a program of its own here: without it the chart leaves the rules out.
    ruler: {enabled: true},
    // The parts of the forms that are not installed, and helpers that one machine has no use for.
    read: {replicas: 0},
    write: {replicas: 0},
    backend: {replicas: 0},
    gateway: {enabled: false},
    minio: {enabled: false},
    chunksCache: {enabled: false},
    resultsCache: {enabled: false},
    lokiCanary: {enabled: false},
    test: {enabled: false},
    sidecar: {rules: {enabled: false}},
    monitoring: {serviceMonitor: {enabled: kubernetesOf(deployment).monitoring.enabled}},
  };
};

/** With the parts that are used here; the smaller images lack one or the other. The chart says which version. */
const image = {repository: 'otel/opentelemetry-collector-contrib'} as const;

/** Ways in that the chart opens and nobody uses. */
const closed = {
  'jaeger-compact': {enabled: false},
  'jaeger-thrift': {enabled: false},
  'jaeger-grpc': {enabled: false},
  zipkin: {enabled: false},
} as const;

const onlyLogs = {receivers: {jaeger: null, zipkin: null, prometheus: null}} as const;

const redact = 'transform/redact';

export const gatewayName = 'otel-gateway';
export const agentName = 'otel-agent';

/** Takes lines from the agents, and from programs that send their own, and hands them to Loki in larger pieces. */
export const collectorGatewayValues = (deployment: Deployment) => ({
  fullnameOverride: gatewayName,
  mode: 'deployment',
  replicaCount: sizeOf(deployment).gateways,
  image,
  ports: closed,
  resources: {requests: {cpu: '50m', memory: '128Mi'}, limits: {memory: '512Mi'}},
  config: {
    ...onlyLogs,
    processors: {
      memory_limiter: {check_interval: '5s', limit_percentage: 80, spike_limit_percentage: 25},
      [redact]: redactionProcessor,
      batch: {send_batch_size: 1024, timeout: '5s'},
    },
    exporters: {'otlp_http/loki': {endpoint: `http://${lokiService}/otlp`}},
    service: {
      pipelines: {
        // Here, too: what programs send by themselves has passed no agent.
        logs: {receivers: ['otlp'], processors: ['memory_limiter', redact, 'batch'], exporters: ['otlp_http/loki']},
        metrics: null,
        traces: null,
      },
    },
  },
});

/** On each machine: reads what programs print, says whose it is, takes out what must not be kept, and sends it on. */
export const collectorAgentValues = () => ({
  // The chart adds `-agent` for a DaemonSet.
  fullnameOverride: agentName.replace(/-agent$/, ''),
  mode: 'daemonset',
  image,
  presets: {
    // Remembers how far it has read, so that a restart neither loses lines nor sends them twice.
    logsCollection: {enabled: true, includeCollectorLogs: false, storeCheckpoints: true},
    kubernetesAttributes: {enabled: true},
  },
  ports: {...closed, otlp: {enabled: false}, 'otlp-http': {enabled: false}},
  // Lines of pods belong to root on the machine, and nobody else may read them.
  securityContext: {
    runAsUser: 0,
    runAsGroup: 0,
    allowPrivilegeEscalation: false,
    capabilities: {drop: ['ALL'], add: ['DAC_READ_SEARCH']},
  },
  tolerations: [{operator: 'Exists'}],
  resources: {requests: {cpu: '50m', memory: '128Mi'}, limits: {memory: '512Mi'}},
  config: {
    ...onlyLogs,
    processors: {
      memory_limiter: {check_interval: '5s', limit_percentage: 80, spike_limit_percentage: 25},
      [redact]: redactionProcessor,
      batch: {send_batch_size: 512, timeout: '2s'},
    },
    exporters: {
      'otlp_grpc/gateway': {
        endpoint: `${gatewayName}.${namespaces.logging}.svc.cluster.local:4317`,
        tls: {insecure: true},
      },
    },
    service: {
      pipelines: {
        logs: {processors: ['memory_limiter', redact, 'batch'], exporters: ['otlp_grpc/gateway']},
        metrics: null,
        traces: null,
      },
    },
  },
});
