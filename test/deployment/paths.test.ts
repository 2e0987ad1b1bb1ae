import {mkdtempSync, readdirSync, rmSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import {describe, expect, it, onTestFinished} from 'vitest';
import {makeDeploymentFolders, makeFolders, pathsFor} from '../../source/deployment/paths.ts';

describe('where things lie', () => {
  it.each([
    ['by default', {}, '/home/op/.config/groundwork', '/home/op/.local/state/groundwork'],
    ['where XDG says', {XDG_CONFIG_HOME: '/c', XDG_STATE_HOME: '/s'}, '/c/groundwork', '/s/groundwork'],
    [
      'not where XDG says nonsense',
      {XDG_CONFIG_HOME: 'c', XDG_STATE_HOME: ''},
      '/home/op/.config/groundwork',
      '/home/op/.local/state/groundwork',
    ],
    ['in one folder, if one is named', {GROUNDWORK_HOME: '/g', XDG_CONFIG_HOME: '/c'}, '/g', '/g/state'],
    ['in one folder named from here', {GROUNDWORK_HOME: 'g'}, resolve('g'), resolve('g/state')],
    [
      'by default when that is empty',
      {GROUNDWORK_HOME: ''},
      '/home/op/.config/groundwork',
      '/home/op/.local/state/groundwork',
    ],
  ])('%s', (_, variables, config, state) => {
    expect(pathsFor(variables, '/home/op')).toMatchObject({config, state, knownHosts: join(config, 'known_hosts')});
  });

  it('is one folder for all of a deployment', () => {
    const paths = pathsFor({GROUNDWORK_HOME: '/g'}, '/home/op').deployment('pilot');
    expect(paths).toMatchObject({
      folder: '/g/state/pilot',
      vault: '/g/state/pilot/vault.json',
      lock: '/g/state/pilot/lock.json',
      runs: '/g/state/pilot/runs',
      logs: '/g/state/pilot/logs',
    });
    expect(paths.run('r1')).toBe('/g/state/pilot/runs/r1');
    expect(paths.log('sandbox-1')).toBe('/g/state/pilot/logs/sandbox-1.log');
  });

  it('can be entered by its owner only', () => {
    const home = mkdtempSync(join(tmpdir(), 'groundwork-paths-'));
    onTestFinished(() => rmSync(home, {recursive: true}));
    const paths = pathsFor({}, home);
    const pilot = paths.deployment('pilot');
    makeFolders(paths);
    makeDeploymentFolders(pilot);
    makeDeploymentFolders(pilot);
    for (const folder of [paths.config, paths.state, pilot.folder, pilot.runs, pilot.logs, pilot.cache]) {
      expect((statSync(folder).mode & 0o777).toString(8)).toBe('700');
    }
    expect(readdirSync(pilot.folder).toSorted()).toEqual(['cache', 'logs', 'runs']);
  });
});
