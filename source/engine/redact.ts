import {capLines, cleanText} from './control-sequences.ts';

export type Redactor = (text: string) => string;

export const mask = '[secret]';

/** Shorter ones are masked as whole words only, or they would blot out half of every text. */
const shortestPart = 4;

/** Shorter lines of a secret of several lines (a PEM block, JSON) are no secret: brackets, names, ends. */
const shortestLine = 8;

/**
 * What of a value's base64 is the same whatever stands before and after it, for each of the three places in which it
 * can begin; and the whole as `base64` and PEM break it into lines.
 */
const base64Forms = (text: string): readonly string[] => {
  const bytes = Buffer.from(text);
  const inner = [0, 1, 2].map(offset => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
    const end = Math.floor(((offset + bytes.length) * 8) / 6);
    return encoded.slice(Math.ceil((offset * 8) / 6), end);
  });
  const forms = inner.flatMap(form => [form, form.replaceAll('+', '-').replaceAll('/', '_')]);
  const whole = inner[0] as string;
  const broken = [64, 76].flatMap(width => whole.match(new RegExp(`.{${width}}`, 'g')) ?? []);
  return [...forms, ...broken].filter(form => form.length >= shortestLine);
};

/** Forms in which a value may come back: as it is, line by line, in base64, in a URL, quoted for JSON or a shell. */
const formsOf = (secret: string): readonly string[] => {
  const text = secret.trim();
  const whole = [
    secret,
    text,
    JSON.stringify(text).slice(1, -1),
    text.replaceAll("'", `'\\''`),
    encodeURIComponent(Buffer.from(text).toString()),
  ].filter(form => form.length >= shortestPart);
  const lines = text
    .split(/\r?\n/)
    .map(line => line.trim())
    .filter(line => line.length >= shortestLine && !/^-----(BEGIN|END) [A-Z ]+-----$/.test(line));
  const several = lines.length > 1 ? lines.flatMap(line => [line, ...base64Forms(line)]) : [];
  return [...whole, ...several, ...base64Forms(text), ...base64Forms(`${text}\n`)];
};

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');

const patternOf = (secrets: readonly string[]): RegExp | undefined => {
  // Longest first, so that a secret that holds another one is masked whole.
  const forms = [...new Set(secrets.flatMap(formsOf))].sort((a, b) => b.length - a.length).map(escaped);
  const short = secrets
    .map(secret => secret.trim())
    .filter(secret => secret.length > 1 && secret.length < shortestPart)
    .map(secret => `(?<![\\w./-])${escaped(secret)}(?![\\w./-])`);
  return forms.length + short.length > 0 ? new RegExp([...forms, ...short].join('|'), 'g') : undefined;
};

const names = 'pass(?:word|phrase|wd)?|secret|token|pre-?shared[_-]?key|private[_-]?key|api[_-]?key';

/** Secrets that nobody told us of, by their looks. */
const looks: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, mask],
  [
    new RegExp(`((?:${names})["']?\\s*[=:]\\s*)(?!\\[secret\\])("(?:[^"\\\\]|\\\\.)*"|'[^']*'|[^\\s,;]+)`, 'gi'),
    `$1${mask}`,
  ],
  [new RegExp(`(--(?:${names})\\s+)(?!\\[secret\\])(\\S+)`, 'gi'), `$1${mask}`],
  [/(\b(?:bearer|basic)\s+)(?=[\w+/=.~-]{16})[\w+/=.~-]+/gi, `$1${mask}`],
  [/(\w+:\/\/[^\s/:@]+:)[^\s/@]+(?=@)/g, `$1${mask}`],
];

/**
 * Masks every known secret, in every form that it may come back in, and whatever looks like one. Takes clean text:
 * a control sequence in the middle would hide a secret from it.
 */
export const redactor = (secrets: () => Iterable<string>): Redactor => {
  let known: readonly string[] = [];
  let pattern: RegExp | undefined;
  return text => {
    const now = [...secrets()];
    if (now.length !== known.length || now.some((secret, index) => secret !== known[index])) {
      known = now;
      pattern = patternOf(now);
    }
    const masked = pattern ? text.replace(pattern, mask) : text;
    return looks.reduce((result, [look, replacement]) => result.replace(look, replacement), masked);
  };
};

/** Names and words of the program itself: a short password that happens to be one of them must not turn them around. */
const identifiers: ReadonlySet<string> = new Set([
  ...['type', 'at', 'step', 'host', 'hosts', 'run', 'deployment', 'kind', 'state', 'outcome'],
  ...['check', 'answer', 'by', 'choices', 'address'],
]);

/** Every text in a value without control sequences, without secrets, and of bearable length. */
export const redactDeep = <T>(value: T, redact: Redactor): T => {
  if (typeof value === 'string') return capLines(redact(cleanText(value))) as T;
  if (Array.isArray(value)) return value.map(item => redactDeep(item, redact)) as T;
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, identifiers.has(key) ? item : redactDeep(item, redact)]),
  ) as T;
};

/**
 * The same for the events of a run, one after the other: a private key that is printed line by line is masked even
 * when nobody told us of it.
 */
export const eventRedactor = (redact: Redactor): (<E extends {readonly type: string}>(event: E) => E) => {
  const inKey = new Set<string>();
  return event => {
    const clean = redactDeep(event, redact);
    if (!('line' in clean) || typeof clean.line !== 'string' || !('line' in event)) return clean;
    const source = 'host' in event && 'step' in event ? `${event.step}@${event.host}` : '';
    const given = cleanText(String(event.line));
    if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(given)) {
      if (!/-----END [A-Z ]*PRIVATE KEY-----/.test(given)) inKey.add(source);
      return clean;
    }
    if (!inKey.has(source)) return clean;
    const part = /^\s*([A-Za-z0-9+/=]*|[\w-]+: .*)\s*$/.test(given);
    if (!part) inKey.delete(source);
    return part || /-----END [A-Z ]*PRIVATE KEY-----/.test(given) ? {...clean, line: mask} : clean;
  };
};
