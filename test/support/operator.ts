import {stripVTControlCharacters} from 'node:util';
import {key, type Screen} from './terminal.ts';

/** Milliseconds in which what has just come ignores the keys that answer (a card does longest), and a little more. */
const settling = 800;

/** Milliseconds after which a key that moved nothing is taken for one at the end of a form. */
const slowest = 3000;

/** Milliseconds that a screen may take on a machine that is busy with other things; a limit, not a wait. */
const patience = 60_000;

/** Presses after which a row counts as missing: more than any form has. */
const longestForm = 40;

const pause = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds));

/** Whether a line is the row with just this label, be it the one with the pointer or not. */
const isRow = (line: string, pointer: '▸' | ' ', label: string): boolean => {
  const start = ` ${pointer} ${label}`;
  return line === start || line.startsWith(`${start}  `);
};

export type Operator = {
  /** Moves to a row, by its label. */
  readonly goTo: (label: string) => Promise<void>;
  /** Moves to a row and presses Enter, whatever comes then. */
  readonly pick: (label: string) => Promise<void>;
  /** The same; settles with the screen that shows what was expected. */
  readonly choose: (label: string, expected: string | RegExp, milliseconds?: number) => Promise<string>;
  /** Puts a text in the place of what a field held. */
  readonly fill: (label: string, text: string) => Promise<void>;
  /** Presses Escape; settles with the screen that one came from. */
  readonly leave: (expected: string | RegExp) => Promise<string>;
  /** Types the word that a question asks for, and confirms. */
  readonly confirm: (word: string, expected: string | RegExp, milliseconds?: number) => Promise<string>;
};

/** Somebody who reads the screen before each key: rows are found by what they say, never by counting. */
export const operatorAt = (screen: Screen): Operator => {
  const pointer = (): string => screen.lines().find(line => line.startsWith(' ▸ ')) ?? '';

  /** Until nothing more was drawn for a moment: half a frame would tell another place than a whole one. */
  const rest = async (): Promise<void> => {
    for (let before = -1; before !== screen.bytes().length; ) {
      before = screen.bytes().length;
      await pause(50);
    }
  };

  const movedFrom = async (before: string): Promise<void> => {
    for (let waited = 0; [before, ''].includes(pointer()) && waited < slowest; waited += 20) await pause(20);
    await rest();
  };

  /** A frame that is taller than the terminal pushes its own first line out, and never gets it back. */
  const upright = (shown: string): string => {
    if (screen.scrolled() > 0)
      throw new Error(`${screen.scrolled()} lines were pushed out at the top; the screen is:\n${shown}`);
    return shown;
  };

  const goTo: Operator['goTo'] = async label => {
    // Rows that are out of sight are looked for below first, then above.
    let onwards: string = key.down;
    await rest();
    for (let presses = 0; presses < longestForm; presses++) {
      const lines = screen.lines();
      const here = lines.findIndex(line => line.startsWith(' ▸ '));
      if (isRow(lines[here] ?? '', '▸', label)) return;
      const there = lines.findIndex(line => isRow(line, ' ', label));
      if (there === -1 && !lines.some(line => / more below$/.test(line))) onwards = key.up;
      const before = pointer();
      await screen.press(there === -1 ? onwards : there < here ? key.up : key.down);
      await movedFrom(before);
    }
    throw new Error(`no row "${label}" could be reached; the screen is:\n${screen.text()}`);
  };

  const pick: Operator['pick'] = async label => {
    await goTo(label);
    await pause(settling);
    await screen.press(key.enter);
  };

  const choose: Operator['choose'] = async (label, expected, milliseconds = patience) => {
    await pick(label);
    return upright(await screen.waitFor(expected, milliseconds));
  };

  const fill: Operator['fill'] = async (label, text) => {
    await goTo(label);
    await screen.press(key.end, key.ctrlU, text);
    // A long value is shown from its end.
    upright(await screen.waitFor(new RegExp(`^ ▸ ${escaped(label)} .*${escaped(text.slice(-20))}`, 'm'), patience));
  };

  const confirm: Operator['confirm'] = async (word, expected, milliseconds) => {
    await fill(`Type "${word}"`, word);
    return choose('Do it', expected, milliseconds);
  };

  const leave: Operator['leave'] = async expected => {
    await pause(settling);
    await screen.press(key.escape);
    return upright(await screen.waitFor(expected, patience));
  };

  return {goTo, pick, choose, fill, leave, confirm};
};

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** What a program drew, without colours and cursor movements, and without the line ends that wrapping made. */
export const drawn = (bytes: string): string => stripVTControlCharacters(bytes);
