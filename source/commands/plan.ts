import type {PlanResult} from '../engine/plan.ts';
import {controlBySignals} from './carry-out.ts';
import {clock} from './clock.ts';
import type {Command, World} from './command.ts';
import {exit, exitOf} from './exit.ts';
import {artifactOptions, deploymentOptions, load, outputForm, outputOptions} from './inputs.ts';
import {planOperation} from './operations.ts';
import {complain, failureLines, writeJson} from './report.ts';

/** The plan in words: a line for each step on each host, and with `detail` one for each change. */
export const tellPlan = (world: World, plan: PlanResult, {detail}: {readonly detail: boolean}): void => {
  const width = Math.max(0, ...plan.steps.map(({title}) => title.length));
  for (const step of plan.steps) {
    const changes = step.resources.filter(resource => resource.changes.length > 0);
    const words = step.awaits
      ? `waits for you: until ${step.awaits.join('; ')}`
      : step.undecided
        ? `is decided after ${step.undecided}`
        : changes.length === 0
          ? 'nothing to change'
          : `${changes.length} to change`;
    world.stdout.write(`${step.title.padEnd(width)}  ${step.host}  ${words}\n`);
    for (const {id, changes: each} of detail ? changes : []) {
      for (const change of each) {
        world.stdout.write(`    ${id}: ${change.summary}\n`);
        for (const line of change.detail ?? []) world.stdout.write(`        ${line}\n`);
      }
    }
  }
  // Of a host that was not seen nothing is known, so nothing is said.
  if (plan.steps.length === 0 && plan.hosts.some(each => 'failure' in each)) return;
  world.stdout.write(
    plan.changes === 0 ? 'Nothing to change.\n' : `${plan.changes} to change, ${plan.unchanged} as they should be.\n`,
  );
};

export const plan: Command = {
  name: 'plan',
  summary: 'show what an installation would change; changes nothing',
  description: [
    'Looks at every host and says what differs from the deployment. On an installation that is',
    'finished it costs one or two round trips per host.',
  ],
  words: [],
  options: {
    ...deploymentOptions,
    ...artifactOptions,
    ...outputOptions,
    detail: {type: 'boolean', help: 'every change, with differences of files'},
    'exit-code': {type: 'boolean', help: 'end with status 10 when there is something to change'},
  },
  examples: [
    'groundwork plan --deployment sandbox --detail',
    'groundwork plan --deployment sandbox.yaml --output jsonl --exit-code',
  ],
  run: async (invocation, world) => {
    const form = outputForm(invocation);
    if (!form.ok) return complain(world, form.error, exit.usage);
    const loaded = await load(invocation, world);
    if (!loaded.ok) return complain(world, loaded.error, exit.usage);
    const {control, end} = controlBySignals(world);
    const planned = await planOperation(loaded.value.site, loaded.value.deployment, control.signal);
    end();
    if (!planned.ok) {
      world.stderr.write(`${failureLines(planned.error).join('\n')}\n`);
      return exitOf(planned.error);
    }
    const failures = planned.value.hosts.flatMap(each => ('failure' in each ? [each.failure] : []));
    if (form.value === 'jsonl') {
      const at = clock.now().toISOString();
      for (const failure of failures) writeJson(world, {at, type: 'problem', failure});
      const {changes, unchanged, steps} = planned.value;
      writeJson(world, {at, type: 'plan', changes, unchanged, steps});
    } else {
      tellPlan(world, planned.value, {detail: invocation.flag('detail')});
      for (const failure of failures) world.stderr.write(`${failureLines(failure).join('\n')}\n`);
    }
    const [first] = failures;
    if (first) return exitOf(first);
    return planned.value.changes > 0 && invocation.flag('exit-code') ? exit.changes : exit.done;
  },
};
