import {randomBytes} from 'node:crypto';
import {existsSync, mkdirSync, readdirSync, readFileSync} from 'node:fs';
import {hostname, userInfo} from 'node:os';
import {dirname, join} from 'node:path';
import {certificates} from '../../steps/certificates/certificates.ts';
import {handedOverAuthority, handedOverCertificate} from '../../steps/certificates/paths.ts';
import {nginx} from '../../steps/nginx/nginx.ts';
import {pinPeerAddresses} from '../../steps/wireguard/addresses.ts';
import type {HostReport} from '../app/services.ts';
import {artifactChecks} from '../artifacts/availability.ts';
import {stepsOf} from '../blueprints/blueprint.ts';
import {blueprintById} from '../blueprints/index.ts';
import {hostsOf, type RemovalRequest, removedName, stepsRemoving} from '../blueprints/removal.ts';
import {writeDurably} from '../deployment/durable-file.ts';
import {acquireLock, type LockedBy} from '../deployment/lock.ts';
import {type DeploymentPaths, makeDeploymentFolders} from '../deployment/paths.ts';
import type {Deployment} from '../deployment/schema.ts';
import {openVault, type Vault} from '../deployment/vault.ts';
import type {RunEvent} from '../engine/events.ts';
import type {Failure} from '../engine/failure.ts';
import {openJournal, readJournal} from '../engine/journal.ts';
import {openLogs} from '../engine/logs.ts';
import {emptyCache, type LookCache} from '../engine/look.ts';
import {type PlanResult, planDeployment, verifyDeployment} from '../engine/plan.ts';
import type {AskPort, ControlPort, EventPort, LookPorts} from '../engine/ports.ts';
import {redactDeep, redactor} from '../engine/redact.ts';
import {type RunResult, runDeployment} from '../engine/run.ts';
import type {HandoverFile, Step} from '../engine/step.ts';
import {connect} from '../hosts/connect.ts';
import {factsScript, parseFacts} from '../hosts/gather-facts.ts';
import {err, ok, type Result} from '../result.ts';
import {certificateRefusal} from './certificate-operations.ts';
import {clock} from './clock.ts';
import {checksBetween, checksOf, clientFor} from './inspect.ts';
import type {Site} from './site.ts';

/** 128 bits: nothing that a host prints can hold it by chance or guess it. */
const marker = (): string => `gw${randomBytes(16).toString('hex')}`;

/** How many hosts are worked on at once; more only waits for the same package mirror. */
const hostsAtOnce = 16;

/** A deployment with its files open, and its vault unless it is only taken away. */
type Opened = {
  readonly deployment: Deployment;
  readonly paths: DeploymentPaths;
  readonly vault: Vault | undefined;
  readonly secretValues: () => readonly string[];
  readonly ports: Omit<LookPorts, 'signal'>;
};

const open = async (site: Site, given: Deployment, removal?: RemovalRequest): Promise<Result<Opened, Failure>> => {
  const blueprint = blueprintById(given.blueprint);
  if (!blueprint) return err({kind: 'input', message: `There is no blueprint "${given.blueprint}".`});
  const deployment = pinPeerAddresses(given);
  const paths = site.paths.deployment(deployment.name);
  makeDeploymentFolders(paths);
  const passphrase = site.secrets.vaultPassphrase(deployment.name);
  const inUse = [handedOverAuthority, dirname(handedOverCertificate(''))].some(each =>
    existsSync(join(paths.folder, each)),
  );
  const vault = await openVault(paths.vault, {inUse, ...(passphrase !== undefined && {passphrase})});
  // What is taken away needs no secret, and a vault that is lost is a reason to take it away.
  if (!vault.ok && !removal) return vault;
  return ok({
    deployment,
    paths,
    vault: vault.ok ? vault.value : undefined,
    secretValues: () => (vault.ok ? vault.value.values() : []),
    ports: {
      deployment: removal ? {...deployment, hosts: hostsOf(removal, deployment)} : deployment,
      steps: removal ? stepsRemoving(blueprint, deployment, removal) : stepsOf(blueprint, deployment),
      connect: (host, signal) => connect(host, site.connectOptions(signal)),
      facts: {script: factsScript, parse: parseFacts},
      ensureSecret: vault.ok ? vault.value.ensure : async () => vault,
      cache: lookCache(join(paths.cache, 'look.json')),
      clock,
      marker,
    },
  });
};

