import type {Deployment} from '../../source/deployment/schema.ts';
import {lines, nothing, type Script, sh} from '../../source/shell/script.ts';
import {hostsPlaying, roles} from '../shared/deployment.ts';
import {checkJob} from './check-job.ts';
import {drillJob} from './drill-job.ts';
import {program} from './host-programs.ts';
import type {FetchKey} from './keys.ts';
import {offsiteEnvironment} from './offsite.ts';
import {
  configurationsFolder,
  etcdFolder,
  filesMirror,
  keyPath,
  postgresqlRepository,
  programPath,
  repositoryUser,
  resticPassphrasePath,
  resticRepository,
  sshSettingsPath,
} from './paths.ts';
import {backupHost, backupOf, type JobId, keeps, sourceHosts, stanzaOf} from './settings.ts';

/** Shell of a job: it ends at the first thing that goes wrong, and its status is the job’s. */
const strict = sh`set -euo pipefail
umask 077`;

const sshWith = (key: FetchKey): string => `ssh -F ${sshSettingsPath} -i ${keyPath(key)}`;

/** The passphrase is in a file that root alone can read; environment and arguments hold only where it is. */
export const resticEnvironment = (
  deployment: Deployment,
): Script => sh`export RESTIC_REPOSITORY=${resticRepository(deployment)}
export RESTIC_PASSWORD_FILE=${resticPassphrasePath}
export RESTIC_CACHE_DIR=/var/cache/groundwork-backup RESTIC_PROGRESS_FPS=0.02`;

const pgbackrest = (deployment: Deployment, ...words: readonly string[]): Script =>
  sh`runuser -u ${repositoryUser} -- pgbackrest ${`--stanza=${stanzaOf(deployment)}`} ${words}`;

/** Gives up what is older than the deployment keeps, and the room that it took. */
const forget = (deployment: Deployment, tag: string, prune = true): Script => {
  const {daily, weekly, monthly} = backupOf(deployment).retention;
  return sh`restic forget --quiet --tag ${tag} --group-by tags --keep-daily ${daily} --keep-weekly ${weekly} --keep-monthly ${monthly} ${prune ? ['--prune'] : []}`;
};

/**
 * The state of the share of now, and a snapshot of it. A share that is empty and was not before is a disk that is not
 * mounted, or another machine: it is not taken for a state. 24: files went away while they were read, which they may.
 */
const files = (deployment: Deployment): Script => {
  const [storage] = hostsPlaying(deployment, roles.storage);
  const mirror = filesMirror(deployment);
  return lines(
    sh`rsync="rsync -rlptgoDHAXS --numeric-ids"
from=${`${storage?.name}:/`} mirror=${mirror} shell=${sshWith('files')}
mkdir -p "$mirror"
if [ -n "$(ls -A "$mirror")" ] && [ "$(rsync --list-only -e "$shell" "$from" | grep -vc ' \.$')" = 0 ]; then
  echo 'the share is empty, and was not when it was copied last: is its disk mounted?' >&2
  exit 1
fi
$rsync --delete -e "$shell" "$from" "$mirror/" || [ "$?" = 24 ]`,
    resticEnvironment(deployment),
    sh`restic backup --quiet --host ${storage?.name ?? ''} --tag files "$mirror"`,
    forget(deployment, 'files'),
  );
};

/** One archive for each host. A host that does not answer does not keep the others from being copied, and fails the job. */
const configurations = (deployment: Deployment): Script => {
  const folder = configurationsFolder(deployment);
  return lines(
    sh`folder=${folder} failed=
mkdir -p "$folder"
take() {
  local name=$1
  shift
  if "$@" >"$folder/$name.tar.new" && tar --list --file="$folder/$name.tar.new" >/dev/null; then
    mv -fT "$folder/$name.tar.new" "$folder/$name.tar"
  else
    rm -f "$folder/$name.tar.new"
    echo "the configuration of $name could not be copied" >&2
    failed=yes
  fi
}
take ${backupHost(deployment).name} ${programPath('give-configurations')}`,
    ...sourceHosts(deployment).map(
      ({name}) => sh`take ${name} ssh -n -F ${sshSettingsPath} -i ${keyPath('configurations')} ${name} configurations`,
    ),
    resticEnvironment(deployment),
    sh`restic backup --quiet --host ${backupHost(deployment).name} --tag configurations "$folder"`,
    forget(deployment, 'configurations'),
    sh`[ -z "$failed" ]`,
  );
};

