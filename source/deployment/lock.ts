import {randomUUID} from 'node:crypto';
import {closeSync, openSync, readFileSync, rmSync, statSync, writeSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {z} from 'zod';
import {err, ok, type Result} from '../result.ts';
import {writeDurably} from './durable-file.ts';
import {withMutex} from './file-mutex.ts';
import {stateOf, thisProcess} from './process-identity.ts';

/** Who works on a deployment, in words for who would like to. */
export type LockOwner = {
  readonly user: string;
  /** The name of the machine it runs on. */
  readonly host: string;
  readonly pid: number;
  /** ISO 8601. */
  readonly since: string;
  /** What it does: `groundwork install`. */
  readonly command: string;
};

export type LockedBy = {
  /** Undefined when the lock file cannot be read. */
  readonly owner: LockOwner | undefined;
  /** Seconds since the owner last showed that it lives. */
  readonly silentFor: number;
  /** A sentence for the operator. */
  readonly message: string;
};

export type Lock = {
  readonly owner: LockOwner;
  /** Aborted when somebody else took the lock over: stop changing anything. */
  readonly lost: AbortSignal;
  /** Looks at the file now; false from the moment it was taken over, before `lost` may have noticed. */
  readonly isHeld: () => boolean;
  readonly release: () => Promise<void>;
};

export type LockOptions = {
  /** Take the lock from whoever holds it. Only for an operator who was told who that is. */
  readonly takeOver?: boolean;
  /** Milliseconds between two signs of life. Default 2000. */
  readonly beatMs?: number;
  /** Milliseconds of silence after which an owner that cannot be looked at is taken for dead. Default 60000. */
  readonly staleMs?: number;
};

const content = z.object({
  /** Different in every lock. */
  token: z.string(),
  owner: z.object({
    user: z.string(),
    host: z.string(),
    pid: z.int(),
    since: z.string(),
    command: z.string(),
  }),
  process: z.object({
    pid: z.int(),
    startedAt: z.string().optional(),
    boot: z.string().optional(),
    pidNamespace: z.string().optional(),
  }),
});

type Content = z.infer<typeof content>;

type Found = {readonly content: Content | undefined; readonly silentMs: number};

const read = (path: string): Content | undefined => {
  try {
    return content.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
};

/**
 * How long ago a file was written, by the clock of the file system it lies on: on a shared folder another machine
 * wrote it, whose clock may be minutes away from ours.
 */
const silence = (path: string): number => {
  const probe = join(dirname(path), `.clock-${randomUUID()}`);
  closeSync(openSync(probe, 'wx', 0o600));
  try {
    return Math.max(0, statSync(probe).mtimeMs - statSync(path).mtimeMs);
  } finally {
    rmSync(probe, {force: true});
  }
};

const look = (path: string): Found | undefined => {
  try {
    return {silentMs: silence(path), content: read(path)};
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cause;
  }
};

const isAlive = ({content: found, silentMs}: Found, staleMs: number): boolean => {
  const {pid, startedAt, boot, pidNamespace} = found?.process ?? {};
  const state = pid === undefined ? 'unknown' : stateOf({pid, startedAt, boot, pidNamespace});
  return state === 'unknown' ? silentMs < staleMs : state === 'alive';
};

const lockedBy = ({content: found, silentMs}: Found): LockedBy => {
  const silentFor = Math.round(silentMs / 1000);
  const quiet = silentFor >= 10 ? `; it has been silent for ${silentFor} seconds` : '';
  const owner = found?.owner;
  return {
    owner,
    silentFor,
    message: owner
      ? `${owner.user} on ${owner.host} works on this deployment: ${owner.command}, process ${owner.pid}, since ${owner.since}${quiet}`
      : `somebody works on this deployment; the lock does not say who${quiet}`,
  };
};

/**
 * Takes the lock of a deployment, so that one program only changes its hosts. An owner that died on this machine is
 * found by its process; one that cannot be looked at, by its silence.
 *
 * proper-lockfile alone would not do: its lock names nobody, outlives a dead owner until it goes stale, and cannot be
 * taken over. It guards the moment in which this one is looked at and replaced.
 */
export const acquireLock = async (
  path: string,
  owner: LockOwner,
  {takeOver = false, beatMs = 2_000, staleMs = 60_000}: LockOptions = {},
): Promise<Result<Lock, LockedBy>> => {
  const mine: Content = {token: randomUUID(), owner, process: thisProcess()};
  const text = `${JSON.stringify(mine, undefined, 2)}\n`;
  return withMutex(path, (): Result<Lock, LockedBy> => {
    const found = look(path);
    if (found && !takeOver && isAlive(found, staleMs)) return err(lockedBy(found));
    writeDurably(path, text, mine.token);
    // Signs of life go to this very file: through its path they could land in that of whoever takes over.
    return ok(hold(path, mine, openSync(path, 'r+'), text, beatMs));
  });
};

const hold = (path: string, mine: Content, file: number, text: string, beatMs: number): Lock => {
  const lost = new AbortController();
  let open = true;
  const isHeld = (): boolean => open && read(path)?.token === mine.token;

  const end = (): void => {
    clearInterval(timer);
    if (open) closeSync(file);
    open = false;
  };

  const beat = (): void => {
    if (!isHeld()) {
      end();
      lost.abort(new Error('another program took over the lock of this deployment'));
      return;
    }
    try {
      // The same bytes over the old ones: nobody finds half of anything, and the file's time moves on.
      writeSync(file, text, 0);
    } catch {
      // A full disk, or a share that is away for a moment: the next beat tries again.
    }
  };

  const timer = setInterval(beat, beatMs);
  timer.unref();
  return {
    owner: mine.owner,
    lost: lost.signal,
    isHeld,
    release: async () => {
      const held = isHeld();
      end();
      if (!held) return;
      // If its folder is gone, so is the lock.
      await withMutex(path, () => {
        if (read(path)?.token === mine.token) rmSync(path, {force: true});
      }).catch(() => undefined);
    },
  };
};
