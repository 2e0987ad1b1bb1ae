import {chart} from '../../source/artifacts/for-step.ts';
import {step} from '../../source/engine/step.ts';
import {artifact} from '../../source/resources/artifact.ts';
import {command} from '../../source/resources/command.ts';
import {helmRelease} from '../../source/resources/helm-release.ts';
import {manifest} from '../../source/resources/manifest.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {waitFor} from '../../source/resources/wait-for.ts';
import {sh} from '../../source/shell/script.ts';
import {rancher} from '../rancher/rancher.ts';
import {rke2} from '../rke2/rke2.ts';
import {exitsZero, prints} from '../shared/checks.ts';
import {roles} from '../shared/deployment.ts';
import {namespaces, onCluster, rolledOut} from '../shared/platform.ts';
import {platformRemedies} from '../shared/platform-remedies.ts';
import {storageClass} from '../storage-class/storage-class.ts';
import {backupAccess} from './backup-access.ts';
import {
  newRancherKey,
  rancherBackup,
  rancherBackupGround,
  rancherBackupValues,
  rancherKey,
  scheduledBackup,
  volumeNames,
} from './rancher-objects.ts';
import {backupOf, keeps} from './settings.ts';

/** What was the claim of a former revision keeps its volume from the next one until somebody says that it may go. */
const freedVolumes: Resource = command({
  id: 'volumes of former releases of rancher-backup',
  doing: 'freeing the volume of a former release',
  unless: sh`command -v kubectl >/dev/null || exit 0
${onCluster(sh`! kubectl --request-timeout=10s get persistentvolumes ${volumeNames} --ignore-not-found --output ${'jsonpath={.items[*].status.phase}{.status.phase}'} 2>/dev/null | grep -q Released`)}`,
  script: onCluster(sh`for volume in ${volumeNames}; do
  if [ "$(kubectl get persistentvolume "$volume" --output ${'jsonpath={.status.phase}'})" = Released ]; then
    kubectl patch persistentvolume "$volume" --type=json --patch ${'[{"op": "remove", "path": "/spec/claimRef"}]'} || exit 1
  fi
done`),
  change: 'free the volume of a former release',
});

export const backupRancher = step({
  id: 'backup-rancher',
  title: 'Backups of Rancher',
  why: 'Writes Rancher’s own objects, encrypted, to the share, from where the backup host fetches them.',
  role: roles.compute,
  once: true,
  after: [rancher, storageClass, backupAccess],
  estimate: 90,
  enabled: deployment => keeps(deployment, 'rancher'),
  secrets: () => [{name: rancherKey, generate: newRancherKey}],
  resources: context => [
    artifact(context, 'chart-rancher-backup-crd'),
    artifact(context, 'chart-rancher-backup'),
    manifest({
      id: 'place and key of Rancher’s backups',
      objects: rancherBackupGround(context.deployment, context.secret(rancherKey)),
    }),
    freedVolumes,
    helmRelease({
      name: 'rancher-backup-crd',
      namespace: namespaces.rancherBackup,
      chart: chart(context, 'chart-rancher-backup-crd'),
      values: {},
    }),
    helmRelease({
      name: 'rancher-backup',
      namespace: namespaces.rancherBackup,
      chart: chart(context, 'chart-rancher-backup'),
      values: rancherBackupValues,
    }),
    waitFor({
      id: 'Rancher’s list of what belongs to it',
      doing: 'waiting for the operator to know what belongs to Rancher',
      until: onCluster(sh`kubectl get resourcesets.resources.cattle.io rancher-resource-set-full --output name`),
      timeoutSeconds: 300,
      what: 'the operator to know what belongs to Rancher',
    }),
    manifest({id: 'schedule of Rancher’s backups', objects: [rancherBackup(context.deployment)]}),
  ],
  verify: ({deployment}) => [
    rolledOut(namespaces.rancherBackup, 'deployment', 'rancher-backup'),
    prints(
      {
        id: 'schedule',
        title: 'Rancher’s objects are copied by themselves, encrypted',
        script: onCluster(
          sh`kubectl get backups.resources.cattle.io ${scheduledBackup} --output ${'jsonpath={.spec.schedule}'}`,
        ),
      },
      backupOf(deployment).schedules.rancher,
    ),
    exitsZero(
      {
        id: 'bound',
        title: 'they go to the share',
        script: onCluster(
          sh`kubectl --namespace ${namespaces.rancherBackup} get persistentvolumeclaims --output ${'jsonpath={.items[*].status.phase}'} | grep -w Bound`,
        ),
      },
      'the claim has its volume',
    ),
  ],
  remedies: [
    {
      id: 'rancher-backup-volume',
      match: /persistentvolume.*(spec\.csi|spec\.persistentvolumesource).*immutable|field is immutable/i,
      cause: 'The volume of Rancher’s backups was made for a storage host with another address.',
      remedy: `Delete the volumes (\`kubectl delete persistentvolume ${volumeNames.join(' ')}\`), which deletes no data, then retry.`,
    },
    ...platformRemedies,
  ],
  removal: {goesWith: rke2},
  skippable: 'Rancher’s users, projects and settings are then only in the copies of the cluster’s state.',
});
