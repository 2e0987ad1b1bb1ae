import type {Deployment, HostSpec} from '../deployment/schema.ts';
import type {CheckResult} from '../hosts/check.ts';
import type {Connection} from '../hosts/connection.ts';
import type {Facts} from '../hosts/facts.ts';
import type {Result} from '../result.ts';
import type {Question, RunEvent} from './events.ts';
import type {Failure} from './failure.ts';
import type {FactsProbe, LookCache} from './look.ts';
import type {Redactor} from './redact.ts';
import type {HandoverFile, Step} from './step.ts';

/** Events out. Must not throw and must not block: a slow reader buffers or drops by itself. */
export type EventPort = (event: RunEvent) => void;

/** The engine asks, a screen, a plain prompt or a policy answers with one of the question's choices. */
export type AskPort = (
  question: Question,
  signal: AbortSignal,
) => Promise<{readonly choice: string; readonly by: 'operator' | 'policy'}>;

/** In from outside: stop now, or hold before the next resource. */
export type ControlPort = {
  /** Aborted when the run must stop: the running command is ended, nothing else begins. */
  readonly signal: AbortSignal;
  /** Resolves at once unless the operator paused the run. */
  readonly whenRunning: () => Promise<void>;
  /** Calls back when the operator wants what is waited for to be looked at now; undoes that when called. */
  readonly onLookAgain?: (callback: () => void) => () => void;
};

export type Clock = {
  readonly now: () => Date;
  /** Settles after so many milliseconds, or at once when the signal aborts. Never rejects. */
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
};

/** The way to the hosts and the little that looking at them takes; used by plan, run and verify alike. */
export type LookPorts = {
  readonly deployment: Deployment;
  readonly steps: readonly Step[];
  readonly connect: (host: HostSpec, signal: AbortSignal) => Promise<Result<Connection, Failure>>;
  readonly facts: FactsProbe;
  /** The secret of this name, made and kept before it is returned if there was none. */
  readonly ensureSecret: (name: string, generate: () => string | Promise<string>) => Promise<Result<string, Failure>>;
  readonly cache: {readonly read: () => LookCache; readonly write: (cache: LookCache) => void};
  readonly clock: Clock;
  /** A new random word, for frames that nothing on a host can forge. */
  readonly marker: () => string;
  readonly signal: AbortSignal;
};

export type RunPorts = Omit<LookPorts, 'signal'> & {
  readonly run: string;
  readonly resumed: boolean;
  readonly practice: boolean;
  /** What is taken away, in words; absent when something is installed. */
  readonly removes?: string;
  /** Only these steps; all when absent. */
  readonly only?: readonly string[];
  /** Checks of facts, and those that must ask the hosts for more, over the connections that are open. */
  readonly preflight: (
    hosts: readonly {readonly host: HostSpec; readonly facts: Facts; readonly at: Date}[],
    connect: (host: HostSpec) => Promise<Result<Connection, Failure>>,
  ) => readonly CheckResult[] | Promise<readonly CheckResult[]>;
  /** Failed checks that the operator has accepted, as `acceptanceOf` names them. */
  readonly accepted: readonly string[];
  /** Writes a file for the operator on this side and returns its path. */
  readonly handOver: (file: HandoverFile) => Promise<Result<string, Failure>>;
  readonly events: EventPort;
  readonly ask: AskPort;
  readonly control: ControlPort;
  readonly redact: Redactor;
  /** Seconds that a step waits for what somebody outside has to do before it is given up; absent: as long as it takes. */
  readonly patience?: number;
  /** How many hosts are worked on at once. */
  readonly parallel: number;
};
