import {existsSync} from 'node:fs';
import {certificates} from '../../steps/certificates/certificates.ts';
import {type Inventory, inventoryScript, readInventory, removalSteps} from '../../steps/environment/removal.ts';
import {nginx} from '../../steps/nginx/nginx.ts';
import {hasKubernetes, hostsPlaying, roles} from '../../steps/shared/deployment.ts';
import {blueprints} from '../blueprints/index.ts';
import {databasePlaceOf, environmentDomain, modulesInOrder} from '../deployment/environments.ts';
import {pathText} from '../deployment/problem.ts';
import {type Deployment, type Environment, environment as schema} from '../deployment/schema.ts';
import {problemsOf} from '../deployment/validate.ts';
import type {Failure} from '../engine/failure.ts';
import {connect} from '../hosts/connect.ts';
import {err, ok, type Result} from '../result.ts';
import {carryOut, controlBySignals} from './carry-out.ts';
import {clock} from './clock.ts';
import type {Command, Invocation, World} from './command.ts';
import {exit, exitOf} from './exit.ts';
import {acceptOptions, deploymentOptions, load, outputForm, outputOptions} from './inputs.ts';
import {planOperation} from './operations.ts';
import {tellPlan} from './plan.ts';
import {askLine, canAsk} from './prompt.ts';
import {complain, failureLines, writeJson} from './report.ts';
import type {Site} from './site.ts';

const verbs = ['list', 'add', 'remove'] as const;

const list = (world: World, deployment: Deployment, form: 'auto' | 'plain' | 'jsonl'): number => {
  const rows = deployment.environments.map(each => ({
    name: each.name,
    domain: environmentDomain(deployment, each),
    modules: modulesInOrder(each),
  }));
  if (form === 'jsonl') {
    for (const row of rows) writeJson(world, row);
    return exit.done;
  }
  const widest = (texts: readonly string[]) => Math.max(...texts.map(({length}) => length));
  const [names, domains] = [widest(rows.map(({name}) => name)), widest(rows.map(({domain}) => domain))];
  for (const {name, domain, modules} of rows) {
    world.stdout.write(`${name.padEnd(names)}  ${domain.padEnd(domains)}  ${['commons', ...modules].join(', ')}\n`);
  }
  if (rows.length === 0) world.stdout.write(`${deployment.name} has no environment: groundwork environment add NAME\n`);
  return exit.done;
};

/** What stands on the command line, as an environment of the deployment; the error is all that is wrong with it. */
const asked = (invocation: Invocation, deployment: Deployment, name: string): Result<Deployment, string> => {
  if (deployment.environments.some(each => each.name === name)) return err(`${name} is there already`);
  const domain = invocation.text('domain');
  const adminEmail = invocation.text('admin-email');
  const hostnames = Object.fromEntries(
    invocation.texts('hostname').map(text => {
      const [service = '', ...host] = text.split('=');
      return [service, host.join('=')];
    }),
  );
  const parsed = schema.safeParse({
    name,
    ...(domain !== undefined && {domain}),
    ...(adminEmail !== undefined && {adminEmail}),
    modules: invocation.texts('module').flatMap(text => text.split(',')),
    hostnames,
    ...(invocation.text('database') !== undefined && {database: invocation.text('database')}),
  });
  if (!parsed.success) {
    return err(parsed.error.issues.map(issue => `${pathText(issue.path) || name}: ${issue.message}`).join('\n'));
  }
  const changed = {...deployment, environments: [...deployment.environments, parsed.data]};
  const place = `environments[${deployment.environments.length}]`;
  const problems = problemsOf(changed, blueprints).filter(({severity}) => severity === 'error');
  return problems.length === 0
    ? ok(changed)
    : err(problems.map(({path, message}) => `${path.replace(place, name)}: ${message}`).join('\n'));
};

type Ready = {
  readonly site: Site;
  readonly deployment: Deployment;
  readonly form: 'auto' | 'plain' | 'jsonl';
  readonly yes: boolean;
  readonly takeOver: boolean;
};

