import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {type Artifact, artifactPath} from '../../source/artifacts/artifact.ts';
import type {ArtifactSource} from '../../source/deployment/schema.ts';
import type {Failure} from '../../source/engine/failure.ts';
import {artifactResource} from '../../source/resources/artifact.ts';
import type {Apply} from '../../source/resources/resource.ts';
import {applyPort, assess, plan} from '../support/apply.ts';
import {localBash} from '../support/local.ts';
import {bytesOf, type Mirror, sha256Of, startMirror, startProxy} from '../support/mirror.ts';

const content = bytesOf(3_000_000);
const name = 'tool-v1.0.0-linux-amd64.tar.gz';
const onMirror = `/tools.example/${name}`;

const tool: Artifact = {
  id: 'tool',
  kind: 'archive',
  version: 'v1.0.0',
  arch: 'amd64',
  folder: 'tool-v1.0.0',
  address: `https://tools.example/${name}`,
  checksumAddress: `https://tools.example/${name}.sha256sum`,
};

const patience = {stalledSeconds: 2, tellSeconds: 1, pauseSeconds: 0};

let mirror: Mirror;
let store: string;
let told: string[];

const place = () => artifactPath(tool, store);

beforeEach(async () => {
  mirror = await startMirror();
  mirror.files.set(onMirror, content);
  mirror.files.set(`${onMirror}.sha256sum`, Buffer.from(`${sha256Of(content)}  ${name}\n`));
  store = mkdtempSync(join(tmpdir(), 'store-'));
  told = [];
});

afterEach(async () => {
  await mirror.close();
  rmSync(store, {recursive: true, force: true});
});

const fromMirror = (): ArtifactSource => ({source: 'mirror', address: mirror.address, checksums: 'pinned'});

const resourceOf = (artifact: Artifact, source: ArtifactSource = fromMirror()) =>
  artifactResource(artifact, source, {store, patience});

/** Applies what the resource wants, as the engine does; undefined when there was nothing to do or it went well. */
const apply = async (artifact: Artifact = tool, source?: ArtifactSource): Promise<Failure | undefined> => {
  const resource = resourceOf(artifact, source);
  const assessed = await assess(localBash(), [resource]);
  const wanted: Apply | undefined = assessed.get(resource.id)?.apply;
  const applied = await wanted?.(applyPort(localBash(), line => told.push(line)));
  return applied && !applied.ok ? applied.error : undefined;
};

const summaries = async (artifact: Artifact = tool, source?: ArtifactSource): Promise<readonly string[]> =>
  (await plan(localBash(), [resourceOf(artifact, source)])).flatMap(({changes}) => changes.map(({summary}) => summary));

const words = ({message, tail = []}: Failure): string => [message, ...tail].join('\n');

const gets = (path: string) => mirror.asked.filter(asked => asked.method === 'GET' && asked.path === path);

