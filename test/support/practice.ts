import {type ChildProcessByStdio, spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, writeFileSync} from 'node:fs';
import {chmod, copyFile, cp, mkdir, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import type {Readable, Writable} from 'node:stream';
import {build} from 'esbuild';
import type {Failure} from '../../source/engine/failure.ts';
import {connect} from '../../source/hosts/connect.ts';
import type {Connection, Output} from '../../source/hosts/connection.ts';
import type {Facts} from '../../source/hosts/facts.ts';
import {factsScript, parseFacts} from '../../source/hosts/gather-facts.ts';
import type {PracticeHostSpec} from '../../source/practice/hardware.ts';
import {
  type PracticeHost,
  type PracticeHosts,
  type PracticeOptions,
  startPracticeHosts,
} from '../../source/practice/practice-hosts.ts';
import {err, ok, type Result} from '../../source/result.ts';
import type {Script} from '../../source/shell/script.ts';
import {projectRoot} from './terminal.ts';

export const fixtures = join(projectRoot, 'fixtures/practice');

export const sandboxMachine: PracticeHostSpec = {
  name: 'sandbox-1',
  cpus: 16,
  memoryGb: 64,
  diskGb: 128,
  os: 'ubuntu-24.04',
};

export type TestPractice = Partial<Omit<PracticeOptions, 'directory'>> & {readonly directory: string};

const settled = (options: TestPractice): PracticeOptions => ({hosts: [sandboxMachine], fixtures, pace: 0, ...options});

/** A folder for practice hosts that everybody may pass through, so that any user can have hosts in it. */
export const practiceFolder = async (): Promise<string> => {
  const folder = mkdtempSync(join(tmpdir(), 'groundwork-practice-'));
  await chmod(folder, 0o755);
  return folder;
};

export const startedPractice = async (options: TestPractice): Promise<PracticeHosts> => {
  const started = await startPracticeHosts(settled(options));
  if (!started.ok) throw new Error(`${started.error.message} ${started.error.cause} ${started.error.tail?.join('\n')}`);
  return started.value;
};

const nobody = '65534';

/** Starts practice hosts in a program of the ordinary user `nobody`, who may read nothing of this checkout. */
export const startPracticeAsNobody = async (options: TestPractice): Promise<Result<PracticeHosts, Failure>> => {
  const place = await practiceFolder();
  await cp(fixtures, join(place, 'fixtures'), {recursive: true, verbatimSymlinks: true});
  await build({
    stdin: {
      contents: `import {startPracticeHosts} from './source/practice/practice-hosts.ts';
startPracticeHosts(JSON.parse(process.argv[2])).then(started => {
  console.log(JSON.stringify(started));
  process.stdin.once('end', () => started.ok && started.value.close()).resume();
});`,
      resolveDir: projectRoot,
      loader: 'ts',
    },
    outfile: join(place, 'practice.cjs'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    external: ['cpu-features', './crypto/build/Release/sshcrypto.node'],
    loader: {'.node': 'empty'},
  });
  const node = join(place, 'node');
  await copyFile(process.execPath, node);
  await mkdir(options.directory, {recursive: true});
  await chmod(options.directory, 0o777);
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn(
    'setpriv',
    [
      ...['--reuid', nobody, '--regid', nobody, '--clear-groups', '--', node, join(place, 'practice.cjs')],
      JSON.stringify(settled({...options, fixtures: join(place, 'fixtures')})),
    ],
    {cwd: place, stdio: ['pipe', 'pipe', 'inherit'], env: {PATH: process.env.PATH}},
  );
  const ended = once(child, 'close');
  const end = async () => {
    child.stdin.end();
    await ended;
    await rm(place, {recursive: true});
  };
  let printed = '';
  for await (const chunk of child.stdout) {
    printed += chunk;
    if (printed.includes('\n')) break;
  }
  const started = JSON.parse(printed) as Result<PracticeHosts, Failure>;
  if (started.ok) return ok({hosts: started.value.hosts, close: end});
  await end();
  return err(started.error);
};

/** The ordinary way in: the product's own connect, with a known_hosts file that holds the host's key. */
export const connectTo = async (host: PracticeHost): Promise<Connection> => {
  const knownHostsFile = join(mkdtempSync(join(dirname(host.identityFile), 'known-')), 'known_hosts');
  writeFileSync(knownHostsFile, `[${host.address}]:${host.port} ${host.hostKey.type} ${host.hostKey.key}\n`);
  const connected = await connect({...host, reach: 'ssh'}, {knownHostsFile, openSsh: false});
  if (!connected.ok) throw new Error(`${connected.error.message} ${connected.error.cause ?? ''}`);
  return connected.value;
};

/** What a script printed; throws when it could not be run. */
export const run = async (connection: Connection, script: Script): Promise<Output> => {
  const ran = await connection.run(script, {timeoutMs: 60_000});
  if (!ran.ok) throw new Error(ran.error.message);
  return ran.value;
};

export const factsOf = async (connection: Connection): Promise<Facts> => {
  const {stdout} = await run(connection, factsScript);
  const facts = parseFacts(stdout);
  if (!facts.ok) throw new Error(facts.error);
  return facts.value;
};
