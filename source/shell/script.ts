/** Shell source text. Only `sh` makes one, so text from outside cannot become a script by accident. */
export type Script = {readonly kind: 'script'; readonly text: string};

export type Interpolation = Script | string | number | readonly (string | number)[];

/**
 * One POSIX shell word that stands for exactly `text`, whatever it holds. Bytes that no shell word can carry
 * (NUL) are a bug of the caller, because no path, name or setting may contain one.
 */
export const quote = (text: string): string => {
  if (text.includes('\0')) throw new Error('a shell word cannot hold a NUL byte');
  if (/^[A-Za-z0-9_/.:=@%+,-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", `'\\''`)}'`;
};

const interpolate = (value: Interpolation): string => {
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'number') return quote(String(value));
  if ('kind' in value) return value.text;
  return value.map(item => quote(String(item))).join(' ');
};

/**
 * A script from a template. Text in the template is shell; every interpolated string or number becomes one
 * quoted word, an array becomes one word for each item, and only another script goes in as it is.
 */
export const sh = (parts: TemplateStringsArray, ...values: readonly Interpolation[]): Script => ({
  kind: 'script',
  text: parts.raw
    .map((part, index) => part + (index < values.length ? interpolate(values[index] as Interpolation) : ''))
    .join(''),
});

/** Scripts one after the other, each on lines of its own. */
export const lines = (...scripts: readonly Script[]): Script => ({
  kind: 'script',
  text: scripts.map(script => script.text).join('\n'),
});

/** Nothing to run. */
export const nothing: Script = {kind: 'script', text: ':'};
