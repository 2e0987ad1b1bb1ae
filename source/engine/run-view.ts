import type {Change} from '../resources/resource.ts';
import {connectStep, type Question, type RunEvent, type RunOutcome, type StepState} from './events.ts';
import type {Failure} from './failure.ts';
import {keyOf} from './graph.ts';
import type {Missing} from './waiting.ts';

/** An attempt that begins by itself later. The countdown is from `at` on. */
export type RetryView = {
  /** ISO 8601: when it was scheduled. */
  readonly at: string;
  readonly inSeconds: number;
  readonly attempt: number;
  readonly reason: string;
};

/** What a step waits for. The countdown to the next look is from `at` on. */
export type WaitView = {
  /** ISO 8601: when it was looked at last. */
  readonly at: string;
  readonly inSeconds: number;
  readonly missing: readonly Missing[];
};

export type VerificationView = {
  readonly check: string;
  readonly title: string;
  readonly passed: boolean;
  readonly detail: string;
};

/** A resource that the plan would change, or that a step changed. */
export type ResourceView = {
  readonly id: string;
  readonly changes: readonly Change[];
  readonly state: 'pending' | 'running' | 'changed';
};

/** One step on one host. */
export type StepView = {
  readonly step: string;
  readonly title: string;
  readonly host: string;
  /** Seconds on an ordinary machine; 0 when the plan found nothing to change. */
  readonly estimate: number;
  readonly state: StepState;
  readonly attempt: number;
  /** What is being done now, as a phrase. */
  readonly doing?: string;
  /** How many resources the plan would change. */
  readonly planned: number;
  /** Those, and what was changed beyond the plan (of an undecided step, for one). */
  readonly resources: readonly ResourceView[];
  readonly undecided?: string;
  /** What must be done before, as `step@host`. */
  readonly after: readonly string[];
  readonly changed: number;
  readonly unchanged: number;
  /** ISO 8601, of the first attempt. */
  readonly startedAt?: string;
  readonly seconds?: number;
  readonly failure?: Failure;
  readonly retry?: RetryView;
  /** In state `blocked`: what holds it up, in words. */
  readonly heldBy?: string;
  /** In state `waiting`, while it is looked at again. */
  readonly wait?: WaitView;
  /** What the plan saw missing that somebody outside has to do. */
  readonly awaits: readonly string[];
  readonly verified: readonly VerificationView[];
  /** The last lines, at most `tailLimit`. */
  readonly tail: readonly string[];
};

export type HostView = {
  readonly host: string;
  readonly address?: string;
  readonly state: 'connecting' | 'connected' | 'failed';
  readonly retry?: RetryView;
  readonly failure?: Failure;
};

export type RunView = {
  readonly run: string;
  readonly deployment: string;
  readonly practice: boolean;
  readonly resumed: boolean;
  /** What is taken away, in words; absent when something is installed. */
  readonly removes?: string;
  readonly phase: 'idle' | 'looking' | 'running' | 'paused' | 'finished';
  /** ISO 8601. */
  readonly startedAt?: string;
  /** ISO 8601: the last event seen, which is the end once the phase is `finished`. */
  readonly lastAt?: string;
  readonly hosts: readonly HostView[];
  /** In the order of the plan. */
  readonly steps: readonly StepView[];
  /** What the plan counted, in resources. */
  readonly plan?: {readonly changes: number; readonly unchanged: number};
  /** Open questions, the oldest first; the engine asks one at a time. */
  readonly questions: readonly {readonly id: string; readonly question: Question}[];
  readonly problems: readonly Failure[];
  readonly accepted: readonly {readonly host: string; readonly check: string; readonly found: string}[];
  readonly handovers: readonly {readonly path: string; readonly title: string; readonly secret: boolean}[];
  readonly outcome?: RunOutcome;
  /** Resources so far; the run's own count once it has finished. */
  readonly changed: number;
  readonly unchanged: number;
  readonly failed: number;
};

/** Lines kept for each step on each host; the whole log is in the host's log file. */
export const tailLimit = 200;

export const emptyRunView: RunView = {
  run: '',
  deployment: '',
  practice: false,
  resumed: false,
  phase: 'idle',
  hosts: [],
  steps: [],
  questions: [],
  problems: [],
  accepted: [],
  handovers: [],
  changed: 0,
  unchanged: 0,
  failed: 0,
};

/** The view after one more event. Pure, so that a screen can be redrawn from a journal at any time. */
export const advance = (view: RunView, event: RunEvent): RunView => ({...apply(view, event), lastAt: event.at});

export const runView = (events: Iterable<RunEvent>): RunView => {
  let view = emptyRunView;
  for (const event of events) view = advance(view, event);
  return view;
};

