import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import type {Artifact} from '../../source/artifacts/artifact.ts';
import {artifactPath} from '../../source/artifacts/artifact.ts';
import {carriedFileOf, readCarried} from '../../source/artifacts/carried.ts';
import {newClient} from '../../source/artifacts/client.ts';
import {checkFile, pull} from '../../source/artifacts/pull.ts';
import type {ArtifactSource} from '../../source/deployment/schema.ts';
import {artifactResource} from '../../source/resources/artifact.ts';
import {converge} from '../support/apply.ts';
import {localBash} from '../support/local.ts';
import {bytesOf, type Mirror, sha256Of, startMirror, startProxy} from '../support/mirror.ts';

const content = bytesOf(900_000);
const packed = bytesOf(40_000, 3);

const rke2: Artifact = {
  id: 'rke2-archive',
  kind: 'archive',
  version: 'v1.35.8+rke2r1',
  arch: 'amd64',
  folder: 'rke2-v1.35.8+rke2r1',
  address: 'https://github.com/rancher/rke2/releases/download/v1.35.8%2Brke2r1/rke2.linux-amd64.tar.gz',
  checksumAddress: 'https://github.com/rancher/rke2/releases/download/v1.35.8%2Brke2r1/sha256sum-amd64.txt',
};
const loki: Artifact = {
  id: 'chart-loki',
  kind: 'chart',
  version: '6.55.0',
  folder: 'charts',
  address: 'https://charts.example/loki-6.55.0.tgz',
  index: {address: 'https://charts.example/index.yaml', chart: 'loki'},
};
const all = [rke2, loki];
const release = '/github.com/rancher/rke2/releases/download/v1.35.8+rke2r1';

let mirror: Mirror;
let directory: string;
let told: string[];

beforeEach(async () => {
  mirror = await startMirror();
  mirror.files.set(`${release}/rke2.linux-amd64.tar.gz`, content);
  mirror.files.set(`${release}/sha256sum-amd64.txt`, Buffer.from(`${sha256Of(content)}  rke2.linux-amd64.tar.gz\n`));
  mirror.files.set('/github.com/grafana/loki-6.55.0.tgz', packed);
  mirror.files.set(
    '/charts.example/index.yaml',
    Buffer.from(
      `apiVersion: v1\nentries:\n  loki:\n  - digest: ${sha256Of(packed)}\n    urls:\n    - https://github.com/grafana/loki-6.55.0.tgz\n    version: 6.55.0\n`,
    ),
  );
  directory = mkdtempSync(join(tmpdir(), 'pulled-'));
  told = [];
});

afterEach(async () => {
  await mirror.close();
  rmSync(directory, {recursive: true, force: true});
});

const run = (artifacts: readonly Artifact[] = all, client = newClient(undefined, {})) =>
  pull(
    directory,
    artifacts,
    {
      client,
      source: {source: 'mirror', address: mirror.address, checksums: 'pinned'},
      clock: {now: () => new Date(), sleep: async () => {}},
      signal: new AbortController().signal,
      tell: line => told.push(line),
    },
    () => {},
  );

const outcomes = (pulled: Awaited<ReturnType<typeof run>>) =>
  pulled.map(({result}) => (result.ok ? result.value.state : result.error));

const file = () => join(directory, release.slice(1), 'rke2.linux-amd64.tar.gz');

