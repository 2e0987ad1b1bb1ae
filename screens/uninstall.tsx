import {Box} from 'ink';
import {useState} from 'react';
import {useKeys} from '../source/app/keys.tsx';
import {useProgram, useTask} from '../source/app/program.tsx';
import {useTheme} from '../source/app/theme.tsx';
import {backupsPhrase, type RemovalRequest, removalWord} from '../source/blueprints/removal.ts';
import {Confirm} from '../source/components/confirm.tsx';
import {Form} from '../source/components/form.tsx';
import {Frame, useBody, useLead} from '../source/components/frame.tsx';
import {Notice} from '../source/components/notice.tsx';
import {Page} from '../source/components/page.tsx';
import type {Row} from '../source/components/row.ts';
import {wrap} from '../source/components/text.ts';
import type {Deployment} from '../source/deployment/schema.ts';
import type {Failure} from '../source/engine/failure.ts';
import {
  afterEnvironment,
  type HostRemoval,
  keptHere,
  removalLines,
  removesNothing,
} from '../source/reporters/removal.ts';
import {wizardHints} from './hints.ts';

type View =
  | {readonly kind: 'choose'; readonly again?: true}
  | {readonly kind: 'list' | 'name' | 'phrase'; readonly list: readonly HostRemoval[]};

type Answers = {
  /** `platform`, `hosts`, or `environment NAME`. */
  readonly what: string;
  readonly data: 'keep' | 'erase';
  readonly backups: 'keep' | 'erase';
};

export const requestFrom = ({what, data, backups}: Answers): RemovalRequest => {
  const purge = {data: data === 'erase', backups: what === 'hosts' && backups === 'erase'};
  if (what === 'platform' || what === 'hosts') return {scope: what, purge};
  return {scope: 'environment', environment: what.replace(/^environment /, ''), purge};
};

const scopesOf = ({environments, components}: Deployment) => [
  ...environments.map(({name}) => ({
    value: `environment ${name}`,
    label: `environment ${name}`,
    help: 'Its services, names and login. The platform and the other environments go on.',
  })),
  ...(components.kubernetes
    ? [
        {
          value: 'platform',
          label: 'the platform',
          help: 'The cluster with all environments. Firewall, VPN, DNS and storage stay.',
        },
      ]
    : []),
  {
    value: 'hosts',
    label: 'everything on the hosts',
    help: 'The machines are as they were before, packages aside, and stay reachable by SSH.',
  },
];