/** What was found out last, beside the deployment. It can be lost at any time: the next look then asks once more. */
const lookCache = (path: string): LookPorts['cache'] => {
  const read = (): LookCache => {
    try {
      return JSON.parse(readFileSync(path, 'utf8'));
    } catch {
      return emptyCache;
    }
  };
  return {
    read,
    write: cache => {
      const text = JSON.stringify(cache);
      if (existsSync(path) && readFileSync(path, 'utf8') === text) return;
      writeDurably(path, text, randomBytes(6).toString('hex'));
    },
  };
};

/** What an installation would change, or, with `removal`, what that would take away. Changes nothing. */
export const planOperation = async (
  site: Site,
  deployment: Deployment,
  signal: AbortSignal,
  removal?: RemovalRequest,
): Promise<Result<PlanResult & {readonly reports: readonly HostReport[]}, Failure>> => {
  const opened = await open(site, deployment, removal);
  if (!opened.ok) return opened;
  const {vault} = opened.value;
  const refused = vault && !removal ? certificateRefusal(vault, opened.value.deployment) : undefined;
  if (refused) return err(refused);
  const planned = await planDeployment({...opened.value.ports, signal});
  if (!planned.ok) return planned;
  const known = planned.value.hosts.flatMap(each => ('facts' in each ? [each] : []));
  const checks = checksOf(opened.value.deployment, known);
  return ok({
    ...planned.value,
    reports: planned.value.hosts.map(
      (each): HostReport =>
        'facts' in each
          ? {
              host: each.host.name,
              state: 'ready',
              facts: each.facts,
              checks: checks.filter(({host}) => host === each.host.name),
            }
          : {host: each.host.name, state: 'failed', failure: each.failure},
    ),
  });
};

export type RunRequest = {
  readonly events: EventPort;
  readonly ask: AskPort;
  readonly control: ControlPort;
  /** Default: whether the last run of this deployment did not come to its end. */
  readonly resumed?: boolean;
  readonly only?: readonly string[];
  /** Take this away, in place of installing. It needs no preflight. */
  readonly removal?: RemovalRequest;
  /** Do this, in place of installing: a backup now, a restore. It needs no preflight, and says nothing of the installation. */
  readonly steps?: readonly Step[];
  readonly takeOver?: boolean;
  /** Seconds that a step waits for what somebody outside has to do; absent: as long as it takes. */
  readonly patience?: number;
  /** What the lock and the journal call this run: `groundwork install`. */
  readonly command: string;
};

export type RunRefused =
  | {readonly kind: 'locked'; readonly by: LockedBy}
  | {readonly kind: 'failure'; readonly failure: Failure};

/** Other steps alone, and what takes something away, do without certificates. */
const wantsCertificates = ({only, removal, steps}: RunRequest): boolean =>
  removal === undefined &&
  steps === undefined &&
  (only === undefined || [certificates.id, nginx.id].some(id => only.includes(id)));

