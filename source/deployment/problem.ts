import type {z} from 'zod';

/** What is wrong with one field of a deployment. An `error` stops an installation; a `warning` is for the operator to weigh. */
export type Problem = {
  /** As people write it: `hosts[0].privateAddress`; empty for the document as a whole. */
  readonly path: string;
  /** Reads on after the path: `is missing`, `"10.0.0.300" is not an IP address`. */
  readonly message: string;
  readonly severity: 'error' | 'warning';
};

export type Path = readonly PropertyKey[];

export const pathText = (path: Path): string =>
  path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index > 0 ? '.' : ''}${String(part)}`))
    .join('');

/** The opposite of `pathText`. Keys hold neither dots nor brackets. */
export const pathOf = (text: string): Path =>
  [...text.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map(([, index, key = '']) => (index === undefined ? key : Number(index)));

export const valueAt = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (inner, part) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, part)
        ? (inner as Record<PropertyKey, unknown>)[part]
        : undefined,
    value,
  );

const oneOf = (values: readonly unknown[]): string =>
  values.length === 1 ? `must be ${values[0]}` : `must be one of ${values.map(String).join(', ')}`;

const wrongType = (expected: string, value: unknown): string => {
  if (value === undefined) return 'is missing';
  if (value === null) return 'has no value';
  switch (expected) {
    case 'string':
      return typeof value === 'object' ? 'must be one value' : `must be text: put quotes around ${String(value)}`;
    case 'int':
    case 'number':
      return typeof value === 'string' && /^\d+$/.test(value)
        ? `must be a number: write ${value} without quotes`
        : 'must be a whole number';
    case 'array':
      return 'must be a list: put "- " before each entry';
    case 'object':
      return 'must be a group of settings, one "name: value" per line';
    default:
      return `must be ${expected}`;
  }
};

/** One issue of the schema in words. Messages that the schema brings along are kept; zod's own are replaced. */
export const wordsOf = (issue: z.core.$ZodIssue, value: unknown): string => {
  switch (issue.code) {
    case 'invalid_type':
      return wrongType(issue.expected, value);
    case 'invalid_value':
      return value === undefined ? 'is missing' : oneOf(issue.values);
    case 'invalid_union':
      return value === undefined
        ? 'is missing'
        : oneOf('options' in issue && Array.isArray(issue.options) ? issue.options : []);
    case 'unrecognized_keys':
      return `${issue.keys.map(key => `"${key}"`).join(', ')}: no such setting`;
    case 'custom':
      return value === '' ? 'is still empty' : issue.message;
    case 'too_small':
    case 'too_big': {
      if (!issue.message.startsWith('Too ')) return issue.message;
      if (value === '') return 'is still empty';
      return issue.code === 'too_small' ? `must be at least ${issue.minimum}` : `must be at most ${issue.maximum}`;
    }
    default:
      return issue.message;
  }
};