describe('an artifact from a mirror', () => {
  it('is downloaded, checked and then as it should be', async () => {
    expect(await summaries()).toEqual([`download ${name} from ${mirror.address}${onMirror}`]);
    expect(await apply()).toBeUndefined();
    expect(readFileSync(place()).equals(content)).toBe(true);
    expect(await summaries()).toEqual([]);
    expect(existsSync(`${place()}.part`)).toBe(false);
  });

  it('asks for the checksum before it asks for the file', async () => {
    await apply();
    expect(mirror.asked.map(({path}) => path)).toEqual([`${onMirror}.sha256sum`, onMirror, onMirror]);
    expect(mirror.asked[1]?.method).toBe('HEAD');
  });

  it('needs no file of checksums when the checksum is known beforehand', async () => {
    mirror.files.delete(`${onMirror}.sha256sum`);
    expect(await apply({...tool, sha256: sha256Of(content)})).toBeUndefined();
    expect(readFileSync(place()).equals(content)).toBe(true);
  });

  it('goes on where the link broke, again and again', async () => {
    mirror.faults.set(onMirror, {cutAfter: 800_000});
    expect(await apply()).toBeUndefined();
    expect(readFileSync(place()).equals(content)).toBe(true);
    expect(gets(onMirror).map(({range}) => range)).toEqual([
      undefined,
      'bytes=800000-',
      'bytes=1600000-',
      'bytes=2400000-',
    ]);
  });

  it('goes on behind what an earlier run left', async () => {
    mkdirSync(join(store, tool.folder), {recursive: true});
    writeFileSync(`${place()}.part`, content.subarray(0, 2_000_000));
    expect(await summaries()).toEqual([
      `download the rest of ${name} from ${mirror.address}${onMirror}, behind 2.0 MB`,
    ]);
    expect(await apply()).toBeUndefined();
    expect(readFileSync(place()).equals(content)).toBe(true);
    expect(gets(onMirror).map(({range}) => range)).toEqual(['bytes=2000000-']);
  });

  it('begins again when what lay there belongs to another file', async () => {
    mkdirSync(join(store, tool.folder), {recursive: true});
    writeFileSync(`${place()}.part`, bytesOf(1_000_000, 99));
    expect(await apply()).toBeUndefined();
    expect(readFileSync(place()).equals(content)).toBe(true);
  });

  it('begins again at a server that does not send parts', async () => {
    mkdirSync(join(store, tool.folder), {recursive: true});
    writeFileSync(`${place()}.part`, content.subarray(0, 1_000_000));
    mirror.faults.set(onMirror, {noRanges: true});
    expect(await apply()).toBeUndefined();
    expect(readFileSync(place()).equals(content)).toBe(true);
  });

  it('does without HEAD', async () => {
    mirror.faults.set(onMirror, {noHead: true});
    expect(await apply()).toBeUndefined();
    expect(readFileSync(place()).equals(content)).toBe(true);
  });

  it('is taken as it is when the right file was put there by hand', async () => {
    mkdirSync(join(store, tool.folder), {recursive: true});
    writeFileSync(place(), content);
    expect(await summaries()).toEqual([`check ${name} and download it if it is wrong`]);
    expect(await apply()).toBeUndefined();
    expect(gets(onMirror)).toEqual([]);
    expect(await summaries()).toEqual([]);
  });

  it('is fetched anew when the file was changed afterwards', async () => {
    await apply();
    writeFileSync(place(), bytesOf(10));
    expect(await summaries()).toEqual([`check ${name} and download it if it is wrong`]);
    expect(await apply()).toBeUndefined();
    expect(readFileSync(place()).equals(content)).toBe(true);
  });

  it('is read no more when it is there: the look costs no byte of it', async () => {
    await apply();
    const before = mirror.asked.length;
    expect(await summaries()).toEqual([]);
    expect(mirror.asked.length).toBe(before);
  });
});

describe('what goes wrong with a download', () => {
  it('a wrong checksum: the file is deleted, and the card says which address served it', async () => {
    mirror.files.set(onMirror, bytesOf(3_000_000, 7));
    const failure = (await apply()) as Failure;
    expect(words(failure)).toContain(`${mirror.address}${onMirror} served a file with a wrong checksum`);
    expect(words(failure)).toContain(`expected ${sha256Of(content)}`);
    expect(failure.remedy).toMatch(/fetch the file anew on the mirror/i);
    expect(failure.transient).toBeUndefined();
    expect(existsSync(place()) || existsSync(`${place()}.part`)).toBe(false);
  });

  it('a mirror that has another file than the one known beforehand, with a checksum of its own to match', async () => {
    const forged = bytesOf(3_000_000, 7);
    mirror.files.set(onMirror, forged);
    mirror.files.set(`${onMirror}.sha256sum`, Buffer.from(`${sha256Of(forged)}  ${name}\n`));
    expect(words((await apply({...tool, sha256: sha256Of(content)})) as Failure)).toContain('wrong checksum');
  });

  it('a file that is cut short on the server', async () => {
    mirror.faults.set(onMirror, {truncatedTo: 1_000_000});
    const failure = (await apply({...tool, size: content.length})) as Failure;
    expect(words(failure)).toMatch(/wrong checksum|ends after 1000000 of 3000000 bytes: the file there is cut short/);
    expect(existsSync(place())).toBe(false);
  });

  it('a link that breaks without a byte: what came is kept, and the engine may try again', async () => {
    mirror.faults.set(onMirror, {cutAfter: 0});
    mkdirSync(join(store, tool.folder), {recursive: true});
    writeFileSync(`${place()}.part`, content.subarray(0, 1_000_000));
    const failure = (await apply()) as Failure;
    expect(failure.cause).toMatch(/ends before the file does/);
    expect(failure.transient).toBe(true);
    expect(readFileSync(`${place()}.part`).length).toBe(1_000_000);
    mirror.faults.delete(onMirror);
    expect(await apply()).toBeUndefined();
    expect(gets(onMirror).at(-1)?.range).toBe('bytes=1000000-');
  });

  it('a file that is not there', async () => {
    mirror.files.delete(onMirror);
    const failure = (await apply()) as Failure;
    expect(words(failure)).toContain(`${mirror.address}${onMirror} is not there (the server says 404)`);
    expect(failure.remedy).toMatch(/artifacts pull/);
    expect(failure.transient).toBeUndefined();
  });

  it('a file of checksums that does not name the file', async () => {
    mirror.files.set(`${onMirror}.sha256sum`, Buffer.from(`${sha256Of(content)}  other.tar.gz\n`));
    const failure = (await apply()) as Failure;
    expect(words(failure)).toContain(`has no sha256 of ${name}`);
    expect(gets(onMirror)).toEqual([]);
  });

  it('no way to the server', async () => {
    const {address} = mirror;
    await mirror.close();
    const failure = (await apply(tool, {source: 'mirror', address, checksums: 'pinned'})) as Failure;
    expect(failure.cause).toMatch(/no way to the server/);
    expect(failure.remedy).toMatch(/artifacts\.proxy/);
    expect(failure.transient).toBe(true);
  });

  it('a server that stalls: cut off, gone on from, and told as a slow link in the end', async () => {
    mirror.faults.set(onMirror, {stallsAfter: 0});
    const failure = (await apply({...tool, sha256: sha256Of(content)})) as Failure;
    expect(failure.cause).toMatch(/next to nothing came over it/);
  }, 30_000);

  it('a busy server', async () => {
    mirror.faults.set(onMirror, {status: 503});
    const failure = (await apply()) as Failure;
    expect(words(failure)).toContain('cannot be had now (the server says 503)');
    expect(failure.transient).toBe(true);
  });

  it('a disk without room: said before the first byte, with what is needed', async () => {
    const failure = (await apply({...tool, size: 10 ** 15})) as Failure;
    expect(words(failure)).toMatch(/not enough free space for .* MB are free, 1000000067\.1 MB are needed/);
    expect(failure.remedy).toMatch(/make room/i);
    expect(gets(onMirror)).toEqual([]);
  });
});

