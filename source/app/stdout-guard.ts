import {EventEmitter} from 'node:events';

/** What a terminal without a size gets: serial consoles and `docker exec -t` report 0x0. */
export const fallbackSize = {columns: 80, rows: 24} as const;

/** Below this nothing can be shown that one could work with. */
export const smallestSize = {columns: 60, rows: 16} as const;

/** Milliseconds that a window must keep its size before it is drawn anew; dragging an edge reports dozens of sizes. */
const resizeRest = 80;

/** Milliseconds until Ink, which draws at most 30 times a second, has laid everything out for the new size. */
const layoutRest = 50;

/** Cursor to the upper left corner, erase what is visible. Never the scrollback: it is the operator's evidence. */
const eraseVisible = '\u001b[H\u001b[J';

export type Size = {readonly columns: number; readonly rows: number};

/** What the guard needs of the terminal's output. */
export type OutputTerminal = {
  readonly write: (data: string | Uint8Array, callback?: (error?: Error | null) => void) => boolean;
  readonly on: (event: 'resize' | 'error', listener: () => void) => unknown;
  readonly off: (event: 'resize' | 'error', listener: () => void) => unknown;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
};

export type GuardedStdout = {
  readonly stdout: NodeJS.WriteStream;
  /** What makes Ink forget the frame that it has drawn. */
  readonly onRedraw: (forget: () => void) => void;
  /** While somebody else has the terminal, its size is of no concern. */
  readonly suspend: (on: boolean) => void;
  readonly close: () => void;
};

const sizeOf = ({columns, rows}: OutputTerminal): Size => ({
  columns: columns || fallbackSize.columns,
  rows: rows || fallbackSize.rows,
});

/** Cursor shown or hidden, bracketed paste on or off: no part of a frame, and not said twice. */
export const isModeSwitch = (data: string | Uint8Array): boolean =>
  typeof data === 'string' && /^(?:\u001b\[\?\d+[hl])*$/.test(data);

/**
 * Stands between Ink and the terminal. The size never is 0, and changes only when the window has come to rest: until
 * then nothing is drawn, because a frame of the old size in a window of the new one is torn. Then what is visible is
 * erased and drawn as a whole: the terminal has moved the lines of the old frame, and nobody knows where to.
 */
export const guardStdout = (terminal: OutputTerminal): GuardedStdout => {
  const emitter = new EventEmitter();
  emitter.setMaxListeners(0);
  let size = sizeOf(terminal);
  let timer: NodeJS.Timeout | undefined;
  let suspended = false;
  let changedMeanwhile = false;
  let forgetFrame = (): void => {};

  const redraw = (): void => {
    timer = undefined;
    forgetFrame();
    terminal.write(eraseVisible);
    emitter.emit('resize');
  };
  const layOut = (): void => {
    size = sizeOf(terminal);
    timer = setTimeout(redraw, layoutRest);
    emitter.emit('resize');
  };
  const onTerminalResize = (): void => {
    if (suspended) {
      changedMeanwhile = true;
      return;
    }
    clearTimeout(timer);
    timer = setTimeout(layOut, resizeRest);
  };
  // The terminal may go away at any time (a closed window, a lost line); the write that notices it must not throw.
  const onError = (): void => {};
  terminal.on('resize', onTerminalResize);
  terminal.on('error', onError);

  const write = (data: string | Uint8Array, ...more: readonly unknown[]): boolean => {
    const callback = more.find(each => typeof each === 'function') as ((error?: Error | null) => void) | undefined;
    if (timer !== undefined && !isModeSwitch(data)) {
      callback?.();
      return true;
    }
    return terminal.write(data, callback);
  };

  const stdout = Object.defineProperties(emitter, {
    columns: {get: () => size.columns},
    rows: {get: () => size.rows},
    isTTY: {value: true},
    writable: {value: true},
    write: {value: write},
  }) as unknown as NodeJS.WriteStream;

  return {
    stdout,
    onRedraw: forget => {
      forgetFrame = forget;
    },
    suspend: on => {
      suspended = on;
      if (!on && changedMeanwhile) {
        changedMeanwhile = false;
        onTerminalResize();
      }
    },
    close: () => {
      if (timer !== undefined) {
        clearTimeout(timer);
        size = sizeOf(terminal);
        redraw();
      }
      terminal.off('resize', onTerminalResize);
    },
  };
};
