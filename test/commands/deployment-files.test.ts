import {existsSync, mkdirSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import type {World} from '../../source/commands/command.ts';
import {servicesOf} from '../../source/commands/services.ts';
import {openSite} from '../../source/commands/site.ts';
import {answered} from '../support/walk.ts';

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'files-'));
});

afterEach(() => rmSync(home, {recursive: true, force: true}));

const opened = () => {
  const site = openSite({environment: {GROUNDWORK_HOME: home}, home} as unknown as World);
  if (!site.ok) throw new Error(site.error.message);
  const services = servicesOf(site.value);
  services.save(answered());
  return {services, folder: (name: string) => site.value.paths.deployment(name).folder};
};

describe('what lies on this side for a deployment', () => {
  it('keeps a secret that was typed, which is then known by its name', async () => {
    const {services} = opened();
    expect(await services.secretNames('sandbox')).toEqual([]);
    expect(await services.keepSecret('sandbox', 'alerts-smtp-password', 'from-the-mail-team')).toEqual({
      ok: true,
      value: undefined,
    });
    expect(await services.secretNames('sandbox')).toEqual(['alerts-smtp-password']);
  });

  it('goes with it to another name, secrets included', async () => {
    const {services, folder} = opened();
    await services.keepSecret('sandbox', 'alerts-smtp-password', 'from-the-mail-team');
    expect(services.rename('sandbox', 'site-1').ok).toBe(true);
    expect(existsSync(folder('sandbox'))).toBe(false);
    expect(await services.secretNames('site-1')).toEqual(['alerts-smtp-password']);
  });

  it('is not mixed with what lies under the other name', async () => {
    const {services, folder} = opened();
    await services.keepSecret('sandbox', 'alerts-smtp-password', 'from-the-mail-team');
    mkdirSync(folder('site-1'));
    const renamed = services.rename('sandbox', 'site-1');
    expect(!renamed.ok && renamed.error).toContain('files of an earlier one');
    expect(services.deployments()).toHaveLength(1);
  });

  it('is gone when the deployment was deleted', async () => {
    const {services, folder} = opened();
    await services.keepSecret('sandbox', 'alerts-smtp-password', 'from-the-mail-team');
    services.remove('sandbox');
    expect(services.deployments()).toEqual([]);
    expect(existsSync(folder('sandbox'))).toBe(false);
  });
});
