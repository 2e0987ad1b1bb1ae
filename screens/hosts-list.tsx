import {useAnswers} from '../source/app/answers.ts';
import {bestMachines, machinesAmiss, nameFor, reasonFor} from '../source/app/machines.ts';
import {useProgram, useWizard} from '../source/app/program.tsx';
import type {HostReport} from '../source/app/services.ts';
import {outsideSubnet} from '../source/app/suggestions.ts';
import {useTheme} from '../source/app/theme.tsx';
import {factsIn, topologyOf} from '../source/app/wizard-hosts.ts';
import {type Machine, machineOf, type Topology} from '../source/blueprints/blueprint.ts';
import {Form} from '../source/components/form.tsx';
import {Frame, useBody, useLead} from '../source/components/frame.tsx';
import type {Row} from '../source/components/row.ts';
import {column, counted, widthOf} from '../source/components/text.ts';
import type {Deployment, HostSpec} from '../source/deployment/schema.ts';
import {menuHints} from './hints.ts';
import {jumpRow} from './hosts-jump.ts';
import {blockingOf, briefState, described, hostState, loginText} from './hosts-text.ts';

type Props = {
  /** What is being done with the hosts at the moment. */
  readonly doing: string | undefined;
  /** The row that one comes back from. */
  readonly from: string | undefined;
  readonly onCheck: () => void;
  readonly onOpen: (host: string) => void;
  readonly onAdd: () => void;
  readonly onSizes: () => void;
};

/** Why one cannot go on yet. A host that was not looked at is no reason to complain: what it has fills in the rest. */
const obstacle = (
  {missing, unseen, amiss}: {readonly missing: number; readonly unseen: boolean; readonly amiss: string | undefined},
  wrong: string | undefined,
): string | undefined => {
  if (missing > 0) return `${counted(missing, 'host')} still to add`;
  if (unseen && (amiss !== undefined || wrong !== undefined)) return 'check the hosts first';
  return amiss ?? wrong;
};

/** All hosts, each with the machine that it is to be and what is known of it. */
export const HostsList = ({doing, from, onCheck, onOpen, onAdd, onSizes}: Props) => {
  const {services, wizard} = useProgram();
  const {reports} = useWizard();
  const {glyphs} = useTheme();
  const {deployment, onward} = useAnswers();
  const {rows: height, readable} = useBody();
  const {hosts} = deployment;
  const topology = topologyOf(services, deployment);
  const machines = topology?.machines ?? [];
  const most = machines.reduce((sum, machine) => sum + machine.count.max, 0);
  const least = machines.reduce((sum, machine) => sum + machine.count.min, 0);
  const lead = useLead(
    `${topology?.title ?? 'It'} takes ${counted(most, 'machine')} with Ubuntu 22.04 or 24.04, or Debian 12 or 13.`,
  );
  const several = most > 1;
  const isFull = hosts.length >= most;
  const full = isFull ? `${topology?.title} takes ${counted(most, 'machine')}; remove one first` : undefined;
  const unseen = hosts.some(host => reports[host.name] === undefined);
  const troubled = hosts.find(
    ({name}) => reports[name]?.state === 'failed' || blockingOf(reports[name], deployment.acceptedChecks).length > 0,
  );
  const first =
    from ??
    (doing || (unseen && hosts.length > 0)
      ? 'check'
      : hosts.length === 0
        ? 'add'
        : troubled
          ? `host-${troubled.name}`
          : 'continue');
  const next = onward(['hosts']);
  const hostRows = several && topology ? machineRows({deployment, reports, topology, doing}) : [];
  const rows: Row[] = [
    ...hosts.map((host, index): Row => {
      const row = hostRows[index];
      const isChecking = doing !== undefined && !reports[host.name];
      return {
        kind: 'action',
        id: `host-${several ? index : host.name}`,
        label: host.name,
        detail:
          row?.detail ??
          `${loginText(host)}   ${isChecking ? 'checking' : hostState(reports[host.name], deployment.acceptedChecks)}`,
        help: row?.help ?? hostHelp(reports[host.name]),
        onSelect: () => onOpen(host.name),
        ...(row && {
          keys: {
            r: () => wizard.changeMachine(host.name, row.nextMachine.id),
            s: () => wizard.suggestMachines('all'),
          },
        }),
      };
    }),
    ...(hosts.length > 0 ? [{kind: 'gap' as const, id: 'gap-hosts'}] : []),
    {
      kind: 'action',
      id: 'add',
      label: several ? 'Add hosts' : 'Add a host',
      detail: 'by address, range, subnet, ~/.ssh/config, or a list',
      disabled: full,
      onSelect: onAdd,
    },
    ...(services.practice
      ? []
      : [
          {
            kind: 'action' as const,
            id: 'local',
            label: 'Use this machine',
            detail: 'the one that Groundwork runs on',
            disabled: hosts.some(host => host.reach === 'local') ? 'it is in the list' : full,
            onSelect: () => {
              const missing = machines.find(
                machine => !hosts.some(host => topology && machineOf(topology, host) === machine),
              );
              const machine = missing ?? machines[0];
              if (!machine) return;
              const name = nameFor(machine, new Set(hosts.map(host => host.name)));
              wizard.addHosts([{name, address: '127.0.0.1', port: 22, user: 'root', source: 'this machine'}], {
                reach: 'local',
              });
            },
          },
        ]),
    ...(several && topology && !services.practice ? jumpRow(deployment, topology, wizard.change) : []),
    {
      kind: 'action',
      id: 'check',
      label: doing ? 'Stop looking' : 'Check the hosts',
      detail: doing ? `${doing} ...` : 'host keys, login, what they are, what is wrong with them',
      disabled: hosts.length === 0 ? 'there is none yet' : undefined,
      onSelect: onCheck,
    },
    ...(several
      ? [
          {
            kind: 'action' as const,
            id: 'sizes',
            label: 'Sizes',
            detail: 'what the machines have, beside what they should have',
            disabled: hosts.length === 0 ? 'there is no host yet' : undefined,
            onSelect: onSizes,
          },
        ]
      : []),
    {kind: 'gap', id: 'gap-end'},
    {
      ...next,
      disabled: obstacle(
        {missing: least - hosts.length, unseen, amiss: topology && machinesAmiss(topology, hosts)},
        next.disabled,
      ),
    },
  ];
  const hints = menuHints(glyphs);
  return (
    <Frame
      title="Hosts"
      hints={
        several && hosts.length > 0
          ? [
              ...hints.slice(0, 2),
              {keys: 'r', does: 'another role'},
              {keys: 's', does: 'roles by facts'},
              ...hints.slice(2),
            ]
          : hints
      }
    >
      {lead.node}
      <Form
        follows
        rows={rows}
        columns={readable}
        height={height - lead.lines}
        initial={troubled && several && first === `host-${troubled.name}` ? `host-${hosts.indexOf(troubled)}` : first}
      />
    </Frame>
  );
};

