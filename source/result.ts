/** The outcome of something that may fail in ways its caller must handle. Bugs are thrown; faults are returned. */
export type Result<T, E> = {readonly ok: true; readonly value: T} | {readonly ok: false; readonly error: E};

export function ok(): Result<void, never>;
export function ok<T>(value: T): Result<T, never>;
export function ok<T>(value?: T): Result<T | undefined, never> {
  return {ok: true, value};
}

export const err = <E>(error: E): Result<never, E> => ({ok: false, error});
