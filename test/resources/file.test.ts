import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir, userInfo} from 'node:os';
import {join} from 'node:path';
import fc from 'fast-check';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {directory} from '../../source/resources/directory.ts';
import {absent, file, symlink} from '../../source/resources/file.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {sh} from '../../source/shell/script.ts';
import {type Changed, converge, plan} from '../support/apply.ts';
import {localBash} from '../support/local.ts';
import {anyCharacter} from '../support/nasty.ts';

const {uid, gid} = userInfo();
/** Whoever runs these tests: only root may give files away. */
const owner = `${uid}:${gid}`;

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'groundwork-file-'));
});
afterEach(() => rmSync(place, {recursive: true, force: true}));

const at = (name: string) => join(place, name);
const read = (name: string) => readFileSync(at(name), 'utf8');
const modeOf = (name: string) => (statSync(at(name)).mode & 0o7777).toString(8);
const ours = (name: string, content: string, options: Parameters<typeof file>[2] = {}) =>
  file(at(name), content, {owner, ...options});

const settles = async (...resources: Resource[]): Promise<readonly Changed[]> => {
  const {rounds} = await converge(localBash(), resources);
  expect(rounds[1]).toEqual([]);
  return rounds[0] ?? [];
};
const summaries = (changed: readonly Changed[]) => changed.flatMap(({changes}) => changes.map(({summary}) => summary));
const all = (changed: readonly Changed[]) => JSON.stringify(changed);