const hostHelp = (report: HostReport | undefined): string =>
  report?.state === 'failed'
    ? [report.failure.message, report.failure.remedy].filter(text => text !== undefined).join(' ')
    : 'Enter: facts and checks, login, settings, removal.';

type MachineRow = {readonly detail: string; readonly help: string; readonly nextMachine: Machine};

/** Of each host in its line: the machine that it is to be, where it is, and how it stands; what led there in its help. */
const machineRows = ({
  deployment,
  reports,
  topology,
  doing,
}: {
  readonly deployment: Deployment;
  readonly reports: Readonly<Record<string, HostReport>>;
  readonly topology: Topology;
  readonly doing: string | undefined;
}): readonly MachineRow[] => {
  const {hosts, acceptedChecks} = deployment;
  const {machines} = topology;
  const known = factsIn(reports);
  const best = bestMachines(
    topology,
    hosts.map(host => ({host, facts: known[host.name], isDecided: false})),
  );
  const titleColumns = Math.max(...machines.map(({title}) => widthOf(title)));
  const loginColumns = Math.min(26, Math.max(...hosts.map(host => widthOf(loginText(host)))));
  return hosts.map((host, index) => {
    const machine = machineOf(topology, host);
    const report = reports[host.name];
    const isChecking = doing !== undefined && !report;
    const state = isChecking ? 'checking' : briefState(report, acceptedChecks);
    return {
      detail: [column(machine?.title ?? 'NO ROLE', titleColumns), column(loginText(host), loginColumns), state].join(
        '  ',
      ),
      help: machineHelp({host, machine, best: best[index], report, deployment, known}),
      nextMachine: machines[(machine ? machines.indexOf(machine) + 1 : 0) % machines.length] as Machine,
    };
  });
};

const machineHelp = ({
  host,
  machine,
  best,
  report,
  deployment,
  known,
}: {
  readonly host: HostSpec;
  readonly machine: Machine | undefined;
  readonly best: Machine | undefined;
  readonly report: HostReport | undefined;
  readonly deployment: Deployment;
  readonly known: ReturnType<typeof factsIn>;
}): string => {
  if (report?.state !== 'ready') return hostHelp(report);
  const {[host.name]: facts, ...others} = known;
  const reason = best && facts ? reasonFor(best, facts, Object.values(others)) : '';
  const because = reason === '' ? '' : ` because ${reason}`;
  const speaks =
    best === machine
      ? because && ` Suggested as ${machine?.title},${because}.`
      : best && ` Its facts speak for ${best.title}${because ? `,${because}` : ''}.`;
  const outside = facts && outsideSubnet(deployment, facts);
  return `${described(report)}.${speaks ?? ''}${outside ? ` ${outside}` : ''}`;
};
