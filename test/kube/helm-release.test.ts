import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {type ChartRef, type HelmRelease, helmAbsent, helmRelease} from '../../source/resources/helm-release.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {type ApplyError, applyPort, assess, type Changed, converge, plan} from '../support/apply.ts';
import {type Cluster, clusterUp, packChart} from '../support/kube.ts';
import {localBash} from '../support/local.ts';

/** Releases on an API server without a node: what helm keeps, and how it goes on from what is there. */
let cluster: Cluster;
let chart: ChartRef;
let next: ChartRef;

const configMap = `apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-settings}
data:
  greeting: {{ .Values.greeting | quote }}
  version: {{ .Chart.Version | quote }}
`;
// As charts do it: a password is made once and found again.
const password = `{{- $old := lookup "v1" "Secret" .Release.Namespace (print .Release.Name "-password") }}
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}-password}
data: {password: {{ if $old }}{{ $old.data.password }}{{ else }}{{ randAlphaNum 16 | b64enc }}{{ end }}}
`;
const claim = `{{- if .Values.claim }}
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ .Release.Name }}-data
  labels: {app.kubernetes.io/instance: {{ .Release.Name }}}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Mi}}
{{- end }}
`;
const notes = 'The password is {{ .Values.hush }}';
const templates = {'settings.yaml': configMap, 'password.yaml': password, 'claim.yaml': claim, 'NOTES.txt': notes};

beforeAll(async () => {
  cluster = await clusterUp('helm');
  const values = 'greeting: hello\nhush: none\n';
  chart = await packChart(cluster.folder, 'greeter', '1.0.0', templates, {values});
  next = await packChart(cluster.folder, 'greeter', '1.1.0', templates, {values});
});
afterAll(async () => {
  await cluster?.down();
});

let name: string;
let count = 0;
beforeEach(() => {
  count += 1;
  name = `greeter${count}`;
});

const release = (given: Partial<HelmRelease> = {}): Resource =>
  helmRelease({name, namespace: 'shop', chart, values: {}, createNamespace: true, timeoutSeconds: 60, ...given});
const settles = async (...resources: Resource[]): Promise<readonly Changed[]> => {
  const {rounds} = await converge(cluster.connection, resources);
  expect(rounds[1]).toEqual([]);
  return rounds[0] ?? [];
};
const summaries = (changed: readonly Changed[]) => changed.flatMap(({changes}) => changes.map(({summary}) => summary));
const planned = async (...resources: Resource[]) => summaries(await plan(cluster.connection, resources));
const get = (what: string, path: string) => cluster.on(`kubectl get -n shop ${what} -o jsonpath='{${path}}'`);
const history = () =>
  cluster.on(
    `kubectl get secrets -n shop -l owner=helm,name=${name} -o jsonpath='{range .items[*]}{.metadata.labels.version}:{.metadata.labels.status} {end}'`,
  );
const left = () => cluster.on(`kubectl get -n shop cm,secret,pvc -o name | grep /${name}- || echo none`);

/** What helm leaves behind when it is killed: a revision has this status in its record and in its label. */
const leaveAs = (status: string, revision = 1) =>
  cluster.on(`secret=sh.helm.release.v1.${name}.v${revision}
record=$(kubectl get -n shop secret $secret -o jsonpath={.data.release} | base64 -d | base64 -d | gunzip | sed 's/"status":"[a-z-]*"/"status":"${status}"/' | gzip | base64 -w0 | base64 -w0)
kubectl patch -n shop secret $secret -p "{\\"data\\":{\\"release\\":\\"$record\\"},\\"metadata\\":{\\"labels\\":{\\"status\\":\\"${status}\\"}}}"`);

