import {spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, describe, expect, test} from 'vitest';
import {parseAllDocuments} from 'yaml';
import {fileNameOf} from '../../source/artifacts/artifact.ts';
import {catalogue} from '../../source/artifacts/catalogue.ts';
import {entryInIndex} from '../../source/artifacts/chart-index.ts';
import {checksumIn} from '../../source/artifacts/checksum-file.ts';
import {placeOf} from '../../source/artifacts/source.ts';
import {type VersionSet, versionSets} from '../../source/blueprints/versions.ts';
import type {KubeObject} from '../../source/kubernetes/objects.ts';
import {internet} from '../../source/practice/internet.ts';
import {fixtures} from '../support/practice.ts';

const nameOf = ({kind, metadata: {name}}: KubeObject): string => `${kind} ${name}`;

const files = internet('amd64');
const artifacts = versionSets.flatMap(set => catalogue(set, 'amd64'));

const textAt = (address: string): string => String(files.get(placeOf(address)) ?? '');
const bytesAt = (address: string): Buffer => Buffer.from(files.get(placeOf(address)) ?? '');

describe('the internet of practice hosts', () => {
  test.each(
    artifacts.map(artifact => [artifact.id, artifact] as const),
  )('has %s where its publisher has it, with the right checksum beside it', (_, {
    address,
    checksumAddress,
    index,
    version,
    ...artifact
  }) => {
    const content = bytesAt(address);
    expect(content.length).toBeGreaterThan(0);
    const sum = createHash('sha256').update(content).digest('hex');
    if (index) expect(entryInIndex(textAt(index.address), index.chart, version)?.sha256).toBe(sum);
    else expect(checksumIn(textAt(checksumAddress ?? ''), fileNameOf({address}))).toBe(sum);
    expect(artifact.kind).toBeTruthy();
  });

  test('is made in no time, and is the same every time', () => {
    const before = performance.now();
    const again = internet('amd64');
    expect(performance.now() - before).toBeLessThan(2000);
    expect([...again]).toEqual([...files]);
  });

  test('has archives that tar reads', () => {
    const list = (address: string) =>
      spawnSync('tar', ['tzf', '-'], {input: bytesAt(address), encoding: 'utf8'}).stdout;
    const addressOf = (id: string) => artifacts.find(artifact => artifact.id === id)?.address ?? '';
    expect(list(addressOf('rke2-archive'))).toContain('lib/systemd/system/rke2-server.service\n');
    expect(list(addressOf('helm'))).toContain('linux-amd64/helm\n');
    expect(list(addressOf('chart-rancher'))).toContain('rancher/Chart.yaml\n');
  });
});

/** A real helm, where the tests against a real Kubernetes have put one. */
const realHelm = join(process.env.KUBE_CACHE ?? '/var/tmp/kube-cache', 'bin', 'helm');

describe.skipIf(!existsSync(realHelm))('the real helm', () => {
  const folder = mkdtempSync(join(tmpdir(), 'groundwork-charts-'));
  afterAll(() => rmSync(folder, {recursive: true}));

  const charts = catalogue(versionSets[0] as VersionSet, 'amd64').filter(({kind}) => kind === 'chart');
  const values = {
    mode: 'daemonset',
    persistence: {storageClass: '-', size: '50Gi'},
    postgresql: {enabled: true},
    service: {type: 'NodePort', ports: [{name: 'http', port: 80, targetPort: 8080, nodePort: 30080, protocol: 'TCP'}]},
  };
  const helm = (program: readonly string[], words: readonly string[]) => {
    const [command = '', ...first] = program;
    return spawnSync(command, [...first, ...words], {input: JSON.stringify(values), encoding: 'utf8'});
  };
  const objectsIn = (text: string) =>
    parseAllDocuments(text)
      .flatMap(document => (document.toJS() as KubeObject | null) ?? [])
      .sort((one, other) => nameOf(one).localeCompare(nameOf(other)));

  test.each(
    charts.map(chart => [chart.id, chart] as const),
  )('reads the stand-in of %s, and makes the same objects of it as the stand-in of helm', (_, chart) => {
    const path = join(folder, fileNameOf(chart));
    writeFileSync(path, bytesAt(chart.address));
    const words = ['template', 'release', path, '--namespace', 'place', '--values', '-'];
    const real = helm([realHelm], words);
    expect(real.stderr).toBe('');
    const standIn = helm([process.execPath, join(fixtures, 'lib/kubernetes/helm.mjs'), 'helm'], words);
    expect(standIn.stderr).toBe('');
    // What programs of the chart make when they run is in the chart, and is no part of the release.
    const known = objectsIn(real.stdout).filter(({metadata}) => !metadata.annotations?.['practice/made']);
    expect(objectsIn(standIn.stdout)).toEqual(known);
    expect(helm([realHelm], ['show', 'chart', path]).stdout).toContain(`version: ${chart.version}\n`);
  });
});
