import {err, ok, type Result} from '../result.ts';
import {nothing} from '../shell/script.ts';
import {bug} from './context.ts';
import type {NewEvent, PlannedStep} from './events.ts';
import type {Failure} from './failure.ts';
import type {Instance} from './graph.ts';
import {askAll, type HostLook, type Look, planOf} from './look.ts';
import type {LookPorts} from './ports.ts';
import {lookOnce, type Prepared} from './prepare.ts';
import type {Sessions} from './sessions.ts';
import type {Verification} from './step.ts';
import {tellVerified, type Verified, verificationFailure, verificationsOf, verified} from './verification.ts';

export type PlanResult = {
  readonly hosts: readonly HostLook[];
  readonly steps: readonly PlannedStep[];
  /** Resources that would be changed, and those that are as they should be. */
  readonly changes: number;
  readonly unchanged: number;
};

/**
 * What an installation would change; changes nothing. A host that cannot be looked at is in `hosts` with its failure
 * and has no steps. One round trip per host when the last look is remembered and nothing has changed since.
 */
export const planDeployment = async (ports: LookPorts): Promise<Result<PlanResult, Failure>> =>
  withoutThrowing(async () => {
    const found = await lookOnce(ports, {verify: false});
    if (!found.ok) return found;
    await found.value.sessions.close();
    if (ports.signal.aborted) return err({kind: 'cancelled', message: 'Stopped while looking at the hosts.'});
    return ok({hosts: found.value.hosts, ...planOf(found.value.instances, ports.deployment)});
  });

export type VerifyResult = {
  readonly passed: number;
  readonly failures: readonly Failure[];
};

/**
 * Proves that every step does its work, with its own tools; changes nothing. At most two round trips per host when the
 * last look is remembered.
 */
export const verifyDeployment = async (
  ports: LookPorts,
  emit: (event: NewEvent) => void,
): Promise<Result<VerifyResult, Failure>> =>
  withoutThrowing(async () => {
    const found = await lookOnce(ports, {verify: true});
    if (!found.ok) return found;
    const {hosts, sessions} = found.value;
    const results = await Promise.all(hosts.map(each => verifyHost(each, found.value, ports)));
    await sessions.close();
    if (ports.signal.aborted) return err({kind: 'cancelled', message: 'Stopped while verifying.'});
    const proven = results.flatMap(result => (result.ok ? result.value : []));
    for (const {instance, results: each} of proven) tellVerified(instance, each, emit);
    const passed = proven.flatMap(each => each.results).filter(({result}) => result.ok).length;
    const failures = [
      ...results.flatMap(result => (result.ok ? [] : [result.error])),
      ...proven.flatMap(({instance, results: each}) => verificationFailure(instance, each) ?? []),
    ];
    return ok({passed, failures});
  });

type Proven = {readonly instance: Instance; readonly results: readonly Verified[]};

/** What the look has asked already is not asked again. */
const verifyHost = async (
  each: HostLook,
  {instances, products, prepared, sessions}: Look & {readonly prepared: Prepared; readonly sessions: Sessions},
  ports: LookPorts,
): Promise<Result<readonly Proven[], Failure>> => {
  if ('failure' in each) return err({host: each.host.name, ...each.failure});
  const {setting} = prepared;
  const mine = instances.filter(({instance}) => instance.host.name === each.host.name);
  const known = mine.flatMap((looked): Proven[] =>
    looked.resources && looked.verified ? [{instance: looked.instance, results: looked.verified}] : [],
  );
  const open = mine
    .filter(({instance}) => !known.some(other => other.instance === instance))
    .map(({instance, waitsFor}) => ({
      instance,
      checks:
        waitsFor === undefined ? verificationsOf(instance, each.facts, products, setting) : [notInstalled(waitsFor)],
    }));
  const connection = await sessions.to(each.host);
  const scripts = open.flatMap(({checks}) => checks.map(({script}) => script));
  const answers = connection.ok ? await askAll(connection.value, scripts, ports.marker(), ports.signal) : connection;
  if (!answers.ok) return answers;
  return ok([...known, ...open.map(({instance, checks}) => ({instance, results: verified(checks, answers.value)}))]);
};

/** What a step says for itself while the product that it needs has not been made. */
const notInstalled = (product: string): Verification => ({
  id: 'installed',
  title: 'it is installed',
  script: nothing,
  check: () => err(`not yet: nobody has made what it needs (${product})`),
});

const withoutThrowing = async <T>(work: () => Promise<Result<T, Failure>>): Promise<Result<T, Failure>> => {
  try {
    return await work();
  } catch (error) {
    return err(bug(error));
  }
};
