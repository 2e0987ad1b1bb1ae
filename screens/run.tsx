import {Box} from 'ink';
import {useEffect, useReducer, useRef, useState, useSyncExternalStore} from 'react';
import {useKeyboard, useKeys} from '../source/app/keys.tsx';
import {useDeployment, useProgram, useWizard} from '../source/app/program.tsx';
import type {RouteId} from '../source/app/routes.ts';
import type {RunMode, RunPicture, RunSession} from '../source/app/run-session.ts';
import {Say, useTheme} from '../source/app/theme.tsx';
import {withoutEnvironment} from '../source/blueprints/removal.ts';
import {Frame, type Hint, useBody} from '../source/components/frame.tsx';
import {LogPane, LogTail} from '../source/components/log-pane.tsx';
import {ProgressBar} from '../source/components/progress-bar.tsx';
import {rowsInSight, Table} from '../source/components/table.tsx';
import {clip, counted, duration, printable, roughDuration} from '../source/components/text.ts';
import {Tree} from '../source/components/tree.tsx';
import {type Progress, progressOf, type StepView} from '../source/engine/run-view.ts';
import {FailureCard} from './failure-card.tsx';
import {hostLines, RunHosts} from './run-hosts.tsx';
import {RunLocked} from './run-locked.tsx';
import {RunPhases} from './run-phases.tsx';
import {detailsOf, stepRow} from './run-step.ts';
import {onlyWaits, RunWaiting, waitingSteps, waitingText} from './run-waiting.tsx';
import {StopQuestion} from './stop-question.tsx';

/** Milliseconds in which nothing answers a card that came by itself: the Enter under way was not meant for it. */
const cardSettling = 700;

type View = 'steps' | 'log' | 'details' | 'waiting' | 'stop';

/** The run that is on, or a new one; `begin` starts one anew in its place. */
const useSession = () => {
  const {session, startSession} = useProgram();
  const {mode} = useWizard();
  const deployment = useDeployment();
  const [own, setOwn] = useState((): RunSession => {
    const current = session();
    return current && !current.picture.get().result ? current : startSession(deployment, mode);
  });
  const begin = (takeOver: boolean): void => setOwn(startSession(deployment, mode, {takeOver}));
  return {session: own, begin};
};

/** Seconds that pass are shown only while something runs. */
const useEverySecond = (active: boolean): void => {
  const [, tick] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    if (!active) return;
    const timer = setInterval(tick, 1000);
    return () => clearInterval(timer);
  }, [active]);
};

/** A run as it goes on: its steps, the log of one of them, and what it asks. */
export const RunScreen = () => {
  const {wizard} = useProgram();
  const {session, begin} = useSession();
  const keyboard = useKeyboard();
  const {screenReader} = useTheme();
  const picture = useSyncExternalStore(session.picture.subscribe, session.picture.get);
  const changeAt = useRef<RouteId>(undefined);
  const {question, result} = picture;
  useEverySecond(!result && !screenReader);

  useEffect(() => {
    if (question) keyboard.settle(cardSettling);
  }, [question, keyboard]);
  useEffect(() => {
    if (!result || result.lockedBy !== undefined) return;
    const {mode} = session;
    // What is gone is no answer any more.
    if (typeof mode !== 'string' && mode.scope === 'environment' && result.outcome === 'succeeded')
      wizard.change(current => withoutEnvironment(current, mode.environment));
    if (changeAt.current) wizard.go(changeAt.current);
    else wizard.go('done');
  }, [result, wizard, session]);

  if (question) {
    return (
      <FailureCard
        question={question}
        more={picture.moreQuestions}
        session={session}
        onChange={route => {
          changeAt.current = route;
          session.answer('change');
        }}
      />
    );
  }
  if (result?.lockedBy !== undefined) {
    return (
      <RunLocked
        deployment={session.deployment.name}
        by={result.lockedBy}
        onRetry={() => begin(false)}
        onTakeOver={() => begin(true)}
        onBack={() => wizard.go(typeof session.mode === 'string' ? 'review' : 'home')}
      />
    );
  }
  return <RunProgress session={session} picture={picture} />;
};

const titleOf = (mode: RunMode): string => {
  if (typeof mode !== 'string') return 'Remove';
  return mode === 'verify' ? 'Verify' : 'Run';
};

