import {acceptDatabase, acceptMachine} from '../../steps/backup/accept.ts';
import {machinesPath, statusFolder} from '../../steps/backup/paths.ts';
import {runJob, runRancher} from '../../steps/backup/run-job.ts';
import {backupHost, hasBackup, type JobId, jobsOf, keeps} from '../../steps/backup/settings.ts';
import {type BackupGroup, backupGroups, type Deployment} from '../deployment/schema.ts';
import type {Step} from '../engine/step.ts';
import {sh} from '../shell/script.ts';
import {type Restoring, restore} from './backup-restore.ts';
import {backupStatus, drillLine} from './backup-status.ts';
import {carryOut} from './carry-out.ts';
import type {Command, World} from './command.ts';
import {exit, exitOf} from './exit.ts';
import {deploymentOptions, load, outputForm, outputOptions} from './inputs.ts';
import {askHost} from './on-host.ts';
import {askLine, canAsk} from './prompt.ts';
import {complain, failureLines, writeJson} from './report.ts';

const verbs = ['status', 'run', 'verify', 'drill', 'restore', 'accept'] as const;

const carry = (
  world: World,
  {site, deployment, form, invocation}: Restoring,
  command: string,
  steps: readonly Step[],
) =>
  carryOut(world, site, deployment, {
    command: `groundwork backup ${command}`,
    form,
    yes: true,
    takeOver: invocation.flag('take-over'),
    steps,
  });

/** The jobs that a group stands for when it is done now. */
const jobsFor = (deployment: Deployment, group: BackupGroup, full: boolean): readonly JobId[] => {
  if (group === 'postgresql') return [full ? 'postgresql-full' : 'postgresql-differential'];
  return group === 'rancher' ? (keeps(deployment, 'files') ? ['files'] : []) : [group];
};

/** One group or all, in the order of the night. A group that fails keeps none of the others from being done. */
const run = async (world: World, backing: Restoring, named: string | undefined): Promise<number> => {
  const {deployment, invocation} = backing;
  const group = backupGroups.find(each => each === named);
  if (named !== undefined && named !== 'all' && !group)
    return complain(world, `there is no group "${named}"; there are ${backupGroups.join(', ')}, and all`, exit.usage);
  if (group && !keeps(deployment, group))
    return complain(world, `${deployment.name} has no backups of ${group}`, exit.usage);
  const groups = backupGroups.filter(each => keeps(deployment, each) && (group === undefined || each === group));
  const jobs = new Set([
    ...groups.flatMap(each => jobsFor(deployment, each, invocation.flag('full'))),
    ...(group === undefined && jobsOf(deployment).some(({id}) => id === 'offsite') ? (['offsite'] as const) : []),
  ]);
  let worst: number = exit.done;
  // By itself and first: its copy must lie on the share when the files are fetched.
  const rounds: readonly (readonly Step[])[] = [
    ...(groups.includes('rancher') ? [[runRancher()]] : []),
    ...(jobs.size > 0 ? [[...jobs].map(job => runJob(deployment, job))] : []),
  ];
  for (const steps of rounds) {
    const done = await carry(world, backing, `run ${named ?? 'all'}`, steps);
    if (done === exit.stopped || done === exit.locked) return done;
    if (done !== exit.done) worst = done;
  }
  return worst;
};

const drill = async (world: World, backing: Restoring): Promise<number> => {
  const {site, deployment, form} = backing;
  if (!keeps(deployment, 'postgresql'))
    return complain(world, `${deployment.name} has no databases to restore`, exit.usage);
  const done = await carry(world, backing, 'drill', [runJob(deployment, 'drill')]);
  if (done !== exit.done) return done;
  const asked = await askHost(site, backupHost(deployment), [sh`cat ${`${statusFolder(deployment)}/drill-report`}`]);
  if (!asked.ok) return exitOf(asked.error);
  const report = (asked.value.get(0)?.stdout ?? '').trim().split('\n');
  if (form === 'jsonl') writeJson(world, {type: 'backup-drill', report});
  else
    world.stdout.write(
      `\nRestored into a throw-away database, counted, and taken away:\n${report.map(line => `  ${drillLine(line)}\n`).join('')}`,
    );
  return exit.done;
};

