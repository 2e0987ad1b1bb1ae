import {z} from 'zod';
import type {Path} from './problem.ts';

/** What a schema looks like with optional and default wrappers, and the checks behind it, taken off. */
const bare = (schema: z.core.$ZodType): z.core.$ZodType => {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional) return bare(schema.def.innerType);
  return schema;
};

/** The option of a union that a value belongs to, by its discriminator; undefined for a value of no kind. */
const optionFor = (union: z.ZodDiscriminatedUnion, value: unknown): z.core.$ZodType | undefined => {
  const kind = isRecord(value) ? value[union.def.discriminator] : undefined;
  return union.options.find(
    option =>
      option instanceof z.ZodObject &&
      bare(option.shape[union.def.discriminator]) instanceof z.ZodLiteral &&
      option.shape[union.def.discriminator].safeParse(kind).success,
  );
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A value with its keys in the order of the schema and with the defaults of keys that it lacks, whether or not its
 * texts and numbers are right. Keys that the schema does not know are left out.
 */
export const inShape = (schema: z.core.$ZodType, value: unknown): unknown => {
  if (value === undefined) return schema instanceof z.ZodDefault ? schema.def.defaultValue : undefined;
  const inner = bare(schema);
  if (inner instanceof z.ZodArray && Array.isArray(value)) return value.map(item => inShape(inner.element, item));
  if (inner instanceof z.ZodDiscriminatedUnion) {
    const option = optionFor(inner, value);
    return option ? inShape(option, value) : value;
  }
  if (inner instanceof z.ZodObject && isRecord(value)) {
    return Object.fromEntries(
      Object.entries(inner.shape)
        .map(([key, field]) => [key, inShape(field, Object.hasOwn(value, key) ? value[key] : undefined)] as const)
        .filter(([, field]) => field !== undefined),
    );
  }
  return value;
};

/** The keys that the schema knows at a path of a value; none where it has no group of settings. */
export const keysAt = (schema: z.core.$ZodType, value: unknown, path: Path): readonly string[] => {
  const inner = bare(schema);
  if (inner instanceof z.ZodDiscriminatedUnion) {
    const option = optionFor(inner, value);
    return option ? keysAt(option, value, path) : [];
  }
  const [first, ...rest] = path;
  if (first === undefined) return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
  const next = isRecord(value) || Array.isArray(value) ? (value as Record<PropertyKey, unknown>)[first] : undefined;
  if (inner instanceof z.ZodArray) return keysAt(inner.element, next, rest);
  const field = inner instanceof z.ZodObject ? inner.shape[String(first)] : undefined;
  return field ? keysAt(field, next, rest) : [];
};
