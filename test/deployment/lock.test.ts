import {once} from 'node:events';
import {existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {beforeEach, describe, expect, it} from 'vitest';
import {acquireLock, type LockOptions, type LockOwner} from '../../source/deployment/lock.ts';
import {stateOf, thisProcess} from '../../source/deployment/process-identity.ts';
import {startProgram} from '../support/programs.ts';

let path: string;

const owner = (user: string): LockOwner => ({
  user,
  host: 'jumpbox',
  pid: process.pid,
  since: '2026-11-21T08:30:00.000Z',
  command: 'groundwork install',
});

const acquire = async (user: string, options?: LockOptions) => {
  const result = await acquireLock(path, owner(user), options);
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
};

/** Changes what the lock says about its process, and how long ago it was written. */
const pretend = (process: Record<string, unknown>, secondsAgo: number) => {
  const content = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({...content, process: {...content.process, ...process}}));
  const time = Date.now() / 1000 - secondsAgo;
  utimesSync(path, time, time);
};

beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'groundwork-lock-'));
  path = join(folder, 'lock.json');
  return () => rmSync(folder, {recursive: true, force: true});
});

/** Holds the lock until it is killed or told to end. */
const holder = `
  import {acquireLock} from './source/deployment/lock.ts';
  const owner = {user: 'maria', host: 'jumpbox', pid: process.pid, since: '2026-11-21T08:30:00.000Z', command: 'groundwork install'};
  const result = await acquireLock(process.argv[1], owner, {beatMs: 50});
  console.log(result.ok ? 'held' : result.error.message);
  if (result.ok) result.value.lost.addEventListener('abort', () => console.log('lost'));
  process.stdin.once('data', async () => { await result.value.release(); process.exit(0); });
`;

describe('the lock of a deployment', () => {
  it('names its owner to whoever comes second, and is free again after its release', async () => {
    const lock = await acquire('maria');
    expect(await acquireLock(path, owner('john'))).toEqual({
      ok: false,
      error: {
        owner: owner('maria'),
        silentFor: expect.any(Number),
        message: expect.stringContaining(
          `maria on jumpbox works on this deployment: groundwork install, process ${process.pid}, since 2026-11-21T08:30:00.000Z`,
        ),
      },
    });
    await lock.release();
    expect(existsSync(path)).toBe(false);
    expect((await acquire('john')).isHeld()).toBe(true);
  });

  it('is a file for its owner only, and leaves nothing else behind', async () => {
    const lock = await acquire('maria');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(path, '..'))).toEqual(['lock.json']);
    await lock.release();
    expect(readdirSync(join(path, '..'))).toEqual([]);
  });

  it('goes to one of many who ask at the same moment', async () => {
    const results = await Promise.all(['a', 'b', 'c', 'd', 'e'].map(user => acquireLock(path, owner(user))));
    expect(results.filter(({ok}) => ok)).toHaveLength(1);
  });

  it('goes to one of many programs that ask at the same moment', async () => {
    const programs = Array.from({length: 4}, () => startProgram(holder, [path]));
    const lines = await Promise.all(programs.map(({line}) => line()));
    expect(lines.filter(line => line === 'held')).toHaveLength(1);
    expect(lines.filter(line => line?.startsWith('maria on jumpbox works'))).toHaveLength(3);
    await Promise.all(programs.map(({kill}) => kill('SIGKILL')));
  });
});

describe('an owner that died', () => {
  it('is found by its process, at once', async () => {
    const program = startProgram(holder, [path]);
    expect(await program.line()).toBe('held');
    expect((await acquireLock(path, owner('john'))).ok).toBe(false);
    await program.kill('SIGKILL');
    expect((await acquire('john')).isHeld()).toBe(true);
  });

  it('is told from a later process with the same number', async () => {
    await acquire('maria', {beatMs: 3_600_000});
    pretend({startedAt: '1'}, 0);
    expect((await acquire('john')).isHeld()).toBe(true);
  });

  it('on another machine is told by its silence only', async () => {
    await acquire('maria', {beatMs: 3_600_000});
    pretend({boot: 'another'}, 30);
    expect(await acquireLock(path, owner('john'))).toMatchObject({
      ok: false,
      error: {message: expect.stringMatching(/it has been silent for \d+ seconds$/)},
    });
    pretend({boot: 'another'}, 3600);
    expect((await acquire('john')).isHeld()).toBe(true);
  });

  it('behind a lock that cannot be read is told by its silence, too', async () => {
    writeFileSync(path, '{"half');
    expect(await acquireLock(path, owner('john'))).toMatchObject({
      ok: false,
      error: {owner: undefined, message: expect.stringMatching(/^somebody works on this deployment/)},
    });
    const time = Date.now() / 1000 - 3600;
    utimesSync(path, time, time);
    expect((await acquire('john')).isHeld()).toBe(true);
  });

  it('lives as long as it gives signs of life', async () => {
    const lock = await acquire('maria', {beatMs: 10});
    pretend({boot: 'another'}, 3600);
    await expect.poll(() => Date.now() - statSync(path).mtimeMs, {timeout: 15_000}).toBeLessThan(60_000);
    expect((await acquireLock(path, owner('john'))).ok).toBe(false);
    await lock.release();
  });
});

describe('taking over deliberately', () => {
  it('is noticed by the one who held it, who then leaves the new lock alone', async () => {
    const maria = await acquire('maria', {beatMs: 10});
    const lost = once(maria.lost, 'abort');
    const john = await acquire('john', {takeOver: true, beatMs: 10});
    expect(maria.isHeld()).toBe(false);
    await lost;
    await maria.release();
    expect(john.isHeld()).toBe(true);
    expect(JSON.parse(readFileSync(path, 'utf8')).owner.user).toBe('john');
    await john.release();
  });

  it('is noticed by another program', async () => {
    const program = startProgram(holder, [path]);
    expect(await program.line()).toBe('held');
    const john = await acquire('john', {takeOver: true});
    expect(await program.line()).toBe('lost');
    program.say('end');
    expect(await program.ended).toBe(0);
    expect(john.isHeld()).toBe(true);
  });

  it('takes what nobody holds as well', async () => {
    expect((await acquire('john', {takeOver: true})).isHeld()).toBe(true);
  });
});

describe('the state of a process', () => {
  it('is known for neighbours on this machine, and for nobody else', () => {
    const self = thisProcess();
    expect(stateOf(self)).toBe('alive');
    expect(stateOf({...self, pid: 2 ** 30})).toBe('dead');
    expect(stateOf({...self, startedAt: '1'})).toBe('dead');
    expect(stateOf({...self, boot: 'another'})).toBe('unknown');
    expect(stateOf({...self, pidNamespace: 'pid:[1]'})).toBe('unknown');
    expect(stateOf({...self, startedAt: undefined})).toBe('unknown');
  });
});
