import {type Resource, resource, script} from '../../source/resources/resource.ts';
import {err, ok} from '../../source/result.ts';
import {lines, type Script, sh} from '../../source/shell/script.ts';
import {clusterName, clusterPaths, clusterUnit, tlsPaths} from './paths.ts';
import {asSuperuser} from './sql.ts';

/** Complaints of the server about its files as they are now; what merely waits for a restart is none. */
const complaints = `SELECT sourcefile || ', line ' || sourceline || ': ' || error FROM pg_file_settings
 WHERE error IS NOT NULL AND NOT (error = 'setting could not be applied' AND name IN (SELECT name FROM pg_settings WHERE context = 'postmaster'))
UNION ALL SELECT 'pg_hba.conf, line ' || line_number || ': ' || error FROM pg_hba_file_rules WHERE error IS NOT NULL;`;

const waiting = `SELECT coalesce(string_agg(name, ', ' ORDER BY name), '') FROM pg_settings WHERE pending_restart;`;

/** Prints `stale` when a file changed after the server read its files, then the settings that wait for a restart. */
const look = (version: number): Script => {
  const {settings, access, configuration} = clusterPaths(version);
  const loaded = asSuperuser(version, `SELECT extract(epoch FROM pg_conf_load_time());\n${waiting}`);
  return sh`changed=$(stat -L -c %.9Z ${settings}/*.conf ${access} ${`${configuration}/postgresql.conf`} ${tlsPaths.certificate} ${tlsPaths.key} 2>/dev/null | sort -n | tail -n 1)
found=$(${loaded}) || exit 1
printf '%s\n' "$found" | awk -v changed="$changed" 'NR == 1 && changed > $1 {print "stale"} NR == 2 && $0 != "" {print "waiting " $0}'`;
};

/** Megabytes without which a server that was stopped does not come up, or lets nobody in: a piece of WAL, and files of its own. */
const leastFree = 64;

/** A server that runs on a full disk can still be read; stopped, it is gone until somebody made room. */
const hasRoomToStart = (version: number): Script => {
  const {data} = clusterPaths(version);
  return sh`free=$(df --output=avail --block-size=1M ${data} ${`${data}/pg_wal`} | tail -n +2 | sort -n | head -n 1)
[ "$free" -ge ${leastFree} ] || {
  echo "the file system of the databases is full: only $((free)) MB are free, so the server is not restarted, and goes on with the old settings" >&2
  exit 1
}`;
};

type State = {readonly stale: boolean; readonly waiting: string | undefined};

/**
 * That the running server works with its files as they are, whoever changed them: it reads them again, and is restarted only
 * when a setting needs that. Files that it would not come up with are refused before, and it goes on with the old ones.
 * `whose` tells several of these apart on one host.
 */
export const settingsInForce = (version: number, whose?: string): Resource =>
  resource<State>({
    id: `settings of the database server ${version}/${clusterName} in force${whose === undefined ? '' : ` (${whose})`}`,
    doing: 'letting the database server read its settings',
    probe: look(version),
    read: ({code, stdout}) =>
      // A server that does not answer has read nothing: it is started before this is applied.
      code === 0
        ? ok({stale: /^stale$/m.test(stdout), waiting: /^waiting (.+)$/m.exec(stdout)?.[1]})
        : ok({stale: true, waiting: undefined}),
    diff: state => [
      ...(state.stale ? [{summary: 'read the changed settings; restart if one of them needs it'}] : []),
      ...(state.waiting === undefined ? [] : [{summary: `restart for ${state.waiting}`}]),
    ],
    apply: () => async port => {
      const read = await port.run(
        lines(
          sh`wrong=$(${asSuperuser(version, complaints)}) || exit 1`,
          sh`if [ -n "$wrong" ]; then printf '%s\n' "$wrong" 'the database server does not take its files; it goes on with the old ones' >&2; exit 1; fi`,
          sh`systemctl reload ${clusterUnit(version)} && sleep 1`,
          asSuperuser(version, waiting),
        ),
        {timeoutMs: 120_000},
      );
      if (!read.ok) return read;
      const restart = read.value.stdout.trim();
      if (restart === '') return ok();
      const room = await port.run(hasRoomToStart(version));
      if (!room.ok) return room;
      port.tell(`restarting the database server for ${restart}`);
      const again = await script(
        sh`systemctl restart ${clusterUnit(version)} || {
  journalctl --unit=${clusterUnit(version)} --lines=20 --no-pager --output=cat >&2
  echo 'the database server did not come up again' >&2
  exit 1
}`,
        {timeoutMs: 300_000},
      )(port);
      return again.ok ? ok() : err(again.error);
    },
  });
