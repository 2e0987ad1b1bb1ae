import type {Theme} from '../source/app/theme.tsx';
import {stateColumns, stateText, stateTone} from '../source/components/state-word.ts';
import type {Cell} from '../source/components/table.tsx';
import {column, counted, duration, printable} from '../source/components/text.ts';
import type {TreeNode} from '../source/components/tree.tsx';
import type {StepView} from '../source/engine/run-view.ts';

/** One step of a run as a row: its state, its name, its host, its time, and what is to be known besides. */
export const stepRow = (step: StepView, theme: Theme, now: number): readonly Cell[] => {
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
            : step.state === 'pending' && step.planned > 0
              ? `${step.planned} to change`
              : '';
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

const resourceWords = {pending: 'to do', running: 'running', changed: 'done'} as const;

/** All that is known of a step: what it changed, what it checked, how it failed. */
export const detailsOf = (step: StepView): readonly TreeNode[] => [
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
