import type {Failure} from '../engine/failure.ts';
import {acceptanceOf, type CheckResult} from './check.ts';
import type {Facts} from './facts.ts';
import type {Check, CheckContext} from './preflight-check.ts';
import {machineChecks} from './preflight-machine.ts';
import {networkChecks} from './preflight-network.ts';
import {stateChecks} from './preflight-state.ts';

export type {CheckContext} from './preflight-check.ts';

const resultOf = (check: Check, context: CheckContext): CheckResult => ({
  id: check.id,
  host: context.host.name,
  title: check.title,
  severity: check.severity,
  acceptable: check.acceptable,
  ...check.test(context),
});

/**
 * What must be right before anything is touched on one host, in the order in which an operator reads it. Pure: it
 * looks at facts, never at the host. An id occurs once, also when two channels ask for the same port.
 */
export const preflight = (context: CheckContext): readonly CheckResult[] => {
  const all = [...machineChecks, ...stateChecks, ...networkChecks(context)];
  const applicable = all.filter(check => check.applies?.(context) ?? true);
  return [...new Map(applicable.map(check => [check.id, check])).values()].map(check => resultOf(check, context));
};

type Known = {readonly host: string; readonly facts: Facts};

/** What must differ between hosts: copies of one image, or one machine under two names, are found by it. */
const distinct: readonly {
  readonly id: string;
  readonly title: string;
  readonly of: (facts: Facts) => string | undefined;
  readonly needed: string;
  readonly remedy: string;
}[] = [
  {
    id: 'boot-id-shared',
    title: 'Each host is a machine of its own',
    of: facts => facts.bootId || undefined,
    needed: 'a machine of its own for each host',
    remedy: 'Two hosts of the deployment are the same machine under two addresses. Remove one of them in Hosts.',
  },
  {
    id: 'machine-id-shared',
    title: 'Each host has a machine id of its own',
    of: facts => facts.machineId || undefined,
    needed: 'an id that no other host has',
    remedy:
      'The machines are copies of one image. On all but one: `rm /etc/machine-id && systemd-machine-id-setup`, then restart.',
  },
  {
    id: 'hostname-shared',
    title: 'Each host has a hostname of its own',
    of: facts => facts.hostname || undefined,
    needed: 'a name that no other host has',
    remedy: 'Change one of them with `hostnamectl set-hostname NAME`: Kubernetes takes two nodes of one name for one.',
  },
];

/**
 * Checks that need the facts of all hosts at once. Only failures come back, one for each host concerned. Practice hosts
 * share the operator's machine and are left out.
 */
export const preflightAcross = (reports: readonly Known[]): readonly CheckResult[] => {
  const real = reports.filter(({facts}) => !facts.practice);
  return distinct.flatMap(({id, title, of, needed, remedy}) =>
    real.flatMap(({host, facts}) => {
      const value = of(facts);
      const others = real.filter(other => other.host !== host && of(other.facts) === value).map(other => other.host);
      if (value === undefined || others.length === 0) return [];
      return [
        {
          id,
          host,
          title,
          severity: 'error' as const,
          outcome: 'failed' as const,
          acceptable: id !== 'boot-id-shared',
          found: `${value}, as on ${others.join(', ')}`,
          needed,
          remedy,
        },
      ];
    }),
  );
};

/** Whether the operator has accepted a failed check by name, and may. */
export const isAccepted = (check: CheckResult, accepted: readonly string[]): boolean =>
  check.acceptable && accepted.includes(acceptanceOf(check));

/** Failed checks that stop an installation: errors, less those that were accepted one by one. */
export const blockingChecks = (checks: readonly CheckResult[], accepted: readonly string[]): readonly CheckResult[] =>
  checks.filter(check => check.outcome === 'failed' && check.severity === 'error' && !isAccepted(check, accepted));

/** One host's blocking checks as a failure card; undefined when nothing blocks. */
export const preflightFailure = (blocking: readonly CheckResult[]): Failure | undefined => {
  const [first, ...others] = blocking;
  if (!first) return undefined;
  return {
    kind: 'preflight',
    message:
      others.length === 0
        ? `${first.title}: found ${first.found}, needed ${first.needed}.`
        : `${blocking.length} checks of the host failed.`,
    host: first.host,
    attempted: 'checking the host before anything is changed',
    tail: blocking.map(({id, title, found, needed}) => `${id}: ${title}: found ${found}; needed ${needed}`),
    remedy: [
      ...new Set(blocking.map(({remedy}) => remedy)),
      ...(blocking.every(({acceptable}) => acceptable)
        ? [`Or accept: ${blocking.map(check => `--accept ${acceptanceOf(check)}`).join(' ')}`]
        : []),
    ].join('\n'),
  };
};
