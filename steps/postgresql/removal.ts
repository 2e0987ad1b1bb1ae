import type {Removal} from '../../source/engine/removal.ts';
import {type Resource, resource, script} from '../../source/resources/resource.ts';
import {packagesStay} from '../../source/resources/stays.ts';
import {treeAbsent} from '../../source/resources/tree.ts';
import {withdrawn} from '../../source/resources/withdrawn.ts';
import {err, ok} from '../../source/result.ts';
import {sh} from '../../source/shell/script.ts';
import {sourcesPaths} from './packages.ts';
import {clusterName, clusterPaths, clusterUnit, tlsPaths} from './paths.ts';
import {creationDefaults, unitDropIn} from './settings.ts';
import {postgresqlVersion} from './version.ts';

/** Kibibytes of the server's files; undefined without a server. */
type Size = number | undefined;

const probeSize = (version: number) =>
  sh`if [ -e ${`${clusterPaths(version).data}/PG_VERSION`} ]; then
  timeout 4 du -skx ${clusterPaths(version).data} 2>/dev/null | awk '{print "KiB", $1}' | grep . || echo KiB 0
fi`;

/** The server with all its databases: told, and erased only when that was said. */
const serverAbsent = (version: number, purge: boolean): Resource => {
  const what = `databases of PostgreSQL ${version}/${clusterName}`;
  return resource<Size>({
    id: `no database server ${version}/${clusterName}`,
    doing: 'erasing the databases',
    probe: probeSize(version),
    read: ({code, stdout}) => {
      const found = /^KiB (\d+)$/m.exec(stdout)?.[1];
      return code === 0 ? ok(found === undefined ? undefined : Number(found)) : err(`the ${what} could not be read`);
    },
    diff: size => (purge && size !== undefined ? [{summary: `erase all ${what}`, loses: true}] : []),
    stays: size =>
      purge || size === undefined
        ? []
        : [{kind: 'data', what, why: 'data is kept unless it is purged', ...(size > 0 && {bytes: size * 1024})}],
    apply: () => script(sh`pg_dropcluster --stop ${version} ${clusterName}`, {timeoutMs: 600_000, detached: true}),
  });
};

/**
 * The databases stay with the ground as long as that is there. When that goes and they are kept, the server goes on with its
 * package's settings: for this machine alone, so that they can still be copied from it.
 */
export const postgresqlRemoval: Removal = {
  estimate: 20,
  resources: ({scope, purge, deployment, facts}) => {
    const version = postgresqlVersion(deployment, facts);
    if (scope === 'platform') return [];
    const {ourSettings} = clusterPaths(version);
    return [
      packagesStay([`postgresql-${version}`, `postgresql-client-${version}`]),
      serverAbsent(version, purge.data),
      withdrawn([creationDefaults.path]),
      withdrawn([unitDropIn.path], {afterwards: sh`systemctl daemon-reload`}),
      withdrawn([ourSettings], {
        afterwards: sh`systemctl try-restart ${clusterUnit(version)}`,
        but: 'the server goes on for this machine alone',
      }),
      withdrawn(Object.values(sourcesPaths)),
      treeAbsent(tlsPaths.directory),
    ];
  },
};