describe('a file', () => {
  test('is made with its mode, and with the directory that it needs', async () => {
    expect(summaries(await settles(ours('deep/er/file', 'hello\n', {mode: 0o640})))).toEqual([
      `create: mode 0640, ${owner}`,
    ]);
    expect(read('deep/er/file')).toBe('hello\n');
    expect(modeOf('deep/er/file')).toBe('640');
    expect(modeOf('deep')).toBe('755');
  });

  test('shows what changes in it, line by line', async () => {
    writeFileSync(at('f'), 'one\ntwo\nthree\nfour\n', {mode: 0o644});
    chmodSync(at('f'), 0o644);
    const [changed] = await plan(localBash(), [ours('f', 'one\ntwo\n3\nfour\nfive\n')]);
    expect(changed?.changes).toEqual([
      {
        summary: 'content: 2 lines added, 1 removed',
        detail: [' one', ' two', '-three', '+3', ' four', '+five'],
      },
    ]);
  });

  test('whose content is right keeps its inode when only the mode is repaired', async () => {
    await settles(ours('f', 'same\n'));
    const inode = statSync(at('f')).ino;
    chmodSync(at('f'), 0o600);
    expect(summaries(await settles(ours('f', 'same\n')))).toEqual(['mode 0600 → 0644']);
    expect(statSync(at('f')).ino).toBe(inode);
  });

  test('replaces a symbolic link and leaves alone what that pointed to', async () => {
    writeFileSync(at('target'), 'theirs');
    symlinkSync(at('target'), at('f'));
    expect(summaries(await settles(ours('f', 'ours')))).toEqual([
      `replace a symbolic link by a file: mode 0644, ${owner}`,
    ]);
    expect(lstatSync(at('f')).isSymbolicLink()).toBe(false);
    expect(read('target')).toBe('theirs');
  });

  test('does not write through a link that waits where its new content is prepared', async () => {
    const resource = ours('f', 'new');
    writeFileSync(at('victim'), 'safe');
    const prepared = /candidate=(\S+)/.exec(await scriptOf(resource))?.[1] as string;
    symlinkSync(at('victim'), prepared);
    await settles(resource);
    expect([read('f'), read('victim')]).toEqual(['new', 'safe']);
  });

  test('refuses to take the place of a directory', async () => {
    mkdirSync(at('f'));
    await expect(plan(localBash(), [ours('f', 'x')])).rejects.toThrow('is a directory, and a file must be there');
  });

  test('stays as it is when the new content is not accepted, and nothing is left behind', async () => {
    await settles(ours('f', 'good\n'));
    const validate = (candidate: string) => sh`echo "line 1: bad word" >&2; ! grep -q bad ${candidate}`;
    await expect(converge(localBash(), [ours('f', 'bad\n', {validate})])).rejects.toThrow(
      /line 1: bad word[\s\S]*was not accepted; the old one stays/,
    );
    expect(readdirSync(place)).toEqual(['f']);
    expect(read('f')).toBe('good\n');
  });

  test('that is secret shows neither the old nor the new content, and the old does not leave the host', async () => {
    writeFileSync(at('f'), 'old-hush\n');
    chmodSync(at('f'), 0o644);
    const resource = ours('f', 'new-hush\n', {secret: true, mode: 0o600});
    const probed = await localBash().run(resource.probe);
    expect(probed.ok && probed.value.stdout).not.toContain(Buffer.from('old-hush\n').toString('base64'));
    const changed = await settles(resource);
    expect(summaries(changed)).toEqual(['content (secret)', 'mode 0644 → 0600']);
    expect(all(changed)).not.toContain('hush');
    expect(all(await plan(localBash(), [ours('g', 'new-hush\n', {secret: true})]))).not.toContain('hush');
    expect(resource.probe.text).not.toContain('hush');
  });

  test('that others on the host may not read is not shown either', async () => {
    writeFileSync(at('f'), 'somebody’s password\n', {mode: 0o600});
    const changed = await plan(localBash(), [ours('f', 'ours\n')]);
    expect(summaries(changed)).toEqual(['content', 'mode 0600 → 0644']);
    expect(all(changed)).not.toContain('password');
  });

  test('with control characters does not steer the terminal that shows the change', async () => {
    writeFileSync(at('f'), 'a\u001b[2Jb\u0007\n');
    chmodSync(at('f'), 0o644);
    const [changed] = await plan(localBash(), [ours('f', 'x\n')]);
    expect(changed?.changes[0]?.detail).toEqual(['-a·[2Jb·', '+x']);
  });

  test('of any bytes that are not text is compared, and not shown', async () => {
    writeFileSync(at('f'), Buffer.from([0, 255, 10, 0]));
    chmodSync(at('f'), 0o644);
    expect(summaries(await settles(ours('f', 'text')))).toEqual(['content']);
  });

  test('is whole at every moment, wherever the writing is cut', async () => {
    const young = 'y'.repeat(200);
    const script = (await scriptOf(ours('f', young))).split('\n');
    writeFileSync(at('f'), 'old');
    // A connection that is lost ends the script after any of its lines.
    for (const cut of script.keys()) {
      await localBash().run({kind: 'script', text: script.slice(0, cut).join('\n')});
      expect(['old', young]).toContain(read('f'));
    }
    await settles(ours('f', young));
    expect(readdirSync(place)).toEqual(['f']);
  }, 60_000);

  test('holds exactly the text that was given, whatever it and its name are', async () => {
    const nasty = fc.oneof(
      fc.string({unit: anyCharacter, maxLength: 60}),
      fc.constantFrom(
        '$(touch pwned)',
        '`touch pwned`',
        "'; touch pwned; '",
        '\nEND_OF_CONTENT\ntouch pwned\n',
        '-rf',
        '\\',
        '%s%n',
      ),
    );
    const name = nasty
      .map(text => text.replaceAll(/[\0/]/g, '_'))
      .filter(text => text !== '' && text !== '.' && text !== '..' && Buffer.byteLength(text) < 200);
    // Many files in one script, because starting a shell is what takes the time.
    const files = fc.uniqueArray(fc.tuple(name, nasty), {minLength: 8, maxLength: 16, selector: ([path]) => path});
    const around = new Set(readdirSync(process.cwd()));
    await fc.assert(
      fc.asyncProperty(files, async all => {
        const resources = all.map(([path, content]) => ours(path, content));
        const script = (await Promise.all(resources.map(scriptOf))).map(text => `(\n${text}\n)`).join('\n');
        const ran = await localBash().run({kind: 'script', text: script});
        expect(ran.ok && ran.value).toMatchObject({code: 0, stderr: ''});
        for (const [path, content] of all) expect(readFileSync(at(path), 'utf8')).toBe(content);
        expect(readdirSync(place).sort()).toEqual(all.map(([path]) => path).sort());
        expect(await plan(localBash(), resources)).toEqual([]);
        for (const [path] of all) rmSync(at(path));
      }),
      {numRuns: 5},
    );
    expect(readdirSync(process.cwd()).filter(each => !around.has(each))).not.toContain('pwned');
  }, 60_000);

  test('cannot be given to an owner that would be more than one word', () => {
    for (const wrong of ['root', 'root:root; reboot', 'a b:c', ''])
      expect(() => file('/tmp/x', '', {owner: wrong})).toThrow('not user:group');
  });
});

