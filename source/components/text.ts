import sliceAnsi from 'slice-ansi';
import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';

/** Columns that a text takes in a terminal. */
export const widthOf = (text: string): number => stringWidth(text);

/** The text cut to `columns`, with an ellipsis where something was cut off. */
export const clip = (text: string, columns: number, ellipsis = '…'): string => {
  if (columns <= 0) return '';
  if (widthOf(text) <= columns) return text;
  const room = columns - widthOf(ellipsis);
  return room <= 0 ? sliceAnsi(text, 0, columns) : `${sliceAnsi(text, 0, room).trimEnd()}${ellipsis}`;
};

/** The text cut or padded to exactly `columns`. */
export const column = (text: string, columns: number, align: 'left' | 'right' = 'left', ellipsis = '…'): string => {
  const cut = clip(text, columns, ellipsis);
  const blank = ' '.repeat(Math.max(0, columns - widthOf(cut)));
  return align === 'left' ? cut + blank : blank + cut;
};

/** What stands before the text of a line: blanks, and a first column that two blanks or more end. */
const leadOf = (line: string, columns: number): string => {
  const lead = /^ *(?:\S+(?: \S+)* {2,})?(?=\S)/.exec(line)?.[0] ?? '';
  return widthOf(lead) <= columns / 2 ? lead : (/^ */.exec(line)?.[0] ?? '');
};

/**
 * The lines of a text at a width, broken between words where that is possible. What follows hangs below where the text
 * begins: `CA   a long text` goes on below the `a`.
 */
export const wrap = (text: string, columns: number): string[] =>
  text.split('\n').flatMap(line => {
    const lead = leadOf(line, columns);
    const room = Math.max(1, columns - widthOf(lead));
    return wrapAnsi(line.slice(lead.length), room, {hard: true, trim: true})
      .split('\n')
      .map((part, index) => (index === 0 ? lead : ' '.repeat(widthOf(lead))) + part);
  });

/** What a terminal may be shown of text from outside: no control sequence, no other control character. */
export const printable = (text: string): string =>
  text
    .replace(/\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[@-_]?/g, '')
    .replaceAll('\t', '  ')
    .replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '');

/** Lines and rows have no identity but their place; React wants one. */
export const placed = <T>(items: readonly T[]): readonly {readonly place: string; readonly item: T}[] =>
  items.map((item, index) => ({place: `${index}`, item}));

/** `1 change`, `3 changes`. */
export const counted = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`;

/** `8 s`, `1 min 20 s`, `1 h 5 min`. */
export const duration = (seconds: number): string => {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
};

/** Of an estimate, no finer than it can be: from five minutes on whole minutes, below that tens of seconds. */
export const roughDuration = (seconds: number): string => {
  const step = seconds < 60 ? 1 : seconds < 300 ? 10 : 60;
  return duration(Math.round(seconds / step) * step).replace(/ 0 (s|min)$/, '');
};

/** Bytes as people say them, in binary units: `62.8 GiB`. */
export const bytes = (count: number): string => {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length - 1, count < 1 ? 0 : Math.floor(Math.log2(count) / 10));
  const value = count / 1024 ** power;
  return `${value >= 100 || power === 0 ? Math.round(value) : Math.round(value * 10) / 10} ${units[power]}`;
};
