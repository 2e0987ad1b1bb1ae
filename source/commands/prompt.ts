import {createInterface} from 'node:readline';
import {Writable} from 'node:stream';
import type {Question} from '../engine/events.ts';
import type {AskPort} from '../engine/ports.ts';
import type {World} from './command.ts';

/** Whether somebody can answer: both ends are a terminal. */
export const canAsk = (world: World): boolean => world.stdin.isTTY === true && world.stdout.isTTY === true;

/** One line from the operator; undefined when the input ends or `signal` aborts. */
export const askLine = (world: World, prompt: string, signal?: AbortSignal): Promise<string | undefined> =>
  readLine(world, prompt, world.stdout, signal);

/** One line that is not shown while it is typed. */
export const askSecret = async (world: World, prompt: string): Promise<string | undefined> => {
  world.stdout.write(prompt);
  const silent = new Writable({write: (_chunk, _encoding, done) => done()});
  const line = await readLine(world, '', silent);
  world.stdout.write('\n');
  return line;
};

const readLine = (
  world: World,
  prompt: string,
  output: NodeJS.WritableStream,
  signal?: AbortSignal,
): Promise<string | undefined> =>
  new Promise(resolve => {
    const reader = createInterface({input: world.stdin, output, terminal: true, ...(signal && {signal})});
    let line: string | undefined;
    reader.once('SIGINT', () => reader.close());
    reader.once('close', () => resolve(line));
    reader.question(prompt, answer => {
      line = answer;
      reader.close();
    });
  });

/** All of standard input, for secrets that a script hands over. */
export const readAll = async (stdin: NodeJS.ReadStream): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
};

const explain: Record<string, string> = {
  retry: 'try again on the hosts where it failed',
  'retry-all': 'try again on all hosts of the step',
  change: 'stop, to change a setting and come back',
  skip: 'go on without it',
  leave: 'leave it failed, and go on with what does not need it',
  stop: 'stop and keep everything as it is',
};

/** Nobody is there: what does not need the failed step goes on, and `groundwork resume` takes the rest up again. */
export const unattended: AskPort = async ({choices}) => ({
  choice: (choices as readonly string[]).includes('leave') ? 'leave' : 'stop',
  by: 'policy',
});

/** Asks on plain lines: a terminal without a screen, a serial console, a screen reader. */
export const askOnLines =
  (world: World): AskPort =>
  async (question, signal) => {
    for (;;) {
      const answer = await askLine(world, promptFor(question), signal);
      if (answer === undefined) return {choice: 'stop', by: 'operator'};
      const choice = question.choices.find(each => each === answer.trim());
      if (choice) return {choice, by: 'operator'};
      world.stdout.write(`Type one of: ${question.choices.join(', ')}\n`);
    }
  };

const promptFor = (question: Question): string =>
  [
    '',
    ...question.choices.map(choice => `  ${choice.padEnd(12)}${explain[choice] ?? ''}`),
    ...(question.skipCosts ? [`  Skipping means: ${question.skipCosts}`] : []),
    `${question.title} on ${question.hosts.join(', ')}: what now? `,
  ].join('\n');
