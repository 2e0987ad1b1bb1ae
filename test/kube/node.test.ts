import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import type {Failure} from '../../source/engine/failure.ts';
import type {KubeObject} from '../../source/kubernetes/objects.ts';
import {type HelmRelease, helmAbsent, helmRelease} from '../../source/resources/helm-release.ts';
import {manifest} from '../../source/resources/manifest.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {ApplyError, applyPort, assess, converge, plan} from '../support/apply.ts';
import {type Cluster, clusterUp, packChart} from '../support/kube.ts';

/** What runs on a real node: whether it is ready, why it is not, and the hooks of charts. */
let cluster: Cluster;
beforeAll(async () => {
  cluster = await clusterUp('node', {node: true});
});
afterAll(async () => {
  await cluster?.down();
});

const image = 'localhost/busybox:1';

type Pod = {
  readonly command?: readonly string[];
  readonly container?: Readonly<Record<string, unknown>>;
  readonly spec?: Readonly<Record<string, unknown>>;
};

const podOf = ({command = ['sleep', '3600'], container = {}, spec = {}}: Pod) => ({
  terminationGracePeriodSeconds: 0,
  containers: [{name: 'main', image, imagePullPolicy: 'IfNotPresent', command, ...container}],
  ...spec,
});

const namespaceOf = (name: string): KubeObject => ({apiVersion: 'v1', kind: 'Namespace', metadata: {name}});

const deploymentOf = (namespace: string, name: string, pod: Pod, replicas = 1): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {name, namespace},
  spec: {
    replicas,
    // A program that ends at once is available for the moment that it runs, which a busy machine stretches.
    minReadySeconds: 2,
    selector: {matchLabels: {app: name}},
    template: {metadata: {labels: {app: name}}, spec: podOf(pod)},
  },
});

const jobOf = (namespace: string, name: string, pod: Pod, more = {}): KubeObject => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: {name, namespace},
  spec: {backoffLimit: 0, template: {spec: podOf({...pod, spec: {restartPolicy: 'Never', ...pod.spec}})}, ...more},
});

const statefulSetOf = (namespace: string, name: string, storageClassName?: string): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: {name, namespace},
  spec: {
    replicas: 1,
    serviceName: name,
    selector: {matchLabels: {app: name}},
    template: {
      metadata: {labels: {app: name}},
      spec: podOf({container: {volumeMounts: [{name: 'data', mountPath: '/data'}]}}),
    },
    volumeClaimTemplates: [
      {
        metadata: {name: 'data'},
        spec: {
          accessModes: ['ReadWriteOnce'],
          resources: {requests: {storage: '1Mi'}},
          ...(storageClassName && {storageClassName}),
        },
      },
    ],
  },
});

/** Applies a resource once, with the lines that it tells. */
const applied = async (resource: Resource) => {
  const lines: string[] = [];
  const found = await assess(cluster.connection, [resource]);
  const result = await found.get(resource.id)?.apply?.(applyPort(cluster.connection, line => lines.push(line)));
  return {lines, result};
};

const ready = (id: string, objects: readonly KubeObject[], timeoutSeconds = 90) =>
  manifest({id, objects: [namespaceOf(id), ...objects], ready: true, timeoutSeconds});

/** How a resource fails. */
const failureOf = async (resource: Resource): Promise<Failure & {readonly seconds: number}> => {
  const start = Date.now();
  const {result} = await applied(resource);
  if (!result || result.ok) throw new Error(`${resource.id} did not fail`);
  return {...result.error, seconds: (Date.now() - start) / 1000};
};

describe('workloads', () => {
  test('are waited for, with a line for each when it has become another one', async () => {
    const resource = ready('fine', [
      deploymentOf(
        'fine',
        'web',
        {container: {readinessProbe: {exec: {command: ['true']}, initialDelaySeconds: 3}}},
        2,
      ),
      deploymentOf('fine', 'nothing', {}, 0),
      statefulSetOf('fine', 'base'),
      jobOf('fine', 'once', {command: ['sleep', '4']}),
    ]);
    const {lines, result} = await applied(resource);
    expect(result).toMatchObject({ok: true});
    expect(lines).toContain('web 0/2: main runs and is not ready yet');
    expect(lines).toContain('web 2/2');
    expect(lines).toContain('once done');
    expect(new Set(lines).size).toBe(lines.length);
    expect(lines.join('\n')).not.toContain('nothing 0/0');
    expect(await plan(cluster.connection, [resource])).toEqual([]);
    // Not ready again: it is seen, and waited for.
    await cluster.on('kubectl delete pod -n fine -l app=web --wait=false');
    const [change] = await plan(cluster.connection, [resource]);
    expect(change?.changes).toEqual([{summary: 'wait until Deployment fine/web is ready'}]);
    expect((await applied(resource)).result).toMatchObject({ok: true});
  });
});

