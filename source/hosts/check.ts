/** One preflight check on one host. An `error` stops an installation unless it is accepted by name; a `warning` does not. */
export type CheckResult = {
  /** Stable across versions: what `--accept` takes. `memory`, `port-443`. */
  readonly id: string;
  readonly host: string;
  readonly title: string;
  readonly severity: 'error' | 'warning';
  readonly outcome: 'passed' | 'failed';
  /** Whether an operator may accept it: a small machine yes, an unsupported architecture no. */
  readonly acceptable: boolean;
  readonly found: string;
  readonly needed: string;
  /** What to do about it. */
  readonly remedy: string;
};

/** How `acceptedChecks` of a deployment and `--accept` name a check on one host. */
export const acceptanceOf = (check: Pick<CheckResult, 'host' | 'id'>): string => `${check.host}:${check.id}`;
