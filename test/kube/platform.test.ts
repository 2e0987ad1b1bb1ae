import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {alertChannels} from '../../source/deployment/schema/kubernetes.ts';
import {type Deployment, kubernetes as kubernetesSchema} from '../../source/deployment/schema.ts';
import type {KubeObject} from '../../source/kubernetes/objects.ts';
import {manifest} from '../../source/resources/manifest.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {coreDnsConfiguration} from '../../steps/coredns/configuration.ts';
import {logging, monitoring, rancher, steps} from '../../steps/index.ts';
import {spdyUpgrade} from '../../steps/istio/objects.ts';
import {logsDashboardObject} from '../../steps/logging/dashboard.ts';
import {objectStoreObjects, objectStoreSecret} from '../../steps/logging/object-store.ts';
import {lokiRulesObject} from '../../steps/logging/rules.ts';
import {alertmanagerSecrets} from '../../steps/monitoring/alerting.ts';
import {grafanaRoutes, measurementsVolume, monitoringPrerequisites} from '../../steps/monitoring/objects.ts';
import {platformRules} from '../../steps/monitoring/rules.ts';
import {
  catalogue,
  clusterName,
  rancherPrerequisites,
  rancherRoutes,
  rancherSettings,
} from '../../steps/rancher/objects.ts';
import {roleTemplates} from '../../steps/rancher/roles.ts';
import {namespace, namespaces} from '../../steps/shared/platform.ts';
import {proofOfStorage, storageClass} from '../../steps/storage-class/objects.ts';
import {converge, plan} from '../support/apply.ts';
import {leaksIn} from '../support/canary.ts';
import {type Cluster, clusterUp} from '../support/kube.ts';
import {contextFor, wholeDeployment} from '../support/step-context.ts';

let cluster: Cluster;

