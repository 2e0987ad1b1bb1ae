import {existsSync} from 'node:fs';
import {clientNames} from '../../steps/shared/client-names.ts';
import {servedNames} from '../../steps/shared/deployment.ts';
import type {Deployment} from '../deployment/schema.ts';
import type {Vault} from '../deployment/vault.ts';
import type {Failure} from '../engine/failure.ts';
import {isDnsLabel, isDomainName} from '../network/names.ts';
import type {Result} from '../result.ts';
import {asciiName, covers} from '../tls/coverage.ts';
import {type Examined, examine} from '../tls/examine.ts';
import {isError} from '../tls/findings.ts';
import {isUsable} from '../tls/judge.ts';
import type {InputFile, Unreadable} from '../tls/material.ts';
import {systemRoots} from '../tls/roots.ts';
import {
  certificateVault,
  examineFor,
  keepCertificates,
  makeRequest,
  readInputFiles,
  requestFile,
  stateOf,
  usualWarnDays,
  waitingRequests,
} from './certificate-operations.ts';
import {coverageLines, examinedLines, stateLines, verdictJson} from './certificate-report.ts';
import {clock} from './clock.ts';
import type {Command, Invocation, World} from './command.ts';
import {exit} from './exit.ts';
import {findDeployment, unlockVault} from './inputs.ts';
import {askSecret, canAsk, readAll} from './prompt.ts';
import {complain, writeJson} from './report.ts';
import {openSite, type Site} from './site.ts';

const verbs = ['list', 'check', 'request', 'import'] as const;

const told = ({message, remedy}: Failure): string => [message, remedy].filter(text => text !== undefined).join(' ');

const write = (world: World, lines: readonly string[]): void => {
  world.stdout.write(lines.map(line => `${line}\n`).join(''));
};

/** A deployment that was named, its vault unlocked where somebody can be asked. */
type Opened = {readonly site: Site; readonly deployment: Deployment; readonly saved: boolean; readonly vault: Vault};

const open = async (invocation: Invocation, world: World): Promise<Opened | number> => {
  const site = openSite(world);
  if (!site.ok) return complain(world, site.error.message, exit.failed);
  const found = findDeployment(site.value, invocation.text('deployment'));
  if (!found.ok) return complain(world, found.error, exit.usage);
  const deployment = found.value;
  await unlockVault(world, site.value, deployment.name);
  const vault = await certificateVault(site.value, deployment.name);
  if (!vault.ok) return complain(world, told(vault.error), exit.usage);
  const named = invocation.text('deployment');
  const saved = named === undefined || !existsSync(named);
  return {site: site.value, deployment, saved, vault: vault.value};
};

/** Reads with the password that standard input gives, or asks for one when a file turns out to be locked. */
const withPassword = async (
  invocation: Invocation,
  world: World,
  look: (password: string | undefined) => Promise<Result<Examined, Unreadable>>,
): Promise<Result<Examined, Unreadable>> => {
  const typed = invocation.flag('password')
    ? (await readAll(world.stdin)).split('\n')[0]?.replace(/\r$/, '')
    : undefined;
  let examined = await look(typed);
  while (!examined.ok && examined.error.reason !== 'unreadable' && typed === undefined && canAsk(world)) {
    world.stdout.write(`${examined.error.message}\n`);
    const password = await askSecret(world, 'Password: ');
    if (!password) break;
    examined = await look(password);
  }
  return examined;
};

const filesOf = (invocation: Invocation, world: World): readonly InputFile[] | number => {
  const paths = invocation.positionals.slice(1);
  if (paths.length === 0) return complain(world, 'name the files that the CA sent', exit.usage);
  const files = readInputFiles(paths, world.home);
  return files.ok ? files.value : complain(world, files.error, exit.usage);
};

/** Whether what was found can be used for all these names. */
const suffices = ({certificates, findings}: Examined, names: readonly string[]): boolean => {
  const usable = certificates.map(({verdict}) => verdict).filter(isUsable);
  const certified = usable.flatMap(({leaf}) => leaf.names);
  return (
    usable.length > 0 &&
    usable.length === certificates.length &&
    !findings.some(isError) &&
    names.every(name => covers(certified, name))
  );
};

/** Names of a deployment that certificates are compared with: those that clients ask for, else all that is served. */
const wantedNames = (deployment: Deployment): readonly string[] => {
  const clients = clientNames(deployment);
  return clients.length > 0 ? clients : servedNames(deployment);
};

const tellExamined = (invocation: Invocation, world: World, examined: Examined, names: readonly string[]): void => {
  const verdicts = examined.certificates.map(({verdict}) => verdict);
  if (invocation.text('output') === 'jsonl') {
    for (const verdict of verdicts) writeJson(world, {type: 'certificate', ...verdictJson(verdict)});
    for (const finding of examined.findings) writeJson(world, {type: 'finding', ...finding});
    for (const name of names)
      writeJson(world, {
        type: 'name',
        name,
        covered: verdicts.some(each => isUsable(each) && covers(each.leaf.names, name)),
      });
    return;
  }
  write(world, [...examinedLines(examined), ...coverageLines(verdicts, names)]);
};

