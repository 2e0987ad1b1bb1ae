import type {RunOutcome} from '../engine/events.ts';
import type {Result} from '../result.ts';
import type {Deployment} from './schema.ts';

/** What is remembered of one deployment beside its own document. */
export type SavedDeployment = {
  readonly deployment: Deployment;
  /** ISO 8601. */
  readonly updatedAt: string;
  /** The wizard's route that was left last; the next start offers to go on from there. */
  readonly route?: string;
  readonly lastRun?: {
    readonly run: string;
    readonly outcome: RunOutcome | 'interrupted';
    readonly at: string;
    readonly failedStep?: string;
    /** What it took away, in words (`the platform`); absent when it installed something. */
    readonly removes?: string;
  };
  readonly practice: boolean;
};

export type Preferences = {
  readonly glyphs: 'auto' | 'unicode' | 'ascii';
  readonly colour: 'auto' | 'never';
};

/**
 * The list of deployments and the preferences; the journal, the vault and logs have files of their own. Every answer
 * is what is on the disk now, so that two programs see each other's changes. Writing can fail (a full disk): the error
 * is a sentence for the operator, and what was there before still is.
 */
export type Store = {
  /** Newest first. A deployment may be a draft: of the right shape, with fields that `problemsOf` finds fault with. */
  readonly list: () => readonly SavedDeployment[];
  readonly get: (name: string) => SavedDeployment | undefined;
  readonly save: (saved: SavedDeployment) => Result<void, string>;
  readonly remove: (name: string) => Result<void, string>;
  readonly preferences: () => Preferences;
  readonly setPreferences: (preferences: Preferences) => Result<void, string>;
  /** What the operator must be told about the file: that it was damaged, and where the copy of it lies. */
  readonly notice: string | undefined;
};
