import {readFileSync, readlinkSync} from 'node:fs';

/** Tells one process from every other one, also from a later one with the same number. */
export type ProcessIdentity = {
  readonly pid: number;
  /** In clock ticks since the machine started; undefined where the system does not tell. */
  readonly startedAt: string | undefined;
  /** Undefined where the system does not tell. Changes when the machine restarts. */
  readonly boot: string | undefined;
  /** Processes see each other's numbers only within one of these: containers have their own. */
  readonly pidNamespace: string | undefined;
};

const orUndefined = <T>(read: () => T): T | undefined => {
  try {
    return read();
  } catch {
    return undefined;
  }
};

/** Field 22 of /proc/PID/stat (proc(5)); the name in field 2 may hold blanks and brackets. */
const startOf = (pid: number): string | undefined =>
  orUndefined(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie has ended: its parent only has not looked yet.
    return afterName[0] === 'Z' ? undefined : afterName[19];
  });

const bootOf = (): string | undefined =>
  orUndefined(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());

export const thisProcess = (): ProcessIdentity => ({
  pid: process.pid,
  startedAt: startOf(process.pid),
  boot: bootOf(),
  pidNamespace: orUndefined(() => readlinkSync('/proc/self/ns/pid')),
});

/**
 * Whether a process still runs: `unknown` when it ran in another container, on another machine, or before a restart
 * of this one, or when the system does not tell.
 */
export const stateOf = (other: ProcessIdentity, self = thisProcess()): 'alive' | 'dead' | 'unknown' => {
  const neighbours = other.boot !== undefined && other.boot === self.boot && other.pidNamespace === self.pidNamespace;
  if (!neighbours || other.startedAt === undefined) return 'unknown';
  return startOf(other.pid) === other.startedAt ? 'alive' : 'dead';
};