describe('filling a folder', () => {
  it('fetches everything, checks it and lists it', async () => {
    expect(outcomes(await run())).toEqual(['fetched', 'fetched']);
    expect(readFileSync(file()).equals(content)).toBe(true);
    const list = readCarried(directory);
    expect(list.ok && list.value.files.map(({id, sha256, size}) => [id, sha256, size])).toEqual([
      ['rke2-archive', sha256Of(content), content.length],
      ['chart-loki', sha256Of(packed), packed.length],
    ]);
    expect(list.ok && carriedFileOf(directory, list.value, loki)).toMatchObject({ok: true});
  });

  it('leaves what is there alone', async () => {
    await run();
    mirror.asked.splice(0);
    expect(outcomes(await run())).toEqual(['there', 'there']);
    expect(mirror.asked.map(({path}) => path)).toEqual([
      `${release}/sha256sum-amd64.txt`,
      '/charts.example/index.yaml',
    ]);
  });

  it('goes on where the link broke, and behind what an earlier run left', async () => {
    mkdirSync(join(directory, release.slice(1)), {recursive: true});
    writeFileSync(`${file()}.part`, content.subarray(0, 100_000));
    mirror.faults.set(`${release}/rke2.linux-amd64.tar.gz`, {cutAfter: 300_000});
    expect(outcomes(await run([rke2]))).toEqual(['fetched']);
    expect(readFileSync(file()).equals(content)).toBe(true);
    const ranges = mirror.asked.flatMap(({range}) => (range === undefined ? [] : [Number(range.slice(6, -1))]));
    expect(ranges[0]).toBe(100_000);
    expect(ranges.length).toBeGreaterThan(2);
    expect(ranges).toEqual(ranges.toSorted((one, other) => one - other));
    expect(told[0]).toBe('rke2.linux-amd64.tar.gz: going on behind 0.1 MB');
  });

  it('begins again when what lay there belongs to another file, or the server sends no parts', async () => {
    mkdirSync(join(directory, release.slice(1)), {recursive: true});
    writeFileSync(`${file()}.part`, bytesOf(100_000, 8));
    expect(outcomes(await run([rke2]))).toEqual(['fetched']);
    rmSync(file());
    writeFileSync(`${file()}.part`, content.subarray(0, 100_000));
    mirror.faults.set(`${release}/rke2.linux-amd64.tar.gz`, {noRanges: true});
    expect(outcomes(await run([rke2]))).toEqual(['fetched']);
    expect(readFileSync(file()).equals(content)).toBe(true);
  });

  it('says what is wrong with one and fetches the others', async () => {
    mirror.files.set(`${release}/rke2.linux-amd64.tar.gz`, bytesOf(10));
    expect(outcomes(await run())).toEqual([
      expect.stringMatching(/served a file with a wrong checksum, which was deleted/),
      'fetched',
    ]);
    expect(existsSync(file())).toBe(false);
    expect(readdirSync(directory, {recursive: true}).filter(name => String(name).endsWith('.part'))).toEqual([]);
  });

  it.each([
    [
      'a file that is not there',
      () => mirror.files.delete(`${release}/rke2.linux-amd64.tar.gz`),
      /is not there \(the server says 404\)/,
    ],
    [
      'checksums that are not there',
      () => mirror.files.delete(`${release}/sha256sum-amd64.txt`),
      /sha256sum-amd64.txt is not there/,
    ],
    [
      'a server that only ever breaks off',
      () => mirror.faults.set(`${release}/rke2.linux-amd64.tar.gz`, {cutAfter: 0}),
      /cannot be had/,
    ],
    [
      'a busy server',
      () => mirror.faults.set(`${release}/rke2.linux-amd64.tar.gz`, {status: 503}),
      /cannot be had now \(the server says 503\)/,
    ],
  ])('reports %s', async (_, spoil, message) => {
    spoil();
    expect(outcomes(await run([rke2]))[0]).toMatch(message);
  });

  it('reports a chart version that the repository does not list', async () => {
    expect(outcomes(await run([{...loki, version: '9.9.9'}]))[0]).toMatch(/does not list loki 9\.9\.9/);
  });

  it.each([
    ['the deployment', (address: string) => newClient({address, exclude: []}, {})],
    ['this side’s environment', (address: string) => newClient(undefined, {HTTP_PROXY: address})],
  ])('goes through the proxy of %s', async (_, clientOf) => {
    const proxy = await startProxy();
    expect(outcomes(await run([rke2], clientOf(proxy.address)))).toEqual(['fetched']);
    await proxy.close();
    expect(proxy.asked).toHaveLength(2);
  });

  it('refuses a file that is not the one known beforehand', async () => {
    expect(outcomes(await run([{...rke2, sha256: '0'.repeat(64)}]))[0]).toMatch(/wrong checksum/);
  });
});

describe('a folder that was filled', () => {
  it('is proven file by file', async () => {
    await run();
    const list = readCarried(directory);
    const [entry] = list.ok ? list.value.files : [];
    if (!entry) throw new Error('nothing is listed');
    expect(await checkFile(file(), entry)).toMatchObject({ok: true});
    const other = Buffer.from(content);
    other[5] = (other[5] ?? 0) ^ 1;
    writeFileSync(file(), other);
    expect(await checkFile(file(), entry)).toMatchObject({ok: false, error: expect.stringMatching(/wrong checksum/)});
    truncateSync(file(), 10);
    expect(await checkFile(file(), entry)).toMatchObject({ok: false, error: expect.stringMatching(/cut short/)});
  });

  it.each(['directory', 'mirror'] as const)('brings everything to a host as a %s', async kind => {
    await run();
    const store = join(directory, 'store');
    const served = await startMirror();
    for (const name of readdirSync(directory, {recursive: true, withFileTypes: true}).filter(each => each.isFile()))
      served.files.set(
        join(name.parentPath, name.name).slice(directory.length),
        readFileSync(join(name.parentPath, name.name)),
      );
    const source: ArtifactSource =
      kind === 'directory'
        ? {source: 'directory', path: directory}
        : {source: 'mirror', address: served.address, checksums: 'pinned'};
    const {rounds} = await converge(
      localBash(),
      all.map(artifact => artifactResource(artifact, source, {store})),
    );
    await served.close();
    expect(rounds.map(round => round.length)).toEqual([2, 0]);
    expect(readFileSync(artifactPath(rke2, store)).equals(content)).toBe(true);
    expect(readFileSync(artifactPath(loki, store)).equals(packed)).toBe(true);
  });
});
