import type {Deployment} from '../../source/deployment/schema.ts';
import {managedFile, word} from '../shared/config-text.ts';

/** What is exported: a directory of this deployment's own, so that several share a server without sharing data. */
export const exportPath = ({components, name}: Pick<Deployment, 'components' | 'name'>): string =>
  `${components.nfs.exportPath.replace(/\/+$/, '')}/${name}`;

/**
 * For the kernel's server. `no_root_squash` because the CSI driver makes and hands over directories as root; that is
 * why nobody outside the private subnet may mount, and only from a port that takes root there (no `insecure`).
 */
export const kernelExports = (deployment: Deployment): string =>
  managedFile(
    `${word(exportPath(deployment))} ${word(deployment.network.privateSubnet)}(rw,sync,no_subtree_check,no_root_squash,sec=sys)`,
  );

/** NFS 4 alone: one port, no helpers that choose ports of their own. */
export const kernelSettings = managedFile('[nfsd]', 'vers3=n', 'vers4=y', 'udp=n', 'tcp=y');

/** The same for NFS-Ganesha. Nobody has access but the clients that are named. */
export const ganeshaConfiguration = (deployment: Deployment): string => {
  const path = word(exportPath(deployment));
  return managedFile(
    'NFS_CORE_PARAM {',
    '  Protocols = 4;',
    '  Enable_NLM = false;',
    '  Enable_RQUOTA = false;',
    '}',
    'EXPORT {',
    '  Export_Id = 1;',
    `  Path = ${path};`,
    `  Pseudo = ${path};`,
    '  Protocols = 4;',
    '  Transports = TCP;',
    '  SecType = sys;',
    '  Access_Type = None;',
    '  CLIENT {',
    `    Clients = ${word(deployment.network.privateSubnet)};`,
    '    Access_Type = RW;',
    '    Squash = No_Root_Squash;',
    '  }',
    '  FSAL {',
    '    Name = VFS;',
    '  }',
    '}',
  );
};
