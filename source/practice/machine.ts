import {type ChildProcessWithoutNullStreams, spawn} from 'node:child_process';
import {chmodSync, copyFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import type {Failure} from '../engine/failure.ts';
import {err, ok, type Result} from '../result.ts';
import {firstUid, type Isolation, programPath} from './isolation.ts';

/** A practice host that runs: a set of namespaces with a first process that waits. */
export type Machine = {
  /** Starts a program in the host, as its root, in a process group of its own. Signals go to that group. */
  readonly start: (
    argv: readonly string[],
    environment: Readonly<Record<string, string>>,
  ) => ChildProcessWithoutNullStreams;
  /** Ends everything that runs in it, as a power loss would. */
  readonly stop: () => Promise<void>;
};

export type MachineOptions = {
  readonly name: string;
  /** Holds `root`, `stand-ins` and `boot`, see root-files.ts. */
  readonly folder: string;
  /** The folder of the stand-in tools, fixtures/practice of the project. */
  readonly fixtures: string;
  readonly isolation: Isolation;
};

/** A host starts in less than a second on an ordinary machine; one under heavy load may take many of them. */
const startLimitMs = 90_000;

const failed = (name: string, cause: string, tail: string): Failure => ({
  kind: 'unreachable',
  host: name,
  message: `The practice host ${name} did not start.`,
  attempted: 'starting a practice host',
  cause,
  remedy: 'Start practice once more with fresh hosts (`--fresh`).',
  tail: tail.trim().split('\n').slice(-8),
});

/** This program's own runtime, or a copy of it where its mode keeps it from others: a host's root is nobody out here. */
const runtime = (folder: string, {root}: Isolation): string => {
  const own = process.execPath;
  const everybody = 0o005;
  if (!root || (statSync(own).mode & everybody) === everybody) return own;
  const copy = join(folder, 'runtime');
  copyFileSync(own, copy);
  chmodSync(copy, 0o755);
  return copy;
};

const namespaces = ['--user', '--mount', '--uts', '--ipc', '--net', '--pid'];

export const startMachine = async (options: MachineOptions): Promise<Result<Machine, Failure>> => {
  const {name, folder, fixtures, isolation} = options;
  const {root, capabilities} = isolation;
  const bash = programPath('bash') ?? 'bash';
  const child = spawn(
    bash,
    [join(fixtures, 'machine/start.sh'), folder, name, String(firstUid), capabilities, runtime(folder, isolation)],
    // A session of its own: no terminal of the operator's, and Ctrl-C is for this program and not for the hosts.
    {detached: true, stdio: 'pipe', env: {PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'}},
  );
  const closed = new Promise<void>(resolve => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  child.stdin.on('error', () => {});
  let said = '';
  const ready = new Promise<number | undefined>(resolve => {
    const limit = setTimeout(() => resolve(undefined), startLimitMs);
    const look = (chunk: Buffer) => {
      said = `${said}${chunk.toString()}`.slice(-20_000);
      const pid = /^pid (\d+)$/m.exec(said)?.[1];
      if (pid !== undefined && /^ready$/m.test(said)) resolve(Number(pid));
    };
    child.stdout.on('data', look);
    child.stderr.on('data', look);
    void closed.then(() => resolve(undefined));
    void closed.finally(() => clearTimeout(limit));
  });
  const stop = async () => {
    child.stdin.end();
    await closed;
  };
  const pid = await ready;
  if (pid === undefined) {
    const damaged = /^damaged (.*)$/m.exec(said)?.[1];
    child.stdin.end();
    if (child.pid !== undefined) kill(child.pid);
    return err(
      failed(name, damaged ? `Its folder ${damaged} is not as it should be.` : 'Its private root broke.', said),
    );
  }
  const nsenter = programPath('nsenter') ?? 'nsenter';
  // As an ordinary user the one user of the host is who we are already, and there is nothing to change to.
  const enter = [...namespaces, `--target=${pid}`, ...(root ? [] : ['--preserve-credentials'])];
  return ok({
    start: (argv, environment) =>
      spawn(nsenter, [...enter, '--', 'setpriv', '--no-new-privs', '--bounding-set', capabilities, ...argv], {
        cwd: '/',
        detached: true,
        stdio: 'pipe',
        env: {...environment},
      }),
    stop,
  });
};

const kill = (group: number): void => {
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
};
