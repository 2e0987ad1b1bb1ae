import type {Deployment} from '../../source/deployment/schema.ts';
import {type StepContext, step, type Verification} from '../../source/engine/step.ts';
import {aptPackages} from '../../source/resources/apt-packages.ts';
import {command} from '../../source/resources/command.ts';
import {directory} from '../../source/resources/directory.ts';
import {absent, file} from '../../source/resources/file.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {service} from '../../source/resources/service.ts';
import {lines, sh} from '../../source/shell/script.ts';
import {exitsZero} from '../shared/checks.ts';
import {managedFile, word} from '../shared/config-text.ts';
import {roles} from '../shared/deployment.ts';
import {newPassword} from '../shared/password.ts';
import {alertResources, mailSecrets} from './alerts.ts';
import {backupAccess, givenBy} from './backup-access.ts';
import {backupKeys} from './backup-keys.ts';
import {jobProgram, resticEnvironment} from './jobs.ts';
import {sourceProduct, sshKey} from './keys.ts';
import {machinesFile, machinesProduct, sourcesIn} from './machine.ts';
import {offsiteKey, offsiteResources, offsiteSecrets} from './offsite.ts';
import {
  accessUser,
  configurationsFolder,
  etcdFolder,
  filesMirror,
  jobPath,
  keyPath,
  knownHostsPath,
  machinesPath,
  programPath,
  programsFolder,
  resticPassphrasePath,
  resticRepository,
  restoreFolder,
  sshSettingsPath,
  statusFolder,
  unitsFolder,
} from './paths.ts';
import {backupRemedies} from './remedies.ts';
import {jobsRemoval} from './removal.ts';
import {backupOf, hasBackup, jobIds, jobsOf, keeps, sourceHosts, timerOf} from './settings.ts';
import {alertJobProgram, alertService, jobService, jobTimer, recordProgram, timerPath} from './units.ts';

export const resticPassphrase = 'backup-restic-passphrase';

/** How the backup host comes to the others: with host keys that the installer saw, and nothing of anybody's own settings. */
const sshSettings = (deployment: Deployment, products: StepContext['products']): string =>
  managedFile(
    ...sourcesIn(deployment, products).map(({host, source}) => [
      `Host ${word(host.name)}`,
      `  HostName ${word(host.privateAddress)}`,
      `  Port ${source.port}`,
      `  HostKeyAlias ${word(host.name)}`,
    ]),
    'Host *',
    `  User ${accessUser}`,
    `  UserKnownHostsFile ${knownHostsPath}`,
    '  GlobalKnownHostsFile /dev/null',
    '  StrictHostKeyChecking yes',
    '  UpdateHostKeys no',
    '  IdentitiesOnly yes',
    '  BatchMode yes',
    '  ConnectTimeout 15',
    // An hour without a sign of life is a host that is gone, and not a slow disk.
    '  ServerAliveInterval 30',
    '  ServerAliveCountMax 10',
  );

/** By the names of the deployment, and by address for pgBackRest, which knows no names. */
export const knownHosts = (deployment: Deployment, products: StepContext['products']): string =>
  sourcesIn(deployment, products)
    .map(({host, source}) => `${host.name} ${source.hostKey}\n`)
    .join('');

/** A repository that is there and does not open is never made anew: the passphrase is another one, or it is damaged. */
const repository = (deployment: Deployment): Resource =>
  command({
    id: 'restic repository',
    doing: 'making the repository of files and configurations',
    unless: lines(resticEnvironment(deployment), sh`restic cat config --no-lock >/dev/null`),
    script: lines(
      resticEnvironment(deployment),
      sh`if [ -e "$RESTIC_REPOSITORY/config" ]; then
  restic cat config --no-lock >/dev/null
  echo 'the repository is there and cannot be opened with the passphrase of the vault' >&2
  exit 1
fi
restic init`,
    ),
    change: 'make an encrypted repository',
  });

const timers = (deployment: Deployment): readonly Resource[] => {
  const jobs = jobsOf(deployment);
  const gone = jobIds.filter(id => !jobs.some(job => job.id === id));
  return [
    ...jobs.flatMap(job => [
      file(jobPath(job.id), jobProgram(deployment, job.id), {mode: 0o755}),
      file(timerPath(job.id), jobTimer(deployment, job), {
        validate: () => sh`systemd-analyze calendar ${`${job.calendar} ${backupOf(deployment).timeZone}`} >/dev/null`,
      }),
      service(timerOf(job.id), {
        enabled: true,
        running: true,
        configuration: [timerPath(job.id)],
        onChange: 'restart',
      }),
    ]),
    ...gone.flatMap(id => [
      command({
        id: `no timer ${id}`,
        doing: `stopping the timer of ${id}`,
        unless: sh`[ ! -e ${timerPath(id)} ]`,
        script: sh`systemctl --quiet disable --now ${timerOf(id)}; rm -f ${timerPath(id)}; systemctl daemon-reload`,
        change: `no longer do ${id} by itself`,
      }),
      absent(jobPath(id)),
    ]),
  ];
};

