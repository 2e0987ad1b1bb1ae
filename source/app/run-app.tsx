import {spawn} from 'node:child_process';
import {render} from 'ink';
import {exit} from '../commands/exit.ts';
import {fileFaultOf} from '../commands/file-fault.ts';
import {wrap} from '../components/text.ts';
import type {RunOutcome} from '../engine/events.ts';
import {App} from './app.tsx';
import {createKeyFeed, type KeySource} from './key-feed.ts';
import {isRoute, resumeRoute, titles} from './routes.ts';
import {type RunSession, startRun} from './run-session.ts';
import type {Services} from './services.ts';
import {spokenStdout} from './spoken-stdout.ts';
import {fallbackSize, guardStdout, type OutputTerminal} from './stdout-guard.ts';
import {closingLines, summaryOf} from './summary.ts';
import {themeFor} from './theme.tsx';
import {createWizard, savedAs} from './wizard.ts';

export type AppOptions = {
  /** A deployment to open, and the screen to open it at. */
  readonly deployment?: string;
  readonly route?: string;
  readonly ascii?: boolean;
  readonly noColor?: boolean;
  readonly screenReader?: boolean;
};

export type RunAppInput = {
  readonly services: Services;
  readonly stdin: KeySource;
  readonly stdout: OutputTerminal & {readonly isTTY?: boolean};
  readonly options?: AppOptions;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Calls back on SIGHUP and SIGTERM; undoes that when called. */
  readonly onSignal?: (callback: (signal: NodeJS.Signals) => void) => () => void;
  /** Runs a program with the terminal as its own; settles with its exit status, undefined if it could not start. */
  readonly spawnInTerminal?: (command: readonly string[]) => Promise<number | undefined>;
};

export type ExitSummary = {
  /** For the process; see exit.ts. 129 and 143 after SIGHUP and SIGTERM, as shells say it. */
  readonly code: number;
  readonly reason: 'left' | 'signal' | 'crash' | 'no-terminal';
  readonly deployment?: string;
  readonly outcome?: RunOutcome;
  /** The bug, for the log. */
  readonly error?: unknown;
};

/** Milliseconds that a run gets to end its commands after a signal, before the program goes without it. */
const signalPatience = 5000;

const processSignals: NonNullable<RunAppInput['onSignal']> = callback => {
  const signals = ['SIGHUP', 'SIGTERM'] as const;
  for (const signal of signals) process.on(signal, callback);
  return () => {
    for (const signal of signals) process.off(signal, callback);
  };
};

/** Ctrl-C in the shell is for the shell, and reaches us too because we share its terminal. */
const spawnInherited: NonNullable<RunAppInput['spawnInTerminal']> = ([program = '', ...args]) =>
  new Promise(resolve => {
    const ignore = (): void => {};
    process.on('SIGINT', ignore);
    const child = spawn(program, args, {stdio: 'inherit'});
    const end = (status: number | undefined): void => {
      process.off('SIGINT', ignore);
      resolve(status);
    };
    child.on('error', () => end(undefined));
    child.on('exit', status => end(status ?? 1));
  });

/**
 * Runs the program on a terminal until the operator leaves. Answers are saved as they are given, so that it may end
 * at any moment. What matters afterwards is printed below and stays in the scrollback.
 */
