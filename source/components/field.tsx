import {Say, useTheme} from '../app/theme.tsx';
import type {Line} from './line-editor.ts';
import {widthOf} from './text.ts';

type Props = {
  readonly line: Line;
  readonly focused: boolean;
  /** Columns for the value; a longer one is shown around the cursor. */
  readonly columns: number;
  readonly secret?: boolean;
  readonly placeholder?: string;
};

/** Where the shown part of a long line begins, so that the cursor is always in it. */
const windowStart = (widths: readonly number[], cursor: number, columns: number): number => {
  let start = 0;
  let used = widths.slice(0, cursor).reduce((sum, width) => sum + width, 0) + 1;
  while (used > columns && start < cursor) used -= widths[start++] ?? 0;
  return start;
};

/** The value of a text field with its cursor. What keys do to it is in line-editor.ts. */
export const Field = ({line, focused, columns, secret = false, placeholder = ''}: Props) => {
  const {colour} = useTheme();
  const characters = secret ? line.characters.map(() => '*') : line.characters;
  if (characters.length === 0 && placeholder !== '' && !focused) return <Say tone="quiet">{placeholder}</Say>;
  const widths = characters.map(widthOf);
  const start = focused ? windowStart(widths, line.cursor, columns) : 0;
  const end = lastThatFits(widths, start, columns);
  const before = characters.slice(start, Math.min(line.cursor, end)).join('');
  const at = characters[line.cursor] ?? ' ';
  const after = characters.slice(line.cursor + 1, end).join('');
  if (!focused) return <Say wrap="truncate-end">{characters.slice(0, end).join('')}</Say>;
  if (characters.length === 0 && placeholder !== '') {
    return (
      <Say tone="quiet" wrap="truncate-end">
        {colour ? <Say inverse>{placeholder.slice(0, 1)}</Say> : '_'}
        {colour ? placeholder.slice(1) : placeholder}
      </Say>
    );
  }
  // Without colour some terminals show no inverse either: the cursor is then a character of its own.
  return (
    <Say wrap="truncate-end">
      {before}
      {colour ? <Say inverse>{at}</Say> : `_${at === ' ' ? '' : at}`}
      {after}
    </Say>
  );
};

const lastThatFits = (widths: readonly number[], start: number, columns: number): number => {
  let used = 0;
  let end = start;
  while (end < widths.length && used + (widths[end] ?? 0) <= columns - 1) used += widths[end++] ?? 0;
  return end;
};
