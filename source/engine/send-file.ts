import {open, stat} from 'node:fs/promises';
import {basename} from 'node:path';
import type {Connection} from '../hosts/connection.ts';
import type {SentFile} from '../resources/resource.ts';
import {err, ok, type Result} from '../result.ts';
import {lines, type Script, sh} from '../shell/script.ts';
import type {Failure} from './failure.ts';
import type {Clock} from './ports.ts';

export type SendSetting = {
  readonly host: string;
  readonly connect: () => Promise<Result<Connection, Failure>>;
  readonly lost: () => Promise<void>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
};

/**
 * Bytes of a piece. The first is small, because nothing is known of the link; then each is as large as what lately went
 * over in `pieceSeconds`: a cut costs no more than that, and a fast link is not held up by waiting for answers.
 */
const pieces = {first: 256 * 1024, least: 64 * 1024, most: 4 * 1024 * 1024} as const;
const pieceSeconds = 5;

/** Seconds between two lines that tell how far it is. */
const tellSeconds = 5;

/** Until a piece must have been taken: even the smallest passes in this at 300 bytes a second. */
const pieceTimeoutMs = 300_000;

/** Seconds before each try to get a lost connection back, if not one piece went over in between. */
const reconnectDelays: readonly number[] = [1, 2, 5, 10, 20, 30, 30, 30];

/** How much of the file is there. */
const offsetScript = (to: string): Script =>
  sh`[ ! -L ${to} ] || { echo ${`${to} is a link`} >&2; exit 1; }
stat -c %s ${to} 2>/dev/null || echo 0`;

/**
 * Puts a piece behind the first `offset` bytes, whatever a cut left there. A script travels as text, so the bytes do as
 * base64; one that came in cut short is never run (see bootstrap.ts).
 */
const pieceScript = (to: string, offset: number, bytes: Buffer): Script =>
  lines(
    sh`set -eu; umask 077; : >>${to}; truncate --size=${offset} ${to}`,
    {kind: 'script', text: `base64 -d <<'END_OF_PIECE' >>${sh`${to}`.text}`},
    {kind: 'script', text: `${bytes.toString('base64')}\nEND_OF_PIECE`},
    sh`stat -c %s ${to}`,
  );

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

/** `2.4 MB/s`, or kB below one of them. */
const rate = (bytesPerSecond: number): string =>
  bytesPerSecond >= 1e6 ? `${megabytes(bytesPerSecond)} MB/s` : `${Math.round(bytesPerSecond / 1000)} kB/s`;

const unreadable = (host: string, from: string, error: unknown): Failure => ({
  kind: 'input',
  host,
  message: `${from} cannot be read on this side: ${error instanceof Error ? error.message : String(error)}`,
  remedy: 'Check that the folder is there (a stick that was taken out?) and that you may read it, then retry.',
});

const refused = (host: string, {stdout, stderr, code}: {stdout: string; stderr: string; code: number}): Failure => {
  const tail = `${stdout}\n${stderr}`
    .split('\n')
    .filter(line => line.trim() !== '')
    .slice(-12);
  return {kind: 'command', host, exit: code, message: tail.at(-1) ?? `${host} did not take a piece of the file`, tail};
};

/**
 * Brings a file of this side to a host over the connection that is there, in pieces, each told as it is taken. What a
 * cut left is gone on from: here when the connection comes back in time, otherwise by the next call.
 */
export const sendFile = async ({from, to}: SentFile, setting: SendSetting): Promise<Result<void, Failure>> => {
  const {host, connect, lost, clock, signal, onLine} = setting;
  const total = await stat(from).then(
    ({size}) => ok(size),
    (error: unknown) => err(unreadable(host, from, error)),
  );
  if (!total.ok) return total;
  const size = total.value;
  let tries = 0;

  /** What the host answers to a script: how much of the file is there. */
  const ask = async (script: Script): Promise<Result<number, Failure>> => {
    for (;;) {
      const connection = await connect();
      const ran = connection.ok ? await connection.value.run(script, {timeoutMs: pieceTimeoutMs, signal}) : connection;
      if (ran.ok) {
        const there = Number(ran.value.stdout.trim().split('\n').at(-1));
        return ran.value.code === 0 && Number.isInteger(there) ? ok(there) : err(refused(host, ran.value));
      }
      if (ran.error.kind !== 'connection-lost' && ran.error.kind !== 'unreachable') return ran;
      if (connection.ok) await lost();
      const delay = reconnectDelays[tries];
      if (delay === undefined || signal.aborted) return ran;
      tries += 1;
      onLine(`${ran.error.message} What went over stays there; trying to reach it again in ${delay} s.`);
      await clock.sleep(delay * 1000, signal);
      // The piece may have been taken although its answer was lost; writing it again is the same.
    }
  };

  const offset = await ask(offsetScript(to));
  if (!offset.ok) return offset;
  // More than there can be is of something else.
  let done = offset.value > size ? 0 : offset.value;
  const name = basename(from);
  if (done > 0 && done < size) onLine(`${name}: going on behind ${megabytes(done)} MB`);
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(from);
  } catch (error) {
    return err(unreadable(host, from, error));
  }
  try {
    let length: number = pieces.first;
    let told = {at: clock.now().getTime(), done};
    while (done < size || (size === 0 && done === 0)) {
      if (signal.aborted) return err({kind: 'cancelled', host, message: 'Stopped before the next piece of the file.'});
      const bytes = Buffer.alloc(Math.min(length, size - done));
      let filled: number;
      try {
        ({bytesRead: filled} = await file.read(bytes, 0, bytes.length, done));
      } catch (error) {
        return err(unreadable(host, from, error));
      }
      if (filled < bytes.length) return err(unreadable(host, from, new Error('it became shorter while it was read')));
      const began = clock.now().getTime();
      const taken = await ask(pieceScript(to, done, bytes));
      if (!taken.ok) return taken;
      if (taken.value !== done + bytes.length)
        return err({
          kind: 'command',
          host,
          message: `${to} has ${taken.value} bytes after a piece of it, and ${done + bytes.length} were sent`,
          transient: true,
        });
      done = taken.value;
      tries = 0;
      const now = clock.now().getTime();
      const perSecond = (bytes.length / Math.max(1, now - began)) * 1000;
      length = Math.round(Math.min(pieces.most, Math.max(pieces.least, perSecond * pieceSeconds)));
      if (now - told.at >= tellSeconds * 1000 || done === size) {
        const pace = ((done - told.done) / Math.max(1, now - told.at)) * 1000;
        onLine(`${name}: ${megabytes(done)} of ${megabytes(size)} MB, ${rate(pace)}`);
        told = {at: now, done};
      }
      if (size === 0) break;
    }
    return ok();
  } finally {
    await file.close();
  }
};
