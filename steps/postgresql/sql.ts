import {lines, type Script, sh} from '../../source/shell/script.ts';
import {clusterPaths} from './paths.ts';

/** A text as SQL has it, with backslashes that mean themselves. */
export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A name as SQL has it. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/**
 * The port that the running server really has, which may differ from what its files say now; empty when it does not run.
 * Fourth line of postmaster.pid (postgresql.org/docs, storage-file-layout).
 */
const runningPort = (version: number): Script =>
  sh`sed -n 4p ${`${clusterPaths(version).data}/postmaster.pid`} 2>/dev/null`;

/**
 * SQL as the superuser, through the socket, on standard input: nothing of it is in an argument. Prints bare values, one row
 * a line, columns apart by `|`, and ends at the first error. The port is asked each time, so that a changed one is met.
 */
export const asSuperuser = (version: number, sql: string, database = 'postgres'): Script =>
  lines(
    sh`port=$(${runningPort(version)}) && [ -n "$port" ] || { echo 'the database server does not run' >&2; false; } &&`,
    sh`printf '%s\n' ${sql} | runuser -u postgres -- psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --port="$port" --dbname=${database} --file=-`,
  );
