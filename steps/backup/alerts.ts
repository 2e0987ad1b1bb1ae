import type {Deployment} from '../../source/deployment/schema.ts';
import type {SecretSpec} from '../../source/engine/step.ts';
import {aptPackages} from '../../source/resources/apt-packages.ts';
import {absent, file} from '../../source/resources/file.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {sh} from '../../source/shell/script.ts';
import {alertSecrets, mailPasswordSecret} from '../monitoring/alerting.ts';
import {managedFile} from '../shared/config-text.ts';
import {program} from './host-programs.ts';
import {mailSettingsPath, programPath} from './paths.ts';
import {hasBackup} from './settings.ts';

/** Where the deployment’s alerts go by mail, if they do: one setting for all that watches. */
export const mailOf = ({components}: Pick<Deployment, 'components'>) => components.kubernetes?.monitoring.alerts.mail;

/** The password of the mail server, which the alerts of the cluster use, too. */
export const mailSecrets = (deployment: Deployment): readonly SecretSpec[] =>
  hasBackup(deployment) && mailOf(deployment)?.user !== undefined
    ? alertSecrets(deployment).filter(({name}) => name === mailPasswordSecret)
    : [];

/** A text in double quotes, as msmtp reads it; line ends cannot be in it (the schema lets none through). */
const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;

/**
 * For msmtp (marlam.de/msmtp), which hands a mail to the server and ends: nothing runs beside it that could stop. Port 465
 * speaks TLS from the first byte; on 25, inside of a site, the server may know none.
 */
export const mailSettings = (deployment: Deployment, secret: (name: string) => string): string | undefined => {
  const mail = mailOf(deployment);
  if (!mail) return undefined;
  return managedFile(
    'defaults',
    'timeout 30',
    `tls ${mail.port === 25 ? 'off' : 'on'}`,
    `tls_starttls ${mail.port === 465 ? 'off' : 'on'}`,
    'tls_trust_file /etc/ssl/certs/ca-certificates.crt',
    'account default',
    `host ${quoted(mail.server)}`,
    `port ${mail.port}`,
    `from ${quoted(mail.from)}`,
    ...(mail.user === undefined
      ? ['auth off']
      : ['auth on', `user ${quoted(mail.user)}`, `password ${quoted(secret(mailPasswordSecret))}`]),
  );
};

/**
 * `alert SUBJECT` tells what comes on standard input: always to the journal, and by mail where there are receivers. It
 * fails when the mail server did not take it, so that the journal shows that nobody was told.
 */
export const alertProgram = (deployment: Deployment, host: string): string => {
  const mail = mailOf(deployment);
  return program(
    sh`body=$(head -c 20000)
logger --tag groundwork-backup --priority daemon.err -- "$1"`,
    mail
      ? sh`{
  printf 'From: %s\nTo: %s\nSubject: %s\nDate: %s\nContent-Type: text/plain; charset=utf-8\n\n' ${mail.from} ${mail.to.join(', ')} "[${deployment.name}/${host}] $1" "$(date -R)"
  printf '%s\n' "$body"
} | tr -d '\r' | msmtp --file=${mailSettingsPath} -- ${mail.to}`
      : sh`printf '%s\n' "$body" | logger --tag groundwork-backup --priority daemon.err`,
  );
};

/** What a host needs to tell of its troubles by itself. */
export const alertResources = (
  deployment: Deployment,
  host: string,
  secret: (name: string) => string,
): readonly Resource[] => {
  const settings = mailSettings(deployment, secret);
  return [
    ...(settings === undefined
      ? [absent(mailSettingsPath)]
      : [aptPackages(['msmtp', 'ca-certificates']), file(mailSettingsPath, settings, {mode: 0o600, secret: true})]),
    file(programPath('alert'), alertProgram(deployment, host), {mode: 0o755}),
  ];
};
