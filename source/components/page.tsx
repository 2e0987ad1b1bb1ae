import {Box} from 'ink';
import {useState} from 'react';
import {useKeys} from '../app/keys.tsx';
import {Say, useTheme} from '../app/theme.tsx';
import {counted, placed, printable, wrap} from './text.ts';

type Props = {
  readonly lines: readonly string[];
  readonly columns: number;
  readonly height: number;
};

/** A text to read from its beginning, which may be longer than the terminal is high. */
export const Page = ({lines, columns, height}: Props) => {
  const {glyphs, screenReader} = useTheme();
  const [first, setFirst] = useState(0);
  const all = lines.flatMap(line => wrap(printable(line), columns));
  const fits = screenReader || all.length <= height;
  const room = fits ? all.length : Math.max(1, height - 1);
  const most = Math.max(0, all.length - room);
  const from = Math.min(first, most);
  useKeys(
    key => {
      const to = {up: from - 1, down: from + 1, pageup: from - room, pagedown: from + room, home: 0, end: most}[
        key.name as string
      ];
      if (to === undefined) return false;
      setFirst(Math.min(Math.max(to, 0), most));
      return true;
    },
    {active: !fits},
  );
  const below = all.length - from - room;
  return (
    <Box flexDirection="column" flexShrink={0}>
      {placed(all.slice(from, from + room)).map(({place, item}) => (
        <Say key={place} wrap="truncate-end">
          {item === '' ? ' ' : item}
        </Say>
      ))}
      {!fits && (
        <Say tone="quiet" wrap="truncate-end">
          {below > 0
            ? `${glyphs.more.below} ${counted(below, 'more line')} below`
            : `${glyphs.more.above} the end; ${counted(from, 'line')} above`}
        </Say>
      )}
    </Box>
  );
};
