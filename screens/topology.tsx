import {Box} from 'ink';
import {useState} from 'react';
import {useAnswers} from '../source/app/answers.ts';
import {useKeys} from '../source/app/keys.tsx';
import {useProgram} from '../source/app/program.tsx';
import {useTheme} from '../source/app/theme.tsx';
import type {Blueprint, Machine} from '../source/blueprints/blueprint.ts';
import {Drawing} from '../source/components/drawing.tsx';
import {Form} from '../source/components/form.tsx';
import {Frame, useBody, useLead} from '../source/components/frame.tsx';
import type {Row} from '../source/components/row.ts';
import {Table} from '../source/components/table.tsx';
import type {Deployment} from '../source/deployment/schema.ts';
import {wizardHints} from './hints.ts';

const drawingColumns = 76;

/** What is installed, and on how many machines of what size. */
export const TopologyScreen = () => {
  const {services, wizard} = useProgram();
  const theme = useTheme();
  const {deployment, choice, onward} = useAnswers();
  const {columns, rows, readable} = useBody();
  const lead = useLead('What is to be installed, and on which machines.');
  const [showsDrawing, setShowsDrawing] = useState(false);
  useKeys(key => {
    if (!showsDrawing) return false;
    if (key.ctrl) return false;
    setShowsDrawing(false);
    return true;
  });
  const blueprint = services.blueprints.find(each => each.id === deployment.blueprint);
  const topology = blueprint?.topologies.find(each => each.id === deployment.topology);
  const drawing = topology?.drawing ?? [];
  const formHeight = 9;
  const besides = lead.lines + 2 + (topology?.machines.length ?? 0);
  const inline = rows >= formHeight + besides + drawing.length + 1;
  const tooNarrow = columns < drawingColumns || rows < drawing.length;

  if (showsDrawing) {
    return (
      <Frame title={`The ${topology?.title ?? ''} topology`} hints={[{keys: 'any key', does: 'goes back'}]}>
        <Drawing lines={drawing} height={rows} />
      </Frame>
    );
  }
  const formRows: Row[] = [
    choice({
      path: 'blueprint',
      label: 'Blueprint',
      value: deployment.blueprint,
      set: (current, id) => {
        const chosen = services.blueprints.find(each => each.id === id);
        const first = chosen?.topologies[0];
        return chosen && first && id !== current.blueprint
          ? services.firstAnswers(chosen, current.name, first.id)
          : current;
      },
      help: blueprint?.purpose ?? '',
      options: services.blueprints.map(each => ({value: each.id, label: each.title})),
    }),
    choice({
      path: 'topology',
      label: 'Topology',
      value: deployment.topology,
      set: (current, id) =>
        blueprint && id !== current.topology ? withTopology({services, wizard}, blueprint, current, id) : current,
      help: topology?.purpose ?? '',
      options: (blueprint?.topologies ?? []).map(each => ({value: each.id, label: each.title})),
    }),
    {kind: 'gap', id: 'gap'},
    ...(inline || theme.screenReader
      ? []
      : [
          {
            kind: 'action' as const,
            id: 'drawing',
            label: 'See a drawing of it',
            disabled: tooNarrow ? 'it needs a terminal of 80x24' : undefined,
            onSelect: () => setShowsDrawing(true),
          },
        ]),
    onward(['blueprint', 'topology']),
  ];
  return (
    <Frame title="Blueprint and topology" hints={wizardHints(theme.glyphs)}>
      {lead.node}
      {topology && (
        <Box flexDirection="column" marginBottom={1} flexShrink={0}>
          <Table width={readable} columns={machineColumns} rows={topology.machines.map(machineRow)} />
        </Box>
      )}
      {inline && (
        <Box marginBottom={1} flexShrink={0}>
          <Drawing lines={drawing} height={rows} />
        </Box>
      )}
      <Form
        rows={formRows}
        columns={readable}
        height={Math.max(6, rows - besides - (inline ? drawing.length + 1 : 0))}
        initial={wizard.get().deployment ? 'continue' : 'topology'}
      />
    </Frame>
  );
};

/**
 * The answers for another topology. What a topology decides for itself (who vouches for names and who answers for them,
 * whether databases and backups have a machine) is as it is there by default, or as it was answered when the operator was
 * there before; hosts take the places of its machines in their order.
 */
const withTopology = (
  {services, wizard}: Pick<ReturnType<typeof useProgram>, 'services' | 'wizard'>,
  blueprint: Blueprint,
  current: Deployment,
  id: string,
): Deployment => {
  const fresh = services.firstAnswers(blueprint, current.name, id);
  const own = ({tls, components: {dns, postgresql, backup}}: Deployment) => ({
    tls,
    server: dns.server,
    postgresql,
    backup,
  });
  wizard.setAside(`topology.${current.topology}`, own(current));
  const {tls, server, postgresql, backup} = wizard.takeUp<ReturnType<typeof own>>(`topology.${id}`) ?? own(fresh);
  const {postgresql: _postgresql, backup: _backup, ...components} = current.components;
  const machines = blueprint.topologies.find(each => each.id === id)?.machines ?? [];
  const places = machines.flatMap(machine => Array.from({length: machine.count.min}, () => machine));
  return {
    ...current,
    topology: id,
    tls,
    hosts: current.hosts.map((host, index) => ({
      ...host,
      roles: [...((places[index] ?? places[0])?.roles ?? host.roles)],
    })),
    components: {
      ...components,
      dns: {...components.dns, server},
      ...(postgresql && {postgresql}),
      ...(backup && {backup}),
    },
  };
};

const machineColumns = [
  {title: 'Machine', least: 12},
  {title: 'How many', align: 'right'},
  {title: 'CPUs', align: 'right'},
  {title: 'Memory', align: 'right'},
  {title: 'Disk', align: 'right'},
  {title: 'Roles', least: 10},
] as const;

const machineRow = ({title, count, nominal, volumeGb, roles}: Machine): readonly string[] => [
  title,
  count.min === count.max ? String(count.min) : `${count.min} to ${count.max}`,
  String(nominal.cpus),
  `${nominal.memoryGb} GB`,
  `${nominal.diskGb}${volumeGb ? ` + ${volumeGb.nominal}` : ''} GB`,
  roles.join(', '),
];
