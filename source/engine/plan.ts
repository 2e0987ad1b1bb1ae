import {err, ok, type Result} from '../result.ts';
import type {PartOutput} from '../shell/frame.ts';
import {nothing, type Script} from '../shell/script.ts';
import {bug, missingProduct} from './context.ts';
import type {NewEvent, PlannedStep} from './events.ts';
import type {Failure} from './failure.ts';
import type {Instance} from './graph.ts';
import {askAll, type HostLook, planOf} from './look.ts';
import type {LookPorts} from './ports.ts';
import {lookOnce, type Opened} from './prepare.ts';
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
    const found = await lookOnce(ports);
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
 * Proves that every step does its work, with its own tools; changes nothing. What a host says of a step is told as soon
 * as it is known, the steps of a host in their order. At most two round trips per host when the last look is remembered.
 */
export const verifyDeployment = async (
  ports: LookPorts,
  emit: (event: NewEvent) => void,
): Promise<Result<VerifyResult, Failure>> =>
  withoutThrowing(async () => {
    const found = await lookOnce(ports);
    if (!found.ok) return found;
    const {hosts, sessions} = found.value;
    const results = await Promise.all(hosts.map(each => verifyHost(each, found.value, ports, emit)));
    await sessions.close();
    if (ports.signal.aborted) return err({kind: 'cancelled', message: 'Stopped while verifying.'});
    const proven = results.flatMap(result => (result.ok ? result.value : []));
    const passed = proven.flatMap(each => each.results).filter(({result}) => result.ok).length;
    const failures = [
      ...results.flatMap(result => (result.ok ? [] : [result.error])),
      ...proven.flatMap(({instance, results: each}) => verificationFailure(instance, each) ?? []),
    ];
    return ok({passed, failures});
  });

type Proven = {readonly instance: Instance; readonly results: readonly Verified[]};

const verifyHost = async (
  each: HostLook,
  {products, prepared: {instances, setting}, sessions}: Opened,
  ports: LookPorts,
  emit: (event: NewEvent) => void,
): Promise<Result<readonly Proven[], Failure>> => {
  if ('failure' in each) return err({host: each.host.name, ...each.failure});
  const open = instances
    .filter(({host}) => host.name === each.host.name)
    .map(instance => {
      const missing = missingProduct(instance, products, setting);
      return {
        instance,
        checks:
          missing === undefined ? verificationsOf(instance, each.facts, products, setting) : [notInstalled(missing)],
      };
    });
  const connection = await sessions.to(each.host);
  if (!connection.ok) return connection;
  const scripts = open.flatMap(({checks}) => checks.map(({script}) => script));
  const answers = new Map<string, PartOutput>();
  const proven: Proven[] = [];
  const onAnswer = (script: Script, answer: PartOutput): void => {
    answers.set(script.text, answer);
    for (const {instance, checks} of open.slice(proven.length)) {
      if (!checks.every(check => answers.has(check.script.text))) return;
      const results = verified(checks, answers);
      proven.push({instance, results});
      tellVerified(instance, results, emit);
    }
  };
  const asked = await askAll(connection.value, scripts, {marker: ports.marker(), signal: ports.signal, onAnswer});
  return asked.ok ? ok(proven) : asked;
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
