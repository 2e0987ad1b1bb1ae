import type {Theme, Tone} from '../app/theme.tsx';
import type {StepState} from '../engine/events.ts';

type Look = {readonly word: string; readonly tone: Tone; readonly glyph: (theme: Theme) => string};

const looks: Readonly<Record<StepState, Look>> = {
  pending: {word: 'to do', tone: 'quiet', glyph: ({glyphs}) => glyphs.none},
  running: {word: 'running', tone: 'accent', glyph: ({glyphs}) => glyphs.running},
  changed: {word: 'done', tone: 'good', glyph: ({glyphs}) => glyphs.good},
  unchanged: {word: 'in order', tone: 'good', glyph: ({glyphs}) => glyphs.good},
  failed: {word: 'failed', tone: 'bad', glyph: ({glyphs}) => glyphs.bad},
  waiting: {word: 'waiting', tone: 'warning', glyph: ({glyphs}) => glyphs.waiting},
  skipped: {word: 'skipped', tone: 'warning', glyph: ({glyphs}) => glyphs.none},
  blocked: {word: 'blocked', tone: 'warning', glyph: ({glyphs}) => glyphs.none},
  stopped: {word: 'stopped', tone: 'warning', glyph: ({glyphs}) => glyphs.none},
};

/** Columns that the longest state takes with its sign. */
export const stateColumns = 10;

export const stateWord = (state: StepState): string => looks[state].word;

export const stateTone = (state: StepState): Tone => looks[state].tone;

/** A state as a sign and a word: never by colour alone. */
export const stateText = (state: StepState, theme: Theme): string =>
  theme.screenReader ? looks[state].word : `${looks[state].glyph(theme)} ${looks[state].word}`;
