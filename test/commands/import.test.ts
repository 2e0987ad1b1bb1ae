import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {parseInvocation} from '../../source/commands/command.ts';
import {exit} from '../../source/commands/exit.ts';
import {importCommand} from '../../source/commands/import.ts';
import {openSite} from '../../source/commands/site.ts';
import {fromYaml} from '../../source/deployment/yaml.ts';
import {importPath, importText} from '../support/importing.ts';
import {madeUpWorld} from '../support/world.ts';

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'import-'));
});
afterEach(() => rmSync(home, {recursive: true, force: true}));

const saved = (name: string) => {
  const site = openSite(madeUpWorld(home).world);
  if (!site.ok) throw new Error(site.error.message);
  return site.value.store.get(name);
};

const run = async (...args: readonly string[]) => {
  const {world, out, err} = madeUpWorld(home);
  const invocation = parseInvocation(importCommand, args);
  if (!invocation.ok) throw new Error(invocation.error);
  const status = await importCommand.run(invocation.value, world);
  return {status, out: out(), err: err()};
};

const [prod, backup, infra, env] = [
  'prod-config.yaml',
  'backup-config.yaml',
  'infra-config.yaml',
  'env-config.yaml',
].map(importPath) as [string, string, string, string];

describe('groundwork import', () => {
  it('says what becomes of every line, and keeps nothing unless told to', async () => {
    const {status, out, err} = await run(infra, env);
    expect({status, err}).toEqual({status: exit.done, err: ''});
    expect(out).toContain(`${infra}: settings of OpenG2P’s single-node scripts`);
    expect(out).toContain(`${infra}:5  local_domain: openg2p.test, as domain`);
    expect(out).toContain('Nothing was kept');
    expect(saved('openg2p')).toBeUndefined();
  });

  it('saves a deployment, to go on in the wizard', async () => {
    const {status, out} = await run(prod, backup, '--name', 'site-1', '--to', 'save');
    expect(status).toBe(exit.done);
    expect(out).toContain('groundwork secrets set site-1 postgres-superuser');
    expect(out).toContain('Saved as site-1. Go on in the wizard: groundwork\n');
    expect(saved('site-1')).toMatchObject({
      practice: false,
      deployment: {name: 'site-1', topology: 'production-minimum'},
    });
  });

  it('replaces no saved deployment unless told to, and then keeps what is known of its last run', async () => {
    await run(infra, '--to', 'save');
    const again = await run(prod, backup, '--to', 'save');
    expect(again.status).toBe(exit.usage);
    expect(again.err).toContain('there is a saved deployment "openg2p" already');
    expect(saved('openg2p')?.deployment.topology).toBe('sandbox');
    expect((await run(prod, backup, '--to', 'save', '--replace')).status).toBe(exit.done);
    expect(saved('openg2p')?.deployment.topology).toBe('production-minimum');
  });

  it('writes a file that can be used at once, over no other one', async () => {
    const file = join(home, 'sandbox.yaml');
    const {status, out} = await run(infra, '--to', file);
    expect(status).toBe(exit.done);
    expect(out).toContain(`Go on with: groundwork plan --deployment ${file}`);
    expect(fromYaml(readFileSync(file, 'utf8')).ok).toBe(true);
    expect(await run(infra, '--to', file)).toMatchObject({
      status: exit.usage,
      err: expect.stringContaining('is there already'),
    });
  });

  it('says that what it wrote is not complete', async () => {
    const file = join(home, 'half.yaml');
    const {status, out} = await run(importPath('deployment-plan.yaml'), '--to', file);
    expect(status).toBe(exit.done);
    expect(out).toContain('hosts: "production-minimum" needs 1 × compute; there are 0');
    expect(out).toContain(`It is not complete yet: see above. Go on with: groundwork check ${file}`);
  });

  it('tells programs one object a line', async () => {
    const {out} = await run(prod, backup, '--to', 'save', '--output', 'jsonl');
    const objects = out
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(objects.find(({key}) => key === 'wg_port')).toEqual({
      type: 'import.setting',
      file: prod,
      line: 47,
      key: 'wg_port',
      outcome: 'taken',
      value: '51820',
      paths: ['channels[0].port'],
    });
    expect(objects.at(-1)).toEqual({
      type: 'import.finished',
      deployment: 'openg2p',
      topology: 'production-minimum',
      complete: true,
      kept: 'saved',
    });
    expect(out).not.toContain('not-for-anybody');
  });

  it('says that the scripts read a further file, which lies beside', async () => {
    writeFileSync(join(home, 'prod-config.yaml'), importText('prod-config.yaml'));
    writeFileSync(join(home, 'provision-output.yaml'), importText('provision-output.yaml'));
    const [file, overlay] = [join(home, 'prod-config.yaml'), join(home, 'provision-output.yaml')];
    expect((await run(file)).out).toContain(`${overlay} lies beside it and was not read`);
    expect((await run(file, overlay)).out).not.toContain('was not read');
  });

  it('refuses what it cannot read, all of it at once, and keeps nothing', async () => {
    mkdirSync(join(home, 'folder'));
    writeFileSync(join(home, 'large'), 'x: 1\n'.repeat(2_000_000));
    writeFileSync(join(home, 'binary'), Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1, 2]));
    const files = ['folder', 'none', 'large', 'binary'].map(name => join(home, name));
    const read = await run(...files.slice(0, 2), '/dev/zero', prod, '--to', 'save');
    expect(read.status).toBe(exit.usage);
    expect(read.err).toContain('folder is a folder');
    expect(read.err).toContain('none cannot be read');
    const {status, err} = await run(...files.slice(2), '/dev/zero', '--to', 'save');
    expect(status).toBe(exit.usage);
    expect(err).toContain('large is larger than 256 KiB');
    expect(err).toContain('binary is no text');
    expect(err).toContain('/dev/zero is larger');
    expect(existsSync(join(home, 'config.json'))).toBe(false);
    expect(saved('openg2p')).toBeUndefined();
  });

  it('wants a name that a deployment can have', async () => {
    expect(await run(prod, '--name', 'My Site')).toMatchObject({status: exit.usage, out: ''});
    expect(parseInvocation(importCommand, []).ok).toBe(false);
  });
});
