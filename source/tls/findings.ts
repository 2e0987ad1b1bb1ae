/** One thing about a certificate that matters for its use. An `error` means that clients will refuse it. */
export type Finding = {
  readonly severity: 'error' | 'warning' | 'note';
  /** For tests and scripts. */
  readonly id: string;
  /** A sentence in the words of the field. */
  readonly message: string;
  /** What to do about it. */
  readonly remedy?: string;
};

export const error = (id: string, message: string, remedy: string): Finding => ({
  severity: 'error',
  id,
  message,
  remedy,
});

export const warning = (id: string, message: string, remedy?: string): Finding => ({
  severity: 'warning',
  id,
  message,
  ...(remedy !== undefined && {remedy}),
});

export const note = (id: string, message: string): Finding => ({severity: 'note', id, message});

export const isError = ({severity}: Finding): boolean => severity === 'error';

/** `2027-03-01` */
export const day = (date: Date): string => date.toISOString().slice(0, 10);