describe('a slow link', () => {
  it('is told in bytes and rate', async () => {
    mirror.faults.set(onMirror, {slow: 1_500_000});
    const resource = resourceOf(tool);
    const apply = (await assess(localBash(), [resource])).get(resource.id)?.apply;
    let lines = '';
    await apply?.({
      ...applyPort(localBash()),
      run: async (script, options) => {
        const ran = await applyPort(localBash()).run(script, options);
        lines = ran.ok ? ran.value.stdout : '';
        return ran;
      },
    });
    expect(lines).toMatch(new RegExp(`^${name}: \\d\\.\\d of 3\\.0 MB, (\\d\\.\\d MB|\\d+ kB)/s$`, 'm'));
    expect(lines).toMatch(new RegExp(`^${name}: 3\\.0 MB, .*sha256 is right$`, 'm'));
  });
});

describe('a proxy of the site', () => {
  const through = (address: string, exclude: string[] = []): ArtifactSource => ({
    ...(fromMirror() as Extract<ArtifactSource, {source: 'mirror'}>),
    proxy: {address, exclude},
  });

  it('is asked for everything', async () => {
    const proxy = await startProxy();
    expect(await apply(tool, through(proxy.address))).toBeUndefined();
    await proxy.close();
    expect(readFileSync(place()).equals(content)).toBe(true);
    expect(proxy.asked).toEqual([
      `${mirror.address}${onMirror}.sha256sum`,
      `${mirror.address}${onMirror}`,
      `${mirror.address}${onMirror}`,
    ]);
  });

  it('is not asked for what it does not concern', async () => {
    const proxy = await startProxy();
    expect(await apply(tool, through(proxy.address, ['127.0.0.1']))).toBeUndefined();
    await proxy.close();
    expect(proxy.asked).toEqual([]);
  });

  it('that wants a login is told as that', async () => {
    const proxy = await startProxy({refuses: true});
    const failure = (await apply(tool, through(proxy.address))) as Failure;
    await proxy.close();
    expect(words(failure)).toContain('the proxy wants a login (407)');
    expect(failure.remedy).toMatch(/without a login/);
  });

  it('that is not there is told with where to correct it', async () => {
    const proxy = await startProxy();
    await proxy.close();
    const failure = (await apply(tool, through(proxy.address))) as Failure;
    expect(failure.remedy).toMatch(/artifacts\.proxy/);
  });
});

