import type {StepContext} from '../../source/engine/step.ts';
import {managedFile, word} from '../shared/config-text.ts';
import {clusterPaths, tlsPaths} from './paths.ts';
import {maxConnections, tuning} from './tuning.ts';
import {postgresqlOf, postgresqlVersion} from './version.ts';

/** A text in PostgreSQL's configuration files. Only plain words get here, so no quote can end it. */
const quoted = (...words: readonly (string | number)[]): string => `'${words.map(word).join(',')}'`;

/**
 * Where the settings of the package have the last word, they are right: no huge pages are asked for, the log goes where
 * Debian rotates it. `wal_level` and what follows it are those of OpenG2P's own chart: reporting follows changes
 * (Debezium), and to lower it would break that.
 */
export const serverSettings = ({
  deployment,
  host,
  facts,
}: Pick<StepContext, 'deployment' | 'host' | 'facts'>): string => {
  const {port} = postgresqlOf(deployment);
  const {data} = clusterPaths(postgresqlVersion(deployment, facts));
  return managedFile(
    `listen_addresses = ${quoted('localhost', host.privateAddress)}`,
    `port = ${port}`,
    `max_connections = ${maxConnections}`,
    'password_encryption = scram-sha-256',
    'ssl = on',
    "ssl_min_protocol_version = 'TLSv1.2'",
    `ssl_cert_file = ${quoted(tlsPaths.certificate)}`,
    `ssl_key_file = ${quoted(tlsPaths.key)}`,
    'wal_level = logical',
    'max_wal_senders = 20',
    'max_replication_slots = 300',
    'max_wal_size = 4GB',
    'min_wal_size = 1GB',
    'log_lock_waits = on',
    tuning(facts, data),
  );
};

/** So that the private address is there before the server listens on it: otherwise it comes up without, and says so only in its log. */
export const unitDropIn = {
  path: '/etc/systemd/system/postgresql@.service.d/groundwork.conf',
  content: managedFile('[Unit]', 'Wants=network-online.target', 'After=network-online.target'),
} as const;

/** Options of every server that Debian's tools make on this machine, whoever calls them: the package's installation too. */
export const creationDefaults = {
  path: '/etc/postgresql-common/createcluster.d/groundwork.conf',
  content: managedFile("initdb_options = '--data-checksums --encoding=UTF8 --locale=en_US.UTF-8'"),
} as const;
