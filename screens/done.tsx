import {Box} from 'ink';
import {useState} from 'react';
import {useKeys} from '../source/app/keys.tsx';
import {useDeployment, useProgram} from '../source/app/program.tsx';
import {summaryOf} from '../source/app/summary.ts';
import {Say, type Tone, useTheme} from '../source/app/theme.tsx';
import {Frame, useBody} from '../source/components/frame.tsx';
import {Menu, type MenuItem} from '../source/components/menu.tsx';
import {Page} from '../source/components/page.tsx';
import {placed, printable, wrap} from '../source/components/text.ts';
import {menuHints} from './hints.ts';

type Choice = 'verify' | 'access' | 'trust' | 'devices' | 'again' | 'answers' | 'steps' | 'home' | 'leave';

type View = 'overview' | 'access' | 'trust' | 'devices' | 'steps';

/** How a run ended, what there is now, and what to do next. */
export const DoneScreen = () => {
  const {services, wizard, session, leave} = useProgram();
  const {glyphs} = useTheme();
  const {rows, readable} = useBody();
  const deployment = useDeployment();
  const [view, setView] = useState<View>('overview');
  // Another deployment may have been worked on before in this session.
  const current = session();
  const run = current?.deployment.name === deployment.name ? current : undefined;
  const proven = run?.mode === 'verify';
  const summary = summaryOf(services, deployment, run?.picture.get());
  useKeys(
    key => {
      if (key.name !== 'escape' && key.name !== 'enter') return false;
      setView('overview');
      return true;
    },
    {active: view !== 'overview'},
  );

  if (view !== 'overview') {
    const pages = {access: summary.access, trust: summary.trust, devices: summary.devices, steps: summary.steps};
    const titles = {
      access: 'Addresses and first login',
      trust: 'Trust its certificates',
      devices: 'Connect a device',
      steps: proven ? 'What was proven' : 'What was done',
    };
    return (
      <Frame
        title={titles[view]}
        hints={[
          {keys: glyphs.upDown, does: 'scroll'},
          {keys: 'Enter, Esc', does: 'back'},
        ]}
      >
        <Page lines={pages[view]} columns={readable} height={rows} />
      </Frame>
    );
  }
  const succeeded = summary.outcome === 'succeeded';
  // A removal of another session is gone on with from Home, by its list and its name.
  const cannotGoOn = summary.removes !== undefined && !run;
  const all: readonly (MenuItem<Choice> & {readonly when: boolean})[] = [
    {value: 'again', label: 'Go on with it', detail: 'what is done is not repeated', when: !succeeded && !cannotGoOn},
    {
      value: 'answers',
      label: 'Change answers',
      detail: 'then install again from Review',
      when: !succeeded && summary.removes === undefined,
    },
    {
      value: 'access',
      label: 'Addresses and first login',
      detail: 'Rancher, Grafana, environments',
      when: succeeded && summary.access.length > 0,
    },
    {
      value: 'devices',
      label: 'Connect a device',
      detail: 'how to use the VPN files',
      when: succeeded && summary.devices.length > 0,
    },
    {
      value: 'trust',
      label: 'Trust its certificates',
      detail: 'per system',
      when: succeeded && summary.trust.length > 0,
    },
    {
      value: 'verify',
      label: 'Verify',
      detail: 'check with the real tools that all works',
      when: succeeded && summary.removes === undefined,
    },
    {
      value: 'steps',
      label: proven ? 'What was proven' : 'What was done',
      detail: 'step by step',
      when: summary.steps.length > 0,
    },
    {value: 'home', label: 'Home', when: true},
    {value: 'leave', label: 'Leave', detail: 'a summary stays on the screen', when: true},
  ];
  const items = all.filter(item => item.when).map(({when: _, ...item}) => item);
  const choose = (choice: Choice): void => {
    switch (choice) {
      case 'again':
        wizard.openRun(run?.mode ?? 'run');
        return;
      case 'verify':
        wizard.openRun('verify');
        return;
      case 'answers':
        wizard.go('review');
        return;
      case 'home':
        wizard.go('home');
        return;
      case 'leave':
        leave();
        return;
      default:
        setView(choice);
    }
  };
  const room = Math.max(1, rows - items.length - 3);
  const fits = summary.lines.flatMap(line => wrap(line, readable)).length <= room;
  const shown = fits ? summary.lines : summary.brief;
  const tone: Tone = succeeded ? 'good' : summary.outcome === 'failed' ? 'bad' : 'warning';
  return (
    <Frame title="Done" hints={menuHints(glyphs, 'home')}>
      <Say tone={tone} bold>{`${succeeded ? glyphs.good : '!'} ${summary.headline}`}</Say>
      <Box marginBottom={1} flexShrink={1} overflow="hidden">
        <Lines lines={shown} columns={readable} height={room} />
      </Box>
      <Box flexShrink={0}>
        <Menu items={items} columns={readable} onSelect={choose} />
      </Box>
    </Frame>
  );
};

const Lines = ({
  lines,
  columns,
  height,
}: {
  readonly lines: readonly string[];
  readonly columns: number;
  readonly height: number;
}) => (
  <Box flexDirection="column" flexShrink={0}>
    {placed(lines.flatMap(line => wrap(printable(line), columns)).slice(0, height)).map(({place, item}) => (
      <Say key={place} wrap="truncate-end">
        {item === '' ? ' ' : item}
      </Say>
    ))}
  </Box>
);
