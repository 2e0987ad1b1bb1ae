import type {Deployment, HostSpec} from '../deployment/schema.ts';
import type {Connection, OutputStream} from '../hosts/connection.ts';
import type {Facts} from '../hosts/facts.ts';
import type {Products, Resource} from '../resources/resource.ts';
import {err, ok, type Result} from '../result.ts';
import {frame, type PartOutput, unframe, unframeAsItComes} from '../shell/frame.ts';
import {nothing, type Script} from '../shell/script.ts';
import {type Assessed, assessWith, buildResources, contextOf, missingProduct, type Setting} from './context.ts';
import type {PlannedStep} from './events.ts';
import type {Failure} from './failure.ts';
import {type Instance, prerequisitesOf} from './graph.ts';
import {type Awaited, namesIn} from './step.ts';
import {type Verified, verificationsOf, verified} from './verification.ts';
import {type Missing, missingOf} from './waiting.ts';

/** What the last look found out: lets the next one build its probes before it has asked anything. */
export type LookCache = {
  readonly facts: Readonly<Record<string, Facts>>;
  readonly products: Products;
  /** Instances that were as they should be. Their verifications may well travel with the probes. */
  readonly settled?: readonly string[];
};

export const emptyCache: LookCache = {facts: {}, products: {}};

/** How facts are asked for and read (hosts/gather-facts.ts). */
export type FactsProbe = {readonly script: Script; readonly parse: (stdout: string) => Result<Facts, string>};

/** An instance with the state of its resources, or with the name of the product that it still waits for. */
export type Looked = {readonly instance: Instance} & (
  | {
      readonly resources: readonly Assessed[];
      readonly waitsFor?: undefined;
      /** Its verifications, if all were asked and there is nothing to change. */
      readonly verified?: readonly Verified[];
      /** What somebody outside has to do before, and has not done. */
      readonly missing: readonly Missing[];
    }
  | {readonly resources?: undefined; readonly waitsFor: string}
);

export type HostLook = {readonly host: HostSpec} & (
  | {
      readonly facts: Facts;
      /** This side's clock when the facts came in, which may be a minute before the last answer. */
      readonly at: Date;
    }
  | {readonly failure: Failure}
);

export type Look = {
  readonly hosts: readonly HostLook[];
  readonly instances: readonly Looked[];
  readonly products: Products;
};

export type LookInput = {
  readonly instances: readonly Instance[];
  readonly setting: Setting;
  readonly facts: FactsProbe;
  readonly connect: (host: HostSpec) => Promise<Result<Connection, Failure>>;
  /** The connection did not answer and is of no use any more. */
  readonly lost: (host: HostSpec) => Promise<void>;
  readonly cache: LookCache;
  /** Ask the verifications of what the last look found settled in the same round trips. */
  readonly verify: boolean;
  readonly signal: AbortSignal;
};

/** Answers of one host, by the text of the script that was asked. */
type Answers = Map<string, PartOutput>;

/**
 * What is on the hosts, asked in as few round trips as can be. With a cache of an earlier look all probes travel
 * together with the question for the facts; what the fresh facts and products change is asked again. Without one,
 * facts come first, then the probes, then those that need what others produce.
 *
 * An answer is found by the text of its question, and judged by the resource as fresh facts and products make it: so
 * an old cache can cost a round trip, and never a wrong answer.
 */
