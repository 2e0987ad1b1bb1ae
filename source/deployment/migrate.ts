import {err, ok, type Result} from '../result.ts';
import {schemaVersion} from './schema.ts';

type Raw = Readonly<Record<string, unknown>>;

/** Brings a document of one version to the next one; `version` itself is seen to. Total: it never throws. */
export type Migration = (raw: Raw) => Raw;

/** By the version that each starts from. Version 1 is the first, so there are none yet. */
export const migrations: Readonly<Record<number, Migration>> = {};

/**
 * Brings a document of any version that this program knows to the present one, step by step. The error is a sentence
 * about the document: no version, a newer one, or one from which there is no way.
 */
export const migrate = (raw: unknown, chain = migrations, target: number = schemaVersion): Result<Raw, string> => {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    return err('this is not a deployment: it must be settings, one "name: value" per line');
  }
  const {version} = raw as Raw;
  if (version === undefined) return err(`version is missing; this program writes version: ${target}`);
  if (typeof version !== 'number' || !Number.isInteger(version) || version < 0) {
    return err(`version must be a whole number without quotes; this program writes version: ${target}`);
  }
  if (version > target) {
    return err(
      `version ${version} was written by a newer Groundwork; this one reads up to version ${target}: update Groundwork`,
    );
  }
  if (version === target) return ok(raw as Raw);
  const next = chain[version];
  return next
    ? migrate({...next(raw as Raw), version: version + 1}, chain, target)
    : err(`version ${version} cannot be read any more; this program writes version ${target}`);
};
