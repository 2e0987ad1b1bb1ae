import type {Deployment} from '../../source/deployment/schema.ts';
import type {KubeObject} from '../../source/kubernetes/objects.ts';
import {exportPath} from '../nfs-server/exports.ts';
import {hostsPlaying, kubernetesOf, roles} from '../shared/deployment.ts';
import {namespaces} from '../shared/platform.ts';

/** As the driver calls itself; claims and volumes name it. */
export const driver = 'nfs.csi.k8s.io';

/** A claim of one megabyte that stays: bound, it proves that volumes are given out. */
export const proofClaim = {name: 'groundwork-storage-proof', namespace: namespaces.system} as const;

/** The chart's settings. The class is an object of ours, because most of its fields can never be changed in place. */
export const driverValues = {
  controller: {
    replicas: 1,
    // Beside the API server, where it is also on a cluster whose other machines are full.
    runOnControlPlane: true,
    resources: {
      csiProvisioner: {requests: {cpu: '10m', memory: '20Mi'}, limits: {memory: '400Mi'}},
      csiResizer: {requests: {cpu: '10m', memory: '20Mi'}, limits: {memory: '400Mi'}},
      nfs: {requests: {cpu: '10m', memory: '20Mi'}, limits: {memory: '200Mi'}},
    },
  },
  // Snapshots of NFS are copies; backups of the storage host do that better.
  externalSnapshotter: {enabled: false},
  // The group that a pod asks for gets its volume, so that the volume need not be open to everybody.
  feature: {enableFSGroupPolicy: true},
  storageClass: {create: false},
} as const;

/**
 * The default class. Each claim gets a directory of its own below the deployment's export, named so that people find
 * their data again. The driver leaves its mode alone (0): root makes it, and the kubelet gives it to the group that the
 * pod asks for.
 */
export const storageClass = (deployment: Deployment): KubeObject => {
  const {className, reclaim} = kubernetesOf(deployment).storage;
  const [storage] = hostsPlaying(deployment, roles.storage);
  if (!storage) throw new Error('the deployment has no storage host');
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: {name: className, annotations: {'storageclass.kubernetes.io/is-default-class': 'true'}},
    provisioner: driver,
    parameters: {
      server: storage.privateAddress,
      share: exportPath(deployment),
      subDir: ['pvc.metadata.namespace', 'pvc.metadata.name', 'pv.metadata.name']
        .map(field => `\${${field}}`)
        .join('-'),
      mountPermissions: '0',
    },
    // Version 4.1 has one port and one connection; `hard` because a write that fails silently is worse than one that waits.
    mountOptions: ['nfsvers=4.1', 'hard', 'noatime'],
    reclaimPolicy: reclaim,
    allowVolumeExpansion: true,
    volumeBindingMode: 'Immediate',
  };
};

export const proofOfStorage = (deployment: Deployment): KubeObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: proofClaim,
  spec: {
    accessModes: ['ReadWriteMany'],
    storageClassName: kubernetesOf(deployment).storage.className,
    resources: {requests: {storage: '1Mi'}},
  },
});
