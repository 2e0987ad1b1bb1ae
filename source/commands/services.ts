import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import type {RunResult, Services} from '../app/services.ts';
import {blueprints} from '../blueprints/index.ts';
import {removedName} from '../blueprints/removal.ts';
import {checklistFor} from '../checklist/for-deployment.ts';
import {moveFolder, removeFolder} from '../deployment/folder.ts';
import {makeDeploymentFolders} from '../deployment/paths.ts';
import {type Deployment, tls} from '../deployment/schema.ts';
import {problemsOf} from '../deployment/validate.ts';
import {openVault, type Vault} from '../deployment/vault.ts';
import {fromYaml, printProblem, toYaml} from '../deployment/yaml.ts';
import type {Failure} from '../engine/failure.ts';
import type {EventPort} from '../engine/ports.ts';
import {fetchHostKeys} from '../hosts/connect.ts';
import {discover, sshConfigHosts} from '../hosts/discovery.ts';
import {trust} from '../hosts/host-keys.ts';
import {shellCommand} from '../hosts/shell-command.ts';
import {expandHome} from '../hosts/ssh-config.ts';
import {resolveHere} from '../network/resolve.ts';
import {removalList} from '../reporters/removal.ts';
import {err, ok, type Result} from '../result.ts';
import {forgetEnvironment, stepsAfterEnvironment} from './after-removal.ts';
import {certificateServices} from './certificate-services.ts';
import {clock} from './clock.ts';
import {FileFault} from './file-fault.ts';
import {firstAnswers} from './first-answers.ts';
import {importFrom} from './importing.ts';
import {inspectOperation, recheck, tryConnections} from './inspect.ts';
import {lastEvents, planOperation, runOperation, verifyOperation} from './operations.ts';
import type {Site} from './site.ts';

/** What a new deployment begins with here: no CA signs for practice hosts. */
const beginningAt =
  ({practice}: Site): Services['firstAnswers'] =>
  (...about) => ({...firstAnswers(...about), ...(practice && {tls: tls.parse({mode: 'local-ca'})})});

/** What the screens ask for, done on real hosts and this side's real files. */
export const servicesOf = (site: Site): Services => ({
  blueprints,
  practice: site.practice,
  ...(site.topology !== undefined && {firstTopology: site.topology}),
  deployments: site.store.list,
  save: saved => throwIfFailed(site.store.save(saved)),
  firstAnswers: beginningAt(site),
  remove: name => {
    throwIfFailed(site.store.remove(name));
    throwIfFailed(removeFolder(site.paths.deployment(name).folder));
  },
  rename: (from, to) => {
    const moved = moveFolder(site.paths.deployment(from).folder, site.paths.deployment(to).folder);
    return moved.ok ? site.store.remove(from) : moved;
  },
  preferences: site.store.preferences,
  setPreferences: preferences => throwIfFailed(site.store.setPreferences(preferences)),
  notices: site.store.notice === undefined ? [] : [site.store.notice],

  discover: (sources, signal) => discover(sources, {signal}),
  suggestedHosts: async () => site.suggested ?? (await sshConfigHosts()),
  hostKeys: (hosts, signal) => fetchHostKeys(hosts, site.connectOptions(signal)),
  trust: async findings => throwIfFailed(await trust(findings, site.paths.knownHosts)),
  giveSecrets: (host, secrets) => site.secrets.give(host, secrets),
  renameHosts: renamed => site.secrets.rename(renamed),
  secretNames: async deployment => {
    const vault = await vaultOf(site, deployment);
    return vault.ok ? vault.value.names() : [];
  },
  keepSecret: async (deployment, name, value) => {
    const vault = await vaultOf(site, deployment);
    const kept = vault.ok ? await vault.value.set(name, value) : vault;
    return kept.ok ? ok() : err([kept.error.message, kept.error.remedy].filter(Boolean).join(' '));
  },
  certificates: certificateServices(site),
  inspect: async (deployment, onReport, signal) => {
    await inspectOperation(site, deployment, onReport, signal);
  },

  tryConnections: (deployment, reports, onReport, signal) =>
    tryConnections(site, deployment, reports, onReport, signal),
  recheck,
  problems: deployment => problemsOf(deployment, blueprints),
  plan: async (deployment, onReport, signal) => {
    const planned = await planOperation(site, deployment, signal);
    if (planned.ok) planned.value.reports.forEach(onReport);
    return planned;
  },
  run: async (deployment, ports) =>
    runResult(ports.events, await runOperation(site, deployment, {...ports, command: 'groundwork'})),
  verify: (deployment, {events, control}) => verifyOperation(site, deployment, events, control.signal),
  lookForRemoval: async (deployment, request, signal) => {
    const planned = await planOperation(site, deployment, signal, request);
    if (!planned.ok) return planned;
    const [first] = planned.value.hosts.flatMap(each => ('failure' in each ? [each.failure] : []));
    return first ? err(first) : ok(removalList(planned.value.steps));
  },
  uninstall: async (deployment, removal, ports) => {
    const command = `groundwork uninstall ${removal.scope}`;
    const gone = runResult(ports.events, await runOperation(site, deployment, {...ports, command, removal}));
    if (removal.scope !== 'environment' || gone.outcome !== 'succeeded') return gone;
    const without = forgetEnvironment(site, deployment, removal.environment);
    if (!without.ok) return refused(ports.events, {kind: 'input', message: without.error});
    const only = stepsAfterEnvironment;
    // To those who watch it is the end of the same removal.
    const events: EventPort = event =>
      ports.events(event.type === 'run.started' ? {...event, removes: removedName(removal)} : event);
    return runResult(events, await runOperation(site, without.value, {...ports, events, command, only}));
  },
  lastRun: name => lastEvents(site, name),

  folderOf: name => site.paths.deployment(name).folder,
  logOf: (name, host) => site.paths.deployment(name).log(host),
  shellCommand: host => shellCommand(host, {knownHostsFile: site.paths.knownHosts}),
  exportYaml: async (deployment, path) => writeText(path, toYaml(deployment)),
  resolveNames: names => Promise.all(names.map(name => resolveHere(name))),
  saveChecklist: async (deployment, path) => {
    const text = checklistFor(deployment, /\.(md|markdown)$/i.test(path) ? 'markdown' : 'text');
    return text.ok ? writeText(path, text.value) : text;
  },
  importSettings: async paths =>
    importFrom(
      paths.map(path => expandHome(path, site.world.home)),
      beginningAt(site),
    ),
});

