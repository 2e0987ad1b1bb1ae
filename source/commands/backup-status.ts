import {backupHost, backupOf, keeps} from '../../steps/backup/settings.ts';
import {
  archiveScript,
  type BackupStatus,
  type DatabaseBackup,
  type JobStatus,
  readStatus,
  statusScripts,
} from '../../steps/backup/status.ts';
import {clusterPaths} from '../../steps/postgresql/paths.ts';
import {postgresqlVersion} from '../../steps/postgresql/version.ts';
import {hostsPlaying, roles} from '../../steps/shared/deployment.ts';
import {counted} from '../components/text.ts';
import type {Deployment} from '../deployment/schema.ts';
import type {Failure} from '../engine/failure.ts';
import {factsScript, parseFacts} from '../hosts/gather-facts.ts';
import {err, ok, type Result} from '../result.ts';
import type {World} from './command.ts';
import {exit, exitOf} from './exit.ts';
import type {OutputForm} from './inputs.ts';
import {askHost} from './on-host.ts';
import {failureLines, writeJson} from './report.ts';
import type {Site} from './site.ts';

/** Pieces of the journal that wait on the storage host, and how many seconds the oldest has waited. */
type Waiting = {readonly pieces: number; readonly seconds: number};

const waitingArchive = async (site: Site, deployment: Deployment): Promise<Result<Waiting, Failure> | undefined> => {
  const [storage] = hostsPlaying(deployment, roles.storage);
  if (!keeps(deployment, 'postgresql') || !storage) return undefined;
  const asked = await askHost(site, storage, [factsScript]);
  if (!asked.ok) return asked;
  const facts = parseFacts(asked.value.get(0)?.stdout ?? '');
  if (!facts.ok) return err({kind: 'command', host: storage.name, message: facts.error});
  const {data} = clusterPaths(postgresqlVersion(deployment, facts.value));
  const waits = await askHost(site, storage, [archiveScript(data)]);
  if (!waits.ok) return waits;
  const [pieces = 0, seconds = 0] = (waits.value.get(0)?.stdout ?? '').trim().split(' ').map(Number);
  return ok({pieces, seconds});
};

/** Seconds that a piece may wait: the watch on the storage host tells from then on, too. */
const longestWait = 15 * 60;

/** What an operator asks first when the backup host is away: whether anything is lost. */
const meanwhile = ({pieces, seconds}: Waiting, queueGb: number): string =>
  pieces === 0
    ? "Meanwhile no piece of the databases' journal waits on the storage host: nothing is lost."
    : `Meanwhile ${counted(pieces, 'piece')} of the databases' journal ${pieces === 1 ? 'waits' : 'wait'} on the storage host, the oldest for ${Math.round(seconds / 60)} min. Nothing is lost until ${queueGb} GB of it wait.`;

