import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {type Artifact, artifactPath} from '../../source/artifacts/artifact.ts';
import {artifactChecks, availabilityScript, checksFrom, readAvailability} from '../../source/artifacts/availability.ts';
import {newClient} from '../../source/artifacts/client.ts';
import {artifactsOf} from '../../source/artifacts/for-step.ts';
import {isNeeded} from '../../source/artifacts/needed.ts';
import {placeOf} from '../../source/artifacts/source.ts';
import type {ArtifactSource, Deployment} from '../../source/deployment/schema.ts';
import type {Failure} from '../../source/engine/failure.ts';
import type {Connection} from '../../source/hosts/connection.ts';
import type {Facts} from '../../source/hosts/facts.ts';
import {artifactResource} from '../../source/resources/artifact.ts';
import {err, ok, type Result} from '../../source/result.ts';
import {converge} from '../support/apply.ts';
import {sampleFacts} from '../support/facts.ts';
import {localBash} from '../support/local.ts';
import {bytesOf, fillMirror, type Mirror, sha256Of, startMirror} from '../support/mirror.ts';
import {sampleDeployment, wholeDeployment} from '../support/step-context.ts';

const content = bytesOf(200_000);

const tool: Artifact = {
  id: 'tool',
  kind: 'binary',
  version: 'v1',
  folder: 'tool-v1',
  address: 'https://tools.example/tool',
  checksumAddress: 'https://tools.example/tool.sha256',
};
const chart = (name: string, version = '1.0.0'): Artifact => ({
  id: `chart-${name}`,
  kind: 'chart',
  version,
  folder: 'charts',
  address: `https://charts.example/${name}-${version}.tgz`,
  index: {address: 'https://charts.example/index.yaml', chart: name},
});

let mirror: Mirror;
let store: string;

beforeEach(async () => {
  mirror = await startMirror();
  store = mkdtempSync(join(tmpdir(), 'store-'));
  mirror.files.set('/tools.example/tool', content);
  mirror.files.set('/tools.example/tool.sha256', Buffer.from(sha256Of(content)));
  mirror.files.set(
    '/charts.example/index.yaml',
    Buffer.from(
      `apiVersion: v1\nentries:\n${['one', 'two']
        .map(
          name =>
            `  ${name}:\n  - digest: ${sha256Of(content)}\n    urls:\n    - ${name}-1.0.0.tgz\n    version: 1.0.0\n`,
        )
        .join('')}`,
    ),
  );
  for (const name of ['one', 'two']) mirror.files.set(`/charts.example/${name}-1.0.0.tgz`, content);
});

afterEach(async () => {
  await mirror.close();
  rmSync(store, {recursive: true, force: true});
});

const ask = async (artifacts: readonly Artifact[], address = mirror.address) => {
  const source = {source: 'mirror', address, checksums: 'pinned'} as const;
  const ran = await localBash().run(availabilityScript(artifacts, source, store), {timeoutMs: 60_000});
  if (!ran.ok) throw new Error(ran.error.message);
  return readAvailability(artifacts, ran.value.stdout);
};

const states = (found: Awaited<ReturnType<typeof ask>>['found']) =>
  found.map(({artifact, state, size, reason}) => [artifact.id, state, size ?? reason]);