describe('a pod that cannot run is explained', () => {
  test.concurrent('image that is nowhere', async () => {
    const pod: Pod = {container: {image: 'nowhere.invalid/shop/web:1.2.3'}};
    const failure = await failureOf(ready('image', [deploymentOf('image', 'web', pod)], 25));
    expect(failure.message).toMatch(
      /^image did not become ready in 25 s: web 0\/1: image nowhere\.invalid\/shop\/web:1\.2\.3 cannot be pulled: /,
    );
    expect(failure.remedy).toContain('registry');
  });

  test.concurrent('image that must not be pulled: given up early', async () => {
    const pod: Pod = {container: {image: 'localhost/never:1', imagePullPolicy: 'Never'}};
    const failure = await failureOf(ready('never', [deploymentOf('never', 'web', pod)], 200));
    expect(failure.message).toMatch(/^never cannot become ready: web 0\/1: image localhost\/never:1: /);
    expect(failure.seconds).toBeLessThan(120);
  });

  test.concurrent('no room for it', async () => {
    const pod: Pod = {container: {resources: {requests: {cpu: '500'}}}};
    const failure = await failureOf(ready('room', [deploymentOf('room', 'big', pod)], 10));
    expect(failure.message).toMatch(/big 0\/1: not scheduled: 0\/1 nodes are available: 1 Insufficient cpu/);
    expect(failure.cause).toBe('No node has room for what a pod asks for.');
  });

  test.concurrent('no volume for it', async () => {
    const failure = await failureOf(ready('volume', [statefulSetOf('volume', 'base', 'no-such-class')], 15));
    expect(failure.message).toMatch(
      /base 0\/1: not scheduled: .*unbound .*; claim data-base-0: .*"no-such-class" not found/,
    );
    expect(failure.cause).toContain('no such storage class');
  });

  test.concurrent('program that ends: with the last lines of its log', async () => {
    const pod: Pod = {command: ['sh', '-c', 'echo starting; echo no database at db:5432; exit 3']};
    const failure = await failureOf(ready('crash', [deploymentOf('crash', 'web', pod)], 25));
    expect(failure.message).toMatch(/web 0\/1: main ended with exit status 3, \d restarts/);
    expect(failure.tail?.join('\n')).toMatch(/log of web-\S+, main:\n {2}starting\n {2}no database at db:5432/);
  });

  test.concurrent('init container that ends', async () => {
    const init = {name: 'wait', image, imagePullPolicy: 'IfNotPresent', command: ['sh', '-c', 'echo not yet; exit 4']};
    const failure = await failureOf(ready('init', [deploymentOf('init', 'web', {spec: {initContainers: [init]}})], 25));
    expect(failure.message).toMatch(/web 0\/1: init container wait ended with exit status 4/);
    expect(failure.tail?.join('\n')).toContain('not yet');
  });

  test.concurrent('Job that failed: given up at once', async () => {
    const job = jobOf('job', 'load', {command: ['sh', '-c', 'echo loading; echo bad row 17; exit 1']});
    const failure = await failureOf(ready('job', [job], 200));
    expect(failure.message).toMatch(/^job cannot become ready: load failed: the Job has failed: /);
    expect(failure.tail?.join('\n')).toContain('bad row 17');
    expect(failure.seconds).toBeLessThan(90);
  });

  test.concurrent('quota that is used up', async () => {
    const quota: KubeObject = {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: {name: 'little', namespace: 'quota'},
      spec: {hard: {pods: '0'}},
    };
    const objects = [quota, deploymentOf('quota', 'web', {}), statefulSetOf('quota', 'base')];
    const failure = await failureOf(ready('quota', objects, 20));
    expect(failure.tail?.join('\n')).toMatch(/web 0\/1: its pods are refused: .*exceeded quota: little/);
    expect(failure.tail?.join('\n')).toMatch(/base 0\/1: its pods are refused: .*exceeded quota: little/);
    expect(failure.cause).toContain('quota');
  });

  test.concurrent('Secret that is missing', async () => {
    const pod: Pod = {container: {envFrom: [{secretRef: {name: 'absent'}}]}};
    const failure = await failureOf(ready('settings', [deploymentOf('settings', 'web', pod)], 15));
    expect(failure.message).toMatch(/web 0\/1: main: secret "absent" not found/);
  });
});

