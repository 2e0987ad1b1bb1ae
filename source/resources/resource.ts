import type {Failure} from '../engine/failure.ts';
import type {Output, RunOptions} from '../hosts/connection.ts';
import type {Result} from '../result.ts';
import type {PartOutput} from '../shell/frame.ts';
import type {Script} from '../shell/script.ts';

/** One difference between what is and what should be, in words: `mode 0644 → 0600`. No secret in it. */
export type Change = {
  readonly summary: string;
  /** More for those who ask: the lines of a diff, the names of packages. */
  readonly detail?: readonly string[];
  /** Data of the operator's is erased by it, which nobody can make again. */
  readonly loses?: true;
};

/** What stays although everything around it goes, for those who decide about a removal. */
export type Stay = {
  readonly kind: 'data' | 'packages' | 'other';
  /** `volumes of the cluster in /srv/nfs/demo`; of packages their names, parted by blanks. */
  readonly what: string;
  readonly why: string;
  /** How much it is; absent where that is unknown or without meaning. */
  readonly bytes?: number;
};

/** What the producer of a value found out on the host and other steps need, by name. Public values only. */
export type Products = Readonly<Record<string, string>>;

/** What an `apply` may do on its host. */
export type ApplyPort = {
  /** Runs a script as root. An exit status other than 0 comes back as a failure of kind `command`. */
  readonly run: (script: Script, options?: ApplyOptions) => Promise<Result<Output, Failure>>;
  /**
   * Brings the bytes of a file of this side to a file on the host, as root, and goes on behind what is there of it. It
   * does not check them: that is done on the host, with a checksum, before they are used.
   */
  readonly send: (file: SentFile) => Promise<Result<void, Failure>>;
  /** A line of our own for the log: what is being waited for. */
  readonly tell: (line: string) => void;
  /** Now, for what has an expiry. */
  readonly now: () => Date;
};

/** Absolute paths: of a file on this side, and of one on the host whose folder is there. */
export type SentFile = {readonly from: string; readonly to: string};

export type ApplyOptions = Pick<RunOptions, 'timeoutMs' | 'fresh'> & {
  /** May take minutes: runs as a transient unit on the host and is found again after a cut. */
  readonly detached?: boolean;
  /**
   * What the log gets for a line of the output; undefined: nothing. Default: the line. For output that is data for the
   * apply itself, or that may hold what must not be shown.
   */
  readonly told?: (line: string) => string | undefined;
};

/** How to remove the difference. Always safe to repeat, and safe to be cut anywhere. */
export type Apply = (port: ApplyPort) => Promise<Result<unknown, Failure>>;

/** What a probe means. No changes: the resource is as it should be. */
export type Assessment = {
  readonly changes: readonly Change[];
  readonly products?: Products;
  readonly stays?: readonly Stay[];
  /** Undefined only when there are no changes. */
  readonly apply?: Apply;
};

/**
 * The smallest idempotent thing inside a step. It has no state of its own: the engine runs `probe` on the host
 * (batched with all the others), gives what it printed to `assess`, and applies what that says.
 */
export type Resource = {
  /** Unique on its host, and the same in every run: `file /etc/exports.d/groundwork.exports`. */
  readonly id: string;
  /** What is being done while it is applied, as a phrase: `writing /etc/exports.d/groundwork.exports`. */
  readonly doing: string;
  /** Read-only, quick (under a second), as root, works before anything is installed, exits 0 or says why not. */
  readonly probe: Script;
  /** An error is a sentence that says why the state could not be read. */
  readonly assess: (output: PartOutput) => Result<Assessment, string>;
};

/** A resource described by its typed state; the type stays inside. */
export type Definition<State> = {
  readonly id: string;
  readonly doing: string;
  readonly probe: Script;
  readonly read: (output: PartOutput) => Result<State, string>;
  readonly diff: (state: State) => readonly Change[];
  readonly products?: (state: State) => Products;
  readonly stays?: (state: State) => readonly Stay[];
  readonly apply: (state: State) => Apply;
};

export const resource = <State>({
  id,
  doing,
  probe,
  read,
  diff,
  products,
  stays,
  apply,
}: Definition<State>): Resource => ({
  id,
  doing,
  probe,
  assess: output => {
    const state = read(output);
    if (!state.ok) return state;
    const changes = diff(state.value);
    return {
      ok: true,
      value: {
        changes,
        ...(products && {products: products(state.value)}),
        ...(stays && {stays: stays(state.value)}),
        ...(changes.length > 0 && {apply: apply(state.value)}),
      },
    };
  },
});

/** An apply that is one script. */
export const script =
  (text: Script, options?: ApplyOptions): Apply =>
  port =>
    port.run(text, options);
