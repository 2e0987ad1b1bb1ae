import {chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {beforeEach, describe, expect, it} from 'vitest';
import {isSealed, openVault, type Vault, type VaultOptions} from '../../source/deployment/vault.ts';
import {startProgram} from '../support/programs.ts';

let path: string;
const passphrase = 'correct horse battery';
/** Cheap, since these passphrases guard nothing. */
const cheap = {scryptWorkFactor: 4};

const open = async (options: VaultOptions = {}): Promise<Vault> => {
  const vault = await openVault(path, {...cheap, ...options});
  if (!vault.ok) throw new Error(vault.error.message);
  return vault.value;
};

const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8);

beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'groundwork-vault-'));
  path = join(folder, 'pilot', 'vault.json');
  return () => rmSync(folder, {recursive: true, force: true});
});

describe('a vault', () => {
  it('begins empty, without a file', async () => {
    const vault = await open();
    expect(vault.names()).toEqual([]);
    expect(vault.get('ca')).toBeUndefined();
    expect(existsSync(path)).toBe(false);
  });

  it('has what was put in on the disk before it says so, for its owner only', async () => {
    const vault = await open();
    expect(await vault.set('ca', 'one\ntwo')).toEqual({ok: true, value: undefined});
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({version: 1, secrets: {ca: 'one\ntwo'}});
    expect(modeOf(path)).toBe('600');
    expect(modeOf(dirname(path))).toBe('700');
    expect(readdirSync(dirname(path))).toEqual(['vault.json']);
    expect((await open()).get('ca')).toBe('one\ntwo');
  });

  it('names its secrets, and tells their values for redaction', async () => {
    const vault = await open();
    await vault.set('token', 't-1');
    await vault.set('ca', 'c-1');
    expect(vault.names()).toEqual(['ca', 'token']);
    expect([...vault.values()].toSorted()).toEqual(['c-1', 't-1']);
  });

  it('makes a secret once, whoever asks and however often', async () => {
    let made = 0;
    const generate = async () => {
      await new Promise(resolve => setTimeout(resolve, 5));
      return `secret-${++made}`;
    };
    const vault = await open();
    const other = await open();
    const results = await Promise.all([
      vault.ensure('a', generate),
      vault.ensure('a', generate),
      other.ensure('a', generate),
      vault.ensure('b', generate),
    ]);
    expect(results.slice(0, 3)).toEqual(Array(3).fill({ok: true, value: 'secret-1'}));
    expect(made).toBe(2);
    expect((await open()).names()).toEqual(['a', 'b']);
  });

  it('loses nothing that another program put in meanwhile', async () => {
    const vault = await open();
    await vault.set('mine', '1');
    await (await open()).set('theirs', '2');
    await vault.set('mine', '3');
    const after = await open();
    expect([after.get('mine'), after.get('theirs')]).toEqual(['3', '2']);
    expect(vault.get('theirs')).toBe('2');
  });

  it('does not take its own file’s disappearance for emptiness', async () => {
    const vault = await open();
    await vault.set('a', 'kept');
    rmSync(path);
    expect(await vault.ensure('a', () => 'another')).toEqual({ok: true, value: 'kept'});
    await vault.set('b', 'new');
    expect((await open()).get('a')).toBe('kept');
  });

  it('made readable for others is made private when it is opened', async () => {
    await (await open()).set('a', 'x');
    chmodSync(path, 0o644);
    await open();
    expect(modeOf(path)).toBe('600');
  });

  it('takes no empty secret: that would be a slip of the program', async () => {
    await expect((await open()).set('a', '')).rejects.toThrow('never empty');
  });

  it('says when it cannot be written', async () => {
    const vault = await open();
    rmSync(dirname(path), {recursive: true});
    writeFileSync(dirname(path), 'a file where the folder was');
    expect(await vault.set('a', 'x')).toEqual({
      ok: false,
      error: expect.objectContaining({kind: 'input', message: expect.stringContaining('cannot be written')}),
    });
  });
});

