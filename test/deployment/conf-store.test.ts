import {chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {beforeEach, describe, expect, it} from 'vitest';
import {openStore} from '../../source/deployment/conf-store.ts';
import type {SavedDeployment, Store} from '../../source/deployment/store.ts';
import {finished} from '../support/deployments.ts';
import {startProgram} from '../support/programs.ts';

let directory: string;
const now = () => new Date('2026-11-21T08:30:00Z');
const file = () => join(directory, 'config.json');

const open = (): Store => {
  const store = openStore({directory, now});
  if (!store.ok) throw new Error(store.error);
  return store.value;
};

const saved = (name: string, more: Partial<SavedDeployment> = {}): SavedDeployment => ({
  deployment: finished(draft => {
    draft.name = name;
  }),
  updatedAt: '2026-11-21T08:00:00.000Z',
  practice: false,
  ...more,
});

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
const names = (store: Store) => store.list().map(({deployment}) => deployment.name);
/** Changes the file as a mishap would. */
const damage = (change: (content: {deployments: Record<string, Record<string, unknown>>}) => void) => {
  const content = JSON.parse(readFileSync(file(), 'utf8'));
  change(content);
  writeFileSync(file(), JSON.stringify(content));
};

beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'groundwork-store-'));
  directory = join(folder, 'config', 'groundwork');
  return () => rmSync(folder, {recursive: true, force: true});
});

describe('the store', () => {
  it('begins empty, with preferences at their defaults, and makes nothing but its folder', () => {
    const store = open();
    expect(store.list()).toEqual([]);
    expect(store.get('pilot')).toBeUndefined();
    expect(store.preferences()).toEqual({glyphs: 'auto', colour: 'auto'});
    expect(store.notice).toBeUndefined();
    expect(readdirSync(directory)).toEqual([]);
    expect(modeOf(directory)).toBe('700');
  });

  it('gives back what was saved, also to the next program, in a file for its owner only', () => {
    const pilot = saved('pilot', {
      route: 'hosts',
      lastRun: {run: 'r1', outcome: 'failed', at: '2026-11-21T08:01:00.000Z', failedStep: 'nginx'},
    });
    expect(open().save(pilot)).toEqual({ok: true, value: undefined});
    expect(open().get('pilot')).toEqual(pilot);
    expect(modeOf(file())).toBe('600');
  });

  it('lists the newest first, and forgets what is removed', () => {
    const store = open();
    store.save(saved('old', {updatedAt: '2026-11-01T00:00:00.000Z'}));
    store.save(saved('new', {updatedAt: '2026-11-03T00:00:00.000Z'}));
    store.save(saved('middle', {updatedAt: '2026-11-02T00:00:00.000Z'}));
    expect(names(store)).toEqual(['new', 'middle', 'old']);
    store.remove('middle');
    expect(names(store)).toEqual(['new', 'old']);
  });

  it('keeps preferences beside the deployments', () => {
    const store = open();
    store.setPreferences({glyphs: 'ascii', colour: 'never'});
    store.save(saved('pilot'));
    expect(open().preferences()).toEqual({glyphs: 'ascii', colour: 'never'});
    expect(names(open())).toEqual(['pilot']);
  });

  it('keeps a draft as it was left, with empty and wrong fields', () => {
    const draft = saved('', {
      deployment: finished(inside => {
        inside.name = '';
        inside.domain = 'openg2p';
        inside.hosts = [];
      }),
    });
    open().save(draft);
    expect(open().get('')).toEqual(draft);
  });

  it.each(['constructor', 'a.b', 'toString'])('takes "%s" for a name like any other', name => {
    expect(open().get(name)).toBeUndefined();
    open().save(saved(name));
    expect(open().get(name)).toEqual(saved(name));
    open().remove(name);
    expect(names(open())).toEqual([]);
  });

  it('makes a file that others could read private when it writes', () => {
    open().save(saved('pilot'));
    chmodSync(file(), 0o644);
    open().save(saved('pilot'));
    expect(modeOf(file())).toBe('600');
  });
});

describe('a damaged file', () => {
  it.each([
    ['cut in the middle', (text: string) => text.slice(0, text.length / 2)],
    ['empty', () => ''],
    ['not JSON', () => '\0\0\0\0'],
    ['a list', () => '[]'],
    ['with a list of deployments that is none', () => '{"deployments": 7}'],
  ])('%s is kept under another name, and said', (_, change) => {
    open().save(saved('pilot'));
    const damaged = change(readFileSync(file(), 'utf8'));
    writeFileSync(file(), damaged);
    const store = open();
    const copy = `${file()}.damaged-20261121T083000Z`;
    expect(store.notice).toBe(
      `The settings file was damaged. It is kept as ${copy}; the list of deployments begins empty.`,
    );
    expect(readFileSync(copy, 'utf8')).toBe(damaged);
    expect(store.list()).toEqual([]);
    expect(store.save(saved('next')).ok).toBe(true);
    expect(names(open())).toEqual(['next']);
    expect(open().notice).toBeUndefined();
  });

  it('is noticed while the program runs, too, and never takes an older copy with it', () => {
    const store = open();
    writeFileSync(file(), 'first');
    store.save(saved('one'));
    writeFileSync(file(), 'second');
    store.save(saved('two'));
    expect(names(store)).toEqual(['two']);
    const copies = readdirSync(directory).filter(name => name.includes('.damaged-'));
    expect(copies.map(name => readFileSync(join(directory, name), 'utf8')).toSorted()).toEqual(['first', 'second']);
  });
});

