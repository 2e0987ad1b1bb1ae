import type {Deployment} from '../../source/deployment/schema.ts';
import {directory} from '../../source/resources/directory.ts';
import {file} from '../../source/resources/file.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {service} from '../../source/resources/service.ts';
import {sh} from '../../source/shell/script.ts';
import {managedFile} from '../shared/config-text.ts';
import {program} from './host-programs.ts';
import {programPath, unitsFolder} from './paths.ts';
import {backupOf} from './settings.ts';

const statePath = '/var/lib/groundwork/backup-watch/state';

/** Minutes that a piece of the journal may wait: fifteen times as long as it takes to be sent when all is well. */
const longestWait = 15;

/** MiB of one piece of the journal, unless somebody made the server with another size. */
const pieceMb = 16;

/** Hours after which a trouble that stays is told again. */
const again = 6;

/** Percent of the disk below which the database’s own file system is told about. */
const leastFree = 10;

/**
 * Looks on the storage host itself, so that it also notices when the backup host is gone: pieces of the journal that wait,
 * how much they take, and the room that is left. It tells when that begins, every six hours while it lasts, and when it is
 * over.
 */
export const watchProgram = (deployment: Deployment, data: string): string => {
  const quarter = Math.floor((backupOf(deployment).archiveQueueGb * 1024) / 4 / pieceMb);
  return program(
    sh`state=${statePath} wrong=
say() { wrong="$wrong$1
"; }
ready=${`${data}/pg_wal/archive_status`}
old=$(find "$ready" -name '*.ready' -mmin ${`+${longestWait}`} 2>/dev/null | head -n 1)
[ -z "$old" ] || say ${`The journal of the databases does not reach the backup host: pieces of it wait for more than ${longestWait} minutes. Is the backup host up? Nothing is lost yet; see the log of PostgreSQL.`}
waiting=$(find "$ready" -name '*.ready' 2>/dev/null | wc -l)
[ "$waiting" -le ${quarter} ] || say "$waiting pieces of the journal wait to be archived, $((waiting * ${pieceMb} / 1024)) GB. "${`Beyond ${backupOf(deployment).archiveQueueGb} GB the oldest is given up, and a gap stays in the archive until the next backup.`}
free=$(df --output=pcent ${data} | tail -n 1 | tr -dc 0-9)
[ -z "$free" ] || [ $((100 - free)) -ge ${leastFree} ] || say "The file system of the databases is full to $free %."
now=$(date +%s) before= since=0
[ ! -r "$state" ] || { read -r since <"$state"; before=$(tail -n +2 "$state"); }
kind=$(printf %s "$wrong" | tr -d 0-9)
if [ -z "$wrong" ]; then
  [ -z "$before" ] || echo 'The journal of the databases reaches the backup host again, and there is room.' | ${programPath('alert')} 'the archive of the databases is well again'
  rm -f "$state"
elif [ "$kind" != "$before" ] || [ $((now - since)) -ge ${again * 3600} ]; then
  printf '%s\n%s\n' "$now" "$kind" >"$state.new" && mv -fT "$state.new" "$state"
  printf %s "$wrong" | ${programPath('alert')} 'the archive of the databases'
fi`,
  );
};

const watchService = managedFile(
  '[Unit]',
  'Description=Groundwork backup: look whether the journal of the databases piles up',
  '[Service]',
  'Type=oneshot',
  `ExecStart=${programPath('watch')}`,
);

const watchTimer = managedFile(
  '[Unit]',
  'Description=Groundwork backup: look whether the journal of the databases piles up',
  '[Timer]',
  'OnBootSec=2min',
  'OnUnitActiveSec=5min',
  'OnActiveSec=60',
  '[Install]',
  'WantedBy=timers.target',
);

export const watchResources = (deployment: Deployment, data: string): readonly Resource[] => [
  directory('/var/lib/groundwork/backup-watch'),
  file(programPath('watch'), watchProgram(deployment, data), {mode: 0o755}),
  file(`${unitsFolder}/groundwork-backup-watch.service`, watchService),
  file(`${unitsFolder}/groundwork-backup-watch.timer`, watchTimer),
  service('groundwork-backup-watch.timer', {
    enabled: true,
    running: true,
    configuration: [`${unitsFolder}/groundwork-backup-watch.timer`],
    onChange: 'restart',
  }),
];
