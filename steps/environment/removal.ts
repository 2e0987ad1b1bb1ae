import {moduleIds} from '../../source/deployment/environments.ts';
import type {Environment} from '../../source/deployment/schema.ts';
import {type Step, step, type Verification} from '../../source/engine/step.ts';
import {command} from '../../source/resources/command.ts';
import {helmAbsent} from '../../source/resources/helm-release.ts';
import {manifestAbsent} from '../../source/resources/manifest.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {type Script, sh} from '../../source/shell/script.ts';
import {hasRancher} from '../rancher/rancher.ts';
import {prints} from '../shared/checks.ts';
import {onCluster} from '../shared/platform.ts';
import {inEnvironment} from './commons.ts';
import {projectName} from './members.ts';
import {commons, gatewayName, moduleCharts, stepId} from './names.ts';

/** Every release that an environment can have, each before those that it works with. */
const releases: readonly string[] = [
  ...moduleIds.toReversed().map(id => moduleCharts[id].release),
  commons.services,
  commons.base,
];

/** Where the Secrets of kept data wait while the releases that own them are removed. Only root can read it. */
const keptSecrets = ({name}: Environment): string => `/var/lib/groundwork/environments/${name}-secrets.json`;

/** Of the environment's Secrets all but Helm's own records and what Kubernetes makes by itself. */
const ofCharts = '.items |= map(select(.type == "Opaque") | .metadata |= {name, namespace, labels, annotations})';

/**
 * Databases keep the passwords that they were made with, and the Secrets with these go with the releases. So they are
 * put aside before, and back afterwards: an environment of the same name then finds its data and the way into it.
 */
const putAside = (environment: Environment): Resource =>
  command({
    id: `Secrets of ${environment.name} put aside`,
    doing: 'keeping the passwords that belong to the data',
    unless: onCluster(
      sh`[ -s ${keptSecrets(environment)} ] || [ -z "$(helm list --namespace ${environment.name} --all --short)" ]`,
    ),
    script: onCluster(sh`set -e
umask 077
mkdir -p /var/lib/groundwork/environments
kubectl get secrets --namespace ${environment.name} --output json | jq ${ofCharts} >${`${keptSecrets(environment)}.new`}
mv ${`${keptSecrets(environment)}.new`} ${keptSecrets(environment)}`),
    change: 'keep the passwords that belong to the data',
  });

const putBack = (environment: Environment): Resource =>
  command({
    id: `Secrets of ${environment.name} put back`,
    doing: 'putting the passwords back beside the data',
    unless: sh`[ ! -e ${keptSecrets(environment)} ]`,
    script: onCluster(sh`set -e
if [ "$(jq '.items | length' ${keptSecrets(environment)})" -gt 0 ]; then
  kubectl apply --server-side --field-manager=groundwork --force-conflicts --filename ${keptSecrets(environment)}
fi
rm ${keptSecrets(environment)}`),
    change: 'put the passwords back beside the data',
    options: {timeoutMs: 120_000},
  });

const claims = ({name}: Environment): Script =>
  sh`kubectl get persistentvolumeclaims --namespace ${name} --output name`;

/** Volumes outlive their claims, unless that is changed before the claim goes: then the driver erases them with it. */
const volumesGoToo = (environment: Environment): Resource => {
  const retained = `.items[] | select(.spec.claimRef.namespace == "${environment.name}" and .spec.persistentVolumeReclaimPolicy != "Delete") | .metadata.name`;
  return command({
    id: `volumes of ${environment.name} go with their claims`,
    doing: 'letting the volumes be erased with their claims',
    unless: onCluster(
      sh`volumes=$(kubectl get persistentvolumes --output json) || exit 0
[ -z "$(printf '%s' "$volumes" | jq --raw-output ${retained})" ]`,
    ),
    script: onCluster(sh`set -e
for volume in $(kubectl get persistentvolumes --output json | jq --raw-output ${retained}); do
  kubectl patch persistentvolume "$volume" --patch '{"spec":{"persistentVolumeReclaimPolicy":"Delete"}}'
done`),
    change: 'erase the volumes with their claims',
    options: {timeoutMs: 300_000},
  });
};

/** Volumes whose claim went earlier, by somebody else, have no claim any more with which the driver would erase them. */
const noVolumes = (environment: Environment): Resource => {
  const own = `.items[] | select(.spec.claimRef.namespace == "${environment.name}") | .metadata.name`;
  return command({
    id: `no volumes of ${environment.name}`,
    doing: 'waiting until the volumes are erased',
    unless: onCluster(
      sh`volumes=$(kubectl get persistentvolumes --output json) || exit 0
[ -z "$(printf '%s' "$volumes" | jq --raw-output ${own})" ]`,
    ),
    script: onCluster(sh`for volume in $(kubectl get persistentvolumes --output json | jq --raw-output ${own}); do
  kubectl wait --for=delete "persistentvolume/$volume" --timeout=300s || exit 1
done`),
    change: 'erase the volumes',
    options: {timeoutMs: 1_800_000, detached: true},
  });
};

