import {useAnswers} from '../source/app/answers.ts';
import {useProgram, useWizard} from '../source/app/program.tsx';
import type {HostReport} from '../source/app/services.ts';
import {subnetsOf} from '../source/app/suggestions.ts';
import {useTheme} from '../source/app/theme.tsx';
import type {Wizard} from '../source/app/wizard.ts';
import {Form} from '../source/components/form.tsx';
import {Frame, useBody, useLead} from '../source/components/frame.tsx';
import type {Row} from '../source/components/row.ts';
import {
  type Channel,
  type Deployment,
  type PrivateChannel,
  publicAcknowledgement,
} from '../source/deployment/schema.ts';
import {wizardHints} from './hints.ts';

type Answers = ReturnType<typeof useAnswers>;

const withChannel = (current: Deployment, index: number, part: Partial<PrivateChannel>): Deployment => ({
  ...current,
  channels: current.channels.map((channel, at) =>
    at === index && channel.kind === 'private' ? {...channel, ...part} : channel,
  ),
});

/** A device keeps its address as long as it keeps its name. */
const peersNamed = (channel: PrivateChannel, names: readonly string[]): PrivateChannel['peers'] =>
  names.map(name => channel.peers.find(peer => peer.name === name) ?? {name});

/** Who reaches what is installed, and how. */
export const ChannelsScreen = () => {
  const {glyphs} = useTheme();
  const answers = useAnswers();
  const {wizard} = useProgram();
  const {deployment, text, list, onward} = answers;
  const {rows: height, readable} = useBody();
  const lead = useLead(
    'Who reaches what is installed, and how. Unless you say otherwise only the VPN and the private subnet do.',
  );
  const found = subnetsFound(useWizard().reports);
  const privateOnes = deployment.channels.flatMap((channel, index) =>
    channel.kind === 'private' ? [{channel, index}] : [],
  );
  const rows: Row[] = [
    ...privateOnes.flatMap(({channel, index}) => privateRows(answers, channel, index)),
    ...(privateOnes.length > 1 ? privateOnes.map(({channel, index}) => removal(wizard, channel, index)) : []),
    {
      kind: 'action',
      id: 'add-private',
      label: 'Add another VPN',
      detail: 'for people who must be kept apart from the first',
      onSelect: () => wizard.change(addPrivate),
    },
    {kind: 'gap', id: 'gap-network'},
    {kind: 'heading', id: 'heading-network', label: 'The network of the hosts'},
    text({
      path: 'network.privateSubnet',
      label: 'Private subnet',
      value: deployment.network.privateSubnet,
      set: (current, privateSubnet) => ({...current, network: {...current.network, privateSubnet}}),
      placeholder: 'for example 10.0.0.0/24',
      help: `The subnet that the hosts share; what runs on them is reached from there.${found}`,
    }),
    list({
      path: 'network.adminSources',
      label: 'SSH allowed from',
      value: deployment.network.adminSources,
      set: (current, adminSources) => ({
        ...current,
        network: {...current.network, adminSources: [...adminSources]},
      }),
      help: 'Subnets, separated by commas, beside the private subnet and the VPN. The address that you come from now stays allowed in any case.',
    }),
    {kind: 'gap', id: 'gap-public'},
    ...publicRows(answers, wizard),
    {kind: 'gap', id: 'gap-end'},
  ];
  return (
    <Frame title="Channels" hints={wizardHints(glyphs)}>
      {lead.node}
      <Form columns={readable} height={height - lead.lines} rows={[...rows, onward(['channels', 'network'], rows)]} />
    </Frame>
  );
};

const privateRows = (
  {text, number, list, choice, deployment}: Answers,
  channel: PrivateChannel,
  index: number,
): Row[] => {
  const path = `channels[${index}]`;
  return [
    {kind: 'heading', id: `${path}.heading`, label: `VPN "${channel.name}" (WireGuard)`},
    text({
      path: `${path}.name`,
      label: 'Name',
      value: channel.name,
      set: (current, name) => withChannel(current, index, {name}),
      help: 'Lower-case letters, digits and hyphens. Files for devices carry it.',
    }),
    text({
      path: `${path}.endpoint`,
      label: 'Devices dial',
      value: channel.endpoint,
      set: (current, endpoint) => withChannel(current, index, {endpoint}),
      placeholder: `for example ${deployment.hosts[0]?.address ?? '203.0.113.10'}`,
      help: 'The address or name by which the host is reached from outside. Behind a router: that of the router, which must pass the port on.',
    }),
    number({
      path: `${path}.port`,
      label: 'UDP port',
      value: channel.port,
      set: (current, port) => withChannel(current, index, {port}),
      help: 'Must be open from the devices to the host.',
    }),
    text({
      path: `${path}.subnet`,
      label: 'Subnet of the VPN',
      value: channel.subnet,
      set: (current, subnet) => withChannel(current, index, {subnet}),
      help: 'Devices get their addresses from it. It must not overlap any network that the hosts or the devices are in.',
    }),
    list({
      path: `${path}.peers`,
      label: 'Devices',
      value: channel.peers.map(peer => peer.name),
      set: (current, names) => {
        const now = current.channels[index];
        return now?.kind === 'private' ? withChannel(current, index, {peers: peersNamed(now, names)}) : current;
      },
      placeholder: 'for example laptop, phone',
      help: 'Names, separated by commas. Each gets a configuration file to import. Taking a name away takes its access away.',
    }),
    choice({
      path: `${path}.tunnel`,
      label: 'Goes through it',
      value: channel.tunnel,
      set: (current, tunnel) => withChannel(current, index, {tunnel}),
      options: [
        {value: 'split', label: 'only this installation', help: 'Everything else takes the way it always takes.'},
        {value: 'full', label: 'everything', help: 'All that a device sends goes through the host.'},
      ],
    }),
    {kind: 'gap', id: `${path}.gap`},
  ];
};

