import {describe, expect, test, vi} from 'vitest';
import type {Services} from '../../source/app/services.ts';
import {openg2p} from '../../source/blueprints/openg2p.ts';
import {problemsOf} from '../../source/deployment/validate.ts';
import {key, openStage, type Stage} from '../support/frames.ts';
import {type MadeUp, madeUpServices} from '../support/services.ts';
import {answered} from '../support/walk.ts';

const {down, enter, left, right, up} = key;

const open = async (topology: 'sandbox' | 'production-minimum', rows = 30) => {
  const deployment = {...openg2p.defaults('prod', topology), name: 'sandbox'};
  const madeUp = madeUpServices({saved: [{...answered({route: 'components'}), deployment}]});
  const services: MadeUp & Services = {
    ...madeUp,
    blueprints: [openg2p],
    problems: current => problemsOf(current, [openg2p]),
  };
  const stage = openStage(services, {app: {deployment: 'sandbox'}, rows});
  await stage.waitFor('What is installed');
  const backup = () => services.stored()[0]?.deployment.components.backup;
  return {stage, services, backup};
};

const focused = (stage: Stage): string => stage.lines().find(line => /^ *▸/.test(line)) ?? '';

/** Moves the focus down to the row with this label; each step is awaited, so that a slow machine passes none over. */
const to = async (stage: Stage, label: string): Promise<void> => {
  const wanted = new RegExp(`^ *▸ +${label}( |$)`);
  for (;;) {
    const before = focused(stage);
    if (wanted.test(before)) return;
    await stage.press(down);
    await vi.waitFor(() => expect(focused(stage), `on the way to ${label}`).not.toBe(before));
  }
};

const opened = async (rows = 24) => {
  const opening = await open('production-minimum', rows);
  await to(opening.stage, 'Backups');
  await opening.stage.press(enter);
  await opening.stage.waitFor('Folder of the copies');
  return opening;
};

const leave = async (stage: Stage): Promise<void> => {
  await stage.press(key.ctrlC);
  await stage.ended;
};

describe('backups', () => {
  test('are asked for only where there is a machine that keeps them', async () => {
    const {stage} = await open('sandbox');
    expect(stage.text()).toContain('Ground settings');
    expect(stage.text()).not.toContain('Backups');
    await leave(stage);
  });

  test('show what is usual, go off, and come back as they were', async () => {
    const {stage, backup} = await opened();
    expect(stage.text()).toMatch(/Full +Sun \*-\*-\* 02:00/);
    await stage.press(down);
    await stage.press(key.ctrlU, '/copies/here');
    await vi.waitFor(() => expect(backup()?.path).toBe('/copies/here'));
    await stage.press(up, right);
    await vi.waitFor(() => expect(backup()).toBeUndefined());
    expect(stage.text()).not.toContain('Folder of the copies');
    await stage.press(left);
    await vi.waitFor(() => expect(backup()?.path).toBe('/copies/here'));
    await leave(stage);
  });

  test('take times as they are typed, blanks included, and say what is no time', async () => {
    const {stage, backup} = await opened();
    await to(stage, 'Full');
    await stage.press(key.ctrlU, ...'Mon 01:'.split(''));
    await vi.waitFor(() => expect(backup()?.schedules.postgresqlFull).toBe('Mon 01:'));
    await stage.waitFor('must be a time of systemd');
    await stage.press('30');
    await vi.waitFor(() => expect(backup()?.schedules.postgresqlFull).toBe('Mon 01:30'));
    expect(stage.text()).not.toContain('must be a time of systemd');
    await leave(stage);
  });

  test('leave out a group with its times, and keep as many as is said', async () => {
    const {stage, backup} = await opened();
    await to(stage, 'Volumes on the share');
    await stage.press(right);
    await vi.waitFor(() => expect(backup()?.groups).toEqual(['postgresql', 'etcd', 'rancher', 'configurations']));
    expect(stage.text()).not.toContain('03:30');
    await to(stage, 'Files, of days');
    await stage.press(key.ctrlU, '0');
    await stage.waitFor(/! .*1/);
    await stage.press(key.ctrlU, '30');
    await vi.waitFor(() => expect(backup()?.retention.daily).toBe(30));
    await leave(stage);
  });

  test('go to another site, whose secret goes into the vault alone', async () => {
    const {stage, services, backup} = await opened();
    await to(stage, 'At another site');
    await stage.press(right, `${down}https://s3.other.example`, `${down}copies`);
    await to(stage, 'Access key');
    await stage.press('GK123', `${down}s3cret-of-mine`);
    await stage.waitFor('**************');
    await stage.press(down);
    await vi.waitFor(() => expect(services.asked).toContain('keep backup-offsite-secret-key'));
    const bucket = {kind: 's3', endpoint: 'https://s3.other.example', bucket: 'copies', keyId: 'GK123', prune: true};
    expect(backup()?.offsite).toEqual(bucket);
    expect(JSON.stringify(services.stored())).not.toContain('s3cret');
    await stage.press(up.repeat(6), right);
    await to(stage, 'Its host key');
    await stage.press(...'ssh-ed25519 AAAA'.split(''));
    await vi.waitFor(() => expect(backup()?.offsite).toMatchObject({kind: 'sftp', hostKey: 'ssh-ed25519 AAAA'}));
    await stage.press(up.repeat(5), left);
    await vi.waitFor(() => expect(backup()?.offsite).toEqual(bucket));
    await stage.press(key.escape);
    await stage.waitFor('/etc; other site too');
    await leave(stage);
    expect(stage.bytes()).not.toContain('s3cret');
  });
});
