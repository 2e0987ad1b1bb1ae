/**
 * Secrets that the operator typed, held in memory for this process only. Each returns undefined when the operator
 * has given none; the connection then fails with a failure that says what is missing.
 */
export type Credentials = {
  readonly password: (host: string) => string | undefined;
  readonly passphrase: (identityFile: string) => string | undefined;
  readonly sudoPassword: (host: string) => string | undefined;
};

export const noCredentials: Credentials = {
  password: () => undefined,
  passphrase: () => undefined,
  sudoPassword: () => undefined,
};
