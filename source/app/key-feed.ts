import {Readable} from 'node:stream';
import {StringDecoder} from 'node:string_decoder';
import {cutTokens, giveUp, pasteStart, type Token} from './key-tokens.ts';

/** Milliseconds that a lone Escape waits for the rest of a sequence; a slow line delivers an arrow key in pieces. */
const escapePatience = 100;
/** Milliseconds without a byte after which an unfinished paste is taken as it is, or the keyboard would be dead. */
const pastePatience = 1000;
/** Milliseconds after a change of screen in which no key answers, so that a double Enter meets one screen only. */
export const settlingTime = 300;

/** What the feed needs of the terminal's input. */
export type KeySource = NodeJS.ReadableStream & {
  readonly isTTY?: boolean;
  setRawMode?: (on: boolean) => unknown;
  ref?: () => unknown;
  unref?: () => unknown;
};

export type KeyFeed = {
  /** What Ink reads: one key press at a time, each after the one before has been drawn. */
  readonly stdin: NodeJS.ReadStream;
  /** From now on, for a moment, keys that answer are dropped. */
  readonly settle: (milliseconds?: number) => void;
};

const answers = new Set<Token>(['\r', '\n', ' ', '\u001b']);

/** F1 as xterm, rxvt, and the Linux console send it. Ink has no name for it; Ctrl-G has the same meaning here. */
const functionOne = new Set<Token>(['\u001bOP', '\u001b[11~', '\u001b[[A', '\u001b[P']);

const spelledAs = (token: Token): Token => (functionOne.has(token) ? '\u0007' : token);

/**
 * Stands between the terminal and Ink. Ink hands a whole chunk to its handlers before React has drawn anything, so
 * that with `↓↓⏎` in one chunk every handler but the first acts on what was; slow lines send keys so all the time.
 * `now` is milliseconds of any clock.
 */
export const createKeyFeed = (source: KeySource, now: () => number = Date.now): KeyFeed => {
  const queue: Token[] = [];
  let pending = '';
  let quietUntil = Number.NEGATIVE_INFINITY;
  let handingOut = false;
  let patience: NodeJS.Timeout | undefined;
  const decoder = new StringDecoder('utf8');
  const stream = new Readable({read: () => {}});

  const handOut = (): void => {
    if (handingOut) return;
    for (;;) {
      const token = queue.shift();
      if (token === undefined) return;
      if (now() < quietUntil && answers.has(token)) continue;
      handingOut = true;
      stream.push(token);
      // Two turns: the first lets Ink read and React commit, the second lets effects set up what comes next.
      setImmediate(() =>
        setImmediate(() => {
          handingOut = false;
          handOut();
        }),
      );
      return;
    }
  };

  const take = (tokens: readonly Token[]): void => {
    queue.push(...tokens.map(spelledAs));
    handOut();
  };

  const receive = (chunk: Buffer | string): void => {
    clearTimeout(patience);
    const text = typeof chunk === 'string' ? chunk : decoder.write(chunk);
    // Escape and then, later, a letter are two keys; only what can continue a sequence is joined to it.
    const joined = pending !== '\u001b' || /^[[O\u001b]/.test(text);
    if (!joined) take(giveUp(pending));
    const cut = cutTokens(joined ? pending + text : text);
    pending = cut.pending;
    take(cut.tokens);
    if (pending !== '') {
      patience = setTimeout(
        () => {
          take(giveUp(pending));
          pending = '';
        },
        pending.startsWith(pasteStart) ? pastePatience : escapePatience,
      );
    }
  };

  let listening = false;
  const setRawMode = (on: boolean): void => {
    source.setRawMode?.(on);
    if (on === listening) return;
    listening = on;
    if (on) {
      source.on('data', receive);
      source.resume();
    } else {
      clearTimeout(patience);
      pending = '';
      source.removeListener('data', receive);
      source.pause();
    }
  };

  const stdin = Object.assign(stream, {
    isTTY: true,
    setRawMode,
    ref: () => source.ref?.(),
    unref: () => source.unref?.(),
  }) as unknown as NodeJS.ReadStream;

  return {
    stdin,
    settle: (milliseconds = settlingTime) => {
      quietUntil = Math.max(quietUntil, now() + milliseconds);
    },
  };
};
