import {Box} from 'ink';
import {useState} from 'react';
import {useKeys} from '../app/keys.tsx';
import {Say, useTheme} from '../app/theme.tsx';
import {SearchLine} from './search-line.tsx';
import {clip, counted, printable} from './text.ts';

type TailProps = {readonly lines: readonly string[]; readonly columns: number; readonly height: number};

/** The last lines of a log, as one text so that Ink measures it once. */
export const LogTail = ({lines, columns, height}: TailProps) => {
  const {glyphs} = useTheme();
  const shown = lines.slice(Math.max(0, lines.length - height));
  return (
    <Box height={height} overflow="hidden" flexShrink={0}>
      <Say tone="quiet" wrap="truncate-end">
        {shown.map(line => clip(printable(line), columns, glyphs.ellipsis)).join('\n')}
      </Say>
    </Box>
  );
};

/** A log to read: it follows what comes until one scrolls up, and shows only what one looks for. */
export const LogPane = ({lines, columns, height}: TailProps) => {
  const {glyphs} = useTheme();
  // How many lines lie below the lowest one shown; 0 follows the end.
  const [fromEnd, setFromEnd] = useState(0);
  const [wanted, setWanted] = useState('');
  const [searching, setSearching] = useState(false);
  const needle = wanted.toLowerCase();
  const found = needle === '' ? lines : lines.filter(line => line.toLowerCase().includes(needle));
  const room = Math.max(1, height - 1);
  const most = Math.max(0, found.length - room);
  const below = Math.min(fromEnd, most);
  const scroll = (by: number): true => {
    setFromEnd(Math.min(Math.max(below + by, 0), most));
    return true;
  };
  useKeys(
    key => {
      switch (key.name) {
        case 'up':
          return scroll(1);
        case 'down':
          return scroll(-1);
        case 'pageup':
          return scroll(room);
        case 'pagedown':
          return scroll(-room);
        case 'home':
          return scroll(most);
        case 'end':
          return scroll(-most);
        default:
          break;
      }
      if (key.name === 'text' && key.text === '/') {
        setSearching(true);
        return true;
      }
      if (key.name === 'escape' && wanted !== '') {
        setWanted('');
        return true;
      }
      return false;
    },
    {active: !searching},
  );
  const end = found.length - below;
  return (
    <Box flexDirection="column">
      <Box height={room} overflow="hidden" flexShrink={0}>
        <Say wrap="truncate-end">
          {found
            .slice(Math.max(0, end - room), end)
            .map(line => clip(printable(line), columns, glyphs.ellipsis))
            .join('\n')}
        </Say>
      </Box>
      {searching ? (
        <SearchLine
          label="Look for"
          value={wanted}
          onChange={text => {
            setWanted(text);
            setFromEnd(0);
          }}
          onSubmit={() => setSearching(false)}
          onCancel={() => {
            setWanted('');
            setSearching(false);
          }}
        />
      ) : (
        <Say tone="quiet" wrap="truncate-end">
          {[
            wanted === '' ? counted(found.length, 'line') : `${counted(found.length, 'line')} with "${wanted}"`,
            below === 0 ? 'at the end' : `${counted(below, 'more line')} below`,
          ].join(', ')}
        </Say>
      )}
    </Box>
  );
};
