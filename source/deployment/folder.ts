import {existsSync, renameSync, rmSync} from 'node:fs';
import {err, ok, type Result} from '../result.ts';

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

/** Removes the folder of a deployment with all that is in it: secrets, files for the operator, journals, logs. */
export const removeFolder = (folder: string): Result<void, string> => {
  try {
    rmSync(folder, {recursive: true, force: true});
    return ok();
  } catch (cause) {
    return err(`${folder} cannot be removed: ${messageOf(cause)}`);
  }
};

/** Gives the folder of a deployment another name. Files that lie under that name already are never mixed with it. */
export const moveFolder = (from: string, to: string): Result<void, string> => {
  try {
    if (!existsSync(from)) return ok();
    if (existsSync(to)) return err(`files of an earlier one of that name are in ${to}`);
    renameSync(from, to);
    return ok();
  } catch (cause) {
    return err(`${from} cannot be renamed: ${messageOf(cause)}`);
  }
};
