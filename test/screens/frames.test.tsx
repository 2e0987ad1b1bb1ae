import {afterEach, beforeEach, describe, expect, test, vi} from 'vitest';
import {practiceNotice} from '../../source/components/frame.tsx';
import {key, openStage, type Stage, type StageOptions} from '../support/frames.ts';
import {madeUpServices, type Script, smallMemory} from '../support/services.ts';
import {answered, walkThrough} from '../support/walk.ts';

const script: Script = {
  checks: [smallMemory],
  failing: {step: 'wireguard', times: 1, skipCosts: 'Nobody reaches the services from outside.'},
};

beforeEach(() => {
  // React tells its own troubles (keys that are not unique, updates that loop) in this way only.
  vi.spyOn(console, 'error').mockImplementation((...told) => {
    throw new Error(told.join(' '));
  });
});

afterEach(() => vi.restoreAllMocks());

const leave = async (stage: Stage): Promise<void> => {
  await stage.press(key.ctrlC);
  await stage.ended;
};

/** What holds for every screen at every size. */
const expectCalm = (stage: Stage, screen: string): void => {
  expect(stage.broken(), `${screen}: a line is wider than the terminal`).toBe(0);
  expect(stage.scrolled(), `${screen}: a frame is taller than the terminal`).toBe(0);
  expect(stage.lines().at(-1), `${screen}: the last line must stay free`).toBe('');
};

describe('every screen', () => {
  test('looks as it should at 80x24', async () => {
    const stage = openStage(madeUpServices({...script, now: () => Date.parse('2026-11-21T10:00:00.000Z')}));
    const frames: [string, string][] = [];
    await walkThrough(stage, screen => {
      expectCalm(stage, screen);
      frames.push([screen, stage.text()]);
    });
    await leave(stage);
    for (const [screen, text] of frames) {
      await expect(`${text}\n`).toMatchFileSnapshot(`../../fixtures/frames/${screen}.txt`);
    }
  }, 60_000);

  const settings: [string, StageOptions, Script][] = [
    ['at 100x30', {columns: 100, rows: 30}, {}],
    ['at 200x60', {columns: 200, rows: 60}, {}],
    ['at 60x16, the smallest', {columns: 60, rows: 16}, {practice: true}],
    ['at 0x0, as serial consoles report it', {columns: 0, rows: 0}, {}],
  ];
  test.each(settings)(
    'fits the terminal %s',
    async (_, options, more) => {
      const stage = openStage(madeUpServices({...script, ...more}), options);
      await walkThrough(stage, screen => expectCalm(stage, screen));
      expect(stage.bytes()).not.toContain('\u001b[3J');
      expect(stage.bytes()).not.toContain('\u001b[?1049h');
      await leave(stage);
    },
    60_000,
  );

  const plainTerminals: [string, StageOptions][] = [
    ['with --ascii', {app: {ascii: true}}],
    ['on the Linux console', {environment: {TERM: 'linux'}}],
    ['in a locale without UTF-8', {environment: {LANG: 'C'}}],
  ];
  test.each(plainTerminals)('is drawn in ASCII %s', async (_, options) => {
    const stage = openStage(madeUpServices({...script, saved: [answered()]}), options);
    await stage.waitFor('New installation');
    expect(stage.text()).toMatch(/^[ -~\n]+$/);
    await leave(stage);
  });

  test('says on practice hosts that they are', async () => {
    const stage = openStage(madeUpServices({...script, practice: true}));
    await walkThrough(stage, screen => expect(stage.text(), screen).toContain(practiceNotice));
    await leave(stage);
  }, 60_000);
});

describe('a terminal that changes its size', () => {
  test('gets the screen anew, without remains of the old one', async () => {
    const stage = openStage(madeUpServices({saved: [answered()]}), {app: {deployment: 'sandbox'}});
    await stage.waitFor('13 changes');
    for (const [columns, rows] of [
      [120, 40],
      [70, 18],
      [100, 30],
      [61, 50],
      [80, 24],
    ] as const) {
      stage.resize(columns, rows);
      await vi.waitFor(() => {
        const lines = stage.lines();
        expect(lines[0]).toMatch(/^ Groundwork/);
        expect(lines[1]).toBe('─'.repeat(columns));
        expect(lines[rows - 2]).toMatch(/Enter next/);
        expect(lines.filter(line => line.includes('Groundwork'))).toHaveLength(1);
      });
    }
    expect(stage.bytes()).not.toContain('\u001b[3J');
    await leave(stage);
  });

  test('may do so in the middle of a run', async () => {
    const services = madeUpServices({saved: [answered()], pace: 25, logLines: 40});
    const stage = openStage(services, {app: {deployment: 'sandbox'}});
    await stage.waitFor('13 changes');
    await stage.press(key.down.repeat(3), key.enter, `install${key.enter}${key.enter}`);
    for (const [columns, rows] of [
      [150, 40],
      [60, 16],
      [30, 8],
      [80, 24],
    ] as const) {
      stage.resize(columns, rows);
      await new Promise(resolve => setTimeout(resolve, 60));
    }
    await stage.waitFor('is installed');
    expect(stage.lines()[1]).toBe('─'.repeat(80));
    expect(stage.bytes()).not.toContain('\u001b[3J');
    await leave(stage);
  });

  test('says so when it is too small, and no key chooses what cannot be seen', async () => {
    const services = madeUpServices();
    const stage = openStage(services, {columns: 59, rows: 24});
    await stage.waitFor('too small: 59x24');
    await stage.press(key.enter, key.down, key.enter, key.escape);
    stage.resize(80, 24);
    await stage.waitFor('New installation');
    expect(services.stored()).toEqual([]);
    stage.resize(80, 12);
    await stage.waitFor('too small: 80x12');
    await leave(stage);
    expect((await stage.ended).code).toBe(0);
  });
});
