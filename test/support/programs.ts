import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {createInterface} from 'node:readline';

/** A real second program: a module of the project's own TypeScript, run by the Node that runs the tests. */
export type Program = {
  readonly pid: number;
  /** The next line that it prints; undefined when it has ended. */
  readonly line: () => Promise<string | undefined>;
  readonly say: (line: string) => void;
  readonly kill: (signal: NodeJS.Signals) => Promise<void>;
  /** Its exit status, when it has ended by itself. */
  readonly ended: Promise<number | null>;
};

export const startProgram = (code: string, args: readonly string[] = []): Program => {
  const child: ChildProcess = spawn(
    process.execPath,
    ['--input-type=module-typescript', '--eval', code, '--', ...args],
    {
      cwd: new URL('../../', import.meta.url),
      stdio: ['pipe', 'pipe', 'inherit'],
      env: {...process.env, NODE_OPTIONS: ''},
    },
  );
  const {stdin, stdout, pid} = child;
  if (!stdin || !stdout || pid === undefined) throw new Error('the program did not start');
  const lines = createInterface({input: stdout})[Symbol.asyncIterator]();
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  return {
    pid,
    line: async () => (await lines.next()).value as string | undefined,
    say: line => void stdin.write(`${line}\n`),
    kill: async signal => {
      child.kill(signal);
      await ended;
    },
    ended,
  };
};
