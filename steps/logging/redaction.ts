/** A pattern of RE2 that JavaScript reads alike, and what stands in its place; `$1` is the first group. */
export type Redaction = {readonly what: string; readonly pattern: string; readonly replacement: string};

/**
 * What must not lie in a log store, in the order in which it is looked for: what comes after `Bearer` is the secret, and
 * not that word. Twelve digits are the form of many countries' numbers of
 * people.
 */
export const redactions: readonly Redaction[] = [
  {
    what: 'the header that logs in to a service',
    pattern: '((?i:authorization)"?\\s*[:=]\\s*"?)((?i:bearer|basic)\\s+)?[^\\s"\',;]+',
    replacement: '$1$2[redacted]',
  },
  {
    // With a sign that is no letter, since “basic checks” are no credentials.
    what: 'credentials without that header',
    pattern: '\\b((?i:bearer|basic))\\s+[A-Za-z0-9._~+/-]{4,}[0-9=_][A-Za-z0-9._~+/=-]*',
    replacement: '$1 [redacted]',
  },
  {
    what: 'passwords, tokens and keys by their names',
    pattern:
      '((?i:password|passwd|pwd|secret|token|api[_-]?key|private[_-]?key)"?\\s*[:=]\\s*)("[^"]*"|\'[^\']*\'|[^\\s"\',;&}]+)',
    replacement: '$1[redacted]',
  },
  {
    what: 'mail addresses',
    pattern: '[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\\.[A-Za-z]{2,}',
    replacement: '[mail]',
  },
  {
    what: 'numbers of people',
    pattern: '\\b\\d{4}[ -]?\\d{4}[ -]?\\d{4}\\b',
    replacement: '[number]',
  },
];

/**
 * A text within a statement of the collector. The collector itself replaces what begins with a dollar sign, also in its
 * own settings, unless it is doubled.
 */
const quoted = (text: string): string => JSON.stringify(text).replaceAll('$', '$$$$');

/**
 * The collector's processor: on the text of a line, and on each value beside it. A line that is no text is left to the
 * second statement, and one that cannot be read is passed on rather than lost.
 */
export const redactionProcessor = {
  error_mode: 'ignore',
  log_statements: [
    {
      context: 'log',
      statements: redactions.flatMap(({pattern, replacement}) => [
        `replace_pattern(log.body, ${quoted(pattern)}, ${quoted(replacement)}) where IsString(log.body)`,
        `replace_all_patterns(log.body, "value", ${quoted(pattern)}, ${quoted(replacement)}) where IsMap(log.body)`,
        `replace_all_patterns(log.attributes, "value", ${quoted(pattern)}, ${quoted(replacement)})`,
      ]),
    },
  ],
} as const;