describe('a damaged entry', () => {
  beforeEach(() => {
    const store = open();
    store.save(saved('whole'));
    store.save(saved('broken'));
    damage(content => {
      content.deployments.broken = {...content.deployments.broken, deployment: {version: 99, name: 'broken'}};
    });
  });

  it('is left out and said, while the others are listed', () => {
    const store = open();
    expect(names(store)).toEqual(['whole']);
    expect(store.get('broken')).toBeUndefined();
    expect(store.notice).toMatch(/"broken" cannot be read and is left as it is: version 99 was written by a newer/);
  });

  it('stays in the file when others are saved', () => {
    open().save(saved('third'));
    expect(JSON.parse(readFileSync(file(), 'utf8')).deployments.broken.deployment).toEqual({
      version: 99,
      name: 'broken',
    });
  });

  it.each([
    ['replaced', (store: Store) => store.save(saved('broken'))],
    ['removed', (store: Store) => store.remove('broken')],
  ])('is copied aside before it is %s', (_, change) => {
    const store = open();
    change(store);
    const [copy = ''] = readdirSync(directory).filter(name => name.startsWith('deployment-'));
    expect(JSON.parse(readFileSync(join(directory, copy), 'utf8'))).toMatchObject({
      name: 'broken',
      entry: {deployment: {version: 99}},
    });
    expect(modeOf(join(directory, copy))).toBe('600');
    expect(store.notice).toContain(copy);
  });

  it('does not cost the document when only what lies beside it is damaged', () => {
    damage(content => {
      content.deployments.whole = {...content.deployments.whole, route: 7, lastRun: 'x', practice: null};
    });
    expect(open().get('whole')).toEqual(saved('whole'));
  });
});

describe('a file that cannot be used', () => {
  it('of a newer program is left alone', () => {
    open().save(saved('pilot'));
    damage(content => Object.assign(content, {format: 2}));
    const before = readFileSync(file(), 'utf8');
    expect(openStore({directory, now})).toEqual({ok: false, error: expect.stringMatching(/newer Groundwork/)});
    expect(readFileSync(file(), 'utf8')).toBe(before);
  });

  it('in a folder that is none is an error in words', () => {
    writeFileSync(join(directory, '..', '..', 'plain'), '');
    const result = openStore({directory: join(directory, '..', '..', 'plain', 'config'), now});
    expect(result).toEqual({ok: false, error: expect.stringMatching(/cannot be read/)});
  });

  it('all of a sudden does not end the program: it shows what it knows, and saving says why it failed', () => {
    const store = open();
    store.save(saved('pilot'));
    expect(names(store)).toEqual(['pilot']);
    rmSync(file());
    mkdirSync(file());
    expect(names(store)).toEqual(['pilot']);
    expect(store.save(saved('next'))).toEqual({ok: false, error: expect.stringMatching(/cannot be written: .*EISDIR/)});
  });
});

describe('two programs at once', () => {
  const writer = `
    import {openStore} from './source/deployment/conf-store.ts';
    const [directory, prefix, template] = process.argv.slice(1);
    const store = openStore({directory, now: () => new Date()}).value;
    const saved = JSON.parse(template);
    console.log('ready');
    process.stdin.once('data', () => {
      for (let number = 0; number < 25; number++) {
        const name = prefix + number;
        const result = store.save({...saved, deployment: {...saved.deployment, name}});
        if (!result.ok) throw new Error(result.error);
      }
      process.exit(0);
    });
  `;

  it('lose none of each other’s deployments', async () => {
    open();
    const programs = ['a', 'b', 'c'].map(prefix =>
      startProgram(writer, [directory, prefix, JSON.stringify(saved('template'))]),
    );
    expect(await Promise.all(programs.map(({line}) => line()))).toEqual(['ready', 'ready', 'ready']);
    for (const program of programs) program.say('go');
    expect(await Promise.all(programs.map(({ended}) => ended))).toEqual([0, 0, 0]);
    expect(open().list()).toHaveLength(75);
    expect(readdirSync(directory)).toEqual(['config.json']);
  });
});
