import {Box} from 'ink';
import {useState} from 'react';
import {useKeys} from '../app/keys.tsx';
import {Say, useTheme} from '../app/theme.tsx';
import {wrap} from './text.ts';

type Props = {readonly lines: readonly string[]; readonly columns: number; readonly height: number};

/** A text to read from its beginning, longer than the screen. The last of its lines says where one is. */
export const ReadingPane = ({lines, columns, height}: Props) => {
  const {screenReader} = useTheme();
  const [first, setFirst] = useState(0);
  const wrapped = screenReader ? lines : lines.flatMap(line => wrap(line, columns));
  const room = screenReader ? wrapped.length : Math.max(1, height - 1);
  const most = Math.max(0, wrapped.length - room);
  const top = Math.min(first, most);
  useKeys(key => {
    const to = (line: number): true => {
      setFirst(Math.min(Math.max(line, 0), most));
      return true;
    };
    switch (key.name) {
      case 'up':
        return to(top - 1);
      case 'down':
        return to(top + 1);
      case 'pageup':
        return to(top - room);
      case 'pagedown':
        return to(top + room);
      case 'home':
        return to(0);
      case 'end':
        return to(most);
      default:
        return false;
    }
  });
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Box height={Math.min(room, wrapped.length)} overflow="hidden" flexShrink={0}>
        <Say wrap="truncate-end">{wrapped.slice(top, top + room).join('\n')}</Say>
      </Box>
      {most > 0 && (
        <Say tone="quiet" wrap="truncate-end">
          {`lines ${top + 1} to ${top + room} of ${wrapped.length}`}
        </Say>
      )}
    </Box>
  );
};
