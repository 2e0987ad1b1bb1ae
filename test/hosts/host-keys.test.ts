import {mkdtemp, readFile, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, expect, test} from 'vitest';
import type {HostKeyFinding} from '../../source/hosts/host-key.ts';
import {trust} from '../../source/hosts/host-keys.ts';

const finding = (over: Partial<HostKeyFinding> = {}): HostKeyFinding => ({
  host: 'h1',
  knownAs: '10.0.0.11',
  type: 'ssh-ed25519',
  key: 'AAAAC3NzaC1lZDI1NTE5AAAAIOA5SMA3aR4tubd5XARhxl8ipoWY9fPZkvoI0zx6hIim',
  fingerprint: 'SHA256:06qYrwYs3+kxPcDjD8INbFYGF64G+W8IIQkUcRTatR8',
  status: 'unknown',
  ...over,
});

let folder = '';
let file = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trust-'));
  file = join(folder, 'groundwork/known_hosts');
});
afterEach(() => rm(folder, {recursive: true}));

test('accepted keys are appended to a file that only its owner reads', async () => {
  expect(await trust([finding()], file)).toMatchObject({ok: true});
  expect(await trust([finding({knownAs: '[10.0.0.12]:2222'})], file)).toMatchObject({ok: true});
  expect((await readFile(file, 'utf8')).split('\n').map(line => line.split(' ').slice(0, 2))).toEqual([
    ['10.0.0.11', 'ssh-ed25519'],
    ['[10.0.0.12]:2222', 'ssh-ed25519'],
    [''],
  ]);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test('what is already there stays as it is, and is not written twice', async () => {
  await trust([finding()], file);
  await writeFile(file, `# mine\n${(await readFile(file, 'utf8')).trimEnd()}`);
  await trust([finding(), finding({knownAs: 'h2'}), finding({knownAs: 'h2'})], file);
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  expect(lines.map(line => line.split(' ')[0])).toEqual(['#', '10.0.0.11', 'h2']);
});

test('many at once lose nothing', async () => {
  const names = Array.from({length: 5}, (_, index) => `10.0.0.${index}`);
  await Promise.all(names.map(knownAs => trust([finding({knownAs})], file)));
  const written = (await readFile(file, 'utf8'))
    .trimEnd()
    .split('\n')
    .map(line => line.split(' ')[0]);
  expect(written.sort()).toEqual(names.sort());
});

test.each(['changed', 'revoked'] as const)('a %s key is never accepted, nor what comes with it', async status => {
  const result = await trust([finding({knownAs: 'h2'}), finding({status})], file);
  expect(result).toMatchObject({ok: false, error: {kind: 'host-key-changed', host: 'h1'}});
  await expect(readFile(file)).rejects.toThrow();
});

test('a place that cannot be written is named', async () => {
  await writeFile(join(folder, 'groundwork'), 'a file where the folder should be');
  expect(await trust([finding()], file)).toMatchObject({
    ok: false,
    error: {kind: 'input', message: expect.stringContaining(file)},
  });
});
