import type {Connection, Output, OutputStream} from '../hosts/connection.ts';
import type {ApplyOptions, ApplyPort} from '../resources/resource.ts';
import {err, type Result} from '../result.ts';
import type {Script} from '../shell/script.ts';
import {cleanLine, cleanText, lineSplitter} from './control-sequences.ts';
import {runDetached} from './detached.ts';
import type {Failure} from './failure.ts';
import type {Clock} from './ports.ts';
import {sendFile} from './send-file.ts';

export type ApplySetting = {
  readonly host: string;
  /** Names the job on the host, so that it is found again: step and resource. */
  readonly about: string;
  readonly doing: string;
  readonly connect: () => Promise<Result<Connection, Failure>>;
  readonly lost: () => Promise<void>;
  readonly clock: Clock;
  /** A new random word. */
  readonly random: () => string;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
};

/** Lines of output that a failure shows. */
const tailLines = 12;

/** The last lines that say something, errors after what was printed before them. */
export const tailOf = ({stdout, stderr}: Pick<Output, 'stdout' | 'stderr'>): readonly string[] =>
  [stdout, stderr]
    .flatMap(text =>
      cleanText(text)
        .split('\n')
        .filter(line => line.trim())
        .slice(-tailLines),
    )
    .slice(-tailLines);

/** What an apply may do: run scripts as root on its host, each line of output told to the log. */
export const applyPort = (setting: ApplySetting): ApplyPort => ({
  now: setting.clock.now,
  tell: line => setting.onLine(cleanLine(line)),
  send: async file => {
    const sent = await sendFile(file, setting);
    return sent.ok ? sent : err({attempted: setting.doing, ...sent.error});
  },
  run: async (script, options = {}) => {
    const tell = (line: string): void => {
      const told = options.told ? options.told(line) : line;
      if (told !== undefined) setting.onLine(told);
    };
    const splitters = {stdout: lineSplitter(tell), stderr: lineSplitter(tell)};
    const onOutput = (stream: OutputStream, chunk: string) => splitters[stream].write(chunk);
    const output = await (options.detached
      ? runAsJob(setting, script, options, onOutput)
      : runHere(setting, script, options, onOutput));
    splitters.stdout.end();
    splitters.stderr.end();
    if (!output.ok) return err({attempted: setting.doing, ...output.error});
    if (output.value.code === 0) return output;
    const tail = tailOf(output.value);
    return err({
      kind: 'command',
      host: setting.host,
      attempted: setting.doing,
      exit: output.value.code,
      message: tail.at(-1) ?? `it ended with exit status ${output.value.code} and said nothing`,
      tail,
    });
  },
});

const runHere = async (
  {connect, lost, signal}: ApplySetting,
  script: Script,
  options: ApplyOptions,
  onOutput: (stream: OutputStream, chunk: string) => void,
): Promise<Result<Output, Failure>> => {
  const connection = await connect();
  if (!connection.ok) return connection;
  const {detached: _, told: __, ...runOptions} = options;
  const output = await connection.value.run(script, {...runOptions, signal, onOutput});
  if (!output.ok && output.error.kind === 'connection-lost') await lost();
  return output;
};

const runAsJob = (
  {host, about, connect, lost, clock, random, signal}: ApplySetting,
  script: Script,
  options: ApplyOptions,
  onOutput: (stream: OutputStream, chunk: string) => void,
): Promise<Result<Output, Failure>> =>
  runDetached({
    purpose: about,
    host,
    script,
    connect,
    lost,
    clock,
    random,
    signal,
    onOutput: chunk => onOutput('stdout', chunk),
    ...(options.timeoutMs !== undefined && {timeoutMs: options.timeoutMs}),
  });
