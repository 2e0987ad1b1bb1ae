import type {Deployment} from '../../source/deployment/schema.ts';
import type {KubeObject} from '../../source/kubernetes/objects.ts';
import {hostsPlaying, roles} from '../shared/deployment.ts';
import {gatewayPorts, gatewaySelector, namespaces} from '../shared/platform.ts';

/**
 * The release's name makes the label by which gateways find its pods: the chart takes `istio-` off and writes
 * `istio: ingressgateway`.
 */
export const gatewayRelease = 'istio-ingressgateway';

/** How many pods of a part: a second one only where it can stand on another machine. */
const copies = (deployment: Deployment): number => (hostsPlaying(deployment, roles.compute).length > 1 ? 2 : 1);

/** The definitions of Istio's kinds. The webhook that checks them belongs to the control plane of this name. */
export const baseValues = {defaultRevision: 'default'} as const;

export const controlPlaneValues = (deployment: Deployment) => ({
  autoscaleMin: copies(deployment),
  autoscaleMax: Math.max(2, copies(deployment)),
  // Half of what the chart asks for (2 GB): OpenG2P's meshes have tens of services, not thousands.
  resources: {requests: {cpu: '200m', memory: '1Gi'}},
  meshConfig: {
    // Off: nginx writes who asked for what, and addresses of pages can hold personal data.
    accessLogFile: '',
    // Without it some services answer 404 to addresses with a doubled slash.
    pathNormalization: {normalization: 'MERGE_SLASHES'},
    defaultConfig: {
      // nginx stands before the gateway, sets the headers itself, and is believed.
      gatewayTopology: {numTrustedProxies: 1},
      holdApplicationUntilProxyStarts: true,
      // Connections that stay silent for an hour (terminals, queues) are not cut.
      proxyMetadata: {ISTIO_META_IDLE_TIMEOUT: '0s'},
    },
  },
});

/**
 * The way into the cluster. Its ports on the machines are fixed, because nginx and the firewall name them. It stands on
 * machines with the label that RKE2 gives to compute hosts.
 */
export const gatewayValues = (deployment: Deployment) => ({
  labels: {...gatewaySelector, app: gatewayRelease},
  nodeSelector: {shouldInstallIstioIngress: 'true'},
  autoscaling: {enabled: true, minReplicas: copies(deployment), maxReplicas: 5},
  podDisruptionBudget: copies(deployment) > 1 ? {minAvailable: 1} : {},
  resources: {requests: {cpu: '100m', memory: '128Mi'}, limits: {memory: '1Gi'}},
  service: {
    type: 'NodePort',
    ports: [
      {
        name: 'status-port',
        port: gatewayPorts.status.port,
        targetPort: gatewayPorts.status.port,
        nodePort: gatewayPorts.status.nodePort,
        protocol: 'TCP',
      },
      {
        name: 'http2',
        port: 80,
        targetPort: gatewayPorts.http.port,
        nodePort: gatewayPorts.http.nodePort,
        protocol: 'TCP',
      },
      {
        name: 'tcp-postgres',
        port: gatewayPorts.postgres.port,
        targetPort: gatewayPorts.postgres.port,
        nodePort: gatewayPorts.postgres.nodePort,
        protocol: 'TCP',
      },
    ],
  },
});

/** Lets terminals in pods through (kubectl exec, Rancher's shell), which older clients open with SPDY and not as web sockets. */
export const spdyUpgrade: KubeObject = {
  apiVersion: 'networking.istio.io/v1alpha3',
  kind: 'EnvoyFilter',
  metadata: {name: 'spdy-upgrade', namespace: namespaces.istio},
  spec: {
    workloadSelector: {labels: gatewaySelector},
    configPatches: [
      {
        applyTo: 'NETWORK_FILTER',
        match: {
          context: 'GATEWAY',
          listener: {filterChain: {filter: {name: 'envoy.filters.network.http_connection_manager'}}},
        },
        patch: {
          operation: 'MERGE',
          value: {
            typed_config: {
              '@type':
                'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
              // Added to the web sockets that are there: a merge appends, and Envoy refuses one that it has twice.
              upgrade_configs: [{upgrade_type: 'SPDY/3.1'}],
            },
          },
        },
      },
    ],
  },
};
