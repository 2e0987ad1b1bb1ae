import {mkdir} from 'node:fs/promises';
import {dirname} from 'node:path';
import {execa} from 'execa';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {artifactPath} from '../../source/artifacts/artifact.ts';
import {artifactOf} from '../../source/artifacts/for-step.ts';
import {type Deployment, type Environment, deployment as schema} from '../../source/deployment/schema.ts';
import type {Step, StepContext} from '../../source/engine/step.ts';
import {environmentSteps} from '../../steps/environment/environment.ts';
import {chartId, commonsCharts, moduleCharts} from '../../steps/environment/names.ts';
import {environmentRemoval} from '../../steps/environment/removal.ts';
import {assess, converge, plan} from '../support/apply.ts';
import {anEnvironment} from '../support/deployments.ts';
import {sampleFacts} from '../support/facts.ts';
import {type Cluster, clusterUp, packChart} from '../support/kube.ts';
import {contextFor, sampleDeployment} from '../support/step-context.ts';

/**
 * Environments on a real API server, with a real helm. The charts are small ones of the same names and versions, which
 * write down what they were told and make what matters here: a password of their own and a claim for data.
 */
let cluster: Cluster;
const vault = new Map<string, string>();

const told = `apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-told}
data: {values: {{ toJson .Values | quote }}}
`;
// As OpenG2P's charts do it: made once, then found again.
const password = `{{- $old := lookup "v1" "Secret" .Release.Namespace (print .Release.Name "-db-user") }}
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}-db-user}
data: {password: {{ if $old }}{{ $old.data.password }}{{ else }}{{ randAlphaNum 16 | b64enc }}{{ end }}}
`;
const claim = `apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: data-{{ .Release.Name }}-postgresql-0
  labels: {app.kubernetes.io/instance: {{ .Release.Name }}}
  annotations: {helm.sh/resource-policy: keep}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Mi}}
`;

const kindOf = (group: string, version: string, plural: string, kind: string) => `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ${plural}.${group}}
spec:
  group: ${group}
  scope: Namespaced
  names: {plural: ${plural}, singular: ${kind.toLowerCase()}, kind: ${kind}}
  versions:
    - name: ${version}
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`;

const kinds = [
  kindOf('networking.istio.io', 'v1', 'gateways', 'Gateway'),
  kindOf('management.cattle.io', 'v3', 'projects', 'Project'),
  kindOf('management.cattle.io', 'v3', 'projectroletemplatebindings', 'ProjectRoleTemplateBinding'),
].join('---');

const member = {principal: 'local://u-ana', kind: 'user', role: 'member'} as const;
const qa = anEnvironment({name: 'qa', modules: ['registry', 'spar'], members: [member]});
const dev = anEnvironment({name: 'dev'});

const withEnvironments = (...environments: Environment[]): Deployment => {
  const sample = sampleDeployment();
  return schema.parse({...sample, components: {...sample.components, kubernetes: {}}, environments});
};

const deployment = withEnvironments(qa, dev);

const contextOf = (step: Step): Promise<StepContext> => contextFor(step, {deployment, vault});

beforeAll(async () => {
  cluster = await clusterUp('environments');
  await cluster.on(`kubectl apply -f - <<'END'
${kinds}
END
kubectl create namespace local
# Rancher makes a namespace for each project.
kubectl create namespace p-qa
kubectl wait --for=condition=Established crd --all --timeout=60s`);
  const context = {deployment, facts: sampleFacts()};
  for (const chart of [
    commonsCharts.base,
    commonsCharts.services,
    ...Object.values(moduleCharts).map(each => each.chart),
  ]) {
    const artifact = artifactOf(chartId(chart), context);
    const templates = {
      'told.yaml': told,
      ...(chart === commonsCharts.base && {'password.yaml': password, 'claim.yaml': claim}),
    };
    const {path} = await packChart(cluster.folder, chart, artifact.version, templates);
    const place = artifactPath(artifact).replace('/var/lib/groundwork', `${cluster.folder}/groundwork`);
    await mkdir(dirname(place), {recursive: true});
    await execa('cp', [path, place]);
  }
});
afterAll(async () => {
  await cluster?.down();
});

