import {ok} from '../result.ts';
import {lines, type Script, sh} from '../shell/script.ts';
import {type Resource, resource, script} from './resource.ts';

export type Wait = {
  readonly id: string;
  readonly doing: string;
  /** Read-only and quick. Exit status 0: it has come. Else what it prints is told whenever that changes. */
  readonly until: Script;
  readonly timeoutSeconds: number;
  /** What is waited for: `nginx to answer on port 443`. */
  readonly what: string;
};

/** Longer waits run on the host by themselves, so that a lost connection does not end them. */
const foregroundSeconds = 60;

/** A condition that comes true by itself, or does not in time: then the output of its last look is in the failure. */
export const waitFor = ({id, doing, until, timeoutSeconds, what}: Wait): Resource =>
  resource({
    id,
    doing,
    probe: until,
    read: ({code}) => ok(code === 0),
    diff: come => (come ? [] : [{summary: `wait for ${what}`}]),
    apply: () =>
      script(
        lines(
          sh`look() (
${until}
)`,
          sh`told= end=$(($(date +%s) + ${timeoutSeconds}))`,
          sh`until said=$(look </dev/null 2>&1); do`,
          sh`  if [ "$(date +%s)" -ge "$end" ]; then`,
          sh`    printf '%s\n' "$said" ${`waited ${timeoutSeconds} s in vain for ${what}`} >&2`,
          sh`    exit 1`,
          sh`  fi`,
          sh`  if [ "$said" != "$told" ]; then`,
          sh`    printf '%s\n' "$said"`,
          sh`    told=$said`,
          sh`  fi`,
          sh`  sleep 1`,
          sh`done`,
        ),
        {timeoutMs: (timeoutSeconds + 30) * 1000, detached: timeoutSeconds > foregroundSeconds},
      ),
  });