describe('a damaged vault', () => {
  it.each([
    ['empty', ''],
    ['cut off', '{"version":1,"secrets":{"a":"hunter2'],
    ['zeroed', '\0'.repeat(40)],
    ['of another shape', '{"version":1,"secrets":{"a":7}}'],
    ['of a newer version', '{"version":2,"secrets":{"a":"hunter2"}}'],
    ['sealed and cut off', '-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n'],
  ])('%s is refused, not quoted, and left as it is', async (_, text) => {
    await open();
    writeFileSync(path, text);
    const result = await openVault(path, {...cheap, passphrase});
    expect(result).toMatchObject({ok: false, error: {kind: 'input', remedy: expect.any(String)}});
    expect(JSON.stringify(result)).not.toContain('hunter2');
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it('that is gone although hosts use what was in it is not begun anew', async () => {
    expect(await openVault(path, {...cheap, inUse: true})).toMatchObject({
      ok: false,
      error: {message: `The vault ${path} is gone.`, remedy: expect.stringContaining('backup')},
    });
    expect(existsSync(path)).toBe(false);
  });

  it('is not overwritten either when that happens while it is open', async () => {
    const vault = await open();
    await vault.set('a', 'x');
    writeFileSync(path, 'rubbish');
    expect((await vault.set('b', 'y')).ok).toBe(false);
    expect((await vault.ensure('c', () => 'z')).ok).toBe(false);
    expect(readFileSync(path, 'utf8')).toBe('rubbish');
  });
});

describe('a sealed vault', () => {
  const sealed = async () => {
    const vault = await open();
    await vault.set('a', 'hunter2');
    expect(await vault.seal(passphrase)).toEqual({ok: true, value: undefined});
    return vault;
  };

  it('is an armoured age file that shows nothing of what is in it', async () => {
    const vault = await sealed();
    const text = readFileSync(path, 'utf8');
    expect(text).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----\n/);
    expect(Buffer.from(text.split('\n').slice(1, -2).join(''), 'base64').toString('latin1')).toMatch(
      /^age-encryption\.org\/v1\n-> scrypt /,
    );
    expect(isSealed(path)).toBe(true);
    expect(vault.isSealed()).toBe(true);
    expect(modeOf(path)).toBe('600');
  });

  it('opens with its passphrase, and stays sealed when more is put in', async () => {
    await sealed();
    const vault = await open({passphrase});
    expect(vault.get('a')).toBe('hunter2');
    await vault.set('b', 'y');
    expect(isSealed(path)).toBe(true);
    expect((await open({passphrase})).names()).toEqual(['a', 'b']);
  });

  it('says whether the passphrase is missing or wrong', async () => {
    await sealed();
    expect(await openVault(path)).toMatchObject({ok: false, error: {message: `The vault ${path} is sealed.`}});
    expect(await openVault(path, {passphrase: 'wrong horse battery'})).toMatchObject({
      ok: false,
      error: {message: `The passphrase does not open the vault ${path}.`},
    });
  });

  it('that was changed by one letter is damaged, not wrongly opened', async () => {
    await sealed();
    const lines = readFileSync(path, 'utf8').split('\n');
    const [line = ''] = lines.splice(-3, 1);
    lines.splice(-2, 0, (line[0] === 'A' ? 'B' : 'A') + line.slice(1));
    writeFileSync(path, lines.join('\n'));
    expect(await openVault(path, {passphrase})).toMatchObject({
      ok: false,
      error: {message: expect.stringMatching(/cannot be read/)},
    });
  });

  it('can be unsealed', async () => {
    const vault = await sealed();
    await vault.unseal();
    expect(isSealed(path)).toBe(false);
    expect((await open()).get('a')).toBe('hunter2');
  });

  it('wants a passphrase that is worth something', async () => {
    const vault = await open();
    expect(await vault.seal('short')).toMatchObject({
      ok: false,
      error: {message: expect.stringContaining('too short')},
    });
  });

  it('does not mind a passphrase for one that is not sealed', async () => {
    await (await open()).set('a', 'x');
    const vault = await open({passphrase});
    expect(vault.get('a')).toBe('x');
    expect(vault.isSealed()).toBe(false);
  });
});

describe('kill -9 in the middle of writing', () => {
  const writer = `
    import {openVault} from './source/deployment/vault.ts';
    const vault = (await openVault(process.argv[1])).value;
    console.log('ready');
    for (let number = vault.names().length; ; number++) {
      const result = await vault.set('s' + String(number).padStart(6, '0'), 'x'.repeat(20_000));
      if (!result.ok) throw new Error(result.error.message);
      console.log(String(number));
    }
  `;

  it('leaves the old content or the new, with all that was answered for, and no half-written copy', async () => {
    for (const writes of [1, 4, 9]) {
      const program = startProgram(writer, [path]);
      let answered = -1;
      expect(await program.line()).toBe('ready');
      for (let count = 0; count < writes; count++) answered = Number(await program.line());
      await program.kill('SIGKILL');
      const vault = await open();
      expect(vault.names().length).toBeGreaterThan(answered);
      expect(vault.names()).toEqual(vault.names().map((_, number) => `s${String(number).padStart(6, '0')}`));
      expect(vault.values().every(value => value.length === 20_000)).toBe(true);
      expect(readdirSync(dirname(path)).filter(name => name.includes('.new-'))).toEqual([]);
    }
  }, 60_000);
});
