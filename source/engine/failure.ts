import type {Missing} from './waiting.ts';

/** What went wrong, by what the operator or the engine can do about it. */
export type FailureKind =
  | 'unreachable' // no answer at the address, or refused
  | 'connection-lost'
  | 'timeout'
  | 'authentication'
  | 'host-key-unknown'
  | 'host-key-changed'
  | 'sudo'
  | 'command' // a command on the host ended with a failure
  | 'not-converged' // everything ran, and the host is still not as it should be
  | 'verification'
  | 'preflight'
  | 'input' // a setting is wrong
  | 'waiting' // something outside must happen first: a record, an opening, a certificate
  | 'cancelled'
  | 'bug'; // a fault of Groundwork itself

/** A fault as a value: all that a failure card shows. Every text is free of secrets and control sequences. */
export type Failure = {
  readonly kind: FailureKind;
  /** One sentence in the operator's words. */
  readonly message: string;
  readonly host?: string;
  /** What was being done, as a phrase: "installing packages nginx, ufw". */
  readonly attempted?: string;
  /** Exit status of the command, if one ended. */
  readonly exit?: number;
  /** The last lines that the command printed. */
  readonly tail?: readonly string[];
  /** The likely cause, if known. */
  readonly cause?: string;
  /** What the operator should do about it. */
  readonly remedy?: string;
  /** May pass by itself, so that the engine tries again before it asks: the network, a package lock, a busy mirror. */
  readonly transient?: boolean;
  /** Of kind `waiting`: what has not come, one by one. */
  readonly missing?: readonly Missing[];
};
