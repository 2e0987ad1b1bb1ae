import {existsSync} from 'node:fs';
import {resolve} from 'node:path';
import {parse} from 'yaml';
import {z} from 'zod';
import {blueprints} from '../blueprints/index.ts';
import type {Deployment} from '../deployment/schema.ts';
import {problemsOf} from '../deployment/validate.ts';
import {isSealed} from '../deployment/vault.ts';
import {acceptanceOf} from '../hosts/check.ts';
import {err, ok, type Result} from '../result.ts';
import type {Invocation, Options, World} from './command.ts';
import {askSecret, canAsk, readAll} from './prompt.ts';
import {readYaml} from './services.ts';
import {anyDeployment, openSite, type Site} from './site.ts';

/** Options of every command that works on a deployment. */
export const deploymentOptions = {
  deployment: {
    type: 'string',
    short: 'd',
    value: 'D',
    help: 'a deployment file (YAML), or the name of a saved deployment',
  },
  secrets: {
    type: 'boolean',
    help: 'read passwords and passphrases from standard input, as YAML (see docs/commands.md)',
  },
} as const satisfies Options;

/** Options of every command that tells what happens. */
export const outputOptions = {
  output: {
    type: 'string',
    short: 'o',
    value: 'FORM',
    help: 'auto, plain or jsonl (one JSON object a line); default auto',
  },
} as const satisfies Options;

export const acceptOptions = {
  accept: {
    type: 'string',
    multiple: true,
    value: 'CHECK',
    help: 'go on although this preflight check failed: CHECK on every host, or HOST:CHECK',
  },
} as const satisfies Options;

/** Options of every command that may bring something to hosts. */
export const artifactOptions = {
  artifacts: {
    type: 'string',
    value: 'DIR',
    help: 'take what is downloaded from this folder, filled by groundwork artifacts pull',
  },
} as const satisfies Options;

export type OutputForm = 'auto' | 'plain' | 'jsonl';

export const outputForm = (invocation: Invocation): Result<OutputForm, string> => {
  const form = invocation.text('output') ?? 'auto';
  return form === 'auto' || form === 'plain' || form === 'jsonl'
    ? ok(form)
    : err(`--output is auto, plain or jsonl, not "${form}"`);
};

/** A deployment that was named on the command line, checked as a whole, with the site that it is worked on from. */
export type Loaded = {readonly site: Site; readonly deployment: Deployment; readonly warnings: readonly string[]};

export const load = async (invocation: Invocation, world: World, given?: Site): Promise<Result<Loaded, string>> => {
  const site = given ? ok(given) : openSite(world);
  if (!site.ok) return err(site.error.message);
  const found = findDeployment(site.value, invocation.text('deployment'));
  if (!found.ok) return found;
  const deployment = withArtifacts(withAccepted(found.value, invocation.texts('accept')), invocation.text('artifacts'));
  const problems = problemsOf(deployment, blueprints);
  const errors = problems.filter(({severity}) => severity === 'error');
  if (errors.length > 0) {
    return err(
      [
        `${deployment.name} cannot be used yet:`,
        ...errors.map(({path, message}) => `  ${path ? `${path}: ` : ''}${message}`),
      ].join('\n'),
    );
  }
  const secrets = await takeSecrets(invocation, world, site.value, deployment);
  if (!secrets.ok) return secrets;
  return ok({
    site: site.value,
    deployment,
    warnings: problems.filter(({severity}) => severity === 'warning').map(({path, message}) => `${path}: ${message}`),
  });
};

/** The saved deployment, when there is just one: nobody should have to name what is the only one. */
const onlyOne = (site: Site): string | undefined => {
  const [only, ...others] = site.store.list();
  return others.length === 0 ? only?.deployment.name : undefined;
};

/** The deployment of this name or in this file, finished or not; without a name, the only one that is saved. */
export const findDeployment = (site: Site, named: string | undefined = onlyOne(site)): Result<Deployment, string> => {
  const names = site.store.list().map(({deployment}) => deployment.name);
  if (named === undefined) {
    return err(
      names.length === 0
        ? 'name a deployment file with --deployment FILE'
        : `name a deployment with --deployment: ${names.join(', ')}, or a file`,
    );
  }
  const saved = site.store.get(named);
  if (saved && !existsSync(named)) return ok(saved.deployment);
  if (!saved && !existsSync(named)) {
    return err(
      `there is no file and no saved deployment "${named}"${names.length > 0 ? `; saved are ${names.join(', ')}` : ''}`,
    );
  }
  return readYaml(named);
};

const withAccepted = (deployment: Deployment, checks: readonly string[]): Deployment => ({
  ...deployment,
  acceptedChecks: [
    ...new Set([
      ...deployment.acceptedChecks,
      ...checks.flatMap(check =>
        check.includes(':') ? [check] : deployment.hosts.map(({name}) => acceptanceOf({host: name, id: check})),
      ),
    ]),
  ],
});

/** A folder that was named takes the place of the deployment's own source; its proxy stays. */
const withArtifacts = (deployment: Deployment, directory: string | undefined): Deployment => {
  if (directory === undefined) return deployment;
  const {proxy} = deployment.artifacts;
  return {...deployment, artifacts: {source: 'directory', path: resolve(directory), ...(proxy && {proxy})}};
};

const secretsShape = z.strictObject({
  hosts: z
    .record(
      z.string(),
      z.strictObject({
        password: z.string().optional(),
        sudoPassword: z.string().optional(),
        passphrase: z.string().optional(),
      }),
    )
    .default({}),
  identityFiles: z.record(z.string(), z.string()).default({}),
  vault: z.string().optional(),
});

const takeSecrets = async (
  invocation: Invocation,
  world: World,
  site: Site,
  deployment: Deployment,
): Promise<Result<void, string>> => {
  if (invocation.flag('secrets')) {
    const given = readSecrets(await readAll(world.stdin));
    if (!given.ok) return given;
    for (const [host, secrets] of Object.entries(given.value.hosts)) site.secrets.give(host, secrets);
    for (const [file, passphrase] of Object.entries(given.value.identityFiles))
      site.secrets.give(`key ${file}`, {passphrase}, expandHome(file, world.home));
    if (given.value.vault !== undefined) site.secrets.giveVaultPassphrase(anyDeployment, given.value.vault);
  }
  await unlockVault(world, site, deployment.name);
  return ok();
};

/** Asks for the passphrase of a sealed vault where somebody can answer; without an answer, opening it says what is missing. */
export const unlockVault = async (world: World, site: Site, name: string): Promise<void> => {
  if (
    !isSealed(site.paths.deployment(name).vault) ||
    site.secrets.vaultPassphrase(name) !== undefined ||
    !canAsk(world)
  )
    return;
  const passphrase = await askSecret(world, `Passphrase of the vault of ${name}: `);
  if (passphrase) site.secrets.giveVaultPassphrase(name, passphrase);
};

const expandHome = (path: string, home: string): string => (path.startsWith('~/') ? `${home}${path.slice(1)}` : path);

/** The error never repeats what was read: it holds secrets. */
const readSecrets = (text: string): Result<z.infer<typeof secretsShape>, string> => {
  let raw: unknown;
  try {
    raw = parse(text) ?? {};
  } catch {
    return err('the secrets on standard input are not YAML');
  }
  const shaped = secretsShape.safeParse(raw);
  if (shaped.success) return ok(shaped.data);
  return err(
    `the secrets on standard input are not as expected at ${shaped.error.issues.map(({path}) => path.join('.') || 'the top').join(', ')}; see docs/commands.md`,
  );
};
