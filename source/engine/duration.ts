import type {PlannedStep} from './events.ts';
import {keyOf} from './graph.ts';

type Timed = Pick<PlannedStep, 'step' | 'host' | 'estimate' | 'resources' | 'undecided' | 'after'>;

/** A step that changes nothing takes next to no time. */
const secondsOf = ({estimate, resources, undecided}: Timed): number =>
  undecided !== undefined || resources.some(({changes}) => changes.length > 0) ? estimate : 0;

/**
 * Seconds that a plan takes on ordinary machines: hosts side by side, one step at a time on each, none before all that it
 * is after. The steps come in an order in which each is behind what it waits for, as in a plan.
 */
export const planSeconds = (steps: readonly Timed[]): number => {
  const ends = new Map<string, number>();
  const free = new Map<string, number>();
  const open = [...steps];
  // As the scheduler does: of the steps that may begin, the one that can begin first, in the order of the plan.
  while (open.length > 0) {
    const starts = open.map(({host, after = []}) =>
      after.every(key => ends.has(key) || !steps.some(each => keyOf(each.step, each.host) === key))
        ? Math.max(free.get(host) ?? 0, ...after.map(key => ends.get(key) ?? 0))
        : Number.POSITIVE_INFINITY,
    );
    const [step] = open.splice(starts.indexOf(Math.min(...starts)), 1);
    if (!step) break;
    const end = Math.min(...starts) + secondsOf(step);
    ends.set(keyOf(step.step, step.host), end);
    free.set(step.host, end);
  }
  return Math.max(0, ...ends.values());
};
