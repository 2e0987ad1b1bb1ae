import type {RunEvent} from '../engine/events.ts';

/**
 * One event as one line of JSON, its type first and its time second. The last of a run is exactly
 * `{"type":"run.finished","outcome":…,"changed":N,"unchanged":N,"failed":N}`, so that it can be compared as text.
 */
export const jsonLine = (event: RunEvent): string => {
  if (event.type === 'run.finished') {
    const {type, outcome, changed, unchanged, failed} = event;
    return JSON.stringify({type, outcome, changed, unchanged, failed});
  }
  const {type, at, ...rest} = event;
  return JSON.stringify({type, at, ...rest});
};
