import {closeSync, fsyncSync, mkdirSync, openSync, readFileSync, writeSync} from 'node:fs';
import {join} from 'node:path';
import type {RunEvent} from './events.ts';

/** The append-only record of a run: `journal.jsonl` in its folder, one event a line, on the disk before it counts. */
export type Journal = {
  /** Throws what the file system throws: a run that cannot be written down must not go on. */
  readonly append: (event: RunEvent) => void;
  readonly close: () => void;
};

const fileIn = (folder: string): string => join(folder, 'journal.jsonl');

export const openJournal = (folder: string): Journal => {
  mkdirSync(folder, {recursive: true, mode: 0o700});
  const file = openSync(fileIn(folder), 'a', 0o600);
  // The file's own name is on the disk only after its folder is.
  const entry = openSync(folder, 'r');
  fsyncSync(entry);
  closeSync(entry);
  // A process that was killed may have left half a line; what comes next must not be glued to it.
  const before = readFileSync(fileIn(folder));
  if (before.length > 0 && before.at(-1) !== 0x0a) writeSync(file, '\n');
  return {
    append: event => {
      const line = Buffer.from(`${JSON.stringify(event)}\n`);
      for (let done = 0; done < line.length; ) done += writeSync(file, line, done);
      fsyncSync(file);
    },
    close: () => closeSync(file),
  };
};

/** The events of a run's folder. Lines that a crash cut short are left out; a missing journal is empty. */
export const readJournal = (folder: string): {readonly events: readonly RunEvent[]} => {
  let text: string;
  try {
    text = readFileSync(fileIn(folder), 'utf8');
  } catch {
    return {events: []};
  }
  return {events: text.split('\n').flatMap(line => eventIn(line) ?? [])};
};

const eventIn = (line: string): RunEvent | undefined => {
  try {
    const value: unknown = JSON.parse(line);
    return isEvent(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

/** Only our own program writes these lines, so that one that is whole is taken at its word. */
const isEvent = (value: unknown): value is RunEvent =>
  typeof value === 'object' &&
  value !== null &&
  'type' in value &&
  typeof value.type === 'string' &&
  'at' in value &&
  typeof value.at === 'string';
