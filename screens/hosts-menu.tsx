import type {HostReport} from '../source/app/services.ts';
import {useTheme} from '../source/app/theme.tsx';
import {Form} from '../source/components/form.tsx';
import {Frame, useBody, useLead} from '../source/components/frame.tsx';
import type {Row} from '../source/components/row.ts';
import type {HostSpec} from '../source/deployment/schema.ts';
import {menuHints} from './hints.ts';
import {loginText} from './hosts-text.ts';

type MenuProps = {
  readonly host: HostSpec;
  readonly state: string;
  readonly report: HostReport | undefined;
  /** What one comes back from. */
  readonly from: string | undefined;
  readonly onChoose: (choice: 'checks' | 'login' | 'edit' | 'remove' | 'check') => void;
};

/** What can be done with one host; what its state calls for comes first. */
export const HostMenu = ({host, state, report, from, onChoose}: MenuProps) => {
  const {glyphs} = useTheme();
  const {readable, rows} = useBody();
  const action = (id: Parameters<MenuProps['onChoose']>[0], label: string, detail: string): Row => ({
    kind: 'action',
    id,
    label,
    detail,
    onSelect: () => onChoose(id),
  });
  const items: Row[] = [
    ...(report?.state === 'ready'
      ? [action('checks', 'Facts and checks', 'what it is, and what is wrong with it')]
      : []),
    ...(host.reach === 'ssh' ? [action('login', 'Login', 'user, key, password, sudo password, jump host')] : []),
    action('check', 'Check the hosts', 'host keys, login, facts, checks'),
    action('edit', 'Settings', 'name, addresses'),
    action('remove', 'Remove', 'take it out of the answers'),
  ];
  const first = from ?? (report?.state === 'ready' ? 'checks' : report?.state === 'failed' ? 'login' : 'check');
  const details =
    report?.state === 'failed'
      ? [report.failure.attempted, report.failure.cause, report.failure.remedy].filter(text => text !== undefined)
      : [];
  const lead = useLead([`${loginText(host)}: ${state}`, ...details].join('\n'));
  return (
    <Frame title={`Host ${host.name}`} hints={menuHints(glyphs)}>
      {lead.node}
      <Form rows={items} columns={readable} height={rows - lead.lines} initial={first} />
    </Frame>
  );
};
