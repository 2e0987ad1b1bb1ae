import {command} from '../../source/resources/command.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {type Script, sh} from '../../source/shell/script.ts';
import {managedNote} from '../shared/config-text.ts';

export const inotifyPath = '/etc/sysctl.d/60-groundwork-inotify.conf';

/** What the programs of hundreds of pods need; with the kernel's own 128 instances they end in "too many open files". */
const least = {watches: 524_288, instances: 1024};

/** Whether the running kernel allows at least that much. */
export const inotifySuffices: Script = sh`[ "$(sysctl -n fs.inotify.max_user_watches)" -ge ${least.watches} ] &&
[ "$(sysctl -n fs.inotify.max_user_instances)" -ge ${least.instances} ]`;

/** At least that much, now and after the next start. A host that allows more, by itself or by its operator, keeps that. */
export const inotifyLimits: Resource = command({
  id: 'inotify limits',
  doing: 'raising the limits of inotify',
  unless: inotifySuffices,
  script: sh`set -e
at_least() {
  now=$(sysctl -n "$1")
  if [ "$now" -ge "$2" ]; then echo "$1 = $now"; else echo "$1 = $2"; fi
}
{
  echo ${managedNote}
  at_least fs.inotify.max_user_watches ${least.watches}
  at_least fs.inotify.max_user_instances ${least.instances}
} >${`${inotifyPath}.new`}
mv ${`${inotifyPath}.new`} ${inotifyPath}
sysctl -q -p ${inotifyPath}`,
  change: `let programs watch ${least.watches} files, and ${least.instances} of them at once`,
});
