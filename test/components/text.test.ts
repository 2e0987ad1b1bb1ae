import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {
  bytes,
  clip,
  column,
  counted,
  duration,
  printable,
  roughDuration,
  widthOf,
  wrap,
} from '../../source/components/text.ts';

describe('text in columns', () => {
  test('is cut with an ellipsis, or padded, to exactly its columns', () => {
    expect(column('abc', 5)).toBe('abc  ');
    expect(column('abcdef', 4)).toBe('abc…');
    expect(column('7', 3, 'right')).toBe('  7');
    expect(column('日本語', 5)).toBe('日本…');
    expect(column('日本語', 4)).toBe('日… ');
    expect(clip('abcdef', 5, '...')).toBe('ab...');
    expect(clip('abc', 0)).toBe('');
  });

  test('never takes more or fewer columns, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({unit: 'grapheme-ascii'}), fc.integer({min: 1, max: 40}), (text, columns) => {
        expect(widthOf(column(text, columns))).toBe(columns);
      }),
    );
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', '日', '👩‍👩‍👧', 'é')),
        fc.integer({min: 2, max: 20}),
        (parts, columns) => {
          expect(widthOf(column(parts.join(''), columns))).toBe(columns);
        },
      ),
    );
  });

  test('is broken between words, and keeps its indentation', () => {
    expect(wrap('one two three', 8)).toEqual(['one two', 'three']);
    expect(wrap('  one two', 6)).toEqual(['  one', '  two']);
    expect(wrap('CA   one two three', 12)).toEqual(['CA   one two', '     three']);
    expect(wrap('abcdefgh', 4)).toEqual(['abcd', 'efgh']);
    expect(wrap('', 4)).toEqual(['']);
  });
});

describe('text from outside', () => {
  test.each([
    ['colours', '\u001b[31mred\u001b[0m', 'red'],
    ['cursor movements', 'a\u001b[2J\u001b[Hb', 'ab'],
    ['a title for the window', '\u001b]0;title\u0007text', 'text'],
    ['a bell and a backspace', 'a\u0007\u0008b', 'ab'],
    ['a carriage return', '10 %\r20 %', '10 %20 %'],
    ['text that runs the other way', 'a\u202eb', 'ab'],
    ['tabs', 'a\tb', 'a  b'],
  ])('loses %s', (_, text, wanted) => {
    expect(printable(text)).toBe(wanted);
  });

  test('cannot bring a control character to the terminal', () => {
    fc.assert(
      fc.property(fc.string({unit: 'binary'}), text => {
        expect(printable(text)).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
      }),
    );
  });
});

test('estimates are no finer than they can be', () => {
  expect([12.4, 95, 120, 2763, 3629, 7260].map(roughDuration)).toEqual([
    '12 s',
    '1 min 40 s',
    '2 min',
    '46 min',
    '1 h',
    '2 h 1 min',
  ]);
});

test('figures are said as people say them', () => {
  expect([0, 59.6, 60, 3599, 3700].map(duration)).toEqual([
    '0 s',
    '1 min 0 s',
    '1 min 0 s',
    '59 min 59 s',
    '1 h 1 min',
  ]);
  expect([500, 1536, 62.8 * 1024 ** 3, 123 * 1024 ** 3].map(bytes)).toEqual([
    '500 B',
    '1.5 KiB',
    '62.8 GiB',
    '123 GiB',
  ]);
  expect([counted(1, 'check'), counted(3, 'check'), counted(2, 'entry', 'entries')]).toEqual([
    '1 check',
    '3 checks',
    '2 entries',
  ]);
});