/** What a step says for itself after it was run. */
const proven = async (step: Step): Promise<void> => {
  for (const {title, script, check} of step.verify(await contextOf(step))) {
    const ran = await cluster.connection.run(script);
    if (!ran.ok) throw new Error(ran.error.message);
    expect(check(ran.value), title).toMatchObject({ok: true});
  }
};

/** Runs steps one after the other, as the engine does; what each changed in its first round. Nothing in the second. */
const carryOut = async (steps: readonly Step[]): Promise<readonly string[]> => {
  const changed: string[] = [];
  for (const step of steps) {
    const {rounds} = await converge(cluster.connection, step.resources(await contextOf(step)));
    expect(rounds[1], step.id).toEqual([]);
    if (step.id.includes('-remove-')) await proven(step);
    changed.push(...(rounds[0] ?? []).flatMap(({changes}) => changes.map(({summary}) => summary)));
  }
  return changed;
};

const changesOf = async (steps: readonly Step[]): Promise<readonly string[]> => {
  const all = await Promise.all(
    steps.map(async step => plan(cluster.connection, step.resources(await contextOf(step)))),
  );
  return all.flat().flatMap(({changes}) => changes.map(({summary}) => summary));
};

const toldTo = async (namespace: string, release: string) =>
  JSON.parse(await cluster.on(`kubectl get configmap ${release}-told -n ${namespace} -o 'jsonpath={.data.values}'`));
const releases = (namespace: string) => cluster.on(`helm list -n ${namespace} --short | sort | xargs`);
const names = (what: string) => cluster.on(`kubectl get ${what} -o name --ignore-not-found 2>/dev/null | sort | xargs`);
const databasePassword = () => cluster.on(`kubectl get secret commons-db-user -n qa -o 'jsonpath={.data.password}'`);

describe('an environment', () => {
  test('is installed from nothing, and again without a change', async () => {
    await carryOut(environmentSteps(qa));
    expect(await releases('qa')).toBe('commons commons-services registry spar');
    expect(await toldTo('qa', 'commons')).toMatchObject({
      global: {baseDomain: 'qa.openg2p.test', postgresqlSecret: 'commons-postgresql'},
    });
    expect(await toldTo('qa', 'registry')).toMatchObject({
      global: {aweApproverUserPassword: vault.get('environment-qa-registry-approver')},
    });
    expect(await names('secret/commons-postgresql secret/commons-keycloak secret/commons-redis-auth -n qa')).toBe(
      'secret/commons-keycloak secret/commons-postgresql secret/commons-redis-auth',
    );
    expect(await names('gateways.networking.istio.io -n qa')).toBe('gateway.networking.istio.io/internal');
    expect(await cluster.on(`kubectl get configmap openg2p-ca-cert -n qa -o 'jsonpath={.data.ca\\.crt}'`)).toContain(
      'BEGIN CERTIFICATE',
    );
    expect(await changesOf(environmentSteps(qa))).toEqual([]);
  });

  test('is a project of Rancher with its members', async () => {
    expect(
      await cluster.on(`kubectl get ns qa -o 'jsonpath={.metadata.annotations.field\\.cattle\\.io/projectId}'`),
    ).toBe('local:p-qa');
    const binding = JSON.parse(await cluster.on('kubectl get projectroletemplatebindings -n p-qa -o json')).items;
    expect(binding).toMatchObject([
      {projectName: 'local:p-qa', roleTemplateName: 'project-member-no-secrets', userPrincipalName: 'local://u-ana'},
    ]);
    const without = environmentSteps({...qa, members: []});
    expect(await carryOut(without.slice(0, 1))).toEqual(['let local://u-ana in as project-member-no-secrets no more']);
    expect(await names('projectroletemplatebindings -n p-qa')).toBe('');
    await carryOut(environmentSteps(qa));
  });

  test('stands beside another one', async () => {
    await carryOut(environmentSteps(dev));
    expect(await releases('dev')).toBe('commons commons-services');
    expect(await changesOf(environmentSteps(qa))).toEqual([]);
    expect(await toldTo('dev', 'commons')).toMatchObject({global: {baseDomain: 'dev.openg2p.test'}});
  });

  test('shows by hand what somebody changed, and puts it right', async () => {
    await cluster.on('kubectl delete gateways.networking.istio.io internal -n qa');
    expect(await changesOf(environmentSteps(qa))).toHaveLength(1);
    await carryOut(environmentSteps(qa));
    expect(await changesOf(environmentSteps(qa))).toEqual([]);
  });
});

