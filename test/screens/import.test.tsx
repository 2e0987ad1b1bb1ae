import {afterEach, beforeEach, describe, expect, test, vi} from 'vitest';
import {key, openStage, type StageOptions} from '../support/frames.ts';
import {fixture, imported} from '../support/importing.ts';
import {madeUpServices, type Script} from '../support/services.ts';
import {answered} from '../support/walk.ts';

const {down, enter, up} = key;

beforeEach(() => {
  vi.spyOn(console, 'error').mockImplementation((...told) => {
    throw new Error(told.join(' '));
  });
});
afterEach(() => vi.restoreAllMocks());

const open = async (script: Script = {}, options: StageOptions = {}) => {
  const services = madeUpServices(script);
  const stage = openStage(services, options);
  await stage.waitFor('Import existing settings');
  // The row is after New installation, and after what is saved.
  await stage.press(...(script.saved ?? []).map(() => down), down, enter);
  await stage.waitFor('Files');
  const leave = async () => {
    await stage.press(key.ctrlC);
    await stage.ended;
  };
  return {services, stage, leave};
};

const production = imported(fixture('prod-config.yaml'), fixture('backup-config.yaml'));

describe('importing existing settings', () => {
  test('reads several files, says what becomes of them, and goes on where an answer is missing', async () => {
    const problems = [
      {path: 'channels[0].endpoint', message: 'is still empty', severity: 'error', file: 'good.yaml', line: 3},
      {path: 'environments[0].name', message: 'is still empty', severity: 'error'},
    ] as const;
    const {services, stage, leave} = await open({imported: {problems, notes: ['something is assumed']}});
    await stage.press(`good.yaml, my good.yaml${enter}`, enter);
    await stage.waitFor('What was read');
    expect(services.asked).toContain('import good.yaml and my good.yaml');
    expect(stage.text()).toContain('good.yaml:3  channels[0].endpoint: is still empty');
    expect(stage.text()).toContain('something is assumed');
    expect(stage.text()).toContain('Enter goes on at: Channels.');
    expect(services.stored()).toEqual([]);
    await stage.press(enter);
    await stage.waitFor('Channels');
    expect(services.stored()).toMatchObject([
      {deployment: {name: 'from-file', domain: 'site.test'}, route: 'channels'},
    ]);
    await leave();
  });

  test.each([
    ['at 80x24', {}],
    ['at 60x16, the smallest', {columns: 60, rows: 16}],
    ['at 120x40', {columns: 120, rows: 40}],
  ] as const)('shows a report that is longer than the terminal %s', async (_, options) => {
    const {stage, leave} = await open({imported: production}, options);
    await stage.press(`good.yaml${enter}`, enter);
    await stage.waitFor('What was read');
    expect(stage.text()).toContain('To be looked at');
    expect(stage.text()).toMatch(/lines 1 to \d+ of \d+/);
    const first = stage.text();
    await stage.press(down, down, up, up);
    expect(stage.text()).toBe(first);
    await stage.press(key.end);
    await stage.waitFor('settings of OpenG2P’s');
    const [, last, all] = /lines \d+ to (\d+) of (\d+)/.exec(stage.text()) ?? [];
    expect(last).toBe(all);
    await stage.press(key.home);
    expect(stage.text()).toBe(first);
    expect(stage.broken()).toBe(0);
    expect(stage.scrolled()).toBe(0);
    await leave();
  });

  test('takes a name that is free', async () => {
    const {services, stage, leave} = await open({
      saved: [answered()],
      imported: {deployment: {...production.deployment, name: 'sandbox'}},
    });
    await stage.press(`good.yaml${enter}`, enter);
    await stage.waitFor('sandbox-2 is not kept before you go on');
    await stage.press(enter);
    await stage.waitFor('Review');
    expect(services.stored().map(({deployment}) => deployment.name)).toEqual(['sandbox', 'sandbox-2']);
    await leave();
  });

  test('says what is wrong with a file, and keeps what was typed', async () => {
    const {services, stage, leave} = await open();
    await stage.press(enter, enter);
    expect(stage.text()).toContain('name a file first');
    await stage.press(up, `bad.yaml${enter}`, enter);
    await stage.waitFor('bad.yaml:3: domain must be');
    expect(stage.text()).toContain('bad.yaml');
    await stage.press(key.escape);
    await stage.waitFor('New installation');
    expect(services.stored()).toEqual([]);
    await leave();
  });

  test('Back from the report leads to the files that were named', async () => {
    const {services, stage, leave} = await open();
    await stage.press(`good.yaml${enter}`, enter);
    await stage.waitFor('What was read');
    await stage.press(key.escape);
    await stage.waitFor('good.yaml');
    expect(stage.text()).toContain('Import existing settings');
    expect(services.stored()).toEqual([]);
    await leave();
  });
});
