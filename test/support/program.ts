import {spawn} from 'node:child_process';
import {chmodSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {onTestFinished} from 'vitest';
import {projectRoot} from './terminal.ts';

export const program = join(projectRoot, 'bin/groundwork');

export type Ended = {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

export type ProgramOptions = {
  /** GROUNDWORK_HOME. */
  readonly home: string;
  /** What is written to its standard input, which then ends. */
  readonly input?: string;
  readonly directory?: string;
};

export type Running = {
  readonly pid: number | undefined;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly stdout: () => string;
  readonly ended: Promise<Ended>;
};

/** The built program without a terminal, as scripts and CI run it. */
export const start = (args: readonly string[], {home, input = '', directory}: ProgramOptions): Running => {
  const child = spawn(program, [...args], {
    cwd: directory ?? projectRoot,
    env: {PATH: process.env.PATH, HOME: home, LANG: 'C.UTF-8', GROUNDWORK_HOME: home},
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', chunk => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', chunk => {
    stderr += chunk;
  });
  // It may end before it has read everything.
  child.stdin.on('error', () => {}).end(input);
  return {
    pid: child.pid,
    kill: signal => child.kill(signal),
    stdout: () => stdout,
    ended: new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', status => resolve({status, stdout, stderr}));
    }),
  };
};

export const groundwork = (args: readonly string[], options: ProgramOptions): Promise<Ended> =>
  start(args, options).ended;

/** A home for the program that goes with the test. Others may pass through, as practice hosts of root must. */
export const newHome = (): string => {
  const home = mkdtempSync(join(tmpdir(), 'groundwork-e2e-'));
  chmodSync(home, 0o755);
  onTestFinished(() => rmSync(home, {recursive: true, force: true}));
  return home;
};

/** The objects of an output in JSON lines; fails when a line is not one. */
export const jsonLines = (text: string): readonly Record<string, unknown>[] =>
  text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
