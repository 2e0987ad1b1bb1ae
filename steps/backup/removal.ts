import {posix} from 'node:path';
import type {Removal} from '../../source/engine/removal.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {service} from '../../source/resources/service.ts';
import {packagesStay, stays} from '../../source/resources/stays.ts';
import {data, emptyFolderAbsent, treeAbsent} from '../../source/resources/tree.ts';
import {accountAbsent} from '../../source/resources/user.ts';
import {withdrawn} from '../../source/resources/withdrawn.ts';
import {sh} from '../../source/shell/script.ts';
import {sourcesPaths} from '../postgresql/packages.ts';
import {clusterPaths, clusterUnit} from '../postgresql/paths.ts';
import {hasPostgresql, postgresqlVersion} from '../postgresql/version.ts';
import {managedNote} from '../shared/config-text.ts';
import {
  accessAccount,
  accessHome,
  configurationsFolder,
  etcdFolder,
  filesMirror,
  pgbackrestConfiguration,
  pgbackrestHome,
  pgbackrestLog,
  postgresqlRepository,
  programsFolder,
  repositoryAccount,
  resticCache,
  resticRepository,
  restoreFolder,
  settingsFolder,
  spoolPath,
  statusFolder,
  sudoersPath,
} from './paths.ts';
import {hasBackup, jobIds, serviceOf, timerOf} from './settings.ts';
import {timerPath, unitsFolder} from './units.ts';

const reloadUnits = sh`systemctl daemon-reload`;

/** What other steps of the backups have put there as well goes with whichever of them is the last on a host. */
const programsAbsent: readonly Resource[] = [
  treeAbsent(programsFolder),
  emptyFolderAbsent(posix.dirname(programsFolder)),
];

const pgbackrestAbsent: readonly Resource[] = [
  withdrawn([pgbackrestConfiguration], {firstLine: managedNote}),
  treeAbsent(pgbackrestLog),
];

/** No key opens this machine any more, whatever else happens. */
export const backupAccessRemoval: Removal = {
  resources: ({scope}) =>
    scope === 'platform'
      ? []
      : [
          packagesStay(['rsync', 'python3', 'sudo']),
          withdrawn([sudoersPath]),
          accountAbsent(accessAccount, accessHome),
          treeAbsent(accessHome),
          ...programsAbsent,
        ],
};

/** Before the server goes on alone: without the archive its journal would pile up until the disk is full. */
export const backupPostgresqlRemoval: Removal = {
  estimate: 15,
  resources: ({scope, deployment, facts}) => {
    if (scope === 'platform' || !hasPostgresql(deployment)) return [];
    const version = postgresqlVersion(deployment, facts);
    return [
      packagesStay(['pgbackrest']),
      service('groundwork-backup-watch.timer', {enabled: false, running: false}),
      withdrawn(
        ['timer', 'service'].map(kind => `${unitsFolder}/groundwork-backup-watch.${kind}`),
        {afterwards: reloadUnits},
      ),
      withdrawn([`${clusterPaths(version).settings}/groundwork-backup.conf`], {
        afterwards: sh`systemctl try-restart ${clusterUnit(version)}`,
        but: 'the databases send their journal nowhere any more',
      }),
      withdrawn(['/var/lib/postgresql/.ssh/authorized_keys'], {firstLine: managedNote}),
      emptyFolderAbsent('/var/lib/postgresql/.ssh'),
      ...pgbackrestAbsent,
      treeAbsent(spoolPath),
    ];
  },
};

/** The copies stay unless they are purged by a phrase of their own: they are the last way back. */
export const backupJobsRemoval: Removal = {
  estimate: 20,
  resources: ({scope, purge, deployment}) => {
    if (scope === 'platform') return [];
    const jobs = jobIds.flatMap(id => [
      service(timerOf(id), {enabled: false, running: false}),
      service(serviceOf(id), {running: false}),
    ]);
    const copies = (what: string, folder: typeof resticRepository): readonly Resource[] =>
      hasBackup(deployment)
        ? [
            data({
              what,
              path: folder(deployment),
              why: 'backups are kept unless they are purged; the vault has what opens them',
              purge: purge.backups,
            }),
          ]
        : [];
    return [
      packagesStay(['restic', 'rsync', 'msmtp']),
      ...jobs,
      withdrawn(
        [
          ...jobIds.map(timerPath),
          ...['groundwork-backup@', 'groundwork-backup-alert@'].map(name => `${unitsFolder}/${name}.service`),
        ],
        {afterwards: reloadUnits},
      ),
      ...copies('backups of the databases', postgresqlRepository),
      ...copies('backups of files and settings', resticRepository),
      ...copies('the newest state of the volumes', filesMirror),
      ...copies('the newest settings of the hosts', configurationsFolder),
      ...copies('copies of the cluster’s state', etcdFolder),
      ...copies('staged restores', restoreFolder),
      ...copies('the record of the jobs', statusFolder),
      treeAbsent(resticCache),
      ...programsAbsent,
    ];
  },
};

export const backupRepositoryRemoval: Removal = {
  resources: ({scope}) =>
    scope === 'platform'
      ? []
      : [
          packagesStay(['pgbackrest']),
          withdrawn(['/etc/postgresql-common/createcluster.d/groundwork-backup.conf', ...Object.values(sourcesPaths)]),
          ...pgbackrestAbsent,
        ],
};

/** Kept as long as there are backups that belong to the account: another one would not get into them. */
export const backupKeysRemoval: Removal = {
  resources: ({scope, purge}) =>
    scope === 'platform'
      ? []
      : [
          packagesStay(['openssh-client']),
          ...(purge.backups
            ? [accountAbsent(repositoryAccount, pgbackrestHome), treeAbsent(pgbackrestHome)]
            : [
                stays({
                  when: sh`getent passwd ${repositoryAccount} | grep -F ${`:${pgbackrestHome}:`}`,
                  what: `the account ${repositoryAccount}`,
                  why: 'the backups that stay belong to it',
                }),
              ]),
          treeAbsent(settingsFolder),
        ],
};
