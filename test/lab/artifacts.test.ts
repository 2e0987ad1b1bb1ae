import {randomBytes} from 'node:crypto';
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {type Artifact, artifactPath, artifactStore} from '../../source/artifacts/artifact.ts';
import {availabilityScript, readAvailability} from '../../source/artifacts/availability.ts';
import type {ArtifactSource} from '../../source/deployment/schema.ts';
import {applyPort} from '../../source/engine/apply-port.ts';
import type {Failure} from '../../source/engine/failure.ts';
import {connect} from '../../source/hosts/connect.ts';
import type {Connection} from '../../source/hosts/connection.ts';
import {artifactResource} from '../../source/resources/artifact.ts';
import type {Result} from '../../source/result.ts';
import {assess, plan} from '../support/apply.ts';
import {cliConnection, type LabHost, lab, labDown, labExec, labKey, labKnownHosts, labUp} from '../support/lab.ts';
import {bytesOf, type Mirror, sha256Of, startMirror} from '../support/mirror.ts';

const content = bytesOf(12_000_000);
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

let host: LabHost;
let mirror: Mirror;

const on = async (script: string) => (await labExec(host, script)).stdout.trim();

beforeAll(async () => {
  [host] = (await labUp(1, {prefix: 'artifacts'})) as [LabHost];
  // The machine that the tests run on, as lab hosts see it.
  mirror = await startMirror(host.address.replace(/\d+$/, '1'));
  await lab(['allow', new URL(mirror.address).port]);
  mirror.files.set(onMirror, content);
  mirror.files.set(`${onMirror}.sha256sum`, Buffer.from(`${sha256Of(content)}  ${name}\n`));
});
afterAll(async () => {
  await mirror?.close();
  await labDown(host ? [host] : []);
});
beforeEach(async () => {
  mirror.faults.clear();
  mirror.asked.splice(0);
  await on(`umount ${artifactStore} 2>/dev/null; rm -rf ${artifactStore}`);
});

const fromMirror = (): ArtifactSource => ({source: 'mirror', address: mirror.address, checksums: 'published'});

/** Applies the artifact over the product's own SSH connection, as the engine does; `onLine` may cut that off. */
const bring = async (
  source: ArtifactSource,
  onLine: (line: string, cut: () => void) => void = () => {},
  signal = new AbortController().signal,
): Promise<{failure: Failure | undefined; lines: readonly string[]; connections: number}> => {
  const resource = artifactResource(tool, source);
  const apply = (await assess(cliConnection(host), [resource])).get(resource.id)?.apply;
  const lines: string[] = [];
  let connections = 0;
  let open: Promise<Result<Connection, Failure>> | undefined;
  const login = {name: host.name, address: host.address, port: host.port, user: 'ubuntu', reach: 'ssh' as const};
  const cut = () => {
    void open?.then(async opened => {
      if (opened.ok) await opened.value.close();
    });
  };
  const applied = await apply?.(
    applyPort({
      host: host.name,
      about: resource.id,
      doing: resource.doing,
      connect: () => {
        if (!open) {
          connections += 1;
          open = connect({...login, identityFile: labKey}, {knownHostsFile: labKnownHosts, openSsh: false});
        }
        return open;
      },
      lost: async () => {
        open = undefined;
      },
      clock: {
        now: () => new Date(),
        sleep: milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds)),
      },
      random: () => randomBytes(12).toString('hex'),
      signal,
      onLine: line => {
        lines.push(line);
        onLine(line, cut);
      },
    }),
  );
  const opened = await open;
  if (opened?.ok) await opened.value.close();
  return {failure: applied && !applied.ok ? applied.error : undefined, lines, connections};
};

const arrived = async () => (await on(`sha256sum <${artifactPath(tool)}`)).startsWith(sha256Of(content));
const settled = async (source: ArtifactSource) =>
  (await plan(cliConnection(host), [artifactResource(tool, source)])).length === 0;
const whole = () => mirror.asked.filter(({method, path}) => method === 'GET' && path === onMirror);
const words = (failure: Failure | undefined): string => [failure?.message, ...(failure?.tail ?? [])].join('\n');

/** Calls back once, at the first line of progress. */
const atFirstProgress = (act: (cut: () => void) => void) => {
  let acted = false;
  return (line: string, cut: () => void) => {
    if (acted || !/ of 12\.0 MB/.test(line)) return;
    acted = true;
    act(cut);
  };
};

