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

/**
 * The same for the look that a run begins with. A host that does not answer at all is tried once more only: it is switched
 * off, or its address is wrong, and whoever started the run is still there to hear it.
 */
export const delayBeforeLook = (failure: Failure, tries: number): number | undefined =>
  failure.kind === 'unreachable' && tries > 0 ? undefined : automaticDelay(failure, tries);

export const titleOf = ({step, host}: Instance): string => `${step.title} on ${host.name}`;

/** The host itself is gone, and with it all that is to be done there. */
export const isHostGone = ({kind}: Failure): boolean => kind === 'unreachable' || kind === 'connection-lost';

/** What to ask the operator about a failure of a step on one host, and what it holds up. */
export const questionFor = (
  {step, host}: Instance,
  failure: Failure,
  {others, held}: {readonly others: readonly string[]; readonly held: readonly Instance[]},
): Question => {
  const about = {
    step: step.id,
    title: step.title,
    hosts: [host.name],
    failure,
    ...(held.length > 0 && {held: held.map(titleOf)}),
  };
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
