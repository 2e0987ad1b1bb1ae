import {z} from 'zod';
import type {Deployment} from '../../source/deployment/schema.ts';
import type {PartOutput} from '../../source/shell/frame.ts';
import {nothing, type Script, sh} from '../../source/shell/script.ts';
import {hostsPlaying, roles} from '../shared/deployment.ts';
import {resticEnvironment} from './jobs.ts';
import {etcdFolder, filesMirror, repositoryUser, statusFolder} from './paths.ts';
import {pgbackrestAs} from './pgbackrest.ts';
import {rancherFolder} from './rancher-objects.ts';
import {backupOf, type JobId, jobsOf, keeps} from './settings.ts';

/** Times are seconds since 1970, sizes bytes. */
export type JobStatus = {
  readonly job: JobId;
  readonly title: string;
  readonly state: 'ok' | 'failed' | 'running' | 'never' | 'off';
  readonly ended: number | undefined;
  readonly lastSuccess: number | undefined;
  readonly next: number | undefined;
};

export type Snapshot = {readonly id: string; readonly time: string; readonly tags: readonly string[]};

export type DatabaseBackup = {
  readonly label: string;
  readonly type: string;
  readonly stopped: number;
  readonly bytes: number;
  readonly error: boolean;
};

export type BackupStatus = {
  readonly jobs: readonly JobStatus[];
  readonly databases:
    | {readonly backups: readonly DatabaseBackup[]; readonly message: string; readonly archivedTo: string | undefined}
    | undefined;
  readonly snapshots: readonly Snapshot[];
  /** By host: how many copies of the cluster’s state, and when the newest was made. */
  readonly etcd: readonly {readonly host: string; readonly count: number; readonly newest: number | undefined}[];
  readonly rancher: {readonly count: number; readonly newest: number | undefined} | undefined;
  readonly repository: {readonly usedBytes: number; readonly freeBytes: number};
  readonly drill: string | undefined;
  /** What could not be read, in words. */
  readonly unread: readonly string[];
};

const newestIn = (folder: string, pattern: string): Script =>
  sh`find ${folder} -type f -name ${pattern} -printf '%T@\n' 2>/dev/null | sort -n | awk 'END {print NR, int($1)}'`;

/** What is asked on the backup host, each by itself; the answers come in the same order. */
const questions = (deployment: Deployment) =>
  ({
    jobs: {
      kind: 'text',
      script: sh`now=$(date +%s)
for job in ${jobsOf(deployment).map(({id}) => id)}; do
  echo "job $job"
  cat ${statusFolder(deployment)}/"$job" 2>/dev/null
  echo "service $(systemctl show --property=ActiveState --value "groundwork-backup@$job.service")"
  LC_ALL=C systemctl show --property=ActiveState,NextElapseUSecRealtime "groundwork-backup-$job.timer" | while IFS= read -r line; do
    case $line in
      ActiveState=*) echo "timer $(cut -d = -f 2 <<<"$line")" ;;
      NextElapseUSecRealtime=?*) echo "next $(date -d "$(cut -d = -f 2- <<<"$line")" +%s)" ;;
    esac
  done
done`,
    },
    databases: {
      kind: 'json',
      script: keeps(deployment, 'postgresql')
        ? pgbackrestAs(repositoryUser, deployment, '--output=json', '--log-level-console=off', 'info')
        : nothing,
    },
    snapshots: {
      kind: 'json',
      script: sh`${resticEnvironment(deployment)}
timeout 60 restic snapshots --json --no-lock`,
    },
    etcd: {
      kind: 'text',
      script: keeps(deployment, 'etcd')
        ? sh`for host in ${hostsPlaying(deployment, roles.compute).map(({name}) => name)}; do
  printf '%s ' "$host"
  find ${etcdFolder(deployment)}/"$host" -type f -printf '%T@\n' 2>/dev/null | sort -n | awk 'END {print NR, int($1)}'
done`
        : nothing,
    },
    rancher: {
      kind: 'text',
      script: keeps(deployment, 'rancher')
        ? newestIn(`${filesMirror(deployment)}/${rancherFolder}`, '*.tar.gz*')
        : nothing,
    },
    repository: {
      kind: 'text',
      script: sh`df --output=used,avail -B1 ${backupOf(deployment).path} | tail -n 1`,
    },
    drill: {kind: 'text', script: sh`cat ${`${statusFolder(deployment)}/drill-report`} 2>/dev/null || :`},
  }) as const satisfies Record<string, {readonly kind: 'text' | 'json'; readonly script: Script}>;

export const statusScripts = (deployment: Deployment): readonly Script[] =>
  Object.values(questions(deployment)).map(({script}) => script);

