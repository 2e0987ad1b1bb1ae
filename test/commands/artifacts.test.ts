import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import type {Artifact} from '../../source/artifacts/artifact.ts';
import {readCarried} from '../../source/artifacts/carried.ts';
import {artifactsOf} from '../../source/artifacts/for-step.ts';
import {placeOf} from '../../source/artifacts/source.ts';
import {artifacts} from '../../source/commands/artifacts.ts';
import {parseInvocation} from '../../source/commands/command.ts';
import {exit} from '../../source/commands/exit.ts';
import {artifactOptions, deploymentOptions, load} from '../../source/commands/inputs.ts';
import type {Deployment} from '../../source/deployment/schema.ts';
import {toYaml} from '../../source/deployment/yaml.ts';
import {bytesOf, fillMirror, type Mirror, startMirror} from '../support/mirror.ts';
import {wholeDeployment} from '../support/step-context.ts';
import {madeUpWorld} from '../support/world.ts';

let home: string;
let mirror: Mirror;
let all: readonly Artifact[];
const to = () => join(home, 'stick');
const file = () => join(home, 'deployment.yaml');

const deployment = (): Deployment => ({
  ...wholeDeployment(),
  artifacts: {source: 'mirror', address: mirror.address, checksums: 'published'},
});

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'artifacts-'));
  mirror = await startMirror();
  all = artifactsOf(deployment(), 'amd64');
  fillMirror(mirror, all);
  writeFileSync(file(), toYaml(deployment()));
});
afterEach(async () => {
  await mirror.close();
  rmSync(home, {recursive: true, force: true});
});

const run = async (...args: readonly string[]) => {
  const {world, out, err} = madeUpWorld(home);
  const invocation = parseInvocation(artifacts, args);
  if (!invocation.ok) throw new Error(invocation.error);
  const status = await artifacts.run(invocation.value, world);
  return {status, out: out(), err: err()};
};

const archive = () => `/${placeOf(all.find(({id}) => id === 'rke2-archive')?.address ?? '')}`;

describe('groundwork artifacts', () => {
  it('pull fills a folder with all that the deployment’s versions need, and check proves it', async () => {
    const pulled = await run('pull', '--deployment', file(), '--to', to());
    expect([pulled.status, pulled.err]).toEqual([exit.done, '']);
    expect(pulled.out).toMatch(/^kubectl v[\d.]+: fetched, sha256 is right \(0\.1 MB\)$/m);
    expect(pulled.out).toContain(`${to()} is complete: use it with --artifacts, or serve it as a mirror.`);
    const list = readCarried(to());
    expect(list.ok && list.value.files.map(({id}) => id)).toEqual(all.map(({id}) => id));
    const checked = await run('check', to(), '--deployment', file());
    expect([checked.status, checked.err]).toEqual([exit.done, '']);
    expect(checked.out).toMatch(/^rke2-archive .*: right$/m);
  });

  it('pull goes on with the others when one fails, says what to do, and completes the folder later', async () => {
    const content = mirror.files.get(archive()) as Buffer;
    mirror.files.set(archive(), bytesOf(10));
    const first = await run('pull', '--deployment', file(), '--to', to());
    expect(first.status).toBe(exit.failed);
    expect(first.err).toMatch(/rke2-archive .*served a file with a wrong checksum/);
    expect(first.err).toMatch(/Do not go on with the file as it is/);
    expect(first.err).toMatch(new RegExp(`1 of ${all.length} could not be fetched`));
    mirror.files.set(archive(), content);
    const second = await run('pull', '--deployment', file(), '--to', to());
    expect(second.status).toBe(exit.done);
    expect(second.out.match(/is there already/g)).toHaveLength(all.length - 1);
  });

  it('check names what was damaged or forgotten', async () => {
    await run('pull', '--deployment', file(), '--to', to());
    writeFileSync(join(to(), archive()), bytesOf(50_000, 77));
    const list = JSON.parse(readFileSync(join(to(), 'artifacts.json'), 'utf8'));
    list.files = list.files.filter(({id}: {id: string}) => id !== 'helm');
    writeFileSync(join(to(), 'artifacts.json'), JSON.stringify(list));
    const checked = await run('check', to(), '--deployment', file());
    expect(checked.status).toBe(exit.failed);
    expect(checked.err).toMatch(/^rke2-archive \S+ has a wrong checksum: /m);
    expect(checked.err).toMatch(/^helm \S+ was not carried in/m);
    expect(checked.err).toMatch(/2 of \d+ are missing or wrong; run groundwork artifacts pull --to/);
  });

  it('check without a folder asks the servers, and downloads nothing', async () => {
    const fine = await run('check', '--deployment', file());
    expect([fine.status, fine.err]).toEqual([exit.done, '']);
    expect(mirror.asked.filter(({method, path}) => method === 'GET' && path === archive())).toEqual([]);
    mirror.files.delete(archive());
    const missing = await run('check', '--deployment', file());
    expect(missing.status).toBe(exit.failed);
    expect(missing.err).toMatch(/rke2-archive .* is not there \(the server says 404\)/);
  });

  it('list says where everything is and what proves it', async () => {
    const {out} = await run('list', '--output', 'jsonl');
    const rows = out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(rows).toHaveLength(all.length);
    for (const row of rows) expect([row.id, row.sha256 ?? row.checksum]).toEqual([row.id, expect.any(String)]);
    const mirrored = await run('list', '--deployment', file());
    expect(mirrored.out).toContain(`${mirror.address}/dl.k8s.io/release/`);
  });

  it.each([
    [['shove'], /say pull, list or check/],
    [['pull'], /say which folder to fill/],
    [['list', '--versions', 'of-2019'], /there is no set of versions "of-2019"; sets are default, /],
    [['list', '--arch', 'riscv'], /--arch is amd64 or arm64/],
  ])('%j is refused', async (args, message) => {
    const {status, err} = await run(...args);
    expect(status).toBe(exit.usage);
    expect(err).toMatch(message);
  });
});

describe('--artifacts', () => {
  it('takes the place of what the deployment says, and keeps its proxy', async () => {
    const proxy = {address: 'http://proxy.site.example:3128', exclude: []};
    writeFileSync(file(), toYaml({...deployment(), artifacts: {source: 'online', proxy}}));
    const invocation = parseInvocation(
      {name: 'install', words: [], options: {...deploymentOptions, ...artifactOptions}},
      ['--deployment', file(), '--artifacts', to()],
    );
    if (!invocation.ok) throw new Error(invocation.error);
    const loaded = await load(invocation.value, madeUpWorld(home).world);
    expect(loaded.ok && loaded.value.deployment.artifacts).toEqual({source: 'directory', path: to(), proxy});
  });
});