const add = async (invocation: Invocation, world: World, ready: Ready, name: string): Promise<number> => {
  const {site, deployment, form, yes, takeOver} = ready;
  const changed = asked(invocation, deployment, name);
  if (!changed.ok) return complain(world, changed.error, exit.usage);
  if (!yes) {
    if (!canAsk(world)) return complain(world, 'nobody can be asked here: say --yes to carry it out', exit.usage);
    const {control, end} = controlBySignals(world);
    const planned = await planOperation(site, changed.value, control.signal);
    end();
    if (!planned.ok) return failed(world, planned.error);
    const {steps} = planned.value;
    // What is as it should be is not news: only what the new environment brings.
    const news = steps.filter(({resources, undecided}) => undecided || resources.some(each => each.changes.length > 0));
    tellPlan(world, {...planned.value, steps: news}, {detail: false});
    const answer = await askLine(world, 'Carry it out? Type yes: ');
    if (answer?.trim() !== 'yes') return complain(world, 'nothing was changed', exit.stopped);
  }
  return carryOut(world, site, changed.value, {command: `groundwork environment add ${name}`, form, yes, takeOver});
};

const failed = (world: World, failure: Failure): number => {
  world.stderr.write(`${failureLines(failure).join('\n')}\n`);
  return exitOf(failure);
};

/** What is in the environment now, asked on the machine that the cluster is worked on from. */
const inventoryOf = async (
  world: World,
  site: Site,
  deployment: Deployment,
  environment: Environment,
): Promise<Result<Inventory, Failure>> => {
  const [host] = hostsPlaying(deployment, roles.compute);
  if (!host) return err({kind: 'input', message: 'The deployment has no compute host.'});
  const about = {host: host.name, attempted: `looking into ${environment.name}`};
  const {control, end} = controlBySignals(world);
  try {
    const connection = await connect(host, site.connectOptions(control.signal));
    if (!connection.ok) return connection;
    const output = await connection.value.run(inventoryScript(environment), {signal: control.signal});
    await connection.value.close();
    if (!output.ok) return output;
    const {code, stdout, stderr} = output.value;
    if (code !== 0) {
      return err({
        kind: 'command',
        ...about,
        exit: code,
        message: 'The cluster does not say what is in the environment.',
        tail: stderr.trim().split('\n').slice(-5),
        remedy: 'See with `groundwork verify` whether the cluster answers, then try again.',
      });
    }
    return ok(readInventory(stdout));
  } catch {
    return err({kind: 'command', ...about, message: 'What the cluster says about the environment cannot be read.'});
  } finally {
    end();
  }
};

/** What goes and what stays, in words. Nothing is listed that is not there. */
export const removalLines = (
  deployment: Deployment,
  environment: Environment,
  {releases, claims}: Inventory,
  purge: boolean,
): readonly string[] => {
  const {name} = environment;
  const domain = environmentDomain(deployment, environment);
  const onStorage = databasePlaceOf(deployment, environment) === 'storage-host';
  const databases = onStorage ? ['  its databases and their users on the storage host'] : [];
  const volumes = claims.map(({name: claim, size}) => `  volume ${claim} (${size})`);
  const gone = [
    ...releases.map(({name: release, chart, status}) => `  release ${release} (${chart}, ${status})`),
    `  the gateway and, in Rancher, the project`,
    `  ${domain} and *.${domain} in nginx and its certificate`,
    ...(purge ? [...volumes, ...databases] : []),
    ...(purge || claims.length === 0 ? [`  the namespace ${name} with all that is in it`] : []),
  ];
  const kept = purge
    ? []
    : [
        ...databases,
        ...(claims.length === 0 ? [] : [...volumes, `  the namespace ${name} with the passwords of this data`]),
      ];
  return [
    `Erased from ${deployment.name}:`,
    ...gone,
    ...(kept.length > 0
      ? ['Kept, and found again by an environment of the same name (--purge erases it):', ...kept]
      : []),
    'Kept in any case: the vault with the passwords that were made for it.',
  ];
};

