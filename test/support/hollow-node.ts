import {createHash} from 'node:crypto';
import type {KubeApi, Stored} from './kube-api.ts';

/** What else belongs to a cluster and is no part of Kubernetes: gives volumes out, or makes what an operator would. */
export type Controller = (api: KubeApi) => Promise<void>;

const now = (): string => `${new Date().toISOString().slice(0, 19)}Z`;

/** An address of the pods' network, the same each time. */
const addressOf = ({metadata: {uid}}: Stored): string => {
  const [high = 0, low = 0] = createHash('sha256').update(uid).digest();
  return `10.42.${high}.${low}`;
};

const pathOf = ({metadata: {namespace, name}}: Stored): string => `/api/v1/namespaces/${namespace}/pods/${name}`;

/** Of a pod that has started, or whose work is done at once when it belongs to a Job. */
const started = (pod: Stored): object => {
  const ends = pod.metadata.ownerReferences?.some(({kind}) => kind === 'Job') ?? false;
  const state = ends
    ? {terminated: {exitCode: 0, reason: 'Completed', startedAt: now(), finishedAt: now()}}
    : {running: {startedAt: now()}};
  return {
    status: {
      phase: ends ? 'Succeeded' : 'Running',
      podIP: addressOf(pod),
      podIPs: [{ip: addressOf(pod)}],
      startTime: now(),
      conditions: ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(type => ({
        type,
        status: ends && type.endsWith('Ready') ? 'False' : 'True',
        lastTransitionTime: now(),
      })),
      containerStatuses: pod.spec.containers.map(({name, image}: {name: string; image: string}) => ({
        name,
        image,
        imageID: `stand-in://${image}`,
        ready: !ends,
        started: !ends,
        restartCount: 0,
        state,
      })),
    },
  };
};

/**
 * Plays the kubelet: every pod that the scheduler has given a node runs, and every one that is to go is gone. So real
 * controllers come to their end without containers. (Kubernetes' own tests of scale call such a node hollow.)
 */
export const kubelet: Controller = async api => {
  const pods = await api.list('/api/v1/pods');
  await Promise.all(
    pods
      .filter(({spec}) => spec.nodeName !== undefined)
      .map(async pod => {
        if (pod.metadata.deletionTimestamp !== undefined) await api.remove(pathOf(pod));
        else if (pod.status?.phase === 'Pending') await api.patch(`${pathOf(pod)}/status`, started(pod));
      }),
  );
};

const driver = 'nfs.csi.k8s.io';
const provisioner = ['volume.beta.kubernetes.io/storage-provisioner', 'volume.kubernetes.io/storage-provisioner'];

/** Plays the controller of the NFS driver once that is installed: a volume for each claim, and none without its claim. */
export const volumeDriver: Controller = async api => {
  const own = await api.get('/apis/apps/v1/namespaces/kube-system/deployments/csi-nfs-controller');
  if (!own?.status?.availableReplicas) return;
  const claims = await api.list('/api/v1/persistentvolumeclaims');
  for (const {metadata, spec, status} of claims) {
    if (status?.phase !== 'Pending' || !provisioner.some(key => metadata.annotations?.[key] === driver)) continue;
    const storage = await api.get(`/apis/storage.k8s.io/v1/storageclasses/${spec.storageClassName}`);
    if (!storage) continue;
    await api.create({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: {name: `pvc-${metadata.uid}`, annotations: {'pv.kubernetes.io/provisioned-by': driver}},
      spec: {
        accessModes: spec.accessModes,
        capacity: spec.resources.requests,
        claimRef: {
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          namespace: metadata.namespace,
          name: metadata.name,
          uid: metadata.uid,
        },
        csi: {driver, volumeHandle: `${storage.parameters && JSON.stringify(storage.parameters)}#${metadata.uid}`},
        persistentVolumeReclaimPolicy: storage.reclaimPolicy,
        storageClassName: spec.storageClassName,
      },
    });
  }
  for (const {metadata, spec, status} of await api.list('/api/v1/persistentvolumes'))
    if (status?.phase === 'Released' && spec.persistentVolumeReclaimPolicy === 'Delete' && spec.csi?.driver === driver)
      await api.remove(`/api/v1/persistentvolumes/${metadata.name}`);
};
