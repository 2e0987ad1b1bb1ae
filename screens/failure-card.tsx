import {Box} from 'ink';
import {useState} from 'react';
import {useKeys} from '../source/app/keys.tsx';
import {useProgram} from '../source/app/program.tsx';
import type {RouteId} from '../source/app/routes.ts';
import type {RunSession} from '../source/app/run-session.ts';
import {Say, useTheme} from '../source/app/theme.tsx';
import {Confirm} from '../source/components/confirm.tsx';
import {Frame, useBody} from '../source/components/frame.tsx';
import {LogPane} from '../source/components/log-pane.tsx';
import {Menu, type MenuItem} from '../source/components/menu.tsx';
import {clip, column, placed, printable, wrap} from '../source/components/text.ts';
import type {Question} from '../source/engine/events.ts';
import {menuHints} from './hints.ts';
import {HostLogin} from './hosts-login.tsx';

type Choice = 'retry' | 'retry-all' | 'change' | 'log' | 'shell' | 'skip' | 'leave' | 'stop';

type Props = {
  readonly question: Question;
  readonly more: number;
  readonly session: RunSession;
  /** The operator wants to change answers of that screen; the run is to end first. */
  readonly onChange: (route: RouteId) => void;
};

type View = 'card' | 'log' | 'skip' | 'change' | 'login';

/** What failed, why, and what can be done about it. */
export const FailureCard = ({question, more, session, onChange}: Props) => {
  const {services, runInTerminal} = useProgram();
  const {glyphs} = useTheme();
  const {rows, columns, readable} = useBody();
  const [view, setView] = useState<View>('card');
  const [shellProblem, setShellProblem] = useState<string>();
  const host = session.deployment.hosts.find(each => each.name === (question.failure.host ?? question.hosts[0]));
  const needsLogin = question.failure.kind === 'authentication' || question.failure.kind === 'sudo';

  useKeys(
    key => {
      if (key.name !== 'escape') return false;
      setView('card');
      return true;
    },
    {active: view !== 'card'},
  );

  const choose = (choice: Choice): void => {
    switch (choice) {
      case 'log':
      case 'skip':
        setView(choice);
        return;
      case 'change':
        setView(needsLogin && host ? 'login' : 'change');
        return;
      case 'shell':
        if (!host) return;
        setShellProblem(undefined);
        void runInTerminal(services.shellCommand(host)).then(status => {
          if (status === undefined) setShellProblem('the shell could not be started');
        });
        return;
      default:
        session.answer(choice);
    }
  };

  if (view === 'log') {
    const name = question.hosts[0] ?? '';
    return (
      <Frame
        title={`Log of ${question.title} on ${name}`}
        hints={[
          {keys: glyphs.upDown, does: 'scroll'},
          {keys: '/', does: 'look for'},
          {keys: 'Esc', does: 'back'},
          {keys: '?', does: 'keys'},
        ]}
      >
        <LogPane lines={session.log(question.step, name)} columns={columns} height={rows - 1} />
        <Say tone="quiet" wrap="truncate-end">{`The whole log: ${services.logOf(session.deployment.name, name)}`}</Say>
      </Frame>
    );
  }
  if (view === 'skip') {
    return (
      <Frame title={`Skip ${question.title}`} hints={menuHints(glyphs)}>
        <Confirm word="skip" columns={readable} onConfirm={() => session.answer('skip')}>
          {question.skipCosts ?? 'What this step does will be missing. It can be done later by installing again.'}
        </Confirm>
      </Frame>
    );
  }
  if (view === 'login' && host) {
    return <HostLogin host={host} doneLabel="Try again" onDone={() => session.answer('retry')} />;
  }
  if (view === 'change') {
    return (
      <Frame title="Change an answer" hints={menuHints(glyphs)}>
        <Box marginBottom={1} width={readable} flexShrink={0}>
          <Say>The run stops here and keeps what is done. Change what you need; then install again from Review.</Say>
        </Box>
        <Menu
          columns={readable}
          onSelect={onChange}
          items={[
            {value: 'hosts', label: 'Hosts', detail: 'addresses, login, accepted checks'},
            {value: 'domain', label: 'Domain and TLS'},
            {value: 'channels', label: 'Channels', detail: 'VPN, subnets, who may log in'},
            {value: 'components', label: 'Components', detail: 'platform, artifacts, DNS, NFS, uploads'},
            {value: 'environments', label: 'Environments', detail: 'names, domains, modules'},
          ]}
        />
      </Frame>
    );
  }

  const items = choicesFor(question, host?.reach);
  const lines = cardLines(question, readable - 2, rows - items.length - 2);
  return (
    <Frame title="A step failed" hints={menuHints(glyphs, 'leave')}>
      <Say tone="bad" bold wrap="truncate-end">
        {`${glyphs.bad} FAILED: ${question.title} on ${question.hosts.join(', ')}${
          more > 0 ? `   (${more} more after this)` : ''
        }`}
      </Say>
      <Box flexDirection="column" marginBottom={1} flexShrink={1} overflow="hidden" paddingLeft={2}>
        {placed(lines).map(({place, item}) => (
          <Say key={place} tone={item.quiet ? 'quiet' : 'plain'} wrap="truncate-end">
            {item.text}
          </Say>
        ))}
        {shellProblem && <Say tone="bad">{`! ${shellProblem}`}</Say>}
      </Box>
      <Box flexShrink={0}>
        <Menu key={`${question.step}${question.kind}`} items={items} columns={readable} onSelect={choose} />
      </Box>
    </Frame>
  );
};

