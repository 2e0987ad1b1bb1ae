import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {parseInvocation} from '../../source/commands/command.ts';
import {environment} from '../../source/commands/environment.ts';
import {exit} from '../../source/commands/exit.ts';
import {openSite} from '../../source/commands/site.ts';
import type {Deployment} from '../../source/deployment/schema.ts';
import {anEnvironment} from '../support/deployments.ts';
import {sampleDeployment, wholeDeployment} from '../support/step-context.ts';
import {madeUpWorld} from '../support/world.ts';

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'environment-'));
});
afterEach(() => rmSync(home, {recursive: true, force: true}));

const siteOf = () => {
  const site = openSite(madeUpWorld(home).world);
  if (!site.ok) throw new Error(site.error.message);
  return site.value;
};

const save = (deployment: Deployment) =>
  siteOf().store.save({deployment, updatedAt: '2026-11-20T10:00:00.000Z', practice: false});

const run = async (...args: readonly string[]) => {
  const {world, out, err} = madeUpWorld(home);
  const invocation = parseInvocation(environment, args);
  if (!invocation.ok) throw new Error(invocation.error);
  const status = await environment.run(invocation.value, world);
  return {status, out: out(), err: err()};
};

const qa = anEnvironment({name: 'qa', modules: ['spar', 'registry']});

describe('groundwork environment list', () => {
  it('says where they are and what they have', async () => {
    save(wholeDeployment({environments: [qa, anEnvironment({name: 'dev'})]}));
    expect(await run('list')).toEqual({
      status: exit.done,
      out: 'qa   qa.openg2p.test   commons, registry, spar\ndev  dev.openg2p.test  commons\n',
      err: '',
    });
    expect((await run('list', '--output', 'jsonl')).out.split('\n')[0]).toBe(
      '{"name":"qa","domain":"qa.openg2p.test","modules":["registry","spar"]}',
    );
  });

  it('says how to add the first', async () => {
    save(wholeDeployment());
    expect((await run('list')).out).toContain('groundwork environment add NAME');
  });
});

describe('groundwork environment add', () => {
  const refused = async (...args: readonly string[]) => {
    const before = siteOf().store.get('demo');
    const {status, err} = await run('add', ...args);
    expect(siteOf().store.get('demo')).toEqual(before);
    return {status, err};
  };

  it('refuses what cannot be installed, in the words of the field', async () => {
    save(wholeDeployment({environments: [qa]}));
    expect(await refused('qa')).toMatchObject({status: exit.usage, err: 'groundwork: qa is there already\n'});
    expect((await refused('a-b')).err).toContain('lower-case letters and digits');
    expect((await refused('dev', '--module', 'pbms')).err).toContain(
      'dev.modules[0]: "pbms" works with "registry": add it to the modules',
    );
    expect((await refused('dev', '--module', 'mosip')).err).toContain('modules[0]');
    expect((await refused('dev', '--domain', 'dev.example.org')).err).toContain('must lie below openg2p.test');
    expect((await refused('dev', '--hostname', 'odk')).err).toContain('hostnames.odk');
    expect((await refused()).err).toContain('NAME is missing');
  });

  it('wants to be told that nobody will be asked', async () => {
    save(wholeDeployment());
    expect(await refused('dev', '--module', 'registry,spar')).toMatchObject({
      status: exit.usage,
      err: 'groundwork: nobody can be asked here: say --yes to carry it out\n',
    });
  });

  it('needs a cluster to put it into', async () => {
    save(sampleDeployment());
    expect((await refused('dev', '--yes')).err).toContain('has no cluster');
  });

  it('leaves a file of the operator alone', async () => {
    save(wholeDeployment());
    const file = join(home, 'mine.yaml');
    writeFileSync(file, 'version: 1\n');
    expect((await refused('dev', '--yes', '--deployment', file)).err).toContain('is your file');
  });
});

describe('groundwork environment remove', () => {
  it('knows which there are', async () => {
    save(wholeDeployment({environments: [qa]}));
    expect(await run('remove', 'dev')).toMatchObject({
      status: exit.usage,
      err: 'groundwork: there is no environment "dev"; there are qa\n',
    });
  });

  it('changes nothing unless the name was typed once more', async () => {
    save(sampleDeployment({environments: [qa]}));
    expect(await run('remove', 'qa')).toMatchObject({status: exit.stopped});
    expect(await run('remove', 'qa', '--confirm', 'yes')).toMatchObject({status: exit.stopped});
    expect(siteOf().store.get('demo')?.deployment.environments).toHaveLength(1);
  });
});

describe('groundwork environment', () => {
  it('knows three words', async () => {
    expect(await run('drop', 'qa')).toMatchObject({status: exit.usage});
  });
});
