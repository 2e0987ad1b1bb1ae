import {setTimeout as sleep} from 'node:timers/promises';
import {countRows, ownDatabases} from '../../steps/backup/drill-job.ts';
import {rancherFolder} from '../../steps/backup/rancher-objects.ts';
import {type CopiesTarget, stageCopies, stagedFolder} from '../../steps/backup/restore-copies.ts';
import {
  cutOverPostgresql,
  keptPath,
  rememberedFirst,
  reportPath,
  stagedPath,
  stagePostgresql,
  type Target,
} from '../../steps/backup/restore-postgresql.ts';
import {runJob} from '../../steps/backup/run-job.ts';
import {backupHost, keeps} from '../../steps/backup/settings.ts';
import {readStatus, statusScripts} from '../../steps/backup/status.ts';
import {exportPath} from '../../steps/nfs-server/exports.ts';
import {clusterPaths} from '../../steps/postgresql/paths.ts';
import {asSuperuser} from '../../steps/postgresql/sql.ts';
import {postgresqlVersion} from '../../steps/postgresql/version.ts';
import {hostsPlaying, roles} from '../../steps/shared/deployment.ts';
import type {BackupGroup, Deployment, HostSpec} from '../deployment/schema.ts';
import type {Failure} from '../engine/failure.ts';
import {factsScript, parseFacts} from '../hosts/gather-facts.ts';
import {shellCommand} from '../hosts/shell-command.ts';
import {err, ok, type Result} from '../result.ts';
import {quote, sh} from '../shell/script.ts';
import {carryOut} from './carry-out.ts';
import type {Invocation, World} from './command.ts';
import {exit, exitOf} from './exit.ts';
import type {OutputForm} from './inputs.ts';
import {askHost} from './on-host.ts';
import {askLine, canAsk} from './prompt.ts';
import {complain, failureLines, writeJson} from './report.ts';
import type {Site} from './site.ts';

export type Restoring = {
  readonly site: Site;
  readonly deployment: Deployment;
  readonly form: OutputForm;
  readonly invocation: Invocation;
};

/** A moment with its zone, in the form that PostgreSQL reads. Without a zone nobody knows whose clock is meant. */
export const momentIn = (text: string): Result<string, string> => {
  const found = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(:\d\d(\.\d{1,6})?)?) ?(Z|UTC|[+-]\d\d:?\d\d)$/.exec(text.trim());
  const wrong = err(`"${text}" is no moment with a time zone: write 2026-11-27T03:00:00Z or 2026-11-27T06:00:00+03:00`);
  if (!found) return wrong;
  const [, day, clock = '', , , zone = ''] = found;
  const offset = zone === 'Z' || zone === 'UTC' ? 'Z' : zone.replace(/^([+-]\d\d):?(\d\d)$/, '$1:$2');
  const moment = new Date(`${day}T${clock.length === 5 ? `${clock}:00` : clock}${offset}`);
  if (Number.isNaN(moment.getTime())) return wrong;
  return ok(`${moment.toISOString().replace('T', ' ').replace('Z', '')}+00`);
};

const stampOf = (now: Date): string => now.toISOString().replace(/\D/g, '').slice(0, 14);

const tell = ({form}: Pick<Restoring, 'form'>, world: World, lines: readonly string[]): void => {
  (form === 'jsonl' ? world.stderr : world.stdout).write(`${lines.join('\n')}\n`);
};

const failed = (world: World, failure: Failure): number => {
  world.stderr.write(`${failureLines(failure).join('\n')}\n`);
  return exitOf(failure);
};

type Staged = {
  readonly version: number;
  readonly report: string;
  /** `DATABASE|TABLES|ROWS` of what runs now; empty when nothing does. */
  readonly now: string;
};

const lookAt = async (
  site: Site,
  deployment: Deployment,
  host: HostSpec,
  target: Target,
): Promise<Result<Staged, Failure>> => {
  const asked = await askHost(site, host, [factsScript]);
  if (!asked.ok) return asked;
  const facts = parseFacts(asked.value.get(0)?.stdout ?? '');
  if (!facts.ok) return err({kind: 'command', host: host.name, message: facts.error});
  const version = postgresqlVersion(deployment, facts.value);
  const answers = await askHost(site, host, [
    sh`cat ${reportPath(version, target)}`,
    sh`for database in $(${asSuperuser(version, ownDatabases)}); do
  printf '%s|%s\n' "$database" "$(port=$(sed -n 4p ${`${clusterPaths(version).data}/postmaster.pid`}); printf '%s\n' ${countRows} | runuser -u postgres -- psql --no-psqlrc --quiet --tuples-only --no-align --port="$port" --dbname="$database" --file=-)"
done 2>/dev/null`,
  ]);
  if (!answers.ok) return answers;
  const report = answers.value.get(0);
  if (report?.code !== 0) {
    return err({
      kind: 'command',
      host: host.name,
      message: `There is no staged copy ${target.stamp} on ${host.name}.`,
      remedy: 'Begin the restore again, without --staged.',
    });
  }
  return ok({version, report: report.stdout.trim(), now: answers.value.get(1)?.stdout.trim() ?? ''});
};