/** The script that would be run, without running it. */
const scriptOf = async (resource: Resource): Promise<string> => {
  let text = '';
  const probed = await localBash().run(resource.probe);
  if (!probed.ok) throw new Error(probed.error.message);
  const assessed = resource.assess(probed.value);
  if (!assessed.ok) throw new Error(assessed.error);
  await assessed.value.apply?.({
    now: () => new Date(0),
    tell: () => {},
    send: async () => ({ok: true, value: undefined}),
    run: async script => {
      text = script.text;
      return {ok: true, value: {code: 0, stdout: '', stderr: '', truncated: false}};
    },
  });
  return text;
};

describe('a directory', () => {
  test('is made with its parents, and its mode is repaired without touching what is in it', async () => {
    const resource = directory(at('a/b/c'), {owner, mode: 0o700});
    expect(summaries(await settles(resource))).toEqual([`create: mode 0700, ${owner}`]);
    expect([modeOf('a'), modeOf('a/b'), modeOf('a/b/c')]).toEqual(['755', '755', '700']);
    writeFileSync(at('a/b/c/inside'), '', {mode: 0o600});
    chmodSync(at('a/b/c'), 0o2777);
    expect(summaries(await settles(resource))).toEqual(['mode 2777 → 0700']);
    expect(modeOf('a/b/c/inside')).toBe('600');
  });

  test('is not made where a file is', async () => {
    writeFileSync(at('f'), '');
    await expect(plan(localBash(), [directory(at('f'), {owner})])).rejects.toThrow('is not a directory');
  });

  test('may be a symbolic link to one', async () => {
    mkdirSync(at('real'), {mode: 0o755});
    chmodSync(at('real'), 0o755);
    symlinkSync(at('real'), at('link'));
    expect(await plan(localBash(), [directory(at('link'), {owner})])).toEqual([]);
  });
});

describe('links and absence', () => {
  test('a link gets its target, however strange', async () => {
    for (const target of ['/etc/passwd', '-n', 'a b\nc', '$(id)']) {
      await settles(symlink(at('link'), target));
      expect(readlinkSync(at('link'))).toBe(target);
    }
    expect(readdirSync(place)).toEqual(['link']);
  });

  test('a link does not take the place of a directory', async () => {
    mkdirSync(at('link'));
    await expect(plan(localBash(), [symlink(at('link'), 'x')])).rejects.toThrow('is a directory');
  });

  test('a file, a dangling link and an empty directory go; a full directory stays', async () => {
    writeFileSync(at('f'), '');
    symlinkSync('/nowhere', at('l'));
    mkdirSync(at('d'));
    mkdirSync(at('full'));
    writeFileSync(at('full/x'), '');
    await settles(absent(at('f')), absent(at('l')), absent(at('d')));
    expect(readdirSync(place)).toEqual(['full']);
    await expect(converge(localBash(), [absent(at('full'))])).rejects.toThrow('not empty');
    expect(existsSync(at('full/x'))).toBe(true);
  });
});
