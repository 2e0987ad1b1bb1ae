import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, describe, expect, it} from 'vitest';
import {entryInIndex, entryInIndexScript, type IndexEntry} from '../../source/artifacts/chart-index.ts';
import {checksumIn, checksumInScript} from '../../source/artifacts/checksum-file.ts';
import {sh} from '../../source/shell/script.ts';
import {localBash} from '../support/local.ts';

const directory = mkdtempSync(join(tmpdir(), 'reading-'));
const path = join(directory, 'text');
afterAll(() => rmSync(directory, {recursive: true, force: true}));

const a = 'a'.repeat(64);
const b = 'b'.repeat(64);

const onHost = async (text: string, script: ReturnType<typeof sh>): Promise<string> => {
  writeFileSync(path, text);
  const ran = await localBash().run(script);
  return ran.ok ? ran.value.stdout.trim() : 'failed';
};

describe('a file of checksums', () => {
  const many = `${a}  rke2.linux-amd64.tar.gz\n${b}  rke2-images.linux-amd64.tar.zst\n`;
  it.each([
    ['of a whole release', many, 'rke2-images.linux-amd64.tar.zst', b],
    ['with marks of binary files', `${a} *tool.tgz\n`, 'tool.tgz', a],
    ['with folders', `${a}  ./dist/tool.tgz\n`, 'tool.tgz', a],
    ['with the hash alone', `${a}\n`, 'kubectl', a],
    ['with the hash alone and no newline', a, 'kubectl', a],
    ['in capital letters and with the line ends of another system', `${a.toUpperCase()}  tool.tgz\r\n`, 'tool.tgz', a],
    ['that does not name the file', many, 'rke2.linux-arm64.tar.gz', ''],
    ['that names one whose name only ends like it', `${a}  my-tool.tgz\n`, 'tool.tgz', ''],
    ['that is a page of a proxy', '<html>Please log in</html>', 'tool.tgz', ''],
    ['that is empty', '', 'tool.tgz', ''],
  ])('%s is read the same here and on a host', async (_, text, name, expected) => {
    expect(checksumIn(text, name) ?? '').toBe(expected);
    expect(await onHost(text, checksumInScript(sh`${path}`, name))).toBe(expected);
  });
});

describe('the index of a chart repository', () => {
  const helms = `apiVersion: v1
entries:
  other:
  - digest: ${b}
    urls:
    - https://charts.example/other-1.0.0.tgz
    version: 1.0.0
  loki:
  - annotations:
      version: 1.0.0
      notes: |
        - version: 1.0.0
        digest: ${b}
    apiVersion: v2
    dependencies:
    - condition: minio.enabled
      name: minio
      repository: https://charts.min.io/
      version: 1.0.0
    digest: ${b}
    keywords:
    - logs
    name: loki
    urls:
    - https://github.com/grafana/loki-2.0.0.tgz
    version: 2.0.0
  - apiVersion: v2
    digest: ${a}
    name: loki
    urls:
    - https://github.com/grafana/loki-1.0.0.tgz
    - https://elsewhere.example/loki-1.0.0.tgz
    version: 1.0.0
  loki-stack:
  - digest: ${b}
    urls:
    - https://charts.example/stack.tgz
    version: 3.0.0
generated: "2026-01-01T00:00:00Z"
`;
  const indented = `entries:
  loki:
    - name: loki
      version: "1.0.0+up2"
      digest: 'sha256:${a}'
      urls:
        - charts/loki-1.0.0+up2.tgz
`;
  const ranchers = `entries:
  loki:
  - annotations:
      catalog.cattle.io/kube-version: '>= 1.34.0-0 < 1.37.0-0'
      images: |
        - name: one
          version: 110.0.1+up80.9.1-rancher.19
    apiVersion: v2
    created: "2026-02-23T14:53:57.145688824-03:00"
    description: It is used for web search,
      and more. version: none
    digest: ${a}
    icon: file://assets/logos/monitoring.svg
    maintainers:
    - email: one@rancher.example
      name: One
      url: https://one.example
    name: loki
    sources:
    - https://github.com/rancher/charts
    urls:
    - assets/loki/loki-110.0.1+up80.9.1-rancher.19.tgz
    version: 110.0.1+up80.9.1-rancher.19
`;
  const prefixed = helms.replaceAll('    version: 2.0.0', '    version: v2.0.0');
  it.each<[string, string, string, IndexEntry | undefined]>([
    [
      'annotations, texts and people',
      ranchers,
      '110.0.1+up80.9.1-rancher.19',
      {url: 'assets/loki/loki-110.0.1+up80.9.1-rancher.19.tgz', sha256: a},
    ],
    ['a v before the version', prefixed, '2.0.0', {url: 'https://github.com/grafana/loki-2.0.0.tgz', sha256: b}],
    ['no v before the version', helms, 'v2.0.0', {url: 'https://github.com/grafana/loki-2.0.0.tgz', sha256: b}],
    ['an entry', helms, '1.0.0', {url: 'https://github.com/grafana/loki-1.0.0.tgz', sha256: a}],
    ['the newest entry', helms, '2.0.0', {url: 'https://github.com/grafana/loki-2.0.0.tgz', sha256: b}],
    ['no version of another chart', helms, '3.0.0', undefined],
    ['lists that are indented, and quotes', indented, '1.0.0+up2', {url: 'charts/loki-1.0.0+up2.tgz', sha256: a}],
    [
      'an entry without a digest',
      indented.replace(/.*digest.*\n/, ''),
      '1.0.0+up2',
      {url: 'charts/loki-1.0.0+up2.tgz', sha256: undefined},
    ],
    [
      'lines of another system',
      helms.replaceAll('\n', '\r\n'),
      '1.0.0',
      {url: 'https://github.com/grafana/loki-1.0.0.tgz', sha256: a},
    ],
    ['a page of a proxy', '<html>\n  loki:\n  - version: 1.0.0\n</html>', '1.0.0', undefined],
    ['nothing', '', '1.0.0', undefined],
  ])('with %s is read the same here and on a host', async (_, text, version, expected) => {
    expect(entryInIndex(text, 'loki', version)).toEqual(expected);
    const [said = '', url = ''] = (await onHost(text, entryInIndexScript(sh`${path}`, 'loki', version))).split(' ');
    const digest = said.replace(/^sha256:/, '');
    expect(url === '' ? undefined : {url, sha256: digest === '-' ? undefined : digest}).toEqual(expected);
  });
});