describe('a chart', () => {
  const chart: Artifact = {
    id: 'chart-loki',
    kind: 'chart',
    version: '6.24.0',
    folder: 'charts',
    address: 'https://charts.example/loki-6.24.0.tgz',
    index: {address: 'https://charts.example/index.yaml', chart: 'loki'},
  };
  const index = (url: string, digest = sha256Of(content)) =>
    Buffer.from(`apiVersion: v1
entries:
  loki:
  - apiVersion: v2
    dependencies:
    - name: minio
      version: 6.24.0
    digest: ${digest}
    name: loki
    urls:
    - ${url}
    version: 6.24.0
generated: "2026-01-01T00:00:00Z"
`);

  it('comes from where its repository says, below the mirror, and is checked by the digest there', async () => {
    mirror.files.set('/charts.example/index.yaml', index('https://github.com/grafana/loki-6.24.0.tgz'));
    mirror.files.set('/github.com/grafana/loki-6.24.0.tgz', content);
    expect(await apply(chart)).toBeUndefined();
    expect(readFileSync(artifactPath(chart, store)).equals(content)).toBe(true);
    expect(await summaries(chart)).toEqual([]);
  });

  it('comes from beside the index when that gives a relative path', async () => {
    mirror.files.set('/charts.example/index.yaml', index('packages/loki-6.24.0.tgz'));
    mirror.files.set('/charts.example/packages/loki-6.24.0.tgz', content);
    expect(await apply(chart)).toBeUndefined();
  });

  it('of which the repository does not list the version', async () => {
    mirror.files.set('/charts.example/index.yaml', index('loki-6.24.0.tgz'));
    const failure = (await apply({...chart, version: '6.99.0'})) as Failure;
    expect(words(failure)).toContain(`${mirror.address}/charts.example/index.yaml does not list loki 6.99.0`);
    expect(failure.remedy).toMatch(/choose another set of versions/);
  });

  it('without a digest is not taken', async () => {
    mirror.files.set('/charts.example/index.yaml', index('loki-6.24.0.tgz', 'none'));
    expect(words((await apply(chart)) as Failure)).toContain('gives no digest of loki 6.24.0');
  });
});

describe('an artifact from a folder that was carried in', () => {
  /** Small: this shell reads its script byte by byte, which the shell of a real connection does not. */
  const content = bytesOf(600_000);
  let carried: string;
  const source = (): ArtifactSource => ({source: 'directory', path: carried});
  const list = (entry: Record<string, unknown> = {}) =>
    writeFileSync(
      join(carried, 'artifacts.json'),
      JSON.stringify({
        version: 1,
        files: [
          {
            id: 'tool',
            version: 'v1.0.0',
            arch: 'amd64',
            address: tool.address,
            file: `tools.example/${name}`,
            sha256: sha256Of(content),
            size: content.length,
            ...entry,
          },
        ],
      }),
    );

  beforeEach(() => {
    carried = mkdtempSync(join(tmpdir(), 'carried-'));
    mkdirSync(join(carried, 'tools.example'));
    writeFileSync(join(carried, 'tools.example', name), content);
    list();
  });
  afterEach(() => rmSync(carried, {recursive: true, force: true}));

  it('is sent over the connection, checked there, and told in bytes and rate', async () => {
    expect(await summaries(tool, source())).toEqual([`send ${name} from ${carried}`]);
    expect(await apply(tool, source())).toBeUndefined();
    expect(readFileSync(place()).equals(content)).toBe(true);
    expect(await summaries(tool, source())).toEqual([]);
    expect(told.at(-1)).toMatch(new RegExp(`^${name}: 0\\.6 of 0\\.6 MB, .*/s$`));
  });

  it('goes on behind what is there', async () => {
    mkdirSync(join(store, tool.folder), {recursive: true});
    writeFileSync(`${place()}.part`, content.subarray(0, 400_000));
    expect(await apply(tool, source())).toBeUndefined();
    expect(told[0]).toBe(`${name}: going on behind 0.4 MB`);
    expect(readFileSync(place()).equals(content)).toBe(true);
  });

  it('begins again when what is there belongs to another file', async () => {
    mkdirSync(join(store, tool.folder), {recursive: true});
    writeFileSync(`${place()}.part`, bytesOf(400_000, 9));
    expect(await apply(tool, source())).toBeUndefined();
    expect(readFileSync(place()).equals(content)).toBe(true);
  });

  it('with a wrong checksum is deleted on the host', async () => {
    writeFileSync(join(carried, 'tools.example', name), bytesOf(content.length, 5));
    const failure = (await apply(tool, source())) as Failure;
    expect(words(failure)).toContain('has a wrong checksum, and was deleted on the host');
    expect(existsSync(place()) || existsSync(`${place()}.part`)).toBe(false);
  });

  it.each([
    ['is not listed', () => list({address: 'https://tools.example/other'}), /was not carried in/],
    ['is cut short', () => writeFileSync(join(carried, 'tools.example', name), 'x'), /is cut short/],
    ['is missing', () => rmSync(join(carried, 'tools.example', name)), /was not carried in/],
    ['lies outside of the folder', () => list({file: '../../etc/passwd'}), /outside of/],
    ['has no list', () => rmSync(join(carried, 'artifacts.json')), /groundwork artifacts pull --to/],
  ])('that %s is refused before anything is sent', async (_, spoil, message) => {
    spoil();
    expect(words((await apply(tool, source())) as Failure)).toMatch(message);
    expect(existsSync(`${place()}.part`)).toBe(false);
  });
});