const removal = (wizard: Wizard, channel: PrivateChannel, index: number): Row => ({
  kind: 'action',
  id: `remove-${index}`,
  label: `Remove the VPN "${channel.name}"`,
  detail: 'its devices lose their access with the next run',
  onSelect: () => wizard.change(current => ({...current, channels: current.channels.filter((_, at) => at !== index)})),
});

/** A further VPN: a subnet, a port and a name that the others have not. */
const addPrivate = (current: Deployment): Deployment => {
  const taken = current.channels.flatMap(channel => (channel.kind === 'private' ? [channel] : []));
  const free = <T,>(candidates: readonly T[], isTaken: (candidate: T) => boolean): T | undefined =>
    candidates.find(candidate => !isTaken(candidate));
  const numbers = Array.from({length: 64}, (_, index) => index);
  const subnet = free(
    numbers.map(number => `10.${15 + number}.0.0/16`),
    candidate => taken.some(each => each.subnet === candidate),
  );
  const port = free(
    numbers.map(number => 51820 + number),
    candidate => taken.some(each => each.port === candidate),
  );
  const name = free(['staff', ...numbers.map(number => `vpn-${number + 2}`)], candidate =>
    current.channels.some(each => each.name === candidate),
  );
  const channel: Channel = {
    name: name ?? 'staff',
    kind: 'private',
    subnet: subnet ?? '',
    port: port ?? 51820,
    endpoint: taken[0]?.endpoint ?? '',
    tunnel: 'split',
    peers: [],
  };
  return {...current, channels: [...current.channels, channel]};
};

/** Public access is chosen and then typed out: it opens the installation to everybody. */
const publicRows = ({deployment, text, choice}: Answers, wizard: Wizard): Row[] => {
  const index = deployment.channels.findIndex(channel => channel.kind === 'public');
  const channel = deployment.channels[index];
  return [
    {kind: 'heading', id: 'heading-public', label: 'The internet'},
    {
      ...choice({
        path: 'public',
        label: 'Public access',
        value: channel ? 'on' : 'off',
        set: current => current,
        options: [
          {value: 'off', label: 'none', help: 'Only the VPN and the private subnet reach the web ports.'},
          {
            value: 'on',
            label: 'open to everybody',
            help: 'Ports 80 and 443 answer every address. Rarely what one wants.',
          },
        ],
      }),
      onChange: value =>
        wizard.change(current => ({
          ...current,
          channels: [
            ...current.channels.filter(each => each.kind !== 'public'),
            ...(value === 'on' ? [{name: 'public', kind: 'public' as const, acknowledgement: ''}] : []),
          ],
        })),
    },
    ...(channel?.kind === 'public'
      ? [
          {
            ...text({
              path: `channels[${index}].acknowledgement`,
              label: 'Type this sentence',
              value: channel.acknowledgement,
              set: current => current,
              placeholder: publicAcknowledgement,
            }),
            ...(channel.acknowledgement === publicAcknowledgement
              ? {help: 'Understood: the web ports will be open to everybody.'}
              : {error: `type it letter by letter to mean it: ${publicAcknowledgement}`}),
            onChange: (typed: string) =>
              wizard.change(current => ({
                ...current,
                channels: current.channels.map(each =>
                  each.kind === 'public' ? {...each, acknowledgement: typed} : each,
                ),
              })),
          },
          text({
            path: `channels[${index}].address`,
            label: 'Public address',
            value: channel.address ?? '',
            set: (current, typed) => ({
              ...current,
              channels: current.channels.map(each => {
                if (each.kind !== 'public') return each;
                const {address: _, ...rest} = each;
                return typed === '' ? rest : {...rest, address: typed};
              }),
            }),
            placeholder: 'for example 203.0.113.10',
            help: 'What public records lead to: the address of the proxy in the internet, or that of the router before it.',
          }),
        ]
      : []),
  ];
};

/** What the hosts' own addresses say about subnets, as a hint. */
const subnetsFound = (reports: Readonly<Record<string, HostReport>>): string => {
  const subnets = new Set(
    Object.values(reports).flatMap(report => (report.state === 'ready' ? subnetsOf(report.facts) : [])),
  );
  return subnets.size === 0 ? '' : ` The hosts are in ${[...subnets].join(', ')}.`;
};
