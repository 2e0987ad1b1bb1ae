import {randomBytes} from 'node:crypto';
import type {Failure} from '../engine/failure.ts';
import {err, ok, type Result} from '../result.ts';
import type {Script} from '../shell/script.ts';
import {type Elevation, entry, framed, marks, stage} from './bootstrap.ts';
import type {Connection, Output, OutputStream, RunOptions} from './connection.ts';
import {cancelled, connectionLost, lastLines} from './failures.ts';
import {type MarkedStream, markedStream} from './marked-stream.ts';
import {sudoPasswordMissing, sudoPasswordWrong, sudoRefused, sudoWantsPassword} from './sudo.ts';

/** A started `entryCommand` with its three streams: an SSH channel, or a process of this machine. */
export type Session = {
  readonly write: (bytes: Buffer) => void;
  /** End of the far side's standard input, which ends what runs there. */
  readonly end: () => void;
  /** Lets go of the streams, whatever still holds the far ends. */
  readonly destroy: () => void;
  readonly onOutput: (listener: (stream: OutputStream, chunk: Buffer) => void) => void;
  /** Resolves when nothing more can come, for whatever reason. */
  readonly closed: Promise<void>;
};

export type RunnerOptions = {
  readonly host: string;
  readonly user: string;
  readonly open: () => Promise<Result<Session, Failure>>;
  /** Why the connection is gone, if it is. */
  readonly lost?: () => Failure | undefined;
  readonly sudoPassword: () => string | undefined;
  /**
   * Seconds between signs of life to the far side, which ends the script after four without one: a host that the
   * network was taken from has no other way to find out. Undefined where the end of a pipe says it.
   */
  readonly heartbeatSeconds?: number;
  readonly marker?: () => string;
  /** sudo took the password; sudo did not. */
  readonly onAdmitted?: () => void;
  readonly onRefused?: () => void;
};

const defaultTimeoutMs = 120_000;
const defaultMaxOutput = 4 * 1024 * 1024;
/** How long the far side may take to confirm that a script was ended: its own 5 s between TERM and KILL, and the way. */
const confirmMs = 10_000;

/** Letters and digits only: it stands unquoted in shell text. */
const randomMarker = (): string => `gw${randomBytes(16).toString('hex')}`;

/**
 * Runs scripts through sessions by the protocol of bootstrap.ts. Which way to root works is found out with the first
 * script and remembered, so that it costs no round trip of its own.
 */
export const createRunner = (options: RunnerOptions): Connection['run'] => {
  let asRoot: Elevation = 'sudo';
  const gate = passwordGate();
  const finished = (ending: Ending): Result<Output, Failure> =>
    ending === 'password wanted' ? err(sudoPasswordMissing(options.host, options.user)) : ending;
  return async (script, runOptions = {}) => {
    if (script.text.includes('\0')) throw new Error('a script cannot hold a NUL byte');
    if (runOptions.root === false) return finished(await attempt(options, script, 'none', runOptions));
    if (asRoot === 'sudo') {
      const ending = await attempt(options, script, asRoot, runOptions);
      if (ending !== 'password wanted') return ending;
      asRoot = 'sudo-password';
    }
    const password = options.sudoPassword();
    if (password === undefined) return err(sudoPasswordMissing(options.host, options.user));
    const pass = await gate.enter(password);
    if (!pass) return err(sudoPasswordWrong(options.host, options.user));
    try {
      return finished(await attempt({...options, ...pass, sudoPassword: () => password}, script, asRoot, runOptions));
    } finally {
      pass.leave();
    }
  };
};

/**
 * Lets one script at a time try a password that sudo has not yet taken, and none try one that it has refused: many
 * scripts at once with one mistyped password would lock the account.
 */
