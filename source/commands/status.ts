import {X509Certificate} from 'node:crypto';
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {handedOverAuthority, handedOverCertificate} from '../../steps/certificates/paths.ts';
import {hasKubernetes} from '../../steps/shared/deployment.ts';
import type {SavedDeployment} from '../deployment/store.ts';
import {describeLastRun, lastRunOf} from '../engine/resume.ts';
import {runView} from '../engine/run-view.ts';
import type {ClusterHealth} from '../kubernetes/health.ts';
import type {Result} from '../result.ts';
import {day} from '../tls/findings.ts';
import {clock} from './clock.ts';
import type {Command, World} from './command.ts';
import {exit} from './exit.ts';
import {clusterHealth, healthLines, isHealthy} from './health.ts';
import {outputForm, outputOptions} from './inputs.ts';
import {lastEvents} from './operations.ts';
import {complain, writeJson} from './report.ts';
import {openSite, type Site} from './site.ts';

/** Of an installed platform, unless nobody is to be asked. */
const healthOf = async (
  site: Site,
  name: string,
  offline: boolean,
): Promise<Result<ClusterHealth, string> | undefined> => {
  const saved = site.store.get(name);
  return offline || !saved?.lastRun || !hasKubernetes(saved.deployment)
    ? undefined
    : clusterHealth(site, saved.deployment);
};

/** Days before the end of a certificate from which its line says so. */
const soon = 30;

/** How long the supplied certificates last that were put in place last; they lie beside the journal, without keys. */
const certificateLines = (folder: string): readonly string[] => {
  const where = join(folder, dirname(handedOverCertificate('')));
  if (!existsSync(where)) return [];
  return readdirSync(where)
    .toSorted()
    .map(file => {
      const {validToDate} = new X509Certificate(readFileSync(join(where, file)));
      const left = Math.floor((validToDate.getTime() - clock.now().getTime()) / 86_400_000);
      const warning = left < 0 ? ': EXPIRED' : left < soon ? `: ONLY ${left} DAYS` : '';
      return `the certificate "${basename(file, '.pem')}" is valid until ${day(validToDate)}${warning}`;
    });
};

const nextAfter = ({outcome, removes}: NonNullable<SavedDeployment['lastRun']>): string => {
  if (outcome !== 'succeeded') return removes === undefined ? 'groundwork resume' : 'groundwork uninstall, once more';
  return removes === undefined ? 'groundwork verify' : 'groundwork install, to have it again';
};

const tell = (world: World, site: Site, name: string, health: Result<ClusterHealth, string> | undefined): void => {
  const saved = site.store.get(name);
  const paths = site.paths.deployment(name);
  const events = lastEvents(site, name);
  const view = runView(events);
  const last = lastRunOf(events);
  const write = (line: string) => world.stdout.write(`${line}\n`);
  write(
    `${name}: ${saved?.deployment.blueprint} ${saved?.deployment.topology}, ${saved?.deployment.hosts.map(host => host.name).join(', ') || 'no hosts yet'}`,
  );
  if (!saved?.lastRun || !last) {
    write('  never installed. Next: groundwork install');
    return;
  }
  write(`  ${describeLastRun(last, clock.now())}`);
  for (const step of view.steps)
    write(`  ${step.state.padEnd(10)} ${step.title} on ${step.host}${step.failure ? `: ${step.failure.message}` : ''}`);
  if (health?.ok && saved) {
    for (const line of healthLines(saved.deployment, health.value)) write(`  ${line}`);
  } else if (health) write(`  the cluster could not be looked at: ${health.ok ? '' : health.error}`);
  for (const {path} of view.handovers) if (existsSync(path)) write(`  for you: ${path}`);
  const authority = join(paths.folder, handedOverAuthority);
  if (existsSync(authority))
    write(`  the CA certificate is valid until ${new X509Certificate(readFileSync(authority)).validTo}`);
  for (const line of certificateLines(paths.folder)) write(`  ${line}`);
  write(`  Next: ${nextAfter(saved.lastRun)}`);
};

export const status: Command = {
  name: 'status',
  summary: 'what is installed, how the last run ended, what to do next',
  description: [
    'Reads the journal on this side. Where the platform is installed it also looks at the cluster, and says',
    'which nodes, releases and environments are well; groundwork verify proves every step.',
  ],
  words: ['[NAME]'],
  options: {...outputOptions, offline: {type: 'boolean', help: 'ask no host'}},
  examples: ['groundwork status', 'groundwork status sandbox --offline', 'groundwork status sandbox --output jsonl'],
  run: async (invocation, world) => {
    const form = outputForm(invocation);
    if (!form.ok) return complain(world, form.error, exit.usage);
    const site = openSite(world);
    if (!site.ok) return complain(world, site.error.message, exit.failed);
    const [wanted] = invocation.positionals;
    const names = site.value.store.list().map(({deployment}) => deployment.name);
    if (wanted !== undefined && !names.includes(wanted))
      return complain(world, `there is no saved deployment "${wanted}"`, exit.usage);
    if (site.value.store.notice) world.stderr.write(`${site.value.store.notice}\n`);
    if (names.length === 0 && form.value !== 'jsonl')
      world.stdout.write('No deployments yet. `groundwork` opens the wizard.\n');
    for (const name of wanted === undefined ? names : [wanted]) {
      const saved = site.value.store.get(name);
      const health = await healthOf(site.value, name, invocation.flag('offline'));
      if (form.value === 'jsonl')
        writeJson(world, {
          type: 'status',
          name,
          lastRun: saved?.lastRun,
          folder: site.value.paths.deployment(name).folder,
          ...(health?.ok && {cluster: {healthy: isHealthy(health.value), ...health.value}}),
          ...(health && !health.ok && {cluster: {healthy: false, problem: health.error}}),
        });
      else tell(world, site.value, name, health);
    }
    return exit.done;
  },
};
