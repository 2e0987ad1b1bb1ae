import type {Connection} from '../hosts/connection.ts';
import type {Facts} from '../hosts/facts.ts';
import type {Change} from '../resources/resource.ts';
import {err, ok, type Result} from '../result.ts';
import type {PartOutput} from '../shell/frame.ts';
import type {Script} from '../shell/script.ts';
import {applyPort} from './apply-port.ts';
import {type Assessed, assessWith, buildResources, missingProduct, type Setting} from './context.ts';
import type {NewEvent} from './events.ts';
import type {Failure} from './failure.ts';
import type {Instance} from './graph.ts';
import {answered, askAll, awaitsOf} from './look.ts';
import type {Clock, ControlPort} from './ports.ts';
import {tellVerified, type Verified, verificationFailure, verificationsOf, verified} from './verification.ts';
import {type Missing, missingOf, waitingFailure} from './waiting.ts';

/** What became of the resources of a step on a host, over all its attempts. */
export type StepProgress = {
  /** What an apply was begun for, with what it was to change; it may have done so although its answer was lost. */
  readonly begun: Map<string, readonly Change[]>;
  readonly changed: Set<string>;
  readonly unchanged: Set<string>;
};

export const newProgress = (): StepProgress => ({begun: new Map(), changed: new Set(), unchanged: new Set()});

export type StepCounts = {readonly changed: number; readonly unchanged: number};

export const countsOf = ({changed, unchanged}: StepProgress): StepCounts => ({
  changed: changed.size,
  unchanged: unchanged.size,
});

/** What one attempt at a step on a host works with. */
export type StepWork = {
  readonly instance: Instance;
  readonly setting: Setting;
  readonly facts: Facts;
  /** All that was produced until now; what this step produces is added to it. */
  readonly products: Record<string, string>;
  readonly progress: StepProgress;
  readonly connect: () => Promise<Result<Connection, Failure>>;
  readonly lost: () => Promise<void>;
  readonly clock: Clock;
  readonly control: ControlPort;
  readonly emit: (event: NewEvent) => void;
  /** Something on the host was changed, or may have been: earlier answers about it are void. */
  readonly touched: () => void;
};

/** Milliseconds before each further look at what was just started: services need moments to be up. */
const verificationDelays: readonly number[] = [0, 500, 1000, 2000, 4000, 8000];

/**
 * Makes the resources of a step as they should be, one after the other, each probed before and after. `progress` grows
 * as it goes on, so that it tells the truth even when the step fails in the middle.
 *
 * @param known what the look before the run found, if nothing has happened since that could have changed it
 */
export const convergeStep = async (
  work: StepWork,
  known: readonly Assessed[] | undefined,
): Promise<Result<void, Failure>> => {
  const {instance, setting, facts, products, progress, control} = work;
  const fault = (failure: Omit<Failure, 'host'>): Result<never, Failure> => err({host: instance.host.name, ...failure});
  const missing = missingProduct(instance, products, setting);
  if (missing !== undefined)
    return fault({
      kind: 'input',
      message: `${instance.step.title} needs what an earlier step has not made: ${missing}`,
    });
  const resources = buildResources(instance, facts, products, setting) ?? [];
  let assessed = known;
  if (!assessed) {
    const probed = await probe(work, resources);
    if (!probed.ok) return probed;
    assessed = probed.value;
  }
  for (const [index, resource] of resources.entries()) {
    await control.whenRunning();
    if (control.signal.aborted) return fault({kind: 'cancelled', message: 'Stopped before the next change.'});
    const before = assessed[index]?.assessment;
    if (!before?.ok)
      return fault({
        kind: 'command',
        attempted: resource.doing,
        message: before?.error ?? `${resource.id} was not probed`,
      });
    const {changes, apply} = before.value;
    if (!apply) {
      found(work, resource.id);
      continue;
    }
    const about = {step: instance.step.id, host: instance.host.name, resource: resource.id};
    work.emit({type: 'resource.started', ...about, doing: resource.doing});
    work.touched();
    progress.begun.set(resource.id, changes);
    const applied = await apply(
      applyPort({
        ...work,
        host: instance.host.name,
        about: `${instance.step.id} ${resource.id}`,
        doing: resource.doing,
        random: setting.marker,
        signal: control.signal,
        onLine: line => work.emit({type: 'log', step: instance.step.id, host: instance.host.name, line}),
      }),
    );
    if (!applied.ok) return applied;
    const again = await probe(work, resources.slice(index));
    if (!again.ok) return again;
    assessed = [...assessed.slice(0, index), ...again.value];
    const after = again.value[0]?.assessment;
    if (!after?.ok)
      return fault({kind: 'command', attempted: resource.doing, message: after?.error ?? 'it was not probed again'});
    if (after.value.changes.length > 0) {
      return fault({
        kind: 'not-converged',
        attempted: resource.doing,
        message: `Everything ran, and ${resource.id} is still not as it should be: ${after.value.changes.map(({summary}) => summary).join('; ')}`,
        remedy:
          'Something else on the host sets it back, or a command failed without saying so. Look at the log, then retry.',
      });
    }
    found(work, resource.id);
  }
  return ok();
};

