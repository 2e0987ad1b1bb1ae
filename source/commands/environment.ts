import {existsSync} from 'node:fs';
import {hasKubernetes} from '../../steps/shared/deployment.ts';
import {blueprints} from '../blueprints/index.ts';
import {environmentDomain, modulesInOrder} from '../deployment/environments.ts';
import {pathText} from '../deployment/problem.ts';
import {type Deployment, environment as schema} from '../deployment/schema.ts';
import {problemsOf} from '../deployment/validate.ts';
import type {Failure} from '../engine/failure.ts';
import {err, ok, type Result} from '../result.ts';
import {carryOut, controlBySignals} from './carry-out.ts';
import type {Command, Invocation, World} from './command.ts';
import {exit, exitOf} from './exit.ts';
import {acceptOptions, deploymentOptions, load, outputForm, outputOptions} from './inputs.ts';
import {planOperation} from './operations.ts';
import {tellPlan} from './plan.ts';
import {askLine, canAsk} from './prompt.ts';
import {complain, failureLines, writeJson} from './report.ts';
import type {Site} from './site.ts';
import {environmentRequest, uninstall} from './uninstall.ts';

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

const remove = (invocation: Invocation, world: World, ready: Ready, name: string): Promise<number> | number => {
  const request = environmentRequest(ready.deployment, name, invocation.flag('purge'));
  if (!request.ok) return complain(world, request.error, exit.usage);
  return uninstall(world, ready, request.value, {
    command: `groundwork environment remove ${name}`,
    confirmations: {name: invocation.text('confirm'), backups: undefined},
    dryRun: invocation.flag('dry-run'),
  });
};

export const environment: Command = {
  name: 'environment',
  summary: 'list the environments of a saved deployment, add one, or remove one',
  description: [
    'add puts one into the deployment and installs it beside what is there. remove shows what will be',
    'erased and what stays, and wants the name typed; volumes are kept unless --purge is said. When a',
    'removal was cut off, say it again. `groundwork uninstall environment NAME` is the same.',
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
    'dry-run': {type: 'boolean', help: 'with remove: only show the list'},
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
    if (verb === 'remove') return await remove(invocation, world, ready, name);
    if (!hasKubernetes(deployment))
      return complain(world, `${deployment.name} has no cluster (components.kubernetes) to put it into`, exit.usage);
    return add(invocation, world, ready, name);
  },
};
