import {useEffect, useState} from 'react';
import {useKeys} from '../source/app/keys.tsx';
import {useProgram, useTask} from '../source/app/program.tsx';
import {Say, useTheme} from '../source/app/theme.tsx';
import {Frame, useBody} from '../source/components/frame.tsx';
import {Page} from '../source/components/page.tsx';
import type {Deployment} from '../source/deployment/schema.ts';
import {acceptedAddresses, recordsOf} from '../steps/site-dns/records.ts';
import {judge} from '../steps/site-dns/resolution.ts';

/** The records that the site has to make, with what this machine finds of them. */
export const DnsRecords = ({deployment, onClose}: {readonly deployment: Deployment; readonly onClose: () => void}) => {
  const {services} = useProgram();
  const {glyphs} = useTheme();
  const {rows: height, readable} = useBody();
  const task = useTask();
  const records = recordsOf(deployment);
  const [found, setFound] = useState<readonly string[]>([]);

  const look = (): void => {
    setFound([]);
    task.start('Asking the resolvers of this machine', async signal => {
      const answers = await services.resolveNames(records.map(({name}) => name));
      if (signal.aborted) return;
      setFound(
        answers.map((answer, index) => {
          const record = records[index];
          const judged = record && judge(answer, acceptedAddresses(deployment, record));
          return judged ? (judged.ok ? `as it should be: ${judged.value}` : judged.error) : '';
        }),
      );
    });
  };
  useEffect(() => task.cancel, [task.cancel]);
  useKeys(key => {
    if (key.name === 'escape') {
      onClose();
      return true;
    }
    if (key.name === 'enter' || (key.name === 'text' && !key.ctrl && key.text === 'n')) {
      if (records.length > 0) look();
      return true;
    }
    return false;
  });

  const lines = records.flatMap(({name, type, value, channel, why}, index) => [
    `${name}  ${type}  ${value ?? '?'}  ${channel === 'private' ? 'internal' : 'public'}`,
    `  for    ${why}`,
    ...(found[index] ? [`  here   ${found[index]}`] : []),
  ]);
  return (
    <Frame
      title="DNS records"
      hints={[
        {keys: 'Enter, n', does: 'ask from here'},
        {keys: glyphs.upDown, does: 'scroll'},
        {keys: 'Esc', does: 'back'},
      ]}
    >
      <Say tone="quiet" wrap="truncate-end">
        {task.doing
          ? `${task.doing} ...`
          : 'Hosts ask for them too, and the installation waits where they are missing.'}
      </Say>
      <Page
        lines={['', ...(records.length === 0 ? ['None: our own DNS server answers.'] : lines)]}
        columns={readable}
        height={height - 1}
      />
    </Frame>
  );
};
