import type {Change, Stay} from '../resources/resource.ts';
import type {Failure} from './failure.ts';
import type {Missing} from './waiting.ts';

export type StepState =
  | 'pending'
  | 'running'
  | 'changed'
  | 'unchanged'
  | 'failed'
  | 'waiting'
  | 'skipped'
  | 'blocked'
  | 'stopped';

export type PlannedResource = {
  readonly id: string;
  readonly changes: readonly Change[];
  readonly stays?: readonly Stay[];
  /** Why its state could not be read; counts as a change. */
  readonly unread?: string;
};

/** One step on one host, with what it would change. */
export type PlannedStep = {
  readonly step: string;
  readonly title: string;
  readonly host: string;
  readonly estimate: number;
  readonly resources: readonly PlannedResource[];
  /** Not known before an earlier step has made what this one needs; counts as a change. */
  readonly undecided?: string;
  /** What must be done before, as `step@host`. */
  readonly after?: readonly string[];
  /** What somebody outside has to do before, as far as it was seen: `rancher.openg2p.example.org leads to 10.0.0.11`. */
  readonly awaits?: readonly string[];
};

/** `waiting`: all that could be done is done; what somebody outside has to do has not come in the time that was given. */
export type RunOutcome = 'succeeded' | 'failed' | 'stopped' | 'waiting';

/**
 * Everything that can be known about a run from outside: screens, plain lines, JSON lines and the journal are
 * readers of this. `at` is ISO 8601. No secret, no control sequence. Counts are of resources.
 */
export type RunEvent = {readonly at: string} & (
  | {
      readonly type: 'run.started';
      readonly run: string;
      readonly deployment: string;
      readonly practice: boolean;
      readonly resumed: boolean;
      /** What is taken away, in words (`the platform`); absent when something is installed. */
      readonly removes?: string;
    }
  | {readonly type: 'host.connected'; readonly host: string; readonly address: string}
  /** A fault of the run that belongs to no step: a host that cannot be reached, a check that failed. */
  | {readonly type: 'problem'; readonly failure: Failure}
  | {
      readonly type: 'plan';
      readonly changes: number;
      readonly unchanged: number;
      readonly steps: readonly PlannedStep[];
    }
  | {readonly type: 'step.started'; readonly step: string; readonly host: string; readonly attempt: number}
  | {
      readonly type: 'resource.started';
      readonly step: string;
      readonly host: string;
      readonly resource: string;
      readonly doing: string;
    }
  | {
      readonly type: 'resource.changed';
      readonly step: string;
      readonly host: string;
      readonly resource: string;
      readonly changes: readonly Change[];
    }
  | {readonly type: 'log'; readonly step: string; readonly host: string; readonly line: string}
  | {
      readonly type: 'verified';
      readonly step: string;
      readonly host: string;
      readonly check: string;
      readonly title: string;
      readonly passed: boolean;
      readonly detail: string;
    }
  | {
      readonly type: 'step.finished';
      readonly step: string;
      readonly host: string;
      readonly state: StepState;
      readonly changed: number;
      readonly unchanged: number;
      readonly seconds: number;
      readonly failure?: Failure;
      /** Of a blocked step: what holds it up, `PostgreSQL on storage-1`, or the host that does not answer. */
      readonly heldBy?: string;
    }
  | {
      readonly type: 'retry.scheduled';
      readonly step: string;
      readonly host: string;
      readonly attempt: number;
      readonly inSeconds: number;
      readonly reason: string;
    }
  /**
   * A step waits for what somebody outside has to do. Told at each look, the next of which is `inSeconds` away; `news` when it
   * is not what the last look found.
   */
  | {
      readonly type: 'waiting';
      readonly step: string;
      readonly host: string;
      readonly missing: readonly Missing[];
      readonly inSeconds: number;
      readonly news: boolean;
    }
  | {readonly type: 'question'; readonly id: string; readonly question: Question}
  | {readonly type: 'answer'; readonly id: string; readonly answer: string; readonly by: 'operator' | 'policy'}
  | {readonly type: 'check.accepted'; readonly host: string; readonly check: string; readonly found: string}
  | {readonly type: 'handover'; readonly path: string; readonly title: string; readonly secret: boolean}
  | {readonly type: 'paused'}
  | {readonly type: 'continued'}
  /** `failed` counts steps on hosts that ended failed; when the run ended before its first step, its problems. */
  | {
      readonly type: 'run.finished';
      readonly outcome: RunOutcome;
      readonly changed: number;
      readonly unchanged: number;
      readonly failed: number;
    }
);

/**
 * Stands where a step's id would while hosts are being connected and looked at, in `retry.scheduled` and in questions:
 * the fault is then the host's, and there is no step yet.
 */
export const connectStep = 'connect';

/** What the engine may ask. Each choice is a word that is stable across versions. */
export type Question = {
  readonly kind: 'failed';
  readonly step: string;
  readonly title: string;
  readonly hosts: readonly string[];
  readonly failure: Failure;
  readonly choices: readonly FailureChoice[];
  /** What skipping gives up; present when `skip` is a choice. */
  readonly skipCosts?: string;
  /** What cannot begin before this is done: `Storage class on compute-1`. The rest goes on meanwhile. */
  readonly held?: readonly string[];
};

/**
 * `retry` on this host, `retry-all` on every host of the step, `change` a setting (the run stops, and the wizard goes
 * there), `skip` it and go on as if it were done, `leave` it failed and go on with what does not need it, `stop` all.
 */
export type FailureChoice = 'retry' | 'retry-all' | 'change' | 'skip' | 'leave' | 'stop';

/** A run event before the engine stamps it with the time. */
export type NewEvent = RunEvent extends infer E ? (E extends RunEvent ? Omit<E, 'at'> : never) : never;