/** Another machine or database in the place of the one that the backups are of: asked about, never assumed. */
const accept = async (world: World, backing: Restoring, what: string | undefined): Promise<number> => {
  const {site, deployment, invocation} = backing;
  const host = deployment.hosts.find(({name}) => name === what && name !== backupHost(deployment).name);
  if (what !== 'database' && !host)
    return complain(world, 'say `database`, or the name of a host that is copied', exit.usage);
  const [machine, before] = host
    ? await Promise.all([
        askHost(site, host, [sh`cat /etc/machine-id`]),
        askHost(site, backupHost(deployment), [sh`sed -n ${`s/^${host.name} //p`} ${machinesPath}`]),
      ])
    : [];
  if (machine && !machine.ok) {
    world.stderr.write(`${failureLines(machine.error).join('\n')}\n`);
    return exitOf(machine.error);
  }
  const now = machine?.value.get(0)?.stdout.trim() ?? '';
  const was = before?.ok ? before.value.get(0)?.stdout.trim() : undefined;
  if (host && !/^[0-9a-f]{32}$/.test(now)) return complain(world, `${host.name} has no machine id`, exit.failed);
  (backing.form === 'jsonl' ? world.stderr : world.stdout).write(
    host
      ? `${host.name}: the backups are of machine ${was || 'none yet'}; now it is machine ${now}.\nIts copies go on with this one; those of the old one stay.\n`
      : 'Backups go on with the database that runs now; those of the old one stay until retention gives them up.\nTo have the old data back instead: groundwork backup restore postgresql\n',
  );
  const confirmed =
    invocation.text('confirm') ?? (canAsk(world) ? await askLine(world, `Type ${what} to accept it: `) : '');
  if (confirmed?.trim() !== what)
    return complain(
      world,
      `it was not typed, so nothing was changed${canAsk(world) ? '' : `; say --confirm ${what}`}`,
      exit.stopped,
    );
  return carry(world, backing, `accept ${what}`, host ? [acceptMachine(host.name, now)] : acceptDatabase(deployment));
};

export const backup: Command = {
  name: 'backup',
  summary: 'what is backed up and how old it is; back up, prove, restore',
  description: [
    'status reads it from the hosts. run does the groups now, through the same jobs as the timers. verify reads the',
    'copies and their checksums. drill restores the databases into a throw-away server and counts the rows. restore',
    'lays a copy out beside what runs, says what would be lost, and replaces it only when the name is typed. accept',
    'takes another machine, or another database, for the one that the backups are of.',
  ],
  words: ['VERB', '[GROUP]'],
  options: {
    ...deploymentOptions,
    ...outputOptions,
    full: {type: 'boolean', help: 'with run: a full backup of the databases'},
    time: {
      type: 'string',
      value: 'MOMENT',
      help: 'with restore: as it was then, with a time zone: 2026-11-27T03:00:00Z; without it, the end of the archive',
    },
    part: {type: 'string', value: 'NAME', help: 'with restore: one folder of the share, or one host’s configuration'},
    'stage-only': {type: 'boolean', help: 'with restore: lay the copy out, and replace nothing'},
    staged: {type: 'string', value: 'COPY', help: 'with restore: go on with a copy that was laid out before'},
    confirm: {type: 'string', value: 'NAME', help: 'with restore and accept, where nobody can type: the name'},
    'take-over': {type: 'boolean', help: 'go on although another Groundwork holds the lock of this deployment'},
  },
  examples: [
    'groundwork backup status',
    'groundwork backup run postgresql --full',
    'groundwork backup drill',
    'groundwork backup restore postgresql --time 2026-11-27T03:00Z',
  ],
  run: async (invocation, world) => {
    const [wanted, word] = invocation.positionals;
    const verb = verbs.find(each => each === wanted);
    if (!verb) return complain(world, `say ${verbs.join(', ')}, not "${wanted}"`, exit.usage);
    const form = outputForm(invocation);
    if (!form.ok) return complain(world, form.error, exit.usage);
    const loaded = await load(invocation, world);
    if (!loaded.ok) return complain(world, loaded.error, exit.usage);
    const {site, deployment} = loaded.value;
    if (!hasBackup(deployment))
      return complain(world, `${deployment.name} has no backups (components.backup)`, exit.usage);
    const backing: Restoring = {site, deployment, form: form.value, invocation};
    if (word !== undefined && (verb === 'status' || verb === 'verify' || verb === 'drill'))
      return complain(world, `"${word}" is one word too many`, exit.usage);
    switch (verb) {
      case 'status':
        return backupStatus(world, site, deployment, form.value);
      case 'run':
        return run(world, backing, word);
      case 'verify':
        return carry(world, backing, 'verify', [runJob(deployment, 'verify')]);
      case 'drill':
        return drill(world, backing);
      case 'accept':
        return accept(world, backing, word);
      case 'restore': {
        const group = backupGroups.find(each => each === word);
        return group
          ? restore(world, backing, group)
          : complain(world, `say what to restore: ${backupGroups.join(', ')}`, exit.usage);
      }
    }
  },
};
