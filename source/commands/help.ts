import type {Command, Options} from './command.ts';

const optionRows = (options: Options): [string, string][] =>
  Object.entries(options).map(([name, option]) => [
    `${option.short ? `-${option.short}, ` : '    '}--${name}${option.value ? ` ${option.value}` : ''}`,
    option.help,
  ]);

/** What every terminal has. */
const helpColumns = 80;

/** Two columns; the second is wrapped to 80 columns and indented under itself. */
const rows = (pairs: readonly (readonly [string, string])[]): string[] => {
  const left = Math.min(30, Math.max(...pairs.map(([name]) => name.length)));
  return pairs.flatMap(([name, text]) => {
    const wrapped = wrap(text, helpColumns - left - 4);
    const first =
      name.length > left
        ? [`  ${name}`, `${' '.repeat(left + 4)}${wrapped[0]}`]
        : [`  ${name.padEnd(left)}  ${wrapped[0]}`];
    return [...first, ...wrapped.slice(1).map(line => `${' '.repeat(left + 4)}${line}`)];
  });
};

const wrap = (text: string, width: number): string[] =>
  text.split(' ').reduce<string[]>(
    (found, word) => {
      const last = found.at(-1) ?? '';
      if (last && last.length + 1 + word.length > width) found.push(word);
      else found[found.length - 1] = last ? `${last} ${word}` : word;
      return found;
    },
    [''],
  );

/** What `groundwork --help` prints. */
export const overview = (commands: readonly Command[], common: Options): string =>
  [
    'Groundwork takes you from bare machines to a running OpenG2P platform.',
    '',
    'Usage: groundwork [COMMAND] [OPTIONS]',
    '',
    'Without a command, in a terminal, it opens the wizard.',
    '',
    'Commands:',
    ...rows(commands.map(command => [command.name, command.summary] as const)),
    '',
    'Options of every command:',
    ...rows(optionRows(common)),
    '',
    '`groundwork COMMAND --help` says more. Exit statuses: docs/commands.md.',
    '',
  ].join('\n');

/** What `groundwork COMMAND --help` prints. */
export const helpOf = (command: Command): string =>
  [
    ...wrap(`groundwork ${command.name}: ${command.summary}`, helpColumns),
    '',
    `Usage: groundwork ${[command.name, ...command.words].join(' ')} [OPTIONS]`,
    '',
    ...wrap(command.description.join(' '), helpColumns),
    '',
    'Options:',
    ...rows(optionRows(command.options)),
    '',
    'Examples:',
    ...command.examples.map(example => `  ${example}`),
    '',
  ].join('\n');
