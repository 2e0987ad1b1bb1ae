import {Text} from 'ink';
import {createContext, type ReactNode, use} from 'react';

/** What a piece of text means; screens name this and never a colour. */
export type Tone = 'plain' | 'quiet' | 'strong' | 'accent' | 'good' | 'warning' | 'bad';

export type Glyphs = {
  readonly pointer: string;
  readonly rule: string;
  readonly ellipsis: string;
  readonly good: string;
  readonly bad: string;
  readonly running: string;
  readonly waiting: string;
  readonly none: string;
  readonly open: string;
  readonly closed: string;
  readonly barFull: string;
  readonly barEmpty: string;
  readonly upDown: string;
  readonly leftRight: string;
  readonly more: {readonly above: string; readonly below: string};
  readonly choice: readonly [string, string];
  readonly dot: string;
};

const unicode: Glyphs = {
  pointer: '▸',
  rule: '─',
  ellipsis: '…',
  good: '✓',
  bad: '✗',
  running: '●',
  waiting: '◆',
  none: '·',
  open: '▾',
  closed: '▸',
  barFull: '█',
  barEmpty: '░',
  upDown: '↑↓',
  leftRight: '←→',
  more: {above: '↑', below: '↓'},
  choice: ['◂', '▸'],
  dot: '·',
};

const ascii: Glyphs = {
  pointer: '>',
  rule: '-',
  ellipsis: '...',
  good: '+',
  bad: 'x',
  running: '*',
  waiting: '?',
  none: '.',
  open: 'v',
  closed: '>',
  barFull: '#',
  barEmpty: '.',
  upDown: 'Up/Down',
  leftRight: 'Left/Right',
  more: {above: '^', below: 'v'},
  choice: ['<', '>'],
  dot: '-',
};

export type Theme = {
  readonly glyphs: Glyphs;
  readonly colour: boolean;
  /** Plain lines one after the other: no frames, no drawings, nothing that moves. */
  readonly screenReader: boolean;
  /** Repeats what was typed, as a terminal does that nobody draws on; only for screen readers. */
  readonly echo?: (text: string) => void;
};

/** What the terminal and the operator's environment say about how to draw. */
export type Appearance = {
  readonly ascii?: boolean;
  readonly noColor?: boolean;
  readonly screenReader?: boolean;
};

/**
 * The theme for a terminal. The Linux console and locales without UTF-8 get ASCII; NO_COLOR is honoured when it is
 * set to anything but nothing (no-color.org).
 */
export const themeFor = (appearance: Appearance, environment: Readonly<Record<string, string | undefined>>): Theme => {
  const locale = environment.LC_ALL || environment.LC_CTYPE || environment.LANG || '';
  const plainGlyphs = appearance.ascii ?? (environment.TERM === 'linux' || !/utf-?8/i.test(locale));
  return {
    glyphs: plainGlyphs || appearance.screenReader ? ascii : unicode,
    colour: !(appearance.noColor ?? Boolean(environment.NO_COLOR)) && !appearance.screenReader,
    screenReader: appearance.screenReader ?? false,
  };
};

const ThemeContext = createContext<Theme>({glyphs: unicode, colour: true, screenReader: false});

export const ThemeProvider = ThemeContext.Provider;

export const useTheme = (): Theme => use(ThemeContext);

const colours: Readonly<Record<Tone, string | undefined>> = {
  plain: undefined,
  quiet: 'gray',
  strong: undefined,
  accent: 'cyan',
  good: 'green',
  warning: 'yellow',
  bad: 'red',
};

type SayProps = {
  readonly tone?: Tone;
  readonly bold?: boolean;
  readonly inverse?: boolean;
  readonly wrap?: 'wrap' | 'truncate-end' | 'truncate-middle';
  readonly children?: ReactNode;
};

/** Text with a meaning. Without colour the meaning must be in the words too; `strong` is bold either way. */
export const Say = ({tone = 'plain', bold, inverse, wrap = 'wrap', children}: SayProps) => {
  const {colour} = useTheme();
  const shade = colour ? colours[tone] : undefined;
  return (
    <Text {...(shade && {color: shade})} bold={bold ?? tone === 'strong'} {...(inverse && {inverse})} wrap={wrap}>
      {children}
    </Text>
  );
};
