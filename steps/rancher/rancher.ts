import {chart} from '../../source/artifacts/for-step.ts';
import type {Deployment} from '../../source/deployment/schema.ts';
import {type StepContext, step, type Verification} from '../../source/engine/step.ts';
import {artifact} from '../../source/resources/artifact.ts';
import {helmRelease} from '../../source/resources/helm-release.ts';
import {manifest} from '../../source/resources/manifest.ts';
import {waitFor} from '../../source/resources/wait-for.ts';
import {sh} from '../../source/shell/script.ts';
import {voucherSpecs, vouchersOf} from '../certificates/authority.ts';
import {certificates} from '../certificates/certificates.ts';
import {trustBundle} from '../certificates/paths.ts';
import {coreDns} from '../coredns/coredns.ts';
import {istio} from '../istio/istio.ts';
import {nginx} from '../nginx/nginx.ts';
import {rke2} from '../rke2/rke2.ts';
import {prints} from '../shared/checks.ts';
import {hasKubernetes, hostsPlaying, kubernetesOf, roles} from '../shared/deployment.ts';
import {newPassword} from '../shared/password.ts';
import {namespaces, onCluster, rancherName, rolledOut} from '../shared/platform.ts';
import {platformRemedies} from '../shared/platform-remedies.ts';
import {
  catalogue,
  clusterName,
  passwordSecret,
  rancherPrerequisites,
  rancherRoutes,
  rancherSettings,
  rancherValues,
} from './objects.ts';
import {rancherRemedies} from './remedies.ts';
import {projectRoles, roleTemplates} from './roles.ts';

export const hasRancher = (deployment: Deployment): boolean =>
  hasKubernetes(deployment) && kubernetesOf(deployment).rancher.enabled;

/** Through nginx, TLS and the gateway, as a browser gets there. */
const answersFromOutside = ({deployment}: Pick<StepContext, 'deployment'>): readonly Verification[] => {
  const name = rancherName(deployment);
  const [proxy] = hostsPlaying(deployment, roles.proxy);
  return proxy
    ? [
        prints(
          {
            id: 'answers',
            title: `Rancher answers at https://${name}`,
            script: sh`curl --silent --show-error --noproxy '*' --max-time 10 --cacert ${trustBundle} --resolve ${`${name}:443:${proxy.privateAddress}`} ${`https://${name}/ping`}`,
          },
          'pong',
        ),
      ]
    : [];
};

export const rancher = step({
  id: 'rancher',
  title: 'Rancher',
  why: 'Shows what runs on the cluster in a browser, and decides who may see and change what.',
  role: roles.compute,
  once: true,
  after: [istio, coreDns, certificates, nginx],
  estimate: 300,
  enabled: hasRancher,
  secrets: deployment => [...voucherSpecs(deployment), {name: passwordSecret, generate: newPassword}],
  removal: {goesWith: rke2},
  resources: context => {
    const {deployment, secret} = context;
    const authorities = vouchersOf(deployment, secret).private;
    return [
      artifact(context, 'chart-rancher'),
      manifest({
        id: 'first password and authority of Rancher',
        objects: rancherPrerequisites(secret(passwordSecret), authorities),
      }),
      helmRelease({
        name: 'rancher',
        namespace: namespaces.rancher,
        chart: chart(context, 'chart-rancher'),
        values: rancherValues(deployment, authorities.length > 0),
        timeoutSeconds: 1200,
        // Rancher installs it when it starts; without it the API server refuses the objects that follow.
        alsoReady: [{kind: 'Deployment', name: 'rancher-webhook', namespace: namespaces.rancher}],
      }),
      manifest({id: 'way to Rancher', objects: rancherRoutes(deployment)}),
      // Applied before Rancher has made it, the object would be ours, and half of it missing.
      waitFor({
        id: 'Rancher knows its cluster',
        doing: 'waiting for Rancher to know the cluster that it runs on',
        until: onCluster(sh`kubectl get clusters.management.cattle.io local --output name &&
kubectl get clusterrepos.catalog.cattle.io --output name`),
        timeoutSeconds: 600,
        what: 'Rancher to know its own cluster and to have its catalogue',
      }),
      manifest({
        id: 'settings of Rancher',
        objects: [...rancherSettings(deployment), clusterName(deployment), ...roleTemplates, ...catalogue(deployment)],
        timeoutSeconds: 300,
      }),
    ];
  },
  verify: context => [
    rolledOut(namespaces.rancher, 'deployment', 'rancher'),
    rolledOut(namespaces.rancher, 'deployment', 'rancher-webhook'),
    prints(
      {
        id: 'server-url',
        title: 'Rancher knows its own address',
        script: onCluster(sh`kubectl get settings.management.cattle.io server-url --output 'jsonpath={.value}'`),
      },
      `https://${rancherName(context.deployment)}`,
    ),
    prints(
      {
        id: 'roles',
        title: 'there are roles for people who must not see Secrets',
        script: onCluster(
          sh`kubectl get roletemplates.management.cattle.io ${Object.values(projectRoles)} --output 'jsonpath={.items[*].metadata.name}'`,
        ),
      },
      Object.values(projectRoles).join(' '),
    ),
    // A rehearsal's cluster runs no pods that could answer.
    ...(context.facts.practice ? [] : answersFromOutside(context)),
  ],
  remedies: [...rancherRemedies, ...platformRemedies],
  skippable: 'There is no page for the cluster, and environments get no projects with roles of their own.',
});