const chartWith = (name: string, templates: Readonly<Record<string, string>>, more = {}) =>
  packChart(cluster.folder, name, '1.0.0', templates, more);

/** A folder of the node, for a release: gone with the cluster. */
const sharedFolder = (name: string) => `${cluster.folder}/shared/${name}`;

/** A Job that runs a shell script with the folder of the test at /shared, on the node. */
const job = (name: string, run: string, annotations: Readonly<Record<string, string>> = {}) =>
  `apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-${name}
  annotations: ${JSON.stringify(annotations)}
spec:
  backoffLimit: {{ .Values.retries | default 20 }}
  template:
    spec: ${JSON.stringify({
      ...podOf({command: ['sh', '-ec', run], container: {volumeMounts: [{name: 'shared', mountPath: '/shared'}]}}),
      restartPolicy: 'Never',
      serviceAccountName: 'default',
      volumes: [{name: 'shared', hostPath: {path: sharedFolder('SHARED'), type: 'DirectoryOrCreate'}}],
    }).replace('SHARED', '{{ .Release.Name }}')}
`;

/** Runs only when its schema is there. */
const application = () => `apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}-app}
spec:
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec: ${JSON.stringify({
      ...podOf({
        command: ['sh', '-c', 'test -e /shared/schema && exec sleep 3600'],
        container: {volumeMounts: [{name: 'shared', mountPath: '/shared'}]},
      }),
      volumes: [{name: 'shared', hostPath: {path: sharedFolder('SHARED'), type: 'DirectoryOrCreate'}}],
    }).replace('SHARED', '{{ .Release.Name }}')}
`;

const release = (given: Pick<HelmRelease, 'name' | 'chart'> & Partial<HelmRelease>): Resource =>
  helmRelease({namespace: 'hooks', values: {}, createNamespace: true, timeoutSeconds: 90, ...given});