/** Whether each key opens what it is for. In a rehearsal there is no network between the hosts. */
const reaches = ({deployment, facts}: StepContext): readonly Verification[] =>
  facts.practice
    ? []
    : sourceHosts(deployment).flatMap(host =>
        givenBy(deployment, host)
          .filter(key => key !== 'etcd')
          .map(key =>
            exitsZero(
              {
                id: `reads-${key}-${host.name}`,
                title: `the key ${key} opens ${host.name}, and what it hands out can be read`,
                script:
                  key === 'configurations'
                    ? sh`set -o pipefail; timeout 12 ssh -n -F ${sshSettingsPath} -i ${keyPath(key)} ${host.name} configurations | tar --list >/dev/null`
                    : sh`timeout 12 rsync --list-only -e ${`ssh -F ${sshSettingsPath} -i ${keyPath(key)}`} ${`${host.name}:/`} >/dev/null`,
              },
              'read',
            ),
          ),
      );

export const backupJobs = step({
  id: 'backup-jobs',
  title: 'Backup jobs',
  why: 'Fetches what the other hosts hold, at its times, keeps it as long as the deployment says, and tells when it could not.',
  role: roles.backup,
  after: [backupKeys, backupAccess],
  estimate: 40,
  enabled: hasBackup,
  needs: deployment => [machinesProduct, ...sourceHosts(deployment).map(({name}) => sourceProduct(name))],
  secrets: deployment => [
    {name: resticPassphrase, generate: newPassword},
    ...offsiteSecrets(deployment),
    ...mailSecrets(deployment),
  ],
  resources: context => {
    const {deployment, host, products, secret} = context;
    const {path, offsite} = backupOf(deployment);
    return [
      aptPackages(['restic', 'rsync']),
      // Its owner's alone, but for the way through it: pgBackRest's account has its part of it.
      directory(path, {mode: 0o711}),
      directory(statusFolder(deployment)),
      ...(keeps(deployment, 'files') ? [directory(filesMirror(deployment), {mode: 0o700})] : []),
      ...(keeps(deployment, 'configurations') ? [directory(configurationsFolder(deployment), {mode: 0o700})] : []),
      ...(keeps(deployment, 'etcd') ? [directory(etcdFolder(deployment), {mode: 0o700})] : []),
      directory(restoreFolder(deployment), {mode: 0o711}),
      file(machinesPath, machinesFile(deployment, products)),
      file(knownHostsPath, knownHosts(deployment, products)),
      file(sshSettingsPath, sshSettings(deployment, products)),
      file(resticPassphrasePath, `${secret(resticPassphrase)}\n`, {mode: 0o600, secret: true}),
      directory(resticRepository(deployment), {mode: 0o700}),
      repository(deployment),
      ...(offsite?.kind === 'sftp' ? [sshKey(offsiteKey)] : []),
      ...offsiteResources(deployment, secret),
      directory(`${programsFolder}/jobs`),
      ...alertResources(deployment, host.name, secret),
      file(programPath('record'), recordProgram(deployment), {mode: 0o755}),
      file(programPath('alert-job'), alertJobProgram, {mode: 0o755}),
      file(`${unitsFolder}/groundwork-backup@.service`, jobService),
      file(`${unitsFolder}/groundwork-backup-alert@.service`, alertService),
      ...timers(deployment),
    ];
  },
  verify: context => {
    const {deployment} = context;
    return [
      exitsZero(
        {
          id: 'repository',
          title: 'the repository opens with the passphrase of the vault',
          script: lines(resticEnvironment(deployment), sh`restic cat config --no-lock >/dev/null`),
        },
        'it does',
      ),
      exitsZero(
        {
          id: 'timers',
          title: 'every job has a time at which it is done by itself',
          script: sh`systemctl is-active ${jobsOf(deployment).map(({id}) => timerOf(id))}`,
        },
        `${jobsOf(deployment).length} timers`,
      ),
      ...reaches(context),
    ];
  },
  handover: ({deployment, products}) =>
    backupOf(deployment).offsite?.kind === 'sftp' && products[`backup-key.${offsiteKey}`] !== undefined
      ? [
          {
            path: 'backup/offsite.pub',
            title: 'Public key for the off-site server',
            content: `${products[`backup-key.${offsiteKey}`]} groundwork-backup\n`,
            secret: false,
          },
        ]
      : [],
  remedies: backupRemedies,
  removal: jobsRemoval,
});
