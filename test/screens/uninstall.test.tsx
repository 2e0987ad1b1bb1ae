import {describe, expect, test} from 'vitest';
import type {SavedDeployment} from '../../source/deployment/store.ts';
import type {Purge} from '../../source/engine/removal.ts';
import type {HostRemoval} from '../../source/reporters/removal.ts';
import {key, openStage, type Stage} from '../support/frames.ts';
import {type MadeUp, madeUpServices} from '../support/services.ts';
import {answered} from '../support/walk.ts';

const {down, enter, right, up} = key;

const installed = (): SavedDeployment => {
  const saved = answered({lastRun: {run: 'run-1', outcome: 'succeeded', at: '2026-11-20T10:00:00.000Z'}});
  return {
    ...saved,
    deployment: {...saved.deployment, environments: [{name: 'qa', modules: [], hostnames: {}, members: []}]},
  };
};

const found = ({data}: Purge): readonly HostRemoval[] => {
  const volumes = {summary: 'erase volumes of the cluster in /srv/nfs/sandbox (12.3 GB)', loses: true as const};
  return [
    {
      host: 'sandbox-1',
      goes: [
        {title: 'nginx reverse proxy', changes: [{summary: 'remove /etc/nginx/conf.d/groundwork.conf'}]},
        ...(data ? [{title: 'NFS server', changes: [volumes]}] : []),
      ],
      loses: data ? [volumes] : [],
      stays: [
        ...(data
          ? []
          : [
              {
                kind: 'data' as const,
                what: 'volumes of the cluster in /srv/nfs/sandbox',
                why: 'data is kept unless it is purged',
                bytes: 12_300_000_000,
              },
            ]),
        {kind: 'packages', what: 'nginx ufw', why: 'other programs may need them by now'},
      ],
      unread: [],
    },
  ];
};

const open = async (removal = found): Promise<{stage: Stage; services: MadeUp}> => {
  const services = madeUpServices({saved: [installed()], removal});
  const stage = openStage(services);
  await stage.waitFor('installed on 2026-11-20');
  await stage.press(up.repeat(9), enter);
  await stage.waitFor('How to get in');
  await stage.press(up, up, enter);
  await stage.waitFor('Show what goes');
  return {stage, services};
};

const leave = async (stage: Stage): Promise<void> => {
  await stage.press(key.ctrlC);
  await stage.ended;
};

describe('the removal', () => {
  test('shows what goes and what stays, and begins when the name was typed', async () => {
    const {stage, services} = await open();
    expect(stage.text()).toMatch(/Remove +. environment qa ./);
    await stage.press(right);
    await stage.waitFor('everything on the hosts');
    await stage.press(down.repeat(3), enter);
    await stage.waitFor('What is removed from sandbox');
    expect(stage.text()).toContain('remove /etc/nginx/conf.d/groundwork.conf');
    expect(stage.text()).toContain('volumes of the cluster in /srv/nfs/sandbox (12.3 GB): data is kept');
    expect(stage.text()).toContain('packages nginx, ufw: other programs may need them');
    expect(stage.lines().length).toBeLessThanOrEqual(24);
    await stage.press(enter);
    await stage.waitFor('Type "sandbox"');
    await stage.press(enter, enter, `other${enter}`, enter);
    expect(services.asked).not.toContain('uninstall hosts');
    await stage.press(key.backspace.repeat(5), `sandbox${enter}`, enter);
    await stage.waitFor('Removed everything on the hosts of sandbox');
    expect(services.asked).toContain('uninstall hosts');
    expect(stage.text()).toContain('On this side everything stays');
    expect(stage.text()).not.toContain('Addresses and first login');
    await leave(stage);
    expect(services.stored()[0]?.lastRun?.removes).toBe('everything on the hosts');
  });

  test('says what is lost, and Back changes nothing', async () => {
    const {stage, services} = await open();
    await stage.press(right, down, right);
    await stage.waitFor(/Data +. erase ./);
    await stage.press(down.repeat(3), enter);
    await stage.waitFor('Lost for good with it');
    expect(stage.text()).toContain('erase volumes of the cluster in /srv/nfs/sandbox (12.3 GB)');
    await stage.press(enter);
    await stage.waitFor('one thing of it is lost for good');
    await stage.press(key.escape);
    await stage.waitFor('What is removed from sandbox');
    await stage.press(key.escape);
    await stage.waitFor(/Data +erase/);
    await stage.press(key.escape);
    await stage.waitFor('How to get in');
    await leave(stage);
    expect(services.asked.some(asked => asked.startsWith('uninstall'))).toBe(false);
  });

  test('takes an environment out of the answers when it is gone', async () => {
    const {stage, services} = await open();
    await stage.press(down.repeat(3), enter);
    await stage.waitFor('What is removed from sandbox');
    await stage.press(enter);
    await stage.waitFor('Type "qa"');
    await stage.press(`qa${enter}`, enter);
    await stage.waitFor('Removed environment qa of sandbox');
    await leave(stage);
    expect(services.asked).toContain('uninstall environment');
    expect(services.stored()[0]?.deployment.environments).toEqual([]);
  });

  test('does not go on where something cannot be read, nor where nothing is', async () => {
    const unread = await open(() => [
      {host: 'sandbox-1', goes: [], loses: [], stays: [], unread: ['the ground of "other" is on this host']},
    ]);
    await unread.stage.press(right, down.repeat(3), enter);
    await unread.stage.waitFor('the ground of "other" is on this host');
    await unread.stage.press(enter);
    expect(unread.stage.text()).toContain('What cannot be read is not decided about');
    await leave(unread.stage);
    const nothing = await open(() => [{host: 'sandbox-1', goes: [], loses: [], stays: [], unread: []}]);
    await nothing.stage.press(right, down.repeat(3), enter);
    await nothing.stage.waitFor('There is nothing to remove.');
    await nothing.stage.press(enter);
    expect(nothing.stage.text()).toContain('There is nothing to remove.');
    await leave(nothing.stage);
  });
});
