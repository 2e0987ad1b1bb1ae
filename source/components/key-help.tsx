import {Box} from 'ink';
import {useKeys} from '../app/keys.tsx';
import {Say} from '../app/theme.tsx';
import {Frame, type Hint, useBody} from './frame.tsx';
import {column, widthOf} from './text.ts';

/** Keys that mean the same on every screen. */
export const everywhere: readonly Hint[] = [
  {keys: 'F1 or Ctrl-G', does: 'this list, also while typing; ? elsewhere'},
  {keys: 'Esc', does: 'back; no answer is lost'},
  {keys: 'Ctrl-C', does: 'leave; everything is kept, and the next start goes on from here'},
];

export const editing: readonly Hint[] = [
  {keys: 'Home, End', does: 'to the beginning or end of a field; also Ctrl-A, Ctrl-E'},
  {keys: 'Ctrl-U, Ctrl-K', does: 'delete to the beginning or end of a field'},
  {keys: 'Ctrl-W', does: 'delete the word before the cursor'},
];

type Props = {readonly screen: string; readonly hints: readonly Hint[]; readonly onClose: () => void};

/** The keys of the screen that it covers. */
export const KeyHelp = ({screen, hints, onClose}: Props) => {
  const {readable, rows} = useBody();
  useKeys(key => {
    if (key.ctrl && key.text === 'c') return false;
    onClose();
    return true;
  });
  const own = hints.filter(hint => !['Esc', '?', 'F1'].includes(hint.keys));
  const keyColumns = Math.max(...[...own, ...everywhere, ...editing].map(hint => widthOf(hint.keys))) + 3;
  const list = (title: string, from: readonly Hint[]) => (
    <Box flexDirection="column" marginBottom={rows > 17 ? 1 : 0} flexShrink={0}>
      <Say tone="strong">{title}</Say>
      {from.map(hint => (
        <Say key={hint.keys} wrap="truncate-end">
          {`  ${column(hint.keys, keyColumns)}${hint.does}`}
        </Say>
      ))}
    </Box>
  );
  return (
    <Frame title="Keys" hints={[{keys: 'any key', does: 'closes this'}]}>
      <Box flexDirection="column" width={readable}>
        {own.length > 0 && list(screen, own)}
        {list('In a text field', editing)}
        {list('Everywhere', everywhere)}
      </Box>
    </Frame>
  );
};
