import {createHash} from 'node:crypto';
import type {Connection, Output} from '../hosts/connection.ts';
import {err, ok, type Result} from '../result.ts';
import type {Script} from '../shell/script.ts';
import {cancelScript, followScript, forgetScript, type Job, startScript} from './detached-scripts.ts';
import type {Failure} from './failure.ts';
import type {Clock} from './ports.ts';

export type DetachedInput = {
  readonly script: Script;
  /** What it is for, the same in every run: the step and the resource. */
  readonly purpose: string;
  readonly host: string;
  /** The open connection to the host, or another one if there is none. */
  readonly connect: () => Promise<Result<Connection, Failure>>;
  /** The connection is of no use any more. */
  readonly lost: () => Promise<void>;
  readonly clock: Clock;
  /** A new random word of letters and digits. */
  readonly random: () => string;
  /** Milliseconds until a job that has not ended is ended and reported as `timeout`. Default 45 minutes. */
  readonly timeoutMs?: number;
  /** Ends the job on the host, then settles with `cancelled`. */
  readonly signal?: AbortSignal;
  /** Whole lines of the job's log, both of its streams, and what is said about the connection. */
  readonly onOutput?: (chunk: string) => void;
};

/** The packages of a whole step over a slow line; a job that takes longer hangs. */
const defaultTimeoutMs = 45 * 60_000;

/**
 * Seconds before each try to get a lost connection back; together long enough for a laptop that was carried to another
 * network. The job goes on meanwhile, and is found again even later.
 */
const reconnectDelays: readonly number[] = [1, 2, 5, 10, 20, 30, 30, 30, 30, 30];

/** Characters of the log that are kept for the answer. */
const keptLog = 1024 * 1024;

/** The folder and unit of a job: the same script for the same purpose is the same job, in this process or a later one. */
export const jobOf = (purpose: string, script: Script): Job => {
  const slug = purpose
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 60)
    .replace(/^-+|-+$/g, '');
  return {id: `${slug}-${createHash('sha256').update(script.text).digest('hex').slice(0, 12)}`, purpose: slug};
};

type Ended = {readonly log: string; readonly truncated: boolean; readonly code: number};

/**
 * Runs a script on a host so that it does not depend on this connection or this process: as a transient unit, or as a
 * process of its own where there is no systemd. Its output is followed; after a cut it is found again, also by a later
 * process that asks for the same script. Answers like `Connection.run`, with both streams in `stdout`.
 */
export const runDetached = async (input: DetachedInput): Promise<Result<Output, Failure>> => {
  const {script, purpose, host, clock, signal} = input;
  const job = jobOf(purpose, script);
  const token = input.random();
  const deadline = clock.now().getTime() + (input.timeoutMs ?? defaultTimeoutMs);
  const onHost = untilAnswered(input);

  for (;;) {
    const started = await onHost(connection =>
      connection.run(startScript(job, script, token), {...(signal && {signal})}),
    );
    if (!started.ok) {
      // It may have begun before the answer was lost.
      if (started.error.kind === 'cancelled') await quietly(input, cancelScript(job.id));
      return started;
    }
    const [state, ...words] = started.value.stdout.trimEnd().split('\n').at(-1)?.split(' ') ?? [];
    if (started.value.code !== 0 || (state !== 'running' && state !== 'other')) {
      return err(couldNotStart(host, started.value));
    }
    const id = state === 'other' ? (words[0] as string) : job.id;
    const followed = await follow(input, onHost, id, words.at(-1) as string, deadline);
    if (!followed.ok) return followed;
    // Its result is here now, so that no harm is done if this does not arrive: the next start clears up.
    await quietly(input, forgetScript(id));
    if (state === 'running') {
      const {log, truncated, code} = followed.value;
      return ok({code, stdout: log, stderr: '', truncated});
    }
  }
};

type OnHost = <T>(work: (connection: Connection) => Promise<Result<T, Failure>>) => Promise<Result<T, Failure>>;