const apply = (view: RunView, event: RunEvent): RunView => {
  switch (event.type) {
    case 'run.started':
      return {
        ...emptyRunView,
        run: event.run,
        deployment: event.deployment,
        practice: event.practice,
        resumed: event.resumed,
        ...(event.removes !== undefined && {removes: event.removes}),
        phase: 'looking',
        startedAt: event.at,
      };
    case 'host.connected':
      return withHost(view, {host: event.host, address: event.address, state: 'connected'});
    case 'problem':
      return withProblem(view, event.failure);
    case 'plan':
      return withPlan(view, event);
    case 'question':
      return {...view, questions: [...view.questions, {id: event.id, question: event.question}]};
    case 'answer':
      return {...view, questions: view.questions.filter(({id}) => id !== event.id)};
    case 'check.accepted':
      return {...view, accepted: [...view.accepted, {host: event.host, check: event.check, found: event.found}]};
    case 'handover': {
      const {path, title, secret} = event;
      return {...view, handovers: [...view.handovers.filter(known => known.path !== path), {path, title, secret}]};
    }
    case 'paused':
      return {...view, phase: 'paused'};
    case 'continued':
      return {...view, phase: 'running'};
    case 'retry.scheduled':
      return withRetry(view, event);
    case 'run.finished': {
      const {outcome, changed, unchanged, failed} = event;
      return {...view, phase: 'finished', questions: [], outcome, changed, unchanged, failed};
    }
    default:
      return withTotals(withStep(view, event.step, event.host, current => stepAfter(current, event)));
  }
};

type StepEvent = Extract<
  RunEvent,
  {type: 'step.started' | 'resource.started' | 'resource.changed' | 'log' | 'verified' | 'waiting' | 'step.finished'}
>;

const stepAfter = (current: StepView, event: StepEvent): StepView => {
  switch (event.type) {
    case 'step.started': {
      const {failure: _failure, retry: _retry, doing: _doing, wait: _wait, ...rest} = current;
      return {
        ...rest,
        state: 'running',
        attempt: event.attempt,
        verified: [],
        startedAt: current.startedAt ?? event.at,
      };
    }
    case 'resource.started': {
      const known = current.resources.find(({id}) => id === event.resource);
      const started: ResourceView = {id: event.resource, changes: known?.changes ?? [], state: 'running'};
      return {...current, doing: event.doing, resources: withResource(current.resources, started)};
    }
    case 'resource.changed': {
      const {resource: id, changes} = event;
      const resources = withResource(current.resources, {id, changes, state: 'changed'});
      return {...current, resources, changed: resources.filter(({state}) => state === 'changed').length};
    }
    case 'log':
      return {...current, tail: [...current.tail.slice(1 - tailLimit), event.line]};
    case 'verified': {
      const {check, title, passed, detail} = event;
      const others = current.verified.filter(known => known.check !== check);
      return {...current, verified: [...others, {check, title, passed, detail}]};
    }
    case 'waiting': {
      const {doing: _doing, failure: _failure, retry: _retry, ...rest} = current;
      const {at, inSeconds, missing} = event;
      return {...rest, state: 'waiting', wait: {at, inSeconds, missing}};
    }
    case 'step.finished': {
      const {doing: _doing, failure: _failure, heldBy: _heldBy, retry: _retry, wait: _wait, ...rest} = current;
      const {state, changed, unchanged, seconds, failure, heldBy} = event;
      return {
        ...rest,
        state,
        changed,
        unchanged,
        seconds,
        ...(failure && {failure}),
        ...(heldBy !== undefined && {heldBy}),
      };
    }
  }
};

const withResource = (resources: readonly ResourceView[], resource: ResourceView): readonly ResourceView[] => {
  const index = resources.findIndex(({id}) => id === resource.id);
  return index < 0 ? [...resources, resource] : resources.with(index, resource);
};

const unplanned = (step: string, host: string): StepView => ({
  step,
  title: step,
  host,
  estimate: 0,
  state: 'pending',
  attempt: 0,
  planned: 0,
  resources: [],
  after: [],
  awaits: [],
  changed: 0,
  unchanged: 0,
  verified: [],
  tail: [],
});

const withStep = (view: RunView, step: string, host: string, change: (current: StepView) => StepView): RunView => {
  const index = view.steps.findIndex(known => known.step === step && known.host === host);
  const current = view.steps[index];
  return current
    ? {...view, steps: view.steps.with(index, change(current))}
    : {...view, steps: [...view.steps, change(unplanned(step, host))]};
};

const withTotals = (view: RunView): RunView => ({
  ...view,
  changed: view.steps.reduce((sum, {changed}) => sum + changed, 0),
  unchanged: view.steps.reduce((sum, {unchanged}) => sum + unchanged, 0),
  failed: view.steps.filter(({state}) => state === 'failed').length,
});

