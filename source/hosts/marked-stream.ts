import {StringDecoder} from 'node:string_decoder';

/** One of the two streams of a run, cut at the marks. */
export type MarkedStream = {
  readonly push: (chunk: Buffer) => void;
  /** What came before the start mark: a login shell's noise, and what sudo says. At most the first 16 KiB. */
  readonly preamble: () => string;
  readonly started: () => boolean;
  /** The exit status that stood at the end mark; undefined before it. */
  readonly code: () => number | undefined;
  readonly output: () => {readonly text: string; readonly truncated: boolean};
};

export type MarkedStreamOptions = {
  readonly start: string;
  readonly end: string;
  /** Bytes kept of what came between the marks. */
  readonly limit: number;
  readonly onText?: ((text: string) => void) | undefined;
};

const preambleLimit = 16 * 1024;

/** How many bytes at the end of `data` may be the beginning of `token`, which the next chunk would go on with. */
const partialMatch = (data: Buffer, token: Buffer): number => {
  for (let length = Math.min(token.length - 1, data.length); length > 0; length--) {
    if (data.subarray(data.length - length).equals(token.subarray(0, length))) return length;
  }
  return 0;
};

/** Gives on what comes between two marks as it comes, whatever the chunks; the marks themselves are never given on. */
export const markedStream = ({start, end, limit, onText}: MarkedStreamOptions): MarkedStream => {
  const [startMark, endMark] = [Buffer.from(start), Buffer.from(end)];
  const kept = headAndTail(limit);
  const decoder = new StringDecoder('utf8');
  let preamble: Buffer = Buffer.alloc(0);
  let state: 'before' | 'inside' | 'ending' | 'after' = 'before';
  let pending: Buffer = Buffer.alloc(0);
  let code: number | undefined;

  const give = (bytes: Buffer): void => {
    if (bytes.length === 0) return;
    kept.push(bytes);
    const text = decoder.write(bytes);
    if (text) onText?.(text);
  };

  const before = (): boolean => {
    const found = pending.indexOf(startMark);
    const noise = found >= 0 ? found : pending.length - partialMatch(pending, startMark);
    preamble = Buffer.concat([preamble, pending.subarray(0, noise)]).subarray(0, preambleLimit);
    pending = pending.subarray(found >= 0 ? found + startMark.length : noise);
    if (found >= 0) state = 'inside';
    return found >= 0;
  };

  const inside = (): boolean => {
    const found = pending.indexOf(endMark);
    const ours = found >= 0 ? found : pending.length - partialMatch(pending, endMark);
    give(pending.subarray(0, ours));
    pending = pending.subarray(found >= 0 ? found + endMark.length : ours);
    if (found >= 0) state = 'ending';
    return found >= 0;
  };

  const ending = (): boolean => {
    const newline = pending.indexOf('\n');
    if (newline < 0) return false;
    code = Number(pending.toString('latin1', 0, newline));
    const rest = decoder.end();
    if (rest) onText?.(rest);
    state = 'after';
    return false;
  };

  const advance = {before, inside, ending, after: () => false};

  return {
    push: chunk => {
      pending = pending.length > 0 ? Buffer.concat([pending, chunk]) : chunk;
      while (advance[state]());
      if (state === 'after') pending = Buffer.alloc(0);
    },
    preamble: () => preamble.toString(),
    started: () => state !== 'before',
    code: () => code,
    output: kept.read,
  };
};

/** The first and the last half of `limit` bytes; the middle of what is more is dropped, and a line says how much. */
const headAndTail = (limit: number) => {
  const half = Math.floor(limit / 2);
  const head: Buffer[] = [];
  let headLength = 0;
  let tail: Buffer[] = [];
  let tailLength = 0;
  let dropped = 0;

  const trimTail = (to: number): void => {
    const all = Buffer.concat(tail);
    dropped += all.length - to;
    tail = [all.subarray(all.length - to)];
    tailLength = to;
  };

  return {
    push: (bytes: Buffer): void => {
      const first = bytes.subarray(0, half - headLength);
      if (first.length > 0) head.push(Buffer.from(first));
      headLength += first.length;
      const rest = bytes.subarray(first.length);
      if (rest.length === 0) return;
      tail.push(Buffer.from(rest));
      tailLength += rest.length;
      // Trimmed only now and then, or every chunk of a long output would cost a copy of the whole tail.
      if (tailLength > 2 * half + 65_536) trimTail(limit - half);
    },
    read: () => {
      if (tailLength > limit - half) trimTail(limit - half);
      const middle = dropped > 0 ? [Buffer.from(`\n[${dropped} bytes left out]\n`)] : [];
      return {text: Buffer.concat([...head, ...middle, ...tail]).toString(), truncated: dropped > 0};
    },
  };
};