/** Does something over a connection, and again over another one when it is lost meanwhile. */
const untilAnswered =
  ({connect, lost, clock, signal, onOutput}: DetachedInput): OnHost =>
  async work => {
    for (let tries = 0; ; tries += 1) {
      const connection = await connect();
      const done = connection.ok ? await work(connection.value) : connection;
      if (done.ok || (done.error.kind !== 'connection-lost' && done.error.kind !== 'unreachable')) return done;
      if (connection.ok) await lost();
      const delay = reconnectDelays[tries];
      if (delay === undefined || signal?.aborted) return done;
      onOutput?.(`${done.error.message} The job goes on there; trying to reach it again in ${delay} s.\n`);
      await clock.sleep(delay * 1000, signal);
    }
  };

/** Clearing up: if it cannot be done now, the next start of a job for the same purpose does it. */
const quietly = async ({connect}: DetachedInput, script: Script): Promise<void> => {
  const connection = await connect();
  if (connection.ok) await connection.value.run(script, {timeoutMs: 30_000});
};

const follow = async (
  input: DetachedInput,
  onHost: OnHost,
  id: string,
  boot: string,
  deadline: number,
): Promise<Result<Ended, Failure>> => {
  const {host, clock, signal, onOutput} = input;
  const marker = input.random();
  let log = '';
  let count = 0;
  let truncated = false;
  let last: string | undefined;

  const take = (text: string): void => {
    count += 1;
    log += `${text}\n`;
    if (log.length > 2 * keptLog) {
      log = log.slice(-keptLog);
      truncated = true;
    }
    onOutput?.(`${text}\n`);
  };

  const followed = await onHost(async connection => {
    const reader = lineReader(marker, take);
    const ran = await connection.run(followScript(id, boot, count, marker), {
      timeoutMs: Math.max(1, deadline - clock.now().getTime()),
      maxOutput: 64 * 1024,
      onOutput: (stream, chunk) => {
        if (stream === 'stdout') reader.write(chunk);
      },
      ...(signal && {signal}),
    });
    last = reader.verdict();
    return ran;
  });

  if (last === undefined) {
    const failure = followed.ok ? couldNotStart(host, followed.value) : followed.error;
    if (failure.kind === 'timeout' || failure.kind === 'cancelled') await quietly(input, cancelScript(id));
    return err(failure);
  }
  const [verdict, code] = last.split(' ');
  if (verdict === 'ended') return ok({log, truncated, code: Number(code)});
  return err(verdict === 'restarted' ? restarted(host) : vanished(host, log));
};

/**
 * Whole lines out of chunks. The marker's line begins with a newline of its own, for logs that end without one; so an
 * empty line is given on only when it turns out not to be that.
 */
const lineReader = (marker: string, onLine: (text: string) => void) => {
  let rest = '';
  let empty = false;
  let verdict: string | undefined;
  const take = (line: string): void => {
    if (line.startsWith(`${marker} `)) {
      verdict = line.slice(marker.length + 1);
      return;
    }
    if (empty) onLine('');
    empty = line === '';
    if (!empty) onLine(line);
  };
  return {
    write: (chunk: string): void => {
      const pieces = (rest + chunk).split('\n');
      rest = pieces.pop() ?? '';
      pieces.forEach(take);
    },
    verdict: () => verdict,
  };
};

const lastLines = (text: string): string[] => text.trimEnd().split('\n').slice(-12);

const couldNotStart = (host: string, {code, stdout, stderr}: Output): Failure => ({
  kind: 'command',
  host,
  message: `${host} could not start a job in the background.`,
  exit: code,
  tail: lastLines(`${stdout}\n${stderr}`),
});

const vanished = (host: string, log: string): Failure => ({
  kind: 'command',
  host,
  message: `A job on ${host} ended without a result.`,
  cause: 'Its process was ended from outside: by hand, or because the host ran out of memory.',
  remedy: 'Look at `journalctl -b -n 100` and `dmesg` on the host if it happens again.',
  tail: lastLines(log),
  transient: true,
});

const restarted = (host: string): Failure => ({
  kind: 'connection-lost',
  host,
  message: `${host} restarted in the middle of a job.`,
  transient: true,
});
