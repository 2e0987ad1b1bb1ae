import {acceptanceOf} from '../hosts/check.ts';
import type {RunEvent, RunOutcome} from './events.ts';
import {runView, type StepView} from './run-view.ts';

/**
 * What a journal tells of the last run, for those who go on with it. It says what was tried, never what is: that is
 * found by looking at the hosts.
 */
export type LastRun = {
  readonly run: string;
  readonly outcome: RunOutcome | 'interrupted';
  /** ISO 8601: the last sign of it. */
  readonly at: string;
  /** What was being done when it was interrupted or stopped. */
  readonly inFlight: readonly StepView[];
  readonly failed: readonly StepView[];
  /** As `acceptanceOf` names them. */
  readonly accepted: readonly string[];
};

/** Undefined when nothing was written down: the run was cut before its first event. */
export const lastRunOf = (events: readonly RunEvent[]): LastRun | undefined => {
  const view = runView(events);
  if (view.startedAt === undefined) return undefined;
  return {
    run: view.run,
    outcome: view.outcome ?? 'interrupted',
    at: view.lastAt ?? view.startedAt,
    inFlight: view.steps.filter(({state}) => state === 'running' || state === 'stopped'),
    failed: view.steps.filter(({state}) => state === 'failed' || state === 'waiting'),
    accepted: view.accepted.map(({host, check}) => acceptanceOf({host, id: check})),
  };
};

const units: readonly (readonly [string, number])[] = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

/** `3 minutes ago`. */
export const ago = (at: string, now: Date): string => {
  const seconds = (now.getTime() - Date.parse(at)) / 1000;
  const [unit, size] = units.find(([, length]) => seconds >= length) ?? [];
  if (unit === undefined || size === undefined) return 'just now';
  const count = Math.floor(seconds / size);
  return `${count} ${unit}${count === 1 ? '' : 's'} ago`;
};

const where = (steps: readonly StepView[]): string => {
  const [first] = steps;
  if (!first) return '';
  const more = steps.length > 1 ? ` and ${steps.length - 1} more` : '';
  return ` in ${first.title} on ${first.host}${more}`;
};

/** One sentence for the operator: `Interrupted in WireGuard server on sandbox-1, 3 minutes ago.` */
export const describeLastRun = ({outcome, at, inFlight, failed}: LastRun, now: Date): string => {
  const word = `${outcome[0]?.toUpperCase()}${outcome.slice(1)}`;
  const place =
    outcome === 'succeeded'
      ? ''
      : where(outcome === 'failed' || outcome === 'waiting' || inFlight.length === 0 ? failed : inFlight);
  return `${word}${place}, ${ago(at, now)}.`;
};
