import {closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync} from 'node:fs';
import {join} from 'node:path';
import type {RunEvent} from './events.ts';

type LogEvent = Extract<RunEvent, {type: 'log'}>;

export type Logs = {
  /** Throws what the file system throws. */
  readonly write: (event: LogEvent) => void;
  readonly close: () => void;
};

/** Bytes of a host's log after which it is moved to `.1`, in place of an older one. */
const defaultRotateAt = 10 * 1024 * 1024;

/** One log a host in a folder, mode 0600, time and step before each line. */
export const openLogs = (folder: string, rotateAt = defaultRotateAt): Logs => {
  mkdirSync(folder, {recursive: true, mode: 0o700});
  const open = new Map<string, {readonly file: number; bytes: number}>();
  const logOf = (host: string) => {
    const known = open.get(host);
    if (known) return known;
    const file = openSync(join(folder, `${host}.log`), 'a', 0o600);
    const log = {file, bytes: fstatSync(file).size};
    open.set(host, log);
    return log;
  };
  return {
    write: ({at, step, host, line}) => {
      const full = logOf(host);
      if (full.bytes > rotateAt) {
        closeSync(full.file);
        open.delete(host);
        renameSync(join(folder, `${host}.log`), join(folder, `${host}.log.1`));
      }
      const log = logOf(host);
      log.bytes += writeSync(log.file, `${at} ${step}: ${line}\n`);
    },
    close: () => {
      for (const {file} of open.values()) closeSync(file);
      open.clear();
    },
  };
};
