import {duration} from '../components/text.ts';
import {progressOf, type RunView, workSeconds} from '../engine/run-view.ts';

/** How long a run took and, where hosts worked side by side, what its steps would have taken one after the other. */
export const tookText = (view: RunView): string => {
  const {elapsedSeconds} = progressOf(view, new Date(view.lastAt ?? 0));
  const work = workSeconds(view);
  const took = duration(elapsedSeconds);
  return new Set(view.steps.map(({host}) => host)).size > 1 && work > elapsedSeconds
    ? `${took}, for ${duration(work)} of work side by side`
    : took;
};
