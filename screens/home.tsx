import {Box} from 'ink';
import {useState} from 'react';
import {useKeys} from '../source/app/keys.tsx';
import {useProgram} from '../source/app/program.tsx';
import {resumeRoute, titles} from '../source/app/routes.ts';
import {useTheme} from '../source/app/theme.tsx';
import {freeName} from '../source/app/wizard.ts';
import {Confirm} from '../source/components/confirm.tsx';
import {Form} from '../source/components/form.tsx';
import {Frame, useBody, useLead} from '../source/components/frame.tsx';
import {Menu, type MenuItem} from '../source/components/menu.tsx';
import {Notice} from '../source/components/notice.tsx';
import type {Row} from '../source/components/row.ts';
import {wrap} from '../source/components/text.ts';
import type {SavedDeployment} from '../source/deployment/store.ts';
import {menuHints, wizardHints} from './hints.ts';
import {ImportScreen} from './import.tsx';
import {UninstallView} from './uninstall.tsx';

type View =
  | {readonly kind: 'list'}
  | {readonly kind: 'deployment' | 'delete' | 'uninstall'; readonly name: string}
  | {readonly kind: 'import'};

/** How far a deployment is, in words. */
export const progressText = (saved: SavedDeployment): string => {
  const {lastRun} = saved;
  if (!lastRun) return `answers up to ${titles[resumeRoute(saved.route)]}`;
  if (lastRun.removes !== undefined) {
    const on = lastRun.at.slice(0, 10);
    return lastRun.outcome === 'succeeded'
      ? `removed ${lastRun.removes} on ${on}`
      : `did not finish removing ${lastRun.removes} on ${on}`;
  }
  switch (lastRun.outcome) {
    case 'succeeded':
      return `installed on ${lastRun.at.slice(0, 10)}`;
    case 'interrupted':
      return `was interrupted on ${lastRun.at.slice(0, 10)}`;
    default:
      return `${lastRun.outcome}${lastRun.failedStep ? ` at ${lastRun.failedStep}` : ''} on ${lastRun.at.slice(0, 10)}`;
  }
};

/** What there is, what to do next with it, and the way to something new. */
export const HomeScreen = () => {
  const {services, wizard, leave} = useProgram();
  const {glyphs} = useTheme();
  const {rows: height, readable} = useBody();
  const [view, setView] = useState<View>({kind: 'list'});
  const lead = useLead(
    services.practice
      ? 'Rehearse a whole installation here, its failures included.'
      : 'From bare machines to OpenG2P: network, TLS, storage, Kubernetes, the platform.',
  );
  const saved = services
    .deployments()
    .filter(each => each.practice === services.practice)
    .toSorted((a, b) => b.updatedAt.localeCompare(a.updatedAt));
  const chosen = 'name' in view ? saved.find(each => each.deployment.name === view.name) : undefined;

  useKeys(
    key => {
      if (key.name !== 'escape') return false;
      setView(view.kind === 'delete' ? {kind: 'deployment', name: view.name} : {kind: 'list'});
      return true;
    },
    {active: view.kind !== 'list' && view.kind !== 'uninstall'},
  );

  if (view.kind === 'import') return <ImportScreen />;
  if (view.kind === 'delete' && chosen) {
    const {name} = chosen.deployment;
    return (
      <Frame title={`Delete ${name}`} hints={wizardHints(glyphs)}>
        <Confirm
          word={name}
          columns={readable}
          onConfirm={() => {
            services.remove(name);
            setView({kind: 'list'});
          }}
        >
          {`The answers, secrets, files and logs of ${name} on this side are deleted for good: ${services.folderOf(name)}. Its hosts are left as they are.`}
        </Confirm>
      </Frame>
    );
  }
  if (view.kind === 'uninstall' && chosen) {
    const {deployment} = chosen;
    return (
      <UninstallView deployment={deployment} onBack={() => setView({kind: 'deployment', name: deployment.name})} />
    );
  }
  if (view.kind === 'deployment' && chosen) {
    const {name} = chosen.deployment;
    return (
      <DeploymentMenu
        saved={chosen}
        onDelete={() => setView({kind: 'delete', name})}
        onUninstall={() => setView({kind: 'uninstall', name})}
      />
    );
  }

  const begin = (): void => {
    const blueprint = services.blueprints[0];
    const topology = blueprint?.topologies.find(({id}) => id === services.firstTopology) ?? blueprint?.topologies[0];
    if (blueprint && topology) {
      wizard.begin(services.firstAnswers(blueprint, freeName(services, topology.id), topology.id));
    }
  };
  const rows: Row[] = [
    ...saved.map(
      (each): Row => ({
        kind: 'action',
        id: `saved-${each.deployment.name}`,
        label: each.deployment.name,
        detail: progressText(each),
        help: 'Enter shows what can be done with it.',
        onSelect: () => setView({kind: 'deployment', name: each.deployment.name}),
      }),
    ),
    ...(saved.length > 0 ? [{kind: 'gap' as const, id: 'gap'}] : []),
    {
      kind: 'action',
      id: 'new',
      label: 'New installation',
      detail: 'answer some questions, look at the plan, install',
      onSelect: begin,
    },
    {
      kind: 'action',
      id: 'import',
      label: 'Import existing settings',
      detail: "OpenG2P's files, an inventory, exported answers",
      onSelect: () => setView({kind: 'import'}),
    },
    {kind: 'action', id: 'leave', label: 'Leave', onSelect: leave},
  ];
  const noticeLines = services.notices.reduce((sum, notice) => sum + wrap(notice, readable - 2).length, 0);
  return (
    <Frame title="Home" hints={menuHints(glyphs, 'leave')}>
      {lead.node}
      {services.notices.length > 0 && (
        <Box flexDirection="column" marginBottom={1} flexShrink={0}>
          {services.notices.map(notice => (
            <Notice key={notice} tone="warning" columns={readable}>
              {notice}
            </Notice>
          ))}
        </Box>
      )}
      <Form rows={rows} columns={readable} height={height - lead.lines - (noticeLines > 0 ? noticeLines + 1 : 0)} />
    </Frame>
  );
};