const passwordGate = () => {
  let accepted: string | undefined;
  let refused: string | undefined;
  let trying: Promise<void> | undefined;
  return {
    enter: async (password: string) => {
      while (trying && accepted !== password) await trying;
      if (refused === password) return undefined;
      let leave = () => {};
      if (accepted !== password) {
        trying = new Promise(resolve => {
          leave = () => {
            trying = undefined;
            leave = () => {};
            resolve();
          };
        });
      }
      return {
        onAdmitted: () => {
          accepted = password;
          leave();
        },
        onRefused: () => {
          refused = password;
        },
        leave: () => leave(),
      };
    },
  };
};

type Ending = Result<Output, Failure> | 'password wanted';

const attempt = async (
  options: RunnerOptions,
  script: Script,
  elevation: Elevation,
  {signal, ...runOptions}: RunOptions,
): Promise<Ending> => {
  if (signal?.aborted) return err(cancelled(options.host));
  const opening = options.open();
  const opened = await Promise.race([opening, aborted(signal)]);
  if (opened === 'aborted') {
    void opening.then(late => late.ok && late.value.destroy());
    return err(cancelled(options.host));
  }
  if (!opened.ok) return opened;
  return await converse(options, opened.value, script, elevation, {...runOptions, ...(signal && {signal})});
};

/** Resolves when the signal aborts; never without one. */
const aborted = (signal: AbortSignal | undefined): Promise<'aborted'> =>
  new Promise(resolve => signal?.addEventListener('abort', () => resolve('aborted'), {once: true}));

const converse = (
  options: RunnerOptions,
  session: Session,
  script: Script,
  elevation: Elevation,
  {signal, timeoutMs = defaultTimeoutMs, maxOutput = defaultMaxOutput, onOutput}: RunOptions,
): Promise<Ending> =>
  new Promise(resolve => {
    const {host, heartbeatSeconds} = options;
    const marker = (options.marker ?? randomMarker)();
    const mark = marks(marker);
    const stream = (name: OutputStream): MarkedStream =>
      markedStream({...mark, limit: maxOutput, onText: onOutput && (text => onOutput(name, text))});
    const streams = {stdout: stream('stdout'), stderr: stream('stderr')};
    const timers: NodeJS.Timeout[] = [];
    let stopping: Failure | undefined;
    let settled = false;

    const settle = (ending: Ending): void => {
      if (settled) return;
      settled = true;
      for (const timer of timers) clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      session.destroy();
      resolve(stopping ? err(stopping) : ending);
    };

    /** Ends the script on the far side and waits until that is confirmed, or for as long as it may take. */
    const stop = (why: Failure): void => {
      if (stopping || settled) return;
      stopping = why;
      session.end();
      timers.push(setTimeout(() => settle(err(why)), confirmMs));
    };
    const onAbort = () => stop(cancelled(host));

    const sendScript = (): void => {
      session.write(
        Buffer.concat([
          framed(stage(marker, heartbeatSeconds === undefined ? undefined : heartbeatSeconds * 4)),
          framed(script.text),
        ]),
      );
      if (heartbeatSeconds !== undefined)
        timers.push(setInterval(() => stopping || session.write(Buffer.from('\n')), heartbeatSeconds * 1000));
    };

    const dialogue =
      elevation === 'sudo-password' ? passwordDialogue(options, session, mark, sendScript, stop) : undefined;

    session.onOutput((name, chunk) => {
      if (settled) return;
      streams[name].push(chunk);
      if (!streams[name].started()) dialogue?.(streams.stdout.preamble(), streams.stderr.preamble());
      const [code, other] = [streams.stdout.code(), streams.stderr.code()];
      if (code === undefined || other === undefined) return;
      const [out, errors] = [streams.stdout.output(), streams.stderr.output()];
      settle(ok({code, stdout: out.text, stderr: errors.text, truncated: out.truncated || errors.truncated}));
    });
    void session.closed.then(() =>
      settle(options.lost?.() ? err(options.lost() as Failure) : ended(options, elevation, mark, streams)),
    );
    signal?.addEventListener('abort', onAbort, {once: true});
    timers.push(setTimeout(() => stop(tooLate(options, elevation, mark, streams, timeoutMs)), timeoutMs));

    session.write(framed(entry(marker, elevation)));
    if (!dialogue) sendScript();
    if (signal?.aborted) onAbort();
  });

