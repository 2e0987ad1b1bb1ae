import type {Failure} from '../engine/failure.ts';

/** A failure in full, on lines: what, where, the last output, the likely cause, what to do. */
export const failureLines = (failure: Failure): readonly string[] => [
  `FAILED${failure.host ? ` on ${failure.host}` : ''}: ${failure.message}`,
  ...(failure.attempted
    ? [`  while ${failure.attempted}${failure.exit === undefined ? '' : ` (exit status ${failure.exit})`}`]
    : []),
  ...(failure.tail ?? []).map(line => `  | ${line}`),
  ...(failure.cause ? [`  cause: ${failure.cause}`] : []),
  ...(failure.remedy ? [`  what to do: ${failure.remedy}`] : []),
];
