import {spawn} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {execa} from 'execa';

/** One run of a whole process: seconds on the clock, and seconds of processor time of it and its children here. */
export type Sample = {readonly wall: number; readonly cpu?: number; readonly output: string};

export type Command = {
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
};

/** Runs it to its end; a status other than 0 is thrown with what it printed. */
export const timed = async ({file, args, env}: Command, folder: string): Promise<Sample> => {
  const out = `${folder}/output`;
  const ran = await execa(
    'bash',
    ['-c', 'TIMEFORMAT="%3R %3U %3S"; time "$@" >"$0" 2>&1 </dev/null', out, file, ...args],
    {reject: false, ...(env && {env})},
  );
  const output = readFileSync(out, 'utf8');
  if (ran.exitCode !== 0) throw new Error(`${file} ${args.join(' ')} ended with ${ran.exitCode}:\n${output}`);
  const [wall = 0, user = 0, system = 0] = (ran.stderr.trim().split('\n').at(-1) ?? '').split(' ').map(Number);
  return {wall, cpu: user + system, output};
};

/** MiB of memory that a process had at its most. In a run of its own, because watching it costs time. */
export const peakMemory = ({file, args, env}: Command): Promise<number> =>
  new Promise((resolve, reject) => {
    const child = spawn(file, args, {stdio: 'ignore', env: {...process.env, ...env}});
    let peak = 0;
    const watch = setInterval(() => {
      try {
        const [, kib = 0] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
        peak = Math.max(peak, Number(kib) / 1024);
      } catch {
        // It has just ended.
      }
    }, 10);
    child.once('error', reject);
    child.once('exit', code => {
      clearInterval(watch);
      if (code === 0) resolve(peak);
      else reject(new Error(`${file} ended with ${code}`));
    });
  });

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle - 0.5 * (1 - (sorted.length % 2)))] ?? 0) + (sorted[Math.floor(middle)] ?? 0)) / 2;
};
