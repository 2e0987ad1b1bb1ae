import {openVault, type Vault} from '../deployment/vault.ts';
import type {Failure} from '../engine/failure.ts';
import {err, type Result} from '../result.ts';
import type {Command, World} from './command.ts';
import {exit} from './exit.ts';
import {unlockVault} from './inputs.ts';
import {askSecret, canAsk, readAll} from './prompt.ts';
import {complain} from './report.ts';
import {openSite, type Site} from './site.ts';

const told = ({message, remedy}: Failure): string => [message, remedy].filter(text => text !== undefined).join(' ');

const verbs = ['list', 'show', 'set'] as const;

/** The vault of a saved deployment, unlocked where somebody can be asked for its passphrase. */
const vaultOf = async (world: World, site: Site, deployment: string): Promise<Result<Vault, Failure>> => {
  if (!site.store.get(deployment)) {
    const names = site.store.list().map(saved => saved.deployment.name);
    return err({
      kind: 'input',
      message: `There is no saved deployment "${deployment}"${names.length > 0 ? `; saved are ${names.join(', ')}` : ''}.`,
    });
  }
  await unlockVault(world, site, deployment);
  const passphrase = site.secrets.vaultPassphrase(deployment);
  return openVault(site.paths.deployment(deployment).vault, {...(passphrase !== undefined && {passphrase})});
};

const show = (world: World, vault: Vault, name: string, reveal: boolean): number => {
  const value = vault.get(name);
  if (value === undefined) {
    const names = vault.names();
    return complain(
      world,
      `there is no secret "${name}"; ${names.length > 0 ? `there are ${names.join(', ')}` : 'the vault is empty'}`,
      exit.usage,
    );
  }
  if (!world.stdout.isTTY && !reveal) {
    return complain(world, 'the output is no terminal and may be kept: say --reveal if you mean it', exit.usage);
  }
  world.stdout.write(`${value}\n`);
  return exit.done;
};

/** From the terminal without being shown, or the first line of standard input: never from an argument. */
const set = async (world: World, vault: Vault, name: string): Promise<number> => {
  const value = canAsk(world)
    ? await askSecret(world, `${name}: `)
    : (await readAll(world.stdin)).split('\n')[0]?.replace(/\r$/, '');
  if (!value) return complain(world, 'nothing was given; nothing was changed', exit.usage);
  const kept = await vault.set(name, value);
  if (!kept.ok) return complain(world, told(kept.error), exit.failed);
  world.stdout.write(`${name} is kept. It takes effect with the next run: groundwork install\n`);
  return exit.done;
};

export const secrets: Command = {
  name: 'secrets',
  summary: 'names of the secrets in the vault; one of them; a new value',
  description: [
    'list: the names only. show: one secret, for a first login; it is printed to a terminal, and elsewhere only',
    'with --reveal. set: keeps a value that you have, such as the password of a mail server; it is asked for in',
    'the terminal, or is the first line of standard input. It never stands on the command line.',
  ],
  words: ['list|show|set', 'NAME', '[SECRET]'],
  options: {reveal: {type: 'boolean', help: 'print the secret although the output is no terminal'}},
  examples: [
    'groundwork secrets list sandbox',
    'groundwork secrets show sandbox rancher-bootstrap-password',
    'groundwork secrets set sandbox alerts-smtp-password',
  ],
  run: async (invocation, world) => {
    const [wanted, deployment = '', name] = invocation.positionals;
    const verb = verbs.find(each => each === wanted);
    if (!verb) return complain(world, `say ${verbs.join(', ')}, not "${wanted}"`, exit.usage);
    if (verb === 'list' && name !== undefined) return complain(world, `"${name}" is one word too many`, exit.usage);
    if (verb !== 'list' && name === undefined) {
      return complain(world, `name the secret: groundwork secrets list ${deployment}`, exit.usage);
    }
    const site = openSite(world);
    if (!site.ok) return complain(world, site.error.message, exit.failed);
    const vault = await vaultOf(world, site.value, deployment);
    if (!vault.ok) return complain(world, told(vault.error), exit.usage);
    if (verb === 'list') {
      for (const each of vault.value.names()) world.stdout.write(`${each}\n`);
      return exit.done;
    }
    return verb === 'show'
      ? show(world, vault.value, name ?? '', invocation.flag('reveal'))
      : set(world, vault.value, name ?? '');
  },
};
