import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {cutTokens, giveUp} from '../../source/app/key-tokens.ts';

const up = '\u001b[A';
const down = '\u001b[B';

describe('what a terminal sends is cut into keys', () => {
  test.each([
    ['arrows and Enter in one piece', `${down}${down}\r`, [down, down, '\r']],
    ['letters one by one', 'abc', ['a', 'b', 'c']],
    ['text, then Enter', 'ab\r', ['a', 'b', '\r']],
    ['three times Backspace', '\u007f\u007f\u007f', ['\u007f', '\u007f', '\u007f']],
    ['Alt and a letter', '\u001bb', ['\u001bb']],
    ['Escape before an arrow', `\u001b${up}`, ['\u001b', up]],
    ['Delete, Home, End', '\u001b[3~\u001b[H\u001bOF', ['\u001b[3~', '\u001b[H', '\u001bOF']],
    ['F1 of the Linux console', '\u001b[[Ax', ['\u001b[[A', 'x']],
    ['an arrow with Ctrl', '\u001b[1;5D', ['\u001b[1;5D']],
    ['a bracketed paste as a whole', '\u001b[200~a\rb\u001b[201~\r', ['\u001b[200~a\rb\u001b[201~', '\r']],
    ['a family that is one character', '👩‍👩‍👧x', ['👩‍👩‍👧', 'x']],
    ['wide characters', '日本', ['日', '本']],
    ['a long text at once', 'x'.repeat(100), ['x'.repeat(100)]],
  ])('%s', (_, input, tokens) => {
    expect(cutTokens(input)).toEqual({tokens, pending: ''});
  });

  test.each([
    '\u001b',
    '\u001b[',
    '\u001b[1;',
    '\u001bO',
    '\u001b[20',
    '\u001b[200~half a paste',
  ])('%j may go on and is kept', input => {
    expect(cutTokens(`x${input}`)).toEqual({tokens: ['x'], pending: input});
  });

  test('nothing is lost and nothing is added, wherever the line cuts it', () => {
    const pieces = fc.array(
      fc.oneof(
        fc.string({unit: 'grapheme'}),
        fc.constantFrom(up, down, '\r', '\u007f', '\u001b[200~p\rq\u001b[201~', '\u001bOP'),
      ),
    );
    fc.assert(
      fc.property(pieces, fc.nat(), (parts, at) => {
        const input = parts.join('').replaceAll('\u001b', '\u001b[A');
        const cut = at % (input.length + 1);
        const first = cutTokens(input.slice(0, cut));
        const second = cutTokens(first.pending + input.slice(cut));
        expect([...first.tokens, ...second.tokens].join('') + second.pending).toBe(input);
      }),
    );
  });
});

describe('what never comes to its end', () => {
  test('is Escape, when it was Escape alone', () => {
    expect(giveUp('\u001b')).toEqual(['\u001b']);
  });

  test('is dropped, when it was half a sequence', () => {
    expect(giveUp('\u001b[1;')).toEqual([]);
  });

  test('is a paste, when the end of a paste got lost', () => {
    expect(giveUp('\u001b[200~text')).toEqual(['\u001b[200~text\u001b[201~']);
  });
});
