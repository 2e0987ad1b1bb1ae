import {randomBytes} from 'node:crypto';
import {stringify} from 'yaml';
import type {Deployment} from '../../source/deployment/schema.ts';
import type {KubeObject} from '../../source/kubernetes/objects.ts';
import {exportPath} from '../nfs-server/exports.ts';
import {hostsPlaying, roles} from '../shared/deployment.ts';
import {namespace, namespaces, opaqueSecret} from '../shared/platform.ts';
import {driver} from '../storage-class/objects.ts';
import {backupOf} from './settings.ts';

/** The folder of the share that Rancher’s operator writes to. */
export const rancherFolder = 'rancher-backup';
export const rancherPath = (deployment: Deployment): string => `${exportPath(deployment)}/${rancherFolder}`;

/** 256 bits in base64: what AES-CBC of Kubernetes’ encryption configuration takes, and nothing shorter or longer. */
export const rancherKey = 'backup-rancher-key';
export const newRancherKey = (): string => randomBytes(32).toString('base64');

export const encryptionSecret = 'groundwork-backup-encryption';
export const scheduledBackup = 'groundwork';

/** No such class exists: a name by which the chart’s claim finds these volumes, and no other claim does. */
export const volumeClass = 'groundwork-rancher-backup';

export const volumeNames = ['groundwork-rancher-backup-a', 'groundwork-rancher-backup-b'] as const;

/**
 * Two volumes that are one folder. The chart names its claim after the revision of its release, and a volume whose claim has
 * gone takes no other by itself: so an upgrade finds the second one free, and the first is freed by the next run.
 */
const volumes = (deployment: Deployment): readonly KubeObject[] => {
  const [storage] = hostsPlaying(deployment, roles.storage);
  if (!storage) throw new Error('the deployment has no storage host');
  return volumeNames.map(name => ({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: {name},
    spec: {
      capacity: {storage: '50Gi'},
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      storageClassName: volumeClass,
      mountOptions: ['nfsvers=4.1', 'hard', 'noatime'],
      csi: {
        driver,
        volumeHandle: name,
        volumeAttributes: {server: storage.privateAddress, share: rancherPath(deployment)},
      },
    },
  }));
};

/** Where the copies go, and what they are encrypted with, before the operator that makes them. */
export const rancherBackupGround = (deployment: Deployment, key: string): readonly KubeObject[] => [
  namespace(namespaces.rancherBackup, 'baseline'),
  opaqueSecret(
    {name: encryptionSecret, namespace: namespaces.rancherBackup},
    {
      'encryption-provider-config.yaml': stringify({
        apiVersion: 'apiserver.config.k8s.io/v1',
        kind: 'EncryptionConfiguration',
        resources: [{resources: ['secrets'], providers: [{aescbc: {keys: [{name: 'groundwork', secret: key}]}}]}],
      }),
    },
  ),
  ...volumes(deployment),
];

export const rancherBackupValues = {
  persistence: {enabled: true, storageClass: volumeClass, size: '50Gi'},
  imagePullPolicy: 'IfNotPresent',
} as const;

/** Rancher’s own list of what belongs to it, which the operator keeps up to date; it has the Secrets in it. */
const resourceSet = 'rancher-resource-set-full';

/** Without a place to go: only S3 may stand here, and the operator has its own place. */
export const rancherBackup = (deployment: Deployment): KubeObject => ({
  apiVersion: 'resources.cattle.io/v1',
  kind: 'Backup',
  metadata: {name: scheduledBackup},
  spec: {
    resourceSetName: resourceSet,
    encryptionConfigSecretName: encryptionSecret,
    schedule: backupOf(deployment).schedules.rancher,
    retentionCount: backupOf(deployment).retention.rancher,
  },
});

/** One that is made at once, beside the schedule. */
export const rancherBackupNow = (name: string): KubeObject => ({
  apiVersion: 'resources.cattle.io/v1',
  kind: 'Backup',
  metadata: {name},
  spec: {resourceSetName: resourceSet, encryptionConfigSecretName: encryptionSecret},
});
