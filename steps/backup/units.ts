import type {Deployment} from '../../source/deployment/schema.ts';
import {sh} from '../../source/shell/script.ts';
import {managedFile} from '../shared/config-text.ts';
import {program} from './host-programs.ts';
import {lockPath, programPath, programsFolder, statusFolder, unitsFolder} from './paths.ts';
import {backupOf, type Job, serviceOf, timerOf} from './settings.ts';

/** Seconds that a job waits for the one before it. */
const longestWait = 12 * 3600;

/**
 * One job at a time, whether a timer or somebody started it: they wait for each other at the lock, and systemd starts none
 * a second time. `-o`: what a job leaves behind does not hold the lock. The record is written by systemd whatever ended the
 * job, so that it says what really happened.
 */
export const jobService = managedFile(
  '[Unit]',
  'Description=Groundwork backup: %i',
  'Wants=network-online.target',
  'After=network-online.target',
  'OnFailure=groundwork-backup-alert@%i.service',
  '[Service]',
  'Type=oneshot',
  `ExecStart=/usr/bin/flock -o --wait ${longestWait} --conflict-exit-code 75 ${lockPath} ${programsFolder}/jobs/%i`,
  `ExecStopPost=${programPath('record')} %i`,
  'TimeoutStartSec=36h',
  'Environment=HOME=/root',
  'UMask=0077',
  'PrivateTmp=yes',
  'NoNewPrivileges=yes',
  'Nice=10',
  'IOSchedulingClass=best-effort',
  'IOSchedulingPriority=7',
);

export const alertService = managedFile(
  '[Unit]',
  'Description=Groundwork backup: tell that %i has failed',
  '[Service]',
  'Type=oneshot',
  `ExecStart=${programPath('alert-job')} %i`,
);

/**
 * A time that was slept through is made up for. No random delay: the order of the night matters, and there is one
 * backup host, so nobody else is asked at the same moment.
 */
export const jobTimer = (deployment: Deployment, {id, title, calendar}: Job): string =>
  managedFile(
    '[Unit]',
    `Description=Groundwork backup: ${title}`,
    '[Timer]',
    `Unit=${serviceOf(id)}`,
    `OnCalendar=${calendar} ${backupOf(deployment).timeZone}`,
    'Persistent=yes',
    'AccuracySec=1s',
    'RandomizedDelaySec=0',
    '[Install]',
    'WantedBy=timers.target',
  );

export const timerPath = (job: Job['id']): string => `${unitsFolder}/${timerOf(job)}`;

/** What the service manager saw of a job, where `groundwork backup status` and the daily check read it. */
export const recordProgram = (deployment: Deployment): string =>
  program(
    sh`job=$1 folder=${statusFolder(deployment)}
file=$folder/$job
mkdir -p -m 755 "$folder"
ended=$(date +%s)
started=$(date -d "$(LC_ALL=C systemctl show --property=ExecMainStartTimestamp --value "groundwork-backup@$job.service")" +%s)
success=$(sed -n 's/^last_success=//p' "$file" 2>/dev/null)
[ "$SERVICE_RESULT" != success ] || success=$ended
printf '%s\n' "result=$SERVICE_RESULT" "status=$EXIT_STATUS" "started=$started" "ended=$ended" "last_success=$success" >"$file.new"
chmod 644 "$file.new"
mv -fT "$file.new" "$file"`,
  );

/** The last words of the job go with the alert. */
export const alertJobProgram = program(
  sh`unit=groundwork-backup@$1.service
invocation=$(systemctl show --property=InvocationID --value "$unit")
journalctl "_SYSTEMD_INVOCATION_ID=$invocation" --output=cat --no-pager --lines=60 | exec ${programPath('alert')} "backup $1 failed"`,
);
