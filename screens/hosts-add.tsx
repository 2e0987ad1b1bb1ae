import {useEffect, useState} from 'react';
import {useDeployment, useProgram, useTask} from '../source/app/program.tsx';
import type {FoundHost} from '../source/app/services.ts';
import {useTheme} from '../source/app/theme.tsx';
import {topologyOf} from '../source/app/wizard-hosts.ts';
import {Form} from '../source/components/form.tsx';
import {Frame, useBody, useLead} from '../source/components/frame.tsx';
import type {Row} from '../source/components/row.ts';
import {counted} from '../source/components/text.ts';
import {wizardHints} from './hints.ts';

type Props = {
  /** Called when there is nothing more to add, or the operator has added enough. */
  readonly onDone: () => void;
};

const idOf = ({address, port, name}: FoundHost): string => `${address}:${port}:${name}`;

/** Looks for hosts where the operator says, and offers those that are known without looking. */
export const HostAdd = ({onDone}: Props) => {
  const {services, wizard} = useProgram();
  const {glyphs} = useTheme();
  const {rows: height, readable} = useBody();
  const deployment = useDeployment();
  const {hosts} = deployment;
  const machines = topologyOf(services, deployment)?.machines ?? [];
  const room = machines.reduce((sum, {count}) => sum + count.max, 0) - hosts.length;
  const several = machines.length > 1;
  const lead = useLead(
    `${several ? 'Where are they?' : 'Where is it?'} Nothing is sent to a host before you have seen its key.`,
  );
  const task = useTask();
  const [sources, setSources] = useState('');
  const [problem, setProblem] = useState<string>();
  /** Rises with every answer, which the focus then goes to. */
  const [looked, setLooked] = useState(0);
  const [found, setFound] = useState<readonly FoundHost[]>();
  const [suggested, setSuggested] = useState<readonly FoundHost[]>([]);
  const {suggestedHosts} = services;
  useEffect(() => {
    let gone = false;
    suggestedHosts().then(
      offered => {
        if (!gone) setSuggested(offered);
      },
      // Offers are a courtesy: without them one types an address.
      () => {},
    );
    return () => {
      gone = true;
    };
  }, [suggestedHosts]);

  const look = (): void => {
    if (sources.trim() === '') return;
    setProblem(undefined);
    setFound(undefined);
    task.start('Looking', async signal => {
      const result = await services.discover(sources, signal);
      if (signal.aborted) return;
      setLooked(count => count + 1);
      if (!result.ok) setProblem(result.error);
      else if (result.value.length === 0) setProblem('no host answers there');
      else setFound(result.value);
    });
  };
  const offered = found ?? suggested;
  const isTaken = ({address, port}: FoundHost): boolean =>
    hosts.some(each => each.address === address && each.port === port);
  const free = offered.filter(host => !isTaken(host));
  const add = (added: readonly FoundHost[]): void => {
    wizard.addHosts(added);
    if (!several || added.length >= room || added.length >= free.length) onDone();
  };
  const rows: Row[] = [
    {
      kind: 'text',
      id: 'sources',
      label: 'Look at',
      value: sources,
      onChange: text => {
        setSources(text);
        setProblem(undefined);
      },
      joiner: ', ',
      placeholder: 'for example 10.0.0.11',
      error: problem,
      help: 'An address or name; a range like 10.0.0.11-20; a subnet like 10.0.0.0/24, which is scanned for SSH; ssh-config; or the path of a list or an Ansible inventory. Several may be given, separated by commas.',
    },
    {
      kind: 'action',
      id: 'look',
      label: task.doing ? 'Looking ...' : 'Look',
      detail: task.doing ? 'Enter stops it' : '',
      disabled: sources.trim() === '' ? 'say where to look first' : undefined,
      onSelect: () => (task.doing ? task.cancel() : look()),
    },
    {kind: 'gap', id: 'gap'},
    ...(offered.length === 0
      ? []
      : [
          {
            kind: 'heading' as const,
            id: 'heading',
            label: found ? `Found: ${counted(found.length, 'host')}` : 'Known already',
          },
        ]),
    ...(several && free.length > 1
      ? [
          {
            kind: 'action' as const,
            id: 'all',
            label: `All ${free.length}`,
            detail: free.map(({name}) => name).join(', '),
            disabled: free.length > room ? `there is room for ${room} more: choose them` : undefined,
            help: 'Enter adds all that are not in the list yet. Which machine each is to be is found out by looking at them.',
            onSelect: () => add(free),
          },
        ]
      : []),
    ...offered.map((host): Row => {
      const taken = isTaken(host);
      return {
        kind: 'action',
        id: idOf(host),
        label: host.name,
        detail: `${host.user ? `${host.user}@` : ''}${host.address}${host.port === 22 ? '' : `:${host.port}`}   from ${host.source}`,
        disabled: taken ? 'is in the list already' : undefined,
        help: 'Enter adds it. Nothing is sent to it yet.',
        onSelect: () => add([host]),
      };
    }),
    ...(several && hosts.length > 0
      ? [
          {kind: 'gap' as const, id: 'gap-end'},
          {
            kind: 'action' as const,
            id: 'done',
            label: 'Back to the hosts',
            detail: `${counted(hosts.length, 'host')} in the list`,
            onSelect: onDone,
          },
        ]
      : []),
  ];
  // Who practises has come for the practice hosts.
  const firstOffer = (found ?? (services.practice ? suggested : [])).find(host => !isTaken(host));
  const allFirst = several && free.length > 1 && free.length <= room;
  return (
    <Frame title={several ? 'Add hosts' : 'Add a host'} hints={wizardHints(glyphs)}>
      {lead.node}
      <Form
        key={`${looked} ${firstOffer?.name}`}
        rows={rows}
        columns={readable}
        height={height - lead.lines}
        initial={firstOffer ? (allFirst ? 'all' : idOf(firstOffer)) : 'sources'}
      />
    </Frame>
  );
};