const infoShape = z.array(
  z.object({
    archive: z.array(z.object({max: z.string().nullish()})).default([]),
    backup: z
      .array(
        z.object({
          label: z.string(),
          type: z.string(),
          error: z.boolean().nullish(),
          timestamp: z.object({stop: z.number()}),
          info: z.object({repository: z.object({delta: z.number().nullish(), size: z.number().nullish()})}),
        }),
      )
      .default([]),
    status: z.object({message: z.string()}),
  }),
);

const snapshotsShape = z
  .array(
    z.object({
      short_id: z.string().optional(),
      id: z.string(),
      time: z.string(),
      tags: z.array(z.string()).nullish(),
    }),
  )
  .nullable();

const numberIn = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d+$/.test(text) && text !== '0' ? Number(text) : undefined;

const jobsIn = (deployment: Deployment, text: string): readonly JobStatus[] => {
  const blocks = new Map(text.split(/^job /m).map(block => [block.split('\n', 1)[0] ?? '', block]));
  return jobsOf(deployment).map(({id, title}) => {
    const block = blocks.get(id) ?? '';
    const value = (pattern: RegExp) => pattern.exec(block)?.[1];
    const result = value(/^result=(\S+)$/m);
    const running = /^service (activating|active|reloading)$/m.test(block);
    const off = value(/^timer (\S+)$/m) !== 'active';
    const state = running
      ? 'running'
      : off
        ? 'off'
        : result === undefined
          ? 'never'
          : result === 'success'
            ? 'ok'
            : 'failed';
    return {
      job: id,
      title,
      state,
      ended: numberIn(value(/^ended=(\d+)$/m)),
      lastSuccess: numberIn(value(/^last_success=(\d+)$/m)),
      next: numberIn(value(/^next (\d+)$/m)),
    };
  });
};

const countAndNewest = (text: string): {readonly count: number; readonly newest: number | undefined} => {
  const [count = '', newest] = text.trim().split(/\s+/);
  return {count: Number(count) || 0, newest: numberIn(newest)};
};

const parsed = <T>(shape: z.ZodType<T>, text: string): T | undefined => {
  try {
    const result = shape.safeParse(JSON.parse(text));
    return result.success ? result.data : undefined;
  } catch {
    return undefined;
  }
};

/** What the backup host answered to `statusScripts`, by their places. What it did not answer is named. */
export const readStatus = (deployment: Deployment, parts: ReadonlyMap<number, PartOutput>): BackupStatus => {
  const names = Object.keys(questions(deployment)) as (keyof ReturnType<typeof questions>)[];
  const outputs = new Map(names.map((name, index) => [name, parts.get(index)]));
  const text = (name: (typeof names)[number]): string => outputs.get(name)?.stdout ?? '';
  const info = keeps(deployment, 'postgresql') ? parsed(infoShape, text('databases')) : undefined;
  const snapshots = parsed(snapshotsShape, text('snapshots'));
  const [stanza] = info ?? [];
  const [used = '0', free = '0'] = text('repository').trim().split(/\s+/);
  return {
    jobs: jobsIn(deployment, text('jobs')),
    databases: stanza && {
      message: stanza.status.message,
      archivedTo: stanza.archive.at(-1)?.max ?? undefined,
      backups: stanza.backup.map(({label, type, error, timestamp, info: {repository}}) => ({
        label,
        type,
        stopped: timestamp.stop,
        bytes: repository.delta ?? repository.size ?? 0,
        error: error === true,
      })),
    },
    snapshots: (snapshots ?? []).map(({short_id, id, time, tags}) => ({
      id: short_id ?? id.slice(0, 8),
      time,
      tags: tags ?? [],
    })),
    etcd: text('etcd')
      .split('\n')
      .filter(line => line.trim() !== '')
      .map(line => {
        const [host = '', ...rest] = line.split(' ');
        return {host, ...countAndNewest(rest.join(' '))};
      }),
    rancher: keeps(deployment, 'rancher') ? countAndNewest(text('rancher')) : undefined,
    repository: {usedBytes: Number(used) || 0, freeBytes: Number(free) || 0},
    drill: text('drill').trim() || undefined,
    unread: [
      ...(keeps(deployment, 'postgresql') && !stanza ? ['the backups of the databases'] : []),
      ...(snapshots === undefined ? ['the repository of files and configurations'] : []),
    ],
  };
};

/** On the storage host: pieces of the journal that wait to be archived, and the seconds that the oldest has waited. */
export const archiveScript = (data: string): Script =>
  sh`find ${`${data}/pg_wal/archive_status`} -name '*.ready' -printf '%T@\n' 2>/dev/null | sort -n | awk -v now="$(date +%s)" 'NR == 1 {first = $1} END {print NR, (NR ? int(now - first) : 0)}'`;