const check = async (invocation: Invocation, world: World): Promise<number> => {
  const files = filesOf(invocation, world);
  if (typeof files === 'number') return files;
  const domains = invocation.texts('domain').map(asciiName);
  const odd = domains.find(domain => !isDomainName(domain.replace(/^\*\./, '')));
  if (odd !== undefined) return complain(world, `--domain ${odd} is not a domain name`, exit.usage);
  const opened = invocation.text('deployment') === undefined ? undefined : await open(invocation, world);
  if (typeof opened === 'number') return opened;
  const options = {roots: systemRoots(), now: clock.now(), warnDays: usualWarnDays};
  const examined = await withPassword(invocation, world, password =>
    opened
      ? examineFor(opened.vault, opened.deployment, files, password)
      : examine(files, {...options, ...(password !== undefined && {password})}),
  );
  if (!examined.ok) return complain(world, examined.error.message, exit.usage);
  const names = [...domains, ...(opened ? wantedNames(opened.deployment) : [])];
  tellExamined(invocation, world, examined.value, names);
  return suffices(examined.value, names) ? exit.done : exit.preflight;
};

/** Saves the list of certificates where the deployment is saved, and says what to write where it is a file. */
const remember = (world: World, {site, deployment, saved}: Opened, changed: Deployment): number => {
  if (JSON.stringify(changed.tls) === JSON.stringify(deployment.tls)) return exit.done;
  const before = site.store.get(deployment.name);
  if (saved && before) {
    const kept = site.store.save({
      ...before,
      deployment: {...before.deployment, tls: changed.tls},
      updatedAt: clock.now().toISOString(),
    });
    if (!kept.ok) return complain(world, kept.error, exit.failed);
    if (deployment.tls.mode !== changed.tls.mode)
      world.stdout.write(`${deployment.name} now uses supplied certificates (tls.mode: supplied).\n`);
    return exit.done;
  }
  const list = changed.tls.mode === 'supplied' ? changed.tls.certificates.join(', ') : '';
  world.stdout.write(`Write into the deployment file: tls: {mode: supplied, certificates: [${list}]}\n`);
  return exit.done;
};

const importFiles = async (invocation: Invocation, world: World): Promise<number> => {
  const files = filesOf(invocation, world);
  if (typeof files === 'number') return files;
  const wished = invocation.text('name');
  if (wished !== undefined && !isDnsLabel(wished))
    return complain(world, `--name ${wished} must be lower-case letters, digits and hyphens`, exit.usage);
  const opened = await open(invocation, world);
  if (typeof opened === 'number') return opened;
  const {vault, deployment} = opened;
  const examined = await withPassword(invocation, world, password => examineFor(vault, deployment, files, password));
  if (!examined.ok) return complain(world, examined.error.message, exit.usage);
  const names = wantedNames(deployment);
  tellExamined(invocation, world, examined.value, names);
  if (!suffices(examined.value, [])) return complain(world, 'nothing was imported', exit.preflight);
  if (wished !== undefined && examined.value.certificates.length > 1)
    return complain(world, 'these are several certificates: import them without --name, or one by one', exit.usage);
  const kept = await keepCertificates(vault, deployment, examined.value, wished);
  if (!kept.ok) return complain(world, told(kept.error), exit.failed);
  const status = remember(world, opened, kept.value.deployment);
  if (status !== exit.done) return status;
  if (invocation.text('output') === 'jsonl') writeJson(world, {type: 'imported', names: kept.value.names});
  else
    write(world, [
      `Kept in the vault: ${kept.value.names.join(', ')}.`,
      opened.site.store.get(deployment.name)?.lastRun
        ? `Put in place with: groundwork retry certificates --deployment ${deployment.name} --yes`
        : `It takes effect with: groundwork install --deployment ${deployment.name}`,
    ]);
  return exit.done;
};

const request = async (invocation: Invocation, world: World): Promise<number> => {
  const [, extra] = invocation.positionals;
  if (extra !== undefined) return complain(world, `"${extra}" is one word too many`, exit.usage);
  const name = invocation.text('name');
  if (name !== undefined && !isDnsLabel(name))
    return complain(world, `--name ${name} must be lower-case letters, digits and hyphens`, exit.usage);
  const names = invocation.texts('domain').map(asciiName);
  const odd = names.find(each => !isDomainName(each.replace(/^\*\./, '')));
  if (odd !== undefined) return complain(world, `--domain ${odd} is not a domain name`, exit.usage);
  const kind = invocation.text('key') ?? 'ec';
  if (kind !== 'ec' && kind !== 'rsa') return complain(world, `--key is ec or rsa, not "${kind}"`, exit.usage);
  const opened = await open(invocation, world);
  if (typeof opened === 'number') return opened;
  const subject = invocation.text('subject');
  const made = await makeRequest(opened.site, opened.vault, opened.deployment, {
    ...(name !== undefined && {name}),
    ...(names.length > 0 && {names}),
    each: invocation.flag('each'),
    ...(subject !== undefined && {subject}),
    kind,
  });
  if (!made.ok) return complain(world, told(made.error), exit.usage);
  const status = remember(world, opened, made.value.deployment);
  if (status !== exit.done) return status;
  write(world, [
    `The request for ${made.value.names.join(', ')} is`,
    `  ${made.value.file}`,
    'Have a CA sign it. Its key is in the vault, so that only the certificate and its chain need to come back:',
    `  groundwork certificates import --deployment ${opened.deployment.name} FILES`,
  ]);
  return exit.done;
};

