import {step} from '../../source/engine/step.ts';
import {aptPackages} from '../../source/resources/apt-packages.ts';
import {directory} from '../../source/resources/directory.ts';
import {user} from '../../source/resources/user.ts';
import {sh} from '../../source/shell/script.ts';
import {firewall} from '../firewall/firewall.ts';
import {exitsZero} from '../shared/checks.ts';
import {roles} from '../shared/deployment.ts';
import {aptRemedies} from '../shared/remedies.ts';
import {keyProduct, keysOfBackupHost, repositoryKey, sourceOf, sourceProduct, sshKey} from './keys.ts';
import {machinesProduct, rememberedMachines} from './machine.ts';
import {keyPath, keysFolder, pgbackrestHome, repositoryUser, settingsFolder} from './paths.ts';
import {keysRemoval} from './removal.ts';
import {backupHost, hasBackup, keeps} from './settings.ts';

const ownerOf = (key: string): string => (key === repositoryKey ? repositoryUser : 'root');

export const backupKeys = step({
  id: 'backup-keys',
  title: 'Keys of the backup host',
  why: 'Makes the keys by which it fetches, each for one thing alone, and remembers which machines its copies are of.',
  role: roles.backup,
  after: [firewall],
  estimate: 15,
  enabled: hasBackup,
  provides: deployment => [
    machinesProduct,
    sourceProduct(backupHost(deployment).name),
    ...keysOfBackupHost(deployment).map(keyProduct),
  ],
  resources: context => [
    aptPackages(['openssh-client']),
    directory(settingsFolder),
    directory(keysFolder),
    // With a shell, because the database's side of pgBackRest comes in by SSH, to one program of ours.
    ...(keeps(context.deployment, 'postgresql')
      ? [user(repositoryUser, {system: true, home: pgbackrestHome, shell: '/bin/sh'})]
      : []),
    rememberedMachines,
    sourceOf(context),
    ...keysOfBackupHost(context.deployment).map(key => sshKey(key, ownerOf(key))),
  ],
  verify: ({deployment}) =>
    keysOfBackupHost(deployment).map(key =>
      exitsZero({
        id: `key-${key}`,
        title: `the key ${key} is one, and nobody else can read it`,
        script: sh`[ "$(stat -c %a ${keyPath(key)})" = 600 ] && ssh-keygen -l -f ${keyPath(key)}`,
      }),
    ),
  remedies: aptRemedies,
  removal: keysRemoval,
});
