import {Box} from 'ink';
import {Say, type Tone, useTheme} from '../app/theme.tsx';
import {wrap} from './text.ts';

type Props = {
  readonly tone: Extract<Tone, 'good' | 'warning' | 'bad' | 'quiet'>;
  readonly columns: number;
  readonly children: string;
};

/** One thing that the operator must know, with a sign before it that says how grave it is. */
export const Notice = ({tone, columns, children}: Props) => {
  const {glyphs, screenReader} = useTheme();
  const sign = tone === 'good' ? glyphs.good : tone === 'quiet' ? glyphs.dot : '!';
  return (
    <Box width={columns} flexShrink={0}>
      {!screenReader && <Say tone={tone} bold>{`${sign} `}</Say>}
      <Box flexShrink={1}>
        <Say tone={tone}>{wrap(children, columns - 2).join('\n')}</Say>
      </Box>
    </Box>
  );
};
