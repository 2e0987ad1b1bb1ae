import {fileURLToPath} from 'node:url';
import {type IPty, spawn} from '@lydell/node-pty';
import xterm from '@xterm/headless';

export const projectRoot = fileURLToPath(new URL('../..', import.meta.url));

/** Key presses by name, as a terminal sends them. */
export const key = {
  enter: '\r',
  escape: '\u001b',
  up: '\u001b[A',
  down: '\u001b[B',
  right: '\u001b[C',
  left: '\u001b[D',
  end: '\u001b[F',
  tab: '\t',
  space: ' ',
  backspace: '\u007f',
  ctrlA: '\u0001',
  ctrlC: '\u0003',
  ctrlU: '\u0015',
  f1: '\u001bOP',
} as const;

export type Screen = {
  /** What the terminal shows now, one string a line, without trailing blanks. */
  readonly lines: () => string[];
  readonly text: () => string;
  /** Everything that was ever shown, scrollback included. */
  readonly history: () => string;
  /** Every byte that the program sent. */
  readonly bytes: () => string;
  /** Lines that went out at the top: something taller than the terminal was drawn. */
  readonly scrolled: () => number;
  readonly press: (...keys: readonly string[]) => Promise<void>;
  /** Settles when the screen shows it; fails with the whole screen when it does not in time. */
  readonly waitFor: (wanted: string | RegExp, milliseconds?: number) => Promise<string>;
  readonly waitForExit: (milliseconds?: number) => Promise<number>;
  readonly resize: (columns: number, rows: number) => void;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly pid: number;
};

export type OpenOptions = {
  readonly columns?: number;
  readonly rows?: number;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly directory?: string;
};

const pause = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds));

/** A program in a real pseudo-terminal, its output drawn by a real terminal emulator. */
export const openTerminal = (command: string, args: readonly string[], options: OpenOptions = {}): Screen => {
  const {columns = 80, rows = 24} = options;
  const {CI, COLUMNS, LINES, NO_COLOR, FORCE_COLOR, VITEST, NODE_ENV, ...inherited} = process.env;
  const environment = {...inherited, TERM: 'xterm-256color', LANG: 'C.UTF-8', ...options.environment};
  const pty: IPty = spawn(command, [...args], {
    name: 'xterm-256color',
    cols: columns,
    rows,
    cwd: options.directory ?? projectRoot,
    env: Object.fromEntries(
      Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
  });
  const terminal = new xterm.Terminal({cols: columns, rows, scrollback: 10_000, allowProposedApi: true});
  let received = '';
  let exitCode: number | undefined;
  pty.onData(data => {
    received += data;
    terminal.write(data);
  });
  // As a shell says it: 128 and the number of the signal that ended it.
  pty.onExit(({exitCode: code, signal}) => {
    exitCode = signal ? 128 + signal : code;
  });

  const linesFrom = (first: number): string[] => {
    const buffer = terminal.buffer.active;
    return Array.from(
      {length: buffer.length - first},
      (_, index) => buffer.getLine(first + index)?.translateToString(true) ?? '',
    );
  };
  const lines = () => linesFrom(terminal.buffer.active.baseY).slice(0, terminal.rows);
  const text = () => lines().join('\n');
  const poll = async <T>(milliseconds: number, what: string, look: () => T | undefined): Promise<T> => {
    const end = Date.now() + milliseconds;
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (Date.now() > end)
        throw new Error(`${what} did not come within ${milliseconds} ms; the screen is:\n${text()}`);
      await pause(20);
    }
  };

  return {
    lines,
    text,
    history: () => linesFrom(0).join('\n'),
    bytes: () => received,
    scrolled: () => terminal.buffer.active.baseY,
    press: async (...keys) => {
      for (const each of keys) {
        pty.write(each);
        await pause(40);
      }
    },
    waitFor: (wanted, milliseconds = 15_000) =>
      poll(milliseconds, String(wanted), () => {
        const shown = text();
        return (typeof wanted === 'string' ? shown.includes(wanted) : wanted.test(shown)) ? shown : undefined;
      }),
    waitForExit: (milliseconds = 15_000) => poll(milliseconds, 'the end of the program', () => exitCode),
    resize: (newColumns, newRows) => {
      pty.resize(newColumns, newRows);
      terminal.resize(newColumns, newRows);
    },
    kill: signal => pty.kill(signal),
    pid: pty.pid,
  };
};
