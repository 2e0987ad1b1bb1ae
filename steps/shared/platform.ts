import type {Deployment} from '../../source/deployment/schema.ts';
import type {Verification} from '../../source/engine/step.ts';
import {kubeEnvironment} from '../../source/kubernetes/access.ts';
import type {KubeObject} from '../../source/kubernetes/objects.ts';
import {lines, type Script, sh} from '../../source/shell/script.ts';
import {exitsZero} from './checks.ts';

/** Where the parts of the platform live. */
export const namespaces = {
  system: 'kube-system',
  istio: 'istio-system',
  rancher: 'cattle-system',
  rancherBackup: 'cattle-resources-system',
  monitoring: 'cattle-monitoring-system',
  logging: 'observability',
} as const;

/** The names of the platform's own pages, one level below the deployment's domain, so that its certificate holds them. */
export const rancherName = ({domain}: Pick<Deployment, 'domain'>): string => `rancher.${domain}`;
export const grafanaName = ({domain}: Pick<Deployment, 'domain'>): string => `grafana.${domain}`;

/**
 * What Istio's ingress gateway listens on. `port` is that of the container, which gateways name; it is above 1023, so
 * the gateway needs no rights of the system's.
 */
export const gatewayPorts = {
  /** Of each machine, for health checks from outside. */
  status: {port: 15021, nodePort: 30521},
  /** Of each machine, and what nginx passes requests to. */
  http: {port: 8080, nodePort: 30080},
  /** Of each machine, for databases in the cluster that are reached through the gateway. */
  postgres: {port: 5432, nodePort: 30432},
} as const;

/** The label by which gateways find the ingress gateway's pods. */
export const gatewaySelector = {istio: 'ingressgateway'} as const;

/** How much of the host pods may ask for: Kubernetes' own three levels. */
export type PodSecurity = 'privileged' | 'baseline' | 'restricted';

/** A namespace that takes pods of this level also where the cluster is strict with others (the CIS profile). */
export const namespace = (name: string, level: PodSecurity): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {name, labels: {'pod-security.kubernetes.io/enforce': level}},
});

/** A Secret of texts as Kubernetes keeps them. The values never stand in a plan: they are data, in base64. */
export const opaqueSecret = (
  metadata: KubeObject['metadata'],
  texts: Readonly<Record<string, string>>,
): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata,
  type: 'Opaque',
  data: Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')])),
});

/** Names that the gateway takes requests for, and the service behind them. */
export type Published = {
  readonly name: string;
  readonly namespace: string;
  readonly host: string;
  readonly service: string;
  readonly port: number;
};

/**
 * A gateway and the way behind it. The scheme is set because TLS ended at nginx and the program behind must know that
 * the browser used it. No limit in time: nginx has one, and terminals and logs stay open for hours.
 */
export const published = ({name, namespace: where, host, service, port}: Published): readonly KubeObject[] => [
  {
    apiVersion: 'networking.istio.io/v1',
    kind: 'Gateway',
    metadata: {name, namespace: where},
    spec: {
      selector: gatewaySelector,
      servers: [{port: {number: gatewayPorts.http.port, name: 'http', protocol: 'HTTP'}, hosts: [host]}],
    },
  },
  {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: {name, namespace: where},
    spec: {
      hosts: [host],
      gateways: [name],
      http: [
        {
          headers: {request: {set: {'x-forwarded-proto': 'https'}}},
          timeout: '0s',
          route: [{destination: {host: `${service}.${where}.svc.cluster.local`, port: {number: port}}}],
        },
      ],
    },
  },
];

/** A script that calls kubectl or helm on the cluster. */
export const onCluster = (script: Script): Script => lines(kubeEnvironment, script);

/** That a workload has all its pods, by Kubernetes' own count. */
export const rolledOut = (
  where: string,
  kind: 'deployment' | 'statefulset' | 'daemonset',
  name: string,
): Verification =>
  exitsZero({
    id: `${name}-ready`,
    title: `${name} runs with all its pods`,
    script: onCluster(sh`kubectl --namespace ${where} rollout status ${`${kind}/${name}`} --timeout=10s`),
  });
