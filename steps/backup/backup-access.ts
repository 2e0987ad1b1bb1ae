import type {Deployment, HostSpec} from '../../source/deployment/schema.ts';
import {type StepContext, step} from '../../source/engine/step.ts';
import {aptPackages} from '../../source/resources/apt-packages.ts';
import {directory} from '../../source/resources/directory.ts';
import {absent, file} from '../../source/resources/file.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {user} from '../../source/resources/user.ts';
import {sh} from '../../source/shell/script.ts';
import {firewall} from '../firewall/firewall.ts';
import {nfsServer} from '../nfs-server/nfs-server.ts';
import {rke2} from '../rke2/rke2.ts';
import {exitsZero} from '../shared/checks.ts';
import {managedFile} from '../shared/config-text.ts';
import {roles} from '../shared/deployment.ts';
import {aptRemedies} from '../shared/remedies.ts';
import {backupKeys} from './backup-keys.ts';
import {givers} from './host-programs.ts';
import {type FetchKey, fetchKeys, keyProduct, keysOfBackupHost, sourceOf, sourceProduct} from './keys.ts';
import {machineRemedies, machinesProduct, sameMachine} from './machine.ts';
import {
  accessHome,
  accessSudoers,
  accessUser,
  keysFolder,
  programPath,
  programsFolder,
  settingsFolder,
} from './paths.ts';
import {rancherPath} from './rancher-objects.ts';
import {accessRemoval} from './removal.ts';
import {backupHost, hasBackup, keeps, sourceHosts} from './settings.ts';

const authorizedKeys = `${accessHome}/.ssh/authorized_keys`;

/** What a host has that is copied. */
export const givenBy = (deployment: Deployment, host: HostSpec): readonly FetchKey[] =>
  fetchKeys.filter(
    key =>
      keeps(deployment, key) &&
      (key === 'configurations' || host.roles.includes(key === 'etcd' ? roles.compute : roles.storage)),
  );

/** One key, one program, from one address; no terminal, no forwarding. */
export const keyLine = (deployment: Deployment, publicKey: string, command: string): string =>
  `restrict,from="${backupHost(deployment).privateAddress}",command="${command}" ${publicKey}`;

const way = (context: StepContext): readonly Resource[] => {
  const {deployment, host, products} = context;
  const given = givenBy(deployment, host);
  const programs = givers(deployment, host);
  return [
    aptPackages(['sudo', ...(given.some(key => key !== 'configurations') ? ['rsync', 'python3'] : [])]),
    user(accessUser, {system: true, home: accessHome, shell: '/bin/sh'}),
    ...(given.includes('files') && keeps(deployment, 'rancher')
      ? // Open, because the chart says nothing of the account that it writes with. What lies there is encrypted.
        [directory(rancherPath(deployment), {mode: 0o777})]
      : []),
    ...fetchKeys.map(key =>
      given.includes(key)
        ? file(programPath(`give-${key}`), programs[key], {mode: 0o755})
        : absent(programPath(`give-${key}`)),
    ),
    // Root may run these and no others for that account. What the caller asked of rsync goes along, for rrsync to judge.
    file(
      accessSudoers,
      managedFile(
        `Defaults:${accessUser} env_keep += "SSH_ORIGINAL_COMMAND SSH_CONNECTION"`,
        ...given.map(key => `${accessUser} ALL=(root) NOPASSWD: ${programPath(`give-${key}`)} ""`),
      ),
      {mode: 0o440, validate: candidate => sh`visudo -c -q -f ${candidate}`},
    ),
    directory(accessHome),
    directory(`${accessHome}/.ssh`),
    // Root's, so that whoever comes in with a key cannot give it more.
    file(
      authorizedKeys,
      managedFile(
        given.map(key => keyLine(deployment, products[keyProduct(key)] ?? '', `sudo -n ${programPath(`give-${key}`)}`)),
      ),
    ),
  ];
};

export const backupAccess = step({
  id: 'backup-access',
  title: 'Access of the backup host',
  why: 'Lets the backup host read what it copies of this machine, and nothing else.',
  role: roles.base,
  after: [firewall, nfsServer, rke2, backupKeys],
  estimate: 10,
  enabled: hasBackup,
  needs: deployment => [machinesProduct, ...keysOfBackupHost(deployment).map(keyProduct)],
  provides: deployment => sourceHosts(deployment).map(({name}) => sourceProduct(name)),
  resources: context => {
    const {deployment, host} = context;
    const itself = host.name === backupHost(deployment).name;
    return [
      ...(itself ? [] : [sameMachine(context), sourceOf(context), directory(settingsFolder), directory(keysFolder)]),
      directory(programsFolder),
      // The backup host copies its own configuration without a detour.
      ...(itself
        ? [file(programPath('give-configurations'), givers(deployment, host).configurations, {mode: 0o755})]
        : way(context)),
    ];
  },
  verify: ({deployment, host}) =>
    host.name === backupHost(deployment).name
      ? []
      : [
          exitsZero(
            {
              id: 'nothing-else',
              title: 'the backup host’s account may run as root what hands out copies, and nothing else',
              script: sh`sudo -n -l -U ${accessUser} | grep -c NOPASSWD | grep -qx ${String(givenBy(deployment, host).length)}`,
            },
            givenBy(deployment, host).join(', '),
          ),
          exitsZero(
            {
              id: 'keys-only',
              title: 'nobody can log in as that account with a password',
              script: sh`getent shadow ${accessUser} | cut -d : -f 2 | grep -qE '^[!*]'`,
            },
            'it has none',
          ),
        ],
  remedies: [...machineRemedies, ...aptRemedies],
  removal: accessRemoval,
});
