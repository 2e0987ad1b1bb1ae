import {stringify} from 'yaml';
import type {Deployment} from '../../source/deployment/schema.ts';
import type {SecretSpec} from '../../source/engine/step.ts';
import type {KubeObject} from '../../source/kubernetes/objects.ts';
import {kubernetesOf} from '../shared/deployment.ts';
import {namespaces, opaqueSecret} from '../shared/platform.ts';

type Alerts = ReturnType<typeof kubernetesOf>['monitoring']['alerts'];

/** Alertmanager's settings. It has no secret in it, and is in a Secret only because the operator reads it from one. */
export const configurationSecret = 'alertmanager-groundwork';

/** What opens the channels, as files beside Alertmanager, which its settings name. */
export const credentialsSecret = 'alertmanager-credentials';

const channelSecrets = {
  slack: 'alerts-slack-webhook',
  mail: 'alerts-smtp-password',
  telegram: 'alerts-telegram-token',
} as const;

/** Others that send mail log in to the same server. */
export const mailPasswordSecret = channelSecrets.mail;

type Channel = keyof typeof channelSecrets;

/** Where the Prometheus operator mounts a Secret that the Alertmanager object names. */
const fileOf = (channel: Channel): string =>
  `/etc/alertmanager/secrets/${credentialsSecret}/${channelSecrets[channel]}`;

/** The channels that need something secret: only a mail server that wants a login has a password. */
const secretive = (alerts: Alerts): readonly Channel[] => [
  ...(alerts.slack ? (['slack'] as const) : []),
  ...(alerts.mail?.user === undefined ? [] : (['mail'] as const)),
  ...(alerts.telegram ? (['telegram'] as const) : []),
];

const meaning: Readonly<Record<Channel, string>> = {
  slack: 'the address of Slack’s incoming webhook, for alerts',
  mail: 'the password of the mail server, for alerts',
  telegram: 'the token of Telegram’s bot, for alerts',
};

/** What only the operator can give, and only for the channels that the deployment has. */
export const alertSecrets = (deployment: Deployment): readonly SecretSpec[] =>
  secretive(kubernetesOf(deployment).monitoring.alerts).map(channel => ({
    name: channelSecrets[channel],
    given: meaning[channel],
  }));

const title = '[{{ .Status | toUpper }}] {{ .CommonLabels.alertname }} ({{ .CommonLabels.severity }})';

const text = [
  '{{ range .Alerts }}{{ .Annotations.summary }}{{ if .Annotations.description }}',
  '{{ .Annotations.description }}{{ end }}{{ if .Labels.namespace }}',
  'namespace {{ .Labels.namespace }}{{ end }}',
  '{{ end }}',
].join('\n');

const receiver = ({slack, mail, telegram}: Alerts) => ({
  name: 'operators',
  ...(slack && {
    slack_configs: [{api_url_file: fileOf('slack'), channel: slack.channel, send_resolved: true, title, text}],
  }),
  ...(mail && {
    email_configs: mail.to.map(to => ({
      to,
      from: mail.from,
      smarthost: `${mail.server}:${mail.port}`,
      // 25 is the port of servers inside a site, which may know no TLS.
      require_tls: mail.port !== 25,
      send_resolved: true,
      headers: {Subject: title},
      ...(mail.user !== undefined && {auth_username: mail.user, auth_password_file: fileOf('mail')}),
    })),
  }),
  ...(telegram && {
    telegram_configs: [
      {
        bot_token_file: fileOf('telegram'),
        chat_id: telegram.chat,
        send_resolved: true,
        parse_mode: '',
        message: `${title}\n${text}`,
      },
    ],
  }),
});

const hasChannel = ({slack, mail, telegram}: Alerts): boolean =>
  slack !== undefined || mail !== undefined || telegram !== undefined;

/**
 * What comes at least as a warning goes to the operators: once for each kind of alert and namespace, again after four
 * hours, and when it is over. What is always there on purpose (`Watchdog`) or explains another alert goes nowhere.
 */
export const alertmanagerConfiguration = (deployment: Deployment) => {
  const {alerts} = kubernetesOf(deployment).monitoring;
  return {
    global: {resolve_timeout: '5m'},
    route: {
      receiver: 'nobody',
      group_by: ['alertname', 'namespace'],
      group_wait: '30s',
      group_interval: '5m',
      repeat_interval: '4h',
      routes: [
        {receiver: 'nobody', matchers: ['alertname =~ "Watchdog|InfoInhibitor"']},
        ...(hasChannel(alerts) ? [{receiver: 'operators', matchers: ['severity =~ "warning|critical"']}] : []),
      ],
    },
    inhibit_rules: [
      {
        source_matchers: ['severity = "critical"'],
        target_matchers: ['severity =~ "warning|info"'],
        equal: ['namespace', 'alertname'],
      },
      {
        source_matchers: ['alertname = "InfoInhibitor"'],
        target_matchers: ['severity = "info"'],
        equal: ['namespace'],
      },
    ],
    receivers: [{name: 'nobody'}, ...(hasChannel(alerts) ? [receiver(alerts)] : [])],
  };
};

/** Both Secrets. The one of the credentials is there also when it is empty, since Alertmanager does not start without. */
export const alertmanagerSecrets = (
  deployment: Deployment,
  secret: (name: string) => string,
): readonly KubeObject[] => [
  opaqueSecret(
    {name: configurationSecret, namespace: namespaces.monitoring},
    {'alertmanager.yaml': stringify(alertmanagerConfiguration(deployment), {lineWidth: 0})},
  ),
  opaqueSecret(
    {name: credentialsSecret, namespace: namespaces.monitoring},
    Object.fromEntries(alertSecrets(deployment).map(({name}) => [name, secret(name)])),
  ),
];
