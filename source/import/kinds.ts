import {lowerCase, type Table} from './reading.ts';
import type {SettingsFile} from './settings-file.ts';
import {backups} from './tables/backup.ts';
import {letsEncrypt, suppliedCertificates} from './tables/certificates.ts';
import {environmentFile, plannedEnvironments, productionEnvironment} from './tables/environments.ts';
import {backupMachine, productionMachines, sandboxMachine} from './tables/machines.ts';
import {
  adminWorkstation,
  clusterName,
  productionDomain,
  productionNetwork,
  productionVpn,
  publicAccess,
  sandboxVpn,
} from './tables/network.ts';
import {addedNode, cloudMachines, plan} from './tables/others.ts';
import {alertChannels, assistant, logs, productionPlatform, sandboxPlatform} from './tables/platform.ts';
import {nfs, postgresql} from './tables/storage.ts';

/** A kind of file that OpenG2P's scripts read. */
export type Kind = {
  readonly id: string;
  readonly title: string;
  /** What the machines are of that it speaks of; without it, the file says nothing about machines. */
  readonly topology?: 'sandbox' | 'production-minimum';
  /** Among several files, one of a later kind is heard where two say different things. */
  readonly table: Table;
};

const observability: Table = {...logs, ...alertChannels, ...assistant};

const production: Table = {
  ...clusterName,
  ...productionDomain,
  ...suppliedCertificates,
  ...productionMachines,
  ...productionNetwork,
  ...productionVpn,
  ...productionPlatform,
  ...observability,
  ...postgresql,
  ...nfs,
  ...productionEnvironment,
};

const sandbox: Table = {
  ...clusterName,
  ...sandboxMachine,
  ...publicAccess,
  ...sandboxPlatform,
  ...sandboxVpn,
  ...observability,
};

/** Which settings provisioning in a cloud writes, for both topologies; they win over those that people wrote. */
const provisioned =
  /^((rp|compute|storage|backup)_(public_ip|private_ip|ssh_(host|user|key))|private_subnet|admin_cidr|wg_(endpoint|port|peer_dns)|node_(ip|name)|wireguard\.endpoint|ssh_(host|user|key))$/;

const overlay: Table = Object.fromEntries(
  Object.entries({...sandbox, ...production, ...backupMachine}).filter(([key]) => provisioned.test(key)),
);

/** In the order in which they are heard: where two say different things, the later one is right. */
export const kinds: readonly Kind[] = [
  {id: 'aws-config', title: 'what OpenG2P’s scripts make machines of in a cloud', table: cloudMachines},
  {id: 'add-node-config', title: 'settings of OpenG2P’s script for a further machine', table: addedNode},
  {
    id: 'deployment-plan',
    title: 'OpenG2P’s plan of what to procure',
    topology: 'production-minimum',
    table: {
      ...plan,
      rancher_hostname: productionDomain.rancher_hostname,
      keycloak_hostname: productionDomain.keycloak_hostname,
      ...plannedEnvironments,
      ...adminWorkstation,
    } as Table,
  },
  {
    id: 'infra-config',
    title: 'settings of OpenG2P’s single-node scripts',
    topology: 'sandbox',
    table: {...sandbox, local_domain: lowerCase('domain')},
  },
  {
    id: 'single-node-config',
    title: 'settings of OpenG2P’s sandbox script',
    topology: 'sandbox',
    table: {...sandbox, domain: lowerCase('domain'), ...letsEncrypt},
  },
  {
    id: 'prod-config',
    title: 'settings of OpenG2P’s production scripts',
    topology: 'production-minimum',
    table: production,
  },
  {
    id: 'backup-config',
    title: 'settings of OpenG2P’s backup tool',
    topology: 'production-minimum',
    table: {...backupMachine, ...backups},
  },
  {id: 'provision-output', title: 'what OpenG2P’s scripts found out about machines in a cloud', table: overlay},
  {id: 'env-config', title: 'settings of an environment of OpenG2P', table: environmentFile},
];

/** The row of a table for a key, with what `*` stands for in it. */
export const rowOf = (table: Table, key: string): {readonly id: string; readonly star: string} | undefined => {
  if (Object.hasOwn(table, key)) return {id: key, star: ''};
  for (const id of Object.keys(table)) {
    const [before = '', after] = id.split('*');
    if (after === undefined || !key.startsWith(before) || !key.endsWith(after)) continue;
    const star = key.slice(before.length, key.length - after.length);
    if (star !== '' && key.length >= before.length + after.length) return {id, star};
  }
  return undefined;
};

/**
 * The kind of a file by the settings that it has: those that only one kind knows say more than those of many. Undefined
 * when none of them is known.
 */
export const kindOf = ({settings}: SettingsFile): Kind | undefined => {
  const keys = [...new Set(settings.map(({key}) => key))];
  const known = keys.map(key => kinds.filter(({table}) => rowOf(table, key) !== undefined));
  const scores = kinds.map(kind => ({
    kind,
    score: known.reduce((sum, those) => sum + (those.includes(kind) ? 1 / those.length : 0), 0),
    all: known.every(those => those.includes(kind)),
  }));
  const [best] = scores.filter(({score}) => score > 0).toSorted((a, b) => b.score - a.score);
  // What provisioning writes is known to the kinds that it is written for, too.
  const written = scores.find(({kind, all, score}) => kind.id === 'provision-output' && all && score > 0);
  return written && best?.kind.topology !== undefined ? written.kind : best?.kind;
};
