import {PassThrough, Writable} from 'node:stream';
import type {World} from '../../source/commands/command.ts';

export type MadeUpWorld = {
  readonly world: World;
  /** All that was written until now. */
  readonly out: () => string;
  readonly err: () => string;
};

type Circumstances = {
  /** The folder that holds bin/ and fixtures/. Default: `home`. */
  readonly root?: string;
  /** Whether standard output is a terminal. Default: false. */
  readonly terminal?: boolean;
  /** What comes on standard input, which then ends. */
  readonly typed?: string;
};

/** Keeps what is written at once, so that nothing is still under way when a command has ended. */
const recorder = (isTTY: boolean) => {
  const chunks: string[] = [];
  const stream = new Writable({
    write: (chunk, _, done) => {
      chunks.push(String(chunk));
      done();
    },
  });
  return {stream: Object.assign(stream, {isTTY}), text: () => chunks.join('')};
};

/** The world of a command that is called in this process, with everything that it keeps below `home`. */
export const madeUpWorld = (
  home: string,
  {root = home, terminal = false, typed = ''}: Circumstances = {},
): MadeUpWorld => {
  const [out, err] = [recorder(terminal), recorder(false)];
  const stdin = Object.assign(new PassThrough(), {isTTY: false});
  stdin.end(typed);
  const world = {
    stdin,
    stdout: out.stream,
    stderr: err.stream,
    environment: {GROUNDWORK_HOME: home},
    home,
    root,
    version: '0.0.0',
    onSignal: () => () => {},
  } as unknown as World;
  return {world, out: out.text, err: err.text};
};
