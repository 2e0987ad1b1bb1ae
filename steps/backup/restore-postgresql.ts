import type {Deployment} from '../../source/deployment/schema.ts';
import {type Step, step} from '../../source/engine/step.ts';
import {command} from '../../source/resources/command.ts';
import {waitFor} from '../../source/resources/wait-for.ts';
import {lines, type Script, sh} from '../../source/shell/script.ts';
import {clusterPaths, clusterUnit} from '../postgresql/paths.ts';
import {asSuperuser} from '../postgresql/sql.ts';
import {postgresqlVersion} from '../postgresql/version.ts';
import {prints} from '../shared/checks.ts';
import {roles} from '../shared/deployment.ts';
import {throwawayDatabase} from './drill-job.ts';
import {machinesProduct, rememberedMachines, sameMachine} from './machine.ts';
import {backupRemedies} from './remedies.ts';
import {stanzaOf} from './settings.ts';

/** What is restored: the end of the archive, or a moment of it. */
export type Target = {
  /** UTC, as PostgreSQL reads it: `2026-11-27 03:00:00+00`. Undefined: all that was archived. */
  readonly time: string | undefined;
  /** Names the staged copy: digits of the moment at which the restore began. */
  readonly stamp: string;
};

/** Longest replay of an archive. */
const longestMs = 24 * 3_600_000;

/** Beside the data and on the same disk, so that the copy can take its place by a rename. */
export const stagedPath = (version: number, {stamp}: Target): string => {
  const {data} = clusterPaths(version);
  return `${data.slice(0, data.lastIndexOf('/'))}/restore-${stamp}`;
};

/** What was there before, kept until somebody deletes it. */
export const keptPath = (version: number, {stamp}: Target): string => `${clusterPaths(version).data}.before-${stamp}`;

export const reportPath = (version: number, target: Target): string => `${stagedPath(version, target)}/report`;

/** Reads on the backup host which machine the copies are of, before anything is brought to another. */
export const rememberedFirst = step({
  id: 'restore-remembered',
  title: 'Which machine the backups are of',
  why: 'A restore goes to the machine that was backed up, or to one that somebody has accepted in its place.',
  role: roles.backup,
  after: [],
  estimate: 2,
  provides: [machinesProduct],
  resources: () => [rememberedMachines],
  verify: () => [],
  remedies: backupRemedies,
});

/**
 * `standby` and `pause` keep the copy as it was: it is read and not written to, and becomes a database of its own only when
 * it takes the other’s place. Never \`immediate\`, which gives up all that was archived after the backup.
 */
const recoveryOf = ({time}: Target): readonly string[] =>
  time === undefined ? ['--type=standby'] : ['--type=time', `--target=${time}`, '--target-action=pause'];

/** The copy from the repository. Complete when pg_control is there, which pgBackRest writes last. */
const copy = (deployment: Deployment, version: number, target: Target) => {
  const place = stagedPath(version, target);
  const {data} = clusterPaths(version);
  return command({
    id: 'copy of the databases from the repository',
    doing: 'fetching the databases from the repository',
    unless: sh`[ -f ${`${place}/data/global/pg_control`} ]`,
    script: sh`set -e
# The folder of the data may be gone with it, or be a disk of its own, which cannot be renamed.
if mountpoint -q ${data}; then
  echo ${`${data} is a disk of its own: the copy could not take its place by a rename. Mount the disk at ${data.slice(0, data.lastIndexOf('/'))} instead.`} >&2
  exit 1
fi
install -d -m 700 -o postgres -g postgres ${place}
rm -rf ${`${place}/data`}
runuser -u postgres -- pgbackrest ${`--stanza=${stanzaOf(deployment)}`} ${`--pg1-path=${place}/data`} ${`--tablespace-map-all=${place}/tablespaces`} ${recoveryOf(target)} restore`,
    change: target.time === undefined ? 'fetch the newest backup' : `fetch the last backup before ${target.time}`,
    options: {detached: true, timeoutMs: longestMs},
  });
};

/** The first byte of a piece of the journal by its name, as a position: `0/5000000`. */
const positionOf = sh`position() { printf '%X/%X' "$((16#$(cut -c 9-16 <<<"$1")))" "$((16#$(cut -c 17-24 <<<"$1") * 16777216))"; }`;

/** Until nothing more comes: the last archived piece has been begun, and two looks find the same place. */
const untilEnd = (deployment: Deployment): Script =>
  lines(
    positionOf,
    sh`last=$(pgbackrest ${`--stanza=${stanzaOf(deployment)}`} --output=json info | grep -o '"max":"[0-9A-F]*"' | tail -n 1 | cut -d '"' -f 4)
[ -n "$last" ] || { echo 'the archive is empty' >&2; exit 1; }
before=
while :; do
  now=$(sql postgres 'SELECT pg_last_wal_replay_lsn()')
  reached=$(sql postgres "SELECT pg_last_wal_replay_lsn() >= '$(position "$last")'::pg_lsn")
  [ "$now" != "$before" ] || [ "$reached" != t ] || break
  [ "$now" = "$before" ] || echo "replayed to $now"
  before=$now
  sleep 3
done`,
  );

/** Until the moment is reached, where PostgreSQL waits. If the archive ends before, it ends, and its log says so. */
const untilMoment = sh`while :; do
  if state=$(sql postgres "SELECT CASE WHEN pg_is_in_recovery() THEN pg_get_wal_replay_pause_state() ELSE 'ended' END"); then
    [ "$state" != paused ] || break
  elif ! "$bin/pg_ctl" -D "$data" status >/dev/null; then
    tail -n 20 "$place/log" >&2
    echo 'the moment lies after the end of the archive, or before the first backup' >&2
    exit 1
  fi
  sleep 1
done`;

