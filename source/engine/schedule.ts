import type {Facts} from '../hosts/facts.ts';
import {err, ok, type Result} from '../result.ts';
import {type Assessed, bug, contextOf} from './context.ts';
import type {NewEvent, StepState} from './events.ts';
import type {Failure} from './failure.ts';
import {heldBy, type Instance, prerequisitesOf} from './graph.ts';
import type {RunPorts} from './ports.ts';
import type {Prepared} from './prepare.ts';
import {withRemedy} from './remedies.ts';
import {automaticDelay, isHostGone, questionFor, titleOf} from './retry.ts';
import {
  convergeStep,
  countsOf,
  newProgress,
  outsideReady,
  type StepProgress,
  type StepWork,
  verifyStep,
} from './run-step.ts';
import type {Sessions} from './sessions.ts';
import {type Missing, missingIn, noWait, type Wait, waitOn} from './waiting.ts';

/** A run in progress. */
export type Run = {
  readonly ports: RunPorts;
  readonly prepared: Prepared;
  readonly sessions: Sessions;
  readonly emit: (event: NewEvent) => void;
  readonly ask: RunPorts['ask'];
  readonly facts: ReadonlyMap<string, Facts>;
  readonly products: Record<string, string>;
  /** What the look before the run found, by instance. */
  readonly looked: ReadonlyMap<string, readonly Assessed[] | undefined>;
  /** Whether that still holds for an instance: nothing on its host and none of the products has changed since. */
  readonly stillTrue: (instance: Instance) => boolean;
  /** Hosts that were changed since that look. */
  readonly touched: Set<string>;
  /** Only of the instances that this run concerns. */
  readonly states: Map<string, StepState>;
  readonly progress: Map<string, StepProgress>;
  /** Steps with nothing to do, whose verification waits for the end, all in one round trip. */
  readonly unverified: Set<string>;
  readonly failures: Map<string, Failure>;
  /** Hosts that do not answer and that the operator left for later: nothing more is tried there. */
  readonly gone: Map<string, Failure>;
  /** What holds up those that are blocked, at its root. */
  readonly heldBy: Map<string, string>;
  /** What the look before the run found missing that somebody outside has to do, by instance. */
  readonly missing: ReadonlyMap<string, readonly Missing[]>;
  /** Those that wait for it, and will look again. */
  readonly waits: Map<string, Wait & {readonly pause: number}>;
  /** Those that waited in vain, with what for. */
  readonly inVain: Map<string, Failure>;
  stopping: boolean;
  change: Failure | undefined;
};

const settled: readonly StepState[] = ['changed', 'unchanged', 'skipped'];
const given: readonly StepState[] = ['failed', 'blocked', 'stopped'];

/**
 * Steps in their order, hosts side by side, one step at a time on a host. A step begins on a host when all that it is
 * after is done on every host that it concerns; what is after a failed one is blocked, and the rest goes on. A step that
 * waits for somebody outside leaves its host to the others, and is looked at again.
 */
export const schedule = async (run: Run): Promise<void> => {
  const {instances} = run.prepared;
  const busy = new Map<string, Promise<void>>();
  const asleep = sleepers(run);
  const stateOf = ({key}: Instance): StepState => run.states.get(key) ?? 'unchanged';
  const isOver = (instance: Instance): boolean =>
    given.includes(stateOf(instance)) || (stateOf(instance) === 'waiting' && !run.waits.has(instance.key));
  const isFree = ({host}: Instance): boolean => !busy.has(host.name) && busy.size < run.ports.parallel;
  const occupy = ({host}: Instance, work: Promise<void>): void => {
    busy.set(
      host.name,
      work.finally(() => busy.delete(host.name)),
    );
  };
  try {
    for (;;) {
      const isStopping = run.stopping || run.ports.control.signal.aborted;
      for (const instance of instances) {
        const state = stateOf(instance);
        const waits = state === 'waiting' && run.waits.has(instance.key);
        if (state !== 'pending' && !waits) continue;
        const before = prerequisitesOf(instance, instances, run.ports.deployment);
        const culprit = before.find(isOver);
        if (isStopping) end(run, instance, 'stopped');
        else if (waits) {
          if (asleep.isAwake(instance) && isFree(instance)) occupy(instance, lookAgain(run, instance));
        } else if (run.gone.has(instance.host.name))
          block(run, instance, `${instance.host.name}, which does not answer`);
        else if (culprit) block(run, instance, rootOf(run, culprit));
        else if (before.every(each => settled.includes(stateOf(each))) && isFree(instance)) {
          run.states.set(instance.key, 'running');
          occupy(instance, runInstance(run, instance));
        }
      }
      const under = [...busy.values(), ...asleep.all()];
      if (under.length > 0) await Promise.race(under);
      else if (!instances.some(instance => stateOf(instance) === 'pending')) return;
    }
  } finally {
    asleep.close();
  }
};