/** Copies of the state of every server. Those that somebody made on purpose (`on-demand-…`) are never taken away. */
const etcd = (deployment: Deployment): Script =>
  lines(
    sh`failed=`,
    ...hostsPlaying(deployment, roles.compute).map(({name}) => {
      const folder = `${etcdFolder(deployment)}/${name}`;
      return sh`mkdir -p ${folder}
if rsync -rtp --ignore-existing -e ${sshWith('etcd')} ${`${name}:/`} ${`${folder}/`}; then
  if [ -z "$(ls -A ${folder})" ]; then
    echo ${`${name} has no copy of the cluster’s state yet`} >&2
    failed=yes
  fi
  find ${folder} -maxdepth 1 -name 'etcd-snapshot-*' -printf '%T@ %p\n' | sort -rn | tail -n ${`+${backupOf(deployment).retention.etcd + 1}`} | cut -d ' ' -f 2- | xargs -r -d '\n' rm -f --
else
  echo ${`the copies of ${name} could not be fetched`} >&2
  failed=yes
fi`;
    }),
    sh`[ -z "$failed" ]`,
  );

/**
 * Proves that what lies there can be read: checksums of the databases’ backups and their archive, a twentieth of restic’s
 * data each time, and the newest copy of each server’s state, which ends with its own SHA-256.
 */
const verify = (deployment: Deployment): Script =>
  lines(
    sh`failed=
try() {
  echo "== $1"
  shift
  "$@" || failed=yes
}`,
    ...(keeps(deployment, 'postgresql')
      ? [sh`try 'backups of the databases' ${pgbackrest(deployment, 'verify')}`]
      : []),
    resticEnvironment(deployment),
    sh`try 'files and configurations' restic check --quiet --read-data-subset=5%`,
    ...(keeps(deployment, 'etcd')
      ? [
          sh`whole() {
  local newest
  newest=$(find "$1" -maxdepth 1 -type f ! -name '*.zip' -printf '%T@ %p\n' | sort -rn | head -n 1 | cut -d ' ' -f 2-)
  [ -n "$newest" ] || return 0
  [ "$(head -c -32 "$newest" | sha256sum | cut -d ' ' -f 1)" = "$(tail -c 32 "$newest" | od -An -tx1 | tr -d ' \n')" ] || { echo "$newest is damaged" >&2; return 1; }
}`,
          ...hostsPlaying(deployment, roles.compute).map(
            ({name}) => sh`try ${`state of the cluster, from ${name}`} whole ${`${etcdFolder(deployment)}/${name}`}`,
          ),
        ]
      : []),
    ...(backupOf(deployment).offsite
      ? [offsiteEnvironment(deployment), sh`try 'the other site' restic check --quiet --read-data-subset=1%`]
      : []),
    sh`[ -z "$failed" ]`,
  );

/**
 * All of it at the other site, as snapshots of a restic repository with a passphrase of its own. The databases go as
 * pgBackRest’s repository, encrypted as it is: nothing is written to it meanwhile but the archive, since one job runs at a
 * time. So a lost line to the other site never keeps the database’s journal waiting, which a second repository of
 * pgBackRest would.
 */
const offsite = (deployment: Deployment): Script => {
  const {offsite: other} = backupOf(deployment);
  const folders = [
    ...(keeps(deployment, 'postgresql') ? [postgresqlRepository(deployment)] : []),
    ...(keeps(deployment, 'etcd') ? [etcdFolder(deployment)] : []),
  ];
  return lines(
    offsiteEnvironment(deployment),
    sh`restic cat config >/dev/null 2>&1 || restic init --from-repo ${resticRepository(deployment)} --from-password-file ${resticPassphrasePath} --copy-chunker-params
restic copy --quiet --from-repo ${resticRepository(deployment)} --from-password-file ${resticPassphrasePath}`,
    folders.length > 0
      ? sh`restic backup --quiet --host ${backupHost(deployment).name} --tag repositories ${folders}`
      : nothing,
    other?.prune === false
      ? nothing
      : lines(
          ...['files', 'configurations', 'repositories'].map(tag => forget(deployment, tag, tag === 'repositories')),
        ),
  );
};

const scripts: Readonly<Record<JobId, (deployment: Deployment) => Script>> = {
  'postgresql-full': deployment => pgbackrest(deployment, '--type=full', 'backup'),
  'postgresql-differential': deployment => pgbackrest(deployment, '--type=diff', 'backup'),
  etcd,
  files,
  configurations,
  offsite,
  verify,
  drill: drillJob,
  check: checkJob,
};

/** The program of a job. */
export const jobProgram = (deployment: Deployment, job: JobId): string => program(strict, scripts[job](deployment));