/** A namespace in which nothing is kept goes; one with data stays, and belongs to no project any more. */
const emptyNamespace = (environment: Environment): Resource =>
  command({
    id: `namespace ${environment.name} only for kept data`,
    doing: 'removing the namespace if nothing is kept in it',
    unless: onCluster(
      sh`kubectl get namespace ${environment.name} >/dev/null 2>&1 || exit 0
[ -n "$(${claims(environment)})" ] &&
  [ -z "$(kubectl get namespace ${environment.name} --output 'jsonpath={.metadata.labels.field\.cattle\.io/projectId}')" ]`,
    ),
    script: onCluster(sh`set -e
if [ -z "$(${claims(environment)})" ]; then
  kubectl delete namespace ${environment.name} --ignore-not-found --timeout=300s
else
  kubectl annotate namespace ${environment.name} field.cattle.io/projectId-
  kubectl label namespace ${environment.name} field.cattle.io/projectId-
fi`),
    change: `remove the namespace ${environment.name} if nothing is kept in it`,
    options: {timeoutMs: 360_000},
  });

const prints0 = (id: string, title: string, script: Script): Verification =>
  prints({id, title, script: onCluster(script)}, '0');

export type Removal = {
  /** Erase the data too; without it volumes and the passwords that belong to them stay. */
  readonly purge: boolean;
};

/**
 * What takes an environment away: releases, then the ways in, then what is left of the namespace. Nothing of it is
 * guessed from the deployment: what is not there is not removed.
 */
export const removalSteps = (environment: Environment, {purge}: Removal): readonly Step[] => {
  const {name} = environment;
  const services = step({
    ...inEnvironment,
    id: stepId(environment, 'remove-services'),
    title: `${name}: remove services`,
    why: purge ? 'Removes every release, with its data.' : 'Removes every release; volumes and their passwords stay.',
    after: [],
    estimate: 120,
    resources: () => [
      ...(purge ? [volumesGoToo(environment)] : [putAside(environment)]),
      ...releases.map(release => helmAbsent({name: release, namespace: name, purge})),
      ...(purge ? [] : [putBack(environment)]),
    ],
    verify: () => [
      prints0(
        'no-releases',
        `no release of OpenG2P is left in ${name}`,
        sh`helm list --namespace ${name} --all --short | grep -cFx ${releases.flatMap(release => ['-e', release])} || true`,
      ),
    ],
  });
  const access = step({
    ...inEnvironment,
    id: stepId(environment, 'remove-access'),
    title: `${name}: remove gateway and project`,
    why: 'Closes the way in and takes the project out of Rancher.',
    after: [services],
    estimate: 10,
    resources: ({deployment}) => [
      manifestAbsent({
        id: `gateway of ${name}`,
        objects: [{kind: 'gateways.networking.istio.io', name: gatewayName, namespace: name}],
      }),
      ...(hasRancher(deployment)
        ? [
            manifestAbsent({
              id: `Rancher project of ${name}`,
              objects: [{kind: 'projects.management.cattle.io', name: projectName(environment), namespace: 'local'}],
            }),
          ]
        : []),
    ],
    verify: () => [],
  });
  const namespace = step({
    ...inEnvironment,
    id: stepId(environment, 'remove-namespace'),
    title: `${name}: remove namespace`,
    why: purge ? 'Erases all that is left, data included.' : 'Removes the namespace if no data is kept in it.',
    after: [access],
    estimate: 30,
    resources: () =>
      purge
        ? [
            manifestAbsent({id: `namespace ${name}`, objects: [{kind: 'namespace', name}]}),
            noVolumes(environment),
            command({
              id: `no Secrets of ${name} put aside`,
              doing: 'erasing passwords that were put aside',
              unless: sh`[ ! -e ${keptSecrets(environment)} ]`,
              script: sh`rm -f ${keptSecrets(environment)}`,
              change: 'erase passwords that were put aside',
            }),
          ]
        : [emptyNamespace(environment)],
    verify: () => [],
  });
  return [services, access, namespace];
};

/** What is in an environment now, for the one who is to decide about it; see `readInventory`. */
export const inventoryScript = ({name}: Pick<Environment, 'name'>): Script =>
  onCluster(sh`set -e
releases=$(helm list --namespace ${name} --all --output json)
claims=$(kubectl get persistentvolumeclaims --namespace ${name} --output json)
printf '{"releases":%s,"claims":%s}\n' "$releases" "$claims"`);

export type Inventory = {
  readonly releases: readonly {readonly name: string; readonly chart: string; readonly status: string}[];
  /** Volumes that hold data: name and size as Kubernetes writes it, `8Gi`. */
  readonly claims: readonly {readonly name: string; readonly size: string}[];
};

type Listed = {
  readonly releases: readonly {readonly name: string; readonly chart: string; readonly status: string}[] | null;
  readonly claims: {
    readonly items: readonly {
      readonly metadata: {readonly name: string};
      readonly status?: {readonly capacity?: {readonly storage?: string}};
      readonly spec: {readonly resources: {readonly requests?: {readonly storage?: string}}};
    }[];
  };
};

/** Throws when the text is not what `inventoryScript` prints. */
export const readInventory = (stdout: string): Inventory => {
  const {releases: listed, claims: found} = JSON.parse(stdout) as Listed;
  return {
    releases: (listed ?? []).map(({name, chart, status}) => ({name, chart, status})),
    claims: found.items.map(({metadata, status, spec}) => ({
      name: metadata.name,
      size: status?.capacity?.storage ?? spec.resources.requests?.storage ?? 'unknown',
    })),
  };
};
