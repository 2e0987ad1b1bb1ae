import type {Deployment} from '../deployment/schema.ts';
import type {Question, RunEvent} from '../engine/events.ts';
import {keyOf} from '../engine/graph.ts';
import type {AskPort, ControlPort} from '../engine/ports.ts';
import {advance, emptyRunView, type RunView} from '../engine/run-view.ts';
import {createLogRing, type LogRing} from './log-ring.ts';
import type {RunResult, Services} from './services.ts';
import {createStore, type Store} from './store.ts';

/** Milliseconds between two pictures of a run: 15 a second; the eye sees no more, and slow lines carry no more. */
const flushInterval = 66;

/** Lines of each step's log that can be looked at while Groundwork runs; the files hold all of them. */
const logCapacity = 5000;

export type Stopping = 'no' | 'after-command' | 'now';

/** What the Run screen shows. */
export type RunPicture = {
  readonly view: RunView;
  /** The oldest question that is not answered; the engine waits for it. */
  readonly question: Question | undefined;
  /** How many more wait behind it. */
  readonly moreQuestions: number;
  readonly paused: boolean;
  readonly stopping: Stopping;
  /** Rises with every event, log lines too. */
  readonly version: number;
  /** Present when it has ended. */
  readonly result: RunResult | undefined;
};

/** One run, from the engine's ports to what is shown. It lives outside React and goes on when screens change. */
export type RunSession = {
  readonly deployment: Deployment;
  readonly mode: 'run' | 'verify';
  readonly picture: Pick<Store<RunPicture>, 'get' | 'subscribe'>;
  readonly log: (step: string, host: string) => readonly string[];
  readonly answer: (choice: string) => void;
  readonly togglePause: () => void;
  /** Looks now at what somebody outside has to do, and not only when the pause is over. */
  readonly lookAgain: () => void;
  /** Ends it: when the running commands have ended, or by ending them. */
  readonly stop: (how: Exclude<Stopping, 'no'>) => void;
  /** Settles when it has ended; rejects when the program has a bug. */
  readonly ended: Promise<RunResult>;
};

type Pending = {readonly question: Question; readonly resolve: (choice: string) => void};

export const startRun = (
  services: Pick<Services, 'run' | 'verify'>,
  deployment: Deployment,
  mode: 'run' | 'verify',
  takeOver = false,
): RunSession => {
  const logs = new Map<string, LogRing>();
  const abort = new AbortController();
  const holding = new Set<() => void>();
  const lookers = new Set<() => void>();
  let questions: readonly Pending[] = [];
  let view = emptyRunView;
  let paused = false;
  let stopping: Stopping = 'no';
  let version = 0;
  let result: RunResult | undefined;
  let flush: NodeJS.Timeout | undefined;

  const pictureNow = (): RunPicture => ({
    view,
    question: questions[0]?.question,
    moreQuestions: Math.max(0, questions.length - 1),
    paused,
    stopping,
    version,
    result,
  });
  const store = createStore(pictureNow());
  const show = (): void => {
    clearTimeout(flush);
    flush = undefined;
    store.set(pictureNow());
  };
  const showSoon = (): void => {
    version++;
    flush ??= setTimeout(show, flushInterval);
  };

  const release = (): void => {
    for (const go of holding) go();
    holding.clear();
  };
  const stopNow = (): void => {
    stopping = 'now';
    abort.abort();
    release();
    show();
  };
  /** After their commands, all hosts come to hold; when the last one has, nothing runs that could be cut. */
  const stopWhenAllHold = (): void => {
    if (stopping !== 'after-command') return;
    const busy = view.steps.filter(step => step.state === 'running' && step.retry === undefined).length;
    if (busy <= holding.size + questions.length) stopNow();
  };

  const control: ControlPort = {
    signal: abort.signal,
    onLookAgain: callback => {
      lookers.add(callback);
      return () => lookers.delete(callback);
    },
    whenRunning: () => {
      if (stopping === 'now' || (stopping === 'no' && !paused)) return Promise.resolve();
      return new Promise(resolve => {
        holding.add(resolve);
        stopWhenAllHold();
      });
    },
  };
  const ask: AskPort = (question, signal) =>
    new Promise((resolve, reject) => {
      const pending: Pending = {
        question,
        resolve: choice => {
          questions = questions.filter(each => each !== pending);
          resolve({choice, by: 'operator'});
          show();
        },
      };
      questions = [...questions, pending];
      signal.addEventListener('abort', () => {
        questions = questions.filter(each => each !== pending);
        reject(signal.reason);
        show();
      });
      show();
      stopWhenAllHold();
    });
  const events = (event: RunEvent): void => {
    if (event.type === 'log') {
      const key = keyOf(event.step, event.host);
      const ring = logs.get(key) ?? createLogRing(logCapacity);
      logs.set(key, ring);
      ring.push(event.line);
    } else {
      view = advance(view, event);
      stopWhenAllHold();
    }
    showSoon();
  };

  const ended = services[mode](deployment, {events, ask, control, takeOver}).then(
    outcome => {
      result = outcome;
      show();
      return outcome;
    },
    error => {
      result = {outcome: 'failed', changed: 0, unchanged: 0, failed: 0};
      show();
      throw error;
    },
  );

  return {
    deployment,
    mode,
    picture: store,
    log: (step, host) => logs.get(keyOf(step, host))?.lines() ?? [],
    answer: choice => questions[0]?.resolve(choice),
    togglePause: () => {
      paused = !paused;
      if (!paused && stopping === 'no') release();
      show();
    },
    lookAgain: () => {
      for (const look of lookers) look();
    },
    stop: how => {
      if (result || stopping === 'now') return;
      if (how === 'now') {
        stopNow();
        return;
      }
      stopping = 'after-command';
      stopWhenAllHold();
      show();
    },
    ended,
  };
};
