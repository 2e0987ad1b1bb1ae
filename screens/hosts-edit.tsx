import {useState} from 'react';
import {useAnswers} from '../source/app/answers.ts';
import {useProgram} from '../source/app/program.tsx';
import {useTheme} from '../source/app/theme.tsx';
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
};

/** A host's name and addresses. */
export const HostEdit = ({host, onDone}: Props) => {
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
    if (name !== host.name) {
      wizard.change(current => ({
        ...withHost(current, {name}),
        acceptedChecks: current.acceptedChecks.map(accepted =>
          accepted.startsWith(`${host.name}:`) ? name + accepted.slice(host.name.length) : accepted,
        ),
      }));
      wizard.forgetReports([host.name]);
    }
    onDone(name);
  };
  const roles = services.blueprints
    .find(each => each.id === deployment.blueprint)
    ?.roles.filter(role => host.roles.includes(role.id));
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
