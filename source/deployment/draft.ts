import {err, ok, type Result} from '../result.ts';
import {migrate} from './migrate.ts';
import {pathText, valueAt, wordsOf} from './problem.ts';
import {type Deployment, deployment} from './schema.ts';
import {inShape} from './shape.ts';

/**
 * Issues that a document has while it is being filled in: the field is there and of the right type, but empty, out of
 * range or misspelt. Everything else (a missing field, text for a number, an unknown key) no screen can produce.
 */
const unfinished: readonly string[] = ['custom', 'too_small', 'too_big', 'invalid_format'];

/** JSON has no NaN: what a number field held while it was empty comes back as null, and takes its default again. */
const withoutNulls = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== null)
      .map(([key, inner]) => [key, withoutNulls(inner)]),
  );
};

/**
 * Reads back a deployment that was saved, finished or not: its fields are of the right types, but what is in them may
 * still be wrong, which `problemsOf` tells. The error says why it cannot be read at all.
 */
export const readDraft = (raw: unknown): Result<Deployment, string> => {
  const migrated = migrate(withoutNulls(raw));
  if (!migrated.ok) return migrated;
  const parsed = deployment.safeParse(migrated.value);
  if (parsed.success) return ok(parsed.data);
  const broken = parsed.error.issues.find(issue => !unfinished.includes(issue.code));
  if (broken) {
    const path = pathText(broken.path);
    return err(`${path ? `${path} ` : ''}${wordsOf(broken, valueAt(migrated.value, broken.path))}`);
  }
  // Every issue is about the content of a field that has the right type, so the value has the type of a deployment.
  return ok(inShape(deployment, migrated.value) as Deployment);
};
