import {spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {mkdirSync, readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs';
import {type AddressInfo, createServer} from 'node:net';
import {userInfo} from 'node:os';
import {join} from 'node:path';
import stringWidth from 'string-width';
import {describe, expect, onTestFinished, test} from 'vitest';
import {commands} from '../../source/commands/index.ts';
import {groundwork, newHome, program, start} from '../support/program.ts';
import {projectRoot} from '../support/terminal.ts';

const names = commands.map(({name}) => name);
const fixture = (name: string) => join(projectRoot, 'fixtures/deployments', name);
const stack = /\n\s+at |a fault in Groundwork itself/;

/** Accepts connections and never says a word, so that a run waits for it. */
const muteServer = async (): Promise<number> => {
  const server = createServer(socket => socket.on('error', () => {}));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  return (server.address() as AddressInfo).port;
};

/** A deployment file in `home` whose host is at a port of this machine. */
const deploymentAt = (home: string, port: number): string => {
  const file = join(home, 'one.yaml');
  const text = readFileSync(fixture('good/least.yaml'), 'utf8');
  writeFileSync(file, text.replace('address: 10.0.0.11,', `address: 127.0.0.1, port: ${port},`));
  return file;
};

/** A deployment file in `home` whose host lets nobody in: its key is missing, which no waiting puts right. */
const deploymentWithoutKey = (home: string): string => {
  const file = join(home, 'one.yaml');
  const text = readFileSync(fixture('good/least.yaml'), 'utf8');
  writeFileSync(file, text.replace('address: 10.0.0.11,', `address: 127.0.0.1, identityFile: ${home}/missing,`));
  return file;
};

/** A home with a deployment `least` that was tried once, in vain. */
const tried = async (): Promise<{readonly home: string; readonly file: string}> => {
  const home = newHome();
  const file = deploymentWithoutKey(home);
  expect((await groundwork(['install', '-d', file, '--yes'], {home})).status).toBe(4);
  return {home, file};
};

describe('help', () => {
  test.concurrent.each([
    {name: 'the program', args: ['--help']},
    ...names.map(name => ({name, args: [name, '--help']})),
  ])('of $name fits 80 columns and says how to use it', async ({name, args}) => {
    const {status, stdout, stderr} = await groundwork(args, {home: newHome()});
    expect(status).toBe(0);
    expect(stderr).toBe('');
    const lines = stdout.split('\n');
    expect(lines.filter(line => stringWidth(line) > 80)).toEqual([]);
    expect(lines.filter(line => /\s$/.test(line))).toEqual([]);
    expect(stdout).toContain('Usage: groundwork');
    for (const part of name === 'the program' ? ['Commands:', ...names] : ['Options:', 'Examples:', '--help'])
      expect(stdout).toContain(part);
  });

  test('is there under the other usual spelling', async () => {
    const home = newHome();
    const [asked, other] = await Promise.all([
      groundwork(['help', 'install'], {home}),
      groundwork(['install', '--help'], {home}),
    ]);
    expect(asked).toEqual(other);
    expect((await groundwork(['help'], {home})).stdout).toContain('Commands:');
  });

  test('--version is that of package.json', async () => {
    const {version} = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'));
    expect(await groundwork(['--version'], {home: newHome()})).toEqual({
      status: 0,
      stdout: `${version}\n`,
      stderr: '',
    });
  });
});

describe('a wrong command line', () => {
  test.concurrent.each([
    [['instal'], 'instal'],
    [['--bogus'], '--bogus'],
    [['install', '--bogus'], '--bogus'],
    [['install', '--deployment'], '--deployment'],
    [['install', '--yes', '--deployment', 'nowhere.yaml'], 'nowhere.yaml'],
    [['install'], '--deployment'],
    [['plan', '--output', 'xml'], 'xml'],
    [['retry'], 'STEP'],
    [['retry', 'nginxx', '-d', fixture('good/least.yaml')], 'nginxx'],
    [['export', 'nobody'], 'nobody'],
    [['status', 'nobody'], 'nobody'],
    [['vault', 'open', 'least'], 'open'],
    [['check'], 'FILE'],
    [['check', 'one', 'two'], 'two'],
    [['resume', '-d', fixture('good/least.yaml')], 'groundwork install'],
  ])('%j is refused, and names %s', async (args, word) => {
    const {status, stdout, stderr} = await groundwork(args, {home: newHome()});
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(word);
    expect(stderr).not.toMatch(stack);
  });

  test('no command and no terminal: says how to use it', async () => {
    const {status, stdout, stderr} = await groundwork([], {home: newHome()});
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('Usage: groundwork');
    expect(stderr).toContain('needs a terminal');
  });

  test('nobody to ask and no --yes: nothing is done', async () => {
    const {status, stderr} = await groundwork(['install', '-d', fixture('good/least.yaml')], {home: newHome()});
    expect(status).toBe(2);
    expect(stderr).toContain('--yes');
  });
});

describe('check', () => {
  test.concurrent.each([
    'sandbox.yaml',
    'good/least.yaml',
    'good/local-with-two-vpns.yaml',
  ])('finds nothing wrong with %s', async file => {
    const {status, stdout} = await groundwork(['check', fixture(file)], {home: newHome()});
    expect(stdout).toContain('can be installed');
    expect(status).toBe(0);
  });

  test.concurrent.each([
    ['wrong-values.yaml', /line 12: tls\.mode/],
    ['misspelt-keys.yaml', /line \d+/],
    ['not-yaml.yaml', /line \d+/],
    ['vpn-overlaps-private.yaml', /overlap/],
    ['secrets.yaml', /line \d+/],
  ])('says what is wrong with %s, and where', async (file, wanted) => {
    const {status, stdout, stderr} = await groundwork(['check', fixture(`bad/${file}`)], {home: newHome()});
    expect(stdout + stderr).toMatch(wanted);
    expect(stdout + stderr).not.toMatch(stack);
    expect(status).toBe(2);
  });
});

describe('what lies under the home', () => {
  test('nothing yet: status says how to begin', async () => {
    const {status, stdout} = await groundwork(['status'], {home: newHome()});
    expect(stdout).toContain('No deployments yet');
    expect(status).toBe(0);
  });

  test('a deployment that was tried is exported, checked, and is the same again elsewhere', async () => {
    const {home} = await tried();
    const first = await groundwork(['export', 'least'], {home});
    const file = join(home, 'exported.yaml');
    expect(await groundwork(['export', 'least', file], {home})).toMatchObject({status: 0, stderr: ''});
    expect(readFileSync(file, 'utf8')).toBe(first.stdout);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const again = await groundwork(['export', 'least', file], {home});
    expect(again.status).toBe(1);
    expect(again.stderr).toContain('is there already');
    expect((await groundwork(['check', file], {home})).status).toBe(0);
    const elsewhere = newHome();
    await groundwork(['install', '-d', file, '--yes'], {home: elsewhere});
    expect((await groundwork(['export', 'least'], {home: elsewhere})).stdout).toBe(first.stdout);
    const {stdout} = await groundwork(['status'], {home});
    expect(stdout).toContain('least');
    expect(stdout).toContain('Next: groundwork resume');
  });

  test('the vault is sealed and unsealed with a passphrase from standard input', async () => {
    const {home, file} = await tried();
    const vault = join(home, 'state/least/vault.json');
    const passphrase = 'seven silent herons';
    const input = `${passphrase}\n`;
    expect((await groundwork(['vault', 'seal', 'least'], {home, input: '\n'})).status).toBe(2);
    expect(await groundwork(['vault', 'seal', 'least'], {home, input})).toMatchObject({status: 0, stderr: ''});
    expect(readFileSync(vault, 'utf8')).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----/);
    expect(statSync(vault).mode & 0o777).toBe(0o600);
    const without = await groundwork(['install', '-d', file, '--yes'], {home});
    expect(without.status).not.toBe(0);
    expect(without.stderr).toContain('passphrase');
    const wrong = await groundwork(['vault', 'unseal', 'least'], {home, input: 'six silent herons\n'});
    expect(wrong.status).toBe(1);
    expect(wrong.stderr).toContain('does not open the vault');
    const withIt = await groundwork(['install', '-d', file, '--yes', '--secrets'], {
      home,
      input: `vault: ${passphrase}`,
    });
    expect(withIt.status).toBe(4);
    expect((await groundwork(['vault', 'unseal', 'least'], {home, input})).status).toBe(0);
    expect(JSON.parse(readFileSync(vault, 'utf8'))).toHaveProperty('secrets');
  });

  test('settings that cannot be read are kept, and said to be', async () => {
    const home = newHome();
    writeFileSync(join(home, 'config.json'), '{"deployments": [{"na');
    const {status, stderr} = await groundwork(['status'], {home});
    expect(status).toBe(0);
    expect(stderr).toContain('damaged');
    const kept = readdirSync(home).filter(name => name.includes('damaged'));
    expect(kept.map(name => readFileSync(join(home, name), 'utf8'))).toEqual(['{"deployments": [{"na']);
  });
});

test('two installations of one deployment: the second is told who holds it, the first stops in order', async () => {
  const home = newHome();
  const file = deploymentAt(home, await muteServer());
  const first = start(['install', '-d', file, '--yes', '--output', 'jsonl'], {home});
  await expect.poll(first.stdout, {timeout: 60_000}).toContain('run.started');
  const second = await groundwork(['install', '-d', file, '--yes'], {home});
  expect(second.status).toBe(6);
  expect(second.stderr).toContain(userInfo().username);
  expect(second.stderr).toContain(
    String(JSON.parse(readFileSync(join(home, 'state/least/lock.json'), 'utf8')).owner.pid),
  );
  expect(second.stderr).toContain('--take-over');
  first.kill('SIGTERM');
  const {status, stdout} = await first.ended;
  expect(status).toBe(5);
  expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
    type: 'run.finished',
    outcome: 'stopped',
  });
});

