import {type VersionSet, versionSetOf, versionSets} from '../../blueprints/versions.ts';
import {
  changed,
  left,
  leftOut,
  number,
  type Reading,
  type Row,
  secretFor,
  secretLeft,
  type Table,
  taken,
  wholeNumber,
} from '../reading.ts';
import {isTrue} from '../settings-file.ts';

const platform = 'components.kubernetes';

/** A version is one of a set that goes together: it is taken over when a set has it, and else the default set is. */
const versionOf =
  (product: string, pinned: (set: VersionSet) => string | undefined): Row =>
  value => {
    const bare = (version: string | undefined) => version?.replace(/^v/, '');
    const usual = versionSetOf('default');
    const found = [usual, ...versionSets].find(set => set !== undefined && bare(pinned(set)) === bare(value));
    if (found === undefined) {
      const own = usual && pinned(usual);
      return changed(`Groundwork installs ${product} ${own}, which goes with the rest`, {
        [`${platform}.versions`]: 'default',
      });
    }
    return taken({[`${platform}.versions`]: found.id === usual?.id ? 'default' : found.id});
  };

const rke2Version = versionOf('RKE2', ({rke2}) => rke2);
const rancherVersion = versionOf('Rancher', ({charts}) => charts.rancher?.version);
const rancherReplicas = number(`${platform}.rancher.replicas`);

const kubernetes: Table = {
  rke2_version: rke2Version,
  rke2_token: secretLeft('a token is made for the new cluster'),
};

export const productionPlatform: Table = {
  ...kubernetes,
  rancher_version: rancherVersion,
  rancher_replicas: rancherReplicas,
  keycloak_replicas: left('Rancher has users of its own; each environment has a Keycloak'),
  keycloak_admin_email: left('Rancher has users of its own; each environment names its first user'),
};

export const sandboxPlatform: Table = {
  ...kubernetes,
  'rancher.version': rancherVersion,
  'rancher.replicas': rancherReplicas,
};

const retention: Row = value => {
  const hours = wholeNumber(value);
  if (!hours.ok) return {outcome: 'wrong', note: hours.error};
  const retentionDays = Math.max(1, Math.ceil(hours.value / 24));
  const sets = {[`${platform}.logging.retentionDays`]: retentionDays};
  return hours.value % 24 === 0 && hours.value > 0 ? taken(sets) : changed('counts in whole days', sets);
};

/** Log lines: how long they are kept, and the object store that they lie in. */
export const logs: Table = {
  loki_retention_hours: retention,
  loki_minio_root_user: left('the store of the log lines has a user of its own'),
  loki_minio_root_password: secretLeft('a password is made for the store of the log lines'),
  loki_minio_size: left('the size of the store goes with the size of logging, under Components'),
};

/** A channel of alerts is on when the one setting is there that it cannot do without. */
const onlyWith =
  (needed: string, row: Row): Row =>
  (value, look) =>
    look.of(needed) === undefined ? leftOut(`${needed} is not set, so nothing goes there`) : row(value, look);

const alerts = `${platform}.monitoring.alerts`;

const mail = (value: string, look: Parameters<Row>[1]): Reading => {
  const [, server = value, port = '587'] = /^(.*):(\d{1,5})$/.exec(value) ?? [];
  const from = look.of('alert_smtp_from');
  const to = look.of('alert_smtp_to')?.split(/[\s,;]+/) ?? [];
  const user = look.of('alert_smtp_username');
  if (from === undefined || to.length === 0) {
    return leftOut('mail needs alert_smtp_from and alert_smtp_to as well: complete it under Components');
  }
  return taken({[`${alerts}.mail`]: {server, port: Number(port), from, to, ...(user !== undefined && {user})}});
};

const partOfMail = onlyWith('alert_smtp_smarthost', () => taken({}, 'goes with alert_smtp_smarthost'));

/** The scripts cut `"#alerts"` off at its `#`, and then take this very name. */
const slackChannel = (_: string, {written}: {readonly written: string}): Reading =>
  /^[#@]/.test(written)
    ? taken({[`${alerts}.slack`]: {channel: written}})
    : changed('a channel begins with #', {[`${alerts}.slack`]: {channel: `#${written}`}});

/** Settings of which what stands in the file counts, not what the scripts see of it. */
export const readAsWritten: readonly string[] = ['alert_slack_channel'];

export const alertChannels: Table = {
  alert_slack_webhook_url: secretFor('alerts-slack-webhook'),
  alert_slack_channel: onlyWith('alert_slack_webhook_url', slackChannel),
  alert_smtp_smarthost: mail,
  alert_smtp_from: partOfMail,
  alert_smtp_to: partOfMail,
  alert_smtp_username: partOfMail,
  alert_smtp_password: secretFor('alerts-smtp-password'),
  alert_telegram_bot_token: secretFor('alerts-telegram-token'),
  alert_telegram_chat_id: onlyWith('alert_telegram_bot_token', value =>
    /^-?\d{1,15}$/.test(value)
      ? taken({[`${alerts}.telegram`]: {chat: Number(value)}})
      : {outcome: 'wrong', note: `"${value}" is not the number of a chat`},
  ),
};

export const assistant: Table = {
  ai_enabled: value =>
    isTrue(value) ? leftOut('Groundwork does not install the AI layer') : taken({}, 'it is not installed'),
  ai_openrouter_api_key: secretLeft('Groundwork does not install the AI layer'),
  ai_model: left('Groundwork does not install the AI layer'),
};
