import {useAnswers} from '../source/app/answers.ts';
import {useProgram} from '../source/app/program.tsx';
import {useTheme} from '../source/app/theme.tsx';
import type {Wizard} from '../source/app/wizard.ts';
import {topologyOf} from '../source/app/wizard-hosts.ts';
import {Form} from '../source/components/form.tsx';
import {Frame, useBody, useLead} from '../source/components/frame.tsx';
import type {ChoiceRow, Row} from '../source/components/row.ts';
import {
  type Backup,
  type BackupGroup,
  backupGroups,
  backup as backupSchema,
  type Deployment,
} from '../source/deployment/schema.ts';
import {offsiteRows} from './components-offsite.ts';
import {wizardHints} from './hints.ts';
import {useSecretRows} from './secret-row.ts';
import {withBackup} from './with-backup.ts';

type Answers = ReturnType<typeof useAnswers>;

type Schedule = keyof Backup['schedules'];

type Retention = keyof Backup['retention'];

const path = 'components.backup';

/** Where they are thought of: a machine that they lie on, or a file that asks for them without one and is told so. */
export const hasBackups = (services: Parameters<typeof topologyOf>[0], deployment: Deployment): boolean =>
  deployment.components.backup !== undefined ||
  (topologyOf(services, deployment)?.machines ?? []).some(({roles}) => roles.includes('backup'));

const shortly: Readonly<Record<BackupGroup, string>> = {
  postgresql: 'databases',
  etcd: 'etcd',
  rancher: 'Rancher',
  files: 'volumes',
  configurations: '/etc',
};

/** What is copied, and whether some of it goes to another site, in a line. */
export const backupText = ({components: {backup}}: Deployment): string => {
  if (!backup) return 'none';
  const groups = backupGroups.filter(group => backup.groups.includes(group)).map(group => shortly[group]);
  return `${groups.join(', ') || 'of nothing'}; ${backup.offsite ? 'other site too' : 'here only'}`;
};

/** What the backup host fetches, when, for how long it is kept, and whether it goes to another site. */
export const ComponentsBackup = ({onDone}: {readonly onDone: () => void}) => {
  const {wizard} = useProgram();
  const {glyphs} = useTheme();
  const answers = useAnswers();
  const secrets = useSecretRows();
  const {rows: height, readable} = useBody();
  const lead = useLead('The backup host fetches what the others hold and keeps it encrypted.');
  const {backup} = answers.deployment.components;
  const rows: Row[] = [
    wantedRow(answers, wizard),
    ...(backup
      ? [
          ...placeRows(answers, backup),
          {kind: 'heading' as const, id: 'heading-groups', label: 'What is copied, and when'},
          ...groupRows(answers, backup),
          {kind: 'heading' as const, id: 'heading-retention', label: 'How many are kept'},
          ...retentionRows(answers, backup),
          {kind: 'gap' as const, id: 'gap-offsite'},
          ...offsiteRows(answers, secrets, wizard, backup),
        ]
      : []),
    {kind: 'gap', id: 'gap-end'},
    {kind: 'action', id: 'done', label: 'Done', detail: 'back to Components', onSelect: onDone},
  ];
  return (
    <Frame title="Backups" hints={wizardHints(glyphs)}>
      {lead.node}
      <Form columns={readable} height={height - lead.lines} rows={rows} />
    </Frame>
  );
};

const wantedRow = ({deployment, choice, problems}: Answers, wizard: Wizard): ChoiceRow => {
  // Of backups as a whole; what is wrong with one answer stands at its own row.
  const whole = problems.find(each => each.path === path);
  return {
    ...choice({
      path: `${path}.on`,
      label: 'Backups',
      value: deployment.components.backup ? 'on' : 'off',
      set: current => current,
      options: [
        {value: 'on', label: 'on', help: 'What is kept and what is not: docs/backup.md.'},
        {value: 'off', label: 'off', help: 'What a lost disk held is lost. What is answered here is kept.'},
      ],
    }),
    ...(whole && {[whole.severity === 'warning' ? 'warning' : 'error']: whole.message}),
    onChange: value =>
      wizard.change(current => {
        const {backup: before, ...components} = current.components;
        if (before) wizard.setAside(path, before);
        if (value === 'off') return {...current, components};
        return {
          ...current,
          components: {...components, backup: before ?? wizard.takeUp<Backup>(path) ?? backupSchema.parse({})},
        };
      }),
  };
};