describe('hooks of charts', () => {
  const after = {'helm.sh/hook': 'post-install'};

  test('a hook that makes what the pods wait for: a deadlock for --wait, and none here', async () => {
    const chart = await chartWith('schema', {
      'app.yaml': application(),
      'init.yaml': job('init', 'sleep 2; touch /shared/schema', after),
    });
    await expect(
      cluster.on(`helm install waiting ${chart.path} -n hooks --create-namespace --wait --timeout 15s`),
    ).rejects.toThrow('timed out waiting for the condition');
    await cluster.on('helm uninstall waiting -n hooks');
    const resource = release({name: 'schema', chart});
    const {lines, result} = await applied(resource);
    expect(result).toMatchObject({ok: true});
    expect(lines).toContain('schema-app 1/1');
    expect(await plan(cluster.connection, [resource])).toEqual([]);
  });

  test('an installation whose hook failed runs it again, although an upgrade would not', async () => {
    const chart = await chartWith('again', {
      'app.yaml': application(),
      'init.yaml': job('init', 'test -e /shared/database; touch /shared/schema', after),
    });
    const resource = release({name: 'again', chart, values: {retries: 1}});
    const failure = await failureOf(resource);
    expect(failure.tail?.join('\n')).toMatch(/post-install: job failed: BackoffLimitExceeded/);
    expect(failure.tail?.join('\n')).toMatch(/again-init failed: the Job has failed/);
    await cluster.on(
      `kubectl run -n hooks make --image=${image} --restart=Never --overrides='${JSON.stringify({
        spec: {
          containers: [
            {
              name: 'make',
              image,
              command: ['touch', '/shared/database'],
              volumeMounts: [{name: 's', mountPath: '/shared'}],
            },
          ],
          volumes: [{name: 's', hostPath: {path: sharedFolder('again')}}],
        },
      })}'`,
    );
    const {rounds} = await converge(cluster.connection, [resource]);
    expect(rounds.map(round => round.length)).toEqual([1, 0]);
    expect(await cluster.on('kubectl get job -n hooks again-init -o jsonpath={.status.succeeded}')).toBe('1');
  });

  test('a hook that cannot start is not waited for until the time is over', async () => {
    const init = job('init', 'true', after).replaceAll(image, 'localhost/never:1').replace('IfNotPresent', 'Never');
    const chart = await chartWith('unstartable', {'init.yaml': init});
    const failure = await failureOf(release({name: 'unstartable', chart, timeoutSeconds: 300}));
    expect(failure.message).toMatch(
      /^a hook of unstartable cannot start: unstartable-init 0\/1: image localhost\/never:1: /,
    );
    expect(failure.seconds).toBeLessThan(120);
    expect(await cluster.on('helm history unstartable -n hooks')).toContain('failed');
  });

  test('a hook that waits for a later one: chosen ones run as ordinary Jobs, in charts inside the chart too', async () => {
    const annotations = {'helm.sh/hook': 'post-install,post-upgrade', 'helm.sh/hook-weight': '1', note: 'stays'};
    const inner = await chartWith('inner', {
      'first.yaml': job('first', 'until test -e /shared/schema; do sleep 1; done', annotations),
    });
    const chart = await chartWith(
      'outer',
      {
        'app.yaml': application(),
        'second.yaml': job('second', 'touch /shared/schema', {...annotations, 'helm.sh/hook-weight': '2'}),
        'both.yaml':
          '# Two in one file\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata: {a: "---"}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: two}\n',
      },
      {charts: [inner]},
    );
    const resource = release({name: 'outer', chart, hooksAsJobs: [{name: '-first', image: 'busybox'}]});
    expect((await applied(resource)).result).toMatchObject({ok: true});
    expect(await plan(cluster.connection, [resource])).toEqual([]);
    const shown = await cluster.on(
      `kubectl get -n hooks job -o jsonpath='{range .items[*]}{.metadata.name} {.metadata.annotations}{"\\n"}{end}'; kubectl get -n hooks cm one two -o name`,
    );
    expect(shown).toMatch(/outer-first \{"meta\.helm\.sh\/release-name":"outer",.*"note":"stays"\}/);
    expect(shown).toMatch(/outer-second .*"helm.sh\/hook":"post-install,post-upgrade"/);
    expect(shown).toContain('configmap/one\nconfigmap/two');
    // What of a Job cannot be changed is no obstacle.
    const values = {retries: 3, inner: {retries: 3}};
    const changed = release({name: 'outer', chart, values, hooksAsJobs: [{name: '-first', image: 'busybox'}]});
    expect((await applied(changed)).result).toMatchObject({ok: true});
    await converge(cluster.connection, [helmAbsent({name: 'outer', namespace: 'hooks'})]);
    expect(await cluster.on('kubectl get -n hooks job,cm -o name')).not.toContain('outer-first');
  });

  test('an ordinary Job of a chart that changes is made anew', async () => {
    const run = (text: string) => ({'job.yaml': job('load', text)});
    const one = await packChart(cluster.folder, 'jobs', '1.0.0', run('echo one'));
    const two = await packChart(cluster.folder, 'jobs', '1.1.0', run('echo two'));
    await converge(cluster.connection, [release({name: 'jobs', chart: one})]);
    const {rounds} = await converge(cluster.connection, [release({name: 'jobs', chart: two})]);
    expect(rounds.map(round => round.length)).toEqual([1, 0]);
    expect(await cluster.on('kubectl logs -n hooks job/jobs-load')).toBe('two');
  });

  test('a StatefulSet whose volumes change is not touched, and it is said how to go on', async () => {
    const set = (size: string) => ({
      'set.yaml': JSON.stringify(statefulSetOf('hooks', 'grows')).replace('1Mi', size),
    });
    const one = await packChart(cluster.folder, 'grows', '1.0.0', set('1Mi'));
    const two = await packChart(cluster.folder, 'grows', '1.1.0', set('2Mi'));
    await converge(cluster.connection, [release({name: 'grows', chart: one})]);
    const failed = await converge(cluster.connection, [release({name: 'grows', chart: two})]).catch(error => error);
    expect(failed).toBeInstanceOf(ApplyError);
    expect((failed as ApplyError).failure.remedy).toContain('--cascade=orphan');
    await cluster.on('kubectl delete statefulset grows -n hooks --cascade=orphan');
    await converge(cluster.connection, [release({name: 'grows', chart: two})]);
    await converge(cluster.connection, [helmAbsent({name: 'grows', namespace: 'hooks'})]);
    expect(await cluster.on('kubectl get pvc -n hooks -o name')).toContain('data-grows-0');
    await converge(cluster.connection, [release({name: 'grows', chart: two})]);
    await converge(cluster.connection, [helmAbsent({name: 'grows', namespace: 'hooks', purge: true})]);
    expect(await cluster.on('kubectl get pvc -n hooks -o name')).not.toContain('data-grows-0');
  });
});
