import {useAnswers} from '../source/app/answers.ts';
import {useProgram} from '../source/app/program.tsx';
import {useTheme} from '../source/app/theme.tsx';
import {Form} from '../source/components/form.tsx';
import {Frame, useBody, useLead} from '../source/components/frame.tsx';
import type {ChoiceRow, Row} from '../source/components/row.ts';
import {counted} from '../source/components/text.ts';
import type {Deployment, Kubernetes} from '../source/deployment/schema.ts';
import {wizardHints} from './hints.ts';
import {useSecretRows} from './secret-row.ts';
import {withKubernetes} from './with-kubernetes.ts';

type Answers = ReturnType<typeof useAnswers>;

type SecretRows = ReturnType<typeof useSecretRows>;

type Alerts = Kubernetes['monitoring']['alerts'];

type Channel = keyof Alerts;

const path = 'components.kubernetes.monitoring.alerts';

const titles: Readonly<Record<Channel, string>> = {slack: 'Slack', mail: 'Mail', telegram: 'Telegram'};

const withAlerts = (current: Deployment, update: (alerts: Alerts) => Alerts): Deployment =>
  withKubernetes(current, kubernetes => ({
    ...kubernetes,
    monitoring: {...kubernetes.monitoring, alerts: update(kubernetes.monitoring.alerts)},
  }));

/** Who hears of alerts and for how long logs are kept, in a line. */
export const alertsText = ({monitoring, logging}: Kubernetes): string => {
  const channels = (Object.keys(titles) as Channel[]).filter(channel => monitoring.alerts[channel] !== undefined);
  return [
    monitoring.enabled
      ? `alerts to ${channels.map(channel => titles[channel]).join(', ') || 'nobody'}`
      : 'no monitoring, so no alerts',
    ...(logging.enabled ? [`logs kept ${counted(logging.retentionDays, 'day')}`] : []),
  ].join('; ');
};

const beginnings: Readonly<Required<Alerts>> = {
  slack: {channel: '#alerts'},
  mail: {server: '', port: 587, from: '', to: []},
  telegram: {chat: 0},
};

/** Who is told when something is wrong, and how long logs are kept. */
export const ComponentsObservability = ({onDone}: {readonly onDone: () => void}) => {
  const {wizard} = useProgram();
  const {glyphs} = useTheme();
  const answers = useAnswers();
  const {rows: height, readable} = useBody();
  const secrets = useSecretRows();
  const lead = useLead(
    'Who is told when something is wrong. Passwords and tokens go into the vault, not into the answers.',
  );
  const {kubernetes} = answers.deployment.components;
  if (!kubernetes) return null;
  const {monitoring, logging} = kubernetes;
  const {alerts} = monitoring;

  const channelRow = (channel: Channel, help: string): ChoiceRow => ({
    ...answers.choice({
      path: `${path}.${channel}.on`,
      label: `Alerts by ${channel === 'mail' ? 'mail' : titles[channel]}`,
      value: alerts[channel] ? 'yes' : 'no',
      set: current => current,
      help,
      options: [
        {value: 'no', label: 'no'},
        {value: 'yes', label: 'yes'},
      ],
    }),
    onChange: value =>
      wizard.change(current =>
        withAlerts(current, ({[channel]: before, ...others}) => {
          if (before) wizard.setAside(`${path}.${channel}`, before);
          const again = wizard.takeUp(`${path}.${channel}`) ?? beginnings[channel];
          return value === 'yes' ? {...others, [channel]: again} : others;
        }),
      ),
  });
  const rows: Row[] = [
    ...(monitoring.enabled
      ? [
          channelRow('mail', 'A mail for every grave alert.'),
          ...(alerts.mail ? mailRows(answers, secrets, alerts.mail) : []),
          channelRow('slack', 'A message in a channel of Slack.'),
          ...(alerts.slack ? slackRows(answers, secrets, alerts.slack) : []),
          channelRow('telegram', 'A message in a chat of Telegram.'),
          ...(alerts.telegram ? telegramRows(answers, secrets, alerts.telegram) : []),
        ]
      : [{kind: 'fact' as const, id: 'none', label: 'Alerts', value: 'come with monitoring, which is off'}]),
    {kind: 'gap', id: 'gap-logs'},
    ...(logging.enabled
      ? [
          answers.number({
            path: 'components.kubernetes.logging.retentionDays',
            label: 'Logs kept for, days',
            value: logging.retentionDays,
            set: (current, retentionDays) =>
              withKubernetes(current, each => ({...each, logging: {...each.logging, retentionDays}})),
            help: 'Log lines are erased after so many days. Twice the days take about twice the disk.',
          }),
        ]
      : [{kind: 'fact' as const, id: 'no-logs', label: 'Logs', value: 'stay on the hosts: logging is off'}]),
    {kind: 'gap', id: 'gap-end'},
    {kind: 'action', id: 'done', label: 'Done', detail: 'back to Components', onSelect: onDone},
  ];
  return (
    <Frame title="Alerts and logs" hints={wizardHints(glyphs)}>
      {lead.node}
      <Form columns={readable} height={height - lead.lines} rows={rows} />
    </Frame>
  );
};

