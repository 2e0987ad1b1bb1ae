import type {Deployment} from '../../source/deployment/schema.ts';
import {type StepContext, step} from '../../source/engine/step.ts';
import {aptPackages} from '../../source/resources/apt-packages.ts';
import {directory} from '../../source/resources/directory.ts';
import {file} from '../../source/resources/file.ts';
import {waitFor} from '../../source/resources/wait-for.ts';
import {type Script, sh} from '../../source/shell/script.ts';
import {authorityFrom, authoritySecret, authoritySpec} from '../certificates/authority.ts';
import {exportPath} from '../nfs-server/exports.ts';
import {nfsServer} from '../nfs-server/nfs-server.ts';
import {tlsPaths} from '../postgresql/paths.ts';
import {postgresql} from '../postgresql/postgresql.ts';
import {hasPostgresql, postgresqlOf} from '../postgresql/version.ts';
import {exitsZero} from '../shared/checks.ts';
import {hostsPlaying, roles} from '../shared/deployment.ts';
import {aptRemedies} from '../shared/remedies.ts';
import {storageAccessRemoval} from './removal.ts';

const storageAddress = (deployment: Deployment): string => {
  const [host] = hostsPlaying(deployment, roles.storage);
  if (!host) throw new Error('the deployment has no storage host');
  return host.privateAddress;
};

/** Whether the cluster's machines and what they keep their data on are different ones. */
const apart = (deployment: Deployment): boolean =>
  hostsPlaying(deployment, roles.compute).some(host => !host.roles.includes(roles.storage));

/** Opens the export as a client, without the kernel's help: a pod is where its failure would be found otherwise. */
const shareOpens = (deployment: Deployment): Script =>
  sh`timeout 5 nfs-ls ${`nfs://${storageAddress(deployment)}${exportPath(deployment)}?version=4`}`;

const databaseAnswers = (deployment: Deployment): Script =>
  sh`pg_isready --host=${storageAddress(deployment)} --port=${postgresqlOf(deployment).port} --timeout=5`;

/** Asked from the machine whose pods will ask, before any of them does. */
export const storageAccess = step({
  id: 'storage-access',
  title: 'Way to the storage host',
  why: 'Makes sure that the cluster’s machines reach the share and the databases before pods need them.',
  role: roles.compute,
  after: [nfsServer, postgresql],
  estimate: 15,
  enabled: apart,
  secrets: deployment => (hasPostgresql(deployment) ? [authoritySpec(deployment)] : []),
  resources: ({deployment, secret}: StepContext) => [
    aptPackages(['libnfs-utils', ...(hasPostgresql(deployment) ? ['postgresql-client'] : [])]),
    ...(hasPostgresql(deployment)
      ? [
          directory(tlsPaths.directory),
          file(tlsPaths.authority, authorityFrom(secret(authoritySecret(deployment))).certificate),
          waitFor({
            id: 'database server reached',
            doing: 'waiting for the databases of the storage host',
            until: databaseAnswers(deployment),
            timeoutSeconds: 60,
            what: 'the database server of the storage host',
          }),
        ]
      : []),
    waitFor({
      id: 'share reached',
      doing: 'waiting for the share of the storage host',
      until: shareOpens(deployment),
      timeoutSeconds: 60,
      what: 'the share of the storage host',
    }),
  ],
  verify: ({deployment}) => [
    exitsZero(
      {id: 'share', title: `${exportPath(deployment)} opens over NFS 4`, script: shareOpens(deployment)},
      'nfs-ls opened it',
    ),
    ...(hasPostgresql(deployment)
      ? [
          exitsZero({
            id: 'databases',
            title: 'the database server accepts connections',
            script: databaseAnswers(deployment),
          }),
        ]
      : []),
  ],
  removal: storageAccessRemoval,
  remedies: [
    {
      id: 'storage-silent',
      match: /waited .* for the (share|database server) of the storage host|connect to .* timed out|no response/i,
      cause: 'The storage host does not answer this machine: it is down, or a firewall between the two refuses.',
      remedy:
        'Verify “Firewall”, “NFS server” and “PostgreSQL” on the storage host. A firewall of the site between the machines must let 2049 and the database’s port through.',
    },
    ...aptRemedies,
  ],
});
