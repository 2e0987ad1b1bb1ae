import {spawnSync} from 'node:child_process';
import {existsSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {catalogue} from '../../source/artifacts/catalogue.ts';
import {type VersionSet, versionSets} from '../../source/blueprints/versions.ts';
import type {Connection} from '../../source/hosts/connection.ts';
import type {PracticeHost, PracticeHosts} from '../../source/practice/practice-hosts.ts';
import {lines, type Script, sh} from '../../source/shell/script.ts';
import {connectTo, fixtures, practiceFolder, run, startedPractice} from '../support/practice.ts';

const versions = versionSets[0] as VersionSet;
const addressOf = (id: string): string =>
  catalogue(versions, process.arch === 'arm64' ? 'arm64' : 'amd64').find(artifact => artifact.id === id)?.address ?? '';

const fetched = (id: string, file: string): Script =>
  sh`curl --silent --show-error --fail --location --output ${file} ${addressOf(id)}`;

const json = (value: object): string => JSON.stringify(value);

const configMap = (data: object, name = 'colours') => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {name, namespace: 'shop'},
  data,
});

const deployment = (image: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {name: 'cart', namespace: 'shop'},
  spec: {
    replicas: 2,
    selector: {matchLabels: {app: 'cart'}},
    template: {metadata: {labels: {app: 'cart'}}, spec: {containers: [{name: 'cart', image}]}},
  },
});

const apply = (object: object, manager = 'groundwork'): Script =>
  sh`printf '%s' ${json(object)} | kubectl apply --server-side --force-conflicts ${`--field-manager=${manager}`} --filename -`;

const difference = (object: object): Script =>
  sh`printf '%s' ${json(object)} | kubectl diff --server-side --force-conflicts --field-manager=groundwork --filename -`;