describe('a download on a real host', () => {
  test('goes on while the connection is away, and is found again', async () => {
    mirror.faults.set(onMirror, {slow: 1_300_000});
    const {failure, lines, connections} = await bring(
      fromMirror(),
      atFirstProgress(cut => cut()),
    );
    expect(failure).toBeUndefined();
    expect(connections).toBe(2);
    expect(lines.join('\n')).toMatch(/The job goes on there; trying to reach it again/);
    expect(lines.at(-1)).toMatch(/12\.0 MB, .*sha256 is right/);
    expect(whole()).toHaveLength(1);
    expect(await arrived()).toBe(true);
    expect(await settled(fromMirror())).toBe(true);
    expect(await on(`stat -c '%a %U' ${artifactPath(tool)}`)).toBe('644 root');
  });

  test('that the operator stopped ends on the host too, and goes on behind what came', async () => {
    mirror.faults.set(onMirror, {slow: 1_300_000});
    const stop = new AbortController();
    const {failure} = await bring(
      fromMirror(),
      atFirstProgress(() => stop.abort()),
      stop.signal,
    );
    expect(failure?.kind).toBe('cancelled');
    expect(await on('pgrep -x curl')).toBe('');
    const came = Number(await on(`stat -c %s ${artifactPath(tool)}.part`));
    expect(came).toBeGreaterThan(1_000_000);
    mirror.faults.clear();
    mirror.asked.splice(0);
    expect((await bring(fromMirror())).failure).toBeUndefined();
    expect(whole().map(({range}) => range)).toEqual([`bytes=${came}-`]);
    expect(await arrived()).toBe(true);
  });

  test('goes on where the server broke off', async () => {
    mirror.faults.set(onMirror, {cutAfter: 5_000_000});
    expect((await bring(fromMirror())).failure).toBeUndefined();
    expect(whole().map(({range}) => range)).toEqual([undefined, 'bytes=5000000-', 'bytes=10000000-']);
    expect(await arrived()).toBe(true);
  });

  test('on a disk that is too small is refused before the first byte, and goes well when there is room', async () => {
    await on(`mkdir -p ${artifactStore}; mount -t tmpfs -o size=20m none ${artifactStore}`);
    const {failure} = await bring(fromMirror());
    expect(words(failure)).toMatch(
      /not enough free space for tool-v1\.0\.0-linux-amd64\.tar\.gz in .*: \d+\.\d MB are free, 79\.1 MB are needed/,
    );
    expect(failure?.remedy).toMatch(/make room/i);
    expect(whole()).toEqual([]);
    await on(`umount ${artifactStore}`);
    expect((await bring(fromMirror())).failure).toBeUndefined();
  });

  test('that fills the disk because the server did not tell how much comes keeps what came', async () => {
    mirror.faults.set(onMirror, {noHead: true});
    await on(`mkdir -p ${artifactStore}; mount -t tmpfs -o size=8m none ${artifactStore}`);
    const {failure} = await bring(fromMirror());
    expect(failure?.cause).toMatch(/too full for the file/);
    await on(`mount -o remount,size=40m ${artifactStore}`);
    mirror.asked.splice(0);
    const again = await bring(fromMirror());
    await on(`umount ${artifactStore}`);
    expect(again.failure).toBeUndefined();
    expect(whole()[0]?.range).toMatch(/^bytes=[78]\d{6}-$/);
  });

  test('is asked for before it begins, by the same curl', async () => {
    const ask = async () => {
      const ran = await cliConnection(host).run(availabilityScript([tool], fromMirror()));
      return ran.ok ? readAvailability([tool], ran.value.stdout).found : [];
    };
    expect(await ask()).toMatchObject([{state: 'available', size: content.length}]);
    mirror.faults.set(onMirror, {status: 404});
    expect(await ask()).toMatchObject([{state: 'missing', reason: expect.stringMatching(/says 404/)}]);
    mirror.faults.clear();
    await bring(fromMirror());
    expect(await ask()).toMatchObject([{state: 'present'}]);
  });

  test('cannot be asked for by a host that has no curl yet, which says so', async () => {
    await on('mv /usr/bin/curl /usr/bin/curl.away');
    const ran = await cliConnection(host).run(availabilityScript([tool], fromMirror()));
    const {failure} = await bring(fromMirror());
    await on('mv /usr/bin/curl.away /usr/bin/curl');
    expect(ran.ok && readAvailability([tool], ran.value.stdout)).toMatchObject({
      asked: false,
      found: [{state: 'missing', reason: 'curl is not installed on this host'}],
    });
    expect(words(failure)).toContain('curl is not installed on this host');
  });
});

describe('a folder that was carried in', () => {
  let carried: string;
  const source = (): ArtifactSource => ({source: 'directory', path: carried});
  beforeAll(() => {
    carried = mkdtempSync(join(tmpdir(), 'carried-'));
    mkdirSync(join(carried, 'tools.example'));
    writeFileSync(join(carried, 'tools.example', name), content);
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
          },
        ],
      }),
    );
  });
  afterAll(() => rmSync(carried, {recursive: true, force: true}));

  test('goes over the SSH connection to a host without any way out', async () => {
    const {failure, connections} = await bring(source());
    expect(failure).toBeUndefined();
    expect(connections).toBe(1);
    expect(await arrived()).toBe(true);
    expect(await settled(source())).toBe(true);
    expect(mirror.asked).toEqual([]);
    expect(await on(`stat -c '%a %U' ${artifactPath(tool)}`)).toBe('644 root');
  });

  test('goes on behind what an earlier run brought', async () => {
    await on(`mkdir -p ${artifactStore}/tool-v1.0.0`);
    const {failure} = await bring(source(), () => {});
    expect(failure).toBeUndefined();
    await on(`f=${artifactPath(tool)}; head -c 7000000 "$f" >"$f.part"; rm "$f" "$f.verified"`);
    const again = await bring(source());
    expect(again.failure).toBeUndefined();
    expect(again.lines[0]).toBe(`${name}: going on behind 7.0 MB`);
    expect(await arrived()).toBe(true);
  });
});
