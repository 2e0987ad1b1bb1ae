import type {HostSpec} from '../deployment/schema.ts';
import {acceptanceOf, type CheckResult} from '../hosts/check.ts';
import type {Connection} from '../hosts/connection.ts';
import {blockingChecks} from '../hosts/preflight.ts';
import {err, ok, type Result} from '../result.ts';
import {askInTurn, tellingPauses} from './ask.ts';
import {bug} from './context.ts';
import {sweepScript} from './detached-scripts.ts';
import {connectStep, type NewEvent, type RunOutcome} from './events.ts';
import type {Failure} from './failure.ts';
import {heldBy, type Instance} from './graph.ts';
import {askAll, type Look, look, planOf} from './look.ts';
import type {RunPorts} from './ports.ts';
import {type Prepared, prepare, remember} from './prepare.ts';
import {eventRedactor} from './redact.ts';
import {withRemedy} from './remedies.ts';
import {delayBeforeLook, titleOf} from './retry.ts';
import {countsOf} from './run-step.ts';
import {type Run, schedule} from './schedule.ts';
import {openSessions, type Sessions} from './sessions.ts';
import {tellVerified, type Verified, verificationFailure, verificationsOf, verified} from './verification.ts';

export type RunResult = {
  readonly outcome: RunOutcome;
  /** Counts of resources; `failed` counts steps on hosts, each of which failed at one resource. */
  readonly changed: number;
  readonly unchanged: number;
  readonly failed: number;
  /** Why it did not succeed, the first reason first. */
  readonly failures: readonly Failure[];
  /** The operator wants to change a setting because of this failure. */
  readonly change?: Failure;
};

/**
 * Carries a deployment out: looks, plans, applies what differs, verifies, hands over. Every fault is an event and part
 * of the result, bugs included; it never rejects. Aborting `control.signal` ends the command that runs, and nothing
 * else begins. When `events` throws (the journal cannot be written), it stops in the same way.
 */
export const runDeployment = async (given: RunPorts): Promise<RunResult> => {
  const redact = eventRedactor(given.redact);
  const unwritten = new AbortController();
  const emit = (event: NewEvent): void => {
    try {
      given.events(redact({at: given.clock.now().toISOString(), ...event}));
    } catch (error) {
      unwritten.abort(error);
    }
  };
  const control = {...given.control, signal: AbortSignal.any([given.control.signal, unwritten.signal])};
  const ports = {...given, control: tellingPauses(control, emit)};
  emit({
    type: 'run.started',
    run: ports.run,
    deployment: ports.deployment.name,
    practice: ports.practice,
    resumed: ports.resumed,
    ...(ports.removes !== undefined && {removes: ports.removes}),
  });
  const sessions = openSessions(host => connectTelling(ports, host, emit));
  let result: RunResult;
  try {
    result = await carryOut(ports, sessions, emit);
  } catch (error) {
    result = ended(emit, [bug(error)]);
  } finally {
    await sessions.close();
  }
  if (unwritten.signal.aborted) result = {...result, ...notWrittenDown(unwritten.signal.reason, result)};
  const {outcome, changed, unchanged, failed} = result;
  emit({type: 'run.finished', outcome, changed, unchanged, failed});
  return result;
};

const notWrittenDown = (reason: unknown, {failures, failed}: RunResult): Partial<RunResult> => ({
  outcome: 'failed',
  failed: failed + 1,
  failures: [
    {
      kind: 'input',
      attempted: 'writing the journal of the run',
      message: `What happens could not be written down: ${reason instanceof Error ? reason.message : String(reason)}`,
      remedy: 'Make room on this machine or correct the rights of the folder, then resume.',
    },
    ...failures,
  ],
});

const carryOut = async (ports: RunPorts, sessions: Sessions, emit: Run['emit']): Promise<RunResult> => {
  const prepared = await prepare(ports);
  if (!prepared.ok) return ended(emit, [prepared.error]);
  const found = await lookUntilFound(ports, prepared.value, sessions, emit);
  if (!found.ok) return found.error;
  const refused = await acceptChecks(ports, found.value, sessions, emit);
  if (ports.control.signal.aborted) return ended(emit, [], {outcome: 'stopped'});
  if (refused.length > 0) return ended(emit, refused);
  const run = begin(ports, prepared.value, sessions, emit, found.value);
  emit({
    type: 'plan',
    ...planOf(
      found.value.instances.filter(({instance}) => run.states.has(instance.key)),
      ports.deployment,
    ),
  });
  await schedule(run);
  await verifyUnchanged(run, found.value);
  await sweepJobs(run);
  const settled = prepared.value.instances
    .map(({key}) => key)
    .filter(key => ['changed', 'unchanged'].includes(run.states.get(key) ?? ''));
  remember(found.value, ports.cache, {products: run.products, settled});
  return resultOf(run);
};

