import {Box, useApp, useWindowSize} from 'ink';
import {Component, type ReactNode, useCallback, useMemo, useState} from 'react';
import {ChannelsScreen} from '../../screens/channels.tsx';
import {ComponentsScreen} from '../../screens/components.tsx';
import {DomainScreen} from '../../screens/domain.tsx';
import {DoneScreen} from '../../screens/done.tsx';
import {EnvironmentsScreen} from '../../screens/environments.tsx';
import {HomeScreen} from '../../screens/home.tsx';
import {HostsScreen} from '../../screens/hosts.tsx';
import {ReviewScreen} from '../../screens/review.tsx';
import {RunScreen} from '../../screens/run.tsx';
import {StopQuestion} from '../../screens/stop-question.tsx';
import {TopologyScreen} from '../../screens/topology.tsx';
import {HeadingProvider, type Hint} from '../components/frame.tsx';
import {KeyHelp} from '../components/key-help.tsx';
import {KeyboardProvider, Layer, priority, useKeys} from './keys.tsx';
import {type Program, ProgramProvider, useProgram, useWizard} from './program.tsx';
import {type RouteId, wizardRoutes} from './routes.ts';
import {smallestSize} from './stdout-guard.ts';
import {Say, type Theme, ThemeProvider} from './theme.tsx';

const screens: Readonly<Record<RouteId, () => ReactNode>> = {
  home: HomeScreen,
  topology: TopologyScreen,
  hosts: HostsScreen,
  domain: DomainScreen,
  channels: ChannelsScreen,
  components: ComponentsScreen,
  environments: EnvironmentsScreen,
  review: ReviewScreen,
  run: RunScreen,
  done: DoneScreen,
};

type Outside = Omit<Program, 'leave' | 'crash' | 'runInTerminal'> & {
  /** Runs a program with the terminal as its own; settles with its exit status. */
  readonly spawn: (command: readonly string[]) => Promise<number | undefined>;
  readonly onSuspend: (on: boolean) => void;
};

type Props = {
  readonly outside: Outside;
  readonly theme: Theme;
  readonly feed: {readonly settle: (milliseconds?: number) => void};
  readonly onExit: (why: {readonly reason: 'left'} | {readonly reason: 'crash'; readonly error: unknown}) => void;
};

/** The whole program on the terminal. */
export const App = ({outside, theme, feed, onExit}: Props) => {
  const [crash, setCrash] = useState<{readonly error: unknown}>();
  const onCrash = useCallback((error: unknown) => setCrash({error}), []);
  const onFatal = useCallback((error: unknown) => onExit({reason: 'crash', error}), [onExit]);
  return (
    <ErrorBoundary onError={onFatal}>
      {crash && <Rethrow error={crash.error} />}
      <ThemeProvider value={theme}>
        <KeyboardProvider feed={feed} onCrash={onCrash}>
          <Shell outside={outside} onCrash={onCrash} onLeave={() => onExit({reason: 'left'})} />
        </KeyboardProvider>
      </ThemeProvider>
    </ErrorBoundary>
  );
};

type ShellProps = {
  readonly outside: Outside;
  readonly onCrash: (error: unknown) => void;
  readonly onLeave: () => void;
};

/** What is asked over a screen, which keeps its place below. */
type Overlay = 'none' | 'keys' | 'stop';