export const look = async (input: LookInput): Promise<Look> => {
  const {instances, setting, cache, signal} = input;
  const hosts = setting.deployment.hosts;
  const answers = new Map<string, Answers>(hosts.map(host => [host.name, new Map()]));
  const facts: Record<string, Facts> = {};
  const arrivals: Record<string, Date> = {};
  const failures: Record<string, Failure> = {};
  const settledBefore = new Set(input.verify ? cache.settled : []);

  const ask = async (host: HostSpec, scripts: readonly Script[]): Promise<void> => {
    const connection = await input.connect(host);
    const found = connection.ok
      ? await askAll(connection.value, unique(scripts), {
          marker: setting.marker(),
          signal,
          onAnswer: ({text}) => {
            if (text === input.facts.script.text) arrivals[host.name] = setting.now();
          },
        })
      : connection;
    if (!found.ok) {
      if (connection.ok && found.error.kind === 'connection-lost') await input.lost(host);
      failures[host.name] = found.error;
      return;
    }
    for (const [text, output] of found.value) answers.get(host.name)?.set(text, output);
  };

  /** What is still to be asked on a host; the questions that can wait travel only with those that cannot. */
  const openOn = (host: HostSpec, known: Facts | undefined, products: Products): readonly Script[] => {
    if (!known) return [];
    const built = instances
      .filter(instance => instance.host.name === host.name)
      .map(instance => ({instance, resources: orNothing(() => buildResources(instance, known, products, setting))}));
    const unanswered = (scripts: readonly Script[]) => scripts.filter(({text}) => !answers.get(host.name)?.has(text));
    const awaited = built.flatMap(({instance, resources}) =>
      resources ? (orNothing(() => awaitsOf(instance, known, products, setting)) ?? []) : [],
    );
    const probes = unanswered([
      ...built.flatMap(({resources}) => (resources ?? []).map(({probe}) => probe)),
      ...awaited.map(({script}) => script),
    ]);
    if (probes.length === 0) return [];
    const proofs = built
      .filter(({instance, resources}) => resources && settledBefore.has(instance.key))
      .flatMap(({instance}) => orNothing(() => verificationsOf(instance, known, products, setting)) ?? []);
    return [...probes, ...unanswered(proofs.map(({script}) => script))];
  };

  const lookedAt = (instance: Instance, products: Products): Looked[] => {
    const known = facts[instance.host.name];
    if (!known) return [];
    const product = missingProduct(instance, products, setting);
    if (product !== undefined) return [{instance, waitsFor: product}];
    const given = answers.get(instance.host.name) as Answers;
    let built: readonly Resource[];
    let awaits: readonly Awaited[];
    try {
      built = buildResources(instance, known, products, setting) ?? [];
      awaits = awaitsOf(instance, known, products, setting);
    } catch (error) {
      return [{instance, resources: [faulty(instance, error)], missing: []}];
    }
    const missing = missingOf(answered(awaits, given));
    const resources = built.map(resource => ({
      resource,
      assessment: assessWith(resource, given.get(resource.probe.text)),
    }));
    if (
      !input.verify ||
      missing.length > 0 ||
      resources.some(({assessment}) => !assessment.ok || assessment.value.changes.length > 0)
    )
      return [{instance, resources, missing}];
    // Proofs may rest on what the step itself has found out.
    const own = resources.map(({assessment}) => (assessment.ok ? assessment.value.products : undefined));
    const proofs = orNothing(() => verificationsOf(instance, known, Object.assign({...products}, ...own), setting));
    return proofs?.every(({script}) => given.has(script.text))
      ? [{instance, resources, missing, verified: verified(proofs, given)}]
      : [{instance, resources, missing}];
  };

  const assess = (): Pick<Look, 'instances' | 'products'> => {
    const products: Record<string, string> = {};
    const looked = instances.flatMap(instance => {
      const found = lookedAt(instance, products);
      for (const {assessment} of found.flatMap(({resources}) => resources ?? []))
        if (assessment.ok) Object.assign(products, assessment.value.products);
      return found;
    });
    return {instances: looked, products};
  };

  await Promise.all(
    hosts.map(host => ask(host, [input.facts.script, ...openOn(host, cache.facts[host.name], cache.products)])),
  );
  for (const host of hosts) {
    const answer = answers.get(host.name)?.get(input.facts.script.text);
    if (failures[host.name] || !answer) continue;
    const parsed = input.facts.parse(answer.stdout);
    if (parsed.ok) facts[host.name] = parsed.value;
    else failures[host.name] = {kind: 'command', host: host.name, attempted: 'gathering facts', message: parsed.error};
  }

  // Every round asks only what no earlier one has answered, so it ends when products stop bringing new questions.
  for (;;) {
    const assessed = assess();
    const open = hosts
      .filter(host => facts[host.name] && !failures[host.name])
      .map(host => ({host, scripts: openOn(host, facts[host.name], assessed.products)}))
      .filter(({scripts}) => scripts.length > 0);
    if (open.length > 0 && !signal.aborted) {
      await Promise.all(open.map(({host, scripts}) => ask(host, scripts)));
      continue;
    }
    const found = hosts.map((host): HostLook => {
      const failure = failures[host.name];
      const known = facts[host.name];
      return known && !failure
        ? {host, facts: known, at: arrivals[host.name] ?? setting.now()}
        : {host, failure: failure ?? lostAnswer(host.name)};
    });
    return {hosts: found, ...assessed};
  }
};

/** What a step waits for on a host. */
export const awaitsOf = (instance: Instance, facts: Facts, products: Products, setting: Setting): readonly Awaited[] =>
  instance.step.awaits?.(contextOf(instance, facts, products, setting)) ?? [];

