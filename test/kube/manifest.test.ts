import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import type {KubeObject} from '../../source/kubernetes/objects.ts';
import {manifest, manifestAbsent} from '../../source/resources/manifest.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {applyPort, assess, type Changed, converge, plan} from '../support/apply.ts';
import {type Cluster, clusterUp} from '../support/kube.ts';
import {localBash} from '../support/local.ts';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await clusterUp('manifest');
});
afterAll(async () => {
  await cluster?.down();
});

const settles = async (...resources: Resource[]): Promise<readonly Changed[]> => {
  const {rounds} = await converge(cluster.connection, resources);
  expect(rounds[1]).toEqual([]);
  return rounds[0] ?? [];
};
const summaries = (changed: readonly Changed[]) => changed.flatMap(({changes}) => changes.map(({summary}) => summary));
const planned = async (...resources: Resource[]) => summaries(await plan(cluster.connection, resources));

const namespace: KubeObject = {apiVersion: 'v1', kind: 'Namespace', metadata: {name: 'shop', labels: {team: 'a'}}};
const settings = (data: Record<string, string>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {name: 'settings', namespace: 'shop'},
  data,
});
const secret = (password: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {name: 'login', namespace: 'shop'},
  stringData: {password},
});
const deployment: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {name: 'cart', namespace: 'shop'},
  spec: {
    replicas: 0,
    selector: {matchLabels: {app: 'cart'}},
    template: {
      metadata: {labels: {app: 'cart'}},
      spec: {
        containers: [
          {
            name: 'cart',
            image: 'localhost/busybox:1',
            // Forms that the server turns into others: a change must not be seen where there is none.
            resources: {requests: {cpu: '1000m', memory: '1024Mi'}, limits: {}},
            env: [],
            ports: [{containerPort: 80}],
          },
        ],
      },
    },
  },
};

const shop = (data: Record<string, string>, password = 'correct horse'): Resource =>
  manifest({id: 'shop', objects: [deployment, settings(data), secret(password), namespace], ready: true});

describe('objects', () => {
  test('are all to be made where there is no cluster and no kubectl', async () => {
    const found = await assess(localBash(), [shop({a: '1'})]);
    expect(found.get('manifest shop')?.changes.map(({summary}) => summary)).toEqual([
      'create Namespace shop',
      'create ConfigMap shop/settings',
      'create Secret shop/login',
      'create Deployment shop/cart',
    ]);
  });

  test('and where there is a cluster that does not answer', async () => {
    const away = {
      ...cluster.connection,
      run: (script: {readonly kind: 'script'; readonly text: string}) =>
        cluster.connection.run({
          ...script,
          text: `${script.text.replaceAll('kubectl --', 'kubectl --server=https://127.0.0.1:9 --')}`,
        }),
    };
    expect(summaries(await plan(away, [shop({a: '1'})]))).toHaveLength(4);
  });

  test('are made in the order in which they can be, and then there is nothing to do', async () => {
    expect(summaries(await settles(shop({a: '1'})))).toEqual([
      'create Namespace shop',
      'create ConfigMap shop/settings',
      'create Secret shop/login',
      'create Deployment shop/cart',
    ]);
    expect(await cluster.on('kubectl get cm -n shop settings -o jsonpath={.data.a}')).toBe('1');
  });

  test('that differ say in what', async () => {
    const [changed] = await plan(cluster.connection, [shop({a: '2', b: 'x'})]);
    expect(changed?.changes).toEqual([
      {
        summary: 'change ConfigMap shop/settings',
        detail: [
          '@@ -1,5 +1,6 @@',
          ' apiVersion: v1',
          ' data:',
          '-  a: "1"',
          '+  a: "2"',
          '+  b: x',
          ' kind: ConfigMap',
          ' metadata:',
        ],
      },
    ]);
    await settles(shop({a: '2', b: 'x'}));
    // A field that is ours no longer goes; one that is somebody else's stays.
    await cluster.on(`kubectl patch cm -n shop settings -p '{"data":{"other":"kept"}}'`);
    expect(await planned(shop({a: '2', b: 'x'}))).toEqual([]);
    await settles(shop({a: '2'}));
    expect(await cluster.on('kubectl get cm -n shop settings -o jsonpath={.data}')).toBe('{"a":"2","other":"kept"}');
  });

  test('that somebody changed by hand are set back', async () => {
    await cluster.on('kubectl scale -n shop deployment cart --replicas=3; kubectl label ns shop team=b --overwrite');
    expect(await planned(shop({a: '2'}))).toEqual(
      expect.arrayContaining(['change Namespace shop', 'change Deployment shop/cart']),
    );
    await settles(shop({a: '2'}));
    expect(await cluster.on('kubectl get -n shop deployment cart -o jsonpath={.spec.replicas}')).toBe('0');
    await cluster.on('kubectl delete cm -n shop settings');
    expect(summaries(await settles(shop({a: '2'})))).toEqual(['create ConfigMap shop/settings']);
  });

  test('of kind Secret are changed without a word of what is in them', async () => {
    const said: string[] = [];
    const found = await assess(cluster.connection, [shop({a: '2'}, 'new-and-very-secret')]);
    const {changes, apply} = found.get('manifest shop') ?? {};
    said.push(JSON.stringify(changes));
    expect(changes).toEqual([{summary: 'change Secret shop/login (secret)'}]);
    const applied = await apply?.(applyPort(cluster.connection, line => said.push(line)));
    expect(applied?.ok).toBe(true);
    for (const text of ['new-and-very-secret', 'correct horse'])
      for (const form of [text, Buffer.from(text).toString('base64')]) expect(said.join('\n')).not.toContain(form);
    expect(await planned(shop({a: '2'}, 'new-and-very-secret'))).toEqual([]);
  });

  test('are looked at in one call', async () => {
    const many = manifest({
      id: 'many',
      objects: Array.from({length: 12}, (_, index) => ({
        ...settings({x: '1'}),
        metadata: {name: `m${index}`, namespace: 'shop'},
      })),
    });
    await settles(many);
    expect(many.probe.text.match(/kubectl [^\n]*diff/g)).toHaveLength(1);
    expect(await planned(many)).toEqual([]);
  });
});

