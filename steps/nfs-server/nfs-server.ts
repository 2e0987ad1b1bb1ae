import type {Deployment} from '../../source/deployment/schema.ts';
import {type StepContext, step} from '../../source/engine/step.ts';
import {nfsServerFor} from '../../source/hosts/os-data.ts';
import {aptPackages} from '../../source/resources/apt-packages.ts';
import {command} from '../../source/resources/command.ts';
import {directory} from '../../source/resources/directory.ts';
import {file} from '../../source/resources/file.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {service} from '../../source/resources/service.ts';
import {waitFor} from '../../source/resources/wait-for.ts';
import {type Script, sh} from '../../source/shell/script.ts';
import {firewall} from '../firewall/firewall.ts';
import {exitsZero, prints} from '../shared/checks.ts';
import {roles, systemOf} from '../shared/deployment.ts';
import {aptRemedies} from '../shared/remedies.ts';
import {exportPath, ganeshaConfiguration, kernelExports, kernelSettings, shareClients} from './exports.ts';
import {exportsFile, ganeshaFile, settingsFile} from './paths.ts';
import {nfsRemedies} from './remedies.ts';
import {nfsRemoval} from './removal.ts';

/** Who may mount the share now, by what the kernel says, in one line. */
const exportedTo = (deployment: Deployment): Script =>
  sh`exportfs -v | tr -s '\n\t ' '\n' | awk -v path=${exportPath(deployment)} 'found {sub(/\(.*/, ""); print} {found = ($0 == path)}' | LC_ALL=C sort | xargs`;

/** The same as it should be. */
const clientsInOrder = (deployment: Deployment): string =>
  shareClients(deployment)
    .map(({from}) => from)
    .toSorted()
    .join(' ');

const serverOf = ({deployment, facts}: Pick<StepContext, 'deployment' | 'facts'>) =>
  nfsServerFor(deployment.components.nfs.server, facts);

const kernelServer = ({deployment, facts}: StepContext): readonly Resource[] => [
  directory('/etc/exports.d'),
  file(exportsFile, kernelExports(deployment)),
  directory('/etc/nfs.conf.d'),
  file(settingsFile, kernelSettings),
  aptPackages([...systemOf(facts).packages.nfs.kernel]),
  service('nfs-server.service', {
    enabled: true,
    running: true,
    configuration: [settingsFile],
    onChange: 'restart',
  }),
  command({
    id: 'exports as written',
    doing: 'exporting the directory',
    unless: sh`[ "$(${exportedTo(deployment)})" = ${clientsInOrder(deployment)} ]`,
    script: sh`exportfs -ra`,
    change: `export ${exportPath(deployment)} to ${clientsInOrder(deployment)}`,
  }),
];

const ganesha = ({deployment, facts}: StepContext): readonly Resource[] => [
  aptPackages([...systemOf(facts).packages.nfs.ganesha], {withoutStarting: true}),
  file(ganeshaFile, ganeshaConfiguration(deployment)),
  service('nfs-ganesha.service', {
    enabled: true,
    running: true,
    configuration: [ganeshaFile],
    onChange: 'restart',
  }),
];

/** Asks the server as a client would, with libnfs: the kernel of this host may have no NFS client. */
const opened = ({deployment, host}: StepContext): Script =>
  sh`timeout 5 nfs-ls ${`nfs://${host.privateAddress}${exportPath(deployment)}?version=4`}`;

export const nfsServer = step({
  id: 'nfs-server',
  title: 'NFS server',
  why: 'Holds the volumes of the platform, so that they outlive the pods that use them.',
  role: roles.storage,
  after: [firewall],
  estimate: 20,
  removal: nfsRemoval,
  resources: context => [
    directory(context.deployment.components.nfs.exportPath),
    // The CSI driver makes a directory for each volume and sets that one's mode. This one is root's, and what
    // lies below it is never touched: a database refuses to start when somebody opened its files to others.
    directory(exportPath(context.deployment), {mode: 0o755}),
    ...(serverOf(context) === 'kernel' ? kernelServer(context) : ganesha(context)),
    aptPackages(['libnfs-utils']),
    waitFor({
      id: 'NFS server answers',
      doing: 'waiting for the NFS server to answer',
      until: opened(context),
      timeoutSeconds: 30,
      what: 'the NFS server to give out the directory',
    }),
  ],
  verify: context => [
    ...(serverOf(context) === 'kernel'
      ? [
          prints(
            {
              id: 'exported',
              title: 'the directory is exported to the machines that work with it, and to nobody else',
              script: exportedTo(context.deployment),
            },
            clientsInOrder(context.deployment),
          ),
        ]
      : []),
    exitsZero(
      {
        id: 'mountable',
        title: `a client can open ${exportPath(context.deployment)} over NFS 4`,
        script: opened(context),
      },
      `nfs-ls opened ${exportPath(context.deployment)}`,
    ),
  ],
  remedies: [...aptRemedies, ...nfsRemedies],
  skippable: 'The platform has no storage class from this deployment: its volumes need another one that you bring.',
});
