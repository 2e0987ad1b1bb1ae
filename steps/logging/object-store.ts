import type {Deployment} from '../../source/deployment/schema.ts';
import type {KubeObject} from '../../source/kubernetes/objects.ts';
import {kubernetesOf} from '../shared/deployment.ts';
import {namespaces, opaqueSecret} from '../shared/platform.ts';
import {loggingSizes} from './sizes.ts';

/** Of the Secret of that name, of the workload and of its service. */
export const objectStore = 'loki-object-store';

/** Of the only one who logs in to it. Its password is in the Secret, under this key. */
export const objectStoreUser = 'loki';
export const objectStoreKey = 'password';

export const buckets = {chunks: 'chunks', ruler: 'ruler', admin: 'admin'} as const;

/** The last release of MinIO that its makers published as an image. */
const image = 'quay.io/minio/minio:RELEASE.2025-09-07T16-13-09Z';

const port = 9000;

const labels = {'app.kubernetes.io/name': objectStore} as const;

/**
 * A bucket is a directory of the store: they are made before it starts. So there is no Job that waits for the store,
 * which could wait for ever.
 */
const start = [
  `mkdir -p ${Object.values(buckets)
    .map(bucket => `/data/${bucket}`)
    .join(' ')}`,
  'exec minio server --address :9000 --certs-dir /tmp/certs /data',
].join(' && ');

const probe = (path: string, failureThreshold: number) => ({
  httpGet: {path: `/minio/health/${path}`, port},
  periodSeconds: 10,
  timeoutSeconds: 5,
  failureThreshold,
});

export const objectStoreSecret = (password: string): KubeObject =>
  opaqueSecret({name: objectStore, namespace: namespaces.logging}, {[objectStoreKey]: password});

/** A store that speaks S3, for Loki alone: nobody else in the cluster reaches it. */
export const objectStoreObjects = (deployment: Deployment): readonly KubeObject[] => [
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {name: objectStore, namespace: namespaces.logging, labels},
    spec: {selector: labels, ports: [{name: 'http-s3', port, targetPort: port, protocol: 'TCP'}]},
  },
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: {name: objectStore, namespace: namespaces.logging, labels},
    spec: {
      podSelector: {matchLabels: labels},
      policyTypes: ['Ingress'],
      ingress: [
        {
          from: [{podSelector: {matchLabels: {'app.kubernetes.io/name': 'loki'}}}],
          ports: [{port, protocol: 'TCP'}],
        },
      ],
    },
  },
  // Beside the workload and not within it, where its size could never be changed again.
  {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {name: objectStore, namespace: namespaces.logging, labels},
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: kubernetesOf(deployment).storage.className,
      resources: {requests: {storage: `${loggingSizes[kubernetesOf(deployment).logging.size].storeGb}Gi`}},
    },
  },
  {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: {name: objectStore, namespace: namespaces.logging, labels},
    spec: {
      serviceName: objectStore,
      replicas: 1,
      selector: {matchLabels: labels},
      template: {
        metadata: {labels},
        spec: {
          automountServiceAccountToken: false,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 1000,
            runAsGroup: 1000,
            fsGroup: 1000,
            fsGroupChangePolicy: 'OnRootMismatch',
            seccompProfile: {type: 'RuntimeDefault'},
          },
          containers: [
            {
              name: 'minio',
              image,
              command: ['/bin/sh', '-c', start],
              env: [
                {name: 'MINIO_ROOT_USER', value: objectStoreUser},
                {
                  name: 'MINIO_ROOT_PASSWORD',
                  valueFrom: {secretKeyRef: {name: objectStore, key: objectStoreKey}},
                },
                // It makes a directory of its own at home, and the root of its image is read-only.
                {name: 'HOME', value: '/tmp'},
                {name: 'MINIO_BROWSER', value: 'off'},
                {name: 'MINIO_UPDATE', value: 'off'},
              ],
              ports: [{name: 'http-s3', containerPort: port, protocol: 'TCP'}],
              startupProbe: probe('live', 30),
              livenessProbe: probe('live', 6),
              readinessProbe: probe('ready', 3),
              resources: {requests: {cpu: '50m', memory: '256Mi'}, limits: {memory: '1Gi'}},
              securityContext: {
                allowPrivilegeEscalation: false,
                capabilities: {drop: ['ALL']},
                readOnlyRootFilesystem: true,
              },
              volumeMounts: [
                {name: 'data', mountPath: '/data'},
                {name: 'scratch', mountPath: '/tmp'},
              ],
            },
          ],
          volumes: [
            {name: 'data', persistentVolumeClaim: {claimName: objectStore}},
            {name: 'scratch', emptyDir: {}},
          ],
        },
      },
    },
  },
];

export const objectStoreAddress = `http://${objectStore}.${namespaces.logging}.svc.cluster.local:${port}`;