const RunProgress = ({session, picture}: {readonly session: RunSession; readonly picture: RunPicture}) => {
  const {services, now} = useProgram();
  const theme = useTheme();
  const {glyphs} = theme;
  const {rows, columns} = useBody();
  const [show, setShow] = useState<View>('steps');
  /** The step that was chosen; undefined follows what runs. */
  const [chosen, setChosen] = useState<{readonly step: string; readonly host: string}>();
  const {view} = picture;
  /** What is waited for comes to the front by itself once nothing else goes on, until it was put away. */
  const [putAway, setPutAway] = useState(false);
  const waiting = waitingSteps(view).length > 0;
  const showsWaiting = waiting && (show === 'waiting' || (show === 'steps' && onlyWaits(view) && !putAway));
  useEffect(() => {
    if (waiting) return;
    setPutAway(false);
    setShow(current => (current === 'waiting' ? 'steps' : current));
  }, [waiting]);
  const running = view.steps.findLastIndex(step => step.state === 'running');
  const lastTouched = view.steps.findLastIndex(step => step.state !== 'pending' && step.state !== 'blocked');
  const followed = Math.max(running === -1 ? lastTouched : running, 0);
  const chosenIndex = view.steps.findIndex(each => each.step === chosen?.step && each.host === chosen.host);
  const at = chosenIndex === -1 ? followed : chosenIndex;
  const step = view.steps[at];

  useKeys(
    key => {
      if (show === 'stop' || showsWaiting) return false;
      if (show !== 'steps') {
        if (key.name !== 'escape') return false;
        setShow('steps');
        return true;
      }
      const choose = (index: number): true => {
        setChosen(view.steps[Math.min(Math.max(index, 0), view.steps.length - 1)]);
        return true;
      };
      switch (key.name) {
        case 'up':
          return choose(at - 1);
        case 'down':
          return choose(at + 1);
        case 'home':
          return choose(0);
        case 'end':
          return choose(view.steps.length - 1);
        case 'enter':
        case 'right':
          if (step) setShow('details');
          return true;
        default:
          break;
      }
      if (key.name !== 'text' || key.ctrl) return false;
      switch (key.text) {
        case 'p':
          session.togglePause();
          return true;
        case 'l':
          if (step) setShow('log');
          return true;
        case 's':
          setShow('stop');
          return true;
        case 'w':
          if (waiting) setShow('waiting');
          return true;
        case 'n':
          session.lookAgain();
          return true;
        case 'f':
          setChosen(undefined);
          return true;
        default:
          return false;
      }
    },
    {active: show !== 'stop' && !showsWaiting},
  );

  if (show === 'stop') return <StopQuestion session={session} onClose={() => setShow('steps')} />;
  if (showsWaiting) {
    return (
      <RunWaiting
        session={session}
        view={view}
        now={theme.screenReader ? undefined : now()}
        onClose={() => {
          setPutAway(true);
          setShow('steps');
        }}
      />
    );
  }
  if (show === 'log' && step) {
    return (
      <Frame title={`Log of ${step.title} on ${step.host}`} hints={logHints(glyphs.upDown)}>
        <LogPane lines={session.log(step.step, step.host)} columns={columns} height={rows - 1} />
        <Say
          tone="quiet"
          wrap="truncate-end"
        >{`The whole log: ${services.logOf(session.deployment.name, step.host)}`}</Say>
      </Frame>
    );
  }
  if (show === 'details' && step) {
    const nodes = detailsOf(step, view);
    return (
      <Frame
        title={`${step.title} on ${step.host}`}
        hints={[
          {keys: glyphs.upDown, does: 'move'},
          {keys: 'Enter', does: 'open and close'},
          {keys: 'Esc', does: 'back'},
          {keys: '?', does: 'keys'},
        ]}
      >
        <Tree nodes={nodes} columns={columns} height={rows} initiallyOpen={nodes.map(node => node.id)} />
      </Frame>
    );
  }

  const progress = progressOf(view, new Date(now()));
  const sideBySide = columns >= 140;
  const atWork = theme.screenReader ? [] : hostLines(view, now(), Math.max(2, Math.floor(rows / 4)));
  const said =
    session.mode === 'verify' && view.steps.length === 0 && picture.stopping === 'no'
      ? 'Looking at all hosts; then the installed tools answer, one after the other.'
      : headline(picture, step, theme.screenReader ? undefined : now(), columns);
  // What the chosen step does stands beside its host already.
  const headlines = atWork.length > 0 && said === doingText(step, columns) ? '' : said;
  const room = rows - 2 - atWork.length - (headlines.length > 0 ? 1 : 0);
  const tableHeight = sideBySide
    ? room
    : Math.min(view.steps.length + 1, Math.max(4, Math.floor(room * (rows < 14 ? 0.7 : 0.6))));
  const tableColumns = sideBySide ? Math.floor(columns * 0.5) : columns;
  const logHeight = sideBySide ? room - 1 : Math.max(0, room - tableHeight - 2);
  const lines = step ? session.log(step.step, step.host) : [];
  return (
    <Frame title={titleOf(session.mode)} hints={runHints(glyphs.upDown, picture.paused, waiting)}>
      <ProgressBar
        share={progress.fraction}
        columns={columns}
        label={progressLabel(picture, theme.screenReader ? undefined : progress, columns)}
      />
      {headlines.length > 0 && (
        <Say
          tone={picture.paused || waiting || picture.stopping !== 'no' ? 'warning' : 'quiet'}
          bold={picture.paused}
          wrap="truncate-end"
        >
          {headlines}
        </Say>
      )}
      {atWork.length > 0 && <RunHosts lines={atWork} columns={columns} />}
      {!theme.screenReader && <RunPhases steps={view.steps} current={step} columns={columns} />}
      <Box flexDirection={sideBySide ? 'row' : 'column'}>
        <Box
          width={tableColumns}
          height={theme.screenReader ? undefined : tableHeight}
          flexShrink={0}
          overflow="hidden"
        >
          {view.steps.length > 0 && (
            <Table
              width={sideBySide ? tableColumns - 3 : tableColumns}
              height={tableHeight}
              chosen={theme.screenReader ? undefined : at}
              columns={[
                {title: 'State', least: 9},
                {title: stepsTitle(view.steps.length, tableHeight, at), least: 14},
                {title: 'Host', least: 8},
                {title: 'Time', least: 6, align: 'right'},
                {title: '', least: 8},
              ]}
              rows={view.steps.map(each => stepRow(each, theme, now(), view))}
            />
          )}
        </Box>
        {!theme.screenReader && step && logHeight > 1 && (
          <Box flexDirection="column" marginTop={sideBySide ? 0 : 1} flexShrink={0}>
            <Say tone="quiet" wrap="truncate-end">
              {clip(`${glyphs.rule.repeat(2)} log of ${step.title} on ${step.host} `, columns)}
            </Say>
            <LogTail lines={lines} columns={sideBySide ? columns - tableColumns : columns} height={logHeight} />
          </Box>
        )}
      </Box>
    </Frame>
  );
};

