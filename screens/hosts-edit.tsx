import {useState} from 'react';
import {useAnswers} from '../source/app/answers.ts';
import {useProgram} from '../source/app/program.tsx';
import {useTheme} from '../source/app/theme.tsx';
import {topologyOf} from '../source/app/wizard-hosts.ts';
import {machineOf} from '../source/blueprints/blueprint.ts';
import {Form} from '../source/components/form.tsx';
import {Frame, useBody, useLead} from '../source/components/frame.tsx';
import type {Row} from '../source/components/row.ts';
import type {Deployment, HostSpec} from '../source/deployment/schema.ts';
import {isDnsLabel} from '../source/network/names.ts';
import {wizardHints} from './hints.ts';

type Props = {
  readonly host: HostSpec;
  /** Called with the host's name, which may be another one now. */
  readonly onDone: (name: string) => void;
  /** Its name followed the machine that it is to be. */
  readonly onRenamed: (name: string) => void;
};

/** A host's name and addresses. */
export const HostEdit = ({host, onDone, onRenamed}: Props) => {
  const {services, wizard} = useProgram();
  const {glyphs} = useTheme();
  const {rows: height, readable} = useBody();
  const lead = useLead('What the host is called, and where it is.');
  const {deployment, text, number} = useAnswers();
  const [name, setName] = useState(host.name);
  const index = deployment.hosts.findIndex(each => each.name === host.name);
  const path = `hosts[${index}]`;
  const withHost = (current: Deployment, part: Partial<HostSpec>): Deployment => ({
    ...current,
    hosts: current.hosts.map((each, at) => (at === index ? {...each, ...part} : each)),
  });
  const taken = deployment.hosts.some(each => each.name === name && each.name !== host.name);
  const wrongName = taken
    ? 'another host has this name'
    : isDnsLabel(name)
      ? undefined
      : 'lower-case letters, digits and hyphens; at most 63';
  const done = (): void => {
    wizard.renameHost(host.name, name);
    onDone(name);
  };
  const roles = services.blueprints
    .find(each => each.id === deployment.blueprint)
    ?.roles.filter(role => host.roles.includes(role.id));
  const topology = topologyOf(services, deployment);
  const machine = topology && machineOf(topology, host);
  const rows: Row[] = [
    {
      kind: 'text',
      id: 'name',
      label: 'Name',
      value: name,
      onChange: setName,
      error: wrongName,
      help: 'What it is called here, and in the names file of the hosts.',
    },
    ...(host.reach === 'ssh'
      ? [
          text({
            path: `${path}.address`,
            label: 'Address',
            value: host.address,
            set: (current, address) => withHost(current, {address}),
            help: 'Address or name that SSH is to connect to.',
          }),
          number({
            path: `${path}.port`,
            label: 'SSH port',
            value: host.port,
            set: (current, port) => withHost(current, {port}),
          }),
        ]
      : []),
    text({
      path: `${path}.privateAddress`,
      label: 'Private address',
      value: host.privateAddress,
      set: (current, privateAddress) => withHost(current, {privateAddress}),
      help: 'Its address in the private subnet. Services listen on it and names lead to it. Checking the host finds it out.',
    }),
    ...(topology && topology.machines.length > 1
      ? [
          {
            kind: 'choice' as const,
            id: 'machine',
            label: 'Machine',
            value: machine?.id ?? '',
            options: [
              ...(machine ? [] : [{value: '', label: 'none yet'}]),
              ...topology.machines.map(({id, title}) => ({value: id, label: title})),
            ],
            help: 'What it is to be. A name that Groundwork gave follows.',
            onChange: (id: string) => {
              const before = wizard.get().deployment?.hosts[index]?.name;
              wizard.changeMachine(host.name, id);
              const now = wizard.get().deployment?.hosts[index]?.name;
              if (now !== undefined && now !== before) onRenamed(now);
            },
          },
        ]
      : []),
    {
      kind: 'fact',
      id: 'roles',
      label: 'Roles',
      value: roles?.map(role => role.title).join(', ') ?? host.roles.join(', '),
    },
    {kind: 'gap', id: 'gap'},
    {kind: 'action', id: 'done', label: 'Done', disabled: wrongName && `the name: ${wrongName}`, onSelect: done},
  ];
  return (
    <Frame title={`Settings of ${host.name}`} hints={wizardHints(glyphs)}>
      {lead.node}
      <Form rows={rows} columns={readable} height={height - lead.lines} />
    </Frame>
  );
};