/** Jobs of a run that was killed, and that ended before this one looked: nobody asks for their results any more. */
const sweepJobs = async ({ports, sessions, gone}: Run): Promise<void> => {
  if (!ports.resumed || ports.control.signal.aborted) return;
  await Promise.all(
    ports.deployment.hosts.map(async host => {
      if (gone.has(host.name)) return;
      const connection = await sessions.to(host);
      if (connection.ok) await connection.value.run(sweepScript, {timeoutMs: 30_000, signal: ports.control.signal});
    }),
  );
};

/** The end of a run before its first step. */
const ended = (
  emit: Run['emit'],
  failures: readonly Failure[],
  more: Partial<Pick<RunResult, 'outcome' | 'change'>> = {},
): RunResult => {
  for (const failure of failures) emit({type: 'problem', failure});
  return {outcome: 'failed', changed: 0, unchanged: 0, failed: failures.length, failures, ...more};
};

const connectTelling = async (
  ports: RunPorts,
  host: HostSpec,
  emit: Run['emit'],
): Promise<Result<Connection, Failure>> => {
  const connection = await ports.connect(host, ports.control.signal);
  if (connection.ok) emit({type: 'host.connected', host: host.name, address: connection.value.address});
  return connection;
};

/** What a look found, and the hosts that the operator goes on without, each with why. */
type Found = Look & {readonly gone: ReadonlyMap<string, Failure>};

/**
 * Looks again, by itself or when told to, until every host has answered that the operator does not go on without; else
 * how the run ended.
 */
const lookUntilFound = async (
  ports: RunPorts,
  {instances, setting}: Prepared,
  sessions: Sessions,
  emit: Run['emit'],
): Promise<Result<Found, RunResult>> => {
  const {control, clock, cache} = ports;
  const ask = askInTurn(ports, emit);
  for (let tries = 0; ; tries += 1) {
    const found = await look({
      instances,
      setting,
      facts: ports.facts,
      connect: sessions.to,
      lost: sessions.lost,
      cache: cache.read(),
      verify: true,
      signal: control.signal,
    });
    if (control.signal.aborted) return err(ended(emit, [], {outcome: 'stopped'}));
    remember(found, cache);
    const failures = found.hosts.flatMap(each =>
      'failure' in each ? [withRemedy({host: each.host.name, ...each.failure}, [])] : [],
    );
    const [first] = failures;
    if (!first) return ok({...found, gone: new Map()});
    // What does not pass by itself is the operator's, however many others may pass.
    const worst = failures.find(failure => delayBeforeLook(failure, 0) === undefined) ?? first;
    const hosts = failures.map(({host = ''}) => host);
    const delay = delayBeforeLook(worst, tries);
    if (delay !== undefined) {
      const about = {step: connectStep, attempt: tries + 2, inSeconds: delay};
      for (const {host = '', message} of failures) emit({type: 'retry.scheduled', ...about, host, reason: message});
      await clock.sleep(delay * 1000, control.signal);
      continue;
    }
    const there = instances.filter(({host}) => hosts.includes(host.name));
    const held = heldBy(there, instances, ports.deployment);
    const {choice} = await ask(
      {
        kind: 'failed',
        step: connectStep,
        title: 'Looking at the hosts',
        hosts,
        failure: worst,
        // Something must be left that can go on.
        choices: ['retry', 'change', ...(hosts.length < found.hosts.length ? (['leave'] as const) : []), 'stop'],
        held: instances.filter(each => there.includes(each) || held.includes(each)).map(titleOf),
      },
      control.signal,
    );
    if (control.signal.aborted) return err(ended(emit, [], {outcome: 'stopped'}));
    if (choice === 'leave') {
      for (const failure of failures) emit({type: 'problem', failure});
      return ok({...withUnseen(found, instances), gone: new Map(failures.map(each => [each.host ?? '', each]))});
    }
    if (choice === 'change') return err(ended(emit, failures, {outcome: 'stopped', change: worst}));
    if (choice !== 'retry') return err(ended(emit, failures));
    tries = -1;
  }
};

/** The steps of hosts that did not answer are part of the plan, although nothing is known of them. */
const withUnseen = (found: Look, instances: readonly Instance[]): Look => ({
  ...found,
  instances: instances.map(
    instance =>
      found.instances.find(looked => looked.instance === instance) ?? {
        instance,
        waitsFor: `${instance.host.name}, which does not answer`,
      },
  ),
});

/** Failures of the checks that nobody accepted. What was accepted is told, so that the journal keeps it. */
const acceptChecks = async (
  ports: RunPorts,
  found: Look,
  sessions: Sessions,
  emit: Run['emit'],
): Promise<readonly Failure[]> => {
  const checks = await ports.preflight(
    found.hosts.flatMap(each => ('facts' in each ? [each] : [])),
    sessions.to,
  );
  const blocking = blockingChecks(checks, ports.accepted);
  for (const check of blockingChecks(checks, [])) {
    if (!blocking.includes(check))
      emit({type: 'check.accepted', host: check.host, check: check.id, found: check.found});
  }
  return blocking.map(preflightProblem);
};

