import {ok, type Result} from '../result.ts';
import type {Finding} from './findings.ts';
import {type JudgeOptions, judge, type Verdict} from './judge.ts';
import {type FoundKey, type InputFile, readMaterial, type Unreadable} from './material.ts';
import {type Supply, sortSupplies} from './supply.ts';

export type Examined = {
  /** Each certificate of a server that was found. */
  readonly certificates: readonly {readonly supply: Supply; readonly verdict: Verdict}[];
  /** About the files as a whole. */
  readonly findings: readonly Finding[];
  /** Files of an archive that are no certificates. */
  readonly passedOver: readonly string[];
};

export type ExamineOptions = JudgeOptions & {
  readonly password?: string;
  /** Keys of requests whose certificates have not come back yet. */
  readonly waiting?: readonly FoundKey[];
};

/** Reads what was supplied and says what is to be thought of it. Touches nothing. */
export const examine = async (
  files: readonly InputFile[],
  {password, waiting = [], ...options}: ExamineOptions,
): Promise<Result<Examined, Unreadable>> => {
  const material = await readMaterial(files, password);
  if (!material.ok) return material;
  const {supplies, findings} = sortSupplies(material.value, waiting);
  return ok({
    certificates: supplies.map(supply => ({supply, verdict: judge(supply, options)})),
    findings,
    passedOver: material.value.passedOver,
  });
};
