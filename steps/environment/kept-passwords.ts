import {posix} from 'node:path';
import type {Environment} from '../../source/deployment/schema.ts';
import type {Removal} from '../../source/engine/removal.ts';
import {command} from '../../source/resources/command.ts';
import {type Resource, resource, script} from '../../source/resources/resource.ts';
import {ok} from '../../source/result.ts';
import {type Script, sh} from '../../source/shell/script.ts';
import {onCluster} from '../shared/platform.ts';

/** Where the Secrets of kept data wait while the releases that own them are removed. Only root can read it. */
export const keptSecrets = ({name}: Environment): string => `/var/lib/groundwork/environments/${name}-secrets.json`;

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
export const putAside = (environment: Environment): Resource =>
  command({
    id: `Secrets of ${environment.name} put aside`,
    doing: 'keeping the passwords that belong to the data',
    unless: onCluster(
      sh`[ ! -s ${keptSecrets(environment)} ] || exit 0
command -v helm >/dev/null && [ -s "$KUBECONFIG" ] || exit 0
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

export const putBack = (environment: Environment): Resource =>
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

const secretsFile = (environment: Environment, purge: boolean): Resource => {
  const path = keptSecrets(environment);
  return resource<boolean>({
    id: `file ${path}`,
    doing: `erasing ${path}`,
    probe: sh`[ ! -e ${path} ] || echo there`,
    read: ({stdout}) => ok(stdout.trim() === 'there'),
    diff: there =>
      there && purge ? [{summary: `erase the passwords of ${environment.name} in ${path}`, loses: true}] : [],
    stays: there =>
      there && !purge
        ? [{kind: 'data', what: `passwords of ${environment.name} in ${path}`, why: 'they belong to data that stays'}]
        : [],
    apply: () => script(sh`rm -f ${path} && sync ${posix.dirname(path)}`),
  });
};

/**
 * What is left to be done on the machine when a cluster goes: the passwords of data that stays are put aside before, and
 * stay beside it. Without them volumes that somebody encrypted, and databases, are of no use to anybody.
 */
export const passwordsOfData = (environment: Environment): Removal => ({
  once: true,
  estimate: 5,
  resources: ({purge}) => [...(purge.data ? [] : [putAside(environment)]), secretsFile(environment, purge.data)],
  skippable: `Passwords of ${environment.name} that are not in the vault are lost with the cluster. Volumes that stay may not be readable without them.`,
  remedies: [
    {
      id: 'cluster-silent',
      match: /Unable to connect|was refused|i\/o timeout|cluster unreachable/i,
      cause: 'The cluster does not answer, so the passwords that belong to the data cannot be read from it.',
      remedy:
        'Start it (`systemctl start rke2-server`) and retry. If it cannot be saved, skip this step, or uninstall with the data (--purge).',
    },
  ],
});
