import {copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {execa} from 'execa';
import {stringify} from 'yaml';
import type {RunEvent} from '../../source/engine/events.ts';
import {type LabHost, labKey, labKnownHosts} from './lab.ts';
import {projectRoot} from './terminal.ts';

/** What an operator has on this side for one lab host: a deployment file, and a home that knows the host's key. */
export type Operator = {
  readonly home: string;
  readonly file: string;
  readonly host: LabHost;
  readonly remove: () => void;
};

export type Ran = {
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, as somebody at a terminal would have read them. */
  readonly output: string;
  readonly events: readonly RunEvent[];
};

export type Starting = {
  readonly input?: string;
  readonly onEvent?: (event: RunEvent) => void;
  readonly onLine?: (line: string) => void;
};

export type Running = {readonly ended: Promise<Ran>; readonly kill: () => void};

/** Bundles the program as it is now. Tests that start it do this first, once. */
export const buildProgram = async (): Promise<void> => {
  await execa('sh', [join(projectRoot, 'bin/setup')]);
};

/** The sandbox on one lab host, its key in the place where an operator's would lie. */
export const sandboxOn = ({address, port}: LabHost, settings: Readonly<Record<string, unknown>> = {}) => ({
  version: 1,
  name: 'lab',
  blueprint: 'openg2p',
  topology: 'sandbox',
  hosts: [
    {
      name: 'sandbox-1',
      address,
      port,
      user: 'ubuntu',
      identityFile: labKey,
      roles: ['base', 'proxy', 'compute', 'storage'],
      privateAddress: address,
      ...settings,
    },
  ],
  domain: 'openg2p.test',
  tls: {mode: 'local-ca'},
  channels: [
    {name: 'administrators', kind: 'private', subnet: '10.15.0.0/16', endpoint: address, peers: [{name: 'laptop'}]},
  ],
  network: {
    privateSubnet: `${address.replace(/\.\d+$/, '.0')}/24`,
    adminSources: [`${address.replace(/\.\d+$/, '.0')}/24`],
  },
  components: {dns: {}, nfs: {}, nginx: {}},
});

/**
 * @param settings of the host
 * @param answers of the deployment that are others than those of the bare sandbox
 */
export const operatorOf = (
  host: LabHost,
  settings: Readonly<Record<string, unknown>> = {},
  answers: Readonly<Record<string, unknown>> = {},
): Operator => {
  const home = mkdtempSync(join(tmpdir(), 'groundwork-operator-'));
  mkdirSync(join(home, '.ssh'), {mode: 0o700});
  copyFileSync(labKnownHosts, join(home, 'known_hosts'));
  const file = join(home, 'sandbox.yaml');
  writeFileSync(file, stringify({...sandboxOn(host, settings), ...answers}));
  return {home, file, host, remove: () => rmSync(home, {recursive: true, force: true})};
};

/** Lab hosts are smaller than the sandbox's machine; an operator who tries things out says so. */
export const small = ['cpus', 'memory', 'disk', 'disk-free'].flatMap(check => ['--accept', check]);

/** Starts the program as an operator does. What it prints as JSON lines is read as events while it runs. */
export const startGroundwork = (
  {home}: Operator,
  args: readonly string[],
  {input, onEvent, onLine}: Starting = {},
): Running => {
  const {SSH_AUTH_SOCK, XDG_CONFIG_HOME, XDG_STATE_HOME, NODE_OPTIONS, VITEST, ...inherited} = process.env;
  const events: RunEvent[] = [];
  const child = execa(join(projectRoot, 'bin/groundwork'), args, {
    ...(input === undefined ? {stdin: 'ignore' as const} : {input}),
    reject: false,
    all: true,
    timeout: 580_000,
    killSignal: 'SIGKILL',
    extendEnv: false,
    env: {...inherited, HOME: home, GROUNDWORK_HOME: home},
  });
  const read = createInterface({input: child.stdout}).on('line', line => {
    onLine?.(line);
    if (!line.startsWith('{')) return;
    const event = JSON.parse(line) as RunEvent;
    events.push(event);
    onEvent?.(event);
  });
  // The last line of a killed program may be half a line.
  read.on('error', () => {});
  const ended = child.then(({exitCode, stdout, stderr, all}) => ({
    code: exitCode,
    stdout,
    stderr,
    output: all ?? '',
    events,
  }));
  return {ended, kill: () => void child.kill('SIGKILL')};
};

export const groundwork = (operator: Operator, args: readonly string[], starting: Starting = {}): Promise<Ran> =>
  startGroundwork(operator, args, starting).ended;

/** Where in a run something happens to it: at the first event of this kind, or so many milliseconds later. */
export type Point = {readonly step?: string; readonly matches: (event: RunEvent) => boolean; readonly later?: number};

/** Starts the program and kills it at the first of these points that it comes to; which one, and what it said. */
export const killedAt = async (operator: Operator, args: readonly string[], among: readonly Point[]) => {
  let met: Point | undefined;
  const running = startGroundwork(operator, args, {
    onEvent: event => {
      if (met) return;
      met = among.find(point => point.matches(event));
      if (met?.later) setTimeout(running.kill, met.later);
      else if (met) running.kill();
    },
  });
  const ran = await running.ended;
  return {met, ran};
};

/** Why it ended as it did, for the message of an assertion. */
export const why = ({code, stdout, stderr}: Ran): string =>
  `exit status ${code}\n${stderr}\n${stdout.split('\n').slice(-12).join('\n')}`;

/** The generated secrets by name; none when nothing was generated yet. */
export const vaultOf = ({home}: Operator): Readonly<Record<string, string>> => {
  try {
    const {secrets} = JSON.parse(readFileSync(join(home, 'state/lab/vault.json'), 'utf8')) as {
      secrets: Record<string, string>;
    };
    return secrets;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
};