const withPlan = (view: RunView, {changes, unchanged, steps}: Extract<RunEvent, {type: 'plan'}>): RunView => ({
  ...view,
  phase: 'running',
  plan: {changes, unchanged},
  steps: steps.map(({step, title, host, estimate, resources, undecided, after = [], awaits = []}) => {
    const toChange = resources.filter(({changes: own}) => own.length > 0);
    const planned = toChange.length;
    return {
      ...unplanned(step, host),
      title,
      estimate: planned > 0 || undecided ? estimate : 0,
      planned,
      after,
      awaits,
      resources: toChange.map(({id, changes: own}) => ({id, changes: own, state: 'pending'})),
      ...(undecided && {undecided}),
    };
  }),
});

const withHost = (view: RunView, host: HostView): RunView => {
  const index = view.hosts.findIndex(known => known.host === host.host);
  return {...view, hosts: index < 0 ? [...view.hosts, host] : view.hosts.with(index, host)};
};

const addressOf = (view: RunView, host: string) => {
  const address = view.hosts.find(known => known.host === host)?.address;
  return address === undefined ? {} : {address};
};

const withProblem = (view: RunView, failure: Failure): RunView => {
  const listed = {...view, problems: [...view.problems, failure]};
  return failure.host === undefined || failure.kind === 'preflight'
    ? listed
    : withHost(listed, {host: failure.host, ...addressOf(view, failure.host), state: 'failed', failure});
};

const withRetry = (view: RunView, event: Extract<RunEvent, {type: 'retry.scheduled'}>): RunView => {
  const {at, inSeconds, attempt, reason, step, host} = event;
  const retry = {at, inSeconds, attempt, reason};
  return step === connectStep
    ? withHost(view, {host, ...addressOf(view, host), state: 'connecting', retry})
    : withStep(view, step, host, current => ({...current, retry}));
};

const settled: readonly StepState[] = ['changed', 'unchanged', 'skipped', 'blocked'];

export type Progress = {
  /** From 0 to 1; 1 only when the run has finished. */
  readonly fraction: number;
  readonly elapsedSeconds: number;
  /** Undefined before the plan, and when nothing is known to be left. */
  readonly remainingSeconds: number | undefined;
};

/**
 * How far the run is at `now`. Estimates are for an ordinary machine, so they are scaled by how long the steps that
 * are done took here (from half to four times). Hosts work side by side: what remains is what the slowest has left.
 */
export const progressOf = (view: RunView, now: Date): Progress => {
  const started = view.startedAt === undefined ? now.getTime() : Date.parse(view.startedAt);
  const end = view.phase === 'finished' && view.lastAt !== undefined ? Date.parse(view.lastAt) : now.getTime();
  const elapsedSeconds = Math.max(0, (end - started) / 1000);
  if (view.phase === 'finished') return {fraction: 1, elapsedSeconds, remainingSeconds: 0};

  const done = view.steps.filter(({state, estimate}) => estimate > 0 && settled.includes(state));
  const doneEstimate = done.reduce((sum, {estimate}) => sum + estimate, 0);
  const doneSeconds = done.reduce((sum, {seconds = 0}) => sum + seconds, 0);
  const pace = doneEstimate > 0 ? Math.min(4, Math.max(0.5, doneSeconds / doneEstimate)) : 1;

  const perHost = new Map<string, {all: number; left: number}>();
  for (const {host, estimate, state, startedAt} of view.steps) {
    const sums = perHost.get(host) ?? {all: 0, left: 0};
    const expected = estimate * pace;
    const spent = state === 'running' && startedAt ? Math.max(0, (now.getTime() - Date.parse(startedAt)) / 1000) : 0;
    // A step that takes longer than expected still has something left, or the bar would stand at its end.
    const left = settled.includes(state) ? 0 : Math.max(expected - spent, expected * 0.05);
    perHost.set(host, {all: sums.all + expected, left: sums.left + left});
  }
  const slowest = [...perHost.values()].reduce((worst, sums) => (sums.left > worst.left ? sums : worst), {
    all: 0,
    left: 0,
  });
  if (slowest.all === 0) return {fraction: 0, elapsedSeconds, remainingSeconds: undefined};
  return {
    fraction: Math.min(0.99, 1 - slowest.left / slowest.all),
    elapsedSeconds,
    remainingSeconds: Math.ceil(slowest.left),
  };
};

const done: readonly StepState[] = ['changed', 'unchanged', 'skipped'];

/**
 * What a step that has not begun waits for: the earlier steps that it needs and that are not done, else the one that its
 * host is busy with. Empty for all others.
 */
export const waitsFor = ({steps}: Pick<RunView, 'steps'>, step: StepView): readonly StepView[] => {
  if (step.state !== 'pending') return [];
  const needed = steps.filter(each => step.after.includes(keyOf(each.step, each.host)) && !done.includes(each.state));
  if (needed.length > 0) return needed;
  return steps.filter(each => each.host === step.host && each.state === 'running');
};

/** Seconds that all steps took, one after the other. Hosts work side by side, so a run takes less. */
export const workSeconds = ({steps}: Pick<RunView, 'steps'>): number =>
  steps.reduce((sum, {seconds = 0}) => sum + seconds, 0);
