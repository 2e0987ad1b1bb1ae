import {type Cidr, parseCidr} from '../../network/address.ts';
import type {Problem} from '../problem.ts';
import type {Deployment} from '../schema.ts';

/** Looks at a deployment across its fields. Fields that are wrong in themselves are the schema's business: skip them. */
export type Rule = (deployment: Deployment) => readonly Problem[];

export const error = (path: string, message: string): Problem => ({path, message, severity: 'error'});
export const warning = (path: string, message: string): Problem => ({path, message, severity: 'warning'});

export const validCidr = (text: string): Cidr | undefined => {
  const result = parseCidr(text);
  return result.ok ? result.value : undefined;
};

type Entry = {readonly path: string; readonly key: string};

/** A problem at every entry whose key an earlier one has already; empty keys are not filled in yet. */
export const repeated = (
  entries: readonly Entry[],
  say: (key: string, earlier: string) => string,
): readonly Problem[] => {
  const seen = new Map<string, string>();
  return entries.flatMap(({path, key}) => {
    const earlier = seen.get(key);
    if (earlier !== undefined) return [error(path, say(key, earlier))];
    if (key !== '') seen.set(key, path);
    return [];
  });
};