const hats = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: hats.hats.test}
spec:
  group: hats.test
  scope: Namespaced
  names: {kind: Hat, plural: hats, singular: hat}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]`;

describe('a release', () => {
  test('is to be installed where there is no cluster and no helm', async () => {
    const found = await assess(localBash(), [release()]);
    expect(found.get(`release shop/${name}`)?.changes).toEqual([
      {summary: `install ${name}, version 1.0.0 of its chart`},
    ]);
  });

  test('is installed, and the second time there is nothing to do', async () => {
    expect(summaries(await settles(release()))).toEqual([`install ${name}, version 1.0.0 of its chart`]);
    expect(await history()).toBe('1:deployed');
    expect(await planned(release({values: {}}))).toEqual([]);
  });

  test('gets changed values, and its values are those that are given and no others', async () => {
    await settles(release({values: {greeting: 'one', other: {b: 1, a: 2}}}));
    expect(await planned(release({values: {other: {a: 2, b: 1}, greeting: 'one'}}))).toEqual([]);
    expect(summaries(await settles(release({values: {greeting: 'two'}})))).toEqual([`change the settings of ${name}`]);
    expect(await get(`cm ${name}-settings`, '.data.greeting')).toBe('two');
    await settles(release({values: {}}));
    expect(await get(`cm ${name}-settings`, '.data.greeting')).toBe('hello');
  });

  test('gets another version of its chart', async () => {
    await settles(release());
    expect(summaries(await settles(release({chart: next})))).toEqual([`upgrade ${name}: chart greeter-1.0.0 → 1.1.0`]);
    expect(await get(`cm ${name}-settings`, '.data.version')).toBe('1.1.0');
  });

  test('that another hand upgraded or rolled back is set back', async () => {
    await settles(release());
    const wanted = () => release({values: {greeting: 'two'}});
    await settles(wanted());
    await cluster.on(`helm upgrade ${name} ${chart.path} -n shop --set greeting=mine`);
    expect(await planned(wanted())).toEqual([`set ${name} back: revision 3 was made by another hand`]);
    await settles(wanted());
    expect(await get(`cm ${name}-settings`, '.data.greeting')).toBe('two');
    await cluster.on(`helm rollback ${name} 1 -n shop`);
    expect(await planned(wanted())).toEqual([`set ${name} back: revision 5 was made by another hand`]);
  });

  test('shows nothing of its secret values, neither in notes nor in errors', async () => {
    const hush = 'a-very-secret-value';
    const lines: string[] = [];
    const bad = await packChart(cluster.folder, 'bad', '1.0.0', {
      'bad.yaml': 'apiVersion: v1\nkind: ConfigMap\ndata: {a: {{ fail (print "not with " .Values.hush) }}}\n',
    });
    for (const given of [{}, {chart: bad}]) {
      const resource = release({values: {hush}, secretValues: [hush], ...given});
      expect(resource.probe.text).not.toContain(hush);
      const found = await assess(cluster.connection, [resource]);
      const {changes, apply} = found.get(resource.id) ?? {};
      const port = applyPort(cluster.connection, line => lines.push(line));
      const applied = await apply?.({
        ...port,
        run: async (script, options) => {
          // Whoever sees a script's commands sees no secret: it is in its text in another form.
          expect(script.text).not.toContain(hush);
          const ran = await port.run(script, options);
          const output = ran.ok ? `${ran.value.stdout}\n${ran.value.stderr}` : (ran.error.tail ?? []).join('\n');
          lines.push(...output.split('\n').flatMap(line => (options?.told ? (options.told(line) ?? []) : line)));
          return ran;
        },
      });
      lines.push(JSON.stringify(changes), JSON.stringify(applied));
    }
    expect(lines.join('\n')).toContain('not with [secret]');
    expect(lines.join('\n')).not.toContain(hush);
  });

  test('without its chart on the host says so', async () => {
    const missing = release({chart: {path: '/nowhere/x-1.0.0.tgz', version: '1.0.0'}});
    const failed = await converge(cluster.connection, [missing]).catch((error: ApplyError) => error);
    expect((failed as ApplyError).failure).toMatchObject({
      cause: 'The chart’s file is missing on the host or damaged.',
    });
  });

  test('waits for a kind that is being brought', async () => {
    const hat = await packChart(cluster.folder, 'hat', '1.0.0', {
      'hat.yaml': 'apiVersion: hats.test/v1\nkind: Hat\nmetadata: {name: top}\n',
    });
    await Promise.all([
      settles(release({chart: hat})),
      new Promise(resolve => setTimeout(resolve, 3000)).then(() =>
        cluster.on(`kubectl apply -f - <<'END'\n${hats}\nEND`),
      ),
    ]);
    expect(await get('hats.hats.test top', '.metadata.name')).toBe('top');
  });
});

describe('a release that got stuck', () => {
  test.each([
    'pending-install',
    'failed',
  ])('in its installation (%s) is installed again over what is there', async status => {
    const values = {claim: true};
    await settles(release({values}));
    const before = await get(`secret ${name}-password`, '.data.password');
    const volume = await get(`pvc ${name}-data`, '.metadata.uid');
    await leaveAs(status);
    expect(await planned(release({values}))).toEqual([
      status === 'failed'
        ? `repair ${name}: revision 1 has failed`
        : `repair ${name}: revision 1 was cut off in the middle (${status})`,
    ]);
    await settles(release({values: {...values, greeting: 'again'}}));
    expect(await history()).toBe('1:deployed');
    expect(await get(`cm ${name}-settings`, '.data.greeting')).toBe('again');
    expect(await get(`secret ${name}-password`, '.data.password')).toBe(before);
    expect(await get(`pvc ${name}-data`, '.metadata.uid')).toBe(volume);
  });

  test.each(['pending-upgrade', 'pending-rollback'])('in %s goes on from the revision before', async status => {
    await settles(release());
    await settles(release({values: {greeting: 'two'}}));
    await leaveAs('deployed', 1);
    await leaveAs(status, 2);
    await settles(release({values: {greeting: 'two'}}));
    expect(await history()).toBe('1:superseded 2:deployed');
    expect(await get(`cm ${name}-settings`, '.data.greeting')).toBe('two');
  });

  test('in a failed upgrade is upgraded', async () => {
    await settles(release());
    const bad = 'apiVersion: v1\nkind: Service\nmetadata: {name: Not_A_Name}\nspec: {ports: [{port: 80}]}\n';
    const broken = await packChart(cluster.folder, 'greeter', '1.2.0', {'bad.yaml': bad});
    await expect(converge(cluster.connection, [release({chart: broken, values: {hush: 'x'}})])).rejects.toThrow(
      'Not_A_Name',
    );
    expect(await history()).toBe('1:deployed 2:failed');
    expect(await planned(release())).toEqual([`repair ${name}: revision 2 has failed`]);
    await settles(release());
    expect(await history()).toBe('1:superseded 2:failed 3:deployed');
  });

  test('while it was being removed is installed again', async () => {
    await settles(release({values: {claim: true}}));
    const before = await get(`secret ${name}-password`, '.data.password');
    await leaveAs('uninstalling');
    await cluster.on(`kubectl delete -n shop cm ${name}-settings`);
    await settles(release({values: {claim: true}}));
    expect(await get(`cm ${name}-settings`, '.data.greeting')).toBe('hello');
    expect(await get(`secret ${name}-password`, '.data.password')).toBe(before);
  });

  test('removed with its history kept is installed again', async () => {
    await settles(release());
    await cluster.on(`helm uninstall ${name} -n shop --keep-history`);
    expect(await planned(release())).toEqual([`install ${name} again: revision 1 is uninstalled`]);
    await settles(release());
  });

  test('is left alone while another helm works on it', async () => {
    await settles(release());
    await settles(release({values: {greeting: 'two'}}));
    await leaveAs('deployed', 1);
    await leaveAs('pending-upgrade', 2);
    const said: string[] = [];
    const found = await assess(cluster.connection, [release()]);
    const port = applyPort(cluster.connection);
    // A process that is called helm, and names the release.
    const other = cluster.on(
      `cp "$(command -v bash)" ${cluster.folder}/helm; ${cluster.folder}/helm -c 'sleep 5; echo ended' upgrade ${name}`,
    );
    await new Promise(resolve => setTimeout(resolve, 300));
    const applied = await found.get(`release shop/${name}`)?.apply?.({
      ...port,
      run: async (script, options) => {
        const ran = await port.run(script, options);
        if (ran.ok && options?.detached) said.push(ran.value.stdout);
        return ran;
      },
    });
    expect(await other).toBe('ended');
    expect(applied).toMatchObject({ok: true});
    expect(said.join('\n')).toMatch(/waiting: another helm works on \S+ \(process \d+\)/);
  });
});

describe('a release that must not be', () => {
  test('goes, and its volume claims stay, the one that the chart made too', async () => {
    await settles(release({values: {claim: true}}));
    const uid = await get(`pvc ${name}-data`, '.metadata.uid');
    const gone = helmAbsent({name, namespace: 'shop'});
    expect(summaries(await settles(gone))).toEqual([`remove ${name}; its volume claims stay`]);
    expect(await left()).toBe(`persistentvolumeclaim/${name}-data`);
    // And a new one finds them.
    await settles(release({values: {claim: true}}));
    expect(await get(`pvc ${name}-data`, '.metadata.uid')).toBe(uid);
  });

  test('goes with its data when that is to be purged, also later', async () => {
    await settles(release({values: {claim: true}}));
    await settles(helmAbsent({name, namespace: 'shop'}));
    expect(summaries(await settles(helmAbsent({name, namespace: 'shop', purge: true})))).toEqual([
      `delete volume claim ${name}-data`,
    ]);
    await settles(release({values: {claim: true}}));
    await settles(helmAbsent({name, namespace: 'shop', purge: true}));
    expect(await left()).toBe('none');
  });

  test('and is stuck goes as well', async () => {
    await settles(release());
    await leaveAs('pending-install');
    await settles(helmAbsent({name, namespace: 'shop'}));
    expect(await left()).toBe('none');
  });

  test('and never was is as it should be', async () => {
    expect(await planned(helmAbsent({name, namespace: 'nowhere'}))).toEqual([]);
  });
});
