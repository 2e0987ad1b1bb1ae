import type {Deployment, Environment} from '../../source/deployment/schema.ts';
import {type Step, step} from '../../source/engine/step.ts';
import {kubeEnvironment} from '../../source/kubernetes/access.ts';
import type {KubeObject} from '../../source/kubernetes/objects.ts';
import {manifest} from '../../source/resources/manifest.ts';
import {lines, sh} from '../../source/shell/script.ts';
import {voucherSpecs, vouchersOf} from '../certificates/authority.ts';
import {hasRancher} from '../rancher/rancher.ts';
import {exitsZero, prints} from '../shared/checks.ts';
import {hasKubernetes, kubernetesOf, roles} from '../shared/deployment.ts';
import {passwordsOfData} from './kept-passwords.ts';
import {projectMembers, projectName} from './members.ts';
import {authorityConfigMap, labelsOf, stepId} from './names.ts';
import {environmentRemedies} from './remedies.ts';
import {podsTrust, trustInNamespace} from './trust.ts';

export const rancherProject = (environment: Environment): KubeObject => ({
  apiVersion: 'management.cattle.io/v3',
  kind: 'Project',
  metadata: {name: projectName(environment), namespace: 'local', labels: labelsOf(environment)},
  spec: {clusterName: 'local', displayName: environment.name, description: 'An environment of OpenG2P.'},
});

/**
 * Without Istio's sidecars, like OpenG2P's own installer: a Job never ends while one runs beside it. The profile of the
 * CIS benchmark refuses what runs as root everywhere, and SoftHSM and others of MOSIP's images do.
 */
export const environmentNamespace = (deployment: Deployment, environment: Environment): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name: environment.name,
    labels: {
      ...labelsOf(environment),
      'istio-injection': 'disabled',
      ...(kubernetesOf(deployment).cis && {'pod-security.kubernetes.io/enforce': 'baseline'}),
      ...(hasRancher(deployment) && {'field.cattle.io/projectId': projectName(environment)}),
    },
    ...(hasRancher(deployment) && {annotations: {'field.cattle.io/projectId': `local:${projectName(environment)}`}}),
  },
});

const authority = (environment: Environment, certificate: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {name: authorityConfigMap.name, namespace: environment.name, labels: labelsOf(environment)},
  data: {[authorityConfigMap.key]: certificate},
});

/** The namespace, and for Rancher the project that it belongs to with those who may work in it. */
export const namespaceStep = (environment: Environment, after: readonly Step[]): Step =>
  step({
    id: stepId(environment, 'namespace'),
    title: `${environment.name}: namespace`,
    why: `Keeps what belongs to ${environment.name} apart from other environments, with rights of its own.`,
    role: roles.compute,
    once: true,
    after,
    estimate: 5,
    enabled: hasKubernetes,
    removal: passwordsOfData(environment),
    secrets: voucherSpecs,
    resources: ({deployment, secret}) => [
      ...(hasRancher(deployment)
        ? [manifest({id: `Rancher project of ${environment.name}`, objects: [rancherProject(environment)]})]
        : []),
      manifest({
        id: `namespace ${environment.name}`,
        objects: [
          environmentNamespace(deployment, environment),
          authority(environment, vouchersOf(deployment, secret).all.join('')),
        ],
      }),
      trustInNamespace(environment),
      ...(hasRancher(deployment) ? [projectMembers(environment)] : []),
    ],
    verify: ({deployment}) => [
      prints(
        {
          id: 'namespace',
          title: `the namespace ${environment.name} is there and not being deleted`,
          script: lines(
            kubeEnvironment,
            sh`kubectl get namespace ${environment.name} --output 'jsonpath={.status.phase}'`,
          ),
        },
        'Active',
      ),
      podsTrust(environment),
      ...(hasRancher(deployment)
        ? [
            exitsZero({
              id: 'project',
              title: 'Rancher has it as a project',
              script: lines(
                kubeEnvironment,
                sh`kubectl get projects.management.cattle.io ${projectName(environment)} --namespace local --output name`,
              ),
            }),
          ]
        : []),
    ],
    remedies: environmentRemedies,
  });
