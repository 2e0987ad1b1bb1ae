import {err, ok, type Result} from '../result.ts';

/** One part of the answer of `factsScript`: how its command ended, and its lines without the leading bar. */
export type Section = {readonly code: number; readonly lines: readonly string[]};

export type Sections = {
  /** An absent section reads as a failed one without lines. */
  readonly get: (name: string) => Section;
  readonly has: (name: string) => boolean;
};

const absent: Section = {code: 127, lines: []};

/**
 * The sections of an answer. What a banner or a login shell prints before the first line is ignored; an answer without
 * its last line was cut short and is an error, because half of the facts would look like a healthy, empty host.
 */
export const readSections = (stdout: string): Result<Sections, string> => {
  const all = stdout.split(/\r?\n/);
  const first = all.indexOf('@groundwork-facts 1');
  if (first < 0) return err('the host did not answer with facts; is bash its shell for scripts?');
  const last = all.indexOf('@end', first);
  if (last < 0) return err('the answer of the host was cut short');

  const found = new Map<string, {code: number; cut: boolean; lines: string[]}>();
  let current: string[] | undefined;
  for (const line of all.slice(first + 1, last)) {
    const header = /^@([a-z0-9-]+) (\d{1,3})( cut)?$/.exec(line);
    if (header) {
      current = [];
      found.set(header[1] ?? '', {code: Number(header[2]), cut: header[3] !== undefined, lines: current});
    } else if (line.startsWith('|')) current?.push(line.slice(1));
  }
  for (const {cut, lines} of found.values()) if (cut) lines.pop();
  return ok({get: name => found.get(name) ?? absent, has: name => found.has(name)});
};

/**
 * Text from a host as it may be shown: one line, no control sequences, nothing that turns the direction of writing or
 * hides, 200 characters at most.
 */
export const printable = (text: string): string =>
  text
    .replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, '\ufffd')
    .slice(0, 200)
    .trim();

/** `name=value` lines; the first of several wins. Quotes around a value, as in os-release, are taken off. */
export const settings = (section: Section): ReadonlyMap<string, string> => {
  const found = new Map<string, string>();
  for (const line of section.lines) {
    const match = /^\s*([\w.-]+)=(.*)$/.exec(line);
    if (!match || found.has(match[1] ?? '')) continue;
    const value = (match[2] ?? '').trim();
    const quoted = /^(["'])(.*)\1$/.exec(value);
    found.set(match[1] ?? '', printable(quoted ? (quoted[2] ?? '').replace(/\\(.)/g, '$1') : value));
  }
  return found;
};

/** A whole number as tools print it; undefined for anything else, also for what JavaScript could not hold exactly. */
export const wholeNumber = (text: string | undefined): number | undefined => {
  if (text === undefined || !/^\d{1,20}$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
};

/** JSON from a tool; undefined when it is none. */
export const jsonOf = (section: Section): unknown => {
  try {
    return JSON.parse(section.lines.join('\n'));
  } catch {
    return undefined;
  }
};
