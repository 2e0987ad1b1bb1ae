import {useMemo} from 'react';
import {useDeployment, useProgram, useWizard} from '../source/app/program.tsx';
import {Say} from '../source/app/theme.tsx';
import {topologyOf} from '../source/app/wizard-hosts.ts';
import {Frame, useBody, useLead} from '../source/components/frame.tsx';
import {type Cell, Table} from '../source/components/table.tsx';
import {type Found, type SizeLine, sizeLines} from './sizes.ts';

const cell = ({found, needed, suffices}: Found): Cell => {
  if (found === undefined) return `?/${needed}`;
  const text = `${suffices ? '' : '! '}${found}/${needed}`;
  return suffices ? text : {text, tone: 'bad'};
};

const lineOf = ({host, title, cpus, memory, disk, volume}: SizeLine): readonly Cell[] => [
  host,
  title,
  cell(cpus),
  cell(memory),
  cell(disk),
  volume ? cell(volume) : '',
];

/** What every machine has, beside what its kind should have. */
export const HostSizes = () => {
  const {services} = useProgram();
  const {reports} = useWizard();
  const {rows: height, columns} = useBody();
  const deployment = useDeployment();
  const topology = topologyOf(services, deployment);
  const lead = useLead('Found/needed on each machine. "!" marks what is too little; a little less is let pass.');
  const lines = useMemo(
    () => (topology ? sizeLines(deployment, topology, reports) : []),
    [deployment, topology, reports],
  );
  const isShort = lines.some(({isShort}) => isShort);
  return (
    <Frame title="Sizes of the machines" hints={[{keys: 'Esc', does: 'back'}]}>
      {lead.node}
      <Table
        width={columns}
        height={height - lead.lines - 2}
        columns={[
          {title: 'Host', least: 9},
          {title: 'Machine', least: 9},
          {title: 'CPUs', align: 'right'},
          {title: 'Memory GiB', align: 'right'},
          {title: 'Disk GB', align: 'right'},
          {title: 'Copies GB', align: 'right'},
        ]}
        rows={lines.map(lineOf)}
      />
      {isShort && (
        <Say tone="quiet">Too little is a failed check of the host, which can be accepted to try things out.</Say>
      )}
    </Frame>
  );
};
