import {Box} from 'ink';
import {Say, useTheme} from '../app/theme.tsx';

type Props = {readonly lines: readonly string[]; readonly height: number};

/** Lines drawn in ASCII, as they are; a screen reader would spell them out, so it gets none of them. */
export const Drawing = ({lines, height}: Props) => {
  const {screenReader} = useTheme();
  if (screenReader || height < lines.length) return null;
  return (
    <Box flexDirection="column" flexShrink={0}>
      <Say tone="quiet" wrap="truncate-end">
        {lines.join('\n')}
      </Say>
    </Box>
  );
};
