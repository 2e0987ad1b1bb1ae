import {counted} from '../components/text.ts';
import type {RunView, StepView} from '../engine/run-view.ts';
import {tookText} from './took.ts';

const named = ({title, host}: StepView): string => `${title} on ${host}`;

/** More are counted only: each was told when it ended, and what did not succeed must not drown among them. */
const mostNamed = 8;

const doneLine = (steps: readonly StepView[]): readonly string[] => {
  const hosts = new Set(steps.map(({host}) => host)).size;
  if (steps.length > mostNamed) return [`  Done: ${steps.length} steps on ${counted(hosts, 'host')}`];
  return steps.length > 0 ? [`  Done: ${steps.map(named).join(', ')}`] : [];
};

const nextStep = ({outcome}: Pick<RunView, 'outcome'>): string => {
  if (outcome === 'succeeded') return '  Next: groundwork verify';
  return outcome === 'waiting'
    ? '  Next: have done what is waited for, then groundwork resume'
    : '  Next: put right what failed, then groundwork resume';
};

/** What matters after a run: what stands and what does not, where things lie, and what to do next. */
export const summaryLines = (view: RunView, folder: string): readonly string[] => {
  const inState = (...states: readonly StepView['state'][]) => view.steps.filter(({state}) => states.includes(state));
  const list = (title: string, steps: readonly StepView[]) =>
    steps.length > 0 ? [`  ${title}: ${steps.map(named).join(', ')}`] : [];
  return [
    `  It took ${tookText(view)}.`,
    ...doneLine(inState('changed', 'unchanged')),
    ...list('Skipped', inState('skipped')),
    ...list('Failed', inState('failed')),
    ...list('Waiting for you', inState('waiting')),
    ...list('Not begun', inState('pending', 'blocked', 'stopped', 'running')),
    ...view.handovers.map(
      ({path, title, secret}) => `  ${title}: ${path}${secret ? ' (secret: give it to nobody else)' : ''}`,
    ),
    `  Journal, logs and vault: ${folder}`,
    nextStep(view),
  ];
};
