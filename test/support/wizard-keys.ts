import {key, type Screen} from './terminal.ts';

const pause = (milliseconds: number) => new Promise(resolve => setTimeout(resolve, milliseconds));

/** Just after a change of screen keys that answer are ignored, so that nobody agrees to what was not read. */
const settled = 450;

/** Longer than any list of the wizard. */
const most = 30;

const isOn = (screen: Screen, label: string): boolean =>
  screen.lines().some(line => line.trimStart().startsWith(`▸ ${label}`));

/** Moves to the row with this label, as an operator does: down, and when it was not there, up. */
export const focus = async (screen: Screen, label: string): Promise<void> => {
  await pause(settled);
  for (const direction of [key.down, key.up]) {
    for (let moves = 0; moves < most; moves += 1) {
      if (isOn(screen, label)) return;
      await screen.press(direction);
      await pause(60);
    }
  }
  throw new Error(`there is no "${label}" to choose on:\n${screen.text()}`);
};

/** Moves to the row with this label, and presses Enter. */
export const choose = async (screen: Screen, label: string): Promise<void> => {
  await focus(screen, label);
  await screen.press(key.enter);
};

/** Types the word that a grave choice asks for, and agrees. */
export const confirm = async (screen: Screen, word: string): Promise<void> => {
  await pause(settled);
  await screen.press(word, key.enter);
  await pause(settled);
  await screen.press(key.enter);
};

/** Goes to the screen before. */
export const goBack = async (screen: Screen): Promise<void> => {
  await pause(settled);
  await screen.press(key.escape);
};
