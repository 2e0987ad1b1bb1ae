import {certificates} from '../../steps/certificates/certificates.ts';
import {nginx} from '../../steps/nginx/nginx.ts';
import {hasKubernetes} from '../../steps/shared/deployment.ts';
import {backupsPhrase, type RemovalRequest, removalWord} from '../blueprints/removal.ts';
import {environmentDomain} from '../deployment/environments.ts';
import type {Deployment} from '../deployment/schema.ts';
import type {Purge} from '../engine/removal.ts';
import {type HostRemoval, keptHere, removalLines, removalList, removesNothing} from '../reporters/removal.ts';
import {err, ok, type Result} from '../result.ts';
import {carryOut, controlBySignals} from './carry-out.ts';
import {clock} from './clock.ts';
import type {Command, Invocation, Options, World} from './command.ts';
import {exit, exitOf} from './exit.ts';
import {deploymentOptions, load, type OutputForm, outputForm, outputOptions} from './inputs.ts';
import {planOperation} from './operations.ts';
import {askLine, canAsk} from './prompt.ts';
import {complain, failureLines, writeJson} from './report.ts';
import type {Site} from './site.ts';

export const removalOptions = {
  purge: {type: 'boolean', help: 'erase the data too: volumes, databases and the passwords that belong to them'},
  confirm: {type: 'string', value: 'NAME', help: 'where nobody can type: the name of what is removed once more'},
  'dry-run': {type: 'boolean', help: 'only show the list; changes nothing'},
} as const satisfies Options;

type Ready = {
  readonly site: Site;
  readonly deployment: Deployment;
  readonly form: OutputForm;
  readonly yes: boolean;
  readonly takeOver: boolean;
};

/** What a script types; undefined where somebody is asked. */
export type Confirmations = {readonly name: string | undefined; readonly backups: string | undefined};

const say = (world: World, form: OutputForm, lines: readonly string[]): void => {
  (form === 'jsonl' ? world.stderr : world.stdout).write(lines.map(line => `${line}\n`).join(''));
};

/** Whether a word was typed as it must be. `--yes` never answers this: it is no question but a proof that the list was read. */
const typed = async (
  world: World,
  word: string,
  given: string | undefined,
  option: string,
): Promise<Result<void, string>> => {
  const answer = given ?? (canAsk(world) ? await askLine(world, `Type ${word} to go on: `) : undefined);
  if (answer?.trim() === word) return ok();
  const how = canAsk(world) ? '' : `; say --${option} ${word.includes(' ') ? `"${word}"` : word}`;
  return err(`"${word}" was not typed, so nothing was changed${how}`);
};

/** Looks at the hosts for what there is to be taken away; the number is the status to end with. */
const look = async (
  world: World,
  {site, deployment, form}: Ready,
  request: RemovalRequest,
): Promise<readonly HostRemoval[] | number> => {
  const {control, end} = controlBySignals(world);
  const planned = await planOperation(site, deployment, control.signal, request);
  end();
  if (!planned.ok) {
    world.stderr.write(`${failureLines(planned.error).join('\n')}\n`);
    return exitOf(planned.error);
  }
  const {hosts, steps, changes, unchanged} = planned.value;
  const failures = hosts.flatMap(each => ('failure' in each ? [each.failure] : []));
  for (const failure of failures) world.stderr.write(`${failureLines(failure).join('\n')}\n`);
  const [first] = failures;
  if (first) {
    if (hosts.length > failures.length && request.scope !== 'environment')
      say(world, 'jsonl', ['A host that is gone for good can be left out: name the others with --host.']);
    return exitOf(first);
  }
  const list = removalList(steps);
  if (form === 'jsonl') writeJson(world, {at: clock.now().toISOString(), type: 'plan', changes, unchanged, steps});
  say(world, form, removalLines(list));
  if (list.some(({unread}) => unread.length > 0))
    return complain(world, 'nothing was changed: what cannot be read is not decided about', exit.failed);
  return list;
};

/** What is done on the proxy once an environment is gone. */
const withEnvironment = (deployment: Deployment, name: string): readonly string[] => {
  const environment = deployment.environments.find(each => each.name === name);
  if (!environment) return [];
  const domain = environmentDomain(deployment, environment);
  return [`Then ${domain} and *.${domain} go from nginx and its certificate, and ${name} from the answers.`];
};

/** Shows what goes and what stays, wants the name typed, and carries it out. Settles with the exit status. */
export const uninstall = async (
  world: World,
  ready: Ready,
  request: RemovalRequest,
  {
    command,
    confirmations,
    dryRun,
  }: {
    readonly command: string;
    readonly confirmations: Confirmations;
    readonly dryRun: boolean;
  },
): Promise<number> => {
  const {site, deployment, form, yes, takeOver} = ready;
  // Without a cluster an environment is an answer, and nothing else.
  const list = request.scope === 'environment' && !hasKubernetes(deployment) ? [] : await look(world, ready, request);
  if (typeof list === 'number') return list;
  if (request.scope === 'environment') say(world, form, ['', ...withEnvironment(deployment, request.environment)]);
  say(world, form, ['', ...keptHere(deployment.name, site.paths.deployment(deployment.name).folder)]);
  if (dryRun) return exit.done;
  // An environment that is nowhere on the cluster is still in the answers.
  if (removesNothing(list) && request.scope !== 'environment') return exit.done;
  const confirmed = await typed(world, removalWord(request, deployment), confirmations.name, 'confirm');
  if (!confirmed.ok) return complain(world, confirmed.error, exit.stopped);
  if (request.purge.backups) {
    const sure = await typed(world, backupsPhrase(deployment), confirmations.backups, 'confirm-backups');
    if (!sure.ok) return complain(world, sure.error, exit.stopped);
  }
  const options = {command, form, yes, takeOver};
  const gone = list.length === 0 ? exit.done : await carryOut(world, site, deployment, {...options, removal: request});
  if (gone !== exit.done || request.scope !== 'environment') return gone;
  return forgetEnvironment(world, ready, request.environment, options);
};

