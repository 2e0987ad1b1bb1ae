import type {Glyphs} from '../source/app/theme.tsx';
import type {Hint} from '../source/components/frame.tsx';

/** The keys of every screen that asks for answers. */
export const wizardHints = (glyphs: Glyphs): readonly Hint[] => [
  {keys: glyphs.upDown, does: 'move'},
  {keys: 'Enter', does: 'next'},
  {keys: 'Esc', does: 'back'},
  {keys: glyphs.leftRight, does: 'change a choice'},
  {keys: 'F1', does: 'keys'},
];

export const menuHints = (glyphs: Glyphs, onEscape = 'back'): readonly Hint[] => [
  {keys: glyphs.upDown, does: 'move'},
  {keys: 'Enter', does: 'choose'},
  {keys: 'Esc', does: onEscape},
  {keys: '?', does: 'keys'},
];