const countsIn = (text: string): ReadonlyMap<string, string> =>
  new Map(
    [...text.matchAll(/^([^|\n]+)\|(\d+)\|(\d+)$/gm)].map(([, database = '', tables, rows]) => [
      database,
      `${tables} tables, ${rows} rows`,
    ]),
  );

/** What is in the copy against what runs, and what becomes of both. */
export const comparison = (host: string, target: Target, {version, report, now}: Staged): readonly string[] => {
  const copy = countsIn(report);
  const live = countsIn(now);
  const last = /^last change: (.+)$/m.exec(report)?.[1] ?? 'unknown';
  const names = [...new Set([...copy.keys(), ...live.keys()])];
  const widest = Math.max(8, ...names.map(({length}) => length));
  return [
    `Staged on ${host}: ${stagedPath(version, target)}`,
    `The last change in it was made at ${last}.`,
    `  ${'database'.padEnd(widest)}  ${'in the copy'.padEnd(26)}  now`,
    ...names.map(
      name =>
        `  ${name.padEnd(widest)}  ${(copy.get(name) ?? 'not there').padEnd(26)}  ${live.get(name) ?? (live.size === 0 ? 'does not run' : 'not there')}`,
    ),
    'Lost will be all that was written after that change. What runs now is stopped, and stays as',
    `  ${keptPath(version, target)}`,
  ];
};

const restorePostgresql = async (world: World, restoring: Restoring): Promise<number> => {
  const {site, deployment, form, invocation} = restoring;
  const [host] = hostsPlaying(deployment, roles.storage);
  if (!host) return complain(world, 'the deployment has no storage host', exit.usage);
  const time = invocation.text('time');
  const moment = time === undefined ? ok(undefined) : momentIn(time);
  if (!moment.ok) return complain(world, moment.error, exit.usage);
  const staged = invocation.text('staged');
  if (staged !== undefined && !/^\d{14}$/.test(staged))
    return complain(world, `"${staged}" is no staged copy`, exit.usage);
  const target: Target = {time: moment.value, stamp: staged ?? stampOf(new Date())};
  const options = {form, yes: true, takeOver: invocation.flag('take-over')};
  if (staged === undefined) {
    const done = await carryOut(world, site, deployment, {
      ...options,
      command: 'groundwork backup restore postgresql (staging)',
      steps: [rememberedFirst, stagePostgresql(deployment, target)],
    });
    if (done !== exit.done) return done;
  }
  const found = await lookAt(site, deployment, host, target);
  if (!found.ok) return failed(world, found.error);
  if (form === 'jsonl') writeJson(world, {type: 'restore-staged', stamp: target.stamp, ...found.value});
  tell(restoring, world, ['', ...comparison(host.name, target, found.value)]);
  if (invocation.flag('stage-only')) {
    tell(restoring, world, [`To go on: groundwork backup restore postgresql --staged ${target.stamp}`]);
    return exit.done;
  }
  const confirmed =
    invocation.text('confirm') ??
    (canAsk(world)
      ? await askLine(world, `Type ${deployment.name} to put the copy in the place of the databases: `)
      : '');
  if (confirmed?.trim() !== deployment.name) {
    return complain(
      world,
      `the name was not typed, so nothing was replaced. To go on: groundwork backup restore postgresql --staged ${target.stamp}${canAsk(world) ? '' : ` --confirm ${deployment.name}`}`,
      exit.stopped,
    );
  }
  const replaced = await carryOut(world, site, deployment, {
    ...options,
    command: 'groundwork backup restore postgresql',
    steps: [cutOverPostgresql(deployment, target)],
  });
  if (replaced !== exit.done) return replaced;
  // The host's clock must have gone on, so that this backup is told from one of the same second.
  await sleep(1100);
  const again = await carryOut(world, site, deployment, {
    ...options,
    command: 'groundwork backup run postgresql',
    steps: [runJob(deployment, 'postgresql-full')],
  });
  tell(restoring, world, [
    '',
    'The databases are as restored. What is left to do:',
    ...(again === exit.done ? [] : ['  a full backup: groundwork backup run postgresql --full']),
    '  groundwork install, which gives users the passwords of the vault again',
    '  restart what keeps connections: the environments’ workloads',
    `  when you are sure: delete ${keptPath(found.value.version, target)} on ${host.name}`,
  ]);
  return again;
};