/** The pauses of steps that wait, each of which ends by itself, when the operator wants to look, or with the run. */
const sleepers = ({ports: {clock, control}, waits, states}: Run) => {
  const sleeping = new Map<Wait, Promise<void>>();
  const rested = new Set<Wait>();
  let early = new AbortController();
  const forget = control.onLookAgain?.(() => {
    early.abort();
    early = new AbortController();
  });
  const current = (key: string) => (states.get(key) === 'waiting' ? waits.get(key) : undefined);
  return {
    /** Whether the pause of an instance is over; begins it if it is new. */
    isAwake: ({key}: Instance): boolean => {
      const wait = current(key);
      if (!wait || rested.has(wait)) return true;
      if (!sleeping.has(wait)) {
        const rest = clock.sleep(wait.pause * 1000, AbortSignal.any([control.signal, early.signal])).then(() => {
          sleeping.delete(wait);
          rested.add(wait);
        });
        sleeping.set(wait, rest);
      }
      return false;
    },
    all: (): readonly Promise<void>[] => [...sleeping.values()],
    close: (): void => {
      forget?.();
      early.abort();
    },
  };
};

const progressOf = (run: Run, key: string): StepProgress => {
  const known = run.progress.get(key) ?? newProgress();
  run.progress.set(key, known);
  return known;
};

/** What is at the root of what an instance is blocked by: of a chain, its first link. */
const rootOf = ({states, heldBy}: Run, culprit: Instance): string =>
  (states.get(culprit.key) === 'blocked' ? heldBy.get(culprit.key) : undefined) ?? titleOf(culprit);

const block = (run: Run, instance: Instance, heldBy: string): void => {
  run.heldBy.set(instance.key, heldBy);
  end(run, instance, 'blocked');
};

const end = (run: Run, {key, step, host}: Instance, state: StepState, seconds = 0, failure?: Failure): void => {
  run.states.set(key, state);
  if (failure && state === 'failed') run.failures.set(key, failure);
  else run.failures.delete(key);
  if (failure && state === 'waiting') run.inVain.set(key, failure);
  else run.inVain.delete(key);
  run.waits.delete(key);
  const heldBy = state === 'blocked' ? run.heldBy.get(key) : undefined;
  run.emit({
    type: 'step.finished',
    step: step.id,
    host: host.name,
    state,
    ...countsOf(progressOf(run, key)),
    seconds,
    ...(failure && {failure}),
    ...(heldBy !== undefined && {heldBy}),
  });
};

/** Tries a step until it is done, or the operator gives it up. */
const runInstance = async (run: Run, instance: Instance): Promise<void> => {
  const {clock, control} = run.ports;
  const {step, host, key} = instance;
  const about = {step: step.id, host: host.name};
  const progress = progressOf(run, key);
  let automatic = 0;
  for (let attempt = 1; ; attempt += 1) {
    const changedBefore = progress.changed.size;
    const startedAt = clock.now().getTime();
    run.emit({type: 'step.started', ...about, attempt});
    const outcome = await attemptStep(run, instance, progress);
    const seconds = Math.round((clock.now().getTime() - startedAt) / 100) / 10;
    if (outcome.ok) return end(run, instance, progress.changed.size > 0 ? 'changed' : 'unchanged', seconds);
    const failure = withRemedy({host: host.name, ...outcome.error}, step.remedies ?? []);
    if (failure.kind === 'cancelled' || control.signal.aborted) return end(run, instance, 'stopped', seconds);
    if (failure.kind === 'waiting') return wait(run, instance, failure, seconds);
    // A fault after some progress is another one, and not the same that stays.
    if (progress.changed.size > changedBefore) automatic = 0;
    const delay = automaticDelay(failure, automatic);
    if (delay !== undefined) {
      automatic += 1;
      const reason = failure.message;
      run.emit({type: 'retry.scheduled', ...about, attempt: attempt + 1, inSeconds: delay, reason});
      await clock.sleep(delay * 1000, control.signal);
      if (control.signal.aborted) return end(run, instance, 'stopped', seconds);
      continue;
    }
    run.emit({type: 'step.finished', ...about, state: 'failed', ...countsOf(progress), seconds, failure});
    const others = run.prepared.instances
      .filter(other => other.step === step && other !== instance)
      .map(other => other.host.name);
    const held = heldUpBy(run, instance, failure);
    const {choice} = await run.ask(questionFor(instance, failure, {others, held}), control.signal);
    if (choice === 'retry' || choice === 'retry-all') {
      automatic = 0;
      if (choice === 'retry-all') repeatOnOthers(run, instance);
      continue;
    }
    if (choice === 'skip') return end(run, instance, 'skipped', seconds, failure);
    if (choice === 'change') run.change = failure;
    if (choice !== 'leave') run.stopping = true;
    else if (isHostGone(failure)) run.gone.set(host.name, failure);
    // Told already, before the question.
    run.states.set(key, 'failed');
    run.failures.set(key, failure);
    return;
  }
};