/** What answers, by the text of the script, say about what is waited for. */
export const answered = (awaits: readonly Awaited[], answers: ReadonlyMap<string, PartOutput>) =>
  awaits.map(awaited => {
    const output = answers.get(awaited.script.text);
    return {awaited, result: output ? awaited.check(output) : err('it was not asked')};
  });

/** Steps may throw when they are given an old cache; then nothing is known before the fresh facts are. */
const orNothing = <T>(build: () => T): T | undefined => {
  try {
    return build();
  } catch {
    return undefined;
  }
};

/** Stands for the resources of a step that threw. It is told when its turn comes, as the fault of this step alone. */
const faulty = ({step}: Instance, error: unknown): Assessed => {
  const message = `a fault in Groundwork itself: ${error instanceof Error ? error.message : String(error)}`;
  return {
    resource: {id: step.id, doing: step.title, probe: nothing, assess: () => err(message)},
    assessment: err(message),
  };
};

/** Milliseconds that a host may take for its answers, and for each of them: kubectl needs a second on a slow machine. */
const patience = {all: 120_000, each: 3000} as const;

export type Asking = {
  readonly marker: string;
  readonly signal?: AbortSignal;
  /** Called for each script as soon as its answer is there. */
  readonly onAnswer?: (script: Script, answer: PartOutput) => void;
};

/** Many scripts in one round trip, by their text. A script without an answer counts as a lost connection. */
export const askAll = async (
  connection: Connection,
  scripts: readonly Script[],
  {marker, signal, onAnswer}: Asking,
): Promise<Result<Answers, Failure>> => {
  if (scripts.length === 0) return ok(new Map());
  const told =
    onAnswer && unframeAsItComes(marker, (index, answer) => scripts[index] && onAnswer(scripts[index], answer));
  const output = await connection.run(frame(marker, scripts), {
    maxOutput: 32 * 1024 * 1024,
    timeoutMs: patience.all + patience.each * scripts.length,
    ...(signal && {signal}),
    ...(told && {onOutput: (stream: OutputStream, chunk: string) => stream === 'stdout' && told(chunk)}),
  });
  if (!output.ok) return output;
  const parts = unframe(marker, output.value.stdout);
  if (parts.size < scripts.length)
    return err({
      ...lostAnswer(connection.host),
      exit: output.value.code,
      tail: output.value.stderr.split('\n').slice(-8),
    });
  return ok(new Map(scripts.map((script, index) => [script.text, parts.get(index) as PartOutput])));
};

const lostAnswer = (host: string): Failure => ({
  kind: 'connection-lost',
  host,
  attempted: 'looking at the host',
  message: `${host} did not answer all questions about its state`,
  remedy: 'Try again; if it stays, open a shell on the host and look whether it is out of memory or disk.',
  transient: true,
});

const unique = (scripts: readonly Script[]): readonly Script[] => [
  ...new Map(scripts.map(script => [script.text, script])).values(),
];

/** What an installation would change, step by step. */
export const planOf = (
  looked: readonly Looked[],
  deployment: Deployment,
): {steps: readonly PlannedStep[]; changes: number; unchanged: number} => {
  const instances = looked.map(({instance}) => instance);
  const steps = looked.map(({instance, resources, waitsFor, ...rest}): PlannedStep => {
    const after = prerequisitesOf(instance, instances, deployment).map(({key}) => key);
    const missing = 'missing' in rest ? rest.missing : [];
    const producer = looked.find(other => namesIn(other.instance.step.provides, deployment).includes(waitsFor ?? ''));
    return {
      step: instance.step.id,
      title: instance.step.title,
      host: instance.host.name,
      estimate: instance.step.estimate,
      resources: (resources ?? []).map(({resource: {id}, assessment}) =>
        assessment.ok
          ? {
              id,
              changes: assessment.value.changes,
              ...(assessment.value.stays?.length && {stays: assessment.value.stays}),
            }
          : {id, changes: [{summary: `cannot be read now: ${assessment.error}`}], unread: assessment.error},
      ),
      ...(waitsFor !== undefined && {undecided: producer?.instance.step.title ?? waitsFor}),
      ...(after.length > 0 && {after}),
      ...(missing.length > 0 && {awaits: missing.map(({title}) => title)}),
    };
  });
  const counted = steps.flatMap(step => [
    ...step.resources.map(({changes}) => changes.length > 0),
    ...(step.undecided ? [true] : []),
  ]);
  return {steps, changes: counted.filter(Boolean).length, unchanged: counted.filter(changed => !changed).length};
};
