import type {Removal} from '../../source/engine/removal.ts';
import {packagesStay} from '../../source/resources/stays.ts';
import {data, emptyFolderAbsent, isErasable} from '../../source/resources/tree.ts';
import {withdrawn} from '../../source/resources/withdrawn.ts';
import {lines, type Script, sh} from '../../source/shell/script.ts';
import {managedNote} from '../shared/config-text.ts';
import {systemOf} from '../shared/deployment.ts';
import {exportPath} from './exports.ts';
import {exportsFile, ganeshaFile, settingsFile} from './paths.ts';

/**
 * The packages of both servers bring helpers of NFS 3, which listen on ports of their own. They end with the server, unless
 * this host mounts something or another program is registered with rpcbind.
 */
const helpersEnd: Script = sh`if ! awk '$3 ~ /^nfs/ && $3 != "nfsd" {found = 1} END {exit !found}' /proc/self/mounts; then
  systemctl stop nfs-ganesha-lock.service rpc-statd.service rpc-statd-notify.service 2>/dev/null
  if command -v rpcinfo >/dev/null && ! rpcinfo -p 2>/dev/null | awk 'NR > 1 && $1 != 100000 {found = 1} END {exit !found}'; then
    systemctl disable --now rpcbind.socket rpcbind.service || exit
  fi
fi`;

/** Ends the kernel's server, unless somebody else exports something with it. */
const withoutExport = lines(
  sh`if exportfs -ra && exportfs -s | grep -q .; then exit 0; fi
systemctl disable --now nfs-server.service || exit`,
  helpersEnd,
);

export const nfsRemoval: Removal = {
  resources: ({scope, purge, deployment, facts}) => {
    const path = exportPath(deployment);
    const parent = deployment.components.nfs.exportPath.replace(/\/+$/, '');
    const volumes = data({
      what: 'volumes of the cluster',
      path,
      why: 'data is kept unless it is purged; a new cluster does not take it up by itself',
      purge: purge.data,
      ...(scope === 'platform' && {only: 'contents'}),
    });
    if (scope === 'platform') return [volumes];
    const {nfs} = systemOf(facts).packages;
    return [
      packagesStay([...nfs.kernel, ...nfs.ganesha, 'libnfs-utils']),
      withdrawn([exportsFile], {
        afterwards: withoutExport,
        but: 'the server stops, and starts no more at boot, unless it exports something else',
      }),
      withdrawn([settingsFile], {afterwards: sh`systemctl try-restart nfs-server.service`}),
      withdrawn([ganeshaFile], {
        firstLine: managedNote,
        afterwards: lines(sh`systemctl disable --now nfs-ganesha.service || exit`, helpersEnd),
        but: 'the server stops, and starts no more at boot',
      }),
      emptyFolderAbsent('/etc/exports.d'),
      emptyFolderAbsent('/etc/nfs.conf.d'),
      volumes,
      ...(isErasable(parent) ? [emptyFolderAbsent(parent)] : []),
    ];
  },
};