/** It stays in the deployment until it is gone, so that a removal that was cut off can be repeated. */
const forgetEnvironment = async (
  world: World,
  {site, deployment}: Ready,
  name: string,
  options: {readonly command: string; readonly form: OutputForm; readonly yes: boolean; readonly takeOver: boolean},
): Promise<number> => {
  const without = {...deployment, environments: deployment.environments.filter(each => each.name !== name)};
  const before = site.store.get(deployment.name);
  const saved = site.store.save({
    ...(before ?? {practice: site.practice}),
    deployment: without,
    updatedAt: clock.now().toISOString(),
  });
  if (!saved.ok) return complain(world, saved.error, exit.failed);
  return carryOut(world, site, without, {...options, only: [certificates.id, nginx.id]});
};

const scopes = ['environment', 'platform', 'hosts'] as const;

/** What stands on the command line, as a request; the error says what is wrong with it. */
const requested = (invocation: Invocation, deployment: Deployment): Result<RemovalRequest, string> => {
  const [scope = '', name] = invocation.positionals;
  const purge: Purge = {data: invocation.flag('purge'), backups: invocation.flag('purge-backups')};
  const hosts = invocation.texts('host');
  const known = deployment.hosts.map(host => host.name);
  const stranger = hosts.find(host => !known.includes(host));
  if (stranger !== undefined) return err(`there is no host "${stranger}"; there are ${known.join(', ')}`);
  if (scope === 'environment') {
    if (name === undefined) return err('NAME is missing: which environment?');
    if (hosts.length > 0 || purge.backups) return err('--host and --purge-backups are for platform and hosts');
    return environmentRequest(deployment, name, purge.data);
  }
  if (scope !== 'platform' && scope !== 'hosts') return err(`say ${scopes.join(', ')}, not "${scope}"`);
  if (name !== undefined) return err(`"${name}" is one word too many`);
  if (purge.backups && scope === 'platform')
    return err('--purge-backups is for hosts: backups do not go with the platform');
  return ok({scope, purge, ...(hosts.length > 0 && {hosts})});
};

export const environmentRequest = (
  {environments}: Deployment,
  name: string,
  data: boolean,
): Result<RemovalRequest, string> => {
  if (environments.some(each => each.name === name))
    return ok({scope: 'environment', environment: name, purge: {data, backups: false}});
  const names = environments.map(each => each.name).join(', ');
  return err(`there is no environment "${name}"${names && `; there are ${names}`}`);
};

export const uninstallCommand: Command = {
  name: 'uninstall',
  summary: 'take away an environment, the platform, or everything on the hosts',
  description: [
    'Looks at the hosts, lists what goes and what stays, and wants a name typed. environment NAME:',
    'its releases, gateway and namespace. platform: the cluster with all that runs on it. hosts:',
    'everything that Groundwork put on the machines; they stay reachable by SSH. Data is kept unless',
    '--purge is said. When it was cut off, say it again. See docs/uninstall.md.',
  ],
  words: ['environment|platform|hosts', '[NAME]'],
  options: {
    ...deploymentOptions,
    ...removalOptions,
    'purge-backups': {type: 'boolean', help: 'with hosts: erase the backups too; a phrase of its own is asked for'},
    'confirm-backups': {type: 'string', value: 'PHRASE', help: 'where nobody can type: that phrase'},
    host: {type: 'string', multiple: true, value: 'HOST', help: 'only on this host; may be given several times'},
    ...outputOptions,
    yes: {type: 'boolean', short: 'y', help: 'ask nothing when a step fails; the name is wanted all the same'},
    'take-over': {type: 'boolean', help: 'go on although another Groundwork holds the lock of this deployment'},
  },
  examples: [
    'groundwork uninstall hosts --deployment sandbox --dry-run',
    'groundwork uninstall environment qa --purge',
    'groundwork uninstall platform -d sandbox --confirm sandbox --yes -o jsonl',
  ],
  run: async (invocation, world) => {
    const form = outputForm(invocation);
    if (!form.ok) return complain(world, form.error, exit.usage);
    const loaded = await load(invocation, world);
    if (!loaded.ok) return complain(world, loaded.error, exit.usage);
    const {site, deployment} = loaded.value;
    const request = requested(invocation, deployment);
    if (!request.ok) return complain(world, request.error, exit.usage);
    if (request.value.scope === 'environment' && site.store.get(deployment.name) === undefined)
      return complain(world, `${deployment.name} is not saved here: its environments are in your file`, exit.usage);
    return uninstall(
      world,
      {
        site,
        deployment,
        form: form.value,
        yes: invocation.flag('yes'),
        takeOver: invocation.flag('take-over'),
      },
      request.value,
      {
        command: `groundwork uninstall ${invocation.positionals.join(' ')}`,
        confirmations: {name: invocation.text('confirm'), backups: invocation.text('confirm-backups')},
        dryRun: invocation.flag('dry-run'),
      },
    );
  },
};
