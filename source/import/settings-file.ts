/** One setting of a file of OpenG2P's scripts. Lines count from 1. */
export type Setting = {
  /** `wg_port`; below a group `wireguard.port`, however deep it is nested. */
  readonly key: string;
  /** What the scripts see, who cut a line off at its first `#` even between quotes; empty stands for unset. */
  readonly value: string;
  /** What stands there for a reader who respects quotes: `#alerts`, where the scripts see nothing. */
  readonly written: string;
  readonly line: number;
};

/** A line that the scripts pass over although it is no comment. */
export type PassedOver = {readonly line: number; readonly why: string};

export type SettingsFile = {
  /** In the order of the file, those without a value included: a key may be there twice. */
  readonly settings: readonly Setting[];
  readonly passedOver: readonly PassedOver[];
};

/** What Bash's `[[:space:]]` is in the C locale, in which a line holds no line feed. */
const blanks = ' \\t\\v\\f\\r';
const nothingToRead = new RegExp(`^[${blanks}]*(#|$)`);
const leading = new RegExp(`^[${blanks}]+`);
const trailing = new RegExp(`[${blanks}]+$`);

const trimmed = (text: string): string => text.replace(leading, '').replace(trailing, '');

/** One quote is taken off at each end, of each kind, without asking whether they belong together. */
const withoutQuotes = (text: string): string =>
  text.replace(/"$/, '').replace(/^"/, '').replace(/'$/, '').replace(/^'/, '');

const asWritten = (text: string): string => {
  const quoted = /^(["'])(.*?)\1/.exec(text);
  return quoted ? (quoted[2] ?? '') : withoutQuotes(trimmed(text.replace(/(^|\s)#.*$/, '')));
};

/**
 * Reads a file as the parser does that OpenG2P's scripts have, which is not one of YAML: a key without a value at the
 * margin begins a group; what is indented below it belongs to that group, however deep; lists are passed over. It never
 * fails: what is no setting is told with its line.
 */
export const readSettings = (text: string): SettingsFile => {
  const settings: Setting[] = [];
  const passedOver: PassedOver[] = [];
  let group = '';
  for (const [index, line] of text.split('\n').entries()) {
    if (nothingToRead.test(line)) continue;
    const at = {line: index + 1};
    const indented = leading.test(line);
    const whole = line.replace(leading, '');
    const seen = whole.replace(/#.*$/s, '').replace(trailing, '');
    const colon = seen.indexOf(':');
    const key = colon === -1 ? '' : trimmed(seen.slice(0, colon));
    if (key === '' || key.startsWith('-')) {
      passedOver.push({
        ...at,
        why: seen.startsWith('-') ? 'is an entry of a list' : 'is no setting like "name: value"',
      });
      continue;
    }
    const value = withoutQuotes(seen.slice(colon + 1).replace(leading, ''));
    const written = asWritten(whole.slice(colon + 1).replace(leading, ''));
    const inGroup = indented && group !== '';
    settings.push({...at, key: inGroup ? `${group}.${key}` : key, value, written});
    if (value === '' && !indented) group = key;
    else if (value !== '' && !inGroup) group = '';
  }
  return {settings, passedOver};
};

/** The scripts' idea of yes; all else is no, and so is a setting that is not there. */
export const isTrue = (value: string | undefined): boolean => value === 'true' || value === 'yes' || value === '1';
