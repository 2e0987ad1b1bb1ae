import type {Deployment} from '../../source/deployment/schema.ts';
import type {SecretSpec} from '../../source/engine/step.ts';
import {absent, file} from '../../source/resources/file.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {type Script, sh} from '../../source/shell/script.ts';
import {managedFile, word} from '../shared/config-text.ts';
import {newPassword} from '../shared/password.ts';
import {keyPath, offsiteCredentialsPath, offsitePassphrasePath, settingsFolder} from './paths.ts';
import {backupOf, hasBackup} from './settings.ts';

/** Of the repository at the other site. Another one than here, so that one lost passphrase does not open both. */
export const offsitePassphrase = 'backup-offsite-passphrase';
/** What goes with the id of the access key of an S3 bucket. */
export const offsiteSecretKey = 'backup-offsite-secret-key';

/** The key by which the backup host comes to the other site’s SFTP server. */
export const offsiteKey = 'offsite';

export const offsiteSettingsPath = `${settingsFolder}/offsite-ssh_config`;
export const offsiteKnownHostsPath = `${settingsFolder}/offsite-known_hosts`;

/** The name by which restic and ssh know the other site’s server. */
const alias = 'groundwork-offsite';

const offsiteOf = (deployment: Deployment) => (hasBackup(deployment) ? backupOf(deployment).offsite : undefined);

export const offsiteSecrets = (deployment: Deployment): readonly SecretSpec[] => {
  const offsite = offsiteOf(deployment);
  if (!offsite) return [];
  return [
    {name: offsitePassphrase, generate: newPassword},
    ...(offsite.kind === 's3' ? [{name: offsiteSecretKey, given: 'the secret access key of the off-site bucket'}] : []),
  ];
};

/** What restic needs to reach it. Nothing secret: paths of files that root alone can read. */
export const offsiteEnvironment = (deployment: Deployment): Script => {
  const offsite = backupOf(deployment).offsite;
  if (!offsite) throw new Error('the deployment has no second repository');
  const common = sh`export RESTIC_PASSWORD_FILE=${offsitePassphrasePath} RESTIC_CACHE_DIR=/var/cache/groundwork-backup`;
  return offsite.kind === 's3'
    ? sh`${common}
export RESTIC_REPOSITORY=${`s3:${offsite.endpoint}/${offsite.bucket}/${deployment.name}`} AWS_SHARED_CREDENTIALS_FILE=${offsiteCredentialsPath} AWS_DEFAULT_REGION=${offsite.region ?? 'us-east-1'}`
    : sh`${common}
export RESTIC_REPOSITORY=${`sftp:${alias}:${offsite.path}/${deployment.name}`}
restic() { command restic -o ${`sftp.command=ssh -F ${offsiteSettingsPath} ${alias} -s sftp`} "$@"; }`;
};

/** Files on the backup host by which it gets into the other site’s repository. */
export const offsiteResources = (deployment: Deployment, secret: (name: string) => string): readonly Resource[] => {
  const offsite = offsiteOf(deployment);
  if (!offsite) return [absent(offsitePassphrasePath), absent(offsiteCredentialsPath)];
  const passphrase = file(offsitePassphrasePath, `${secret(offsitePassphrase)}\n`, {mode: 0o600, secret: true});
  if (offsite.kind === 's3') {
    return [
      passphrase,
      file(
        offsiteCredentialsPath,
        managedFile(
          '[default]',
          `aws_access_key_id = ${offsite.keyId}`,
          `aws_secret_access_key = ${secret(offsiteSecretKey)}`,
        ),
        {mode: 0o600, secret: true},
      ),
    ];
  }
  return [
    passphrase,
    file(offsiteKnownHostsPath, `${alias} ${offsite.hostKey}\n`),
    file(
      offsiteSettingsPath,
      managedFile(
        `Host ${alias}`,
        `  HostName ${word(offsite.host)}`,
        `  Port ${offsite.port}`,
        `  User ${word(offsite.user)}`,
        `  IdentityFile ${keyPath(offsiteKey)}`,
        `  HostKeyAlias ${alias}`,
        `  UserKnownHostsFile ${offsiteKnownHostsPath}`,
        '  GlobalKnownHostsFile /dev/null',
        '  StrictHostKeyChecking yes',
        '  IdentitiesOnly yes',
        '  BatchMode yes',
        '  ConnectTimeout 15',
        '  ServerAliveInterval 15',
      ),
    ),
  ];
};