const list = async (invocation: Invocation, world: World): Promise<number> => {
  const [, extra] = invocation.positionals;
  if (extra !== undefined) return complain(world, `"${extra}" is one word too many`, exit.usage);
  const opened = await open(invocation, world);
  if (typeof opened === 'number') return opened;
  const {site, deployment, vault} = opened;
  const state = stateOf(vault, deployment);
  const requests = waitingRequests(vault).map(each => ({...each, file: requestFile(site, deployment.name, each.name)}));
  const verdicts = state.verdicts.map(({verdict}) => verdict);
  if (invocation.text('output') === 'jsonl') {
    for (const {name, verdict} of state.verdicts)
      writeJson(world, {type: 'certificate', name, ...verdictJson(verdict)});
    for (const {name, names, file} of requests) writeJson(world, {type: 'request', name, names, file});
    writeJson(world, {
      type: 'certificates',
      mode: deployment.tls.mode,
      missing: state.missing,
      waiting: state.waiting,
      uncovered: state.uncovered,
      errors: state.errors,
      warnings: state.warnings,
    });
  } else if (deployment.tls.mode === 'local-ca' && requests.length === 0) {
    world.stdout.write(
      `${deployment.name} has a CA of its own (tls.mode: local-ca); no certificate need be supplied.\n`,
    );
  } else {
    write(world, [
      ...stateLines(state, requests),
      ...(verdicts.length > 0 ? coverageLines(verdicts, wantedNames(deployment)) : []),
    ]);
  }
  return state.errors.length > 0 ? exit.preflight : exit.done;
};

const actions: Readonly<Record<(typeof verbs)[number], (invocation: Invocation, world: World) => Promise<number>>> = {
  list,
  check,
  request,
  import: importFiles,
};

export const certificates: Command = {
  name: 'certificates',
  summary: 'certificates from a CA: what is there, check, request, import',
  description: [
    'check: says of the files that a CA sent whether they can be used and for which names; it needs no deployment.',
    'request: makes a key in the vault and a request for a CA to sign. import: judges files and keeps the',
    'certificate with its chain and key in the vault; what a CA signed for a request needs no key. list: what is',
    'there and how long it lasts. Read are PEM, DER, PKCS #7, PFX and ZIP, in any order. A password is asked for',
    'in the terminal.',
  ],
  words: ['list|check|request|import', '[FILES]'],
  endless: true,
  options: {
    deployment: {
      type: 'string',
      short: 'd',
      value: 'D',
      help: 'a deployment file (YAML), or the name of a saved deployment',
    },
    domain: {
      type: 'string',
      multiple: true,
      value: 'NAME',
      help: 'check: a name that must be covered; request: a name to ask for',
    },
    name: {
      type: 'string',
      value: 'NAME',
      help: 'how the certificate is called where there are several; main otherwise',
    },
    each: {type: 'boolean', help: 'request: every service by its name, for a CA that gives no wildcards'},
    subject: {
      type: 'string',
      value: 'TEXT',
      help: 'request: what the CA wants beside the names, like "C=KE, O=Ministry"',
    },
    key: {type: 'string', value: 'KIND', help: 'request: ec (default) or rsa'},
    password: {type: 'boolean', help: 'the password of the files is the first line of standard input'},
    output: {type: 'string', short: 'o', value: 'FORM', help: 'plain or jsonl (one JSON object a line); default plain'},
  },
  examples: [
    'groundwork certificates check openg2p.zip private.key --domain p.example.org',
    'groundwork certificates request --deployment production',
    'groundwork certificates import fullchain.pem privkey.pem -d production',
    'groundwork certificates import openg2p.pfx --password -d prod <password',
    'groundwork certificates list --deployment production',
  ],
  run: async (invocation, world) => {
    const [wanted = ''] = invocation.positionals;
    const verb = verbs.find(each => each === wanted);
    if (!verb) return complain(world, `say ${verbs.join(', ')}, not "${wanted}"`, exit.usage);
    const form = invocation.text('output') ?? 'plain';
    if (form !== 'plain' && form !== 'jsonl')
      return complain(world, `--output is plain or jsonl, not "${form}"`, exit.usage);
    return actions[verb](invocation, world);
  },
};