/** A kind whose operator is not here: any content is taken. */
const definition = (group: string, version: string, kind: string, plural: string, scope: string): KubeObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {name: `${plural}.${group}`},
  spec: {
    group,
    scope,
    names: {kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List`},
    versions: [
      {
        name: version,
        served: true,
        storage: true,
        schema: {openAPIV3Schema: {type: 'object', 'x-kubernetes-preserve-unknown-fields': true}},
      },
    ],
  },
});

const definitions: readonly KubeObject[] = [
  definition('networking.istio.io', 'v1', 'Gateway', 'gateways', 'Namespaced'),
  definition('networking.istio.io', 'v1', 'VirtualService', 'virtualservices', 'Namespaced'),
  definition('networking.istio.io', 'v1alpha3', 'EnvoyFilter', 'envoyfilters', 'Namespaced'),
  definition('monitoring.coreos.com', 'v1', 'PrometheusRule', 'prometheusrules', 'Namespaced'),
  definition('helm.cattle.io', 'v1', 'HelmChartConfig', 'helmchartconfigs', 'Namespaced'),
  definition('management.cattle.io', 'v3', 'Setting', 'settings', 'Cluster'),
  definition('management.cattle.io', 'v3', 'Cluster', 'clusters', 'Cluster'),
  definition('management.cattle.io', 'v3', 'RoleTemplate', 'roletemplates', 'Cluster'),
  definition('catalog.cattle.io', 'v1', 'ClusterRepo', 'clusterrepos', 'Cluster'),
];

const deployment: Deployment = (() => {
  const whole = wholeDeployment();
  const alerts = alertChannels.parse({
    slack: {channel: '#alerts'},
    mail: {server: 'mail.example.org', from: 'g2p@example.org', to: ['ops@example.org'], user: 'g2p'},
    telegram: {chat: -100},
  });
  const kubernetes = kubernetesSchema.parse({monitoring: {alerts}});
  return {...whole, components: {...whole.components, kubernetes}};
})();

const secrets = {
  rancher: 'canary-of-rancher-1234',
  grafana: 'canary-of-grafana-1234',
  store: 'canary-of-the-store-1234',
  alerts: 'https://hooks.example.org/canary-of-alerts',
};

/** What the steps apply, but for the charts. */
const objects = (): Readonly<Record<string, readonly KubeObject[]>> => ({
  'storage class': [storageClass(deployment), proofOfStorage(deployment)],
  'settings of CoreDNS': [coreDnsConfiguration(deployment)],
  'namespace of Istio': [namespace(namespaces.istio, 'baseline')],
  'terminals through the gateway': [spdyUpgrade],
  'before Rancher': rancherPrerequisites(secrets.rancher, ['-----BEGIN CERTIFICATE-----\n']),
  'way to Rancher': rancherRoutes(deployment),
  'settings of Rancher': [
    ...rancherSettings(deployment),
    clusterName(deployment),
    ...roleTemplates,
    ...catalogue(deployment),
  ],
  'before monitoring': [
    ...monitoringPrerequisites(secrets.grafana),
    ...alertmanagerSecrets(deployment, () => secrets.alerts),
    ...measurementsVolume(deployment, {name: 'sandbox-1'}),
  ],
  'after monitoring': [platformRules, ...grafanaRoutes(deployment)],
  'log store': [
    namespace(namespaces.logging, 'privileged'),
    objectStoreSecret(secrets.store),
    ...objectStoreObjects(deployment),
    lokiRulesObject,
  ],
  dashboard: [{apiVersion: 'v1', kind: 'Namespace', metadata: {name: 'cattle-dashboards'}}, logsDashboardObject],
});

const resources = (): readonly Resource[] =>
  Object.entries(objects()).map(([id, list]) => manifest({id, objects: list, timeoutSeconds: 60}));

beforeAll(async () => {
  cluster = await clusterUp('platform');
  await converge(cluster.connection, [manifest({id: 'definitions', objects: definitions})], {rounds: 1});
  await cluster.on('kubectl wait --for=condition=Established --timeout=30s crd --all');
});

afterAll(async () => {
  await cluster?.down();
});

describe('the objects of the platform', () => {
  test('are all taken by a real API server, and then there is nothing to do', {timeout: 600_000}, async () => {
    const {rounds} = await converge(cluster.connection, resources());
    expect(rounds[0]?.map(({id}) => id)).toEqual(Object.keys(objects()).map(id => `manifest ${id}`));
    expect(rounds[1]).toEqual([]);
  });

  test('say what they are for those who look, and no secret', async () => {
    await cluster.on('kubectl delete secret --all --namespace cattle-system --namespace observability >/dev/null');
    await cluster.on('kubectl delete secret --all --namespace cattle-monitoring-system >/dev/null');
    const planned = JSON.stringify(await plan(cluster.connection, resources()));
    expect(planned).toContain('create Secret cattle-monitoring-system/grafana-admin');
    expect(leaksIn(planned, secrets)).toEqual([]);
    await converge(cluster.connection, resources(), {rounds: 1});
  });

  test('are found as the steps look for them', async () => {
    const wanted: readonly (readonly [step: string, verification: string])[] = [
      ['storage-class', 'default-class'],
      ['rancher', 'server-url'],
      ['rancher', 'roles'],
    ];
    for (const [id, verification] of wanted) {
      const step = steps.find(each => each.id === id);
      if (!step) throw new Error(`no step ${id}`);
      const context = await contextFor(step, {deployment});
      const {script, check} = step.verify(context).find(each => each.id === verification) ?? {};
      if (!script || !check) throw new Error(`no verification ${verification}`);
      const ran = await cluster.connection.run(script);
      if (!ran.ok) throw new Error(ran.error.message);
      expect(check(ran.value), verification).toMatchObject({ok: true});
    }
  });

  test('have one default storage class, whose volumes keep their data', async () => {
    expect(
      await cluster.on("kubectl get storageclass nfs-csi -o jsonpath='{.reclaimPolicy} {.parameters.share}'"),
    ).toBe('Retain /srv/nfs/demo');
  });

  test('give what is measured a volume that only its own claim gets', async () => {
    await cluster.on(`kubectl apply -f - <<'END'
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: somebody-else, namespace: default}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: ""
  resources: {requests: {storage: 1Gi}}
END`);
    expect(await cluster.on('kubectl get pv prometheus-measurements -o jsonpath={.status.phase}')).toBe('Available');
  });

  test('put right what somebody changed', async () => {
    await cluster.on(
      `kubectl patch settings.management.cattle.io server-url --type merge -p '{"value":"https://elsewhere"}'`,
    );
    await cluster.on('kubectl label --overwrite namespace observability pod-security.kubernetes.io/enforce=restricted');
    const {rounds} = await converge(cluster.connection, resources());
    expect(rounds[0]?.map(({id}) => id)).toEqual(['manifest settings of Rancher', 'manifest log store']);
    expect(rounds[1]).toEqual([]);
    expect(await cluster.on('kubectl get settings.management.cattle.io server-url -o jsonpath={.value}')).toBe(
      'https://rancher.openg2p.test',
    );
  });

  test('let the roles for people without Secrets really not see them', async () => {
    await cluster.on(
      `kubectl create clusterrole member --dry-run=client -o json --verb=get --resource=pods >/dev/null`,
    );
    for (const {metadata, rules} of roleTemplates) {
      const role = {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: {name: metadata.name, namespace: 'default'},
        rules,
      };
      const binding = {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: {name: metadata.name, namespace: 'default'},
        roleRef: {apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: metadata.name},
        subjects: [{kind: 'User', name: metadata.name, apiGroup: 'rbac.authorization.k8s.io'}],
      };
      await converge(cluster.connection, [manifest({id: metadata.name, objects: [role, binding]})], {rounds: 1});
      const can = (verb: string, resource: string) =>
        cluster.on(`kubectl auth can-i ${verb} ${resource} --as=${metadata.name} || true`);
      expect(await can('get', 'secrets')).toBe('no');
      expect(await can('list', 'secrets')).toBe('no');
      expect(await can('list', 'pods')).toBe('yes');
      expect(await can('create', 'pods/exec')).toBe(metadata.name.includes('member') ? 'yes' : 'no');
      expect(await can('delete', 'deployments.apps')).toBe(metadata.name.includes('member') ? 'yes' : 'no');
    }
  });
});

describe('what the steps would do on a cluster that has nothing', () => {
  test('is said without a secret', async () => {
    for (const step of [rancher, monitoring, logging]) {
      const vault = new Map<string, string>();
      const context = await contextFor(step, {deployment, vault});
      const manifests = step.resources(context).filter(({id}) => id.startsWith('manifest '));
      const planned = JSON.stringify(await plan(cluster.connection, manifests));
      const known = Object.fromEntries([...vault].filter(([name]) => !name.startsWith('certificate')));
      expect(leaksIn(planned, known)).toEqual([]);
    }
  });
});