const changed =
  <C extends Channel>(channel: C, update: (now: NonNullable<Alerts[C]>) => NonNullable<Alerts[C]>) =>
  (current: Deployment): Deployment =>
    withAlerts(current, alerts => {
      const now = alerts[channel];
      return now ? {...alerts, [channel]: update(now)} : alerts;
    });

const mailRows = (
  {text, number, list}: Answers,
  {secretRow}: SecretRows,
  mail: NonNullable<Alerts['mail']>,
): readonly Row[] => [
  text({
    path: `${path}.mail.server`,
    label: '  Mail server',
    value: mail.server,
    set: (current, server) => changed('mail', now => ({...now, server}))(current),
    placeholder: 'for example mail.site.example',
    help: 'The server that takes mail from the cluster.',
  }),
  number({
    path: `${path}.mail.port`,
    label: '  Port',
    value: mail.port,
    set: (current, port) => changed('mail', now => ({...now, port}))(current),
    help: '587 is the usual one, with STARTTLS.',
  }),
  text({
    path: `${path}.mail.from`,
    label: '  From',
    value: mail.from,
    set: (current, from) => changed('mail', now => ({...now, from}))(current),
    placeholder: 'for example alerts@site.example',
    help: 'The sender of the mails. Many servers take mail from known senders only.',
  }),
  list({
    path: `${path}.mail.to`,
    label: '  To',
    value: mail.to,
    set: (current, to) => changed('mail', now => ({...now, to: [...to]}))(current),
    placeholder: 'for example operators@site.example',
    help: 'Who gets them: addresses, separated by commas.',
  }),
  text({
    path: `${path}.mail.user`,
    label: '  User',
    value: mail.user ?? '',
    set: (current, user) => changed('mail', ({user: _, ...now}) => ({...now, ...(user !== '' && {user})}))(current),
    placeholder: 'none: it asks for no login',
    help: 'The name that the cluster logs in to the mail server with.',
  }),
  ...(mail.user
    ? [secretRow({name: 'alerts-smtp-password', label: '  Password', help: 'The password of that user.'})]
    : []),
];

const slackRows = ({text}: Answers, {secretRow}: SecretRows, slack: NonNullable<Alerts['slack']>): readonly Row[] => [
  text({
    path: `${path}.slack.channel`,
    label: '  Channel',
    value: slack.channel,
    set: (current, channel) => changed('slack', now => ({...now, channel}))(current),
    placeholder: 'for example #alerts',
    help: 'With # before it, or @ for one person.',
  }),
  secretRow({
    name: 'alerts-slack-webhook',
    label: '  Webhook',
    help: 'The address that Slack gives for an incoming webhook. Who knows it can write into the channel.',
  }),
];

const telegramRows = (
  {identifier}: Answers,
  {secretRow}: SecretRows,
  telegram: NonNullable<Alerts['telegram']>,
): readonly Row[] => [
  identifier({
    path: `${path}.telegram.chat`,
    label: '  Chat',
    value: telegram.chat,
    set: (current, chat) => changed('telegram', now => ({...now, chat}))(current),
    placeholder: 'for example -1001234567890',
    help: 'The number of the chat; that of a group begins with a minus sign.',
  }),
  secretRow({
    name: 'alerts-telegram-token',
    label: '  Token of the bot',
    help: 'What BotFather gave for the bot, which must be a member of the chat.',
  }),
];
