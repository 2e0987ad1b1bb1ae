import {createHash} from 'node:crypto';
import {existsSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {execa} from 'execa';
import type {Failure} from '../../source/engine/failure.ts';
import type {Connection, Output, RunOptions} from '../../source/hosts/connection.ts';
import {err, ok, type Result} from '../../source/result.ts';
import {projectRoot} from './terminal.ts';

/** A running lab host: a real Debian 12 with systemd and sshd at an address of its own. */
export type LabHost = {readonly name: string; readonly address: string; readonly port: number};

export type LabOptions = {
  /** First part of the hosts' names, so that test files do not meet: `resources` gives `resources1`, `resources2`. */
  readonly prefix?: string;
  /** More options of `lab up`: `--no-apt`, `--light`. */
  readonly flags?: readonly string[];
};

const labProgram = resolve(projectRoot, '../shared/lab/lab');
const place = createHash('sha256').update(projectRoot).digest();

/**
 * Where this checkout's hosts live. From its path, so that two checkouts on one machine never share hosts;
 * LAB_DIR and LAB_SUBNET say otherwise.
 */
export const labDirectory = process.env.LAB_DIR ?? `/var/tmp/groundwork-lab-${place.toString('hex', 0, 4)}`;
const labSubnet = process.env.LAB_SUBNET ?? `10.${100 + (place.readUInt16BE(4) % 100)}.${place.readUInt8(6)}.0/24`;

/** The lab's key for the users `ubuntu` (sudo without a password) and `admin` (sudo asks; password `lab`). */
export const labKey = join(labDirectory, 'key');
/** The lab hosts' keys, as `known_hosts` lines. */
export const labKnownHosts = join(labDirectory, 'known_hosts');

/** Runs the lab's own program. Throws with what it printed, because a test without its lab must not pass. */
export const lab = async (args: readonly string[], input?: string): Promise<string> => {
  if (!existsSync(labProgram))
    throw new Error(`these tests need the lab beside the checkout, and ${labProgram} is not there`);
  if (process.getuid?.() !== 0) throw new Error('these tests need root: the lab starts hosts as namespaces');
  const {stdout} = await execa(labProgram, ['--dir', labDirectory, '--subnet', labSubnet, ...args], {
    ...(input === undefined ? {stdin: 'ignore' as const} : {input}),
  });
  return stdout;
};

type KnownHost = {readonly name: string; readonly ip: string; readonly ssh_port: number};

const knownHosts = async (): Promise<readonly KnownHost[]> => JSON.parse(await lab(['list', '--json']));

/** Seconds between attempts to start hosts: the kernel may take that long to let go of the network of a deleted one. */
const pauses = [2, 5, 10, 20, 40];

/**
 * A host that takes the place of one whose network is still going does not start, so it is deleted and begun again: where
 * there is no other, on a new network, which has nothing of the old one.
 */
const started = async (up: readonly string[], names: readonly string[]): Promise<void> => {
  for (const seconds of pauses) {
    try {
      await lab(up);
      return;
    } catch {
      await lab(['down', ...names]).catch(() => undefined);
      if ((await knownHosts()).length === 0) await lab(['down']);
      await sleep(seconds * 1000);
    }
  }
  await lab(up);
};

/** Makes sure that `count` hosts run and answer SSH, and gives them in the order of their names. */
export const labUp = async (count: number, {prefix = 'h', flags = []}: LabOptions = {}): Promise<LabHost[]> => {
  const names = Array.from({length: count}, (_, index) => `${prefix}${index + 1}`);
  await started(['up', String(count), '--prefix', prefix, ...flags], names);
  const known = await knownHosts();
  return names.map(name => {
    const found = known.find(host => host.name === name);
    if (!found) throw new Error(`the lab did not start ${name}`);
    return {name: found.name, address: found.ip, port: found.ssh_port};
  });
};

export type LabOutput = {readonly code: number; readonly stdout: string; readonly stderr: string};

/** Runs a shell script as root inside a host without SSH, so that it works when SSH does not. Never throws for its status. */
export const labExec = async (host: string | LabHost, script: string): Promise<LabOutput> => {
  const name = typeof host === 'string' ? host : host.name;
  const {exitCode, stdout, stderr} = await execa(
    labProgram,
    ['--dir', labDirectory, '--subnet', labSubnet, 'exec', name, 'bash', '-s'],
    {input: script, reject: false},
  );
  return {code: exitCode ?? -1, stdout, stderr};
};

/** Deletes the named hosts; without names all of this lab's, and its network. */
export const labDown = async (hosts: readonly (string | LabHost)[] = []): Promise<void> => {
  await lab(['down', ...hosts.map(host => (typeof host === 'string' ? host : host.name))]);
};

const failure = (host: string, kind: Failure['kind'], message: string): Failure => ({kind, host, message});

/** How ssh's own end shows: its status for "the connection could not be made, or was lost". */
const sshFailed = 255;

/**
 * A connection that starts OpenSSH for every script, so that each one is a new connection from outside: what a
 * test of a firewall needs, and a judge that shares no code with the product.
 */
export const cliConnection = ({name, address, port}: LabHost, user = 'ubuntu'): Connection => ({
  host: name,
  address,
  user,
  run: async (script, options: RunOptions = {}): Promise<Result<Output, Failure>> => {
    const {root = true, timeoutMs = 120_000, signal, onOutput, maxOutput = 4 * 2 ** 20} = options;
    const child = execa(
      'ssh',
      [
        ...[
          '-i',
          labKey,
          '-p',
          String(port),
          '-o',
          'IdentitiesOnly=yes',
          '-o',
          'BatchMode=yes',
          '-o',
          'LogLevel=ERROR',
        ],
        ...['-o', `UserKnownHostsFile=${labKnownHosts}`, '-o', 'ConnectTimeout=5'],
        ...['-o', 'ServerAliveInterval=2', '-o', 'ServerAliveCountMax=2'],
        `${user}@${address}`,
        root ? 'sudo -n bash -s' : 'bash -s',
      ],
      {
        input: script.text,
        reject: false,
        timeout: timeoutMs,
        maxBuffer: maxOutput,
        stripFinalNewline: false,
        ...(signal && {cancelSignal: signal}),
      },
    );
    child.stdout.on('data', chunk => onOutput?.('stdout', String(chunk)));
    child.stderr.on('data', chunk => onOutput?.('stderr', String(chunk)));
    const {exitCode, stdout, stderr, timedOut, isCanceled, isMaxBuffer} = await child;
    if (isCanceled) return err(failure(name, 'cancelled', `The command on ${name} was cancelled.`));
    if (timedOut) return err(failure(name, 'timeout', `The command on ${name} did not end in ${timeoutMs / 1000} s.`));
    if (exitCode === sshFailed || exitCode === undefined)
      return err(failure(name, 'connection-lost', `No connection to ${name}: ${stderr.trim()}`));
    return ok({code: exitCode, stdout, stderr, truncated: isMaxBuffer});
  },
  close: async () => {},
});
