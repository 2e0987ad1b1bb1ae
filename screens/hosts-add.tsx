import {useEffect, useState} from 'react';
import {useDeployment, useProgram, useTask} from '../source/app/program.tsx';
import type {FoundHost} from '../source/app/services.ts';
import {useTheme} from '../source/app/theme.tsx';
import {Form} from '../source/components/form.tsx';
import {Frame, useBody, useLead} from '../source/components/frame.tsx';
import type {Row} from '../source/components/row.ts';
import {counted} from '../source/components/text.ts';
import {wizardHints} from './hints.ts';

type Props = {readonly onAdd: (found: FoundHost) => void};

/** Looks for hosts where the operator says, and offers those that are known without looking. */
export const HostAdd = ({onAdd}: Props) => {
  const {services} = useProgram();
  const {glyphs} = useTheme();
  const {rows: height, readable} = useBody();
  const lead = useLead('Where is it? Nothing is sent to a host before you have seen its key.');
  const {hosts} = useDeployment();
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
    ...offered.map((host): Row => {
      const taken = hosts.some(each => each.address === host.address && each.port === host.port);
      return {
        kind: 'action',
        id: `${host.address}:${host.port}:${host.name}`,
        label: host.name,
        detail: `${host.user ? `${host.user}@` : ''}${host.address}${host.port === 22 ? '' : `:${host.port}`}   from ${host.source}`,
        disabled: taken ? 'is in the list already' : undefined,
        help: 'Enter adds it. Nothing is sent to it yet.',
        onSelect: () => onAdd(host),
      };
    }),
  ];
  // Who practises has come for the practice hosts.
  const firstOffer = (found ?? (services.practice ? suggested : []))[0];
  return (
    <Frame title="Add a host" hints={wizardHints(glyphs)}>
      {lead.node}
      <Form
        key={`${looked} ${firstOffer?.name}`}
        rows={rows}
        columns={readable}
        height={height - lead.lines}
        initial={firstOffer ? `${firstOffer.address}:${firstOffer.port}:${firstOffer.name}` : 'sources'}
      />
    </Frame>
  );
};
