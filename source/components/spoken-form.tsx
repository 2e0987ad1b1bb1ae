import {Box} from 'ink';
import {Say} from '../app/theme.tsx';
import {helpOf, type Row} from './row.ts';

/** The same for a screen reader: every row that is not being changed, then the one that is. */
export const SpokenForm = ({
  rows,
  focused,
  held,
}: {
  readonly rows: readonly Row[];
  readonly focused: Row | undefined;
  /** What the focused row held when the focus came. */
  readonly held: string;
}) => (
  <Box flexDirection="column">
    {rows
      .filter(row => row.kind !== 'gap' && row.kind !== 'action' && row.id !== focused?.id)
      .map(row => (
        <Say key={row.id}>{spoken(row)}</Say>
      ))}
    {focused && <Say>{spokenFocus(focused, held)}</Say>}
  </Box>
);

const spoken = (row: Row): string => {
  if (row.kind === 'gap') return '';
  if (row.kind === 'heading' || row.kind === 'action') return row.label;
  const wrong = row.error ?? row.warning;
  const aside = row.aside ? ` ${row.aside.spoken}.` : '';
  return `${row.label}: ${spokenValue(row)}.${aside}${wrong ? ` Wrong: ${wrong}.` : ''}`;
};

export const spokenValue = (row: Exclude<Row, {kind: 'gap' | 'heading'}>): string => {
  if (row.kind === 'action') return '';
  if (row.kind === 'choice') return row.options.find(option => option.value === row.value)?.label ?? row.value;
  if (row.value === '') return 'nothing';
  return row.kind === 'text' && row.secret ? 'something secret' : row.value;
};

const spokenFocus = (row: Row, held: string): string => {
  switch (row.kind) {
    case 'text':
      // Not the value of now, or every letter typed would be read out as a new line.
      return `Now at ${row.label}, a text field that held ${held}. ${row.error ? `Wrong: ${row.error}. ` : ''}${row.help ?? ''}`;
    case 'choice':
      return `Now at ${spoken(row)} ${row.options.length > 1 ? 'Left and right change it. ' : ''}${helpOf(row)}`;
    case 'action':
      return `Now at ${row.label}. ${row.disabled ?? row.detail ?? 'Enter does it.'}`;
    default:
      return '';
  }
};
