import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {build} from 'esbuild';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {key, openTerminal, projectRoot, type Screen} from '../support/terminal.ts';

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'groundwork-inputs-'));
  await build({
    absWorkingDir: projectRoot,
    entryPoints: ['test/support/inputs-program.tsx'],
    outfile: join(folder, 'inputs.mjs'),
    bundle: true,
    define: {'process.env.NODE_ENV': '"production"', 'process.env.DEV': '"false"'},
    alias: {'react-devtools-core': './bin/no-devtools.mjs'},
    banner: {js: "import {createRequire} from 'node:module';const require=createRequire(import.meta.url);"},
    platform: 'node',
    format: 'esm',
    jsx: 'automatic',
  });
}, 60_000);

afterAll(async () => {
  await rm(folder, {recursive: true, force: true});
});

/** What an input holds after one chunk, in a real pseudo-terminal. */
const held = async (
  kind: string,
  feeding: 'fed' | 'bare',
  initial: string,
  chunk: string,
  wanted: string,
): Promise<string> => {
  const screen: Screen = openTerminal(process.execPath, [join(folder, 'inputs.mjs'), kind, feeding, initial]);
  try {
    await screen.waitFor('ready');
    // The input is shown a moment before it listens.
    await new Promise(resolve => setTimeout(resolve, 100));
    await screen.press(chunk);
    return (await screen.waitFor(`ready ${wanted}`, 5000)).match(/ready (.*)/)?.[1] ?? '';
  } finally {
    screen.kill('SIGKILL');
  }
};

const {down, left, enter, backspace} = key;

describe('ink-select-input in a real terminal, with a chunk of several keys', () => {
  test.each([
    ['↓↓⏎', `${down}${down}${enter}`, '["three"]'],
    ['↓↓↓⏎⏎', `${down}${down}${down}${enter}${enter}`, '["four","four"]'],
    ['↓⏎↓⏎', `${down}${enter}${down}${enter}`, '["two","three"]'],
  ])('chooses what %s says when it is fed key by key', async (_, chunk, wanted) => {
    expect(await held('select', 'fed', '', chunk, wanted)).toBe(wanted);
  });

  test('chooses something else when it is not, which is why it is', async () => {
    expect(await held('select', 'bare', '', `${down}${down}${enter}`, '["one"]')).toBe('["one"]');
  });

  test('chooses by a digit alone, which is why Menu lets only Enter choose', async () => {
    expect(await held('select', 'fed', '', '3', '["three"]')).toBe('["three"]');
  });
});

describe('ink-text-input in a real terminal, with a chunk of several keys', () => {
  test.each([
    ['abc⏎', '', `abc${enter}`, {value: 'abc', submitted: 'abc'}],
    ['⌫⌫⌫', 'abcdef', backspace.repeat(3), {value: 'abc'}],
    ['←←x', 'abc', `${left}${left}x`, {value: 'axbc'}],
    ['wide characters and ⌫', '', `日本${backspace}`, {value: '日'}],
  ])('takes %s when it is fed key by key', async (_, initial, chunk, wanted) => {
    expect(await held('text', 'fed', initial, chunk, JSON.stringify(wanted))).toBe(JSON.stringify(wanted));
  });

  test.each([
    ['loses keys when it is not fed', 'bare', 'abcdef', backspace.repeat(3), {value: 'abcde'}],
    ['types the letter of Ctrl-U', 'fed', 'abc', '\u0015', {value: 'abcu'}],
    ['goes nowhere by Home', 'fed', 'abc', '\u001b[Hx', {value: 'abcx'}],
    ['takes Delete for Backspace', 'fed', 'abc', `${left}${left}\u001b[3~`, {value: 'bc'}],
  ] as const)('%s, which is why answers are typed into Field', async (_, feeding, initial, chunk, wanted) => {
    expect(await held('text', feeding, initial, chunk, JSON.stringify(wanted))).toBe(JSON.stringify(wanted));
  });
});