describe('an environment that is taken away', () => {
  const listed = async (environment: Environment) => {
    const staying: string[] = [];
    const goes: string[] = [];
    for (const step of environmentRemoval(environment, {data: false}).slice(0, 1)) {
      const found = await assess(cluster.connection, step.resources(await contextOf(step)));
      for (const {changes, stays = []} of found.values()) {
        staying.push(...stays.map(({what}) => what));
        goes.push(...changes.map(({summary}) => summary));
      }
    }
    return {goes, staying};
  };

  test('is listed as it is', async () => {
    expect(await listed(qa)).toEqual({
      goes: [
        'keep the passwords that belong to the data',
        ...['spar', 'registry', 'commons-services', 'commons'].map(name => `remove ${name}; its volume claims stay`),
      ],
      staying: ['volume data-commons-postgresql-0 (1Mi)'],
    });
    expect(await listed(anEnvironment({name: 'nobody'}))).toEqual({goes: [], staying: []});
  });

  test('leaves data and its passwords, which an environment of the same name finds again', async () => {
    const before = await databasePassword();
    const own = vault.get('environment-qa-postgres');
    await carryOut(environmentRemoval(qa, {data: false}));
    expect(await releases('qa')).toBe('');
    expect(await names('gateways.networking.istio.io -n qa')).toBe('');
    expect(await names('projects.management.cattle.io -n local')).toBe('project.management.cattle.io/p-dev');
    expect(await names('pvc -n qa')).toBe('persistentvolumeclaim/data-commons-postgresql-0');
    expect(await databasePassword()).toBe(before);
    expect(await changesOf(environmentRemoval(qa, {data: false}))).toEqual([]);
    expect(await releases('dev')).toBe('commons commons-services');

    await carryOut(environmentSteps(qa));
    expect(await databasePassword()).toBe(before);
    expect(vault.get('environment-qa-postgres')).toBe(own);
    expect(await changesOf(environmentSteps(qa))).toEqual([]);
  });

  test('leaves nothing when it is purged, and nothing of the others is touched', async () => {
    await carryOut(environmentRemoval(qa, {data: true}));
    expect(await names('namespace/qa')).toBe('');
    expect(await names('projects.management.cattle.io -n local')).toBe('project.management.cattle.io/p-dev');
    expect(await changesOf(environmentRemoval(qa, {data: true}))).toEqual([]);
    expect(await changesOf(environmentSteps(dev))).toEqual([]);
  });

  test('takes the namespace with it when no data is there', async () => {
    await cluster.on('kubectl delete pvc --all -n dev --timeout=60s');
    await carryOut(environmentRemoval(dev, {data: false}));
    expect(await names('namespace/dev')).toBe('');
    expect(await names('projects.management.cattle.io -n local')).toBe('');
  });

  test('lets volumes go with their claims only when it is purged', async () => {
    await cluster.on(`kubectl apply -f - <<'END'
apiVersion: v1
kind: PersistentVolume
metadata: {name: pvc-of-shop}
spec:
  capacity: {storage: 1Mi}
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Retain
  claimRef: {namespace: shop, name: data}
  hostPath: {path: /nowhere}
END`);
    const shop = anEnvironment({name: 'shop'});
    expect(await changesOf(environmentRemoval(shop, {data: false}))).toEqual([]);
    expect(await changesOf(environmentRemoval(shop, {data: true}))).toEqual([
      'let the volume of data go with its claim',
      'erase volume data (1Mi)',
    ]);
    const [services] = environmentRemoval(shop, {data: true});
    if (services) await carryOut([services]);
    expect(await cluster.on(`kubectl get pv pvc-of-shop -o 'jsonpath={.spec.persistentVolumeReclaimPolicy}'`)).toBe(
      'Delete',
    );
  });
});
