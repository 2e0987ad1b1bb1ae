import {ok} from '../result.ts';
import {lines, type Script, sh} from '../shell/script.ts';
import {type Resource, resource, script} from './resource.ts';
import {loadedFiles, probeService, readService, recordOf, unread} from './service.ts';
import {absolute} from './write-file.ts';

/** The record with these files as they were loaded now, beside what it holds of others in the same life of the unit. */
const amendRecord = (unit: string): Script => sh`mkdir -p /var/lib/groundwork/loaded
record=${recordOf(unit)}
life=$(systemctl show --property=InvocationID --value ${unit})
{
  printf '%s\n%s\n' "$life" "$loaded"
  if [ -f "$record" ] && [ "$(head -n 1 "$record")" = "$life" ]; then
    tail -n +2 "$record" | while read -r hash path; do
      printf '%s\n' "$loaded" | cut -d' ' -f2- | grep -qxF -- "$path" || printf '%s %s\n' "$hash" "$path"
    done
  fi
} >"$record.new"
mv -fT "$record.new" "$record"`;

/**
 * Lets a unit that runs already read files that changed since it read them last. For a step that writes files of a unit
 * which another step sets up (see `service`): where the unit is not there yet or does not run, there is nothing to do.
 */
export const reloadOf = (unit: string, files: readonly string[]): Resource => {
  for (const path of files) absolute(path);
  return resource({
    id: `reload of ${unit}`,
    doing: `letting ${unit} read its files again`,
    probe: probeService(unit, files, []),
    read: ({stdout}) => {
      if (stdout.startsWith('no-systemd')) return ok([]);
      const state = readService(unit, stdout);
      if (!state.ok) return state;
      return ok(state.value.found && state.value.active ? unread(state.value, files) : []);
    },
    diff: changed => (changed.length > 0 ? [{summary: `reload ${unit}: ${changed.join(', ')} changed`}] : []),
    apply: () =>
      script(
        lines(
          sh`set -e`,
          // Before the load: what changes while it goes on must count as not read.
          sh`loaded=$(${loadedFiles(files)})`,
          sh`systemctl reload ${unit} || { systemctl status --no-pager --lines=20 ${unit} >&2; exit 1; }`,
          amendRecord(unit),
        ),
        {timeoutMs: 120_000},
      ),
  });
};