describe('asking whether everything can be had', () => {
  it('finds what the mirror has, with sizes, and downloads none of it', async () => {
    const {found, freeBytes} = await ask([tool, chart('one'), chart('two')]);
    expect(states(found)).toEqual([
      ['tool', 'available', 200_000],
      ['chart-one', 'available', 200_000],
      ['chart-two', 'available', 200_000],
    ]);
    expect(freeBytes).toBeGreaterThan(0);
    expect(mirror.asked.filter(({method, path}) => method === 'GET' && !/index|sha256/.test(path))).toEqual([]);
  });

  it('reads the index of a repository once for all of its charts', async () => {
    await ask([chart('one'), chart('two')]);
    expect(mirror.asked.filter(({path}) => path.endsWith('index.yaml'))).toHaveLength(1);
  });

  it('says what is missing and why', async () => {
    mirror.files.delete('/tools.example/tool');
    mirror.files.delete('/charts.example/two-1.0.0.tgz');
    const {found} = await ask([tool, chart('one', '9.9.9'), chart('two'), chart('three')]);
    expect(states(found)).toEqual([
      ['tool', 'missing', `${mirror.address}/tools.example/tool is not there (the server says 404)`],
      [
        'chart-one',
        'missing',
        `the chart repository ${mirror.address}/charts.example/index.yaml does not list one 9.9.9`,
      ],
      ['chart-two', 'missing', `${mirror.address}/charts.example/two-1.0.0.tgz is not there (the server says 404)`],
      [
        'chart-three',
        'missing',
        `the chart repository ${mirror.address}/charts.example/index.yaml does not list three 1.0.0`,
      ],
    ]);
  });

  it('says that a repository cannot be reached, for each of its charts', async () => {
    mirror.files.delete('/charts.example/index.yaml');
    const {found} = await ask([chart('one'), chart('two')]);
    expect(found.map(({reason}) => reason)).toEqual([
      `${mirror.address}/charts.example/index.yaml is not there (the server says 404)`,
      `${mirror.address}/charts.example/index.yaml is not there (the server says 404)`,
    ]);
  });

  it('does without HEAD', async () => {
    mirror.faults.set('/tools.example/tool', {noHead: true});
    expect(states((await ask([tool])).found)).toEqual([['tool', 'available', undefined]]);
  });

  it('asks nobody for what is there already', async () => {
    const source = {source: 'mirror', address: mirror.address, checksums: 'pinned'} as const;
    await converge(
      localBash(),
      [tool, chart('one')].map(each => artifactResource(each, source, {store})),
    );
    mirror.asked.splice(0);
    expect(states((await ask([tool, chart('one')])).found)).toEqual([
      ['tool', 'present', undefined],
      ['chart-one', 'present', undefined],
    ]);
    expect(mirror.asked).toEqual([]);
  });

  it('does not take for there what was changed since, or is not the one known beforehand', async () => {
    const source = {source: 'mirror', address: mirror.address, checksums: 'pinned'} as const;
    await converge(localBash(), [artifactResource(tool, source, {store})]);
    expect(states((await ask([{...tool, sha256: '0'.repeat(64)}])).found)[0]?.[1]).toBe('available');
    mkdirSync(join(store, tool.folder), {recursive: true});
    writeFileSync(artifactPath(tool, store), 'other');
    expect(states((await ask([tool])).found)[0]?.[1]).toBe('available');
  });
});

describe('the preflight checks of artifacts', () => {
  const available = {artifact: tool, state: 'available', size: 700_000_000} as const;
  const words = (checks: ReturnType<typeof checksFrom>) =>
    checks.map(({id, outcome, found, needed, remedy}) => [id, outcome, found, needed, remedy].join(' | '));

  it('pass with what is to fetch and the room for it', () => {
    expect(words(checksFrom('one', [available, {artifact: tool, state: 'present'}], 5_000_000_000))).toEqual([
      'artifacts | passed | 1 to fetch (700 MB), 1 there already | every program, image archive and chart version, from where the deployment says | ',
      'artifacts-space | passed | 5000 MB free for /var/lib/groundwork/artifacts | 1774 MB: 700 MB and 1 GiB beside | ',
    ]);
  });

  it('fail with the reasons and what to do', () => {
    const reason = 'the chart repository https://charts.example/index.yaml does not list one 9.9.9';
    const [check] = checksFrom('one', [available, {artifact: tool, state: 'missing', reason}], undefined);
    expect(check).toMatchObject({
      outcome: 'failed',
      severity: 'error',
      acceptable: true,
      found: `1 of 2 cannot be had: ${reason}`,
    });
    expect(check?.remedy).toMatch(/choose another set of versions in Components/);
  });

  it('fail when the disk is too small for all together', () => {
    expect(checksFrom('one', [available], 900_000_000)[1]).toMatchObject({id: 'artifacts-space', outcome: 'failed'});
  });
});

