import {useState} from 'react';
import {useAnswers} from '../source/app/answers.ts';
import {useProgram} from '../source/app/program.tsx';
import {useTheme} from '../source/app/theme.tsx';
import {Form} from '../source/components/form.tsx';
import {Frame, useBody, useLead} from '../source/components/frame.tsx';
import type {Row, TextRow} from '../source/components/row.ts';
import type {Deployment, HostSpec} from '../source/deployment/schema.ts';
import {wizardHints} from './hints.ts';

type Props = {
  readonly host: HostSpec;
  /** Called when the operator wants to try with what was given. */
  readonly onDone: () => void;
  /** What the last row says; `Check the hosts` by default. */
  readonly doneLabel?: string;
};

const withHost = (current: Deployment, index: number, update: (host: HostSpec) => HostSpec): Deployment => ({
  ...current,
  hosts: current.hosts.map((host, at) => (at === index ? update(host) : host)),
});

const withoutKey = ({identityFile: _, ...host}: HostSpec): HostSpec => host;

const withoutJump = ({jump: _, ...host}: HostSpec): HostSpec => host;

/** How to get into a host. Secrets are kept in memory only, for as long as the program runs. */
export const HostLogin = ({host, onDone, doneLabel = 'Check the hosts'}: Props) => {
  const {services} = useProgram();
  const {glyphs} = useTheme();
  const {rows: height, readable} = useBody();
  const lead = useLead(`How to get into ${host.address}. Leave empty what is not needed.`);
  const {deployment, text, number} = useAnswers();
  const [secrets, setSecrets] = useState({password: '', passphrase: '', sudoPassword: ''});
  const [forAll, setForAll] = useState(false);
  const index = deployment.hosts.findIndex(each => each.name === host.name);
  const path = `hosts[${index}]`;
  const secret = (id: keyof typeof secrets, label: string, help: string): TextRow => ({
    kind: 'text',
    id,
    label,
    value: secrets[id],
    onChange: typed => setSecrets(before => ({...before, [id]: typed})),
    secret: true,
    help,
  });
  const give = (): void => {
    const given = Object.fromEntries(Object.entries(secrets).filter(([, value]) => value !== ''));
    const names = forAll ? deployment.hosts.map(each => each.name) : [host.name];
    if (Object.keys(given).length > 0) for (const name of names) services.giveSecrets(name, given);
    onDone();
  };
  const rows: Row[] = [
    text({
      path: `${path}.user`,
      label: 'User',
      value: host.user,
      set: (current, user) => withHost(current, index, each => ({...each, user})),
      help: 'root, or somebody who may use sudo.',
    }),
    secret('password', 'Password', 'Only if keys do not let you in. It is kept in memory, never written down.'),
    secret('sudoPassword', 'Password for sudo', 'Only if sudo asks for one. Empty: the password above is tried.'),
    text({
      path: `${path}.identityFile`,
      label: 'Private key',
      value: host.identityFile ?? '',
      set: (current, identityFile) =>
        withHost(current, index, each => (identityFile === '' ? withoutKey(each) : {...each, identityFile})),
      placeholder: 'the agent and ~/.ssh/config decide',
      help: 'Path of a key on this side, if the agent and your own SSH settings do not lead to one.',
    }),
    secret('passphrase', 'Passphrase of the key', 'Only if the key has one and no agent holds it.'),
    ...jumpRows({text, number}, host, index),
    ...(deployment.hosts.length > 1
      ? [
          {
            kind: 'choice' as const,
            id: 'for',
            label: 'Passwords are for',
            value: forAll ? 'all' : 'this',
            options: [
              {value: 'this', label: 'this host'},
              {value: 'all', label: 'all hosts'},
            ],
            onChange: (value: string) => setForAll(value === 'all'),
          },
        ]
      : []),
    {kind: 'gap', id: 'gap'},
    {kind: 'action', id: 'done', label: doneLabel, onSelect: give},
  ];
  return (
    <Frame title={`Login to ${host.name}`} hints={wizardHints(glyphs)}>
      {lead.node}
      <Form rows={rows} columns={readable} height={height - lead.lines} initial="password" />
    </Frame>
  );
};

/** The way through another machine; its rows appear when its address is given. */
const jumpRows = (
  {text, number}: Pick<ReturnType<typeof useAnswers>, 'text' | 'number'>,
  host: HostSpec,
  index: number,
): Row[] => {
  const path = `hosts[${index}].jump`;
  const {jump} = host;
  const change = (current: Deployment, part: Partial<NonNullable<HostSpec['jump']>>): Deployment =>
    withHost(current, index, each => ({
      ...each,
      jump: {address: '', port: 22, user: each.user, ...each.jump, ...part},
    }));
  return [
    text({
      path: `${path}.address`,
      label: 'Jump host',
      value: jump?.address ?? '',
      set: (current, address) => (address === '' ? withHost(current, index, withoutJump) : change(current, {address})),
      placeholder: 'none',
      help: 'If the host is reached only through another machine: its address.',
    }),
    ...(jump
      ? [
          text({
            path: `${path}.user`,
            label: '  its user',
            value: jump.user,
            set: (current, user) => change(current, {user}),
          }),
          number({
            path: `${path}.port`,
            label: '  its port',
            value: jump.port,
            set: (current, port) => change(current, {port}),
          }),
          text({
            path: `${path}.identityFile`,
            label: '  its key',
            value: jump.identityFile ?? '',
            set: (current, identityFile) =>
              withHost(current, index, each => {
                if (!each.jump) return each;
                const {identityFile: _, ...others} = each.jump;
                return {...each, jump: identityFile === '' ? others : {...others, identityFile}};
              }),
            placeholder: 'the agent and ~/.ssh/config decide',
          }),
        ]
      : []),
  ];
};
