import {Box} from 'ink';
import {Say, useTheme} from '../source/app/theme.tsx';
import {phaseOf} from '../source/blueprints/phases.ts';
import {placed, widthOf} from '../source/components/text.ts';
import type {StepView} from '../source/engine/run-view.ts';

export type Phase = {
  readonly title: string;
  readonly steps: number;
  readonly settled: number;
  readonly failed: boolean;
};

const settledStates = ['changed', 'unchanged', 'skipped'];

/** The parts of a run in the order of its steps, and how far each is. */
export const phasesOf = (steps: readonly Pick<StepView, 'step' | 'state'>[]): readonly Phase[] => {
  const titles = [...new Set(steps.map(({step}) => phaseOf(step)))];
  return titles.map(title => {
    const own = steps.filter(({step}) => phaseOf(step) === title);
    return {
      title,
      steps: own.length,
      settled: own.filter(({state}) => settledStates.includes(state)).length,
      failed: own.some(({state}) => state === 'failed'),
    };
  });
};

const gap = 3;

const textOf = ({title, settled, steps}: Phase): string => `${title} ${settled}/${steps}`;

/** As many phases as fit, the current one among them. */
const thatFit = (
  texts: readonly string[],
  at: number,
  columns: number,
): {readonly first: number; readonly last: number} => {
  let first = at;
  let last = at + 1;
  let used = widthOf(texts[at] ?? '');
  for (;;) {
    const after = texts[last];
    const before = texts[first - 1];
    if (after !== undefined && used + gap + widthOf(after) <= columns) {
      used += gap + widthOf(after);
      last++;
    } else if (before !== undefined && used + gap + widthOf(before) <= columns) {
      used += gap + widthOf(before);
      first--;
    } else return {first, last};
  }
};

type Props = {
  readonly steps: readonly StepView[];
  /** The step that is shown; its phase stands out. */
  readonly current: StepView | undefined;
  readonly columns: number;
};

/** One line: ground, cluster, platform, each environment, with how many of its steps are done. Nothing where there is one phase only. */
export const RunPhases = ({steps, current, columns}: Props) => {
  const {glyphs, screenReader} = useTheme();
  const phases = phasesOf(steps);
  if (phases.length < 2 || screenReader) return <Say> </Say>;
  const at = Math.max(0, current ? phases.findIndex(({title}) => title === phaseOf(current.step)) : 0);
  const texts = phases.map(phase => {
    const mark = phase.failed ? `${glyphs.bad} ` : phase.settled === phase.steps ? `${glyphs.good} ` : '';
    return mark + textOf(phase);
  });
  const {first, last} = thatFit(texts, at, columns);
  return (
    <Box height={1} flexShrink={0}>
      {placed(texts.slice(first, last)).map(({place, item}) => {
        const index = first + Number(place);
        const phase = phases[index];
        return (
          <Say
            key={place}
            tone={phase?.failed ? 'bad' : index === at ? 'accent' : 'quiet'}
            bold={index === at}
            wrap="truncate-end"
          >
            {(place === '0' ? '' : ' '.repeat(gap)) + item}
          </Say>
        );
      })}
    </Box>
  );
};
