import {lines, type Script, sh} from '../shell/script.ts';

/** Where running jobs keep their script, log and exit status: in memory, so that a restart of the host clears it. */
export const jobsFolder = '/run/groundwork/jobs';

export type Job = {
  /** Name of the folder and, after `groundwork-`, of the unit. */
  readonly id: string;
  /** The id without the hash of the script: what the job is for. */
  readonly purpose: string;
};

export const unitOf = (id: string): string => `groundwork-${id}.service`;

const folderOf = (id: string): string => `${jobsFolder}/${id}`;

/**
 * `alive FOLDER`: whether the process that runs the job there still does. Its start time tells it from a later process
 * with the same number; it is the 22nd field of /proc/PID/stat. (The second, the name, is one word for a shell.)
 */
const helpers = sh`
started_at() {
  local state
  read -r _ _ state _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ started _ 2>/dev/null <"/proc/$1/stat" && [ "$state" != Z ]
}
alive() {
  local pid since
  [ -r "$1/pid" ] && read -r pid since <"$1/pid" && started_at "$pid" && [ "$started" = "$since" ]
}
stop_job() {
  local pid since tries
  if [ -d /run/systemd/system ] && systemctl is-active --quiet "$2"; then systemctl stop "$2"; fi
  alive "$1" && read -r pid since <"$1/pid" || return 0
  kill -TERM -- "-$pid"
  for (( tries = 0; tries < 100; tries++ )); do
    alive "$1" || return 0
    sleep 0.05
  done
  kill -KILL -- "-$pid"
}`;

/**
 * What the job's process runs: notes which process it is, runs the script in a shell like the one that scripts get
 * over a connection, and leaves the exit status behind. A status is there only when the script has ended.
 */
const wrapper = (id: string): Script => sh`${helpers}
umask 022
cd /
export LC_ALL=C HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
dir=${folderOf(id)}
started_at $$ && printf '%s %s\n' $$ "$started" >"$dir/pid.new" && mv "$dir/pid.new" "$dir/pid" || exit 70
/bin/bash --norc -p "$dir/script" </dev/null >>"$dir/log" 2>&1
code=$?
printf '%s\n' "$code" >"$dir/status.new" && mv "$dir/status.new" "$dir/status"`;

/**
 * Starts the job unless it runs already. Its last line of output is `running BOOT-ID` or, when another job for the same
 * purpose still runs (it was begun before the state of the host was read again), `other ID BOOT-ID`.
 *
 * `token` is of one call: a finished job is kept only for the call that began it, because what an earlier one left
 * behind says nothing about now.
 */
export const startScript = ({id, purpose}: Job, script: Script, token: string): Script => sh`${helpers}
umask 077
jobs=${jobsFolder}
dir=$jobs/${id}
unit=${unitOf(id)}
read -r boot </proc/sys/kernel/random/boot_id
mkdir -p "$jobs" && chmod 700 /run/groundwork "$jobs" || exit 73

for other in "$jobs"/${purpose}-????????????; do
  [ -d "$other" ] && [ "$other" != "$dir" ] || continue
  if alive "$other"; then
    printf 'other %s %s\n' "$(basename "$other")" "$boot"
    exit 0
  fi
  rm -rf "$other"
done

if [ -d "$dir" ]; then
  for (( tries = 0; tries < 40; tries++ )); do
    [ ! -e "$dir/pid" ] && [ ! -e "$dir/status" ] || break
    sleep 0.05
  done
  if alive "$dir" || { [ -e "$dir/status" ] && [ "$(cat "$dir/token")" = ${token} ]; }; then
    printf 'running %s\n' "$boot"
    exit 0
  fi
  stop_job "$dir" "$unit"
  rm -rf "$dir"
fi

rm -rf "$jobs"/.new-*
new=$(mktemp -d "$jobs/.new-XXXXXX") || exit 73
printf '%s\n' ${script.text} >"$new/script" &&
  printf '%s\n' ${wrapper(id).text} >"$new/run" &&
  printf '%s\n' ${token} >"$new/token" &&
  : >"$new/log" &&
  mv -T "$new" "$dir" || exit 73

if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null; then
  systemd-run --quiet --collect --unit="$unit" --description=${`Groundwork: ${purpose}`} \
    --property=KillMode=control-group --property=TimeoutStopSec=10 /bin/bash "$dir/run" || { rm -rf "$dir"; exit 71; }
else
  setsid nohup /bin/bash "$dir/run" </dev/null >/dev/null 2>&1 &
fi
for (( tries = 0; tries < 200; tries++ )); do
  [ ! -e "$dir/pid" ] && [ ! -e "$dir/status" ] || break
  sleep 0.05
done
printf 'running %s\n' "$boot"`;

/**
 * Prints the log from line `from` (0 is the first) as it grows, then one line that begins with `marker`:
 * `ended STATUS`, or `vanished` when the process is gone without a status, or `restarted` when the host was.
 */
export const followScript = (id: string, boot: string, from: number, marker: string): Script => sh`${helpers}
dir=${folderOf(id)}
finish() {
  printf '\n%s %s\n' ${marker} "$1"
  exit 0
}
read -r boot </proc/sys/kernel/random/boot_id
[ "$boot" = ${boot} ] || finish restarted
[ -d "$dir" ] || finish vanished
position=0
[ ${from} = 0 ] || position=$(head -n ${from} "$dir/log" | wc -c)
show() {
  local size
  size=$(stat -c %s "$dir/log") || return
  (( size > position )) || return
  tail -c "+$(( position + 1 ))" "$dir/log" | head -c "$(( size - position ))"
  position=$size
}
pause=0.02
while alive "$dir" && [ ! -e "$dir/status" ]; do
  show
  sleep "$pause"
  case $pause in 0.02) pause=0.05 ;; 0.05) pause=0.1 ;; *) pause=0.25 ;; esac
done
show
[ -e "$dir/status" ] && read -r code <"$dir/status" && finish "ended $code"
finish vanished`;

/** Forgets a job whose result has arrived. */
export const forgetScript = (id: string): Script => sh`rm -rf ${folderOf(id)}`;

/** Forgets every job that has ended: whoever began it was killed, and what it did shows on the host itself. */
export const sweepScript: Script = sh`${helpers}
for dir in ${jobsFolder}/*; do
  [ -e "$dir/pid" ] && ! alive "$dir" && rm -rf "$dir"
done
exit 0`;

/** Ends a job and all that it started, and forgets it. */
export const cancelScript = (id: string): Script =>
  lines(helpers, sh`stop_job ${folderOf(id)} ${unitOf(id)}`, forgetScript(id));
