import {EventEmitter} from 'node:events';
import {PassThrough} from 'node:stream';
import xterm from '@xterm/headless';
import {type AppOptions, type ExitSummary, type RunAppInput, runApp} from '../../source/app/run-app.tsx';
import type {Services} from '../../source/app/services.ts';

/** Key presses by name, as a terminal sends them. */
export const key = {
  enter: '\r',
  escape: '\u001b',
  up: '\u001b[A',
  down: '\u001b[B',
  right: '\u001b[C',
  left: '\u001b[D',
  home: '\u001b[H',
  end: '\u001b[F',
  tab: '\t',
  space: ' ',
  backspace: '\u007f',
  delete: '\u001b[3~',
  ctrlC: '\u0003',
  ctrlG: '\u0007',
  ctrlU: '\u0015',
  f1: '\u001bOP',
} as const;

export type Stage = {
  /** What the terminal shows, one string a line, without trailing blanks. */
  readonly lines: () => string[];
  readonly text: () => string;
  /** Everything that was ever shown, scrollback included. */
  readonly history: () => string;
  /** Every byte that was written. */
  readonly bytes: () => string;
  /** Lines that were scrolled out at the top: a frame was too tall. */
  readonly scrolled: () => number;
  /** Lines that the terminal had to break: a frame was too wide. */
  readonly broken: () => number;
  /** Sends one chunk, as a terminal would. */
  readonly send: (chunk: string) => void;
  /** Sends keys one after the other, each when the screen has come to rest. */
  readonly press: (...keys: readonly string[]) => Promise<void>;
  readonly waitFor: (wanted: string | RegExp) => Promise<string>;
  readonly resize: (columns: number, rows: number) => void;
  readonly signal: (signal: NodeJS.Signals) => void;
  readonly hangUp: () => void;
  /** Lets the clock jump, so that keys answer again after a change of screen. */
  readonly settle: () => void;
  readonly ended: Promise<ExitSummary>;
};

export type StageOptions = Pick<RunAppInput, 'spawnInTerminal'> & {
  readonly columns?: number;
  readonly rows?: number;
  readonly app?: AppOptions;
  readonly environment?: Readonly<Record<string, string>>;
  /** What the clock shows at first; it then stands still but for `settle`. */
  readonly start?: string;
};

const pause = (milliseconds: number) => new Promise<void>(resolve => setTimeout(resolve, milliseconds));

/** What a terminal without a size is in truth: a serial console with 80x24. */
const emulated = (columns: number, rows: number) => ({cols: columns || 80, rows: rows || 24});

/**
 * The whole program on a terminal emulator instead of a terminal. The clock stands still, so that pictures are the same
 * every time.
 */
export const openStage = (services: Services, options: StageOptions = {}): Stage => {
  const {columns = 80, rows = 24} = options;
  const terminal = new xterm.Terminal({
    ...emulated(columns, rows),
    scrollback: 5000,
    allowProposedApi: true,
    convertEol: true,
  });
  let size = {columns, rows};
  let written = '';
  let clock = Date.parse(options.start ?? '2026-11-21T10:00:00.000Z');
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: () => {},
    ref: () => {},
    unref: () => {},
  });
  const emitter = new EventEmitter();
  const stdout = Object.defineProperties(emitter, {
    columns: {get: () => size.columns},
    rows: {get: () => size.rows},
    isTTY: {value: true},
    write: {
      value: (data: string, ...more: readonly unknown[]) => {
        written += data;
        const callback = more.find(each => typeof each === 'function') as (() => void) | undefined;
        terminal.write(data, callback);
        return true;
      },
    },
  }) as unknown as RunAppInput['stdout'];
  let onSignal: (signal: NodeJS.Signals) => void = () => {};
  const ended = runApp({
    services,
    stdin: stdin as unknown as RunAppInput['stdin'],
    stdout,
    environment: {LANG: 'C.UTF-8', TERM: 'xterm-256color', ...options.environment},
    now: () => clock,
    onSignal: callback => {
      onSignal = callback;
      return () => {
        onSignal = () => {};
      };
    },
    ...(options.app && {options: options.app}),
    ...(options.spawnInTerminal && {spawnInTerminal: options.spawnInTerminal}),
  });

  const linesFrom = (first: number): string[] => {
    const buffer = terminal.buffer.active;
    return Array.from(
      {length: buffer.length - first},
      (_, index) => buffer.getLine(first + index)?.translateToString(true) ?? '',
    );
  };
  const lines = () => linesFrom(terminal.buffer.active.baseY).slice(0, terminal.rows);
  const text = () => lines().join('\n').trimEnd();
  const settle = (): void => {
    clock += 1000;
  };
  /** Until nothing has been written for a moment. */
  const rest = async (): Promise<void> => {
    for (let before = -1; before !== written.length; ) {
      before = written.length;
      await pause(45);
    }
  };
  return {
    lines,
    text,
    history: () => linesFrom(0).join('\n'),
    bytes: () => written,
    scrolled: () => terminal.buffer.active.baseY,
    broken: () => {
      const buffer = terminal.buffer.active;
      return Array.from({length: buffer.length}, (_, index) => buffer.getLine(index)).filter(line => line?.isWrapped)
        .length;
    },
    send: chunk => {
      stdin.write(chunk);
    },
    press: async (...keys) => {
      for (const each of keys) {
        settle();
        stdin.write(each);
        // An Escape waits for the rest of a sequence.
        if (each === key.escape) await pause(130);
        await rest();
      }
    },
    waitFor: async wanted => {
      const end = Date.now() + 8000;
      for (;;) {
        const shown = text();
        if (typeof wanted === 'string' ? shown.includes(wanted) : wanted.test(shown)) return shown;
        if (Date.now() > end) throw new Error(`${wanted} did not come; the screen is:\n${shown}`);
        await pause(15);
      }
    },
    resize: (newColumns, newRows) => {
      size = {columns: newColumns, rows: newRows};
      const {cols, rows: emulatedRows} = emulated(newColumns, newRows);
      terminal.resize(cols, emulatedRows);
      emitter.emit('resize');
    },
    signal: signal => onSignal(signal),
    hangUp: () => {
      stdin.end();
    },
    settle,
    // The emulator reads what was written a turn later.
    ended: ended.then(summary => new Promise(resolve => terminal.write('', () => resolve(summary)))),
  };
};