describe('the cluster of a practice host', () => {
  let directory: string;
  let practice: PracticeHosts;
  let connection: Connection;

  const begin = async () => {
    practice = await startedPractice({directory});
    connection = await connectTo(practice.hosts[0] as PracticeHost);
  };
  const end = async () => {
    await connection.close();
    await practice.close();
  };
  const said = async (script: Script): Promise<string> => {
    const {code, stdout, stderr} = await run(connection, script);
    return `${stdout}${stderr}${code === 0 ? '' : `exit ${code}`}`;
  };

  beforeAll(async () => {
    directory = await practiceFolder();
    await begin();
    await run(
      connection,
      lines(
        sh`apt-get -y install curl >/dev/null`,
        fetched('kubectl', '/usr/local/bin/kubectl'),
        fetched('helm', '/root/helm.tar.gz'),
        fetched('rke2-archive', '/root/rke2.tar.gz'),
        fetched('chart-istio-istiod', '/root/istiod.tgz'),
        fetched('chart-openg2p-commons-base', '/root/commons.tgz'),
        sh`chmod 755 /usr/local/bin/kubectl
tar xzf /root/helm.tar.gz --strip-components=1 --directory=/usr/local/bin
tar xzf /root/rke2.tar.gz --directory=/usr/local`,
      ),
    );
  }, 60_000);
  afterAll(async () => {
    await end();
    await rm(directory, {recursive: true});
  });

  test('is silent before RKE2 runs, in the words of the real tools', async () => {
    expect(await said(sh`kubectl get nodes`)).toBe(
      'The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?\nexit 1',
    );
    expect(await said(sh`helm list`)).toMatch(/^Error: Kubernetes cluster unreachable: Get .* refused\nexit 1$/);
    expect(await said(sh`kubectl version --client --output=json | sed -n 's/^ *"gitVersion": "\(.*\)".*/\1/p'`)).toBe(
      `${versions.kubectl}\n`,
    );
    expect(await said(sh`helm version --template='{{.Version}}'`)).toBe(versions.helm);
  });

  test('comes up with RKE2, whose unit is active when the API server answers', async () => {
    const shown = await said(sh`mkdir -p /etc/rancher/rke2
printf '%s\n' 'token: word' 'node-name: sandbox-1' 'tls-san:' '  - name.test' 'node-label:' '  - place=here' >/etc/rancher/rke2/config.yaml
systemctl daemon-reload
systemctl --quiet enable --now rke2-server.service
systemctl is-active rke2-server
kubectl get node sandbox-1 --no-headers | awk '{ print $1, $2, $5 }'
kubectl get nodes --selector=place=here --output=name
kubectl get pods --namespace=kube-system --field-selector=status.phase!=Running,status.phase!=Succeeded --output=name
openssl x509 -in /var/lib/rancher/rke2/server/tls/serving-kube-apiserver.crt -noout -checkhost name.test
stat -c %a /etc/rancher/rke2/rke2.yaml
sed 's/^.*::/::/' /var/lib/rancher/rke2/server/token`);
    expect(shown).toBe(
      `active\nsandbox-1 Ready ${versions.rke2}\nnode/sandbox-1\nHostname name.test does match certificate\n600\n::server:word\n`,
    );
  });

  test('does not start with the token of another cluster', async () => {
    const shown = await said(sh`sed -i 's/^token: .*/token: other/' /etc/rancher/rke2/config.yaml
systemctl restart rke2-server.service
systemctl is-active rke2-server
journalctl --unit=rke2-server --output=cat --no-pager | tail -n 3
sed -i 's/^token: .*/token: word/' /etc/rancher/rke2/config.yaml
systemctl restart rke2-server.service
systemctl is-active rke2-server`);
    expect(shown).toContain('failed\n');
    expect(shown).toContain('bootstrap data already found and encrypted with different token');
    expect(shown).toMatch(/\nactive\n/);
  });

  test('refuses what a real one refuses', async () => {
    expect(await said(apply(configMap({a: 'b'})))).toBe(
      'Error from server (NotFound): namespaces "shop" not found\nexit 1',
    );
    expect(await said(apply({apiVersion: 'shop.test/v1', kind: 'Shelf', metadata: {name: 'one'}}))).toBe(
      'error: resource mapping not found for name: "one" namespace: "" from "STDIN": no matches for kind "Shelf" in version "shop.test/v1"\nensure CRDs are installed first\nexit 1',
    );
    expect(await said(sh`kubectl get shelves`)).toBe(
      'error: the server doesn\'t have a resource type "shelves"\nexit 1',
    );
    expect(await said(sh`kubectl get deployment none`)).toBe(
      'Error from server (NotFound): deployments.apps "none" not found\nexit 1',
    );
    expect(await said(sh`kubectl get deployment none --ignore-not-found`)).toBe('');
    expect(await said(sh`kubectl get pods --colour`)).toBe('error: unknown flag: --colour\nexit 1');
  });

  test('keeps objects as server-side apply does: what is no longer given goes, what is of others stays', async () => {
    await said(sh`kubectl create namespace shop`);
    expect(await said(apply(configMap({red: '1', blue: '2'})))).toBe('configmap/colours serverside-applied\n');
    expect(await said(difference(configMap({red: '1', blue: '2'})))).toBe('');
    await said(apply(configMap({green: '3'}), 'somebody'));
    expect(await said(difference(configMap({red: '9'})))).toMatch(/^-.*blue[\s\S]*^\+.*red: "9"[\s\S]*exit 1$/m);
    await said(apply(configMap({red: '9'})));
    expect(await said(sh`kubectl get configmap colours --namespace=shop --output='jsonpath={.data}'`)).toBe(
      '{"green":"3","red":"9"}',
    );
    expect(await said(sh`kubectl delete configmap colours --namespace=shop`)).toBe(
      'configmap "colours" deleted from shop namespace\n',
    );
  });

  test('hands both sides of a difference to another program, as files by the names that kubectl gives', async () => {
    expect(
      await said(sh`export KUBECTL_EXTERNAL_DIFF='ls -R'
${difference(configMap({a: 'b'}, 'new'))} | grep -o 'v1.*'`),
    ).toBe('v1.ConfigMap.shop.new\n');
  });

  test('makes pods of workloads, which are theirs and go with them', async () => {
    await said(apply(deployment('practice/cart:1')));
    expect(await said(sh`kubectl --namespace shop rollout status deployment/cart --timeout=10s`)).toBe(
      'deployment "cart" successfully rolled out\n',
    );
    const pods = sh`kubectl --namespace shop get pods --selector=app=cart --output='jsonpath={range .items[*]}{.metadata.ownerReferences[0].kind} {.status.phase}{"\n"}{end}'`;
    expect(await said(pods)).toBe('ReplicaSet Running\nReplicaSet Running\n');
    await said(apply(deployment('practice/cart:2')));
    expect(
      await said(sh`kubectl --namespace shop get deployment cart --output='jsonpath={.metadata.generation}'`),
    ).toBe('2');
    await said(sh`kubectl delete namespace shop`);
    expect(await said(pods)).toBe('');
  });

  test('has releases where helm keeps them, with their objects', async () => {
    const install = (values: object, more: Script) =>
      sh`printf '%s' ${json(values)} | helm upgrade --install istiod /root/istiod.tgz --namespace mesh --values=- ${more} >/dev/null`;
    expect(await said(install({a: 1}, sh`--description=first`))).toMatch(/namespaces "mesh" not found\nexit 1$/);
    expect(await said(install({a: 1}, sh`--description=first --create-namespace`))).toBe('');
    expect(await said(install({a: 2}, sh`--description=second`))).toBe('');
    const history = JSON.parse(await said(sh`helm history istiod --namespace=mesh --output=json`));
    expect(history).toMatchObject([
      {revision: 1, status: 'superseded', chart: `istiod-${versions.istio}`, description: 'first'},
      {revision: 2, status: 'deployed', chart: `istiod-${versions.istio}`, description: 'second'},
    ]);
    expect(await said(sh`helm get values istiod --namespace=mesh --output=json`)).toBe('{"a":2}\n');
    expect(JSON.parse(await said(sh`helm list --all-namespaces --output=json`))).toMatchObject([
      {name: 'istiod', namespace: 'mesh', revision: '2', status: 'deployed', app_version: versions.istio},
    ]);
    expect(
      await said(
        sh`kubectl get secrets --namespace=mesh --selector=owner=helm,name=istiod --output='jsonpath={range .items[*]}{.metadata.labels.version} {.metadata.labels.status} {.metadata.name}{"\n"}{end}'`,
      ),
    ).toBe('1 superseded sh.helm.release.v1.istiod.v1\n2 deployed sh.helm.release.v1.istiod.v2\n');
    expect(
      await said(
        sh`kubectl get deployments --all-namespaces --selector=app.kubernetes.io/managed-by=Helm --output=name`,
      ),
    ).toBe('deployment.apps/istiod\n');
    expect(await said(sh`helm uninstall istiod --namespace=mesh`)).toBe('release "istiod" uninstalled\n');
    expect(await said(sh`helm history istiod --namespace=mesh`)).toBe('Error: release: not found\nexit 1');
    expect(await said(sh`kubectl get deployments --namespace=mesh`)).toBe('No resources found in mesh namespace.\n');
  });

  test('shows pods that are killed and Jobs that fail when a fault says so, until their log is read', async () => {
    const states = sh`kubectl --namespace dev get pods --output='jsonpath={range .items[*]}{.status.containerStatuses[0].lastState.terminated.reason} {end}'`;
    await said(sh`kubectl create namespace dev
printf '%s\n' helm commons memory 'out of memory' >/var/lib/practice/fault
printf '{"postgresql":{"enabled":true}}' | helm install commons /root/commons.tgz --namespace dev --values=- >/dev/null`);
    expect(await said(states)).toContain('OOMKilled');
    await said(sh`kubectl --namespace dev logs statefulset/commons-postgresql
kubectl --namespace dev logs commons-postgresql-0`);
    expect((await said(states)).trim()).toBe('');
  });

  test('is there again after the host has started again', async () => {
    await end();
    await begin();
    expect(await said(sh`helm list --namespace dev --short; kubectl get namespace dev --output=name`)).toBe(
      'commons\nnamespace/dev\n',
    );
  });
});