const remove = async (invocation: Invocation, world: World, ready: Ready, name: string): Promise<number> => {
  const {site, deployment, form, yes, takeOver} = ready;
  const purge = invocation.flag('purge');
  const environment = deployment.environments.find(each => each.name === name);
  if (!environment) {
    const names = deployment.environments.map(each => each.name).join(', ');
    return complain(world, `there is no environment "${name}"${names && `; there are ${names}`}`, exit.usage);
  }
  if (hasKubernetes(deployment)) {
    const inventory = await inventoryOf(world, site, deployment, environment);
    if (!inventory.ok) return failed(world, inventory.error);
    const told = removalLines(deployment, environment, inventory.value, purge);
    (form === 'jsonl' ? world.stderr : world.stdout).write(`${told.join('\n')}\n`);
  }
  const confirmed =
    invocation.text('confirm') ?? (canAsk(world) ? await askLine(world, `Type ${name} to go on: `) : '');
  if (confirmed?.trim() !== name) {
    const how = canAsk(world) ? '' : `; say --confirm ${name}`;
    return complain(world, `the name was not typed, so nothing was changed${how}`, exit.stopped);
  }
  const options = {command: `groundwork environment remove ${name}`, form, yes, takeOver};
  if (hasKubernetes(deployment)) {
    // It stays in the deployment until it is gone, so that a removal that was cut off can be repeated.
    const gone = await carryOut(world, site, deployment, {...options, steps: removalSteps(environment, {purge})});
    if (gone !== exit.done) return gone;
  }
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

export const environment: Command = {
  name: 'environment',
  summary: 'list the environments of a saved deployment, add one, or remove one',
  description: [
    'add puts one into the deployment and installs it beside what is there. remove shows what will be',
    'erased and what stays, and wants the name typed; volumes are kept unless --purge is said. When a',
    'removal was cut off, say it again.',
  ],
  words: ['list|add|remove', '[NAME]'],
  options: {
    ...deploymentOptions,
    ...acceptOptions,
    ...outputOptions,
    domain: {type: 'string', value: 'DOMAIN', help: 'its domain; default NAME below the deployment’s'},
    module: {
      type: 'string',
      multiple: true,
      value: 'MODULE',
      help: 'registry, spar, pbms or g2p-bridge; may be given several times',
    },
    hostname: {
      type: 'string',
      multiple: true,
      value: 'SERVICE=NAME',
      help: 'another host name for a service: odk=forms.example.test',
    },
    database: {
      type: 'string',
      value: 'PLACE',
      help: 'storage-host or in-cluster; default the storage host, where it has PostgreSQL',
    },
    'admin-email': {type: 'string', value: 'MAIL', help: 'of its first user'},
    purge: {type: 'boolean', help: 'with remove: erase its data too'},
    confirm: {type: 'string', value: 'NAME', help: 'with remove, where nobody can type: the name once more'},
    yes: {type: 'boolean', short: 'y', help: 'carry the plan out without asking'},
    'take-over': {type: 'boolean', help: 'go on although another Groundwork holds the lock of this deployment'},
  },
  examples: [
    'groundwork environment list --deployment sandbox',
    'groundwork environment add qa --module registry --module spar',
    'groundwork environment remove qa --purge',
  ],
  run: async (invocation, world) => {
    const [verb = '', name] = invocation.positionals;
    if (!(verbs as readonly string[]).includes(verb))
      return complain(world, `say list, add or remove, not "${verb}"`, exit.usage);
    const form = outputForm(invocation);
    if (!form.ok) return complain(world, form.error, exit.usage);
    const file = invocation.text('deployment');
    if (verb !== 'list' && file !== undefined && existsSync(file)) {
      return complain(
        world,
        `${file} is your file, which is not changed here: name the saved deployment, then \`groundwork export\` it`,
        exit.usage,
      );
    }
    const loaded = await load(invocation, world);
    if (!loaded.ok) return complain(world, loaded.error, exit.usage);
    const {site, deployment} = loaded.value;
    if (verb === 'list') return list(world, deployment, form.value);
    if (name === undefined) return complain(world, 'NAME is missing', exit.usage);
    const ready = {
      site,
      deployment,
      form: form.value,
      yes: invocation.flag('yes'),
      takeOver: invocation.flag('take-over'),
    };
    if (verb === 'remove') return remove(invocation, world, ready, name);
    if (!hasKubernetes(deployment))
      return complain(world, `${deployment.name} has no cluster (components.kubernetes) to put it into`, exit.usage);
    return add(invocation, world, ready, name);
  },
};
