import {moduleIds} from '../../source/deployment/environments.ts';
import type {Environment} from '../../source/deployment/schema.ts';
import type {Purge} from '../../source/engine/removal.ts';
import {type Step, step, type Verification} from '../../source/engine/step.ts';
import {command} from '../../source/resources/command.ts';
import {helmAbsent} from '../../source/resources/helm-release.ts';
import {manifestAbsent} from '../../source/resources/manifest.ts';
import {type Resource, resource, script} from '../../source/resources/resource.ts';
import {err, ok, type Result} from '../../source/result.ts';
import type {PartOutput} from '../../source/shell/frame.ts';
import {lines, type Script, sh} from '../../source/shell/script.ts';
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
import {keptSecrets, putAside, putBack} from './kept-passwords.ts';
import {projectName} from './members.ts';
import {commons, gatewayName, moduleCharts, stepId} from './names.ts';

/** Every release that an environment can have, each before those that it works with. */
const releases: readonly string[] = [
  ...moduleIds.toReversed().map(id => moduleCharts[id].release),
  commons.services,
  commons.base,
];

const claims = ({name}: Environment): Script =>
  sh`kubectl get persistentvolumeclaims --namespace ${name} --output name`;

/** A cluster that is there and does not answer is no empty one: nothing is decided before it does. */
const clusterAnswers: Resource = {
  id: 'the cluster answers',
  doing: 'asking the cluster',
  probe: onCluster(sh`if ! command -v kubectl >/dev/null || [ ! -s "$KUBECONFIG" ]; then echo none; exit 0; fi
kubectl --request-timeout=20s get namespaces --output=name`),
  assess: ({code, stderr}) =>
    code === 0
      ? ok({changes: []})
      : err(`the cluster does not say what is in it: ${stderr.trim().split('\n').at(-1) || `exit status ${code}`}`),
};

type Volume = {readonly name: string; readonly policy: string; readonly claim: string; readonly size: string};

/** Volumes whose claim is or was in the namespace: name, policy, claim and size, parted by tabs, one a line. */
const volumesOf = ({
  name,
}: Environment): Script => sh`kubectl get persistentvolumes --output 'jsonpath={range .items[*]}{.spec.claimRef.namespace}{"\t"}{.metadata.name}{"\t"}{.spec.persistentVolumeReclaimPolicy}{"\t"}{.spec.claimRef.name}{"\t"}{.spec.capacity.storage}{"\n"}{end}' |
  awk -F '\t' -v OFS='\t' -v namespace=${name} '$1 == namespace {print $2, $3, $4, $5}'`;

const readVolumes = ({code, stdout, stderr}: PartOutput): Result<readonly Volume[], string> =>
  code === 0
    ? ok(
        stdout
          .split('\n')
          .filter(line => line !== '')
          .map(line => {
            const [name = '', policy = '', claim = '', size = ''] = line.split('\t');
            return {name, policy, claim, size};
          }),
      )
    : err(`the volumes could not be read: ${stderr.trim().split('\n').at(-1) ?? ''}`);

/** Kubernetes installed or not: without it there are no volumes that anybody could ask for. */
const volumesProbe = (environment: Environment): Script =>
  onCluster(sh`set -o pipefail
if ! command -v kubectl >/dev/null || [ ! -s "$KUBECONFIG" ]; then exit 0; fi
${volumesOf(environment)}`);

/** Volumes outlive their claims, unless that is changed before the claim goes: then the driver erases them with it. */
const volumesGoToo = (environment: Environment): Resource =>
  resource<readonly Volume[]>({
    id: `volumes of ${environment.name} go with their claims`,
    doing: 'letting the volumes be erased with their claims',
    probe: volumesProbe(environment),
    read: readVolumes,
    diff: volumes =>
      volumes
        .filter(({policy}) => policy !== 'Delete')
        .map(({claim}) => ({summary: `let the volume of ${claim} go with its claim`})),
    apply: volumes =>
      script(
        onCluster(sh`for volume in ${volumes.filter(({policy}) => policy !== 'Delete').map(({name}) => name)}; do
  kubectl patch persistentvolume "$volume" --patch '{"spec":{"persistentVolumeReclaimPolicy":"Delete"}}' || exit
done`),
        {timeoutMs: 300_000},
      ),
  });

/** The driver erases each with its claim, which takes as long as there are files. */
const noVolumes = (environment: Environment): Resource =>
  resource<readonly Volume[]>({
    id: `no volumes of ${environment.name}`,
    doing: 'waiting until the volumes are erased',
    probe: volumesProbe(environment),
    read: readVolumes,
    diff: volumes => volumes.map(({claim, size}) => ({summary: `erase volume ${claim} (${size})`, loses: true})),
    apply: volumes =>
      script(
        onCluster(sh`for volume in ${volumes.map(({name}) => name)}; do
  kubectl wait --for=delete "persistentvolume/$volume" --timeout=300s || exit
done`),
        {timeoutMs: 1_800_000, detached: true},
      ),
  });

/** Claims in the form of volumes, also those that have got none yet. */
const claimsAsVolumes = ({name}: Environment): Script =>
  sh`kubectl get persistentvolumeclaims --namespace ${name} --output 'jsonpath={range .items[*]}{"-\tRetain\t"}{.metadata.name}{"\t"}{.spec.resources.requests.storage}{"\n"}{end}'`;

/** Volumes that stay, with what the operator knows them by. */
const volumesStay = (environment: Environment): Resource =>
  resource<readonly Volume[]>({
    id: `volumes of ${environment.name} stay`,
    doing: 'looking at the volumes',
    probe: lines(volumesProbe(environment), claimsAsVolumes(environment)),
    read: readVolumes,
    diff: () => [],
    stays: volumes =>
      [...new Map(volumes.toReversed().map(volume => [volume.claim, volume])).values()]
        .toReversed()
        .map(({claim, size}) => ({
          kind: 'data',
          what: `volume ${claim} (${size})`,
          why: `an environment named ${environment.name} finds it again, with its passwords`,
        })),
    apply: () => async () => ok(),
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

/**
 * What takes an environment away: releases, then the ways in, then what is left of the namespace. Nothing of it is
 * guessed from the deployment: what is not there is not removed.
 */
export const environmentRemoval = (environment: Environment, {data: purge}: Pick<Purge, 'data'>): readonly Step[] => {
  const {name} = environment;
  const services = step({
    ...inEnvironment,
    id: stepId(environment, 'remove-services'),
    title: `${name}: remove services`,
    why: purge ? 'Removes every release, with its data.' : 'Removes every release; volumes and their passwords stay.',
    after: [],
    estimate: 120,
    resources: () => [
      clusterAnswers,
      ...(purge ? [volumesGoToo(environment)] : [volumesStay(environment), putAside(environment)]),
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
  const databases = step({
    id: stepId(environment, 'remove-databases'),
    title: `${name}: databases on the storage host`,
    why: purge
      ? 'Erases the databases and the users that were made for it.'
      : 'Tells what is kept on the storage host.',
    role: roles.storage,
    after: [services],
    estimate: 10,
    enabled: onStorageHost(environment),
    resources: ({deployment, facts}) => [noDatabases(postgresqlVersion(deployment, facts), environment, purge)],
    verify: ({deployment, facts}) =>
      purge
        ? [
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
          ]
        : [],
    remedies: postgresqlRemedies,
  });
  return [services, access, namespace, databases];
};