/** Something has not come: the step waits for its next look, or has waited long enough. */
const wait = (run: Run, instance: Instance, failure: Failure, seconds: number): void => {
  const {step, host, key} = instance;
  const missing = missingIn(failure);
  const before = run.waits.get(key) ?? noWait;
  const next = waitOn(before, missing, run.ports.patience);
  if (!next) {
    end(run, instance, 'waiting', seconds, failure);
    return;
  }
  run.states.set(key, 'waiting');
  run.waits.set(key, {...next.wait, pause: next.pause});
  const news = next.wait.told !== before.told;
  run.emit({type: 'waiting', step: step.id, host: host.name, missing, inSeconds: next.pause, news});
};

/** Looks whether a step that waits can begin, without beginning it. What goes wrong here is told when it begins. */
const lookAgain = async (run: Run, instance: Instance): Promise<void> => {
  const facts = run.facts.get(instance.host.name);
  const progress = progressOf(run, instance.key);
  const ready =
    facts && instance.step.awaits
      ? await quietly(() => outsideReady(workOf(run, instance, facts, progress), undefined))
      : undefined;
  if (run.ports.control.signal.aborted) return;
  if (ready && !ready.ok && ready.error.kind === 'waiting') wait(run, instance, ready.error, 0);
  else run.states.set(instance.key, 'pending');
};

const quietly = async (look: () => Promise<Result<void, Failure>>): Promise<Result<void, Failure>> => {
  try {
    return await look();
  } catch (error) {
    return err(bug(error));
  }
};

/** What waits for a failed step: all that comes after it and, where its host is gone, the rest of what is to be done there. */
const heldUpBy = ({ports, prepared, states}: Run, instance: Instance, failure: Failure): readonly Instance[] => {
  const {instances} = prepared;
  const isOpen = ({key}: Instance): boolean => states.get(key) === 'pending';
  const here = isHostGone(failure)
    ? instances.filter(each => each.host.name === instance.host.name && isOpen(each))
    : [];
  const held = heldBy([instance, ...here], instances, ports.deployment);
  return instances.filter(each => isOpen(each) && (here.includes(each) || held.includes(each)));
};

const repeatOnOthers = (run: Run, instance: Instance): void => {
  for (const other of run.prepared.instances) {
    const state = run.states.get(other.key);
    if (other.step === instance.step && other !== instance && state && state !== 'running') {
      run.gone.delete(other.host.name);
      run.states.set(other.key, 'pending');
    }
  }
};

const workOf = (run: Run, instance: Instance, facts: Facts, progress: StepProgress): StepWork => ({
  instance,
  setting: run.prepared.setting,
  facts,
  products: run.products,
  progress,
  connect: () => run.sessions.to(instance.host),
  lost: () => run.sessions.lost(instance.host),
  clock: run.ports.clock,
  control: run.ports.control,
  emit: run.emit,
  touched: () => run.touched.add(instance.host.name),
});

const attemptStep = async (run: Run, instance: Instance, progress: StepProgress): Promise<Result<void, Failure>> => {
  const {host, key} = instance;
  const facts = run.facts.get(host.name);
  if (!facts) return err({kind: 'unreachable', message: `${host.name} was not looked at`});
  const work = workOf(run, instance, facts, progress);
  try {
    const ready = await outsideReady(work, run.stillTrue(instance) ? run.missing.get(key) : undefined);
    if (!ready.ok) return ready;
    const converged = await convergeStep(work, run.stillTrue(instance) ? run.looked.get(key) : undefined);
    if (!converged.ok) return converged;
    if (progress.changed.size === 0 && run.stillTrue(instance)) run.unverified.add(key);
    else {
      const proven = await verifyStep(work);
      if (!proven.ok) return proven;
    }
    return await handOver(run, instance, facts);
  } catch (error) {
    return err(bug(error, {host: host.name, attempted: instance.step.title}));
  }
};

const handOver = async (run: Run, instance: Instance, facts: Facts): Promise<Result<void, Failure>> => {
  const files = instance.step.handover?.(contextOf(instance, facts, run.products, run.prepared.setting)) ?? [];
  for (const file of files) {
    const path = await run.ports.handOver(file);
    if (!path.ok) return path;
    run.emit({type: 'handover', path: path.value, title: file.title, secret: file.secret});
  }
  return ok();
};
