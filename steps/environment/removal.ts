import {moduleIds} from '../../source/deployment/environments.ts';
import type {Environment} from '../../source/deployment/schema.ts';
import {type Step, step, type Verification} from '../../source/engine/step.ts';
import {command} from '../../source/resources/command.ts';
import {helmAbsent} from '../../source/resources/helm-release.ts';
import {manifestAbsent} from '../../source/resources/manifest.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {err, ok} from '../../source/result.ts';
import {type Script, sh} from '../../source/shell/script.ts';
import {postgresqlRemedies} from '../postgresql/remedies.ts';
import {asSuperuser, literal} from '../postgresql/sql.ts';
import {postgresqlVersion} from '../postgresql/version.ts';
import {hasRancher} from '../rancher/rancher.ts';
import {prints} from '../shared/checks.ts';
import {roles} from '../shared/deployment.ts';
import {onCluster} from '../shared/platform.ts';
import {inEnvironment} from './commons.ts';
import {onStorageHost} from './database-steps.ts';
import {databaseUser, noDatabases} from './databases.ts';
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

/**
 * The environment's Secrets as objects that can be made again: without what the cluster wrote into them, and without
 * Helm's own records and what Kubernetes makes by itself, which are of other types.
 */
const secretsAsObjects = ({
  name,
}: Environment): Script => sh`kubectl get secrets --namespace ${name} --field-selector type=Opaque --output 'jsonpath={range .items[*]}{.metadata.name}{"\t"}{.metadata.labels}{"\t"}{.metadata.annotations}{"\t"}{.data}{"\n"}{end}' |
  awk -F '\t' -v namespace=${name} '
    function object(text) {return text == "" ? "{}" : text}
    BEGIN {printf "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":["}
    NF {
      printf "%s{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"type\":\"Opaque\",\"metadata\":{\"name\":\"%s\",\"namespace\":\"%s\",\"labels\":%s,\"annotations\":%s},\"data\":%s}", separator, $1, namespace, object($2), object($3), object($4)
      separator = ","
    }
    END {print "]}"}'`;

/**
 * Databases keep the passwords that they were made with, and the Secrets with these go with the releases. So they are
 * put aside before, and back afterwards: an environment of the same name then finds its data and the way into it.
 */
const putAside = (environment: Environment): Resource =>
  command({
    id: `Secrets of ${environment.name} put aside`,
    doing: 'keeping the passwords that belong to the data',
    unless: onCluster(
      sh`[ ! -s ${keptSecrets(environment)} ] || exit 0
releases=$(helm list --namespace ${environment.name} --all --short) || exit 1
[ -z "$releases" ]`,
    ),
    script: onCluster(sh`set -e -o pipefail
umask 077
mkdir -p /var/lib/groundwork/environments
${secretsAsObjects(environment)} >${`${keptSecrets(environment)}.new`}
mv ${`${keptSecrets(environment)}.new`} ${keptSecrets(environment)}`),
    change: 'keep the passwords that belong to the data',
  });

const putBack = (environment: Environment): Resource =>
  command({
    id: `Secrets of ${environment.name} put back`,
    doing: 'putting the passwords back beside the data',
    unless: sh`[ ! -e ${keptSecrets(environment)} ]`,
    script: onCluster(sh`set -e
if grep -qF '"kind":"Secret"' ${keptSecrets(environment)}; then
  kubectl apply --server-side --field-manager=groundwork --force-conflicts --filename ${keptSecrets(environment)}
fi
rm ${keptSecrets(environment)}`),
    change: 'put the passwords back beside the data',
    options: {timeoutMs: 120_000},
  });

const claims = ({name}: Environment): Script =>
  sh`kubectl get persistentvolumeclaims --namespace ${name} --output name`;

/** Volumes whose claim is or was in the namespace, one a line; `retained` only those that would outlive it. */
const volumesOf = ({name}: Environment, which: 'all' | 'retained'): Script =>
  sh`kubectl get persistentvolumes --output 'jsonpath={range .items[*]}{.spec.claimRef.namespace}{"\t"}{.spec.persistentVolumeReclaimPolicy}{"\t"}{.metadata.name}{"\n"}{end}' |
  awk -F '\t' -v namespace=${name} -v which=${which} '$1 == namespace && (which == "all" || $2 != "Delete") {print $3}'`;

/** That a list is empty. A cluster that does not answer is no empty list: what then follows fails and says so. */
const noneOf = (list: Script): Script =>
  onCluster(sh`set -o pipefail
found=$(${list}) || exit 1
[ -z "$found" ]`);

