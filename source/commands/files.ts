import {blueprints} from '../blueprints/index.ts';
import {problemsOf} from '../deployment/validate.ts';
import {openVault} from '../deployment/vault.ts';
import {toYaml} from '../deployment/yaml.ts';
import type {Command} from './command.ts';
import {exit} from './exit.ts';
import {askSecret, canAsk, readAll} from './prompt.ts';
import {complain} from './report.ts';
import {readYaml, writeText} from './services.ts';
import {openSite} from './site.ts';

export const check: Command = {
  name: 'check',
  summary: 'read a deployment file and say what is wrong with it, by line',
  description: [
    'Checks every field and everything across fields: subnets that overlap, addresses outside their',
    'subnet, names that are not names. Touches no host.',
  ],
  words: ['FILE'],
  options: {},
  examples: ['groundwork check sandbox.yaml'],
  run: async (invocation, world) => {
    const read = readYaml(invocation.positionals[0] ?? '');
    if (!read.ok) return complain(world, read.error, exit.usage);
    const problems = problemsOf(read.value, blueprints);
    for (const {path, message, severity} of problems) world.stdout.write(`${severity}: ${path}: ${message}\n`);
    if (problems.some(({severity}) => severity === 'error')) return exit.usage;
    world.stdout.write(`${read.value.name} can be installed.\n`);
    return exit.done;
  },
};

export const exportCommand: Command = {
  name: 'export',
  summary: 'write a saved deployment as YAML, without secrets',
  description: ['For a colleague, for version control, or to install again elsewhere. Without FILE it is printed.'],
  words: ['NAME', '[FILE]'],
  options: {},
  examples: ['groundwork export sandbox sandbox.yaml'],
  run: async (invocation, world) => {
    const site = openSite(world);
    if (!site.ok) return complain(world, site.error.message, exit.failed);
    const [name = '', file] = invocation.positionals;
    const saved = site.value.store.get(name);
    if (!saved) return complain(world, `there is no saved deployment "${name}"`, exit.usage);
    const text = toYaml(saved.deployment);
    if (file === undefined) {
      world.stdout.write(text);
      return exit.done;
    }
    const written = writeText(file, text);
    return written.ok ? exit.done : complain(world, written.error, exit.failed);
  },
};

export const vault: Command = {
  name: 'vault',
  summary: 'protect generated secrets with a passphrase, or take it off',
  description: [
    'seal: from now on the vault is encrypted (age, scrypt); every command that needs it asks for',
    'the passphrase. unseal: takes the passphrase off. Without a terminal the passphrase is the',
    'first line of standard input.',
  ],
  words: ['seal|unseal', 'NAME'],
  options: {},
  examples: ['groundwork vault seal sandbox', 'groundwork vault unseal sandbox'],
  run: async (invocation, world) => {
    const [verb, name = ''] = invocation.positionals;
    if (verb !== 'seal' && verb !== 'unseal') return complain(world, `say seal or unseal, not "${verb}"`, exit.usage);
    const site = openSite(world);
    if (!site.ok) return complain(world, site.error.message, exit.failed);
    if (!site.value.store.get(name)) return complain(world, `there is no saved deployment "${name}"`, exit.usage);
    const passphrase = canAsk(world)
      ? await askSecret(world, 'Passphrase: ')
      : (await readAll(world.stdin)).split('\n')[0];
    if (!passphrase) return complain(world, 'no passphrase was given; nothing was changed', exit.usage);
    if (verb === 'seal' && canAsk(world) && (await askSecret(world, 'The same again: ')) !== passphrase) {
      return complain(world, 'the two are not the same; nothing was changed', exit.usage);
    }
    const opened = await openVault(site.value.paths.deployment(name).vault, {passphrase});
    if (!opened.ok)
      return complain(world, [opened.error.message, opened.error.remedy].filter(Boolean).join(' '), exit.failed);
    const done = await (verb === 'seal' ? opened.value.seal(passphrase) : opened.value.unseal());
    if (!done.ok) return complain(world, done.error.message, exit.failed);
    world.stdout.write(
      verb === 'seal' ? 'The vault is sealed.\n' : 'The vault is open to whoever can read your files.\n',
    );
    return exit.done;
  },
};
