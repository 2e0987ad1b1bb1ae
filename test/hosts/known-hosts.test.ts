import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {execa} from 'execa';
import fc from 'fast-check';
import ssh2 from 'ssh2';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {
  algorithmOrder,
  entriesFor,
  fingerprintOf,
  judgeKey,
  knownAs,
  namesMatch,
  parseKnownHosts,
  readKnownHosts,
} from '../../source/hosts/known-hosts.ts';
import {newKey as readableKey} from '../../source/practice/keys.ts';

const newKey = (type: 'ed25519' | 'ecdsa' = 'ed25519') => {
  const pair = type === 'ed25519' ? readableKey('known') : ssh2.utils.generateKeyPairSync('ecdsa', {bits: 256});
  const [name = '', key = ''] = pair.public.split(' ');
  return {type: name, key};
};

const [mine, other, third] = [newKey(), newKey(), newKey('ecdsa')];
const line = (names: string, {type, key} = mine) => `${names} ${type} ${key}\n`;
const judge = (text: string, server: {type: string; key: string}, name = '10.0.0.11') =>
  judgeKey(parseKnownHosts(text, 'known_hosts'), {host: 'h1', knownAs: name, ...server});

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'known-hosts-'));
});
afterAll(() => rm(folder, {recursive: true}));

describe('names in known_hosts', () => {
  test('port 22 is left out, others are written with brackets', () => {
    expect(knownAs('Host.Example.org', 22)).toBe('host.example.org');
    expect(knownAs('10.0.0.11', 2222)).toBe('[10.0.0.11]:2222');
  });

  test.each([
    ['10.0.0.11', '10.0.0.11', true],
    ['10.0.0.1', '10.0.0.11', false],
    ['a.example.org,10.0.0.11', '10.0.0.11', true],
    ['10.0.0.*', '10.0.0.11', true],
    ['10.0.0.1?', '10.0.0.11', true],
    ['10.0.0.?', '10.0.0.11', false],
    ['10.0.0.*,!10.0.0.11', '10.0.0.11', false],
    ['!10.0.0.11,10.0.0.*', '10.0.0.12', true],
    ['!10.0.0.12', '10.0.0.11', false],
    ['[10.0.0.11]:2222', '[10.0.0.11]:2222', true],
    ['10.0.0.11', '[10.0.0.11]:2222', false],
    ['10x0.0.11', '10.0.0.11', false],
    ['*', 'anything', true],
  ])('%s means %s: %s', (field, name, expected) => {
    expect(namesMatch(field, name)).toBe(expected);
  });

  test('ssh-keygen finds the same lines, plain and hashed', async () => {
    const label = fc.stringMatching(/^[a-c]{1,3}$/);
    const pattern = fc.oneof(
      label,
      label.map(text => `${text}*`),
      label.map(text => `!${text}`),
      fc.constant('*.a'),
      fc.constant('?b'),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(pattern, {minLength: 1, maxLength: 3}), {minLength: 1, maxLength: 4}),
        label,
        async (fields, name) => {
          const file = join(folder, 'judged');
          await writeFile(file, fields.map(names => line(names.join(','))).join(''));
          const {stdout} = await execa('ssh-keygen', ['-F', name, '-f', file], {reject: false});
          const judged = [...stdout.matchAll(/found: line (\d+)/g)].map(([, number]) => `${file}, line ${number}`);
          const known = await readKnownHosts([file]);
          expect(known.ok && entriesFor(known.value, name).map(({place}) => place)).toEqual(judged);
        },
      ),
      {numRuns: 40},
    );
  });

  test('a file hashed by ssh-keygen is read', async () => {
    const file = join(folder, 'hashed');
    await writeFile(file, line('10.0.0.11') + line('[10.0.0.12]:2222', other));
    await execa('ssh-keygen', ['-H', '-f', file]);
    const known = await readKnownHosts([file]);
    if (!known.ok) throw new Error(known.error.message);
    expect(known.value.every(({names}) => names.startsWith('|1|'))).toBe(true);
    expect(entriesFor(known.value, '10.0.0.11').map(({key}) => key)).toEqual([mine.key]);
    expect(entriesFor(known.value, '[10.0.0.12]:2222').map(({key}) => key)).toEqual([other.key]);
    expect(entriesFor(known.value, '10.0.0.12')).toEqual([]);
  });

  test('comments, blank and broken lines mean nothing', () => {
    const text = `# note\n\n   \nnonsense\n10.0.0.11 ssh-ed25519\n@strange ${line('10.0.0.11')}  ${line('10.0.0.11').trim()} a comment\n`;
    expect(parseKnownHosts(text, 'f').map(({names, place}) => [names, place])).toEqual([['10.0.0.11', 'f, line 7']]);
  });
});

describe('a host key', () => {
  test('is known when a line for the server holds it', () => {
    expect(judge(line('10.0.0.11', other) + line('10.0.0.*'), mine).status).toBe('known');
  });

  test('is unknown when no line means the server', () => {
    expect(judge(line('10.0.0.12'), mine).status).toBe('unknown');
  });

  test('has changed when the server is known by another key, and both fingerprints are told', () => {
    const finding = judge(line('10.0.0.11', other), mine);
    expect(finding).toMatchObject({
      status: 'changed',
      expected: fingerprintOf(other.key),
      fingerprint: fingerprintOf(mine.key),
      note: 'The known key stands in known_hosts, line 1.',
    });
  });

  test('of a type that is not known for a known server counts as changed', () => {
    expect(judge(line('10.0.0.11', third), mine)).toMatchObject({
      status: 'changed',
      expected: fingerprintOf(third.key),
    });
  });

  test('that is revoked is refused even where another line holds it', () => {
    expect(judge(`${line('10.0.0.11')}@revoked ${line('*')}`, mine).status).toBe('revoked');
    expect(judge(`@revoked ${line('*')}`, other).status).toBe('unknown');
  });

  test('is not vouched for by a certificate authority, and the finding says so', () => {
    const finding = judge(`@cert-authority ${line('10.0.0.*')}`, mine);
    expect(finding.status).toBe('unknown');
    expect(finding.note).toContain('certificate authority');
  });

  test('has the fingerprint that ssh-keygen prints', async () => {
    const {stdout} = await execa('ssh-keygen', ['-lf', '-'], {input: `${mine.type} ${mine.key}\n`});
    expect(stdout).toContain(` ${fingerprintOf(mine.key)} `);
  });
});

describe('the order in which key types are asked for', () => {
  const known = parseKnownHosts(line('10.0.0.11', third) + line('10.0.0.12', {type: 'ssh-rsa', key: mine.key}), 'f');

  test('begins with the types that are known for the server', () => {
    expect(algorithmOrder(known, '10.0.0.11')[0]).toBe('ecdsa-sha2-nistp256');
    expect(algorithmOrder(known, '10.0.0.12').slice(0, 2)).toEqual(['rsa-sha2-512', 'rsa-sha2-256']);
    expect(algorithmOrder(known, '10.0.0.13')[0]).toBe('ssh-ed25519');
  });
});

describe('files of known hosts', () => {
  test('that do not exist hold nothing', async () => {
    expect(await readKnownHosts([join(folder, 'missing'), join(folder, 'no/such/place')])).toEqual({
      ok: true,
      value: [],
    });
  });

  test('that cannot be read trust nothing and are named', async () => {
    const unreadable = join(folder, 'a-directory');
    await mkdir(unreadable, {recursive: true});
    const known = await readKnownHosts([unreadable]);
    expect(known).toMatchObject({ok: false, error: {kind: 'input', message: expect.stringContaining(unreadable)}});
  });
});