/** Volumes outlive their claims, unless that is changed before the claim goes: then the driver erases them with it. */
const volumesGoToo = (environment: Environment): Resource =>
  command({
    id: `volumes of ${environment.name} go with their claims`,
    doing: 'letting the volumes be erased with their claims',
    unless: noneOf(volumesOf(environment, 'retained')),
    script: onCluster(sh`set -e
for volume in $(${volumesOf(environment, 'retained')}); do
  kubectl patch persistentvolume "$volume" --patch '{"spec":{"persistentVolumeReclaimPolicy":"Delete"}}'
done`),
    change: 'erase the volumes with their claims',
    options: {timeoutMs: 300_000},
  });

/** The driver erases each with its claim, which takes as long as there are files. */
const noVolumes = (environment: Environment): Resource =>
  command({
    id: `no volumes of ${environment.name}`,
    doing: 'waiting until the volumes are erased',
    unless: noneOf(volumesOf(environment, 'all')),
    script: onCluster(sh`for volume in $(${volumesOf(environment, 'all')}); do
  kubectl wait --for=delete "persistentvolume/$volume" --timeout=300s || exit 1
done`),
    change: 'erase the volumes',
    options: {timeoutMs: 1_800_000, detached: true},
  });

/** A namespace in which nothing is kept goes; one with data stays, and belongs to no project any more. */
const emptyNamespace = (environment: Environment): Resource =>
  command({
    id: `namespace ${environment.name} only for kept data`,
    doing: 'removing the namespace if nothing is kept in it',
    unless: onCluster(
      sh`found=$(kubectl get namespace ${environment.name} --ignore-not-found --output name) || exit 1
[ -n "$found" ] || exit 0
claims=$(${claims(environment)}) || exit 1
[ -n "$claims" ] &&
  [ -z "$(kubectl get namespace ${environment.name} --output 'jsonpath={.metadata.labels.field\.cattle\.io/projectId}')" ]`,
    ),
    script: onCluster(sh`set -e
claims=$(${claims(environment)})
if [ -z "$claims" ]; then
  kubectl delete namespace ${environment.name} --ignore-not-found --timeout=300s
else
  kubectl annotate namespace ${environment.name} field.cattle.io/projectId-
  kubectl label namespace ${environment.name} field.cattle.io/projectId-
fi`),
    change: `remove the namespace ${environment.name} if nothing is kept in it`,
    options: {timeoutMs: 360_000},
  });

/** A check that a list is empty; the evidence is that it is. */
const nothingLeft = (id: string, title: string, list: Script): Verification => ({
  id,
  title,
  script: onCluster(list),
  check: ({code, stdout, stderr}) =>
    code === 0 && stdout.trim() === ''
      ? ok('nothing is left')
      : err(stdout.trim().split('\n').join(', ') || stderr.trim() || `exit status ${code}`),
});

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
      nothingLeft(
        'no-releases',
        `no release of OpenG2P is left in ${name}`,
        sh`helm list --namespace ${name} --all --short --filter ${`^(${releases.join('|')})$`}`,
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
    verify: () => [
      nothingLeft(
        'no-gateway',
        `${name} has no gateway any more`,
        sh`kubectl get gateways.networking.istio.io --namespace ${name} --output name`,
      ),
    ],
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
    verify: () => [
      purge
        ? nothingLeft(
            'no-namespace',
            `the namespace ${name} is gone`,
            sh`kubectl get namespace ${name} --ignore-not-found --output name`,
          )
        : nothingLeft(
            'no-workloads',
            `nothing runs in ${name} any more`,
            sh`kubectl get deployments,statefulsets,daemonsets --namespace ${name} --output name`,
          ),
    ],
  });
  if (!purge) return [services, access, namespace];
  const databases = step({
    id: stepId(environment, 'remove-databases'),
    title: `${name}: erase databases`,
    why: 'Erases what is kept on the storage host, and the users that were made for it.',
    role: roles.storage,
    after: [services],
    estimate: 10,
    enabled: onStorageHost(environment),
    resources: ({deployment, facts}) => [noDatabases(postgresqlVersion(deployment, facts), environment)],
    verify: ({deployment, facts}) => [
      prints(
        {
          id: 'no-databases',
          title: `the storage host has no databases of ${name} any more`,
          script: asSuperuser(
            postgresqlVersion(deployment, facts),
            `SELECT count(*) FROM pg_database WHERE pg_get_userbyid(datdba) = ${literal(databaseUser(environment))};`,
          ),
        },
        '0',
      ),
    ],
    remedies: postgresqlRemedies,
  });
  return [services, access, namespace, databases];
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
