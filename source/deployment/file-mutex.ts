import {basename, dirname, join} from 'node:path';
import lockfile from 'proper-lockfile';

/**
 * Milliseconds after which the mutex of a program that died in the few it holds one is taken over. Whoever holds it
 * does nothing but read and replace one file.
 */
const stale = 5_000;

const options = (path: string) => ({
  stale,
  realpath: false,
  lockfilePath: join(dirname(path), `.${basename(path)}.mutex`),
});

/** How long one wait for another program lasts before the next try, in milliseconds. */
const pause = 20;

/** Milliseconds after which waiting makes no sense: the clock was set back, or the other program hangs. */
const patience = 30_000;

const isHeld = (cause: unknown): boolean => (cause as NodeJS.ErrnoException).code === 'ELOCKED';

const giveUp = (path: string): Error =>
  new Error(`another program has held it for too long; if there is none, remove ${options(path).lockfilePath}`);

const sleepHere = (): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pause);
};

/** Does something while no other program changes the file. Blocks; throws what the file system or `body` throws. */
export const withMutexSync = <T>(path: string, body: () => T): T => {
  for (const since = performance.now(); ; ) {
    let release: () => void;
    try {
      release = lockfile.lockSync(path, options(path));
    } catch (cause) {
      if (!isHeld(cause)) throw cause;
      if (performance.now() - since > patience) throw giveUp(path);
      sleepHere();
      continue;
    }
    try {
      return body();
    } finally {
      release();
    }
  }
};

/** The same without blocking. Calls within one program wait for each other, too. */
export const withMutex = async <T>(path: string, body: () => Promise<T> | T): Promise<T> => {
  for (const since = performance.now(); ; ) {
    let release: () => Promise<void>;
    try {
      release = await lockfile.lock(path, {...options(path), onCompromised: () => undefined});
    } catch (cause) {
      if (!isHeld(cause)) throw cause;
      if (performance.now() - since > patience) throw giveUp(path);
      await new Promise(resolve => setTimeout(resolve, pause));
      continue;
    }
    try {
      return await body();
    } finally {
      await release().catch(() => undefined);
    }
  }
};
