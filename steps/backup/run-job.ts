import type {Deployment} from '../../source/deployment/schema.ts';
import {type Step, step} from '../../source/engine/step.ts';
import {command} from '../../source/resources/command.ts';
import {manifest} from '../../source/resources/manifest.ts';
import {sh} from '../../source/shell/script.ts';
import {exitsZero} from '../shared/checks.ts';
import {roles} from '../shared/deployment.ts';
import {platformRemedies} from '../shared/platform-remedies.ts';
import {statusFolder} from './paths.ts';
import {rancherBackupNow} from './rancher-objects.ts';
import {backupRemedies} from './remedies.ts';
import {type JobId, jobsOf, serviceOf} from './settings.ts';

/** As long as the job itself may take. */
const longestMs = 36 * 3_600_000;

/**
 * Does a job of the backup host now, through its own unit: so it is never done twice at once, whoever starts it, waits for
 * the one before it, and is recorded like one that its timer started. Safe to be cut: the job goes on by itself, and is
 * found again.
 */
export const runJob = (deployment: Deployment, id: JobId, after: readonly Step[] = []): Step => {
  const title = jobsOf(deployment).find(job => job.id === id)?.title ?? id;
  const record = `${statusFolder(deployment)}/${id}`;
  const unit = serviceOf(id);
  return step({
    id: `run-${id}`,
    title: `Backup: ${title}`,
    why: 'Done now, and not at its time.',
    role: roles.backup,
    after,
    estimate: 60,
    resources: ({facts}) => [
      command({
        id: `job ${id}`,
        doing: title,
        // By the host's own clock, when this run looked at it first.
        unless: sh`[ "$(sed -n 's/^last_success=//p' ${record} 2>/dev/null | grep . || echo 0)" -ge ${facts.time.epochSeconds} ]`,
        script: sh`journalctl --unit=${unit} --follow --lines=0 --output=cat --no-pager &
follower=$!
systemctl start ${unit}
code=$?
sleep 1
kill "$follower" 2>/dev/null
exit "$code"`,
        change: title,
        options: {detached: true, timeoutMs: longestMs},
      }),
    ],
    verify: () => [
      exitsZero(
        {id: 'recorded', title: 'it ended well', script: sh`grep -x result=success ${record}`},
        'recorded as done',
      ),
    ],
    remedies: backupRemedies,
  });
};

/** Has Rancher's operator write a copy now; the backup host fetches it with the files. */
export const runRancher = (): Step => {
  const name = (epochSeconds: number): string => `groundwork-${epochSeconds}`;
  return step({
    id: 'run-rancher',
    title: 'Backup: Rancher’s objects',
    why: 'Done now, and not at its time.',
    role: roles.compute,
    once: true,
    after: [],
    estimate: 60,
    resources: ({facts}) => [
      manifest({
        id: 'a copy of Rancher’s objects',
        objects: [rancherBackupNow(name(facts.time.epochSeconds))],
        waitFor: [{kind: 'backups.resources.cattle.io', name: name(facts.time.epochSeconds), condition: 'Ready'}],
        timeoutSeconds: 600,
      }),
    ],
    verify: () => [],
    remedies: platformRemedies,
  });
};
