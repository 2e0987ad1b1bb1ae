import type {Result} from '../result.ts';
import type {Failure} from './failure.ts';
import type {Instance} from './graph.ts';
import type {Awaited} from './step.ts';

/** One thing that has not come yet, as screens and lines show it. */
export type Missing = {
  readonly id: string;
  /** What will be true when it has come. */
  readonly title: string;
  /** What there is in its place. */
  readonly found: string;
  readonly how: string;
  readonly remedy: string;
};

export type Looked = {readonly awaited: Awaited; readonly result: Result<string, string>};

/** What of it has not come. */
export const missingOf = (looked: readonly Looked[]): readonly Missing[] =>
  looked.flatMap(({awaited: {id, title, how, remedy}, result}) =>
    result.ok ? [] : [{id, title, found: result.error, how, remedy}],
  );

/** A step that cannot begin yet, as the failure that is none: whoever gets it waits. */
export const waitingFailure = ({step, host}: Instance, missing: readonly Missing[]): Failure => ({
  kind: 'waiting',
  host: host.name,
  attempted: `looking whether ${step.title} can begin`,
  message: `Waiting for you: ${missing.map(({title}) => title).join('; ')}`,
  tail: missing.map(({title, found}) => `${title}: ${found}`),
  remedy: [...new Set(missing.map(({remedy}) => remedy))].join('\n'),
  missing,
});

/** What a step waits for that found out by itself, in a resource, that something is missing. */
export const missingIn = ({message, cause, remedy, missing}: Failure): readonly Missing[] =>
  missing ?? [
    {id: 'step', title: message, found: cause ?? 'not yet', how: 'the step is tried again', remedy: remedy ?? ''},
  ];

/**
 * Seconds before each further look. Short at first, for the operator who has just made the record; then seldom enough to
 * burden nobody's DNS server for days.
 */
const pauses: readonly number[] = [5, 10, 15, 30];

export const pauseAfter = (looks: number): number => pauses[Math.min(looks, pauses.length - 1)] ?? 30;

/** How long a step has waited. */
export type Wait = {
  readonly looks: number;
  /** Until the next look. */
  readonly seconds: number;
  /** What was found last, to tell news from what is known. */
  readonly told: string;
};

export const noWait: Wait = {looks: 0, seconds: 0, told: ''};

/**
 * The wait that follows a look that found something missing; undefined when the patience (seconds in all) is at its end.
 */
export const waitOn = (
  {looks, seconds}: Wait,
  missing: readonly Missing[],
  patience: number | undefined,
): {readonly wait: Wait; readonly pause: number} | undefined => {
  const left = patience === undefined ? Number.POSITIVE_INFINITY : patience - seconds;
  if (left <= 0) return undefined;
  const pause = Math.min(pauseAfter(looks), left);
  return {wait: {looks: looks + 1, seconds: seconds + pause, told: JSON.stringify(missing)}, pause};
};