/** The vault of a deployment; its passphrase, if it has one, was asked for when the program started. */
const vaultOf = (site: Site, deployment: string): Promise<Result<Vault, Failure>> => {
  const paths = site.paths.deployment(deployment);
  makeDeploymentFolders(paths);
  const passphrase = site.secrets.vaultPassphrase(deployment);
  return openVault(paths.vault, {...(passphrase !== undefined && {passphrase})});
};

const runResult = (events: EventPort, ran: Awaited<ReturnType<typeof runOperation>>): RunResult => {
  if (ran.ok) return ran.value;
  if (ran.error.kind === 'failure') return refused(events, ran.error.failure);
  const {message} = ran.error.by;
  return {...refused(events, {kind: 'input', message}), lockedBy: message};
};

/** A run that could not begin, told like one that ended at once. */
const refused = (events: EventPort, failure: Failure): RunResult => {
  const at = clock.now().toISOString();
  const counts = {changed: 0, unchanged: 0, failed: 1};
  events({at, type: 'problem', failure});
  events({at, type: 'run.finished', outcome: 'failed', ...counts});
  return {outcome: 'failed', ...counts};
};

/** A full disk on this side must not be taken for saved answers: the program ends and says so. */
const throwIfFailed = (result: Result<void, Failure | string>): void => {
  if (!result.ok) throw new FileFault(typeof result.error === 'string' ? result.error : result.error.message);
};

/** Never replaces a file that is there: it may be the only copy of somebody's answers. */
export const writeText = (path: string, text: string): Result<void, string> => {
  try {
    writeFileSync(path, text, {mode: 0o600, flag: 'wx'});
    return ok();
  } catch (error) {
    if (existsSync(path)) return err(`${path} is there already; name another file`);
    return err(`${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`);
  }
};

/** Reads a deployment file; what is wrong with it is said by line. */
export const readYaml = (path: string): Result<Deployment, string> => {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    return err(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  const read = fromYaml(text);
  if (read.ok) return read;
  return err([`${path} cannot be used:`, ...read.error.map(problem => `  ${printProblem(problem)}`)].join('\n'));
};
