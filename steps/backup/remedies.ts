import type {Remedy} from '../../source/engine/step.ts';
import {aptRemedies} from '../shared/remedies.ts';
import {machineRemedies} from './machine.ts';

/** What goes wrong with backups, as the tools say it. */
export const backupRemedies: readonly Remedy[] = [
  ...machineRemedies,
  {
    id: 'backup-passphrase',
    match: /cannot be opened with the passphrase of the vault|wrong password or no key found/i,
    cause: 'The repository was made with another passphrase than this deployment’s vault has.',
    remedy:
      'Put the right one into the vault (`groundwork secrets set NAME backup-restic-passphrase`), or name another folder for the repository. Do not delete it: nothing else opens what is in it.',
  },
  {
    id: 'backup-other-database',
    match: /\[028\]|\[051\]|is another database than the one/i,
    cause: 'The database was made anew and is not the one that the backups are of.',
    remedy:
      'To have the old data back: `groundwork backup restore postgresql`. To go on with the new database and keep the old backups: `groundwork backup accept database`. Never delete the repository.',
  },
  {
    id: 'backup-key-refused',
    match: /permission denied \(publickey|this key is for pgBackRest alone|\[12[47]\]/i,
    cause:
      'The other host does not take the key: its SSH server lets only some users in, or the key was changed by hand.',
    remedy:
      'Retry the step “Access of the backup host”. If the SSH server has AllowUsers or AllowGroups, add groundwork-backup, postgres and pgbackrest to it.',
  },
  {
    id: 'backup-host-key',
    match: /host key verification failed|remote host identification has changed/i,
    cause:
      'The other host has another SSH key than the installer saw: it was built anew, or somebody stands in between.',
    remedy: 'See with `groundwork trust` which key it has. If it is right, run `groundwork install` again.',
  },
  {
    id: 'backup-unreachable',
    match: /unable to (connect|find primary)|connection (timed out|refused)|no route to host|\[103\]/i,
    cause: 'The backup host and the other one do not reach each other on the port of SSH.',
    remedy: 'Check that both are on the private subnet and that nothing between them filters SSH, then retry.',
    transient: true,
  },
  {
    id: 'backup-archive',
    match: /\[082\]|WAL segment .* was not archived/i,
    cause: 'The database’s journal does not arrive at the backup host in time.',
    remedy:
      'Look at the database’s log on the storage host (`journalctl -u postgresql@*`), mend what it says, then retry.',
    transient: true,
  },
  {
    id: 'backup-disk',
    match: /no space left on device/i,
    cause: 'The disk of the repository is full.',
    remedy:
      'Give the repository more room, or keep less (retention), then retry. Delete nothing by hand: pgBackRest and restic give up what is old by themselves.',
  },
  ...aptRemedies,
];