export const runApp = async (input: RunAppInput): Promise<ExitSummary> => {
  const {services, stdin, stdout: terminal, options = {}, environment = process.env, now = Date.now} = input;
  if (!stdin.isTTY || !terminal.isTTY || !stdin.setRawMode) {
    terminal.write('The wizard needs a terminal. Without one: groundwork install --deployment FILE --yes\n');
    return {code: exit.usage, reason: 'no-terminal'};
  }
  const preferences = services.preferences();
  const spoken = options.screenReader ?? environment.INK_SCREEN_READER === 'true';
  const theme = themeFor(
    {
      ...(options.ascii || preferences.glyphs === 'ascii' ? {ascii: true} : {}),
      ...(preferences.glyphs === 'unicode' && !options.ascii ? {ascii: false} : {}),
      ...(options.noColor || preferences.colour === 'never' ? {noColor: true} : {}),
      screenReader: spoken,
    },
    environment,
  );
  const guard = spoken ? undefined : guardStdout(terminal);
  const voice = spoken ? spokenStdout(terminal) : undefined;
  const stdout = voice?.stdout ?? guard?.stdout;
  if (!stdout) throw new Error('there is neither a screen nor a voice');
  const feed = createKeyFeed(stdin, now);
  const wizard = createWizard(services, () => new Date(now()));
  const opened = options.deployment === undefined ? undefined : savedAs(services, options.deployment);
  if (opened) {
    wizard.begin(opened.deployment, isRoute(options.route) ? options.route : resumeRoute(opened.route));
  }

  let session: RunSession | undefined;
  let leave: (summary: Pick<ExitSummary, 'reason' | 'error'> & {readonly signal?: NodeJS.Signals}) => void = () => {};
  const left = new Promise<Parameters<typeof leave>[0]>(resolve => {
    leave = resolve;
  });

  const instance = render(
    <App
      theme={voice ? {...theme, echo: voice.echo} : theme}
      feed={feed}
      onExit={leave}
      outside={{
        services,
        wizard,
        now,
        session: () => session,
        startSession: (deployment, mode, {takeOver = false} = {}) => {
          session = startRun(services, deployment, mode, takeOver);
          // What the program did wrong is told by the error screen, not by an unhandled rejection.
          session.ended.catch(error => leave({reason: 'crash', error}));
          return session;
        },
        spawn: input.spawnInTerminal ?? spawnInherited,
        onSuspend: on => guard?.suspend(on),
      }}
    />,
    {
      stdin: feed.stdin,
      stdout,
      exitOnCtrlC: false,
      patchConsole: false,
      interactive: true,
      incrementalRendering: true,
      isScreenReaderEnabled: spoken,
      // Whole frames without control sequences, from which spokenStdout takes what is new.
      debug: spoken,
    },
  );
  guard?.onRedraw(() => instance.clear());

  const stopListening = (input.onSignal ?? processSignals)(signal => {
    session?.stop('now');
    const ended = session?.ended.catch(() => undefined) ?? Promise.resolve();
    const patience = setTimeout(() => leave({reason: 'signal', signal}), signalPatience);
    void ended.then(() => {
      clearTimeout(patience);
      leave({reason: 'signal', signal});
    });
  });
  // The terminal is gone: nobody can answer any more.
  const onHangup = (): void => {
    session?.stop('now');
    leave({reason: 'signal', signal: 'SIGHUP'});
  };
  stdin.once('end', onHangup);

  const why = await left;
  stopListening();
  stdin.removeListener('end', onHangup);
  guard?.close();
  // What is still to be drawn would come after the frame was erased, and stay.
  await instance.waitUntilRenderFlush();
  if (!spoken) instance.clear();
  instance.unmount();
  await instance.waitUntilExit().catch(() => undefined);

  const {deployment} = wizard.get();
  const finished = session?.picture.get();
  const columns = terminal.columns || fallbackSize.columns;
  for (const line of farewell(services, session, deployment?.name, why)) {
    terminal.write(`${wrap(line, columns).join('\n')}\n`);
  }
  const outcome = finished?.result?.outcome;
  return {
    code: codeOf(why, outcome),
    reason: why.reason,
    ...(deployment && {deployment: deployment.name}),
    ...(outcome && {outcome}),
    ...(why.error !== undefined && {error: why.error}),
  };
};

const codeOf = (
  why: {readonly reason: ExitSummary['reason']; readonly signal?: NodeJS.Signals},
  outcome: RunOutcome | undefined,
): number => {
  if (why.reason === 'signal') return why.signal === 'SIGHUP' ? 129 : 143;
  if (why.reason === 'crash' || outcome === 'failed') return exit.failed;
  if (outcome === 'waiting') return exit.waiting;
  return outcome === 'stopped' ? exit.stopped : exit.done;
};

/** The last words on the terminal. */
const farewell = (
  services: Services,
  session: RunSession | undefined,
  name: string | undefined,
  why: {readonly reason: ExitSummary['reason']; readonly error?: unknown},
): readonly string[] => {
  const fault = fileFaultOf(why.error);
  if (fault !== undefined) return [fault, 'What you answered before is kept. Start groundwork again to go on.'];
  if (why.reason === 'crash') {
    const message = why.error instanceof Error ? (why.error.stack ?? why.error.message) : String(why.error);
    return [
      'Groundwork has stopped because of a fault of its own. Nothing that you answered is lost.',
      ...message.split('\n').slice(0, 4),
      ...(name ? [`Logs: ${services.folderOf(name)}`] : []),
      'Start groundwork again to go on. Please report the lines above.',
    ];
  }
  if (session?.picture.get().result) {
    return closingLines(summaryOf(services, session.deployment, session.picture.get()));
  }
  const saved = name === undefined ? undefined : savedAs(services, name);
  if (!saved) return [];
  return [`${saved.deployment.name} is saved. groundwork goes on from ${titles[resumeRoute(saved.route)]}.`];
};