type Choice = 'continue' | 'resume' | 'look' | 'verify' | 'entrances' | 'answers' | 'uninstall' | 'delete';

type DeploymentMenuProps = {
  readonly saved: SavedDeployment;
  readonly onDelete: () => void;
  readonly onUninstall: () => void;
};

const DeploymentMenu = ({saved, onDelete, onUninstall}: DeploymentMenuProps) => {
  const {wizard} = useProgram();
  const {glyphs} = useTheme();
  const {readable} = useBody();
  const {deployment, lastRun} = saved;
  const on =
    deployment.hosts.length === 0 ? 'No hosts yet.' : `On ${deployment.hosts.map(host => host.name).join(', ')}.`;
  const lead = useLead(`${deployment.name}: ${progressText(saved)}. ${on}`);
  const route = resumeRoute(saved.route);
  const removed = lastRun?.removes !== undefined;
  const succeeded = lastRun?.outcome === 'succeeded' && !removed;
  const all: readonly (MenuItem<Choice> & {readonly when: boolean})[] = [
    {value: 'continue', label: 'Go on with the answers', detail: `from ${titles[route]}`, when: !lastRun},
    {
      value: 'resume',
      label: removed ? 'Install again' : 'Go on with the installation',
      detail: removed ? 'with the same answers and secrets' : 'what is done is not repeated',
      when: lastRun !== undefined && !succeeded,
    },
    {
      value: 'look',
      label: 'Look again',
      detail: 'compare the hosts with what should be; changes nothing',
      when: lastRun !== undefined,
    },
    {value: 'verify', label: 'Verify', detail: 'check with the real tools that all works', when: succeeded},
    {value: 'entrances', label: 'How to get in', detail: 'addresses, first login, VPN, certificates', when: succeeded},
    {value: 'answers', label: 'Change answers', detail: 'from the first question on', when: true},
    {
      value: 'uninstall',
      label: removed && lastRun?.outcome !== 'succeeded' ? 'Go on with the removal' : 'Remove',
      detail: 'an environment, the platform or all; a list first',
      when: lastRun !== undefined,
    },
    {value: 'delete', label: 'Delete', detail: 'answers, secrets and logs on this side', when: true},
  ];
  const choose = (choice: Choice): void => {
    switch (choice) {
      case 'continue':
        wizard.begin(deployment, route);
        return;
      case 'resume':
        wizard.begin(deployment, 'review');
        wizard.openRun('run');
        return;
      case 'look':
        wizard.begin(deployment, 'review');
        return;
      case 'verify':
        wizard.begin(deployment, 'review');
        wizard.openRun('verify');
        return;
      case 'entrances':
        wizard.begin(deployment, 'done');
        return;
      case 'answers':
        wizard.begin(deployment, 'topology');
        return;
      case 'uninstall':
        onUninstall();
        return;
      default:
        onDelete();
    }
  };
  return (
    <Frame title={deployment.name} hints={menuHints(glyphs)}>
      {lead.node}
      <Menu
        items={all.filter(item => item.when).map(({when: _, ...item}) => item)}
        columns={readable}
        onSelect={choose}
      />
    </Frame>
  );
};