/** Carries a deployment out under its lock, with journal and logs. */
export const runOperation = async (
  site: Site,
  given: Deployment,
  request: RunRequest,
): Promise<Result<RunResult, RunRefused>> => {
  const {removal} = request;
  const opened = await open(site, given, removal);
  if (!opened.ok) return err({kind: 'failure', failure: opened.error});
  const {deployment, paths, vault, secretValues, ports} = opened.value;
  const refused = vault && wantsCertificates(request) ? certificateRefusal(vault, deployment) : undefined;
  if (refused) return err({kind: 'failure', failure: refused});
  const startedAt = clock.now().toISOString();
  const owner = {
    user: userInfo().username,
    host: hostname(),
    pid: process.pid,
    since: startedAt,
    command: request.command,
  };
  const lock = await acquireLock(paths.lock, owner, {takeOver: request.takeOver ?? false});
  if (!lock.ok) return err({kind: 'locked', by: lock.error});
  const run = `${startedAt.replace(/[-:]|\.\d+/g, '')}-${randomBytes(2).toString('hex')}`;
  const signal = AbortSignal.any([request.control.signal, lock.value.lost]);
  const removes = removal && {removes: removedName(removal)};
  const remember = (outcome: 'interrupted' | RunResult['outcome'], failedStep?: string) => {
    if (request.steps) return;
    const saved = site.store.get(deployment.name);
    site.store.save({
      deployment,
      updatedAt: clock.now().toISOString(),
      practice: site.practice,
      ...(saved?.route !== undefined && {route: saved.route}),
      lastRun: {run, outcome, at: clock.now().toISOString(), ...(failedStep !== undefined && {failedStep}), ...removes},
    });
  };
  const resumed = request.resumed ?? wasCutOff(site, deployment.name);
  // Until the run has ended in an orderly way, whoever looks next finds it interrupted.
  remember('interrupted');
  const journal = openJournal(paths.run(run));
  const logs = openLogs(paths.logs);
  try {
    const result = await runDeployment({
      ...ports,
      run,
      resumed,
      practice: site.practice,
      ...(request.only && {only: request.only}),
      preflight: async (hosts, connectTo) => [
        ...checksOf(deployment, hosts),
        // One step alone finds out by itself, and most of them download nothing.
        ...(request.only
          ? []
          : (
              await Promise.all([
                artifactChecks(deployment, hosts, connectTo, {client: clientFor(site, deployment), signal}),
                checksBetween(deployment, hosts, connectTo, signal),
              ])
            ).flat()),
      ],
      ...(removal && {...removes, preflight: async () => []}),
      ...(request.steps && {steps: request.steps, resumed: false, preflight: async () => []}),
      accepted: deployment.acceptedChecks,
      handOver: file => handOver(paths.folder, file),
      events: event => {
        if (event.type === 'log') logs.write(event);
        else journal.append(event);
        request.events(event);
      },
      ask: request.ask,
      control: {...request.control, signal},
      redact: redactor(() => [...secretValues(), ...site.secrets.values()]),
      parallel: hostsAtOnce,
      ...(request.patience !== undefined && {patience: request.patience}),
    });
    remember(result.outcome, result.failures[0]?.attempted);
    return ok(result);
  } finally {
    journal.close();
    logs.close();
    await lock.value.release();
  }
};

const wasCutOff = (site: Site, name: string): boolean => {
  const outcome = site.store.get(name)?.lastRun?.outcome;
  return outcome !== undefined && outcome !== 'succeeded';
};

/** Writes a file for the operator, readable by nobody else, and returns where. */
const handOver = async (folder: string, file: HandoverFile): Promise<Result<string, Failure>> => {
  const path = join(folder, file.path);
  try {
    mkdirSync(dirname(path), {recursive: true, mode: 0o700});
    if (!existsSync(path) || readFileSync(path, 'utf8') !== file.content)
      writeDurably(path, file.content, randomBytes(6).toString('hex'));
    return ok(path);
  } catch (error) {
    return err({
      kind: 'input',
      attempted: `writing ${path}`,
      message: error instanceof Error ? error.message : String(error),
      remedy: 'Make room or correct the rights on this side, then retry.',
    });
  }
};

/** Proves that everything does its work; the events are those of a run that changes nothing. */
export const verifyOperation = async (
  site: Site,
  given: Deployment,
  events: EventPort,
  signal: AbortSignal,
): Promise<RunResult> => {
  const opened = await open(site, given);
  const redact = redactor(() => [...(opened.ok ? opened.value.secretValues() : []), ...site.secrets.values()]);
  const emit = (event: Omit<RunEvent, 'at'>) =>
    events(redactDeep({at: clock.now().toISOString(), ...event}, redact) as RunEvent);
  const verified = opened.ok ? await verifyDeployment({...opened.value.ports, signal}, emit) : opened;
  const failures = verified.ok ? verified.value.failures : [verified.error];
  for (const failure of failures) emit({type: 'problem', failure} as Omit<RunEvent, 'at'>);
  const outcome = signal.aborted ? 'stopped' : failures.length > 0 ? 'failed' : 'succeeded';
  const counts = {changed: 0, unchanged: verified.ok ? verified.value.passed : 0, failed: failures.length};
  emit({type: 'run.finished', outcome, ...counts} as Omit<RunEvent, 'at'>);
  return {outcome, ...counts, failures};
};

/** The events of the last run of a deployment, oldest first; none when there was no run. */
export const lastEvents = (site: Site, name: string): readonly RunEvent[] => {
  const paths = site.paths.deployment(name);
  const last = existsSync(paths.runs) ? readdirSync(paths.runs).toSorted().at(-1) : undefined;
  return last === undefined ? [] : readJournal(paths.run(last)).events;
};
