import {useState} from 'react';
import {useAnswers} from '../source/app/answers.ts';
import {useKeys} from '../source/app/keys.tsx';
import {useProgram, useTask, useWizard} from '../source/app/program.tsx';
import type {HostReport} from '../source/app/services.ts';
import {useTheme} from '../source/app/theme.tsx';
import {hostFrom} from '../source/app/wizard.ts';
import {Confirm} from '../source/components/confirm.tsx';
import {Form} from '../source/components/form.tsx';
import {Frame, useBody, useLead} from '../source/components/frame.tsx';
import type {Row} from '../source/components/row.ts';
import {bytes, counted} from '../source/components/text.ts';
import type {Deployment, HostSpec} from '../source/deployment/schema.ts';
import {acceptanceOf, type CheckResult} from '../source/hosts/check.ts';
import type {HostKeyFinding} from '../source/hosts/host-key.ts';
import {menuHints} from './hints.ts';
import {HostAdd} from './hosts-add.tsx';
import {HostChecks} from './hosts-checks.tsx';
import {HostEdit} from './hosts-edit.tsx';
import {HostKeys} from './hosts-keys.tsx';
import {HostLogin} from './hosts-login.tsx';

type View =
  | {readonly kind: 'list'}
  | {readonly kind: 'add'}
  | {readonly kind: 'host'; readonly name: string; readonly from?: string}
  | {readonly kind: 'edit'; readonly name: string}
  | {readonly kind: 'remove'; readonly name: string}
  | {readonly kind: 'login'; readonly name: string}
  | {readonly kind: 'checks'; readonly name: string}
  | {readonly kind: 'keys'; readonly findings: readonly HostKeyFinding[]};

/** Why one cannot go on yet. A host that was not looked at is no reason to complain: what it has fills in the rest. */
const obstacle = (missing: number, unseen: boolean, wrong: string | undefined): string | undefined => {
  if (missing > 0) return `${counted(missing, 'host')} still to add`;
  return wrong !== undefined && unseen ? 'check the hosts first' : wrong;
};

/** Checks that stop an installation: failed, grave, and not accepted. */
export const blockingOf = (report: HostReport | undefined, accepted: readonly string[]): readonly CheckResult[] =>
  report?.state === 'ready'
    ? report.checks.filter(
        check => check.outcome === 'failed' && check.severity === 'error' && !accepted.includes(acceptanceOf(check)),
      )
    : [];

/** One line about a host: what is known of it, the worst first. */
export const hostState = (report: HostReport | undefined, accepted: readonly string[]): string => {
  if (!report) return 'not looked at yet';
  if (report.state === 'failed') return `cannot be used: ${report.failure.message}`;
  const {facts} = report;
  const blocking = blockingOf(report, accepted).length;
  const is = `${facts.os.title}, ${counted(facts.cpus, 'CPU')}, ${bytes(facts.memoryBytes)}`;
  return blocking > 0 ? `${counted(blocking, 'check')} failed; ${is}` : `ready; ${is}`;
};

const loginText = (host: HostSpec): string =>
  host.reach === 'local' ? 'this machine' : `${host.user}@${host.address}${host.port === 22 ? '' : `:${host.port}`}`;