/** Replays the archive in a server of its own that only reads, and counts what is there. */
const replay = (deployment: Deployment, version: number, target: Target) => {
  const place = stagedPath(version, target);
  const asPostgres = lines(
    sh`set -euo pipefail
umask 077`,
    throwawayDatabase,
    sh`place=${place} data=${`${place}/data`} bin=${clusterPaths(version).programs}
! "$bin/pg_ctl" -D "$data" status >/dev/null || end_throwaway
trap 'end_throwaway 2>/dev/null || :' EXIT
throwaway "$data" "$place" "$bin"`,
    target.time === undefined ? untilEnd(deployment) : untilMoment,
    sh`{
  echo "last change: $(sql postgres "SELECT coalesce(to_char(pg_last_xact_replay_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'), 'before the backup')") UTC"
  count_all
} >"$place/report.new"
end_throwaway
trap - EXIT
mv -fT "$place/report.new" ${reportPath(version, target)}`,
  );
  return command({
    id: 'archive replayed',
    doing: 'replaying the archive into the copy',
    unless: sh`[ -f ${reportPath(version, target)} ]`,
    script: sh`cd / && runuser -u postgres -- bash -c ${asPostgres.text}`,
    change: target.time === undefined ? 'replay the archive to its end' : `replay the archive to ${target.time}`,
    options: {detached: true, timeoutMs: longestMs},
  });
};

/** A copy beside the database, brought to the moment that is wanted, and counted. The database itself is not touched. */
export const stagePostgresql = (deployment: Deployment, target: Target): Step =>
  step({
    id: 'restore-stage',
    title: 'Staged copy of the databases',
    why: 'Brings the databases back beside the ones that run, so that one can see what is in them before anything is replaced.',
    role: roles.storage,
    after: [rememberedFirst],
    estimate: 120,
    needs: [machinesProduct],
    resources: context => {
      const version = postgresqlVersion(deployment, context.facts);
      return [sameMachine(context), copy(deployment, version, target), replay(deployment, version, target)];
    },
    verify: () => [],
    remedies: backupRemedies,
  });

/**
 * The copy takes the place of the database. What was there is moved aside and stays. Each move is done only when the one
 * before it is, so that a cut between two of them is made good by the next attempt.
 */
const exchange = (version: number, target: Target) => {
  const {data} = clusterPaths(version);
  const place = stagedPath(version, target);
  const staged = `${place}/data`;
  const kept = keptPath(version, target);
  return command({
    id: 'the copy in its place',
    doing: 'putting the copy in the place of the database',
    unless: sh`[ ! -e ${staged} ] && [ -f ${`${data}/PG_VERSION`} ]`,
    script: sh`set -e
[ -f ${`${staged}/PG_VERSION`} ] || { echo 'the staged copy is gone' >&2; exit 1; }
systemctl stop ${clusterUnit(version)}
if [ -e ${data} ] && [ ! -e ${kept} ]; then mv -T ${data} ${kept}; fi
[ ! -e ${data} ] || { echo ${`${data} is in the way, and ${kept} is there already`} >&2; exit 1; }
rm -f ${`${staged}/standby.signal`}
install -m 600 -o postgres -g postgres /dev/null ${`${staged}/recovery.signal`}
sed -i -e ${`s|${staged}|${data}|g`} -e '/^recovery_target_action *=/d' ${`${staged}/postgresql.auto.conf`}
# Where it stops at a moment it goes on from there; where it ends with the archive this means nothing.
echo "recovery_target_action = 'promote'" >>${`${staged}/postgresql.auto.conf`}
chown postgres:postgres ${`${staged}/postgresql.auto.conf`}
mv -T ${staged} ${data}
sync -f ${data}`,
    change: `stop the database, keep what is there as ${kept}, put the copy in its place`,
    options: {timeoutMs: 600_000},
  });
};

export const cutOverPostgresql = (deployment: Deployment, target: Target): Step =>
  step({
    id: 'restore-cutover',
    title: 'The databases as restored',
    why: 'Puts the copy in the place of the databases, and keeps what was there.',
    role: roles.storage,
    after: [],
    estimate: 60,
    resources: ({facts}) => {
      const version = postgresqlVersion(deployment, facts);
      const {programs} = clusterPaths(version);
      return [
        exchange(version, target),
        command({
          id: 'database server runs',
          doing: 'starting the database server',
          unless: sh`systemctl is-active --quiet ${clusterUnit(version)}`,
          script: sh`systemctl reset-failed ${clusterUnit(version)} 2>/dev/null
systemctl start ${clusterUnit(version)} || { journalctl --unit=${clusterUnit(version)} --lines=20 --no-pager --output=cat >&2; exit 1; }`,
          change: 'start the database server',
          options: {timeoutMs: 600_000},
        }),
        waitFor({
          id: 'databases are theirs again',
          doing: 'waiting until the databases take changes',
          until: sh`${`${programs}/pg_isready`} --quiet && [ "$(${asSuperuser(version, 'SELECT pg_is_in_recovery();')})" = f ]`,
          timeoutSeconds: longestMs / 1000,
          what: 'the database server to have replayed the archive and to take changes',
        }),
      ];
    },
    verify: ({facts}) => [
      prints(
        {
          id: 'takes-changes',
          title: 'the databases take changes',
          script: asSuperuser(postgresqlVersion(deployment, facts), 'SELECT pg_is_in_recovery();'),
        },
        'f',
      ),
    ],
    remedies: backupRemedies,
  });
