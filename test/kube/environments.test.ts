import {readFileSync} from 'node:fs';
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

// Scaled to zero, because nothing runs here; one container has been told whom to trust.
const application = `apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}-api}
spec:
  replicas: 0
  selector: {matchLabels: {app: {{ .Release.Name }}-api}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}-api}}
    spec:
      containers:
      - {name: api, image: example/api:1, env: [{name: PORT, value: "8080"}]}
      - {name: other, image: example/other:1, env: [{name: SSL_CERT_FILE, value: /own.pem}]}
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
      'application.yaml': application,
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

/** Those that this deployment has: its databases are in the cluster. */
const enabled = (steps: readonly Step[]): readonly Step[] => steps.filter(step => step.enabled?.(deployment) !== false);

/** Runs steps one after the other, as the engine does; what each changed in its first round. Nothing in the second. */
const carryOut = async (steps: readonly Step[]): Promise<readonly string[]> => {
  const changed: string[] = [];
  for (const step of enabled(steps)) {
    const {rounds} = await converge(cluster.connection, step.resources(await contextOf(step)));
    expect(rounds[1], step.id).toEqual([]);
    if (step.id.includes('-remove-')) await proven(step);
    changed.push(...(rounds[0] ?? []).flatMap(({changes}) => changes.map(({summary}) => summary)));
  }
  return changed;
};

const changesOf = async (steps: readonly Step[]): Promise<readonly string[]> => {
  const all = await Promise.all(
    enabled(steps).map(async step => plan(cluster.connection, step.resources(await contextOf(step)))),
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

  test('has pods that trust the deployment’s CA beside the public ones, unless they were told otherwise', async () => {
    const stored = await cluster.on(`kubectl get configmap groundwork-trust -n qa -o 'jsonpath={.data.authorities}'`);
    const machine = readFileSync('/etc/ssl/certs/ca-certificates.crt', 'utf8');
    expect(stored.match(/BEGIN CERTIFICATE/g)).toHaveLength(machine.match(/BEGIN CERTIFICATE/g)?.length ?? 0);
    const {volumes, containers} = JSON.parse(await cluster.on('kubectl get deployment registry-api -n qa -o json')).spec
      .template.spec;
    expect(volumes).toMatchObject([{configMap: {name: 'groundwork-trust', optional: true}}]);
    const variables = containers.map(({env}: {env: readonly {name: string; value: string}[]}) =>
      Object.fromEntries(env.map(({name, value}) => [name, value])),
    );
    const file = '/etc/groundwork/trust/authorities.pem';
    expect(variables[0]).toMatchObject({PORT: '8080', SSL_CERT_FILE: file, NODE_EXTRA_CA_CERTS: file});
    expect(variables[1]).toMatchObject({SSL_CERT_FILE: '/own.pem', REQUESTS_CA_BUNDLE: file});
    expect(containers[1].volumeMounts).toMatchObject([{mountPath: '/etc/groundwork/trust', readOnly: true}]);
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
    expect(await carryOut(without.filter(({id}) => id === 'environment-qa-namespace'))).toEqual([
      'let local://u-ana in as project-member-no-secrets no more',
    ]);
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
