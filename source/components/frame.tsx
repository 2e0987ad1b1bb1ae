import {Box, useWindowSize} from 'ink';
import {createContext, type ReactNode, use, useEffect, useRef} from 'react';
import {useKeyboard} from '../app/keys.tsx';
import {smallestSize} from '../app/stdout-guard.ts';
import {Say, useTheme} from '../app/theme.tsx';
import {clip, column, widthOf, wrap} from './text.ts';

/** A key and what it does, for the foot of the screen and for the list of keys. */
export type Hint = {
  readonly keys: string;
  readonly does: string;
  /** Only in the list of keys. */
  readonly hidden?: boolean;
};

export type Heading = {
  /** What is being worked on: the deployment's name. */
  readonly subject: string;
  /** `Step 2 of 7` on the wizard's screens. */
  readonly step: string;
  readonly practice: boolean;
  /** Told what the keys of the screen are, so that the list of keys can show them. */
  readonly onHints: (hints: readonly Hint[]) => void;
};

const HeadingContext = createContext<Heading>({subject: '', step: '', practice: false, onHints: () => {}});

export const HeadingProvider = HeadingContext.Provider;

/** Forms and prose wider than this are hard to read; tables and logs use it all. */
const readableColumns = 110;

const headLines = 2;
const footLines = 2;

/** The terminal's size; below the smallest one nothing is shown, but what is laid out must still make sense. */
const useSize = (): {readonly columns: number; readonly rows: number} => {
  const {columns, rows} = useWindowSize();
  return {columns: Math.max(columns, smallestSize.columns), rows: Math.max(rows, smallestSize.rows)};
};

/** The room that a screen has between its head and its foot. One line of the terminal stays free: see `Frame`. */
export const useBody = (): {readonly columns: number; readonly rows: number; readonly readable: number} => {
  const {columns, rows} = useSize();
  const {screenReader} = useTheme();
  const {practice} = use(HeadingContext);
  if (screenReader) return spokenBody;
  const inside = columns - 2;
  return {
    columns: inside,
    rows: Math.max(1, rows - 1 - headLines - footLines - (practice ? 1 : 0)),
    readable: Math.min(inside, readableColumns),
  };
};

/** What is read aloud is in no columns, and in as many lines as one can listen to. */
const spokenBody = {columns: 1000, rows: 40, readable: 1000} as const;

export const practiceNotice = 'PRACTICE HOSTS: nothing outside of this program is changed.';

type Props = {readonly title: string; readonly hints: readonly Hint[]; readonly children: ReactNode};

/**
 * What every screen looks like: a head that says where one is, the screen, a foot with its keys. It fills the terminal
 * but for one line, because a frame of its full height makes Ink clear the terminal at every change.
 */
export const Frame = ({title, hints, children}: Props) => {
  const {columns, rows} = useSize();
  const {glyphs, screenReader} = useTheme();
  const keyboard = useKeyboard();
  const {subject, step, practice, onHints} = use(HeadingContext);
  const told = JSON.stringify(hints);
  useEffect(() => onHints(JSON.parse(told) as Hint[]), [told, onHints]);
  // Another title is another screen: the second Enter of a double press was meant for the one before.
  const shown = useRef('');
  useEffect(() => {
    if (shown.current === title) return;
    shown.current = title;
    keyboard.settle();
  }, [title, keyboard]);

  if (screenReader) {
    return (
      <Box flexDirection="column">
        <Say>{[step, title].filter(Boolean).join(': ')}</Say>
        {practice && <Say>{practiceNotice}</Say>}
        {children}
        <Say>{`Keys: ${hints.map(hint => `${hint.keys}: ${hint.does}`).join('; ')}`}</Say>
      </Box>
    );
  }
  const right = [step, title].filter(Boolean).join(` ${glyphs.dot} `);
  const left = subject ? `Groundwork ${glyphs.dot} ${subject}` : 'Groundwork';
  const leftRoom = columns - 2 - widthOf(right) - 2;
  return (
    <Box flexDirection="column" width={columns} height={rows - 1} overflow="hidden">
      <Box paddingX={1} flexShrink={0}>
        <Say tone="strong" wrap="truncate-end">
          {column(left, leftRoom, 'left', glyphs.ellipsis)}
        </Say>
        <Say tone="accent" wrap="truncate-end">{`  ${right}`}</Say>
      </Box>
      <Rule columns={columns} />
      {practice && (
        <Box flexShrink={0}>
          <Say tone="warning" bold wrap="truncate-end">
            {clip(` ${practiceNotice}`, columns, glyphs.ellipsis)}
          </Say>
        </Box>
      )}
      <Box flexDirection="column" flexGrow={1} flexShrink={1} overflow="hidden" paddingX={1}>
        {children}
      </Box>
      <Rule columns={columns} />
      <Box paddingX={1} flexShrink={0}>
        <Say tone="quiet" wrap="truncate-end">
          {hintLine(
            hints.filter(hint => !hint.hidden),
            columns - 2,
          )}
        </Say>
      </Box>
    </Box>
  );
};

const Rule = ({columns}: {readonly columns: number}) => {
  const {glyphs} = useTheme();
  return (
    <Box flexShrink={0}>
      <Say tone="quiet" wrap="truncate-end">
        {glyphs.rule.repeat(columns)}
      </Say>
    </Box>
  );
};

/** As many hints as fit. The last one, which says how to see all keys, always does. */
export const hintLine = (hints: readonly Hint[], columns: number): string => {
  const words = hints.map(hint => `${hint.keys} ${hint.does}`);
  const last = words.at(-1) ?? '';
  const shown = words.slice(0, -1);
  while (shown.length > 0 && widthOf([...shown, last].join('   ')) > columns) shown.pop();
  return clip([...shown, last].join('   '), columns);
};

/** Below so many lines the screen is needed for what is asked. */
const roomForLead = 13;

/**
 * What a screen wants to say before it asks: one or two sentences, and how many lines they take. On a small terminal
 * they are left out.
 */
export const useLead = (text: string): {readonly node: ReactNode; readonly lines: number} => {
  const {readable, rows} = useBody();
  const {screenReader} = useTheme();
  if (rows < roomForLead && !screenReader) return {node: null, lines: 0};
  const node = (
    <Box width={readable} marginBottom={screenReader ? 0 : 1} flexShrink={0}>
      <Say>{wrap(text, readable).join('\n')}</Say>
    </Box>
  );
  return {node, lines: wrap(text, readable).length + 1};
};
