import {useKeys} from '../source/app/keys.tsx';
import type {RunSession} from '../source/app/run-session.ts';
import {Say, useTheme} from '../source/app/theme.tsx';
import {Frame, useBody} from '../source/components/frame.tsx';
import {Page} from '../source/components/page.tsx';
import {counted, printable} from '../source/components/text.ts';
import type {RunView, StepView} from '../source/engine/run-view.ts';

/** Steps that wait for somebody outside, and are looked at again. */
export const waitingSteps = ({steps}: Pick<RunView, 'steps'>): readonly StepView[] =>
  steps.filter(step => step.wait !== undefined);

/** Nothing goes on but the waiting. */
export const onlyWaits = (view: Pick<RunView, 'steps'>): boolean =>
  waitingSteps(view).length > 0 && !view.steps.some(step => step.state === 'running' || step.retry);

/** Seconds until the next look at any of them; undefined when nothing waits. */
const nextLook = (steps: readonly StepView[], now: number): number | undefined => {
  const left = steps.flatMap(({wait}) =>
    wait ? [Math.max(0, Math.ceil(wait.inSeconds - (now - Date.parse(wait.at)) / 1000))] : [],
  );
  return left.length === 0 ? undefined : Math.min(...left);
};

/** One line about all that is waited for; undefined when nothing is. */
export const waitingText = (view: Pick<RunView, 'steps'>, now: number | undefined): string | undefined => {
  const steps = waitingSteps(view);
  const things = steps.flatMap(({wait}) => wait?.missing ?? []);
  const [first] = things;
  if (!first) return undefined;
  const more = things.length > 1 ? ` and ${counted(things.length - 1, 'more thing')}` : '';
  const next = now === undefined ? undefined : nextLook(steps, now);
  return `WAITING for you (w shows it${next === undefined ? '' : `; looks again in ${next} s`}): ${printable(first.title)}${more}`;
};

const linesOf = ({title, host, wait}: StepView): readonly string[] => [
  `${title} on ${host}`,
  ...(wait?.missing ?? []).flatMap(({title: until, found, how}) => [
    `  until    ${until}`,
    `  found    ${found}`,
    `           (${how})`,
  ]),
  ...[...new Set((wait?.missing ?? []).map(({remedy}) => remedy))]
    .filter(remedy => remedy !== '')
    .flatMap(remedy => remedy.split('\n').map((line, index) => `  ${index === 0 ? 'to do' : '     '}    ${line}`)),
  '',
];

type Props = {
  readonly session: RunSession;
  readonly view: RunView;
  /** Milliseconds since 1970; undefined for those who would hear every second. */
  readonly now: number | undefined;
  readonly onClose: () => void;
};

/** All that somebody outside has to do, what there is in its place, and when it is looked at again. */
export const RunWaiting = ({session, view, now, onClose}: Props) => {
  const {glyphs} = useTheme();
  const {rows, readable} = useBody();
  const steps = waitingSteps(view);
  const next = now === undefined ? undefined : nextLook(steps, now);
  useKeys(key => {
    if (key.name === 'escape') {
      onClose();
      return true;
    }
    if (key.name === 'enter' || (key.name === 'text' && !key.ctrl && key.text === 'n')) {
      session.lookAgain();
      return true;
    }
    return false;
  });
  return (
    <Frame
      title="Waiting for you"
      hints={[
        {keys: 'Enter, n', does: 'look now'},
        {keys: glyphs.upDown, does: 'scroll'},
        {keys: 'Esc', does: 'back to the steps'},
        {keys: '?', does: 'keys'},
      ]}
    >
      <Say tone="warning" bold wrap="truncate-end">
        {`${glyphs.waiting} This is no failure: it goes on by itself as soon as it is done.`}
      </Say>
      <Say tone="quiet" wrap="truncate-end">
        {onlyWaits(view)
          ? `Everything else is done.${next === undefined ? '' : ` Looks again in ${next} s.`}`
          : `Everything else goes on.${next === undefined ? '' : ` Looks again in ${next} s.`}`}
      </Say>
      <Page lines={['', ...steps.flatMap(linesOf)]} columns={readable} height={rows - 2} />
    </Frame>
  );
};
