import {closeSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, writeSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';

/** A folder that only its owner may enter, with those above it that are missing. */
export const ownFolder = (path: string): void => {
  mkdirSync(path, {recursive: true, mode: 0o700});
};

const temporaryPrefix = (path: string): string => `.${basename(path)}.new-`;

/**
 * Replaces a file so that a cut at any moment leaves the old content or the new, and so that the new one is on the
 * disk when this returns. Only its owner can read it. Throws what the file system throws.
 */
export const writeDurably = (path: string, content: string, unique: string): void => {
  const temporary = join(dirname(path), `${temporaryPrefix(path)}${unique}`);
  // Never one that is there already: somebody else's file, or a link to one.
  const file = openSync(temporary, 'wx', 0o600);
  try {
    const bytes = Buffer.from(content);
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
    fsyncSync(file);
  } catch (cause) {
    rmSync(temporary, {force: true});
    throw cause;
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  // The new name is on the disk only after its folder is.
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
};

/** Removes what writers left behind that were killed on the way. Call it only where no other writer can be at work. */
export const removeUnfinished = (path: string): void => {
  for (const name of readdirSync(dirname(path))) {
    if (name.startsWith(temporaryPrefix(path))) rmSync(join(dirname(path), name), {force: true});
  }
};
