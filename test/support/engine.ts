import type {Deployment} from '../../source/deployment/schema.ts';
import type {Question, RunEvent} from '../../source/engine/events.ts';
import {emptyCache, type LookCache} from '../../source/engine/look.ts';
import {planDeployment} from '../../source/engine/plan.ts';
import type {AskPort, ControlPort, LookPorts, RunPorts} from '../../source/engine/ports.ts';
import {redactor} from '../../source/engine/redact.ts';
import {type RunResult, runDeployment} from '../../source/engine/run.ts';
import {type Step, step, type Verification} from '../../source/engine/step.ts';
import {err, ok} from '../../source/result.ts';
import type {FakeHosts} from './fake-hosts.ts';
import {fakeFacts, note} from './fake-hosts.ts';
import {sampleDeployment} from './step-context.ts';

/** A deployment over hosts of these names, which all play the role `base`. */
export const deploymentOf = (...names: readonly string[]): Deployment =>
  sampleDeployment({
    hosts: names.map((name, index) => ({
      name,
      reach: 'ssh',
      address: name,
      port: 22,
      user: 'root',
      roles: index === 0 ? ['base', 'first'] : ['base'],
      privateAddress: `10.0.0.${11 + index}`,
    })),
  });

/** A step with the least that it must say. */
export const stepOf = (id: string, definition: Partial<Step>): Step =>
  step({
    id,
    title: `Step ${id}`,
    why: 'a test',
    role: 'base',
    after: [],
    estimate: 10,
    resources: () => [],
    verify: () => [],
    ...definition,
  });

/** What outlives a process of the installer: the vault, the cache of the last look, the files handed over. */
export type Disk = {
  readonly vault: Map<string, string>;
  cache: LookCache;
  readonly handedOver: Map<string, string>;
};

export const newDisk = (): Disk => ({vault: new Map(), cache: emptyCache, handedOver: new Map()});

export type Process = {
  readonly hosts: FakeHosts;
  readonly steps: readonly Step[];
  readonly names?: readonly string[];
  readonly disk?: Disk;
};

export const lookPorts = ({hosts, steps, names = ['one'], disk = newDisk()}: Process): LookPorts => {
  let words = 0;
  return {
    deployment: deploymentOf(...names),
    steps,
    connect: hosts.connect,
    facts: fakeFacts,
    ensureSecret: async (name, generate) => {
      const value = disk.vault.get(name) ?? (await generate());
      disk.vault.set(name, value);
      return ok(value);
    },
    cache: {
      read: () => disk.cache,
      write: cache => {
        // Through JSON, as a file would take it.
        disk.cache = JSON.parse(JSON.stringify(cache));
      },
    },
    clock: {now: () => new Date('2026-11-21T08:00:00Z'), sleep: async () => {}},
    marker: () => {
      words += 1;
      return `marker${words}x${process.pid}`;
    },
    signal: new AbortController().signal,
  };
};

export type Ran = {
  readonly result: RunResult;
  readonly events: readonly RunEvent[];
  readonly questions: readonly Question[];
  /** Seconds of each wait. */
  readonly slept: readonly number[];
};

export type RunOverrides = Partial<
  Pick<RunPorts, 'preflight' | 'accepted' | 'only' | 'parallel' | 'events' | 'patience'>
> & {
  /** The answers in the order of the questions; then `leave`. */
  readonly answers?: readonly string[];
  readonly ask?: AskPort;
  readonly control?: ControlPort;
  /** In place of pauses that are over at once. */
  readonly sleep?: RunPorts['clock']['sleep'];
  /** Secrets that only the redaction knows. */
  readonly typed?: readonly string[];
};

export const running: ControlPort = {signal: new AbortController().signal, whenRunning: () => Promise.resolve()};

export const run = async (process: Process, overrides: RunOverrides = {}): Promise<Ran> => {
  const {answers = [], typed = [], sleep = async () => {}, ...rest} = overrides;
  const disk = process.disk ?? newDisk();
  const events: RunEvent[] = [];
  const questions: Question[] = [];
  const slept: number[] = [];
  const ports = lookPorts({...process, disk});
  const result = await runDeployment({
    ...ports,
    clock: {
      now: ports.clock.now,
      sleep: (milliseconds, signal) => {
        slept.push(milliseconds / 1000);
        return sleep(milliseconds, signal);
      },
    },
    run: 'run-1',
    resumed: false,
    practice: false,
    preflight: () => [],
    accepted: [],
    handOver: async ({path, content}) => {
      disk.handedOver.set(path, content);
      return ok(`/state/${path}`);
    },
    events: event => events.push(event),
    ask: async question => {
      questions.push(question);
      return {choice: answers[questions.length - 1] ?? 'leave', by: 'operator'};
    },
    control: running,
    redact: redactor(() => [...disk.vault.values(), ...typed]),
    parallel: 8,
    ...rest,
  });
  return {result, events, questions, slept};
};

export const plan = async (process: Process) => {
  const planned = await planDeployment(lookPorts(process));
  if (!planned.ok) throw new Error(planned.error.message);
  return planned.value;
};

/** The events of one type, in their order. */
export const of = <T extends RunEvent['type']>(events: readonly RunEvent[], type: T) =>
  events.filter((event): event is Extract<RunEvent, {type: T}> => event.type === type);

/** `step@host state` of every end of a step, in order. */
export const ends = (events: readonly RunEvent[]): readonly string[] =>
  of(events, 'step.finished').map(({step: id, host, state}) => `${id}@${host} ${state}`);

/** A step that wants one file of its own name. */
export const writes = (id: string, more: Partial<Step> = {}): Step =>
  stepOf(id, {resources: () => [note(id, `${id}\n`)], ...more});

/** A verification that is a script. */
export const passes = (id: string, text: string): Verification => ({
  id,
  title: `${id} works`,
  script: {kind: 'script', text},
  check: ({code, stdout}) => (code === 0 ? ok(stdout.trim()) : err(`it says: ${stdout.trim()}`)),
});
