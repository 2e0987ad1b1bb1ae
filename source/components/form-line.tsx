import {Box} from 'ink';
import {Say, useTheme} from '../app/theme.tsx';
import {Field} from './field.tsx';
import type {Line} from './line-editor.ts';
import type {ActionRow, ChoiceRow, Row} from './row.ts';
import {clip, column, widthOf} from './text.ts';

type LineProps = {
  readonly row: Row;
  readonly focused: boolean;
  readonly line: Line | undefined;
  readonly labelColumns: number;
  readonly actionColumns: number;
  readonly columns: number;
};

/** Columns for a value at least, before what is wrong with it is written beside it. */
const valueColumns = 30;

/** A value must be told from another one in what an aside leaves of it; otherwise the aside gives way. */
const leastValueColumns = 10;

const asideGap = 2;

type HeadingProps = {readonly label: string; readonly aside: string | undefined; readonly columns: number};

const HeadingLine = ({label, aside = '', columns}: HeadingProps) => (
  <Box height={1} flexShrink={0}>
    <Say tone="strong" wrap="truncate-end">
      {column(label, columns - widthOf(aside))}
    </Say>
    {aside !== '' && <Say tone="quiet">{aside}</Say>}
  </Box>
);

/** One row of a form on one line: its label, its value, and what is beside it. */
export const RowLine = ({row, focused, line, labelColumns, actionColumns, columns}: LineProps) => {
  const {glyphs} = useTheme();
  if (row.kind === 'gap') return <Say> </Say>;
  if (row.kind === 'heading') return <HeadingLine label={row.label} aside={row.aside?.text} columns={columns} />;
  const pointer = focused ? `${glyphs.pointer} ` : '  ';
  if (row.kind === 'action')
    return <ActionLine row={row} focused={focused} labelColumns={actionColumns} columns={columns} />;
  const wrong = row.error ?? row.warning;
  const besides = columns - 2 - labelColumns - valueColumns - 2;
  const shown = wrong && !focused && besides > 12;
  const withAside = columns - 2 - labelColumns - (row.aside ? widthOf(row.aside.text) + asideGap : 0);
  const aside = wrong || withAside < leastValueColumns ? undefined : row.aside;
  const room = shown ? valueColumns : aside ? withAside : columns - 2 - labelColumns;
  return (
    <Box height={1} flexShrink={0}>
      <Say tone={focused ? 'accent' : 'plain'} bold={focused} wrap="truncate-end">
        {pointer + column(row.label, labelColumns)}
      </Say>
      <Box width={room} overflow="hidden" flexShrink={0}>
        {row.kind === 'text' && line && (
          <Field
            line={line}
            focused={focused}
            columns={room}
            {...(row.secret && {secret: true})}
            {...(row.placeholder && {placeholder: row.placeholder})}
          />
        )}
        {row.kind === 'choice' && <Choice row={row} focused={focused} />}
        {row.kind === 'fact' && <Say wrap="truncate-end">{row.value}</Say>}
      </Box>
      {shown && <Say tone={row.error ? 'bad' : 'warning'} wrap="truncate-end">{`  ! ${clip(wrong, besides - 2)}`}</Say>}
      {aside && (
        <Say tone="quiet" wrap="truncate-end">
          {' '.repeat(asideGap) + aside.text}
        </Say>
      )}
      {wrong && !focused && !shown && <Say tone="bad"> !</Say>}
    </Box>
  );
};

const ActionLine = ({
  row,
  focused,
  labelColumns,
  columns,
}: {
  readonly row: ActionRow;
  readonly focused: boolean;
  readonly labelColumns: number;
  readonly columns: number;
}) => {
  const {glyphs} = useTheme();
  const aside = row.disabled ?? row.detail;
  return (
    <Box height={1} flexShrink={0}>
      <Say tone={focused ? 'accent' : row.disabled ? 'quiet' : 'plain'} bold={focused} wrap="truncate-end">
        {`${focused ? glyphs.pointer : ' '} ${aside ? column(row.label, Math.max(labelColumns, widthOf(row.label))) : row.label}`}
      </Say>
      {aside && <Say tone="quiet">{`   ${clip(aside, columns - Math.max(labelColumns, widthOf(row.label)) - 5)}`}</Say>}
    </Box>
  );
};

const Choice = ({row, focused}: {readonly row: ChoiceRow; readonly focused: boolean}) => {
  const {glyphs} = useTheme();
  const label = row.options.find(option => option.value === row.value)?.label ?? row.value;
  if (row.options.length < 2) return <Say wrap="truncate-end">{label}</Say>;
  return focused ? (
    <Say tone="accent" wrap="truncate-end">{`${glyphs.choice[0]} ${label} ${glyphs.choice[1]}`}</Say>
  ) : (
    <Say wrap="truncate-end">{label}</Say>
  );
};
