import type {FailureChoice, Question} from './events.ts';
import type {Failure} from './failure.ts';
import type {Instance} from './graph.ts';

/** Seconds before each automatic try: short for a blip of the network, longer for a package lock. */
export const automaticDelays: readonly number[] = [5, 15, 45];

/**
 * Seconds until a failure is tried again without asking, or undefined when the operator must decide. Only faults that
 * may pass by themselves are tried again, and only so often.
 */
export const automaticDelay = (failure: Failure, tries: number): number | undefined => {
  const passes = failure.transient ?? (failure.kind === 'connection-lost' || failure.kind === 'unreachable');
  return passes ? automaticDelays[tries] : undefined;
};

/** What to ask the operator about a failure of a step on one host. */
export const questionFor = ({step, host}: Instance, failure: Failure, others: readonly string[]): Question => {
  const about = {step: step.id, title: step.title, hosts: [host.name], failure};
  const choices: readonly FailureChoice[] = [
    'retry',
    ...(others.length > 0 ? (['retry-all'] as const) : []),
    'change',
    ...(step.skippable ? (['skip'] as const) : []),
    'leave',
    'stop',
  ];
  return {kind: 'failed', ...about, choices, ...(step.skippable && {skipCosts: step.skippable})};
};
