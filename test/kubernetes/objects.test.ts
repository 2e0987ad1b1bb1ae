import {gunzipSync, gzipSync} from 'node:zlib';
import {describe, expect, test} from 'vitest';
import {recordKeepingClaims} from '../../source/kubernetes/helm-record.ts';
import {inOrder, type KubeObject, nameOf, refOf, secretsIn, withPlainSecrets} from '../../source/kubernetes/objects.ts';
import {type HelmRelease, helmAbsent, helmRelease} from '../../source/resources/helm-release.ts';
import {manifest, manifestAbsent} from '../../source/resources/manifest.ts';

const object = (kind: string, name = 'x', more: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: {name},
  ...more,
});

test('objects are made in an order in which they can be', () => {
  const kinds = ['Gateway', 'Deployment', 'ConfigMap', 'CustomResourceDefinition', 'Service', 'Namespace', 'Role'];
  expect(inOrder(kinds.map(kind => object(kind))).map(({kind}) => kind)).toEqual([
    'Namespace',
    'CustomResourceDefinition',
    'ConfigMap',
    'Role',
    'Service',
    'Deployment',
    'Gateway',
  ]);
  expect(inOrder([object('ConfigMap', 'b'), object('ConfigMap', 'a')]).map(found => nameOf(refOf(found)))).toEqual([
    'ConfigMap b',
    'ConfigMap a',
  ]);
});

describe('Secrets', () => {
  const secret = object('Secret', 'login', {stringData: {password: 'hush'}, data: {user: 'bWU='}});

  test('have data alone, as the server keeps them', () => {
    expect(withPlainSecrets(secret)).toEqual(object('Secret', 'login', {data: {user: 'bWU=', password: 'aHVzaA=='}}));
    expect(withPlainSecrets(object('ConfigMap'))).toEqual(object('ConfigMap'));
  });
  test('say what must not be shown', () => {
    const login = object('Secret', 'login', {
      stringData: {'admin-user': 'administrator', password: 'hush-hush', mode: 'on'},
    });
    expect(secretsIn([login, object('ConfigMap', 'x', {data: {a: 'everybody may know'}})])).toEqual(['hush-hush']);
  });
});

describe('what travels to a host', () => {
  const nasty = `'; touch /tmp/x; echo "$(id)" \`id\` \n===`;
  const release = (given: Partial<HelmRelease> = {}) =>
    helmRelease({name: 'cart', namespace: 'shop', chart: {path: '/a/cart-1.tgz', version: '1'}, values: {}, ...given});

  test('holds no secret in words, and nothing that a shell would run', () => {
    const applied = manifest({id: nasty, objects: [object('Secret', 'login', {stringData: {a: nasty}})]});
    expect(applied.probe.text).not.toContain('touch /tmp/x');
    expect(release({values: {a: nasty}}).probe.text).not.toContain('touch');
  });

  test('names are checked before they are anywhere', () => {
    for (const name of ['-x', 'A', 'a b', 'a;b', '', 'a'.repeat(54)]) {
      expect(() => release({name})).toThrow('not the name of a release');
      expect(() => helmAbsent({name, namespace: 'shop'})).toThrow('not the name of a release');
    }
    for (const namespace of ['-x', 'a/b', '']) expect(() => release({namespace})).toThrow('not a namespace');
    expect(() => release({chart: {path: 'relative.tgz', version: '1'}})).toThrow('not an absolute path');
    expect(() => manifest({id: 'none', objects: []})).toThrow('no object');
    expect(() => manifestAbsent({id: 'none', objects: []})).toThrow('no object');
  });
});

describe('helm’s record', () => {
  const encode = (record: object): string =>
    Buffer.from(gzipSync(JSON.stringify(record)).toString('base64')).toString('base64');
  const decode = (data: string): {manifest: string; name: string} =>
    JSON.parse(gunzipSync(Buffer.from(Buffer.from(data, 'base64').toString(), 'base64')).toString());
  const others = '---\n# Source: a/b.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: "x: y"}\n';
  const claim = (annotations: string) =>
    `---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: data\n${annotations}spec: {}\n`;

  test('gets every volume claim marked to be kept, and stays what it is', () => {
    for (const annotations of ['', '  annotations:\n', '  annotations: {a: b}\n']) {
      const kept = recordKeepingClaims(encode({name: 'cart', manifest: `${others}${claim(annotations)}`}));
      if (!kept.ok || kept.value === undefined) throw new Error('not changed');
      const {name, manifest: text} = decode(kept.value);
      expect(name).toBe('cart');
      expect(text).toContain('data: { a: "x: y" }');
      expect(text).toMatch(/annotations:\s*({ a: b, )?\s*"?helm\.sh\/resource-policy"?: keep/);
    }
  });
  test('without claims, or with kept ones, is left alone', () => {
    const kept = claim('  annotations: {helm.sh/resource-policy: keep}\n');
    for (const text of ['', others, `${others}${kept}`])
      expect(recordKeepingClaims(encode({manifest: text}))).toEqual({ok: true, value: undefined});
  });
  test('that cannot be read stops the removal', () => {
    for (const data of ['', 'nonsense', encode({}), encode({manifest: `${claim('')}  bad: [`})])
      expect(recordKeepingClaims(data).ok).toBe(false);
  });
});
