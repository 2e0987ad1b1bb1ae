import {chart} from '../../source/artifacts/for-step.ts';
import {step} from '../../source/engine/step.ts';
import {artifact} from '../../source/resources/artifact.ts';
import {command} from '../../source/resources/command.ts';
import {helmRelease} from '../../source/resources/helm-release.ts';
import {manifest} from '../../source/resources/manifest.ts';
import {sh} from '../../source/shell/script.ts';
import {nfsServer} from '../nfs-server/nfs-server.ts';
import {rke2} from '../rke2/rke2.ts';
import {prints} from '../shared/checks.ts';
import {hasKubernetes, kubernetesOf, roles} from '../shared/deployment.ts';
import {namespaces, onCluster, rolledOut} from '../shared/platform.ts';
import {platformRemedies} from '../shared/platform-remedies.ts';
import {storageAccess} from '../storage-access/storage-access.ts';
import {storageClass as classOf, driver, driverValues, proofClaim, proofOfStorage} from './objects.ts';
import {storageRemedies} from './remedies.ts';

/** Bound, or without meaning: on a cluster that has no node yet nobody gives volumes out. */
const proven = onCluster(sh`nodes=$(kubectl get nodes --output name) || exit 1
[ -z "$nodes" ] || [ "$(kubectl --namespace ${proofClaim.namespace} get persistentvolumeclaim ${proofClaim.name} --output 'jsonpath={.status.phase}')" = Bound ]`);

export const storageClass = step({
  id: 'storage-class',
  title: 'Storage class',
  why: 'Gives each claim of the platform a directory on the storage host, by itself.',
  role: roles.compute,
  once: true,
  after: [rke2, nfsServer, storageAccess],
  estimate: 60,
  enabled: hasKubernetes,
  removal: {goesWith: rke2},
  resources: context => [
    artifact(context, 'chart-csi-driver-nfs'),
    helmRelease({
      name: 'csi-driver-nfs',
      namespace: namespaces.system,
      chart: chart(context, 'chart-csi-driver-nfs'),
      values: driverValues,
      timeoutSeconds: 600,
    }),
    manifest({id: 'storage class', objects: [classOf(context.deployment)]}),
    command({
      id: 'proof that volumes are given out',
      doing: 'asking for a volume',
      unless: proven,
      script: onCluster(sh`set -e
printf '%s' ${JSON.stringify(proofOfStorage(context.deployment))} |
  kubectl apply --server-side --field-manager=groundwork --force-conflicts --filename - >/dev/null
for look in $(seq 60); do
  phase=$(kubectl --namespace ${proofClaim.namespace} get persistentvolumeclaim ${proofClaim.name} --output 'jsonpath={.status.phase}')
  [ "$phase" != Bound ] || exit 0
  sleep 2
done
kubectl --namespace ${proofClaim.namespace} describe persistentvolumeclaim ${proofClaim.name} >&2
echo 'the claim stays Pending: no volume came in 120 s' >&2
exit 1`),
      change: `ask the storage class ${kubernetesOf(context.deployment).storage.className} for a volume`,
      options: {timeoutMs: 180_000, detached: true},
    }),
  ],
  verify: ({deployment}) => {
    const {className} = kubernetesOf(deployment).storage;
    return [
      rolledOut(namespaces.system, 'deployment', 'csi-nfs-controller'),
      rolledOut(namespaces.system, 'daemonset', 'csi-nfs-node'),
      prints(
        {
          id: 'default-class',
          title: `${className} is the storage class that claims get, and the driver ${driver} serves it`,
          script: onCluster(
            sh`kubectl get storageclass ${className} --output 'jsonpath={.provisioner} {.metadata.annotations.storageclass\.kubernetes\.io/is-default-class}'`,
          ),
        },
        `${driver} true`,
      ),
      prints(
        {
          id: 'volume-bound',
          title: 'a claim got its volume',
          script: onCluster(
            sh`kubectl --namespace ${proofClaim.namespace} get persistentvolumeclaim ${proofClaim.name} --output 'jsonpath={.status.phase}'`,
          ),
        },
        'Bound',
      ),
    ];
  },
  remedies: [...storageRemedies, ...platformRemedies],
  skippable: 'Parts of the platform that keep data cannot start unless the cluster has another default storage class.',
});
