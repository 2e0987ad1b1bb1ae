import {spawnSync} from 'node:child_process';
import {fileURLToPath} from 'node:url';
import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {isTrue, readSettings} from '../../source/import/settings-file.ts';

const seen = (text: string): Record<string, string> =>
  Object.fromEntries(
    readSettings(text)
      .settings.filter(({value}) => value !== '')
      .map(({key, value}) => [key, value]),
  );

const judge = fileURLToPath(new URL('parser.sh', import.meta.url));

/** What Bash makes of the same text. */
const judged = (text: string): Record<string, string> => {
  const {stdout, status, stderr} = spawnSync('bash', [judge], {input: text, encoding: 'utf8', env: {LC_ALL: 'C'}});
  if (status !== 0) throw new Error(stderr);
  const words = stdout.split('\0').slice(0, -1);
  return Object.fromEntries(words.flatMap((word, at) => (at % 2 === 0 ? [[word, words[at + 1] ?? '']] : [])));
};

describe('a file of OpenG2P’s scripts', () => {
  test.each([
    ['plain values', 'a: 1\nb:2\nc  :  three words  \n', {a: '1', b: '2', c: 'three words'}],
    ['comments and blank lines', '# a: 1\n\n   # b: 2\nc: 3 # four\n', {c: '3'}],
    ['one quote at each end', `a: "x"\nb: 'y'\nc: "it's"\nd: '"z"'\n`, {a: 'x', b: 'y', c: "it's", d: '"z"'}],
    ['what is cut off at #, in quotes too', 'a: "#alerts"\nb: "abc#def"\n', {b: 'abc'}],
    ['no escapes', 'a: "x\\"y"\n', {a: 'x\\"y'}],
    ['groups', 'environment:\n  name: qa\n  base_domain: ""\nother: 1\n', {'environment.name': 'qa', other: '1'}],
    ['deeper groups, which are flattened', 'a:\n  b:\n    c: 1\n  d: 2\n', {'a.c': '1', 'a.d': '2'}],
    ['what is indented below no group', 'a: 1\n  b: 2\n', {a: '1', b: '2'}],
    ['a group that a value at the margin ends', 'a:\n  b: 1\nc: 2\n  d: 3\n', {'a.b': '1', c: '2', d: '3'}],
    ['an empty text, which is a group too', 'public_domain: ""\n  x: 1\n', {'public_domain.x': '1'}],
    ['lists, which are passed over', 'paths:\n  - one\n  - two: 2\nb: 3\n', {b: '3'}],
    ['colons in values', 'a: https://x:1/y\n', {a: 'https://x:1/y'}],
    ['line ends of Windows', 'a: "1"\r\nb:\r\n\tc: 2\r\n', {a: '1', 'b.c': '2'}],
    ['no line end at the end', 'a: 1', {a: '1'}],
  ])('is read like the scripts do: %s', (_, text, expected) => {
    expect(seen(text)).toEqual(expected);
    expect(judged(text)).toEqual(expected);
  });

  test('is read like the scripts do, whatever it holds', () => {
    const line = fc
      .array(
        fc.constantFrom(
          'a',
          'b_1',
          'name',
          ':',
          ': ',
          ' ',
          '  ',
          '\t',
          '#',
          '"',
          "'",
          '-',
          '- ',
          '\\',
          '$x',
          '`',
          '"#"',
          '\r',
          '.',
        ),
        {
          maxLength: 9,
        },
      )
      .map(parts => parts.join(''));
    fc.assert(
      fc.property(fc.array(line, {maxLength: 14}), lines => {
        const text = lines.join('\n');
        expect(seen(text)).toEqual(judged(text));
      }),
      {numRuns: 400},
    );
  }, 120_000);

  test('tells the line of each setting, and what it is with its quotes respected', () => {
    expect(readSettings('\na: "#alerts" # where\nb:\n  c: x#y # z\n').settings).toEqual([
      {key: 'a', value: '', written: '#alerts', line: 2},
      {key: 'b', value: '', written: '', line: 3},
      {key: 'b.c', value: 'x', written: 'x#y', line: 4},
    ]);
  });

  test('tells lines that are no settings', () => {
    expect(readSettings('a: 1\nwhat is this\n- b: 2\n: 3\n').passedOver).toEqual([
      {line: 2, why: 'is no setting like "name: value"'},
      {line: 3, why: 'is an entry of a list'},
      {line: 4, why: 'is no setting like "name: value"'},
    ]);
  });

  test('of any text is read in no time', () => {
    const start = performance.now();
    for (const text of [
      'x'.repeat(262_144),
      ' '.repeat(262_144),
      'a:\n'.repeat(80_000),
      ': '.repeat(131_072),
      '"'.repeat(262_144),
    ]) {
      readSettings(text);
    }
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});

test('the scripts know three words for yes', () => {
  expect(['true', 'yes', '1', 'True', 'on', '', undefined].map(isTrue)).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});
