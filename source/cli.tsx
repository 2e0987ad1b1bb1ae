import {readFileSync} from 'node:fs';
import {homedir} from 'node:os';
import {fileURLToPath} from 'node:url';
import {type Command, type Options, parseInvocation, type World} from './commands/command.ts';
import {exit} from './commands/exit.ts';
import {fileFaultOf} from './commands/file-fault.ts';
import {helpOf, overview} from './commands/help.ts';
import {commands} from './commands/index.ts';
import {canAsk} from './commands/prompt.ts';
import {complain} from './commands/report.ts';
import {openSite} from './commands/site.ts';
import {openWizard, screenOptions} from './commands/wizard.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const world: World = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  home: homedir(),
  root,
  version: JSON.parse(readFileSync(`${root}/package.json`, 'utf8')).version,
  onSignal: callback => {
    for (const signal of signals) process.on(signal, callback);
    return () => {
      for (const signal of signals) process.off(signal, callback);
    };
  },
};

const common = {
  help: {type: 'boolean', short: 'h', help: 'say what a command does and which options it has'},
  version: {type: 'boolean', short: 'V', help: 'print the version'},
} as const satisfies Options;

/** What `groundwork` does without a command. */
const wizard: Pick<Command, 'name' | 'words' | 'options'> = {
  name: '',
  words: [],
  options: {...common, ...screenOptions},
};

const runWizard = async (args: readonly string[]): Promise<number> => {
  const invocation = parseInvocation(wizard, args);
  if (!invocation.ok) return complain(world, `${invocation.error}; see groundwork --help`, exit.usage);
  const {flag} = invocation.value;
  if (flag('help')) return say(overview(commands, wizard.options));
  if (flag('version')) return say(`${world.version}\n`);
  if (!canAsk(world)) {
    world.stderr.write(overview(commands, wizard.options));
    return complain(world, 'the wizard needs a terminal; here, use a command', exit.usage);
  }
  const site = openSite(world);
  if (!site.ok) return complain(world, site.error.message, exit.failed);
  return openWizard(world, site.value, {
    ascii: flag('ascii'),
    noColor: flag('no-color'),
    screenReader: flag('screen-reader'),
  });
};

const say = (text: string): number => {
  world.stdout.write(text);
  return exit.done;
};

const runCommand = async (command: Command, args: readonly string[]): Promise<number> => {
  const invocation = parseInvocation({...command, options: {...command.options, ...common}}, args);
  if (args.includes('--help') || args.includes('-h'))
    return say(helpOf({...command, options: {...command.options, help: common.help}}));
  if (!invocation.ok) return complain(world, `${invocation.error}; see groundwork ${command.name} --help`, exit.usage);
  return command.run(invocation.value, world);
};

const main = (args: readonly string[]): Promise<number> => {
  const [first = '', ...rest] = args;
  if (first === '' || first.startsWith('-')) return runWizard(args);
  // As other programs have it: `groundwork help install`.
  if (first === 'help') return main([...rest.slice(0, 1), '--help']);
  const command = commands.find(({name}) => name === first);
  if (command) return runCommand(command, rest);
  return Promise.resolve(complain(world, `there is no command "${first}"; see groundwork --help`, exit.usage));
};

// A reader that went away (`groundwork install … | head`) is no reason to leave hosts half done: the journal is complete
// without it, and the exit status is still the true one.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', error => {
    if (!('code' in error && error.code === 'EPIPE')) throw error;
  });
}

/** A bug: the message is for us, the reassurance for the operator. */
const confess = (error: unknown): number => {
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  world.stderr.write(
    `groundwork: a fault in Groundwork itself: ${what}\n` +
      'Nothing is lost: what was done is on the hosts, and groundwork resume goes on. Please report these lines.\n',
  );
  return 70;
};

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const fault = fileFaultOf(error);
  process.exitCode = fault === undefined ? confess(error) : complain(world, fault, exit.failed);
}