/** Which of the steps are in sight, where not all are. */
const stepsTitle = (count: number, height: number, at: number): string => {
  const {first, room} = rowsInSight(count, height - 1, at);
  return count <= room ? 'Step' : `Step (${first + 1} to ${first + room} of ${count})`;
};

const runHints = (upDown: string, paused: boolean, waiting: boolean): readonly Hint[] => [
  {keys: upDown, does: 'choose a step'},
  {keys: 'Enter', does: 'details'},
  {keys: 'l', does: 'log'},
  {keys: 'p', does: paused ? 'go on' : 'pause'},
  {keys: 's', does: 'stop'},
  ...(waiting ? [{keys: 'w', does: 'what is waited for'}] : []),
  {keys: 'n', does: 'look at it now', hidden: true},
  {keys: 'f', does: 'follow what runs', hidden: true},
  {keys: '?', does: 'keys'},
];

const logHints = (upDown: string): readonly Hint[] => [
  {keys: upDown, does: 'scroll'},
  {keys: '/', does: 'look for'},
  {keys: 'Home, End', does: 'beginning, end', hidden: true},
  {keys: 'Esc', does: 'back'},
  {keys: '?', does: 'keys'},
];

const settledStates = ['changed', 'unchanged', 'skipped'];

/** Without times for those who would hear every second of them. */
const progressLabel = ({view}: RunPicture, progress: Progress | undefined, columns: number): string => {
  if (view.steps.length === 0) return 'getting ready';
  const done = view.steps.filter(step => settledStates.includes(step.state)).length;
  if (!progress) return `${done} of ${counted(view.steps.length, 'step')}`;
  const {elapsedSeconds, remainingSeconds} = progress;
  const left = remainingSeconds ? `, about ${roughDuration(remainingSeconds)} left` : '';
  const soFar = columns < 70 ? '' : `, ${duration(elapsedSeconds)} so far`;
  return `${done} of ${counted(view.steps.length, 'step')}${left}${soFar}`;
};

/** One line that says what goes on. */
const headline = (
  picture: RunPicture,
  step: StepView | undefined,
  now: number | undefined,
  columns: number,
): string => {
  const {view} = picture;
  if (picture.stopping === 'now') return 'Stopping: the running command is being ended.';
  if (picture.stopping === 'after-command') return 'Stopping after the running command.';
  if (picture.paused) return 'PAUSED: nothing new begins. Press p to go on.';
  const retrying = [
    ...view.steps.map(each => ({what: `${each.title} on ${each.host}`, retry: each.retry})),
    ...view.hosts.map(each => ({what: `connecting to ${each.host}`, retry: each.retry})),
  ].find(each => each.retry);
  if (retrying?.retry) {
    const {at, inSeconds, reason, attempt} = retrying.retry;
    const left = now === undefined ? inSeconds : Math.max(0, Math.ceil(inSeconds - (now - Date.parse(at)) / 1000));
    return clip(`${retrying.what}: attempt ${attempt} in ${left} s (${printable(reason)})`, columns);
  }
  const waits = waitingText(view, now);
  if (waits !== undefined) return clip(waits, columns);
  if (view.steps.length === 0) {
    const connected = view.hosts.filter(host => host.state === 'connected');
    return connected.length === 0
      ? 'Connecting to the hosts.'
      : `Connected to ${connected.map(host => host.host).join(', ')}; comparing with what should be.`;
  }
  if (step?.failure) return clip(`${step.title}: ${printable(step.failure.message)}`, columns);
  return doingText(step, columns);
};

const doingText = (step: StepView | undefined, columns: number): string =>
  step?.doing ? clip(`${step.title} on ${step.host}: ${printable(step.doing)}`, columns) : ' ';
