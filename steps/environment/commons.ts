import {chart} from '../../source/artifacts/for-step.ts';
import type {Environment} from '../../source/deployment/schema.ts';
import {type Step, type StepContext, step, type Verification} from '../../source/engine/step.ts';
import {helmRelease} from '../../source/resources/helm-release.ts';
import {manifest} from '../../source/resources/manifest.ts';
import {sh} from '../../source/shell/script.ts';
import {rke2} from '../rke2/rke2.ts';
import {exitsZero, prints} from '../shared/checks.ts';
import {hasKubernetes, roles} from '../shared/deployment.ts';
import {onCluster} from '../shared/platform.ts';
import {statusThroughProxy} from './gateway.ts';
import {loginSheet} from './login-sheet.ts';
import {chartId, commons, commonsCharts, keycloakHost, stepId} from './names.ts';
import {
  generated,
  keycloakPassword,
  passwordSecrets,
  redisPassword,
  staffPassword,
  supersetKey,
  superuserPassword,
} from './passwords.ts';
import {environmentRemedies} from './remedies.ts';
import {environmentTrust} from './trust.ts';
import {baseValues, type ChartValues, servicesValues, type ValuesContext} from './values.ts';

/** What all steps that install something in an environment have in common. */
export const inEnvironment = {
  role: roles.compute,
  once: true,
  enabled: hasKubernetes,
  remedies: environmentRemedies,
  removal: {goesWith: rke2},
} as const;

/**
 * eSignet, the mock identity system and the key manager need tables that a hook of theirs makes, and helm runs hooks
 * only after what is before them: as ordinary Jobs these run while the pods start again and again.
 */
const schemaJobs = [{image: 'mosipid/postgres-init'}] as const;

/** Half an hour: a first installation pulls some ten gigabytes of images. */
const readyTimeoutSeconds = 1800;

export const valuesContext = (
  {deployment, secret}: Pick<StepContext, 'deployment' | 'secret'>,
  environment: Environment,
): ValuesContext => ({deployment, environment, secret});

export const releaseOf = (
  context: StepContext,
  environment: Environment,
  {release, chart: name}: {readonly release: string; readonly chart: string},
  {values, secretValues}: ChartValues,
) =>
  helmRelease({
    name: release,
    namespace: environment.name,
    chart: chart(context, chartId(name)),
    values,
    secretValues,
    hooksAsJobs: schemaJobs,
    trust: environmentTrust,
    timeoutSeconds: readyTimeoutSeconds,
  });

export const isDeployed = ({name}: Pick<Environment, 'name'>, release: string): Verification =>
  exitsZero(
    {
      id: `${release}-deployed`,
      title: `helm says that ${release} is deployed`,
      script: onCluster(
        sh`helm list --namespace ${name} --deployed --filter ${`^${release}$`} --short | grep -Fx ${release}`,
      ),
    },
    'deployed',
  );

/** Before anything that uses them, so that no chart makes passwords of its own. */
export const passwordsStep = (environment: Environment, after: readonly Step[]): Step =>
  step({
    ...inEnvironment,
    id: stepId(environment, 'passwords'),
    title: `${environment.name}: passwords`,
    why: 'Gives databases and administrators passwords that are in the vault, in place of those that everybody knows.',
    after,
    estimate: 3,
    secrets: deployment =>
      generated(superuserPassword(deployment, environment), keycloakPassword(environment), redisPassword(environment)),
    resources: ({deployment, secret}) => [
      manifest({id: `passwords of ${environment.name}`, objects: passwordSecrets(deployment, environment, secret)}),
    ],
    verify: ({deployment, secret}) =>
      passwordSecrets(deployment, environment, secret).map(({metadata: {name}}) =>
        exitsZero(
          {
            id: name,
            title: `the Secret ${name} is there`,
            script: onCluster(sh`kubectl get secret ${name} --namespace ${environment.name} --output name`),
          },
          'it is there',
        ),
      ),
  });

export const baseStep = (environment: Environment, after: readonly Step[]): Step =>
  step({
    ...inEnvironment,
    id: stepId(environment, 'commons-base'),
    title: `${environment.name}: databases and login`,
    why: 'PostgreSQL, Kafka, MinIO, Redis and Keycloak, which everything else in the environment works with.',
    after,
    estimate: 480,
    secrets: () => generated(staffPassword(environment)),
    resources: context => [
      releaseOf(
        context,
        environment,
        {release: commons.base, chart: commonsCharts.base},
        baseValues(valuesContext(context, environment)),
      ),
    ],
    verify: ({deployment}) => [
      isDeployed(environment, commons.base),
      prints(
        {
          id: 'login',
          title: `Keycloak answers at ${keycloakHost(deployment, environment)} with the realm of the staff`,
          script: statusThroughProxy(
            deployment,
            keycloakHost(deployment, environment),
            '/realms/staff/.well-known/openid-configuration',
          ),
        },
        '200',
      ),
    ],
  });

export const servicesStep = (environment: Environment, after: readonly Step[]): Step =>
  step({
    ...inEnvironment,
    id: stepId(environment, 'commons-services'),
    title: `${environment.name}: shared services`,
    why: 'Login with eSignet, Superset, ODK, master data, audit, consent and the staff portal, for all modules.',
    after,
    estimate: 600,
    secrets: () => generated(supersetKey(environment), keycloakPassword(environment), staffPassword(environment)),
    resources: context => [
      releaseOf(
        context,
        environment,
        {release: commons.services, chart: commonsCharts.services},
        servicesValues(valuesContext(context, environment)),
      ),
    ],
    verify: () => [isDeployed(environment, commons.services)],
    handover: ({deployment, secret}) => [loginSheet(deployment, environment, secret)],
  });
