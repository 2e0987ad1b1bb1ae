import type {Deployment} from '../../source/deployment/schema.ts';
import {lines, nothing, type Script, sh} from '../../source/shell/script.ts';
import {hostsPlaying, roles} from '../shared/deployment.ts';
import {etcdFolder, filesMirror, repositoryUser, statusFolder} from './paths.ts';
import {rancherFolder} from './rancher-objects.ts';
import {backupOf, jobsOf, keeps, serviceOf, stanzaOf, timerOf} from './settings.ts';

/** Seconds that a job may take until it counts as not done: a full backup of a large database through a slow disk. */
const longestJob = 12 * 3600;

/** Minutes after which a copy that others make is too old: twice the longest usual time between two. */
const oldestCopy = 48 * 60;

const newest = (what: string, folder: string, pattern: string): Script =>
  sh`[ -n "$(find ${folder} -name ${pattern} -mmin ${`-${oldestCopy}`} 2>/dev/null | head -n 1)" ] || say ${`${what}: none is younger than two days`}`;

/**
 * Looks for what nobody would miss until it is needed: a timer that does not run, a job that failed or has not come to its
 * end since its time, an archive that does not arrive, a disk that gets full. Prints what is wrong; its status says whether.
 */
export const checkJob = (deployment: Deployment): Script => {
  const jobs = jobsOf(deployment).filter(({id}) => id !== 'check');
  return lines(
    sh`wrong=
say() { printf '%s\n' "$1"; wrong=yes; }
now=$(date +%s)
when() {
  local text
  text=$(LC_ALL=C systemctl show --property="$2" --value "$1")
  case $text in *[0-9]*) date -d "$text" +%s ;; *) echo 0 ;; esac
}
job() {
  local timer=$1 service=$2 file=$3 title=$4 result=none last_success=0 line
  systemctl is-active --quiet "$timer" || { say "$title: $timer does not run, so it is not done by itself"; return; }
  if [ -r "$file" ]; then
    while IFS= read -r line; do
      case $line in result=*) result=$(cut -d = -f 2 <<<"$line") ;; last_success=*) last_success=$(cut -d = -f 2 <<<"$line") ;; esac
    done <"$file"
  fi
  local last
  last=$(when "$timer" LastTriggerUSec)
  case $result in
    success | none) ;;
    *) say "$title: failed ($result); see journalctl -u $service" ;;
  esac
  if [ "$last" -gt 0 ] && [ "$last_success" -lt "$last" ] && [ $((now - last)) -gt ${longestJob} ]; then
    say "$title: not done since $(date -d "@$last" '+%F %T %Z'), when it was due"
  fi
}`,
    ...jobs.map(
      ({id, title}) => sh`job ${timerOf(id)} ${serviceOf(id)} ${`${statusFolder(deployment)}/${id}`} ${title}`,
    ),
    keeps(deployment, 'postgresql')
      ? sh`said=$(runuser -u ${repositoryUser} -- pgbackrest ${`--stanza=${stanzaOf(deployment)}`} --log-level-console=warn check 2>&1) || say "the archive of the databases: $said"`
      : nothing,
    ...(keeps(deployment, 'etcd')
      ? hostsPlaying(deployment, roles.compute).map(({name}) =>
          newest(`copies of the cluster’s state, of ${name}`, `${etcdFolder(deployment)}/${name}`, '*'),
        )
      : []),
    keeps(deployment, 'rancher') && keeps(deployment, 'files')
      ? newest('copies of Rancher’s objects', `${filesMirror(deployment)}/${rancherFolder}`, '*.tar.gz*')
      : nothing,
    sh`free=$(df --output=avail -B1G ${backupOf(deployment).path} | tail -n 1 | tr -dc 0-9)
[ "$free" -ge ${backupOf(deployment).leastFreeGb} ] || say "the repository has $free GB left, and ${backupOf(deployment).leastFreeGb} GB should be free"
[ -z "$wrong" ] || exit 1
echo 'all backups are as they should be'`,
  );
};