/** What an operator wants to be taken away, the true list of it, and the typed name; then the run. */
export const UninstallView = ({deployment, onBack}: {readonly deployment: Deployment; readonly onBack: () => void}) => {
  const {services, wizard} = useProgram();
  const {glyphs} = useTheme();
  const {rows: height, readable} = useBody();
  const task = useTask();
  const scopes = scopesOf(deployment);
  const [view, setView] = useState<View>({kind: 'choose'});
  const [failure, setFailure] = useState<Failure>();
  const [answers, setAnswers] = useState<Answers>({what: scopes[0]?.value ?? 'hosts', data: 'keep', backups: 'keep'});
  const lead = useLead(
    'Nothing is removed before you have seen the list and typed a name. Data is kept unless you say so.',
  );
  const request = requestFrom(answers);

  const look = (): void => {
    setFailure(undefined);
    task.start('Looking at what is there', async signal => {
      const found = await services.lookForRemoval(deployment, request, signal);
      if (signal.aborted) return;
      if (found.ok) setView({kind: 'list', list: found.value});
      else setFailure(found.error);
    });
  };
  const begin = (): void => {
    wizard.begin(deployment, 'review');
    wizard.openRun(request);
  };
  const set = (part: Partial<Answers>): void => {
    setFailure(undefined);
    setAnswers({...answers, ...part});
  };
  const canGoOn = view.kind === 'list' && view.list.every(({unread}) => unread.length === 0);
  const empty = view.kind === 'list' && removesNothing(view.list) && request.scope !== 'environment';

  useKeys(key => {
    if (key.name === 'enter' && view.kind === 'list' && canGoOn && !empty) {
      setView({kind: 'name', list: view.list});
      return true;
    }
    if (key.name !== 'escape') return false;
    if (task.doing) task.cancel();
    else if (view.kind === 'choose') onBack();
    else setView(view.kind === 'list' ? {kind: 'choose', again: true} : {kind: 'list', list: view.list});
    return true;
  });

  if (view.kind === 'list') {
    const end = !canGoOn
      ? 'What cannot be read is not decided about: put that right, then look again.'
      : empty
        ? 'There is nothing to remove.'
        : 'Enter goes on to the typed name. Esc goes back; nothing is changed.';
    const lines = [
      ...removalLines(view.list),
      ...(request.scope === 'environment' ? ['', ...afterEnvironment(deployment, request.environment)] : []),
      '',
      ...keptHere(deployment.name, services.folderOf(deployment.name)),
    ];
    return (
      <Frame
        title={`What is removed from ${deployment.name}`}
        hints={[
          {keys: glyphs.upDown, does: 'scroll'},
          ...(canGoOn && !empty ? [{keys: 'Enter', does: 'go on'}] : []),
          {keys: 'Esc', does: 'back'},
          {keys: '?', does: 'keys'},
        ]}
      >
        <Page lines={lines} columns={readable} height={height - 2} />
        <Box marginTop={1} flexShrink={0}>
          <Notice tone={canGoOn ? 'warning' : 'bad'} columns={readable}>
            {end}
          </Notice>
        </Box>
      </Frame>
    );
  }
  if (view.kind === 'name' || view.kind === 'phrase') {
    const word = view.kind === 'name' ? removalWord(request, deployment) : backupsPhrase(deployment);
    const lost = view.list.reduce((sum, {loses}) => sum + loses.length, 0);
    const text =
      view.kind === 'phrase'
        ? 'The backups are the last way back to the data. After this nobody can bring it back.'
        : lost > 0
          ? `What was listed goes now, and ${lost === 1 ? 'one thing of it is' : `${lost} things of it are`} lost for good.`
          : 'What was listed goes now. Data stays.';
    return (
      <Frame title={view.kind === 'name' ? 'Remove' : 'Erase the backups'} hints={wizardHints(glyphs)}>
        <Confirm
          key={word}
          word={word}
          columns={readable}
          onConfirm={() => {
            if (view.kind === 'name' && request.purge.backups) setView({kind: 'phrase', list: view.list});
            else begin();
          }}
        >
          {text}
        </Confirm>
      </Frame>
    );
  }
  const keepOrErase = (what: string) => [
    {value: 'keep', label: 'keep', help: `${what} stay, and are listed with their size.`},
    {value: 'erase', label: 'erase', help: `${what} are erased for good.`},
  ];
  const rows: Row[] = [
    {
      kind: 'choice',
      id: 'what',
      label: 'Remove',
      value: answers.what,
      options: scopes,
      onChange: what => set({what}),
    },
    {
      kind: 'choice',
      id: 'data',
      label: 'Data',
      value: answers.data,
      options: keepOrErase('Volumes, databases and the passwords that belong to them'),
      onChange: data => set({data: data === 'erase' ? 'erase' : 'keep'}),
    },
    ...(answers.what === 'hosts' && deployment.components.backup
      ? [
          {
            kind: 'choice' as const,
            id: 'backups',
            label: 'Backups',
            value: answers.backups,
            options: keepOrErase('Backups'),
            onChange: (backups: string) => set({backups: backups === 'erase' ? 'erase' : 'keep'}),
          },
        ]
      : []),
    {
      kind: 'action',
      id: 'look',
      label: 'Show what goes',
      detail: task.doing ? `${task.doing} ${glyphs.ellipsis}` : 'looks at the hosts; changes nothing',
      onSelect: () => {
        if (!task.doing) look();
      },
    },
  ];
  const problem = failure && [failure.message, failure.remedy].filter(Boolean).join(' ');
  return (
    <Frame title={`Remove from ${deployment.name}`} hints={wizardHints(glyphs)}>
      {lead.node}
      {problem && (
        <Box marginBottom={1} flexShrink={0}>
          <Notice tone="bad" columns={readable}>
            {problem}
          </Notice>
        </Box>
      )}
      <Form
        rows={rows}
        initial={'again' in view && view.again ? 'look' : 'what'}
        columns={readable}
        height={height - lead.lines - (problem ? wrap(problem, readable - 2).length + 1 : 0)}
      />
    </Frame>
  );
};