const age = (seconds: number): string => {
  if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86_400)} days ago`;
};

const size = (bytes: number): string =>
  bytes >= 1e9
    ? `${(bytes / 1e9).toFixed(1)} GB`
    : bytes >= 1e6
      ? `${(bytes / 1e6).toFixed(1)} MB`
      : `${Math.ceil(bytes / 1e3)} kB`;

const at = (seconds: number): string => `${new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

const stateWords: Readonly<Record<JobStatus['state'], string>> = {
  ok: 'ok',
  failed: 'FAILED',
  running: 'running',
  never: 'not yet',
  off: 'OFF',
};

const jobLine = ({job, state, lastSuccess, next}: JobStatus, now: number): string => {
  const last = lastSuccess === undefined ? 'never done' : `done ${age(now - lastSuccess)}`;
  return `  ${stateWords[state].padEnd(8)} ${job.padEnd(24)} ${last.padEnd(18)} ${next === undefined ? '' : `next ${at(next)}`}`.trimEnd();
};

const databaseLine = ({label, type, stopped, bytes, error}: DatabaseBackup, now: number): string =>
  `  ${error ? 'DAMAGED ' : ''}${type.padEnd(5)} ${label.padEnd(34)} ${age(now - stopped).padEnd(12)} ${size(bytes)}`;

/** All that is wrong, in words; none when the backups are as they should be. */
const troubles = (
  deployment: Deployment,
  status: BackupStatus,
  waiting: Result<Waiting, Failure> | undefined,
): readonly string[] => [
  ...status.unread.map(what => `${what} cannot be read`),
  ...status.jobs.flatMap(({job, title, state}) => {
    if (state === 'failed') return [`${title} failed: journalctl -u groundwork-backup@${job}`];
    return state === 'off' ? [`${title} is not done by itself: its timer does not run`] : [];
  }),
  ...(status.databases?.backups.length === 0 ? ['there is no backup of the databases'] : []),
  ...(status.databases?.backups ?? []).filter(({error}) => error).map(({label}) => `backup ${label} is damaged`),
  ...(waiting && !waiting.ok ? [`the storage host cannot be asked about its journal: ${waiting.error.message}`] : []),
  ...(waiting?.ok && waiting.value.seconds > longestWait
    ? [
        `${waiting.value.pieces} pieces of the journal wait on the storage host, the oldest for ${Math.round(waiting.value.seconds / 60)} min`,
      ]
    : []),
  ...(status.repository.freeBytes < backupOf(deployment).leastFreeGb * 1e9
    ? [
        `the repository has ${size(status.repository.freeBytes)} left; ${backupOf(deployment).leastFreeGb} GB should be free`,
      ]
    : []),
];

const lines = (
  deployment: Deployment,
  status: BackupStatus,
  waiting: Result<Waiting, Failure> | undefined,
  now: number,
): readonly string[] => {
  const snapshotsOf = (tag: string) => status.snapshots.filter(({tags}) => tags.includes(tag));
  const newest = (tag: string): string => {
    const found = snapshotsOf(tag);
    const last = found.at(-1);
    return last === undefined
      ? `  ${tag}: none`
      : `  ${tag}: ${found.length}, the newest ${last.id} of ${age(now - Date.parse(last.time) / 1000)}`;
  };
  const wrong = troubles(deployment, status, waiting);
  return [
    'Jobs',
    ...status.jobs.map(job => jobLine(job, now)),
    ...(status.databases
      ? [
          `Databases (${status.databases.message})`,
          ...status.databases.backups.slice(-8).map(each => databaseLine(each, now)),
          `  archived to ${status.databases.archivedTo ?? 'nothing yet'}${waiting?.ok ? `; ${waiting.value.pieces} pieces wait` : ''}`,
        ]
      : []),
    'Snapshots',
    ...(['files', 'configurations'] as const).filter(group => keeps(deployment, group)).map(newest),
    ...status.etcd.map(
      ({host, count, newest: last}) =>
        `  etcd of ${host}: ${count === 0 ? 'none' : `${count}, the newest of ${age(now - (last ?? now))}`}`,
    ),
    ...(status.rancher
      ? [
          `  rancher: ${status.rancher.count === 0 ? 'none' : `${status.rancher.count}, the newest of ${age(now - (status.rancher.newest ?? now))}`}`,
        ]
      : []),
    `Repository: ${size(status.repository.usedBytes)} used, ${size(status.repository.freeBytes)} free on ${backupHost(deployment).name}:${backupOf(deployment).path}`,
    ...(status.drill === undefined
      ? ['Drill: none yet (groundwork backup drill)']
      : ['Drill', ...status.drill.split('\n').map(line => `  ${drillLine(line)}`)]),
    ...(wrong.length === 0 ? ['All is well.'] : wrong.map(each => `! ${each}`)),
  ];
};

/** `shop|12|3400` of a report in words. */
export const drillLine = (line: string): string => {
  const [database, tables, rows] = line.split('|');
  return rows === undefined ? line : `${database}: ${tables} tables, ${rows} rows`;
};

/** What is kept, how old it is, and what is wrong; the status says whether something is. */
export const backupStatus = async (
  world: World,
  site: Site,
  deployment: Deployment,
  form: OutputForm,
): Promise<number> => {
  const [asked, waiting] = await Promise.all([
    askHost(site, backupHost(deployment), statusScripts(deployment)),
    waitingArchive(site, deployment),
  ]);
  if (!asked.ok) {
    const waits = waiting?.ok ? waiting.value : undefined;
    if (form === 'jsonl') {
      const problem = asked.error;
      writeJson(world, {type: 'backup-status', name: deployment.name, problem, ...(waits && {waiting: waits})});
    } else {
      const told = waits ? [meanwhile(waits, backupOf(deployment).archiveQueueGb)] : [];
      world.stderr.write(`${[...failureLines(asked.error), ...told].join('\n')}\n`);
    }
    return exitOf(asked.error);
  }
  const status = readStatus(deployment, asked.value);
  const wrong = troubles(deployment, status, waiting);
  if (form === 'jsonl') {
    writeJson(world, {
      type: 'backup-status',
      name: deployment.name,
      healthy: wrong.length === 0,
      problems: wrong,
      ...status,
      ...(waiting?.ok && {waiting: waiting.value}),
    });
  } else {
    for (const line of lines(deployment, status, waiting, Date.now() / 1000)) world.stdout.write(`${line}\n`);
  }
  return wrong.length === 0 ? exit.done : exit.failed;
};