/** The machines: found, named, reached, and looked at. */
export const HostsScreen = () => {
  const {services, wizard} = useProgram();
  const {reports} = useWizard();
  const {glyphs} = useTheme();
  const {deployment, onward} = useAnswers();
  const {rows: height, readable} = useBody();
  const [view, setView] = useState<View>({kind: 'list'});
  const task = useTask();
  const toList = (): void => setView({kind: 'list'});
  const topology = services.blueprints
    .find(each => each.id === deployment.blueprint)
    ?.topologies.find(each => each.id === deployment.topology);
  const most = topology?.machines.reduce((sum, machine) => sum + machine.count.max, 0) ?? 0;
  const least = topology?.machines.reduce((sum, machine) => sum + machine.count.min, 0) ?? 0;
  const lead = useLead(
    `${topology?.title ?? 'It'} takes ${counted(most, 'machine')} with Ubuntu 22.04 or 24.04, or Debian 12 or 13.`,
  );
  const isFull = deployment.hosts.length >= most;

  useKeys(key => {
    if (key.name !== 'escape' || (view.kind === 'list' && !task.doing)) return false;
    task.cancel();
    const parent: View =
      (view.kind === 'edit' || view.kind === 'login' || view.kind === 'checks' || view.kind === 'remove') &&
      deployment.hosts.some(host => host.name === view.name)
        ? {kind: 'host', name: view.name, from: view.kind}
        : {kind: 'list'};
    setView(parent);
    return true;
  });

  const inspect = (): void =>
    task.start('Logging in and looking around', signal =>
      services.inspect(
        wizard.get().deployment ?? deployment,
        report => {
          if (!signal.aborted) wizard.report(report);
        },
        signal,
      ),
    );

  /** Keys first: nothing is sent to a host whose key nobody has vouched for. */
  const check = (): void => {
    setView({kind: 'list'});
    const current = wizard.get().deployment ?? deployment;
    const remote = current.hosts.filter(host => host.reach === 'ssh');
    wizard.forgetReports();
    task.start('Fetching host keys', async signal => {
      const results = await services.hostKeys(remote, signal);
      if (signal.aborted) return;
      results.forEach((result, index) => {
        const host = remote[index];
        if (!result.ok && host) wizard.report({host: host.name, state: 'failed', failure: result.error});
      });
      const findings = results.flatMap(result => (result.ok ? [result.value] : []));
      if (findings.some(finding => finding.status !== 'known')) setView({kind: 'keys', findings});
      else if (results.length === 0 || findings.length > 0) inspect();
    });
  };

  const hostOf = (name: string): HostSpec | undefined => deployment.hosts.find(host => host.name === name);
  const named = 'name' in view ? hostOf(view.name) : undefined;

  const addHost = (host: Deployment['hosts'][number]): void => {
    wizard.change(current => ({...current, hosts: [...current.hosts, host]}));
    toList();
  };
  const roles = topology?.machines[0]?.roles ?? [];

  switch (view.kind) {
    case 'add':
      return <HostAdd onAdd={found => addHost(hostFrom(found, deployment, roles))} />;
    case 'keys':
      return (
        <HostKeys
          findings={view.findings}
          onAccept={accepted => {
            setView({kind: 'list'});
            task.start('Keeping the host keys', async () => {
              await services.trust(accepted);
              inspect();
            });
          }}
          onBack={toList}
        />
      );
    case 'host':
      if (named) {
        return (
          <HostMenu
            host={named}
            state={hostState(reports[named.name], deployment.acceptedChecks)}
            report={reports[named.name]}
            from={view.from}
            onChoose={kind => (kind === 'check' ? check() : setView({kind, name: named.name}))}
          />
        );
      }
      break;
    case 'edit':
      if (named) return <HostEdit host={named} onDone={name => setView({kind: 'host', name, from: 'edit'})} />;
      break;
    case 'login':
      if (named) return <HostLogin host={named} onDone={check} />;
      break;
    case 'checks':
      if (named) return <HostChecks host={named} onCheckAgain={check} />;
      break;
    case 'remove':
      if (named) {
        return (
          <Frame title={`Remove ${named.name}`} hints={menuHints(glyphs)}>
            <Confirm
              word={named.name}
              columns={readable}
              onConfirm={() => {
                wizard.change(current => ({
                  ...current,
                  hosts: current.hosts.filter(host => host.name !== named.name),
                  acceptedChecks: current.acceptedChecks.filter(text => !text.startsWith(`${named.name}:`)),
                }));
                wizard.forgetReports([named.name]);
                toList();
              }}
            >
              {`${named.name} (${loginText(named)}) is taken out of the answers. The machine itself is left as it is.`}
            </Confirm>
          </Frame>
        );
      }
      break;
    default:
      break;
  }

  const unseen = deployment.hosts.some(host => reports[host.name] === undefined);
  const troubled = deployment.hosts.find(
    ({name}) => reports[name]?.state === 'failed' || blockingOf(reports[name], deployment.acceptedChecks).length > 0,
  );
  const first =
    task.doing || (unseen && deployment.hosts.length > 0)
      ? 'check'
      : deployment.hosts.length === 0
        ? 'add'
        : troubled
          ? `host-${troubled.name}`
          : 'continue';
  const missing = least - deployment.hosts.length;
  const next = onward(['hosts']);
  const rows: Row[] = [
    ...deployment.hosts.map(
      (host): Row => ({
        kind: 'action',
        id: `host-${host.name}`,
        label: host.name,
        detail: `${loginText(host)}   ${
          task.doing && !reports[host.name] ? 'checking' : hostState(reports[host.name], deployment.acceptedChecks)
        }`,
        help: hostHelp(reports[host.name]),
        onSelect: () => setView({kind: 'host', name: host.name}),
      }),
    ),
    ...(deployment.hosts.length > 0 ? [{kind: 'gap' as const, id: 'gap-hosts'}] : []),
    {
      kind: 'action',
      id: 'add',
      label: 'Add a host',
      detail: 'by address, range, subnet, ~/.ssh/config, or a list',
      disabled: isFull ? `${topology?.title} takes ${counted(most, 'machine')}; remove one first` : undefined,
      onSelect: () => setView({kind: 'add'}),
    },
    ...(services.practice
      ? []
      : [
          {
            kind: 'action' as const,
            id: 'local',
            label: 'Use this machine',
            detail: 'the one that Groundwork runs on',
            disabled: deployment.hosts.some(host => host.reach === 'local')
              ? 'it is in the list'
              : isFull
                ? `${topology?.title} takes ${counted(most, 'machine')}; remove one first`
                : undefined,
            onSelect: () => addHost(localHost(deployment, roles)),
          },
        ]),
    {
      kind: 'action',
      id: 'check',
      label: task.doing ? 'Stop looking' : 'Check the hosts',
      detail: task.doing ? `${task.doing} ...` : 'host keys, login, what they are, what is wrong with them',
      disabled: deployment.hosts.length === 0 ? 'there is none yet' : undefined,
      onSelect: () => (task.doing ? task.cancel() : check()),
    },
    {kind: 'gap', id: 'gap-end'},
    {
      ...next,
      disabled: obstacle(missing, unseen, next.disabled),
    },
  ];
  return (
    <Frame title="Hosts" hints={menuHints(glyphs)}>
      {lead.node}
      <Form
        key={task.doing ? 'busy' : 'idle'}
        rows={rows}
        columns={readable}
        height={height - lead.lines}
        initial={first}
      />
    </Frame>
  );
};