describe('artifacts in the preflight of a deployment', () => {
  const deployment = (artifacts: ArtifactSource): Deployment => ({...wholeDeployment(), artifacts});
  const online: ArtifactSource = {source: 'online'};
  const [host] = wholeDeployment().hosts;

  /** A host that says the same of everything it is asked about; how often it was asked. */
  const saying = (word: string) => {
    let asked = 0;
    const connection: Connection = {
      host: 'sandbox-1',
      address: '10.0.0.11',
      user: 'root',
      run: async () => {
        asked += 1;
        const lines = Array.from({length: 40}, (_, place) => `${place} ${word}`);
        return ok({code: 0, stdout: [...lines, 'free 90000000000', ''].join('\n'), stderr: '', truncated: false});
      },
      close: async () => {},
    };
    return {connect: async () => ok(connection), asked: () => asked};
  };

  const checks = (
    artifacts: ArtifactSource,
    connect: () => Promise<Result<Connection, Failure>>,
    {facts = sampleFacts(), given = deployment(artifacts)}: {facts?: Facts; given?: Deployment} = {},
  ) =>
    artifactChecks(given, host ? [{host, facts}] : [], connect, {
      client: newClient(undefined, {}),
      signal: new AbortController().signal,
    });

  it('is one question to the host', async () => {
    const {connect, asked} = saying('OK 1000000');
    expect((await checks(online, connect)).map(({id, outcome}) => [id, outcome])).toEqual([
      ['artifacts', 'passed'],
      ['artifacts-space', 'passed'],
    ]);
    expect(asked()).toBe(1);
  });

  it('concerns neither the ground alone nor practice hosts', async () => {
    const {connect, asked} = saying('NO');
    expect(await checks(online, connect, {given: sampleDeployment()})).toEqual([]);
    expect(await checks(online, connect, {facts: {...sampleFacts(), practice: true}})).toEqual([]);
    expect(asked()).toBe(0);
  });

  it('needs no folder when everything is on the host already: the stick may be gone', async () => {
    const gone: ArtifactSource = {source: 'directory', path: join(store, 'stick')};
    expect(await checks(gone, saying('PRESENT').connect)).toMatchObject([{id: 'artifacts', outcome: 'passed'}]);
    expect(await checks(gone, saying('NO ').connect)).toMatchObject([
      {
        id: 'artifacts',
        outcome: 'failed',
        found: expect.stringMatching(/artifacts\.json is not there: fill the folder/),
      },
    ]);
  });

  it('asks from this side while the host has no curl, and says so', async () => {
    const source: ArtifactSource = {source: 'mirror', address: mirror.address, checksums: 'published'};
    const given = deployment(source);
    const needed = artifactsOf(given, 'amd64').filter(artifact => isNeeded(given, artifact));
    fillMirror(mirror, needed);
    const noCurl = saying('NO\nno-curl').connect;
    expect((await checks(source, noCurl)).map(({id, outcome, severity}) => [id, outcome, severity])).toEqual([
      ['artifacts', 'passed', 'error'],
      ['artifacts-space', 'passed', 'error'],
      ['artifacts-way', 'failed', 'warning'],
    ]);
    mirror.files.delete(`/${placeOf(needed[0]?.address ?? '')}`);
    expect(await checks(source, noCurl)).toMatchObject([
      {id: 'artifacts', outcome: 'failed', found: expect.stringMatching(/1 of \d+ cannot be had: .* says 404/)},
      {id: 'artifacts-space'},
      {id: 'artifacts-way'},
    ]);
    await mirror.close();
    expect(await checks(source, noCurl)).toMatchObject([
      {id: 'artifacts', outcome: 'passed'},
      {id: 'artifacts-way', severity: 'warning', found: expect.stringMatching(/no curl.*cannot be had/)},
    ]);
  });

  it('says that the host could not be asked', async () => {
    const failure: Failure = {kind: 'timeout', message: 'A command on sandbox-1 did not finish within 660 s.'};
    expect(await checks(online, async () => err(failure))).toMatchObject([
      {id: 'artifacts', outcome: 'failed', found: failure.message},
    ]);
  });
});
