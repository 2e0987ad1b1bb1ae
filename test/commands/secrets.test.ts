import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {parseInvocation} from '../../source/commands/command.ts';
import {exit} from '../../source/commands/exit.ts';
import {secrets} from '../../source/commands/secrets.ts';
import {openSite} from '../../source/commands/site.ts';
import {openVault} from '../../source/deployment/vault.ts';
import {answered} from '../support/walk.ts';
import {madeUpWorld} from '../support/world.ts';

let home: string;

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'secrets-'));
  const site = openSite(madeUpWorld(home).world);
  if (!site.ok) throw new Error(site.error.message);
  site.value.store.save(answered());
  const vault = await openVault(site.value.paths.deployment('sandbox').vault);
  if (!vault.ok) throw new Error(vault.error.message);
  await vault.value.set('rancher-bootstrap-password', 'correct-horse');
});

afterEach(() => rmSync(home, {recursive: true, force: true}));

const run = async (args: readonly string[], more: Parameters<typeof madeUpWorld>[1] = {}) => {
  const {world, out, err} = madeUpWorld(home, more);
  const invocation = parseInvocation(secrets, args);
  if (!invocation.ok) throw new Error(invocation.error);
  const status = await secrets.run(invocation.value, world);
  return {status, out: out(), err: err()};
};

describe('groundwork secrets', () => {
  it('lists names and no value', async () => {
    expect(await run(['list', 'sandbox'])).toEqual({
      status: exit.done,
      out: 'rancher-bootstrap-password\n',
      err: '',
    });
  });

  it('prints one to a terminal', async () => {
    const shown = await run(['show', 'sandbox', 'rancher-bootstrap-password'], {terminal: true});
    expect(shown).toMatchObject({status: exit.done, out: 'correct-horse\n'});
  });

  it('prints it elsewhere only when that is meant', async () => {
    const refused = await run(['show', 'sandbox', 'rancher-bootstrap-password']);
    expect(refused).toMatchObject({status: exit.usage, out: ''});
    expect(refused.err).toContain('--reveal');
    const meant = await run(['show', 'sandbox', 'rancher-bootstrap-password', '--reveal']);
    expect(meant.out).toBe('correct-horse\n');
  });

  it('keeps a value that comes on standard input', async () => {
    expect(await run(['set', 'sandbox', 'alerts-smtp-password'], {typed: 'from-the-mail-team\n'})).toMatchObject({
      status: exit.done,
    });
    expect((await run(['show', 'sandbox', 'alerts-smtp-password', '--reveal'])).out).toBe('from-the-mail-team\n');
    expect((await run(['set', 'sandbox', 'alerts-smtp-password'])).status).toBe(exit.usage);
  });

  it.each([
    ['a secret that is not there', ['show', 'sandbox', 'nothing'], 'there are rancher-bootstrap-password'],
    ['a deployment that is not there', ['list', 'other'], 'saved are sandbox'],
    ['no secret', ['show', 'sandbox'], 'groundwork secrets list sandbox'],
    ['no such verb', ['read', 'sandbox'], 'say list, show, set'],
  ])('says what to name in place of %s', async (_, args, told) => {
    const {status, out, err} = await run(args);
    expect(status).toBe(exit.usage);
    expect(out).toBe('');
    expect(err).toContain(told);
  });
});