describe('what is not there yet', () => {
  const definition: KubeObject = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {name: 'parcels.shop.test'},
    spec: {
      group: 'shop.test',
      scope: 'Namespaced',
      names: {kind: 'Parcel', plural: 'parcels', singular: 'parcel'},
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: {openAPIV3Schema: {type: 'object', 'x-kubernetes-preserve-unknown-fields': true}},
        },
      ],
    },
  };
  const parcel: KubeObject = {
    apiVersion: 'shop.test/v1',
    kind: 'Parcel',
    metadata: {name: 'one', namespace: 'shop'},
    spec: {weight: 3},
  };
  const parcels = manifest({
    id: 'parcels',
    objects: [parcel, settings({a: '2'}), definition],
    waitFor: [{kind: 'crd', name: 'parcels.shop.test', condition: 'Established'}],
  });

  test('a definition and an object of its kind are made together', async () => {
    expect(await planned(parcels)).toEqual([
      'create CustomResourceDefinition parcels.shop.test',
      'create Parcel shop/one',
    ]);
    await settles(parcels);
    expect(await planned(parcels)).toEqual([]);
  });

  test('the kind comes later: the apply waits for it, and says so', async () => {
    const box: KubeObject = {...parcel, apiVersion: 'later.test/v1', kind: 'Box'};
    const boxes = manifest({id: 'boxes', objects: [box], timeoutSeconds: 60});
    const later = {
      ...definition,
      metadata: {name: 'boxes.later.test'},
      spec: {
        ...(definition.spec as object),
        group: 'later.test',
        names: {kind: 'Box', plural: 'boxes', singular: 'box'},
      },
    };
    const [, changed] = await Promise.all([
      new Promise(resolve => setTimeout(resolve, 3000)).then(() =>
        cluster.on(`kubectl apply -f - <<'END'\n${JSON.stringify(later)}\nEND`),
      ),
      settles(boxes),
    ]);
    expect(summaries(changed)).toEqual(['create Box shop/one']);
  });

  test('the kind never comes: it says for what it waited', async () => {
    const never = manifest({
      id: 'never',
      objects: [{...parcel, apiVersion: 'never.test/v1', kind: 'Never'}],
      timeoutSeconds: 3,
    });
    await expect(converge(cluster.connection, [never])).rejects.toThrow(
      /no matches for kind "Never"[\s\S]*waited 3 s in vain/,
    );
  });

  test('an object that the server refuses fails at once, in its words', async () => {
    const wrong = manifest({
      id: 'wrong',
      objects: [{...deployment, metadata: {name: 'Wrong_Name', namespace: 'shop'}}],
    });
    await expect(converge(cluster.connection, [wrong])).rejects.toThrow(/Wrong_Name/);
  });

  test('a condition that does not come true', async () => {
    const waiting = manifest({
      id: 'waiting',
      objects: [settings({a: '2'})],
      waitFor: [{kind: 'crd', name: 'parcels.shop.test', condition: 'Blessed'}],
      timeoutSeconds: 3,
    });
    expect(await planned(waiting)).toEqual(['wait for Blessed of crd parcels.shop.test']);
    await expect(converge(cluster.connection, [waiting])).rejects.toThrow(
      'waited 3 s in vain for Blessed of crd parcels.shop.test',
    );
  });
});

describe('objects that must not be', () => {
  test('are deleted, and unknown kinds count as absent', async () => {
    const gone = manifestAbsent({
      id: 'parcels',
      objects: [
        {kind: 'crd', name: 'parcels.shop.test'},
        {kind: 'parcels.shop.test', name: 'one', namespace: 'shop'},
        {kind: 'configmap', name: 'never-was', namespace: 'shop'},
        {kind: 'never.never.test', name: 'x'},
      ],
    });
    expect(summaries(await settles(gone))).toEqual([
      'delete crd parcels.shop.test',
      'delete parcels.shop.test shop/one',
    ]);
    expect(await cluster.on('kubectl get crd -o name')).not.toContain('parcels');
  });
});
