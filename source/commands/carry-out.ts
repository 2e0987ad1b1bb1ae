import type {Deployment} from '../deployment/schema.ts';
import type {AskPort, ControlPort} from '../engine/ports.ts';
import {runView} from '../engine/run-view.ts';
import type {World} from './command.ts';
import {exit, exitOf} from './exit.ts';
import type {OutputForm} from './inputs.ts';
import {type RunRequest, runOperation} from './operations.ts';
import {askOnLines, canAsk, unattended} from './prompt.ts';
import {reporterFor} from './report.ts';
import type {Site} from './site.ts';

export type CarryOut = {
  readonly command: string;
  readonly form: OutputForm;
  /** `--yes`: nobody is asked anything. */
  readonly yes: boolean;
  readonly resumed?: boolean;
  readonly only?: readonly string[];
  readonly removal?: RunRequest['removal'];
  readonly steps?: RunRequest['steps'];
  readonly takeOver?: boolean;
  /** How long a step waits for what somebody outside has to do. Default: for ever, and 30 where nobody is asked. */
  readonly waitMinutes?: number | undefined;
  /** Answers in place of the operator; for practice. */
  readonly ask?: AskPort;
};

/** Long enough for a colleague who was told and makes the record; a pipeline must end some time. */
const unattendedWaitMinutes = 30;

/** Runs a deployment without screens, tells what happens, and settles with the exit status. */
export const carryOut = async (
  world: World,
  site: Site,
  deployment: Deployment,
  options: CarryOut,
): Promise<number> => {
  const reporter = reporterFor(world, options.form);
  const {control, end} = controlBySignals(world);
  const isAttended = !options.yes && canAsk(world);
  const waitMinutes = options.waitMinutes ?? (isAttended ? undefined : unattendedWaitMinutes);
  const ask = options.ask ?? (isAttended ? askOnLines(world) : unattended);
  const ran = await runOperation(site, deployment, {
    ...options,
    ask,
    control,
    events: reporter.event,
    ...(waitMinutes !== undefined && {patience: waitMinutes * 60}),
  });
  end();
  if (!ran.ok) {
    const failure = ran.error.kind === 'locked' ? undefined : ran.error.failure;
    if (ran.error.kind === 'locked') {
      reporter.problem(`${ran.error.by.message} Wait for it, or take over with --take-over.`);
      return exit.locked;
    }
    reporter.failure(ran.error.failure);
    return failure ? exitOf(failure) : exit.failed;
  }
  reporter.summary(runView(reporter.seen()), site.paths.deployment(deployment.name).folder);
  const {outcome, failures} = ran.value;
  if (outcome === 'succeeded') return exit.done;
  if (outcome === 'stopped') return exit.stopped;
  if (outcome === 'waiting') return exit.waiting;
  // Whichever failed first: where a host is away, that is what has to be put right before the rest can be seen.
  const statuses = failures.map(exitOf);
  return statuses.includes(exit.unreachable) ? exit.unreachable : (statuses[0] ?? exit.failed);
};

/**
 * Milliseconds in which further signals count as the first one: libraries that tidy up at the end of a process
 * (when-exit below conf, signal-exit below proper-lockfile) raise a signal once more, to end by it.
 */
const sameSignal = 500;

/** The first signal stops in an orderly way; the second ends the process as it always does. */
export const controlBySignals = (world: World): {readonly control: ControlPort; readonly end: () => void} => {
  const stop = new AbortController();
  const forget = world.onSignal(() => stop.abort());
  stop.signal.addEventListener('abort', () => setTimeout(forget, sameSignal).unref(), {once: true});
  return {
    control: {signal: stop.signal, whenRunning: () => Promise.resolve()},
    end: () => {
      if (!stop.signal.aborted) forget();
    },
  };
};
