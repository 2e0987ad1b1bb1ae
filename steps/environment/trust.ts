import type {Environment} from '../../source/deployment/schema.ts';
import type {Verification} from '../../source/engine/step.ts';
import {command} from '../../source/resources/command.ts';
import type {Trust} from '../../source/resources/helm-release.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {type Script, sh} from '../../source/shell/script.ts';
import {paths, trustBundle} from '../certificates/paths.ts';
import {exitsZero} from '../shared/checks.ts';
import {onCluster} from '../shared/platform.ts';
import {labelsOf} from './names.ts';

/** What the pods of an environment trust: a ConfigMap of ours in its namespace. */
export const environmentTrust: Trust = {configMap: 'groundwork-trust', key: 'authorities'};

/** The authorities that the machine trusts: the public ones, and the deployment's own. */
const authorities = sh`sed -n '/^-----BEGIN CERTIFICATE-----$/,/^-----END CERTIFICATE-----$/p' ${trustBundle}`;

const stored = ({name}: Environment): Script =>
  sh`kubectl get configmap ${environmentTrust.configMap} --namespace ${name} --output ${`jsonpath={.data.${environmentTrust.key}}`}`;

/**
 * The ConfigMap is made on the host, which knows what Debian takes for public authorities today. Pods see a change of it
 * by themselves; programs do when they start the next time.
 */
export const trustInNamespace = (environment: Environment): Resource => {
  const {name} = environment;
  const head = JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {name: environmentTrust.configMap, namespace: name, labels: labelsOf(environment)},
  }).replace(/\}$/, `,"data":{"${environmentTrust.key}":"`);
  return command({
    id: `authorities that pods of ${name} trust`,
    doing: 'giving the pods the authorities to trust',
    unless: onCluster(sh`found=$(${stored(environment)} 2>/dev/null) || exit 1
[ "$(printf '%s\n' "$found" | sha256sum)" = "$(${authorities} | sha256sum)" ]`),
    script: onCluster(sh`set -e -o pipefail
{
  printf '%s' ${head}
  ${authorities} | awk '{ printf "%s\\n", $0 }'
  printf '"}}'
} | kubectl apply --server-side --field-manager=groundwork --force-conflicts --filename -`),
    change: `let pods of ${name} trust the deployment’s CA`,
    options: {timeoutMs: 120_000},
  });
};

export const podsTrust = (environment: Environment): Verification =>
  exitsZero(
    {
      id: 'trust',
      title: 'pods are given the deployment’s CA to trust',
      script: onCluster(sh`openssl verify -CAfile <(${stored(environment)}) ${paths.authority}`),
    },
    'the CA is among the authorities',
  );