/** The newest snapshot of a tag that is not younger than a moment; the moment in PostgreSQL’s form. */
const snapshotBefore = async (
  {site, deployment}: Restoring,
  tag: string,
  moment: string | undefined,
): Promise<Result<string | undefined, Failure>> => {
  if (moment === undefined) return ok(undefined);
  const asked = await askHost(site, backupHost(deployment), statusScripts(deployment));
  if (!asked.ok) return asked;
  const limit = Date.parse(moment.replace(' ', 'T').replace(/\+00$/, 'Z'));
  const found = readStatus(deployment, asked.value)
    .snapshots.filter(({tags, time}) => tags.includes(tag) && Date.parse(time) <= limit)
    .at(-1);
  return found
    ? ok(found.id)
    : err({kind: 'input', message: `There is no copy of ${tag} that is as old as ${moment}.`});
};

/** What somebody does with what was laid out, with the names of this deployment. */
const guide = (site: Site, deployment: Deployment, target: CopiesTarget): readonly string[] => {
  const from = backupHost(deployment);
  const folder = stagedFolder(deployment, target);
  const ssh = (host: HostSpec): string =>
    shellCommand(host, {knownHostsFile: site.paths.knownHosts}).map(quote).join(' ');
  const [compute] = hostsPlaying(deployment, roles.compute);
  const [storage] = hostsPlaying(deployment, roles.storage);
  const send = (what: string, host: HostSpec | undefined, to: string): string =>
    host ? `  ${ssh(from)} sudo tar -C ${folder} -c ${what} | ${ssh(host)} sudo tar -C ${to} -x` : '';
  switch (target.group) {
    case 'files':
      return [
        'To bring them back (scale the workloads down first, so that nothing writes meanwhile):',
        `  see what is there: ${ssh(from)} sudo ls -l ${folder}`,
        send(`--transform 's,^.*/files/,,' .`, storage, exportPath(deployment)),
        '  name the one folder of a volume in place of the last dot to bring back that one alone.',
      ];
    case 'configurations':
      return [
        'Each host’s /etc and keys are one archive. Take out of it what you need; do not unpack all of it over a new machine:',
        `  ${ssh(from)} sudo tar -tf ${folder}/…/HOST.tar`,
        '  then groundwork install, which writes what is of this deployment by itself.',
      ];
    case 'etcd':
      return [
        'To bring the state of the cluster back (objects that were made after the copy are gone; data on volumes stays):',
        send('.', compute, '/var/lib/rancher/rke2/server/db/snapshots'),
        `  on ${compute?.name}: sudo systemctl stop rke2-server`,
        `  on ${compute?.name}: sudo rke2 server --cluster-reset --cluster-reset-restore-path=/var/lib/rancher/rke2/server/db/snapshots/FILE`,
        `  on ${compute?.name}: sudo systemctl start rke2-server`,
        '  The machine must have the name, the address and the token (vault: rke2-token) of then, and RKE2 of that minor or newer.',
      ];
    default:
      return [
        'To bring Rancher’s objects back:',
        send(`--transform 's,^.*/,,' .`, storage, `${exportPath(deployment)}/${rancherFolder}`),
        '  apply on the cluster, with the name of the file:',
        '    apiVersion: resources.cattle.io/v1',
        '    kind: Restore',
        '    metadata: {name: groundwork-restore}',
        '    spec: {backupFilename: FILE, encryptionConfigSecretName: groundwork-backup-encryption, prune: false}',
      ];
  }
};

const restoreCopies = async (world: World, restoring: Restoring, group: CopiesTarget['group']): Promise<number> => {
  const {site, deployment, form, invocation} = restoring;
  const time = invocation.text('time');
  const moment = time === undefined ? ok(undefined) : momentIn(time);
  if (!moment.ok) return complain(world, moment.error, exit.usage);
  if (group === 'etcd' && moment.value !== undefined)
    return complain(world, 'of the cluster’s state the newest copy is laid out; --time is for the others', exit.usage);
  const part = invocation.text('part');
  if (part !== undefined && (!/^[\w.@:/-]+$/.test(part) || part.split('/').includes('..') || part.startsWith('/')))
    return complain(world, `"${part}" is no part: name a folder of the share, or a host`, exit.usage);
  const snapshot = await snapshotBefore(restoring, group === 'rancher' ? 'files' : group, moment.value);
  if (!snapshot.ok) return failed(world, snapshot.error);
  const target: CopiesTarget = {group, stamp: stampOf(new Date()), snapshot: snapshot.value, part};
  const done = await carryOut(world, site, deployment, {
    command: `groundwork backup restore ${group}`,
    form,
    yes: true,
    takeOver: invocation.flag('take-over'),
    steps: [stageCopies(deployment, target)],
  });
  if (done !== exit.done) return done;
  tell(restoring, world, [
    '',
    `Laid out on ${backupHost(deployment).name}: ${stagedFolder(deployment, target)}`,
    ...guide(site, deployment, target).filter(line => line !== ''),
  ]);
  return exit.done;
};

export const restore = (world: World, restoring: Restoring, group: BackupGroup): Promise<number> | number => {
  if (!keeps(restoring.deployment, group))
    return complain(world, `${restoring.deployment.name} has no backups of ${group}`, exit.usage);
  return group === 'postgresql' ? restorePostgresql(world, restoring) : restoreCopies(world, restoring, group);
};