/**
 * The talk with sudo before it lets us in. The password goes out only when sudo asks, once, and the script only after
 * our own wrapper, run by sudo, has said that it listens: neither can end up where the other belongs.
 */
const passwordDialogue = (
  {host, user, sudoPassword, onAdmitted, onRefused}: RunnerOptions,
  session: Session,
  mark: ReturnType<typeof marks>,
  sendScript: () => void,
  stop: (why: Failure) => void,
) => {
  let given = false;
  let admitted = false;
  return (stdout: string, stderr: string): void => {
    if (admitted) return;
    if (stdout.includes(`${mark.ready}\n`)) {
      admitted = true;
      onAdmitted?.();
      session.write(Buffer.from(`${mark.wrapper}\n`));
      sendScript();
      return;
    }
    const asked = stderr.split(mark.prompt).length - 1;
    if (asked === 1 && !given) {
      given = true;
      session.write(Buffer.from(`${sudoPassword() ?? ''}\n`));
    }
    if (asked > 1) {
      onRefused?.();
      stop(sudoPasswordWrong(host, user));
    }
  };
};

type Streams = Readonly<Record<OutputStream, MarkedStream>>;

/** What a stream held after our login mark, or undefined when the login shell never came that far. */
const afterLogin = (stream: MarkedStream, login: string): string | undefined => {
  const [, ...rest] = stream.preamble().split(`${login}\n`);
  return rest.length > 0 ? rest.join('') : undefined;
};

/** What it means that a session ended without the end mark while the connection stands. */
const ended = (
  {host, user}: RunnerOptions,
  elevation: Elevation,
  {login}: {login: string},
  {stdout, stderr}: Streams,
): Ending => {
  if (stdout.started())
    return err(
      connectionLost(host, 'The session ended before the script had: the host went down, or the shell was killed.'),
    );
  const said = afterLogin(stderr, login);
  if (said === undefined) return err(noShell(host, user, `${stdout.preamble()}\n${stderr.preamble()}`));
  if (elevation === 'sudo' && sudoWantsPassword(said)) return 'password wanted';
  if (elevation !== 'none') return err(sudoRefused(host, user, said));
  return err(noShell(host, user, said));
};

const noShell = (host: string, user: string, text: string): Failure => {
  const tail = lastLines(text);
  return {
    kind: 'authentication',
    host,
    attempted: `starting a shell as ${user}`,
    message: `${host} accepted the login of ${user} but did not run our shell.`,
    ...(tail.length > 0 && {tail}),
    cause: tail.at(-1) ?? 'The login shell of the user ended at once, or bash is missing.',
    remedy: `Log in as a user with an ordinary shell. Try \`ssh ${user}@HOST true\`, and look at what it says.`,
  };
};

const tooLate = (
  {host, user}: RunnerOptions,
  elevation: Elevation,
  {login}: {login: string},
  {stdout, stderr}: Streams,
  timeoutMs: number,
): Failure => {
  const seconds = Math.round(timeoutMs / 100) / 10;
  if (!stdout.started() && elevation !== 'none' && afterLogin(stderr, login) !== undefined) {
    return {
      ...sudoRefused(host, user, afterLogin(stderr, login) ?? ''),
      cause: `sudo did not answer within ${seconds} s.`,
    };
  }
  const tail = lastLines(`${stdout.output().text}\n${stderr.output().text}`);
  return {
    kind: 'timeout',
    host,
    message: `A command on ${host} did not finish within ${seconds} s and was ended.`,
    ...(tail.length > 0 && {tail}),
    cause: 'It hangs, or the host is far slower than expected.',
    remedy: 'Look at what the host is doing, then try again.',
  };
};
