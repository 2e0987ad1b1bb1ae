import type {RunEvent} from '../engine/events.ts';
import type {Failure} from '../engine/failure.ts';
import type {EventPort} from '../engine/ports.ts';
import type {RunView} from '../engine/run-view.ts';
import {failureLines} from '../reporters/failure-lines.ts';
import {jsonLine} from '../reporters/json-lines.ts';
import {plainLines} from '../reporters/plain.ts';
import {summaryLines} from '../reporters/summary.ts';
import type {World} from './command.ts';
import type {OutputForm} from './inputs.ts';

export {failureLines};

/** Says what is wrong, and returns the status to end with. */
export const complain = (world: World, message: string, status: number): number => {
  world.stderr.write(`groundwork: ${message}\n`);
  return status;
};

export const writeJson = (world: World, value: unknown): void => {
  world.stdout.write(`${JSON.stringify(value)}\n`);
};

/** Tells a run as it goes on, on lines. */
export type Reporter = {
  readonly event: EventPort;
  /** All events but log lines, for a summary. */
  readonly seen: () => readonly RunEvent[];
  readonly failure: (failure: Failure) => void;
  readonly problem: (message: string) => void;
  readonly summary: (view: RunView, folder: string) => void;
};

export const reporterFor = (world: World, form: OutputForm): Reporter => {
  const seen: RunEvent[] = [];
  const lines = (texts: readonly string[]) => world.stdout.write(texts.map(text => `${text}\n`).join(''));
  return {
    event: event => {
      if (event.type !== 'log') seen.push(event);
      if (form === 'jsonl') world.stdout.write(`${jsonLine(event)}\n`);
      else lines(plainLines(event));
    },
    seen: () => seen,
    failure: failure => world.stderr.write(`${failureLines(failure).join('\n')}\n`),
    problem: message => world.stderr.write(`groundwork: ${message}\n`),
    summary: (view, folder) => {
      if (form !== 'jsonl') lines(summaryLines(view, folder));
    },
  };
};