test('a reader that goes away does not change how a command ends', async () => {
  const home = newHome();
  const ends = (command: string) =>
    spawnSync('bash', ['-c', `{ "$0" ${command}; echo "ended $?" >&2; } | true`, program], {
      encoding: 'utf8',
      env: {PATH: process.env.PATH, HOME: home, GROUNDWORK_HOME: home},
    }).stderr;
  expect(ends('--help')).toBe('ended 0\n');
  expect(ends(`install --yes --output jsonl -d ${deploymentWithoutKey(home)}`)).toBe('ended 4\n');
});

/** Runs the program with a file system of its own as its home: `how` are options of a tmpfs. */
const onTmpfs = (how: string, prepare: string, command: string) => {
  const home = newHome();
  mkdirSync(join(home, 'disk'));
  const script = `mount -t tmpfs -o mode=700,${how} none "$1" && ${prepare} && exec "$0" ${command}`;
  return spawnSync('unshare', ['--map-root-user', '--mount', 'bash', '-c', script, program, join(home, 'disk')], {
    encoding: 'utf8',
    env: {PATH: process.env.PATH, HOME: home, GROUNDWORK_HOME: join(home, 'disk/home')},
  });
};
const canMount = spawnSync('unshare', ['--map-root-user', '--mount', 'true']).status === 0;

describe.runIf(canMount)('a home', () => {
  const commandsThatWrite = [`install --yes -d ${fixture('good/least.yaml')}`, 'practice --yes'];
  const full = 'dd if=/dev/zero of="$1/fill" bs=1k 2>/dev/null; true';

  test.each(commandsThatWrite)('that is full stops %s with a sentence', command => {
    const {status, stderr} = onTmpfs('size=64k', `mkdir "$1/home" && ${full}`, command);
    expect(stderr).toMatch(/room/i);
    expect(stderr).not.toMatch(stack);
    expect(status).toBeGreaterThan(0);
    expect(status).toBeLessThan(10);
  });

  test.each([...commandsThatWrite, 'status'])('that is read-only stops %s with a sentence', command => {
    const {status, stderr} = onTmpfs('size=64k', 'mkdir "$1/home" && mount -o remount,ro "$1"', command);
    expect(stderr).toMatch(/cannot be (made|written)|read-only/);
    expect(stderr).not.toMatch(stack);
    expect(status).toBeGreaterThan(0);
    expect(status).toBeLessThan(10);
  });
});
