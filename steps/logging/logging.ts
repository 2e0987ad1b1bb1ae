import {chart} from '../../source/artifacts/for-step.ts';
import type {Deployment} from '../../source/deployment/schema.ts';
import {step} from '../../source/engine/step.ts';
import {artifact} from '../../source/resources/artifact.ts';
import {helmRelease} from '../../source/resources/helm-release.ts';
import {manifest} from '../../source/resources/manifest.ts';
import {sh} from '../../source/shell/script.ts';
import {hasMonitoring, monitoring} from '../monitoring/monitoring.ts';
import {rke2} from '../rke2/rke2.ts';
import {prints} from '../shared/checks.ts';
import {hasKubernetes, kubernetesOf, roles} from '../shared/deployment.ts';
import {newPassword} from '../shared/password.ts';
import {namespace, namespaces, onCluster, rolledOut} from '../shared/platform.ts';
import {platformRemedies} from '../shared/platform-remedies.ts';
import {storageClass} from '../storage-class/storage-class.ts';
import {logsDashboardObject} from './dashboard.ts';
import {objectStore, objectStoreObjects, objectStoreSecret} from './object-store.ts';
import {agentName, collectorAgentValues, collectorGatewayValues, gatewayName, lokiValues} from './objects.ts';
import {loggingRemedies} from './remedies.ts';
import {lokiRulesObject} from './rules.ts';

export const storePassword = 'loki-object-store-password';

export const hasLogging = (deployment: Deployment): boolean =>
  hasKubernetes(deployment) && kubernetesOf(deployment).logging.enabled;

export const logging = step({
  id: 'logging',
  title: 'Logging',
  why: 'Gathers what all programs print, without passwords and personal data, and keeps it to be searched in Grafana.',
  role: roles.compute,
  once: true,
  after: [storageClass, monitoring],
  estimate: 180,
  enabled: hasLogging,
  secrets: () => [{name: storePassword, generate: newPassword}],
  removal: {goesWith: rke2},
  resources: context => {
    const {deployment, secret} = context;
    return [
      artifact(context, 'chart-loki'),
      artifact(context, 'chart-opentelemetry-collector'),
      manifest({
        id: 'log store',
        // The agents read the machine’s own directories.
        objects: [
          namespace(namespaces.logging, 'privileged'),
          objectStoreSecret(secret(storePassword)),
          ...objectStoreObjects(deployment),
          lokiRulesObject,
        ],
        ready: true,
        timeoutSeconds: 600,
      }),
      helmRelease({
        name: 'loki',
        namespace: namespaces.logging,
        chart: chart(context, 'chart-loki'),
        values: lokiValues(deployment),
        timeoutSeconds: 900,
      }),
      helmRelease({
        name: gatewayName,
        namespace: namespaces.logging,
        chart: chart(context, 'chart-opentelemetry-collector'),
        values: collectorGatewayValues(deployment),
        timeoutSeconds: 600,
      }),
      helmRelease({
        name: agentName,
        namespace: namespaces.logging,
        chart: chart(context, 'chart-opentelemetry-collector'),
        values: collectorAgentValues(),
        timeoutSeconds: 600,
      }),
      ...(hasMonitoring(deployment) ? [manifest({id: 'dashboard of the logs', objects: [logsDashboardObject]})] : []),
    ];
  },
  verify: ({facts}) => [
    rolledOut(namespaces.logging, 'statefulset', objectStore),
    rolledOut(namespaces.logging, 'statefulset', 'loki'),
    rolledOut(namespaces.logging, 'deployment', gatewayName),
    rolledOut(namespaces.logging, 'daemonset', agentName),
    // A rehearsal's cluster runs no pods that could answer.
    ...(facts.practice
      ? []
      : [
          prints(
            {
              id: 'lines',
              title: 'Loki has lines of programs',
              script: onCluster(
                sh`kubectl get --raw ${`/api/v1/namespaces/${namespaces.logging}/services/loki:http-metrics/proxy/loki/api/v1/label/k8s_namespace_name/values`}`,
              ),
            },
            /"kube-system"/,
          ),
        ]),
  ],
  remedies: [...loggingRemedies, ...platformRemedies],
  skippable: 'What programs print is kept on their machine only, for as long as their pods are there.',
});