const hostHelp = (report: HostReport | undefined): string =>
  report?.state === 'failed'
    ? [report.failure.message, report.failure.remedy].filter(text => text !== undefined).join(' ')
    : 'Enter: facts and checks, login, settings, removal.';

const localHost = (deployment: Deployment, roles: readonly string[]): HostSpec => ({
  ...hostFrom(
    {name: 'sandbox-1', address: '127.0.0.1', port: 22, user: 'root', source: 'this machine'},
    deployment,
    roles,
  ),
  reach: 'local',
});

type MenuProps = {
  readonly host: HostSpec;
  readonly state: string;
  readonly report: HostReport | undefined;
  /** What one comes back from. */
  readonly from: string | undefined;
  readonly onChoose: (choice: 'checks' | 'login' | 'edit' | 'remove' | 'check') => void;
};

/** What can be done with one host; what its state calls for comes first. */
const HostMenu = ({host, state, report, from, onChoose}: MenuProps) => {
  const {glyphs} = useTheme();
  const {readable, rows} = useBody();
  const action = (id: Parameters<MenuProps['onChoose']>[0], label: string, detail: string): Row => ({
    kind: 'action',
    id,
    label,
    detail,
    onSelect: () => onChoose(id),
  });
  const items: Row[] = [
    ...(report?.state === 'ready'
      ? [action('checks', 'Facts and checks', 'what it is, and what is wrong with it')]
      : []),
    ...(host.reach === 'ssh' ? [action('login', 'Login', 'user, key, password, sudo password, jump host')] : []),
    action('check', 'Check the hosts', 'host keys, login, facts, checks'),
    action('edit', 'Settings', 'name, addresses'),
    action('remove', 'Remove', 'take it out of the answers'),
  ];
  const first = from ?? (report?.state === 'ready' ? 'checks' : report?.state === 'failed' ? 'login' : 'check');
  const details =
    report?.state === 'failed'
      ? [report.failure.attempted, report.failure.cause, report.failure.remedy].filter(text => text !== undefined)
      : [];
  const lead = useLead([`${loginText(host)}: ${state}`, ...details].join('\n'));
  return (
    <Frame title={`Host ${host.name}`} hints={menuHints(glyphs)}>
      {lead.node}
      <Form rows={items} columns={readable} height={rows - lead.lines} initial={first} />
    </Frame>
  );
};
