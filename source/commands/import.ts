import type {Deployment} from '../deployment/schema.ts';
import {toYaml} from '../deployment/yaml.ts';
import type {Imported} from '../import/item.ts';
import {reportLines, reportObjects, reportSections} from '../import/report.ts';
import {isDnsLabel} from '../network/names.ts';
import {err, ok, type Result} from '../result.ts';
import {clock} from './clock.ts';
import type {Command, World} from './command.ts';
import {exit} from './exit.ts';
import {importFrom} from './importing.ts';
import {type OutputForm, outputForm, outputOptions} from './inputs.ts';
import {complain, writeJson} from './report.ts';
import {writeText} from './services.ts';
import {openSite} from './site.ts';

const tell = (world: World, imported: Imported, form: OutputForm): void => {
  if (form === 'jsonl') return;
  world.stdout.write(`${reportLines(reportSections(imported)).join('\n')}\n\n`);
};

/** Puts a deployment among the saved ones; one of its name is replaced only when that was said. */
const save = (
  world: World,
  deployment: Deployment,
  replace: boolean,
): Result<string, {message: string; status: number}> => {
  const site = openSite(world);
  if (!site.ok) return err({message: site.error.message, status: exit.failed});
  const {store} = site.value;
  const before = store.get(deployment.name);
  if (before && !replace) {
    return err({
      message: `there is a saved deployment "${deployment.name}" already: give this one another name with --name, or say --replace`,
      status: exit.usage,
    });
  }
  const saved = store.save({
    ...(before?.lastRun && {lastRun: before.lastRun}),
    deployment,
    updatedAt: clock.now().toISOString(),
    practice: before?.practice ?? false,
  });
  return saved.ok ? ok('saved') : err({message: saved.error, status: exit.failed});
};

export const importCommand: Command = {
  name: 'import',
  summary: 'make a deployment of settings that you have: of OpenG2P’s scripts, or an Ansible inventory',
  description: [
    'Reads prod-config.yaml, provision-output.yaml, infra-config.yaml, env-config.yaml, backup-config.yaml and',
    'deployment-plan.yaml as OpenG2P’s scripts do, Ansible inventories, and what groundwork export wrote. Files that',
    'belong together are named together. It says what was taken over, what was changed, and what was not taken over and',
    'why. Without --to nothing is kept. Secrets are never taken over; it says which there are, and how to bring them.',
  ],
  words: ['FILE'],
  endless: true,
  options: {
    name: {type: 'string', value: 'NAME', help: 'what to call the deployment; default the name of the cluster'},
    to: {type: 'string', value: 'WHERE', help: 'save, to go on in the wizard; or the path of a new deployment file'},
    replace: {type: 'boolean', help: 'with --to save: in the place of the saved deployment of that name'},
    ...outputOptions,
  },
  examples: [
    'groundwork import prod-config.yaml provision-output.yaml',
    'groundwork import infra-config.yaml env-config.yaml --name pilot --to save',
    'groundwork import inventory.ini --to pilot.yaml',
  ],
  run: async (invocation, world) => {
    const form = outputForm(invocation);
    if (!form.ok) return complain(world, form.error, exit.usage);
    const [name, to] = [invocation.text('name'), invocation.text('to')];
    if (name !== undefined && !isDnsLabel(name)) {
      return complain(world, `--name is of lower-case letters, digits and hyphens, not "${name}"`, exit.usage);
    }
    const read = importFrom(invocation.positionals);
    if (!read.ok) return complain(world, `nothing was imported:\n${read.error}`, exit.usage);
    const deployment = {...read.value.deployment, ...(name !== undefined && {name})};
    const imported = {...read.value, deployment};
    tell(world, imported, form.value);
    let kept: string | null = null;
    if (to === 'save') {
      const saved = save(world, deployment, invocation.flag('replace'));
      if (!saved.ok) return complain(world, saved.error.message, saved.error.status);
      kept = saved.value;
    } else if (to !== undefined) {
      const written = writeText(to, toYaml(deployment));
      if (!written.ok) return complain(world, written.error, exit.usage);
      kept = to;
    }
    if (form.value === 'jsonl') {
      for (const object of reportObjects(imported, kept)) writeJson(world, object);
      return exit.done;
    }
    world.stdout.write(`${ending(imported, kept)}\n`);
    return exit.done;
  },
};

/** What to do next. */
const ending = ({deployment, problems}: Imported, kept: string | null): string => {
  const open = problems.filter(({severity}) => severity === 'error').length;
  const rest = open > 0 ? ' It is not complete yet: see above.' : '';
  if (kept === null) return 'Nothing was kept: say --to save, or --to and the path of a new file.';
  if (kept === 'saved') return `Saved as ${deployment.name}.${rest} Go on in the wizard: groundwork`;
  return `Written to ${kept}.${rest} Go on with: groundwork ${open > 0 ? `check ${kept}` : `plan --deployment ${kept}`}`;
};
