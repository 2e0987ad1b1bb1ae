import type {Deployment} from '../../source/deployment/schema.ts';
import {lines, type Script, sh} from '../../source/shell/script.ts';
import {repositoryUser, restoreFolder, statusFolder} from './paths.ts';
import {stanzaOf} from './settings.ts';

/** Seconds that the archive may take to be replayed. */
const longestReplay = 6 * 3600;

/** Rows of all tables of a database, counted one by one, and how many tables there are: `TABLES|ROWS`. */
export const countRows = `SELECT count(*), coalesce(sum((xpath('/row/c/text()', query_to_xml(format('SELECT count(*) AS c FROM %I.%I', schemaname, tablename), false, true, '')))[1]::text::bigint), 0) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`;

/** Databases that people made, and \`postgres\`. */
export const ownDatabases = 'SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY 1';

/**
 * Limits that a server must have at least as high as the one that wrote the journal, or it does not replay it: what
 * pg_controldata calls them, and what the settings are called.
 */
const limits = {
  max_connections: 'max_connections',
  max_worker_processes: 'max_worker_processes',
  max_wal_senders: 'max_wal_senders',
  max_prepared_xacts: 'max_prepared_transactions',
  max_locks_per_xact: 'max_locks_per_transaction',
} as const;

const limitsFrom = Object.entries(limits)
  .map(([written, setting]) => `s/^${written} setting: *\\([0-9]*\\)$/${setting} = \\1/p`)
  .join('; ');

/**
 * Shell functions for a database beside the real one. It reads no settings but ours, listens on a socket in a private folder
 * alone, and archives nothing: what it writes must never get among the journal of the real one.
 *
 *   throwaway DATA PLACE BIN   starts it; PLACE/socket is where it is reached
 *   sql DATABASE SQL           asks it
 *   end_throwaway              stops it
 */
export const throwawayDatabase: Script = lines(
  sh`throwaway() {
  data=$1 place=$2 bin=$3
  mkdir -p -m 700 "$place/socket"
  {
    printf "data_directory = '%s'\nhba_file = '%s/hba'\nident_file = '%s/ident'\n" "$data" "$place" "$place"
    LC_ALL=C "$bin/pg_controldata" "$data" | sed -n ${limitsFrom}
  } >"$place/postgresql.conf"
  echo 'local all all trust' >"$place/hba"
  : >"$place/ident"
  # On the command line, because the copy's own postgresql.auto.conf would have the last word over a file.
  "$bin/pg_ctl" --silent --wait --timeout=3600 -D "$data" -l "$place/log" -o "-c config_file=$place/postgresql.conf -c listen_addresses= -c port=5432 -c unix_socket_directories=$place/socket -c archive_mode=off -c hot_standby=on -c ssl=off -c shared_preload_libraries= -c shared_buffers=128MB -c huge_pages=off -c logging_collector=off" start || {
    tail -n 20 "$place/log" >&2
    return 1
  }
}
sql() { printf '%s\n' "$2" | psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --host="$place/socket" --username=postgres --dbname="$1" --file=-; }
end_throwaway() { "$bin/pg_ctl" --silent --wait --mode=fast -D "$data" stop; }
count_all() {
  local database
  sql postgres ${ownDatabases} | while IFS= read -r database; do
    printf '%s|%s\n' "$database" "$(sql "$database" ${countRows})"
  done
}`,
);

/**
 * Restores the newest backup of the databases and all of the archive after it into a throw-away server on this host, counts
 * every row, and takes it away again. What it found is the report that `groundwork backup status` shows.
 */
export const drillJob = (deployment: Deployment): Script => {
  const stanza = `--stanza=${stanzaOf(deployment)}`;
  const report = `${statusFolder(deployment)}/drill-report`;
  // All of it as the owner of the repository: PostgreSQL does not run as root.
  const asOwner = lines(
    sh`set -euo pipefail
umask 077
base=$1`,
    throwawayDatabase,
    sh`trap 'end_throwaway 2>/dev/null || :' EXIT
version=$(pgbackrest ${stanza} info --output=json | grep -o '"system-id":[0-9]*,"version":"[0-9]*' | tail -n 1 | grep -o '[0-9]*$')
bin=/usr/lib/postgresql/$version/bin data=$base/data place=$base
[ -x "$bin/pg_ctl" ] || { echo "there is no PostgreSQL $version on this host to restore into" >&2; exit 1; }
started=$(date +%s)
pgbackrest ${stanza} "--pg1-path=$data" --log-level-console=warn restore
throwaway "$data" "$base" "$bin"
recovering=$(sql postgres 'SELECT pg_is_in_recovery()')
while [ "$recovering" = t ]; do
  [ $(($(date +%s) - started)) -lt ${longestReplay} ] || { echo 'the archive was not replayed in time' >&2; exit 1; }
  sleep 1
  recovering=$(sql postgres 'SELECT pg_is_in_recovery()')
done
echo "last change: $(sql postgres "SELECT coalesce(to_char(pg_last_xact_replay_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'), 'unknown')") UTC"
count_all
echo "seconds: $(($(date +%s) - started))"`,
  );
  return lines(
    sh`base=${`${restoreFolder(deployment)}/drill`}
rm -rf "$base"
install -d -m 711 ${restoreFolder(deployment)}
install -d -m 700 -o ${repositoryUser} -g ${repositoryUser} "$base"
trap 'rm -rf "$base"' EXIT
runuser -u ${repositoryUser} -- bash -c ${asOwner.text} drill "$base" >${`${report}.new`}
date -u '+proved: %F %T UTC' >>${`${report}.new`}
mv -fT ${`${report}.new`} ${report}
cat ${report}`,
  );
};
