import {ok} from '../result.ts';
import type {Script} from '../shell/script.ts';
import {type ApplyOptions, type Resource, resource, script} from './resource.ts';

export type Command = {
  readonly id: string;
  readonly doing: string;
  /** Read-only and quick. Exit status 0: there is nothing to do. */
  readonly unless: Script;
  /** Safe to repeat. After it, `unless` must hold. */
  readonly script: Script;
  /** What it does, for the plan: `make the server's key`. */
  readonly change: string;
  readonly options?: ApplyOptions;
};

/** A command for what no other resource stands for, with a guard that makes it idempotent. */
export const command = ({id, doing, unless, script: text, change, options}: Command): Resource =>
  resource({
    id,
    doing,
    probe: unless,
    read: ({code}) => ok(code === 0),
    diff: holds => (holds ? [] : [{summary: change}]),
    apply: () => script(text, options),
  });
