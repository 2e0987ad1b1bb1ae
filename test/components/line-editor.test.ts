import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import type {KeyName, KeyPress} from '../../source/app/keys.tsx';
import {edit, type Line, lineOf, textOf} from '../../source/components/line-editor.ts';

const press = (name: KeyName, text = '', modifiers: Partial<KeyPress> = {}): KeyPress => ({
  name,
  text,
  ctrl: false,
  alt: false,
  ...modifiers,
});
const type = (text: string) => press('text', text);
const ctrl = (text: string) => press('text', text, {ctrl: true});
const alt = (text: string) => press('text', text, {alt: true});
const paste = (text: string) => press('paste', text);

const lineAfter = (text: string, ...keys: readonly KeyPress[]): Line =>
  keys.reduce((line, key) => edit(line, key) ?? line, lineOf(text));

/** The line with a bar where the cursor is. */
const shown = ({characters, cursor}: Line): string =>
  [...characters.slice(0, cursor), '|', ...characters.slice(cursor)].join('');

describe('a line that is typed', () => {
  test.each<[string, string, readonly KeyPress[], string]>([
    ['typing goes on at the end', 'ab', [type('c')], 'abc|'],
    ['left and typing', 'abc', [press('left'), press('left'), type('x')], 'ax|bc'],
    ['Backspace', 'abc', [press('backspace'), press('backspace')], 'a|'],
    ['Backspace at the beginning', 'abc', [press('home'), press('backspace')], '|abc'],
    ['Delete takes what is right of the cursor', 'abc', [press('home'), press('delete')], '|bc'],
    ['Home and End', 'abc', [press('home'), type('x'), press('end'), type('y')], 'xabcy|'],
    ['Ctrl-A and Ctrl-E', 'abc', [ctrl('a'), type('x'), ctrl('e'), type('y')], 'xabcy|'],
    ['Ctrl-U deletes to the beginning', 'one two', [press('left'), ctrl('u')], '|o'],
    ['Ctrl-K deletes to the end', 'one two', [press('home'), press('right'), ctrl('k')], 'o|'],
    ['Ctrl-W deletes a word', 'one two', [ctrl('w')], 'one |'],
    ['Ctrl-W in an address deletes one part', '10.0.0.11', [ctrl('w')], '10.0.0.|'],
    ['Alt-B and Alt-F go by words', 'one two', [alt('b'), alt('b'), alt('f'), type('x')], 'onex| two'],
    ['Ctrl-Left goes by words', 'one two', [press('left', '', {ctrl: true})], 'one |two'],
    ['Ctrl-D deletes like Delete', 'abc', [ctrl('a'), ctrl('d')], '|bc'],
    ['a wide character is one', '日本', [press('backspace')], '日|'],
    ['a family is one', 'x👩‍👩‍👧', [press('backspace')], 'x|'],
    ['an accent joins its letter', 'e', [type('\u0301'), press('backspace')], '|'],
    ['a paste goes in at the cursor', 'ad', [press('left'), paste('bc')], 'abc|d'],
    ['a paste of several lines becomes one', '', [paste('a\r\nb\n')], 'a b|'],
    ['control characters in a paste are dropped', '', [paste('a\u0007b\u001bc')], 'a b c|'],
  ])('%s', (_, text, keys, wanted) => {
    expect(shown(lineAfter(text, ...keys))).toBe(wanted);
  });

  test('lists join pasted lines with commas', () => {
    const line = edit(lineOf(''), paste('one\ntwo\n'), ', ');
    expect(line && textOf(line)).toBe('one, two');
  });

  test.each<[string, KeyPress]>([
    ['Enter', press('enter')],
    ['Escape', press('escape')],
    ['up', press('up')],
    ['Ctrl-C', ctrl('c')],
    ['Ctrl-G', ctrl('g')],
  ])('%s is left to the screen', (_, key) => {
    expect(edit(lineOf('abc'), key)).toBeUndefined();
  });

  test('never holds a control character or half a character, whatever is pressed', () => {
    const keys = fc.oneof(
      fc.string({unit: 'binary'}).map(type),
      fc.string({unit: 'binary'}).map(paste),
      fc.constantFrom<KeyName>('left', 'right', 'home', 'end', 'backspace', 'delete').map(name => press(name)),
      fc.constantFrom(...'aebfukwd').map(ctrl),
      fc.constantFrom(...'bfd').map(alt),
    );
    fc.assert(
      fc.property(fc.array(keys), pressed => {
        const line = lineAfter('', ...pressed);
        expect(textOf(line)).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
        expect(line.cursor).toBeGreaterThanOrEqual(0);
        expect(line.cursor).toBeLessThanOrEqual(line.characters.length);
      }),
    );
  });
});
