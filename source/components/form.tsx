import {Box} from 'ink';
import {useReducer, useRef} from 'react';
import {type KeyPress, priority, useKeys, useLayerActive} from '../app/keys.tsx';
import {Say, useTheme} from '../app/theme.tsx';
import {HelpArea} from './form-help.tsx';
import {RowLine} from './form-line.tsx';
import {edit, type Line, lineOf, textOf} from './line-editor.ts';
import type {ActionRow, ChoiceRow, Row, TextRow} from './row.ts';
import {SpokenForm, spokenValue} from './spoken-form.tsx';
import {widthOf} from './text.ts';

type Props = {
  readonly rows: readonly Row[];
  readonly columns: number;
  /** Lines for rows and help together. */
  readonly height: number;
  /** The row that has the focus at first. */
  readonly initial?: string;
  /**
   * The focus goes along when `initial` changes, unless it was moved since the last Enter: for rows that change by
   * themselves, where it must not jump away under the fingers of somebody who is on the way to another row.
   */
  readonly follows?: boolean;
  readonly active?: boolean;
};

/** Lines for help below the rows; fewer on a small terminal. */
const helpLinesFor = (height: number): number => (height < 13 ? 2 : 3);
const longestLabel = 28;

const isFocusable = (row: Row): row is TextRow | ChoiceRow | ActionRow =>
  row.kind === 'text' || row.kind === 'choice' || row.kind === 'action';

/** A column of rows to fill in. Up and down move, typing types, Enter goes on; what is wrong shows at once. */
export const Form = ({rows, columns, height, initial, follows = false, active = true}: Props) => {
  const {glyphs, screenReader, echo} = useTheme();
  const uppermost = useLayerActive() && active;
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const focusable = rows.filter(isFocusable);
  const chosen = useRef(initial);
  const followed = useRef(initial);
  const moved = useRef(false);
  if (follows && followed.current !== initial) {
    followed.current = initial;
    if (!moved.current) chosen.current = initial;
  }
  const lines = useRef(new Map<string, Line>());
  const focused = focusable.find(row => row.id === chosen.current) ?? focusable[0];
  const held = useRef({id: '', value: ''});
  if (focused && held.current.id !== focused.id) held.current = {id: focused.id, value: spokenValue(focused)};

  const lineFor = (row: TextRow): Line => {
    const kept = lines.current.get(row.id);
    return kept && textOf(kept) === row.value ? kept : lineOf(row.value);
  };

  const moveBy = (by: number): void => {
    if (!focused) return;
    if (focused.kind === 'text') focused.onCommit?.();
    const index = focusable.findIndex(row => row.id === focused.id);
    moved.current = true;
    chosen.current = focusable[Math.min(Math.max(index + by, 0), focusable.length - 1)]?.id;
    redraw();
  };

  const editFocused = (row: TextRow, key: KeyPress): boolean => {
    const before = lineFor(row);
    const after = edit(before, key, row.joiner);
    // What a line has no use for belongs to the screen; but a letter must never do something while one is typing.
    if (!after) return key.name === 'text' && !key.ctrl;
    lines.current.set(row.id, after);
    const text = textOf(after);
    if (text !== row.value) {
      row.onChange(text);
      if (!key.ctrl && !key.alt) echo?.(key.name === 'backspace' ? '\b \b' : row.secret ? '*' : key.text);
    }
    redraw();
    return true;
  };

  useKeys(
    key => {
      if (!focused) return false;
      switch (key.name) {
        case 'up':
        case 'backtab':
          moveBy(-1);
          return true;
        case 'down':
        case 'tab':
          moveBy(1);
          return true;
        case 'enter':
          if (focused.kind !== 'action') moveBy(1);
          else if (focused.disabled === undefined) {
            moved.current = false;
            focused.onSelect();
          }
          return true;
        default:
          break;
      }
      if (focused.kind === 'text') return editFocused(focused, key);
      if (focused.kind === 'action') {
        const act = key.name === 'text' && !key.ctrl && !key.alt ? focused.keys?.[key.text] : undefined;
        act?.();
        return act !== undefined;
      }
      if (focused.kind === 'choice') {
        const step = key.name === 'left' ? -1 : key.name === 'right' || key.text === ' ' ? 1 : 0;
        if (step === 0) return false;
        const at = focused.options.findIndex(option => option.value === focused.value);
        const next = focused.options[(at + step + focused.options.length) % focused.options.length];
        if (next) focused.onChange(next.value);
        return true;
      }
      return false;
    },
    {active, priority: priority.control},
  );

  const labelColumns =
    Math.min(longestLabel, Math.max(0, ...rows.map(row => ('value' in row ? widthOf(row.label) : 0)))) + 2;
  const actionColumns = Math.min(
    longestLabel + 4,
    Math.max(0, ...rows.map(row => (row.kind === 'action' && (row.detail || row.disabled) ? widthOf(row.label) : 0))),
  );
  if (screenReader)
    return <SpokenForm rows={rows} focused={uppermost ? focused : undefined} held={held.current.value} />;

  const helpLines = helpLinesFor(height);
  const room = Math.max(3, height - helpLines - 1);
  const {first, last, above, below} = visible(
    rows.length,
    rows.findIndex(row => row.id === focused?.id),
    room,
  );
  return (
    <Box flexDirection="column" width={columns}>
      <Box flexDirection="column" height={room} overflow="hidden" flexShrink={0}>
        {above > 0 && <Say tone="quiet">{`  ${glyphs.more.above} ${above} more above`}</Say>}
        {rows.slice(first, last).map(row => (
          <RowLine
            key={row.id}
            row={row}
            focused={uppermost && row.id === focused?.id}
            line={row.kind === 'text' ? lineFor(row) : undefined}
            labelColumns={labelColumns}
            actionColumns={actionColumns}
            columns={columns}
          />
        ))}
        {below > 0 && <Say tone="quiet">{`  ${glyphs.more.below} ${below} more below`}</Say>}
      </Box>
      <HelpArea row={uppermost ? focused : undefined} columns={columns} lines={helpLines} />
    </Box>
  );
};

/** The rows that clip, with the focused one among them, and how many are above and below. */
const visible = (count: number, at: number, room: number) => {
  if (count <= room) return {first: 0, last: count, above: 0, below: 0};
  const inner = Math.max(1, room - 2);
  const first = Math.min(Math.max(0, at - Math.floor(inner / 2)), count - inner);
  // At either end the line that would say "more" is there for a row.
  if (first <= 1) return {first: 0, last: inner + 1, above: 0, below: count - inner - 1};
  if (first + inner >= count - 1) {
    return {first: count - inner - 1, last: count, above: count - inner - 1, below: 0};
  }
  return {first, last: first + inner, above: first, below: count - first - inner};
};
