import type {Theme} from '../source/app/theme.tsx';
import {stateColumns, stateText, stateTone, stateWord} from '../source/components/state-word.ts';
import type {Cell} from '../source/components/table.tsx';
import {column, counted, duration, printable} from '../source/components/text.ts';
import type {TreeNode} from '../source/components/tree.tsx';
import {type RunView, type StepView, waitsFor} from '../source/engine/run-view.ts';

/** One step of a run as a row: its state, its name, its host, its time, and what is to be known besides. */
export const stepRow = (step: StepView, theme: Theme, now: number, view: RunView): readonly Cell[] => {
  const seconds =
    step.seconds ?? (step.startedAt === undefined ? undefined : (now - Date.parse(step.startedAt)) / 1000);
  const note =
    step.state === 'changed'
      ? counted(step.changed, 'change')
      : step.wait
        ? 'for you'
        : step.retry
          ? `attempt ${step.retry.attempt} follows`
          : step.attempt > 1 && step.state === 'running'
            ? `attempt ${step.attempt}`
            : step.state === 'pending'
              ? afterText(step, view)
              : step.heldBy === undefined
                ? ''
                : `by ${printable(step.heldBy)}`;
  return [
    {
      text: theme.screenReader ? stateText(step.state, theme) : column(stateText(step.state, theme), stateColumns),
      tone: stateTone(step.state),
    },
    step.title,
    step.host,
    seconds === undefined || (theme.screenReader && step.state === 'running') ? '' : duration(seconds),
    {text: note, tone: 'quiet'},
  ];
};

/** What a step waits for: by its name where it is on the same host, by its host too where it is not. */
export const afterText = (step: StepView, view: RunView): string => {
  const [first, ...others] = waitsFor(view, step);
  if (!first) return step.planned > 0 ? `${step.planned} to change` : '';
  const where = first.host === step.host ? '' : ` on ${first.host}`;
  return `after ${first.title}${where}${others.length > 0 ? ` and ${others.length} more` : ''}`;
};

const resourceWords = {pending: 'to do', running: 'running', changed: 'done'} as const;

/** All that is known of a step: what it changed, what it checked, how it failed. */
export const detailsOf = (step: StepView, view: RunView): readonly TreeNode[] => [
  ...waitsFor(view, step).map(({title, host, state}) => ({
    id: `after/${title}/${host}`,
    label: `Begins after ${title} on ${host}`,
    aside: stateWord(state),
  })),
  {
    id: 'changes',
    label: 'Changes',
    aside: `${step.changed} of ${step.resources.length} made`,
    tone: 'strong',
    children: step.resources.map(({id, changes, state}) => ({
      id: `changes/${id}`,
      label: printable(id),
      aside: resourceWords[state],
      children: changes.flatMap((change, at) => [
        {id: `changes/${id}/${at}`, label: printable(change.summary), tone: 'quiet' as const},
        ...(change.detail ?? []).map((line, number) => ({
          id: `changes/${id}/${at}/${number}`,
          label: `  ${printable(line)}`,
          tone: 'quiet' as const,
        })),
      ]),
    })),
  },
  {
    id: 'checks',
    label: 'Checked with the real tool',
    aside: counted(step.verified.length, 'check'),
    tone: 'strong',
    children: step.verified.map(check => ({
      id: `checks/${check.check}`,
      label: `${check.passed ? 'passed' : 'FAILED'}: ${printable(check.title)}`,
      ...(!check.passed && {tone: 'bad' as const}),
      children: [{id: `checks/${check.check}/detail`, label: printable(check.detail), tone: 'quiet' as const}],
    })),
  },
  ...(step.wait
    ? [
        {
          id: 'waits',
          label: 'Waits for you',
          aside: counted(step.wait.missing.length, 'thing'),
          tone: 'warning' as const,
          children: step.wait.missing.map(({id, title, found, how, remedy}) => ({
            id: `waits/${id}`,
            label: printable(title),
            children: [`found: ${found}`, `looked at: ${how}`, `to do: ${remedy}`].map((line, index) => ({
              id: `waits/${id}/${index}`,
              label: printable(line),
              tone: 'quiet' as const,
            })),
          })),
        },
      ]
    : []),
  ...(step.heldBy === undefined
    ? []
    : [{id: 'held', label: `held up by ${printable(step.heldBy)}`, tone: 'warning' as const}]),
  ...(step.failure
    ? [
        {
          id: 'failure',
          label: printable(step.failure.message),
          tone: 'bad' as const,
          children: [
            ...[step.failure.attempted, step.failure.cause, step.failure.remedy]
              .filter(text => text !== undefined)
              .map((text, index) => ({id: `failure/${index}`, label: printable(text)})),
            ...(step.failure.tail ?? []).map((line, index) => ({
              id: `failure/tail/${index}`,
              label: printable(line),
              tone: 'quiet' as const,
            })),
          ],
        },
      ]
    : []),
];
