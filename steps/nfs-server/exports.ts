import type {Deployment} from '../../source/deployment/schema.ts';
import {managedFile, word} from '../shared/config-text.ts';
import {roles} from '../shared/deployment.ts';

/** What is exported: a directory of this deployment's own, so that several share a server without sharing data. */
export const exportPath = ({components, name}: Pick<Deployment, 'components' | 'name'>): string =>
  `${components.nfs.exportPath.replace(/\/+$/, '')}/${name}`;

/** Who may mount it, and whether to write; addresses, or a subnet. */
export type ShareClient = {readonly from: string; readonly writes: boolean};

/**
 * The machines of the cluster, the backup machine to read, and the server itself, which asks as a client whether it answers.
 * A single machine opens it to the private subnet, so that another one can be added to its cluster.
 */
export const shareClients = (deployment: Deployment): readonly ShareClient[] => {
  if (deployment.hosts.length <= 1) return [{from: deployment.network.privateSubnet, writes: true}];
  return deployment.hosts
    .filter(({roles: played}) => [roles.compute, roles.storage, roles.backup].some(role => played.includes(role)))
    .map(({privateAddress, roles: played}) => ({
      from: privateAddress,
      writes: played.includes(roles.compute) || played.includes(roles.storage),
    }));
};

/**
 * For the kernel's server. `no_root_squash` because the CSI driver makes and hands over directories as root; that is
 * why nobody else may mount, and only from a port that takes root there (no `insecure`).
 */
export const kernelExports = (deployment: Deployment): string =>
  managedFile(
    [
      word(exportPath(deployment)),
      ...shareClients(deployment).map(
        ({from, writes}) => `${word(from)}(${writes ? 'rw' : 'ro'},sync,no_subtree_check,no_root_squash,sec=sys)`,
      ),
    ].join(' '),
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
    shareClients(deployment).flatMap(({from, writes}) => [
      '  CLIENT {',
      `    Clients = ${word(from)};`,
      `    Access_Type = ${writes ? 'RW' : 'RO'};`,
      '    Squash = No_Root_Squash;',
      '  }',
    ]),
    '  FSAL {',
    '    Name = VFS;',
    '  }',
    '}',
  );
};
