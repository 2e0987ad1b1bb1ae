import type {Problem} from '../deployment/problem.ts';
import type {Deployment} from '../deployment/schema.ts';

/** What became of one setting of a file. */
export type Item = {
  readonly file: string;
  /** Counts from 1. */
  readonly line: number;
  /** As the scripts know it: `wireguard.port`; of an inventory, a host or a variable. */
  readonly key: string;
  readonly outcome: 'taken' | 'changed' | 'left' | 'secret' | 'wrong' | 'unknown';
  /** What was taken over, never of a secret and never of something that was left. */
  readonly value?: string;
  /** Where it stands in the deployment now: `channels[0].port`. */
  readonly paths: readonly string[];
  readonly note?: string;
  /** Under which name the vault keeps a secret that is to be brought along. */
  readonly vault?: string;
};

/** Something that is still to be answered or put right, with the line that it comes from where there is one. */
export type ImportProblem = Problem & {readonly file?: string; readonly line?: number};

export type Imported = {
  /** Of the right shape; what is still missing in it or wrong is told by `problems`. */
  readonly deployment: Deployment;
  /** What each file was taken for. */
  readonly files: readonly {readonly path: string; readonly kind: string; readonly title: string}[];
  /** By file and line. Empty when the file was a deployment of Groundwork already. */
  readonly items: readonly Item[];
  /** What was decided although no file says it. */
  readonly notes: readonly string[];
  readonly problems: readonly ImportProblem[];
};
