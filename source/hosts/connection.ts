import type {Failure} from '../engine/failure.ts';
import type {Result} from '../result.ts';
import type {Script} from '../shell/script.ts';

/** What a script printed and how it ended. A status other than 0 is an answer, not a failure of the connection. */
export type Output = {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** More than `maxOutput` came; the middle was dropped. */
  readonly truncated: boolean;
};

export type OutputStream = 'stdout' | 'stderr';

export type RunOptions = {
  /** Run as root: through sudo unless the login is root. Default true. */
  readonly root?: boolean;
  /** Milliseconds until a script that has not ended is killed and reported as `timeout`. Default 120000. */
  readonly timeoutMs?: number;
  /** Ends the remote process, then settles with `cancelled`. */
  readonly signal?: AbortSignal;
  /** Raw chunks as they come; they may hold control sequences and half lines. */
  readonly onOutput?: (stream: OutputStream, chunk: string) => void;
  /** Bytes of each stream kept for the answer. Default 4 MiB. */
  readonly maxOutput?: number;
  /**
   * Over a connection made for this script and closed after it: a proof that the host still lets one in. Firewalls let
   * an old connection through whatever their rules say. Means nothing on this machine.
   */
  readonly fresh?: boolean;
};

/**
 * An open way to one host: over SSH, or to this machine. The script travels on standard input, so that
 * nothing of it (secrets among it) shows in an argument list or an environment.
 */
export type Connection = {
  readonly host: string;
  readonly address: string;
  readonly user: string;
  /** Never rejects for a fault of the host or the network. A lost connection is a failure, never an empty success. */
  readonly run: (script: Script, options?: RunOptions) => Promise<Result<Output, Failure>>;
  readonly close: () => Promise<void>;
};