const placeRows = ({text}: Answers, backup: Backup): readonly Row[] => [
  text({
    path: `${path}.path`,
    label: 'Folder of the copies',
    value: backup.path,
    set: (current, folder) => withBackup(current, now => ({...now, path: folder})),
    placeholder: 'for example /var/lib/groundwork-backup',
    help: 'On the backup host, on a volume of its own if it has one.',
  }),
  text({
    path: `${path}.timeZone`,
    label: 'Time zone',
    value: backup.timeZone,
    set: (current, timeZone) => withBackup(current, now => ({...now, timeZone})),
    placeholder: 'for example Africa/Nairobi',
    help: 'Of the times below, whatever the zone of the machines is. That of Rancher is always UTC.',
  }),
];

type Group = {
  readonly label: string;
  readonly help: string;
  readonly times: readonly {readonly schedule: Schedule; readonly label: string}[];
};

const groups: Readonly<Record<BackupGroup, Group>> = {
  postgresql: {
    label: 'Databases',
    help: 'PostgreSQL on the storage host: each night, and every change within a minute.',
    times: [
      {schedule: 'postgresqlFull', label: '  Full'},
      {schedule: 'postgresqlDifferential', label: '  What changed'},
    ],
  },
  files: {
    label: 'Volumes on the share',
    help: 'The files of everything that runs in the cluster.',
    times: [{schedule: 'files', label: '  At'}],
  },
  configurations: {
    label: 'Configuration of hosts',
    help: 'All of /etc of every host, and certificates and token of RKE2.',
    times: [{schedule: 'configurations', label: '  At'}],
  },
  etcd: {
    label: 'State of the cluster',
    help: 'The copies of etcd that RKE2 makes. Passed over without the platform.',
    times: [{schedule: 'etcd', label: '  At'}],
  },
  rancher: {
    label: 'Objects of Rancher',
    help: 'Its users, projects and settings. Passed over without Rancher.',
    times: [{schedule: 'rancher', label: '  At, UTC'}],
  },
};

const order = ['postgresql', 'files', 'configurations', 'etcd', 'rancher'] as const satisfies readonly BackupGroup[];

const groupRows = (answers: Answers, backup: Backup): readonly Row[] =>
  order.flatMap(group => {
    const {label, help, times} = groups[group];
    const wanted = backup.groups.includes(group);
    return [
      answers.choice({
        path: `${path}.groups.${group}`,
        label,
        value: wanted ? 'yes' : 'no',
        set: (current, value) =>
          withBackup(current, now => ({
            ...now,
            groups: backupGroups.filter(each => (each === group ? value === 'yes' : now.groups.includes(each))),
          })),
        help,
        options: [
          {value: 'yes', label: 'yes'},
          {value: 'no', label: 'no'},
        ],
      }),
      ...(wanted ? times.map(time => timeRow(answers, backup, time)) : []),
    ];
  });

const timeRow = (
  {phrase}: Answers,
  backup: Backup,
  {schedule, label}: {readonly schedule: Schedule; readonly label: string},
): Row =>
  phrase({
    path: `${path}.schedules.${schedule}`,
    label,
    value: backup.schedules[schedule],
    set: (current, time) => withBackup(current, now => ({...now, schedules: {...now.schedules, [schedule]: time}})),
    help:
      schedule === 'rancher'
        ? 'As cron writes it: minute, hour, day, month, day of the week. Before the volumes, which carry it.'
        : 'As systemd writes it: *-*-* 03:30 is each day at half past three, Sun *-*-* 02:00 on Sundays.',
  });

const kept: readonly {readonly id: Retention; readonly label: string; readonly help: string}[] = [
  {
    id: 'postgresqlFull',
    label: 'Databases, full',
    help: 'One can go back to any moment since the oldest of them.',
  },
  {id: 'postgresqlDifferential', label: 'Databases, what changed', help: 'Those between the full ones.'},
  {id: 'daily', label: 'Files, of days', help: 'Volumes and configurations: the last copy of so many days,'},
  {id: 'weekly', label: 'Files, of weeks', help: 'the last copy of so many weeks,'},
  {id: 'monthly', label: 'Files, of months', help: 'and the last copy of so many months.'},
  {id: 'etcd', label: 'State of the cluster', help: 'Copies of etcd, of each server.'},
  {id: 'rancher', label: 'Objects of Rancher', help: 'Copies that Rancher made.'},
];

const retentionRows = ({number}: Answers, backup: Backup): readonly Row[] =>
  kept.map(({id, label, help}) =>
    number({
      path: `${path}.retention.${id}`,
      label,
      value: backup.retention[id],
      set: (current, count) => withBackup(current, now => ({...now, retention: {...now.retention, [id]: count}})),
      help,
    }),
  );
