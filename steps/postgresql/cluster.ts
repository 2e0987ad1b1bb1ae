import {type Products, type Resource, resource, script} from '../../source/resources/resource.ts';
import {err, ok, type Result} from '../../source/result.ts';
import {lines, sh} from '../../source/shell/script.ts';
import {clusterName, clusterPaths, clusterUnit} from './paths.ts';
import {versionProduct} from './version.ts';

type Cluster = {readonly version: number; readonly name: string; readonly port: number};

type State = {
  readonly clusters: readonly Cluster[];
  /** Of ours; undefined while it is not there. */
  readonly checksums: boolean | undefined;
  /** It holds nothing but what every new server has. */
  readonly fresh: boolean;
};

const readState = (stdout: string): State => ({
  clusters: [...stdout.matchAll(/^cluster (\d+) (\S+) (\d+)$/gm)].map(([, version, name = '', port]) => ({
    version: Number(version),
    name,
    port: Number(port),
  })),
  checksums: /^checksums \d+$/m.test(stdout) ? !/^checksums 0$/m.test(stdout) : undefined,
  fresh: /^databases 0$/m.test(stdout),
});

/** What must be decided by a person, as a sentence. */
const obstacle = (version: number, {clusters, checksums, fresh}: State): string | undefined => {
  const other = clusters.find(cluster => cluster.name === clusterName && cluster.version !== version);
  const ours = clusters.some(cluster => cluster.name === clusterName && cluster.version === version);
  if (other && !ours) {
    return `a server of PostgreSQL ${other.version} is there (${other.version}/${clusterName}), and its data would not be in version ${version}: move it with pg_upgradecluster, or choose version ${other.version}`;
  }
  if (checksums === false && !fresh) {
    const {data, programs} = clusterPaths(version);
    return `the server ${version}/${clusterName} holds data without checksums. To turn them on, which takes minutes for each 100 GB and stops it meanwhile: systemctl stop ${clusterUnit(version)} && runuser -u postgres -- ${programs}/pg_checksums --enable --progress -D ${data} && systemctl start ${clusterUnit(version)}`;
  }
  return undefined;
};

/**
 * The server itself, as Debian's tools know it. The package makes it when it is installed; after a purge of somebody's it is
 * made here. Its data never goes: what stands in the way is said and not removed. Its version is a product.
 */
export const databaseServer = (version: number): Resource => {
  const {data, programs} = clusterPaths(version);
  return resource<State>({
    id: `database server ${version}/${clusterName}`,
    doing: `making the database server ${version}/${clusterName}`,
    probe: sh`command -v pg_lsclusters >/dev/null || exit 0
pg_lsclusters --no-header | awk '{print "cluster", $1, $2, $3}'
# Debian keeps it beside the server, off everybody's path.
PATH=$PATH:${programs}
if [ -s ${`${data}/PG_VERSION`} ] && command -v pg_controldata >/dev/null; then
  LC_ALL=C pg_controldata ${data} | sed -n 's/^Data page checksum version: */checksums /p'
  # Databases that somebody made have numbers from 16384 (transam.h, FirstNormalObjectId).
  ls ${`${data}/base`} | awk '$1 >= 16384 {found++} END {print "databases", found + 0}'
fi`,
    read: ({code, stdout, stderr}): Result<State, string> => {
      if (code !== 0) return err(`pg_lsclusters fails: ${stderr.trim()}`);
      const state = readState(stdout);
      const wrong = obstacle(version, state);
      return wrong === undefined ? ok(state) : err(wrong);
    },
    diff: ({checksums}) => {
      if (checksums === undefined) return [{summary: `make the server ${version}/${clusterName} with data checksums`}];
      return checksums ? [] : [{summary: 'turn data checksums on; the server is empty, and stops meanwhile'}];
    },
    products: ({checksums}): Products => (checksums === undefined ? {} : {[versionProduct]: String(version)}),
    apply: ({checksums}) =>
      script(
        checksums === undefined
          ? sh`LC_ALL=C.UTF-8 pg_createcluster ${version} ${clusterName}`
          : lines(
              sh`set -e`,
              sh`systemctl stop ${clusterUnit(version)}`,
              sh`runuser -u postgres -- ${`${programs}/pg_checksums`} --enable -D ${data}`,
            ),
        {timeoutMs: 180_000},
      ),
  });
};
