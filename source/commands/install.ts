import {stepsOf} from '../blueprints/blueprint.ts';
import {blueprintById} from '../blueprints/index.ts';
import {openg2p} from '../blueprints/openg2p.ts';
import {describeLastRun, lastRunOf} from '../engine/resume.ts';
import {err, ok, type Result} from '../result.ts';
import {carryOut} from './carry-out.ts';
import {clock} from './clock.ts';
import type {Command, Invocation, World} from './command.ts';
import {exit} from './exit.ts';
import {
  acceptOptions,
  artifactOptions,
  deploymentOptions,
  type Loaded,
  load,
  outputForm,
  outputOptions,
} from './inputs.ts';
import {lastEvents, planOperation} from './operations.ts';
import {tellPlan} from './plan.ts';
import {askLine, canAsk} from './prompt.ts';
import {complain} from './report.ts';
import {openWizard} from './wizard.ts';

const runOptions = {
  ...deploymentOptions,
  ...acceptOptions,
  ...artifactOptions,
  ...outputOptions,
  yes: {type: 'boolean', short: 'y', help: 'carry the plan out without asking'},
  wait: {
    type: 'string',
    value: 'MINUTES',
    help: 'how long to wait for what others have to do, like a DNS record (30 where nobody is asked, else without end)',
  },
  'take-over': {type: 'boolean', help: 'go on although another Groundwork holds the lock of this deployment'},
} as const;

type Prepared = Loaded & {
  readonly form: 'auto' | 'plain' | 'jsonl';
  readonly yes: boolean;
  readonly takeOver: boolean;
  readonly waitMinutes: number | undefined;
};

const prepared = async (invocation: Invocation, world: World): Promise<Prepared | number> => {
  const form = outputForm(invocation);
  if (!form.ok) return complain(world, form.error, exit.usage);
  const waitMinutes = minutesIn(invocation.text('wait'));
  if (!waitMinutes.ok) return complain(world, waitMinutes.error, exit.usage);
  const loaded = await load(invocation, world);
  if (!loaded.ok) return complain(world, loaded.error, exit.usage);
  if (form.value !== 'jsonl') for (const warning of loaded.value.warnings) world.stderr.write(`warning: ${warning}\n`);
  return {
    ...loaded.value,
    form: form.value,
    yes: invocation.flag('yes'),
    takeOver: invocation.flag('take-over'),
    waitMinutes: waitMinutes.value,
  };
};

const minutesIn = (text: string | undefined): Result<number | undefined, string> => {
  if (text === undefined) return ok(undefined);
  return /^\d{1,5}$/.test(text) ? ok(Number(text)) : err(`--wait takes whole minutes, not "${text}"`);
};

export const install: Command = {
  name: 'install',
  summary: 'make the hosts as the deployment says',
  description: [
    'Looks at every host, shows the plan, and changes what differs. What is right already is',
    'left alone, so that it can be run again at any time. In a terminal it opens the screens,',
    'unless --yes or --output says otherwise.',
  ],
  words: [],
  options: runOptions,
  examples: [
    'groundwork install --deployment sandbox.yaml',
    'groundwork install --deployment sandbox.yaml --yes --output jsonl',
    'groundwork install -d sandbox --yes --accept memory --accept sandbox-1:disk',
    'groundwork install --deployment sandbox.yaml --artifacts /media/stick',
  ],
  run: async (invocation, world) => {
    const ready = await prepared(invocation, world);
    if (typeof ready === 'number') return ready;
    const {site, deployment, form, yes, takeOver, waitMinutes} = ready;
    if (!yes && form === 'auto' && canAsk(world)) return openWizard(world, site, {deployment, route: 'review'});
    if (!yes) {
      if (!canAsk(world))
        return complain(world, 'nobody can be asked here: say --yes to carry the plan out', exit.usage);
      const planned = await planOperation(site, deployment, new AbortController().signal);
      if (!planned.ok) return complain(world, planned.error.message, exit.failed);
      tellPlan(world, planned.value, {detail: false});
      const answer = await askLine(world, 'Carry it out? Type yes: ');
      if (answer?.trim() !== 'yes') return complain(world, 'nothing was changed', exit.stopped);
    }
    return carryOut(world, site, deployment, {command: 'groundwork install', form, yes, takeOver, waitMinutes});
  },
};

export const resume: Command = {
  name: 'resume',
  summary: 'go on with an installation that failed, was stopped or was cut off',
  description: [
    'Looks at the hosts, finds what is done already by what is there, and goes on with the rest.',
    'Secrets and accepted checks are those of before.',
  ],
  words: [],
  options: runOptions,
  examples: ['groundwork resume', 'groundwork resume --deployment sandbox --yes --output plain'],
  run: async (invocation, world) => {
    const ready = await prepared(invocation, world);
    if (typeof ready === 'number') return ready;
    const {site, deployment, form, yes, takeOver, waitMinutes} = ready;
    const last = lastRunOf(lastEvents(site, deployment.name));
    if (!last) return complain(world, `${deployment.name} was never installed: use groundwork install`, exit.usage);
    if (form !== 'jsonl') world.stdout.write(`${describeLastRun(last, clock.now())} Looking at what is there.\n`);
    return carryOut(world, site, deployment, {
      command: 'groundwork resume',
      form,
      yes,
      takeOver,
      waitMinutes,
      resumed: true,
    });
  },
};

export const retry: Command = {
  name: 'retry',
  summary: 'run one step again',
  description: [
    'Runs this step only, on every host that it concerns: for what was put right by hand, or to',
    'prove one part again. The steps are:',
    `${openg2p.steps.map(({id}) => id).join(', ')},`,
    'and those of each environment, like environment-qa-namespace.',
  ],
  words: ['STEP'],
  options: runOptions,
  examples: ['groundwork retry nginx --deployment sandbox --yes'],
  run: async (invocation, world) => {
    const ready = await prepared(invocation, world);
    if (typeof ready === 'number') return ready;
    const {site, deployment, form, yes, takeOver, waitMinutes} = ready;
    const [wanted = ''] = invocation.positionals;
    const blueprint = blueprintById(deployment.blueprint);
    const stepIds = blueprint ? stepsOf(blueprint, deployment).map(({id}) => id) : [];
    if (!stepIds.includes(wanted))
      return complain(world, `there is no step "${wanted}"; steps are ${stepIds.join(', ')}`, exit.usage);
    return carryOut(world, site, deployment, {
      command: `groundwork retry ${wanted}`,
      form,
      yes,
      takeOver,
      waitMinutes,
      only: [wanted],
      resumed: true,
    });
  },
};