const preflightProblem = (check: CheckResult): Failure => ({
  kind: 'preflight',
  host: check.host,
  attempted: `preflight check ${acceptanceOf(check)}`,
  message: `${check.title}: found ${check.found}, needed ${check.needed}`,
  remedy: check.acceptable ? `${check.remedy} Or accept it: --accept ${acceptanceOf(check)}` : check.remedy,
});

const begin = (ports: RunPorts, prepared: Prepared, sessions: Sessions, emit: Run['emit'], found: Found): Run => {
  const wanted = prepared.instances.filter(({step}) => ports.only?.includes(step.id) ?? true);
  const products: Record<string, string> = {...found.products};
  const touched = new Set<string>();
  const asLooked = JSON.stringify(found.products);
  return {
    ports,
    prepared,
    sessions,
    emit,
    ask: askInTurn(ports, emit),
    facts: new Map(found.hosts.flatMap(each => ('facts' in each ? [[each.host.name, each.facts] as const] : []))),
    products,
    looked: new Map(found.instances.map(({instance, resources}) => [instance.key, resources])),
    stillTrue: ({host}) => !touched.has(host.name) && JSON.stringify(products) === asLooked,
    touched,
    states: new Map(wanted.map(({key}) => [key, 'pending'])),
    progress: new Map(),
    unverified: new Set(),
    failures: new Map(),
    gone: new Map(found.gone),
    heldBy: new Map(),
    missing: new Map(
      found.instances.flatMap(({instance, ...looked}) =>
        'missing' in looked ? [[instance.key, looked.missing] as const] : [],
      ),
    ),
    waits: new Map(),
    inVain: new Map(),
    stopping: false,
    change: undefined,
  };
};

/**
 * What had nothing to do is proven too: by what the look asked already, or all of a host in one round trip. A step of
 * which something does not pass is run like one that was changed: it is given time, tried again, asked about.
 */
const verifyUnchanged = async (run: Run, found: Look): Promise<void> => {
  const {ports, prepared} = run;
  const waiting = prepared.instances.filter(({key}) => run.unverified.has(key));
  const asked = new Map(
    found.instances.flatMap(({instance, ...looked}) =>
      'verified' in looked && looked.verified && run.stillTrue(instance) ? [[instance.key, looked.verified]] : [],
    ),
  );
  const wrong = (instance: Instance, results: readonly Verified[]): readonly Instance[] => {
    tellVerified(instance, results, run.emit);
    return verificationFailure(instance, results) ? [instance] : [];
  };
  const again = await Promise.all(
    ports.deployment.hosts.map(async host => {
      const mine = waiting.filter(instance => instance.host.name === host.name);
      const facts = run.facts.get(host.name);
      if (mine.length === 0 || !facts || run.gone.has(host.name) || ports.control.signal.aborted) return [];
      const open = mine
        .filter(({key}) => !asked.has(key))
        .map(instance => ({instance, checks: verificationsOf(instance, facts, run.products, prepared.setting)}));
      const known = mine.flatMap(instance => wrong(instance, asked.get(instance.key) ?? []));
      const scripts = open.flatMap(({checks}) => checks.map(({script}) => script));
      if (scripts.length === 0) return known;
      const connection = await run.sessions.to(host);
      const answers = connection.ok
        ? await askAll(connection.value, scripts, {
            marker: prepared.setting.marker(),
            signal: ports.control.signal,
          })
        : connection;
      if (answers.ok)
        return [...known, ...open.flatMap(({instance, checks}) => wrong(instance, verified(checks, answers.value)))];
      if (connection.ok && answers.error.kind === 'connection-lost') await run.sessions.lost(host);
      return [...known, ...open.map(({instance}) => instance)];
    }),
  );
  if (again.flat().length === 0 || ports.control.signal.aborted) return;
  for (const {key, host} of again.flat()) {
    run.touched.add(host.name);
    run.states.set(key, 'pending');
  }
  await schedule(run);
};

const resultOf = (run: Run): RunResult => {
  const stepFailures = [...run.failures.values()];
  // A host that never answered has no failed step that would tell of it.
  const silent = [...run.gone].flatMap(([host, failure]) => (run.facts.has(host) ? [] : [failure]));
  const failures = [...stepFailures, ...silent];
  const inVain = [...run.inVain.values()];
  const counts = [...run.progress.values()].map(countsOf);
  const stopped = run.stopping || run.ports.control.signal.aborted || [...run.states.values()].includes('stopped');
  return {
    outcome: stopped ? 'stopped' : failures.length > 0 ? 'failed' : inVain.length > 0 ? 'waiting' : 'succeeded',
    changed: counts.reduce((sum, {changed}) => sum + changed, 0),
    unchanged: counts.reduce((sum, {unchanged}) => sum + unchanged, 0),
    failed: failures.length,
    failures: [...failures, ...inVain],
    ...(run.change && {change: run.change}),
  };
};
