import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {execa} from 'execa';
import fc from 'fast-check';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import type {Output} from '../../source/hosts/connection.ts';
import {connectLocal} from '../../source/hosts/local.ts';
import type {Result} from '../../source/result.ts';
import {type Script, sh} from '../../source/shell/script.ts';

const here = connectLocal({name: 'here', address: '127.0.0.1'});
const outputOf = (result: Result<Output, {message: string}>): Output => {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
};
const run = async (script: Script): Promise<Output> => outputOf(await here.run(script, {root: false}));

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'runner-'));
});
afterAll(async () => {
  await here.close();
  await rm(folder, {recursive: true});
});

/** Processes of this machine whose command line holds a word. */
const processesWith = async (word: string): Promise<string[]> => {
  const {stdout} = await execa('pgrep', ['-f', '-a', word], {reject: false});
  return stdout.split('\n').filter(line => line !== '' && !line.includes('pgrep'));
};

describe('a script', () => {
  test('gives back exactly what it printed, and how it ended', async () => {
    expect(await run(sh`printf 'no newline'; printf 'two\n\n' >&2; exit 7`)).toEqual({
      code: 7,
      stdout: 'no newline',
      stderr: 'two\n\n',
      truncated: false,
    });
  });

  test('that is killed ends with 128 and the number of the signal, and nothing is printed about it', async () => {
    expect(await run(sh`echo before; kill -9 $BASHPID`)).toMatchObject({code: 137, stdout: 'before\n', stderr: ''});
  });

  test('with a syntax error says so and fails', async () => {
    const {code, stderr} = await run(sh`if then`);
    expect(code).not.toBe(0);
    expect(stderr).toContain('syntax error');
  });

  test('starts in / with a plain locale, path and mask, no input, no open files and no variables of ours', async () => {
    const {stdout} = await run(
      sh`pwd; umask; echo "$LC_ALL $PATH"; cat; ls /proc/self/fd | head -3 | tr '\n' ' '; set | grep -c '^gw_'; true`,
    );
    expect(stdout).toBe('/\n0022\nC /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n0 1 2 0\n');
  });

  test('that leaves a process behind ends all the same, and the process goes on', async () => {
    const mark = join(folder, 'left-behind');
    const {stdout} = await run(sh`(sleep 0.3; touch ${mark}) & echo done`);
    expect(stdout).toBe('done\n');
    await expect.poll(() => readFile(mark, 'utf8').catch(() => undefined), {timeout: 5_000}).toBe('');
  });

  test('can be long', async () => {
    const text = 'x'.repeat(3_000_000);
    expect((await run(sh`printf %s ${text} | wc -c`)).stdout.trim()).toBe('3000000');
  });

  test('cannot hold a NUL, which no shell takes', async () => {
    await expect(here.run({kind: 'script', text: 'echo \0'})).rejects.toThrow('NUL');
  });

  test('arrives byte for byte, whatever stands in it', async () => {
    const nasty = fc.oneof(
      fc.string({unit: 'binary'}),
      fc.string({unit: 'grapheme'}),
      fc.stringMatching(/^[\u0001-\u001f'"\\$`!;&|<>(){}*?~#\u007f]{0,20}$/),
      fc.constantFrom(
        '\n',
        '\r\n',
        "'",
        "''\\'",
        '$(id)',
        '`id`',
        '\u0001',
        '\u007f',
        'EOF\n',
        '-n',
        '${gw_script}',
        ' \n\n',
      ),
    );
    const text = fc.array(nasty, {maxLength: 6}).map(parts => parts.join('').replaceAll('\0', '').toWellFormed());
    await fc.assert(
      fc.asyncProperty(text, async argument => {
        const {stdout, stderr, code} = await run(sh`printf %s ${argument}; printf %s ${argument} >&2`);
        expect({stdout, stderr, code}).toEqual({stdout: argument, stderr: argument, code: 0});
      }),
      {numRuns: 150},
    );
  });

  test('and what it holds is in no argument list and no environment', async () => {
    const canary = `canary-${process.pid}-never-shown`;
    const {stdout} = await run(
      sh`secret=${canary}; for pid in $$ $BASHPID $PPID; do tr '\0' '\n' </proc/$pid/cmdline; tr '\0' '\n' </proc/$pid/environ; done 2>/dev/null; ps -efww; sleep 0.1; printf %s "$secret" | wc -c`,
    );
    expect(stdout).not.toContain(canary);
    expect(stdout.trimEnd().endsWith(String(canary.length))).toBe(true);
  });
});

describe('output', () => {
  test('comes while the script runs, whole characters only', async () => {
    const seen: string[] = [];
    const result = await here.run(sh`printf 'é\xc3'; sleep 0.2; printf '\xa9€'; echo problem >&2`, {
      root: false,
      onOutput: (stream, chunk) => seen.push(`${stream} ${chunk}`),
    });
    expect(outputOf(result).stdout).toBe('éé€');
    expect(seen.filter(chunk => chunk.startsWith('stdout'))).toEqual(['stdout é', 'stdout é€']);
    expect(seen).toContain('stderr problem\n');
  });

  test('beyond the limit loses its middle and says how much', async () => {
    const result = await here.run(sh`echo begin; yes | head -c 5000000; echo end`, {root: false, maxOutput: 100});
    const {stdout, truncated} = outputOf(result);
    expect(truncated).toBe(true);
    expect(stdout).toMatch(/^begin\n[y\n]+\n\[\d+ bytes left out\]\n[y\n]+end\n$/);
    expect(stdout.length).toBeLessThan(200);
  });
});

describe('ending a script', () => {
  test('cancel ends the process and all that it started', async () => {
    const word = `4242${process.pid}`;
    const stop = new AbortController();
    const running = here.run(sh`sleep ${word} & sleep ${word}; true`, {root: false, signal: stop.signal});
    await expect.poll(async () => (await processesWith(`sleep ${word}`)).length).toBe(2);
    stop.abort();
    expect(await running).toMatchObject({ok: false, error: {kind: 'cancelled', host: 'here'}});
    expect(await processesWith(`sleep ${word}`)).toEqual([]);
  });

  test('what does not listen to TERM is killed', async () => {
    const word = `4343${process.pid}`;
    const result = await here.run(sh`trap '' TERM; sleep ${word}; sleep ${word}`, {root: false, timeoutMs: 300});
    expect(result).toMatchObject({ok: false, error: {kind: 'timeout'}});
    expect(await processesWith(`sleep ${word}`)).toEqual([]);
  });

  test('what was stopped is ended as well', async () => {
    const word = `4545${process.pid}`;
    const result = await here.run(sh`sleep ${word} & sleep 0.2; kill -STOP 0`, {root: false, timeoutMs: 500});
    expect(result).toMatchObject({ok: false, error: {kind: 'timeout'}});
    expect(await processesWith(`sleep ${word}`)).toEqual([]);
  });

  test('a deadline is a failure with the last lines', async () => {
    const result = await here.run(sh`echo 'half \x1b[31mway'; sleep 60`, {root: false, timeoutMs: 300});
    expect(result).toMatchObject({ok: false, error: {kind: 'timeout', tail: ['half \\x1b[31mway']}});
  });

  test('a signal that is already aborted starts nothing', async () => {
    const mark = join(folder, 'never');
    const result = await here.run(sh`touch ${mark}`, {root: false, signal: AbortSignal.abort()});
    expect(result).toMatchObject({ok: false, error: {kind: 'cancelled'}});
    await expect(readFile(mark)).rejects.toThrow();
  });

  test('the death of the installer ends the script', async () => {
    const word = `4444${process.pid}`;
    const program = `
      import {connectLocal} from ${JSON.stringify(new URL('../../source/hosts/local.ts', import.meta.url).href)};
      void connectLocal({name: 'here', address: ''}).run({kind: 'script', text: 'sleep ${word}; true'}, {root: false});
    `;
    const child = execa(process.execPath, ['--input-type=module', '-e', program], {reject: false});
    await expect.poll(async () => (await processesWith(`sleep ${word}`)).length, {timeout: 10_000}).toBe(1);
    child.kill('SIGKILL');
    await child;
    await expect.poll(() => processesWith(`sleep ${word}`), {timeout: 10_000}).toEqual([]);
  });

  test('a shell that is killed under a script is a lost connection, not an empty success', async () => {
    expect(await here.run(sh`kill -9 $$; sleep 60`, {root: false})).toMatchObject({
      ok: false,
      error: {kind: 'connection-lost', transient: true},
    });
  });

  test('no controlling terminal, so nothing can ask on the screen', async () => {
    const {stderr, code} = await run(sh`: </dev/tty`);
    expect(code).not.toBe(0);
    expect(stderr).toContain('/dev/tty');
  });
});
