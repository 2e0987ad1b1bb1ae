import type {KeyPress} from '../app/keys.tsx';

/** A line that is being typed. `cursor` counts graphemes, so that it never stands inside a character. */
export type Line = {readonly characters: readonly string[]; readonly cursor: number};

const graphemes = new Intl.Segmenter(undefined, {granularity: 'grapheme'});

const cut = (text: string): string[] => Array.from(graphemes.segment(text), part => part.segment);

export const lineOf = (text: string): Line => {
  const characters = cut(text);
  return {characters, cursor: characters.length};
};

export const textOf = (line: Line): string => line.characters.join('');

const isBlank = (character: string | undefined): boolean =>
  character === undefined || !/[\p{L}\p{N}_]/u.test(character);

const wordStart = ({characters, cursor}: Line): number => {
  let at = cursor;
  while (at > 0 && isBlank(characters[at - 1])) at--;
  while (at > 0 && !isBlank(characters[at - 1])) at--;
  return at;
};

const wordEnd = ({characters, cursor}: Line): number => {
  let at = cursor;
  while (at < characters.length && isBlank(characters[at])) at++;
  while (at < characters.length && !isBlank(characters[at])) at++;
  return at;
};

const move = (line: Line, cursor: number): Line => ({
  ...line,
  cursor: Math.min(Math.max(cursor, 0), line.characters.length),
});

const remove = ({characters}: Line, from: number, to: number): Line => ({
  characters: [...characters.slice(0, from), ...characters.slice(to)],
  cursor: from,
});

/** Typed text joins what is left of it: a combining mark may complete the character before it. */
const insert = ({characters, cursor}: Line, text: string): Line => {
  const before = cut(characters.slice(0, cursor).join('') + text);
  return {characters: [...before, ...characters.slice(cursor)], cursor: before.length};
};

/** What is pasted into one line: its lines joined by `joiner`, without the last line's end, without control characters. */
export const pastedText = (text: string, joiner: string): string =>
  text
    .split(/\r\n|\r|\n/)
    .map(part => part.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ').trim())
    .filter(part => part !== '')
    .join(joiner);

/**
 * The line after a key, with the keys that shells have; undefined when the key means nothing in a line and may mean
 * something elsewhere.
 */
export const edit = (line: Line, key: KeyPress, joiner = ' '): Line | undefined => {
  const {cursor, characters} = line;
  if (key.name === 'paste') return insert(line, pastedText(key.text, joiner));
  if (key.ctrl) return editWithControl(line, key);
  if (key.alt) return editWithAlt(line, key);
  switch (key.name) {
    case 'text':
      return insert(line, key.text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ''));
    case 'left':
      return move(line, cursor - 1);
    case 'right':
      return move(line, cursor + 1);
    case 'home':
      return move(line, 0);
    case 'end':
      return move(line, characters.length);
    case 'backspace':
      return cursor === 0 ? line : remove(line, cursor - 1, cursor);
    case 'delete':
      return cursor === characters.length ? line : remove(line, cursor, cursor + 1);
    default:
      return undefined;
  }
};

const editWithControl = (line: Line, key: KeyPress): Line | undefined => {
  if (key.name === 'left') return move(line, wordStart(line));
  if (key.name === 'right') return move(line, wordEnd(line));
  switch (key.text) {
    case 'a':
      return move(line, 0);
    case 'e':
      return move(line, line.characters.length);
    case 'b':
      return move(line, line.cursor - 1);
    case 'f':
      return move(line, line.cursor + 1);
    case 'u':
      return remove(line, 0, line.cursor);
    case 'k':
      return {...line, characters: line.characters.slice(0, line.cursor)};
    case 'w':
      return remove(line, wordStart(line), line.cursor);
    case 'd':
      return line.cursor === line.characters.length ? line : remove(line, line.cursor, line.cursor + 1);
    default:
      return undefined;
  }
};

const editWithAlt = (line: Line, key: KeyPress): Line | undefined => {
  if (key.name === 'backspace') return remove(line, wordStart(line), line.cursor);
  switch (key.text) {
    case 'b':
      return move(line, wordStart(line));
    case 'f':
      return move(line, wordEnd(line));
    case 'd':
      return {...remove(line, line.cursor, wordEnd(line)), cursor: line.cursor};
    default:
      return undefined;
  }
};