/** A resource is as it should be: because of us, in this attempt or one that was cut off, or all along. */
const found = ({instance, progress, emit}: StepWork, resource: string): void => {
  const {begun, changed, unchanged} = progress;
  const changes = begun.get(resource);
  if (changes === undefined) {
    if (!changed.has(resource)) unchanged.add(resource);
    return;
  }
  begun.delete(resource);
  unchanged.delete(resource);
  changed.add(resource);
  emit({type: 'resource.changed', step: instance.step.id, host: instance.host.name, resource, changes});
};

const probe = async (
  work: StepWork,
  resources: readonly Assessed['resource'][],
): Promise<Result<readonly Assessed[], Failure>> => {
  const answers = await ask(
    work,
    resources.map(resource => resource.probe),
  );
  if (!answers.ok) return answers;
  const assessed = resources.map(resource => ({
    resource,
    assessment: assessWith(resource, answers.value.get(resource.probe.text)),
  }));
  for (const {assessment} of assessed) if (assessment.ok) Object.assign(work.products, assessment.value.products);
  return ok(assessed);
};

const ask = async (
  {connect, lost, setting, control}: StepWork,
  scripts: readonly Script[],
): Promise<Result<ReadonlyMap<string, PartOutput>, Failure>> => {
  const connection = await connect();
  if (!connection.ok) return connection;
  const answers = await askAll(connection.value, scripts, {marker: setting.marker(), signal: control.signal});
  if (!answers.ok && answers.error.kind === 'connection-lost') await lost();
  return answers;
};

/**
 * Whether the step can begin: an error of kind `waiting` while something has not come that somebody outside has to do.
 *
 * @param known what the look before the run found, if nothing has happened since that could have changed it
 */
export const outsideReady = async (
  work: StepWork,
  known: readonly Missing[] | undefined,
): Promise<Result<void, Failure>> => {
  const {instance, facts, products, setting} = work;
  const awaits = awaitsOf(instance, facts, products, setting);
  if (awaits.length === 0 || known?.length === 0) return ok();
  const scripts = [...new Map(awaits.map(({script}) => [script.text, script])).values()];
  const answers = await ask(work, scripts);
  if (!answers.ok) return answers;
  const missing = missingOf(answered(awaits, answers.value));
  return missing.length === 0 ? ok() : err(waitingFailure(instance, missing));
};

/** Verifies a step that was just changed, with some patience, and tells each result. */
export const verifyStep = async (work: StepWork): Promise<Result<void, Failure>> => {
  const {instance, facts, products, setting, clock, control, emit} = work;
  const verifications = verificationsOf(instance, facts, products, setting);
  let results: readonly Verified[] = [];
  for (const delay of verificationDelays) {
    if (delay > 0) await clock.sleep(delay, control.signal);
    if (control.signal.aborted)
      return err({kind: 'cancelled', host: instance.host.name, message: 'Stopped while verifying.'});
    const answers = await ask(
      work,
      verifications.map(({script}) => script),
    );
    if (!answers.ok) return answers;
    results = verified(verifications, answers.value);
    if (results.every(({result}) => result.ok)) break;
  }
  tellVerified(instance, results, emit);
  const failure = verificationFailure(instance, results);
  return failure ? err(failure) : ok();
};
