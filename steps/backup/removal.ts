import type {Deployment} from '../../source/deployment/schema.ts';
import type {Removal} from '../../source/engine/removal.ts';
import {command} from '../../source/resources/command.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {packagesStay} from '../../source/resources/stays.ts';
import {data, emptyFolderAbsent, isErasable, treeAbsent} from '../../source/resources/tree.ts';
import {accountAbsent} from '../../source/resources/user.ts';
import {withdrawn} from '../../source/resources/withdrawn.ts';
import {lines, sh} from '../../source/shell/script.ts';
import {clusterPaths, clusterUnit} from '../postgresql/paths.ts';
import {hasPostgresql, postgresqlVersion} from '../postgresql/version.ts';
import {
  accessHome,
  accessSudoers,
  accessUser,
  archiveSettingsPath,
  configurationsFolder,
  createClusterPath,
  databaseAuthorizedKeys,
  etcdFolder,
  filesMirror,
  machinesPath,
  pgbackrestConfiguration,
  pgbackrestHome,
  pgbackrestLog,
  postgresqlRepository,
  programsFolder,
  repositoryUser,
  resticRepository,
  restoreFolder,
  settingsFolder,
  statusFolder,
  unitsFolder,
} from './paths.ts';
import {backupHost, backupOf, hasBackup, jobIds, timerOf} from './settings.ts';

/** Units of ours: stopped, no longer started at boot, and gone. */
const noUnits = (id: string, started: readonly string[], files: readonly string[]): readonly Resource[] => [
  command({
    id: `no ${id} by themselves`,
    doing: `stopping ${id}`,
    unless: sh`! systemctl is-active --quiet ${started} && ! systemctl is-enabled --quiet ${started} 2>/dev/null`,
    script: lines(
      ...started.map(unit => sh`[ ! -e ${`${unitsFolder}/${unit}`} ] || systemctl --quiet disable --now ${unit}`),
      sh`:`,
    ),
    change: `stop ${id}`,
  }),
  withdrawn(
    files.map(name => `${unitsFolder}/${name}`),
    {afterwards: sh`systemctl daemon-reload`},
  ),
];

export const keysRemoval: Removal = {
  resources: ({scope}) => (scope === 'platform' ? [] : [accountAbsent(repositoryUser, pgbackrestHome)]),
};

export const accessRemoval: Removal = {
  resources: ({scope}) =>
    scope === 'platform'
      ? []
      : [
          packagesStay(['rsync']),
          withdrawn([accessSudoers]),
          accountAbsent(accessUser, accessHome),
          treeAbsent(accessHome),
          treeAbsent(programsFolder),
          treeAbsent(settingsFolder),
        ],
};

/** Without its archive the database is restarted: it would keep its journal for ever otherwise, waiting to send it. */
export const archiveRemoval: Removal = {
  estimate: 15,
  resources: ({scope, deployment, facts}) => {
    if (scope === 'platform' || !hasPostgresql(deployment)) return [];
    const version = postgresqlVersion(deployment, facts);
    return [
      packagesStay(['pgbackrest']),
      ...noUnits(
        'the watch over the archive',
        ['groundwork-backup-watch.timer'],
        ['groundwork-backup-watch.timer', 'groundwork-backup-watch.service'],
      ),
      withdrawn([archiveSettingsPath(clusterPaths(version).settings)], {
        afterwards: sh`systemctl try-restart ${clusterUnit(version)}`,
        but: 'the database restarts, and sends its journal nowhere',
      }),
      withdrawn([databaseAuthorizedKeys]),
      withdrawn([pgbackrestConfiguration]),
      treeAbsent(pgbackrestHome),
      treeAbsent(pgbackrestLog),
      treeAbsent('/var/lib/groundwork/backup-watch'),
    ];
  },
};

/**
 * What lies in the folder of the backups, part by part: the folder itself may be a disk that somebody uses for more. Nothing
 * where the deployment has no backups: then nobody knows where they would be.
 */
const copies = (deployment: Deployment, purge: boolean): readonly Resource[] => {
  if (!hasBackup(deployment)) return [];
  const why = `backups are the last way back; the passphrases that open them are in the vault of this side, and ${backupHost(deployment).name} has them no more`;
  const parts = [
    ['backups of the databases', postgresqlRepository],
    ['backups of files and settings', resticRepository],
    ['the newest state of the volumes', filesMirror],
    ['the newest settings of the hosts', configurationsFolder],
    ['copies of the cluster’s state', etcdFolder],
    ['staged restores', restoreFolder],
    ['the record of the jobs', statusFolder],
  ] as const;
  const {path} = backupOf(deployment);
  return [
    ...parts.map(([what, folder]) => data({what, path: folder(deployment), why, purge})),
    ...(isErasable(path) ? [emptyFolderAbsent(path)] : []),
  ];
};

export const jobsRemoval: Removal = {
  resources: ({scope, purge, deployment}) =>
    scope === 'platform'
      ? []
      : [
          packagesStay(['restic']),
          ...noUnits('the backup jobs', jobIds.map(timerOf), [
            ...jobIds.map(timerOf),
            'groundwork-backup@.service',
            'groundwork-backup-alert@.service',
          ]),
          withdrawn([machinesPath]),
          treeAbsent('/var/cache/groundwork-backup'),
          ...copies(deployment, purge.backups),
        ],
};

export const repositoryRemoval: Removal = {
  resources: ({scope}) =>
    scope === 'platform'
      ? []
      : [
          packagesStay(['pgbackrest']),
          withdrawn([createClusterPath]),
          withdrawn([pgbackrestConfiguration]),
          treeAbsent(pgbackrestHome),
          treeAbsent(pgbackrestLog),
        ],
};