const choicesFor = (question: Question, reach: 'ssh' | 'local' | undefined): readonly MenuItem<Choice>[] => {
  const offered = new Set<string>(question.choices);
  const hosts = question.hosts.join(', ');
  const all: readonly (MenuItem<Choice> & {readonly when: boolean})[] = [
    {value: 'retry', label: 'Try again', detail: `on ${hosts}`, when: offered.has('retry')},
    {
      value: 'retry-all',
      label: 'Try again everywhere',
      detail: 'on all hosts of this step',
      when: offered.has('retry-all'),
    },
    {value: 'change', label: 'Change an answer', detail: 'then try again', when: offered.has('change')},
    {value: 'log', label: 'See the whole log', when: true},
    {
      value: 'shell',
      label: 'Open a shell',
      detail: reach === 'local' ? 'on this machine; "exit" comes back here' : 'on the host; "exit" comes back here',
      when: reach !== undefined,
    },
    {
      value: 'skip',
      label: 'Skip this step',
      ...(question.skipCosts && {detail: question.skipCosts}),
      when: offered.has('skip'),
    },
    {
      value: 'leave',
      label: 'Leave it for later',
      detail: 'go on with what does not need it',
      when: offered.has('leave'),
    },
    {value: 'stop', label: 'Stop', detail: 'everything is kept; go on later', when: offered.has('stop')},
  ];
  return all.filter(item => item.when).map(({when: _, ...item}) => item);
};

type Line = {readonly text: string; readonly quiet: boolean};

const labelColumns = 14;

/** What is known of a failure, in as many lines as there are; the last output gives way first. */
const cardLines = ({failure, held = []}: Question, columns: number, room: number): readonly Line[] => {
  const labelled = (label: string, text: string | undefined): Line[] =>
    text === undefined
      ? []
      : wrap(printable(text), columns - labelColumns).map((line, index) => ({
          text: column(index === 0 ? label : '', labelColumns) + line,
          quiet: false,
        }));
  const message = wrap(printable(failure.message), columns).map(text => ({text, quiet: false}));
  const attempted = labelled(
    'While',
    failure.attempted && failure.attempted + (failure.exit === undefined ? '' : ` (exit status ${failure.exit})`),
  );
  const cause = labelled('Likely cause', failure.cause);
  const remedy = labelled('What to do', failure.remedy);
  const waiting = labelled('Waits for it', heldText(held));
  const fixed = [...message, ...attempted, ...cause, ...remedy, ...waiting];
  // Where not all can be said, what to do comes before how it came about.
  if (fixed.length > room)
    return [...message, ...remedy, ...waiting, ...cause, ...attempted].slice(0, Math.max(1, room));
  const forTail = Math.max(0, room - fixed.length - 1);
  const tail = (failure.tail ?? []).slice(-Math.min(forTail, 8)).map(text => ({
    text: `  ${clip(printable(text), columns - 2)}`,
    quiet: true,
  }));
  const shownTail = forTail > 0 && tail.length > 0 ? [{text: 'Last lines', quiet: false}, ...tail] : [];
  return [...message, ...attempted, ...shownTail, ...cause, ...remedy, ...waiting].slice(0, Math.max(1, room));
};

/** What cannot begin before; the rest goes on while one reads this. */
const heldText = (held: readonly string[]): string | undefined => {
  const [first, second] = held;
  if (first === undefined) return undefined;
  if (held.length <= 2) return [first, second].filter(Boolean).join(', ');
  return `${first} and ${held.length - 1} more steps; the rest goes on`;
};
