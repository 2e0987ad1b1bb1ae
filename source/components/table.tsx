import {Box} from 'ink';
import {Say, type Tone, useTheme} from '../app/theme.tsx';
import {column, placed, widthOf} from './text.ts';

export type Column = {
  readonly title: string;
  /** Columns below which it is not narrowed. */
  readonly least?: number;
  readonly align?: 'left' | 'right';
};

export type Cell = string | {readonly text: string; readonly tone: Tone};

type Props = {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
  readonly width: number;
  /** Lines for the table with its head; more rows are shown around the chosen one. */
  readonly height?: number;
  /** Index of the chosen row, if one can be chosen. */
  readonly chosen?: number | undefined;
};

const gap = 2;

const textOf = (cell: Cell | undefined): string => (typeof cell === 'object' ? cell.text : (cell ?? ''));

/** Widths that fit: each as wide as what is in it; what is too much is taken from the widest one after the other. */
export const columnWidths = (
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number,
): readonly number[] => {
  const widths = columns.map(({title}, index) =>
    Math.max(widthOf(title), ...rows.map(row => widthOf(textOf(row[index])))),
  );
  const least = columns.map(({least: wanted, title}, index) =>
    Math.min(widths[index] ?? 0, wanted ?? Math.min(8, widthOf(title) || 1)),
  );
  let excess = widths.reduce((sum, each) => sum + each, 0) + gap * (columns.length - 1) - width;
  while (excess > 0) {
    const candidates = widths.map((each, index) => (each > (least[index] ?? 0) ? each : 0));
    const widest = candidates.indexOf(Math.max(...candidates));
    if ((candidates[widest] ?? 0) === 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess--;
  }
  return widths;
};

/** Which rows of a table are shown in so many lines: those around the chosen one. */
export const rowsInSight = (
  count: number,
  lines: number,
  chosen = 0,
): {readonly first: number; readonly room: number} => {
  const room = Math.max(1, lines);
  return {first: Math.min(Math.max(0, chosen - Math.floor(room / 2)), Math.max(0, count - room)), room};
};

/** Rows in aligned columns, cut to fit. */
export const Table = ({columns, rows, width, height, chosen}: Props) => {
  const {glyphs, screenReader} = useTheme();
  const pointerColumns = chosen === undefined ? 0 : 2;
  if (screenReader) return <SpokenTable columns={columns} rows={rows} chosen={chosen} />;
  const widths = columnWidths(columns, rows, width - pointerColumns);
  const titled = columns.some(each => each.title !== '');
  const {first, room} = rowsInSight(rows.length, (height ?? rows.length + 1) - (titled ? 1 : 0), chosen);
  const cut = (text: string, index: number): string =>
    column(text, widths[index] ?? 0, columns[index]?.align, glyphs.ellipsis);
  const between = ' '.repeat(gap);
  return (
    <Box flexDirection="column" flexShrink={0}>
      {titled && (
        <Say tone="quiet" wrap="truncate-end">
          {' '.repeat(pointerColumns) + columns.map(({title}, index) => cut(title, index)).join(between)}
        </Say>
      )}
      {placed(rows.slice(first, first + room)).map(({place, item}) => (
        <TableRow
          key={place}
          cells={item}
          isChosen={Number(place) + first === chosen}
          indented={pointerColumns > 0}
          cut={cut}
        />
      ))}
    </Box>
  );
};

type RowProps = {
  readonly cells: readonly Cell[];
  readonly isChosen: boolean;
  readonly indented: boolean;
  readonly cut: (text: string, index: number) => string;
};

const TableRow = ({cells, isChosen, indented, cut}: RowProps) => {
  const {glyphs} = useTheme();
  const between = ' '.repeat(gap);
  return (
    <Say tone={isChosen ? 'accent' : 'plain'} bold={isChosen} wrap="truncate-end">
      {indented && (isChosen ? `${glyphs.pointer} ` : '  ')}
      {placed(cells).map(({place, item}) => {
        const index = Number(place);
        const text = cut(textOf(item), index) + (index < cells.length - 1 ? between : '');
        return (
          <Say key={place} tone={typeof item === 'object' ? item.tone : isChosen ? 'accent' : 'plain'} bold={isChosen}>
            {text}
          </Say>
        );
      })}
    </Say>
  );
};

const SpokenTable = ({columns, rows, chosen}: Pick<Props, 'columns' | 'rows' | 'chosen'>) => {
  const sentence = (row: readonly Cell[]): string =>
    columns
      .map(({title}, index) => [title, textOf(row[index])].filter(Boolean).join(' '))
      .filter(Boolean)
      .join('; ');
  const row = chosen === undefined ? undefined : rows[chosen];
  return (
    <Box flexDirection="column">
      {placed(rows).map(({place, item}) => (
        <Say key={place}>{sentence(item)}</Say>
      ))}
      {row && <Say>{`Now at ${sentence(row)}`}</Say>}
    </Box>
  );
};