/** A real kubectl, where the tests against a real Kubernetes have put one. */
const realKubectl = join(process.env.KUBE_CACHE ?? '/var/tmp/kube-cache', 'bin', 'kubectl');

describe.skipIf(!existsSync(realKubectl))('templates of jsonpath', () => {
  const folder = mkdtempSync(join(tmpdir(), 'groundwork-jsonpath-'));
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {name: 'x', annotations: {'meta.helm.sh/release-name': 'a'}, labels: {b: 'c'}},
    spec: {
      containers: [
        {name: 'c', image: 'i:1'},
        {name: 'd', image: 'j'},
      ],
    },
    status: {
      phase: 'Running',
      containerStatuses: [
        {name: 'c', ready: false, restartCount: 3, state: {waiting: {reason: 'X', message: 'Y'}}},
        {name: 'd', ready: true, restartCount: 0, state: {running: {startedAt: '2026-01-01T00:00:00Z'}}},
      ],
      conditions: [{type: 'Ready', status: 'False'}],
    },
  };
  afterAll(() => rmSync(folder, {recursive: true}));

  test.each([
    '{.metadata.name}',
    '{.spec.containers[*].name}',
    '{range .status.containerStatuses[?(@.ready==false)]}{"\\t"}{.name}{"\\t"}{.restartCount}{"\\t"}{.state}{end}{"\\n"}',
    '{range .spec.containers[*]}{.name}={.image}{"\\n"}{end}',
    '{.status.conditions[?(@.type=="Ready")].status}',
    '{.status.conditions[?(@.type=="Ready")]}',
    '{.metadata.annotations.meta\\.helm\\.sh/release-name}',
    "{.metadata.annotations['meta\\.helm\\.sh/release-name']}",
    '{.nothing}',
    '{.spec.containers[-1].name}',
    '{.spec.containers[0:1].name}',
    'text {.status.phase} and {.spec.containers[0].image}',
  ])('say the same as in the real kubectl: %s', async template => {
    const file = join(folder, 'pod.json');
    writeFileSync(file, json(pod));
    // With `--local` kubectl asks no server, and it prints what it was given.
    const words = ['label', '--local', '-f', file, 'b=c', '--overwrite', '-o', `jsonpath=${template}`];
    const real = spawnSync(realKubectl, words, {encoding: 'utf8'});
    expect(real.stderr).toBe('');
    const {jsonpath} = await import(join(fixtures, 'lib/kubernetes/jsonpath.mjs'));
    expect(jsonpath(template, pod)).toBe(real.stdout);
  });
});
