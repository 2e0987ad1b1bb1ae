import {setTimeout as sleep} from 'node:timers/promises';
import type {Clock} from '../engine/ports.ts';

/** The real time. */
export const clock: Clock = {
  now: () => new Date(),
  sleep: (milliseconds, signal) => sleep(milliseconds, undefined, {...(signal && {signal})}).catch(() => undefined),
};