const Shell = ({outside, onCrash, onLeave}: ShellProps) => {
  const {suspendTerminal} = useApp();
  const [overlay, setOverlay] = useState<Overlay>('none');
  const [hints, setHints] = useState<readonly Hint[]>([]);
  const {session, onSuspend, spawn} = outside;

  const leave = useCallback((): void => {
    const run = session();
    if (run && !run.picture.get().result) setOverlay('stop');
    else onLeave();
  }, [session, onLeave]);

  const runInTerminal = useCallback(
    async (command: readonly string[]): Promise<number | undefined> => {
      let status: number | undefined;
      onSuspend(true);
      try {
        await suspendTerminal(async () => {
          status = await spawn(command);
        });
      } finally {
        onSuspend(false);
      }
      return status;
    },
    [spawn, onSuspend, suspendTerminal],
  );
  const program = useMemo<Program>(
    () => ({...outside, leave, crash: onCrash, runInTerminal}),
    [outside, leave, onCrash, runInTerminal],
  );

  useKeys(
    key => {
      if (!key.ctrl || key.text !== 'c') return false;
      leave();
      return true;
    },
    {priority: priority.always},
  );

  const run = session();
  return (
    <ProgramProvider value={program}>
      <Sized>
        <Layer active={overlay === 'none'}>
          <Box display={overlay === 'none' ? 'flex' : 'none'}>
            <Routed onHints={overlay === 'none' ? setHints : ignoreHints} onKeys={() => setOverlay('keys')} />
          </Box>
        </Layer>
        {overlay !== 'none' && (
          <Routed
            onHints={ignoreHints}
            over={
              overlay === 'keys' ? (
                <KeyHelp screen="On this screen" hints={hints} onClose={() => setOverlay('none')} />
              ) : run ? (
                <StopQuestion
                  session={run}
                  onClose={() => setOverlay('none')}
                  onLeave={when => {
                    if (when === 'at once') onLeave();
                    else void run.ended.finally(onLeave).catch(() => {});
                  }}
                />
              ) : null
            }
          />
        )}
      </Sized>
    </ProgramProvider>
  );
};

const ignoreHints = (): void => {};

type RoutedProps = {
  readonly onHints: (hints: readonly Hint[]) => void;
  readonly onKeys?: () => void;
  /** Shown in place of the screen. */
  readonly over?: ReactNode;
};

/** The screen of the route, under a head that says where one is. */
const Routed = ({onHints, onKeys, over}: RoutedProps) => {
  const {wizard, services, leave} = useProgram();
  const {route, deployment} = useWizard();
  const Screen = screens[route];
  const step = wizardRoutes.indexOf(route);
  const heading = useMemo(
    () => ({
      subject: deployment?.name ?? '',
      step: step === -1 ? '' : `Step ${step + 1} of ${wizardRoutes.length}`,
      practice: services.practice,
      onHints,
    }),
    [deployment?.name, step, services.practice, onHints],
  );
  useKeys(
    key => {
      if (key.name === 'escape') {
        if (route === 'home' || route === 'run') leave();
        else wizard.back();
        return true;
      }
      if (key.text === '?' || (key.ctrl && key.text === 'g')) {
        onKeys?.();
        return true;
      }
      return false;
    },
    {priority: priority.program, active: over === undefined},
  );
  return <HeadingProvider value={heading}>{over ?? <Screen key={route} />}</HeadingProvider>;
};

/** Nothing is shown, and nothing but leaving answers, where a list would be off the screen while Enter still chose. */
const Sized = ({children}: {readonly children: ReactNode}) => {
  const {columns, rows} = useWindowSize();
  const tooSmall = columns < smallestSize.columns || rows < smallestSize.rows;
  return (
    <>
      {tooSmall && (
        <Box width={columns} height={Math.max(1, Math.min(5, rows - 1))} overflow="hidden" flexDirection="column">
          <Say tone="warning">
            {`This terminal is too small: ${columns}x${rows}. Make it ${smallestSize.columns}x${smallestSize.rows} or larger; nothing is lost. Ctrl-C leaves.`}
          </Say>
        </Box>
      )}
      <Layer active={!tooSmall}>
        <Box display={tooSmall ? 'none' : 'flex'}>{children}</Box>
      </Layer>
    </>
  );
};

const Rethrow = ({error}: {readonly error: unknown}): ReactNode => {
  throw error;
};

type BoundaryProps = {readonly children: ReactNode; readonly onError: (error: unknown) => void};

/** A class, because React has no other way to catch what a component throws. */
class ErrorBoundary extends Component<BoundaryProps, {readonly failed: boolean}> {
  override state = {failed: false};

  static getDerivedStateFromError(): {failed: boolean} {
    return {failed: true};
  }

  override componentDidCatch(error: unknown): void {
    this.props.onError(error);
  }

  override render(): ReactNode {
    return this.state.failed ? null : this.props.children;
  }
}
