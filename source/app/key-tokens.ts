/** One key press, or one bracketed paste, as the bytes that the terminal sent for it. */
export type Token = string;

export const pasteStart = '\u001b[200~';
export const pasteEnd = '\u001b[201~';

const graphemes = new Intl.Segmenter(undefined, {granularity: 'grapheme'});

/** More text than this in one piece was not typed: it goes on as one token, so that a long paste is quick. */
const longestTyped = 64;

/**
 * Cuts what came from the terminal into key presses. What may be the beginning of a longer sequence stays in
 * `pending`: slow lines deliver an arrow key in pieces, and several keys at once.
 */
export const cutTokens = (input: string): {readonly tokens: readonly Token[]; readonly pending: string} => {
  const tokens: Token[] = [];
  let rest = input;
  while (rest !== '') {
    if (rest.startsWith('\u001b')) {
      const length = sequenceLength(rest);
      if (length === undefined) return {tokens, pending: rest};
      tokens.push(rest.slice(0, length));
      rest = rest.slice(length);
    } else if (isControl(rest[0] as string)) {
      tokens.push(rest[0] as string);
      rest = rest.slice(1);
    } else {
      const run = textRun(rest);
      tokens.push(...(run.length > longestTyped ? [run] : Array.from(graphemes.segment(run), part => part.segment)));
      rest = rest.slice(run.length);
    }
  }
  return {tokens, pending: ''};
};

const isControl = (character: string): boolean => character < ' ' || character === '\u007f';

const textRun = (input: string): string => /^[^\u0000-\u001f\u007f]+/.exec(input)?.[0] ?? '';

/** The length of the escape sequence that the input begins with; undefined while it may go on. */
const sequenceLength = (input: string): number | undefined => {
  if (pasteStart.startsWith(input)) return undefined;
  if (input.startsWith(pasteStart)) {
    const end = input.indexOf(pasteEnd);
    return end === -1 ? undefined : end + pasteEnd.length;
  }
  const introducer = input[1];
  if (introducer === undefined) return undefined;
  if (introducer === '\u001b') return 1;
  if (introducer === '[') return controlSequenceLength(input);
  if (introducer === 'O')
    return /^\u001bO[\d;]*$/.test(input) ? undefined : 3 + (/^\u001bO([\d;]*)/.exec(input)?.[1]?.length ?? 0);
  // Alt and a character: ESC and the character together.
  const character = [...input.slice(1)][0] ?? '';
  return 1 + character.length;
};

/** CSI: parameters, intermediates, one final byte. `ESC [ [ A` is how the Linux console writes F1. */
const controlSequenceLength = (input: string): number | undefined => {
  const match = /^\u001b\[\[?[0-?]*[ -/]*/.exec(input)?.[0] ?? '';
  if (match.length === input.length) return undefined;
  return match.length + 1;
};

/** What a sequence that never came to its end amounts to: Escape by itself, or the keys one by one. */
export const giveUp = (pending: string): readonly Token[] => {
  if (pending.startsWith(pasteStart)) return [`${pending}${pasteEnd}`];
  if (pending === '') return [];
  return pending === '\u001b' ? ['\u001b'] : [];
};
