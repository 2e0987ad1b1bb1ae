import {Box} from 'ink';
import type {ReactNode} from 'react';
import {Say} from '../app/theme.tsx';
import {helpOf, type Row} from './row.ts';
import {wrap} from './text.ts';

type HelpProps = {readonly row: Row | undefined; readonly columns: number; readonly lines: number};

/** What is wrong with the focused row, or else what to know about it. */
export const HelpArea = ({row, columns, lines}: HelpProps) => {
  const wrong = row && 'error' in row ? row.error : undefined;
  const doubtful = row && 'warning' in row ? row.warning : undefined;
  const blocked = row?.kind === 'action' ? row.disabled : undefined;
  const said: ReactNode[] = [];
  if (wrong)
    said.push(
      ...wrap(`! ${wrong}`, columns).map(text => (
        <Say key={text} tone="bad">
          {text}
        </Say>
      )),
    );
  else if (doubtful)
    said.push(
      ...wrap(`! ${doubtful}`, columns).map(text => (
        <Say key={text} tone="warning">
          {text}
        </Say>
      )),
    );
  else if (blocked) said.push(<Say key="blocked" tone="warning">{`! ${blocked}`}</Say>);
  const help = helpOf(row);
  if (help)
    said.push(
      ...wrap(help, columns).map(text => (
        <Say key={text} tone="quiet">
          {text}
        </Say>
      )),
    );
  return (
    <Box flexDirection="column" marginTop={1} height={lines} overflow="hidden" flexShrink={0}>
      {said.slice(0, lines)}
    </Box>
  );
};
