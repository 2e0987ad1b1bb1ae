import {chart} from '../../source/artifacts/for-step.ts';
import type {Deployment} from '../../source/deployment/schema.ts';
import {type StepContext, step, type Verification} from '../../source/engine/step.ts';
import {artifact} from '../../source/resources/artifact.ts';
import {command} from '../../source/resources/command.ts';
import {helmRelease} from '../../source/resources/helm-release.ts';
import {manifest} from '../../source/resources/manifest.ts';
import {sh} from '../../source/shell/script.ts';
import {trustBundle} from '../certificates/paths.ts';
import {istio} from '../istio/istio.ts';
import {nginx} from '../nginx/nginx.ts';
import {rancher} from '../rancher/rancher.ts';
import {rke2} from '../rke2/rke2.ts';
import {prints} from '../shared/checks.ts';
import {hasKubernetes, hostsPlaying, kubernetesOf, roles} from '../shared/deployment.ts';
import {newPassword} from '../shared/password.ts';
import {grafanaName, namespaces, onCluster, rolledOut} from '../shared/platform.ts';
import {platformRemedies} from '../shared/platform-remedies.ts';
import {storageClass} from '../storage-class/storage-class.ts';
import {alertmanagerSecrets, alertSecrets} from './alerting.ts';
import {
  definitionsValues,
  grafanaPassword,
  grafanaRoutes,
  measurementsDirectory,
  measurementsVolume,
  monitoringPrerequisites,
  monitoringValues,
} from './objects.ts';
import {monitoringRemedies} from './remedies.ts';
import {platformRules} from './rules.ts';

export const hasMonitoring = (deployment: Deployment): boolean =>
  hasKubernetes(deployment) && kubernetesOf(deployment).monitoring.enabled;

/** Made by the Prometheus operator out of the chart's objects, so helm does not know them. */
const madeByTheOperator = ['prometheus-rancher-monitoring-prometheus', 'alertmanager-rancher-monitoring-alertmanager'];

/** Only made, and then left alone: the kubelet gives it to the group of Prometheus and changes its mode. */
const placeOfMeasurements = command({
  id: `place ${measurementsDirectory}`,
  doing: 'making a place for what is measured',
  unless: sh`[ -d ${measurementsDirectory} ]`,
  script: sh`umask 022; mkdir -p ${measurementsDirectory}`,
  change: `create ${measurementsDirectory}`,
});

const answersFromOutside = ({deployment}: Pick<StepContext, 'deployment'>): readonly Verification[] => {
  const name = grafanaName(deployment);
  const [proxy] = hostsPlaying(deployment, roles.proxy);
  return proxy
    ? [
        prints(
          {
            id: 'answers',
            title: `Grafana answers at https://${name} and has its database`,
            script: sh`curl --silent --show-error --noproxy '*' --max-time 10 --cacert ${trustBundle} --resolve ${`${name}:443:${proxy.privateAddress}`} ${`https://${name}/api/health`} | tr -d ' \n'`,
          },
          /"database":"ok"/,
        ),
      ]
    : [];
};

export const monitoring = step({
  id: 'monitoring',
  title: 'Monitoring',
  why: 'Measures machines and services, shows it in Grafana, and tells the operators when something is wrong.',
  role: roles.compute,
  once: true,
  after: [storageClass, istio, rancher, nginx],
  estimate: 240,
  enabled: hasMonitoring,
  secrets: deployment => [{name: grafanaPassword, generate: newPassword}, ...alertSecrets(deployment)],
  removal: {goesWith: rke2},
  resources: context => {
    const {deployment, host, secret} = context;
    return [
      artifact(context, 'chart-rancher-monitoring-crd'),
      artifact(context, 'chart-rancher-monitoring'),
      placeOfMeasurements,
      manifest({
        id: 'first login, alert channels and disk of the monitoring',
        objects: [
          ...monitoringPrerequisites(secret(grafanaPassword)),
          ...alertmanagerSecrets(deployment, secret),
          ...measurementsVolume(deployment, host),
        ],
      }),
      helmRelease({
        name: 'rancher-monitoring-crd',
        namespace: namespaces.monitoring,
        chart: chart(context, 'chart-rancher-monitoring-crd'),
        values: definitionsValues(deployment),
        timeoutSeconds: 600,
      }),
      helmRelease({
        name: 'rancher-monitoring',
        namespace: namespaces.monitoring,
        chart: chart(context, 'chart-rancher-monitoring'),
        values: monitoringValues(deployment),
        timeoutSeconds: 1200,
        alsoReady: madeByTheOperator.map(name => ({
          kind: 'StatefulSet' as const,
          name,
          namespace: namespaces.monitoring,
        })),
      }),
      manifest({id: 'rules and way to Grafana', objects: [platformRules, ...grafanaRoutes(deployment)]}),
    ];
  },
  verify: context => [
    ...madeByTheOperator.map(name => rolledOut(namespaces.monitoring, 'statefulset', name)),
    rolledOut(namespaces.monitoring, 'deployment', 'rancher-monitoring-grafana'),
    prints(
      {
        id: 'disk',
        title: 'Prometheus has its disk',
        script: onCluster(sh`kubectl get persistentvolume prometheus-measurements --output 'jsonpath={.status.phase}'`),
      },
      'Bound',
    ),
    // A rehearsal's cluster runs no pods that could answer.
    ...(context.facts.practice ? [] : answersFromOutside(context)),
  ],
  remedies: [...monitoringRemedies, ...platformRemedies],
  skippable: 'Nobody is told when something is wrong, and Rancher shows no measurements.',
});
