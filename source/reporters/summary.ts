import type {RunView, StepView} from '../engine/run-view.ts';
import {tookText} from './took.ts';

const named = ({title, host}: StepView): string => `${title} on ${host}`;

const nextStep = ({outcome}: Pick<RunView, 'outcome'>): string => {
  if (outcome === 'succeeded') return '  Next: groundwork verify';
  return outcome === 'waiting'
    ? '  Next: have done what is waited for, then groundwork resume'
    : '  Next: put right what failed, then groundwork resume';
};

/** What matters after a run: what stands and what does not, where things lie, and what to do next. */
export const summaryLines = (view: RunView, folder: string): readonly string[] => {
  const inState = (...states: readonly StepView['state'][]) => view.steps.filter(({state}) => states.includes(state));
  const done = inState('changed', 'unchanged');
  const list = (title: string, steps: readonly StepView[]) =>
    steps.length > 0 ? [`  ${title}: ${steps.map(named).join(', ')}`] : [];
  return [
    `  It took ${tookText(view)}.`,
    ...list('Done', done),
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
