import {parseArgs} from 'node:util';
import {err, ok, type Result} from '../result.ts';

/** An option of a command, as `--help` shows it. */
export type Option = {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** May be given several times. */
  readonly multiple?: boolean;
  /** What stands for its value in the help: FILE, STEP. */
  readonly value?: string;
  readonly help: string;
};

export type Options = Readonly<Record<string, Option>>;

/** Words and options of one command line, checked. */
export type Invocation = {
  readonly positionals: readonly string[];
  readonly text: (option: string) => string | undefined;
  readonly texts: (option: string) => readonly string[];
  readonly flag: (option: string) => boolean;
};

export type Command = {
  readonly name: string;
  readonly summary: string;
  /** What it does, in a few sentences. The help breaks them anew; the parts here are only for reading the source. */
  readonly description: readonly string[];
  /** Names of its words, `[STEP]` when they may be left out. */
  readonly words: readonly string[];
  /** The last word may be said any number of times. */
  readonly endless?: boolean;
  readonly options: Options;
  readonly examples: readonly string[];
  /** Settles with the exit status (see exit.ts). */
  readonly run: (invocation: Invocation, world: World) => Promise<number>;
};

/** What a command may touch of the process it runs in. */
export type World = {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** The folder that holds bin/ and fixtures/. */
  readonly root: string;
  readonly version: string;
  /** Calls back on SIGINT, SIGTERM and SIGHUP; undoes that when called. */
  readonly onSignal: (callback: (signal: NodeJS.Signals) => void) => () => void;
};

/** Checks the words and options of a command line. The error says which one is wrong. */
export const parseInvocation = (
  command: Pick<Command, 'name' | 'words' | 'endless' | 'options'>,
  args: readonly string[],
): Result<Invocation, string> => {
  try {
    const {values, positionals} = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: Object.fromEntries(
        Object.entries(command.options).map(([name, option]) => [
          name,
          {type: option.type, ...(option.short && {short: option.short}), ...(option.multiple && {multiple: true})},
        ]),
      ),
    });
    const required = command.words.filter(word => !word.startsWith('['));
    if (positionals.length < required.length) return err(`${required[positionals.length]} is missing`);
    if (positionals.length > command.words.length && !command.endless)
      return err(`"${positionals[command.words.length]}" is one word too many`);
    return ok({
      positionals,
      text: name => [values[name]].flat().findLast(value => typeof value === 'string') as string | undefined,
      texts: name => [values[name]].flat().filter(value => typeof value === 'string'),
      flag: name => values[name] === true,
    });
  } catch (error) {
    return err(error instanceof Error ? firstSentence(error.message) : String(error));
  }
};

/** Node adds advice about `--` that does not help an operator. */
const firstSentence = (message: string): string => message.split('. ')[0]?.replace(/\.$/, '') ?? message;
