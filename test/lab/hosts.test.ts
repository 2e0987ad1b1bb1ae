import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir, userInfo} from 'node:os';
import {join} from 'node:path';
import {execa} from 'execa';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {type ConnectOptions, connect, fetchHostKeys, type Reachable} from '../../source/hosts/connect.ts';
import type {Connection} from '../../source/hosts/connection.ts';
import {type Credentials, noCredentials} from '../../source/hosts/credentials.ts';
import {trust} from '../../source/hosts/host-keys.ts';
import {newJumps} from '../../source/hosts/jump.ts';
import {fingerprintOf} from '../../source/hosts/known-hosts.ts';
import {shellCommand} from '../../source/hosts/shell-command.ts';
import type {Operator} from '../../source/hosts/ssh-config.ts';
import {sh} from '../../source/shell/script.ts';
import {type LabHost, lab, labDown, labExec, labKey, labUp} from '../support/lab.ts';

const prefix = 'reach';
let folder = '';
let knownHostsFile = '';
let who: Operator;
let [one, two]: LabHost[] = [];
const open: Connection[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lab-hosts-'));
  knownHostsFile = join(folder, 'known_hosts');
  const configFile = join(folder, 'config');
  await writeFile(configFile, 'Host *\n  UserKnownHostsFile none\n  GlobalKnownHostsFile none\n  IdentityFile none\n');
  who = {home: folder, user: userInfo().username, agentSocket: undefined, configFile};
  [one, two] = await labUp(2, {prefix});
  const found = await fetchHostKeys([hostOf(one), hostOf(two)], options());
  const keys = found.map(finding => {
    if (!finding.ok) throw new Error(finding.error.message);
    return finding.value;
  });
  const trusted = await trust(keys, knownHostsFile);
  if (!trusted.ok) throw new Error(trusted.error.message);
});
afterAll(async () => {
  await Promise.all(open.map(connection => connection.close()));
  await labDown([`${prefix}1`, `${prefix}2`]);
  await rm(folder, {recursive: true, force: true});
});

const hostOf = (host: LabHost | undefined, more: Partial<Reachable> = {}): Reachable => {
  if (!host) throw new Error('the lab gave no host');
  return {
    name: host.name,
    reach: 'ssh',
    address: host.address,
    port: host.port,
    user: 'ubuntu',
    identityFile: labKey,
    ...more,
  };
};

const options = (more: Partial<ConnectOptions> = {}): ConnectOptions => ({knownHostsFile, operator: who, ...more});

const connected = async (host: Reachable, more?: Partial<ConnectOptions>): Promise<Connection> => {
  const result = await connect(host, options(more));
  if (!result.ok) throw new Error(`${result.error.message} ${result.error.cause ?? ''}`);
  open.push(result.value);
  return result.value;
};

const refused = async (host: Reachable, more?: Partial<ConnectOptions>) => {
  const result = await connect(host, options(more));
  if (result.ok) throw new Error('the connection came about');
  return result.error;
};

const asAdmin = (sudoPassword?: string): Partial<ConnectOptions> => ({
  credentials: {...noCredentials, sudoPassword: () => sudoPassword},
});
const withPassword = (password: string): Credentials => ({...noCredentials, password: () => password});

/** Processes of a host with these arguments, seen without the connection under test. */
const processes = async (host: LabHost | undefined, pattern: string): Promise<string[]> => {
  if (!host) throw new Error('the lab gave no host');
  const {stdout} = await labExec(host, `pgrep -fax ${JSON.stringify(pattern)}`);
  return stdout.split('\n').filter(line => line !== '');
};

describe('becoming root', () => {
  test('with passwordless sudo, and not at all where it is not asked for', async () => {
    const connection = await connected(hostOf(one));
    const script = sh`id -un; echo "$HOME"; echo "$SSH_CONNECTION" | cut -d' ' -f3-; exit 4`;
    expect(await connection.run(script)).toEqual({
      ok: true,
      value: {code: 4, stdout: `root\n/root\n${one?.address} 22\n`, stderr: '', truncated: false},
    });
    expect(await connection.run(sh`id -un`, {root: false})).toMatchObject({ok: true, value: {stdout: 'ubuntu\n'}});
  });

  test('as root already, without sudo', async () => {
    await labExec(
      one ?? '',
      'mkdir -p /root/.ssh && cp /home/ubuntu/.ssh/authorized_keys /root/.ssh/ && chmod 0755 /usr/bin/sudo',
    );
    const connection = await connected(hostOf(one, {user: 'root'}));
    const result = await connection.run(sh`id -un`);
    await labExec(one ?? '', 'chmod 4755 /usr/bin/sudo; rm -r /root/.ssh');
    expect(result).toMatchObject({ok: true, value: {code: 0, stdout: 'root\n', stderr: ''}});
  });

  test('with a password, which is asked for by sudo each time and given each time', async () => {
    const connection = await connected(hostOf(one, {user: 'admin'}), asAdmin('lab'));
    for (const word of ['first', 'second']) {
      const result = await connection.run(sh`id -un; echo ${word}; cat`);
      expect(result).toEqual({ok: true, value: {code: 0, stdout: `root\n${word}\n`, stderr: '', truncated: false}});
    }
  });

  test('with a password that is not needed', async () => {
    const connection = await connected(hostOf(one), asAdmin('not needed'));
    expect(await connection.run(sh`id -un`)).toMatchObject({ok: true, value: {stdout: 'root\n', stderr: ''}});
  });

  test('needs a password that was not given', async () => {
    const connection = await connected(hostOf(one, {user: 'admin'}));
    expect(await connection.run(sh`id`)).toMatchObject({
      ok: false,
      error: {kind: 'sudo', message: `sudo on ${one?.name} asks for the password of admin, and none was given.`},
    });
    expect(await connection.run(sh`id -un`, {root: false})).toMatchObject({ok: true, value: {stdout: 'admin\n'}});
  });

  test('with a wrong password fails, runs nothing, and many scripts at once try it only once', async () => {
    await labExec(one ?? '', 'rm -f /tmp/wrong; journalctl --rotate --vacuum-time=1s');
    const connection = await connected(hostOf(one, {user: 'admin'}), asAdmin('touch /tmp/wrong'));
    const results = await Promise.all(Array.from({length: 6}, () => connection.run(sh`touch /tmp/wrong`)));
    for (const result of results) {
      expect(result).toMatchObject({
        ok: false,
        error: {kind: 'sudo', message: `sudo on ${one?.name} did not accept the password of admin.`},
      });
    }
    const {stdout} = await labExec(
      one ?? '',
      'ls /tmp/wrong; journalctl -o cat | grep -c "pam_unix(sudo:auth): authentication failure"',
    );
    expect(stdout).toBe('1');
  });

  test('goes on with the right password after a wrong one', async () => {
    let password = 'wrong';
    const credentials = {...noCredentials, sudoPassword: () => password};
    const connection = await connected(hostOf(one, {user: 'admin'}), {credentials});
    expect(await connection.run(sh`id -un`)).toMatchObject({ok: false, error: {kind: 'sudo'}});
    password = 'lab';
    expect(await connection.run(sh`id -un`)).toMatchObject({ok: true, value: {stdout: 'root\n'}});
  });

  test.each([
    ['requires a terminal', 'echo "Defaults:admin requiretty" >/etc/sudoers.d/zz-test', 'wants a terminal'],
    ['does not know the user', 'gpasswd -d admin sudo', 'admin may not become root'],
    ['is not there', 'chmod 0 /usr/bin/sudo; mv /usr/bin/sudo /usr/bin/sudo.away', 'has no sudo'],
  ])('says what to do where sudo %s', async (_, prepare, message) => {
    await labExec(two ?? '', prepare);
    // A login keeps the groups that it began with.
    const connection = await connected(hostOf(two, {user: 'admin'}), asAdmin('lab'));
    const result = await connection.run(sh`id`);
    await labExec(
      two ?? '',
      `rm -f /etc/sudoers.d/zz-test; gpasswd -a admin sudo
       [ ! -e /usr/bin/sudo.away ] || { mv /usr/bin/sudo.away /usr/bin/sudo; chmod 4755 /usr/bin/sudo; }`,
    );
    expect(result).toMatchObject({
      ok: false,
      error: {kind: 'sudo', message: expect.stringContaining(message), remedy: expect.any(String)},
    });
  });

  test('leaves neither the password nor the script in an argument, an environment or a log of the host', async () => {
    const canary = 'Canary4711';
    await labExec(two ?? '', `echo admin:Pass${canary} | chpasswd`);
    const connection = await connected(hostOf(two, {user: 'admin'}), asAdmin(`Pass${canary}`));
    const running = connection.run(sh`secret=${`Script${canary}`}; touch /tmp/canary; sleep 3; [ -n "$secret" ]`);
    await expect
      .poll(async () => (await labExec(two ?? '', 'ls /tmp/canary')).stdout, {timeout: 10_000})
      .toBe('/tmp/canary');
    // The pattern is put together on the host, so that the search does not find itself.
    const {stdout} = await labExec(
      two ?? '',
      `word=Canary; word=$word''4711
       { ps -efww; cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ; journalctl -o cat; grep -rsh . /var/log /tmp; } 2>/dev/null | tr '\\0' '\\n' >/dev/shm/all
       grep -ac bash /dev/shm/all; grep -ac "$word" /dev/shm/all; rm /dev/shm/all`,
    );
    const [evidence, found] = stdout.trim().split('\n');
    expect(Number(evidence)).toBeGreaterThan(0);
    expect(found).toBe('0');
    expect(await running).toMatchObject({ok: true, value: {code: 0}});
  });
});

describe('ending a script on a host', () => {
  test('cancel leaves no process, as root and not', async () => {
    const connection = await connected(hostOf(one));
    for (const root of [true, false]) {
      const stop = new AbortController();
      const running = connection.run(sh`sleep 4711 & sleep 4711; true`, {root, signal: stop.signal});
      await expect.poll(async () => (await processes(one, 'sleep 4711')).length, {timeout: 10_000}).toBe(2);
      stop.abort();
      expect(await running).toMatchObject({ok: false, error: {kind: 'cancelled'}});
      expect(await processes(one, 'sleep 4711')).toEqual([]);
    }
    expect(await connection.run(sh`echo still here`)).toMatchObject({ok: true, value: {stdout: 'still here\n'}});
  });

  test('a deadline leaves no process, even of one that ignores TERM behind a sudo password', async () => {
    const connection = await connected(hostOf(one, {user: 'admin'}), asAdmin('lab'));
    const result = await connection.run(sh`trap '' TERM; echo waiting; sleep 4712; sleep 4712`, {timeoutMs: 1500});
    expect(result).toMatchObject({ok: false, error: {kind: 'timeout', tail: ['waiting']}});
    expect(await processes(one, 'sleep 4712')).toEqual([]);
  });

  test('closing the connection ends what runs on it', async () => {
    const connection = await connected(hostOf(one));
    const running = connection.run(sh`echo; sleep 4713; true`, {onOutput: () => void connection.close()});
    expect(await running).toMatchObject({ok: false, error: {kind: 'connection-lost'}});
    await expect.poll(() => processes(one, 'sleep 4713'), {timeout: 10_000}).toEqual([]);
  });

  test('a network that goes silent is a lost connection here, and the end of the script there', async () => {
    const connection = await connected(hostOf(one), {keepalive: {intervalMs: 500, count: 2}});
    const running = connection.run(sh`echo started; sleep 4714; true`, {
      onOutput: () => void lab(['netem', one?.name ?? '', '--loss', '100']),
    });
    expect(await running).toMatchObject({ok: false, error: {kind: 'connection-lost', transient: true}});
    await expect.poll(() => processes(one, 'sleep 4714'), {timeout: 20_000}).toEqual([]);
    await lab(['netem', one?.name ?? '']);
  });

  test('a host that loses its power is a lost connection', async () => {
    const connection = await connected(hostOf(two), {keepalive: {intervalMs: 500, count: 2}});
    const running = connection.run(sh`echo started; sleep 60`, {onOutput: () => void lab(['kill', two?.name ?? ''])});
    expect(await running).toMatchObject({ok: false, error: {kind: 'connection-lost'}});
    const dead = await refused(hostOf(two), {connectTimeoutMs: 1000});
    expect(dead).toMatchObject({kind: 'unreachable', transient: true});
    await lab(['restart', two?.name ?? '']);
    await lab(['up', '2', '--prefix', prefix]);
    await connected(hostOf(two));
  });
});

describe('host keys of real servers', () => {
  test('a changed key is refused with both fingerprints', async () => {
    const keyOf = async (host: LabHost | undefined) =>
      (await labExec(host ?? '', 'cut -d" " -f2 /etc/ssh/ssh_host_ed25519_key.pub')).stdout.trim();
    const [shown, expected] = [await keyOf(one), await keyOf(two)];
    const file = join(folder, 'swapped');
    await writeFile(file, `${one?.address} ssh-ed25519 ${expected}\n`);
    const failure = await refused(hostOf(one), {knownHostsFile: file});
    expect(failure.kind).toBe('host-key-changed');
    expect(failure.message).toContain(fingerprintOf(shown));
    expect(failure.message).toContain(fingerprintOf(expected));
  });

  test('a server that is known by its RSA key alone is asked for that one', async () => {
    const {stdout} = await labExec(
      one ?? '',
      '[ -e /etc/ssh/ssh_host_rsa_key ] || { ssh-keygen -q -t rsa -N "" -f /etc/ssh/ssh_host_rsa_key; systemctl restart ssh; }; cut -d" " -f1,2 /etc/ssh/ssh_host_rsa_key.pub',
    );
    const file = join(folder, 'rsa-only');
    await writeFile(file, `${one?.address} ${stdout}`);
    await connected(hostOf(one), {knownHostsFile: file});
  });
});

describe('logging in to real servers', () => {
  test('with a password', async () => {
    const host = hostOf(one, {user: 'admin', identityFile: undefined});
    const connection = await connected(host, {credentials: withPassword('lab')});
    expect(await connection.run(sh`id -un`, {root: false})).toMatchObject({ok: true, value: {stdout: 'admin\n'}});
  });

  test('with a wrong password', async () => {
    const host = hostOf(one, {user: 'admin', identityFile: undefined});
    expect(await refused(host, {credentials: withPassword('wrong')})).toMatchObject({
      kind: 'authentication',
      message: `${one?.name} did not accept the password of admin.`,
      cause: 'Tried, in this order: password (refused). The server allows: publickey, password.',
    });
  });

  test('with a wrong key', async () => {
    const file = join(folder, 'wrong');
    await execa('ssh-keygen', ['-q', '-t', 'rsa', '-N', '', '-f', file]);
    expect(await refused(hostOf(one, {identityFile: file}))).toMatchObject({
      kind: 'authentication',
      cause: `Tried, in this order: key ${file} (refused). The server allows: publickey, password.`,
      remedy: expect.stringContaining('authorized_keys'),
    });
  });

  test('sixteen at once, more than sshd takes, all get in', async () => {
    const connections = await Promise.all(Array.from({length: 16}, () => connected(hostOf(one))));
    const results = await Promise.all(connections.map(connection => connection.run(sh`echo in`, {root: false})));
    expect(results.filter(result => result.ok && result.value.stdout === 'in\n').length).toBe(16);
  });
});

describe('many scripts on one connection', () => {
  test('twelve at once all get their own answer', async () => {
    const connection = await connected(hostOf(one));
    const results = await Promise.all(
      Array.from({length: 12}, (_, index) => connection.run(sh`sleep 0.2; echo ${index}`)),
    );
    expect(results.map(result => result.ok && result.value.stdout)).toEqual(
      Array.from({length: 12}, (_, index) => `${index}\n`),
    );
  });

  test('a large script and a large answer arrive whole', async () => {
    const connection = await connected(hostOf(one));
    const text = 'äöü$`\'"\n'.repeat(100_000);
    const result = await connection.run(sh`printf %s ${text}`);
    expect(result.ok && result.value.stdout === text).toBe(true);
  });
});

describe('login shells with rules of their own', () => {
  test.each(['fish', 'tcsh', 'zsh', 'dash'])('%s hands the work over', async shell => {
    await labExec(
      one ?? '',
      `command -v ${shell} >/dev/null || { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy ${shell}; } >/dev/null 2>&1
       useradd -m -s $(command -v ${shell}) user-${shell} && cp -r /home/ubuntu/.ssh /home/user-${shell}/ && chown -R user-${shell} /home/user-${shell}/.ssh
       echo 'user-${shell} ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/user-${shell}
       echo 'echo noise from the profile' | tee /home/user-${shell}/.tcshrc /home/user-${shell}/.zshenv >/home/user-${shell}/.cshrc
       mkdir -p /home/user-${shell}/.config/fish && echo 'echo noise' >/home/user-${shell}/.config/fish/config.fish`,
    );
    const connection = await connected(hostOf(one, {user: `user-${shell}`}));
    expect(await connection.run(sh`id -un; echo ${"it's!"}`)).toMatchObject({
      ok: true,
      value: {code: 0, stdout: "root\nit's!\n", stderr: ''},
    });
  });

  test('an account that nobody may log in to says so', async () => {
    await labExec(
      one ?? '',
      'useradd -m -s /usr/sbin/nologin closed && cp -r /home/ubuntu/.ssh /home/closed/ && chown -R closed /home/closed/.ssh',
    );
    const connection = await connected(hostOf(one, {user: 'closed'}));
    expect(await connection.run(sh`true`)).toMatchObject({
      ok: false,
      error: {kind: 'authentication', cause: 'This account is currently not available.'},
    });
  });
});

describe('through a jump host', () => {
  const jumpTo = (host: LabHost | undefined) =>
    ({address: host?.address ?? '', port: 22, user: 'admin', identityFile: labKey}) as const;

  test('a host is reached, sees the jump host as its client, and shares the way with others', async () => {
    const jumps = newJumps();
    const connections = await Promise.all(
      Array.from({length: 4}, () => connected(hostOf(two, {jump: jumpTo(one)}), {jumps})),
    );
    expect(jumps.size).toBe(1);
    const results = await Promise.all(
      connections.map(connection => connection.run(sh`echo "$SSH_CONNECTION" | cut -d' ' -f1`)),
    );
    expect(results.map(result => result.ok && result.value.stdout)).toEqual(Array(4).fill(`${one?.address}\n`));
    await Promise.all(connections.map(connection => connection.close()));
    await expect.poll(() => jumps.size).toBe(0);
  });

  test("a jump host's own key is checked", async () => {
    const file = join(folder, 'only-two');
    const lines = (await readFile(knownHostsFile, 'utf8')).split('\n');
    await writeFile(file, `${lines.filter(line => line.startsWith(`${two?.address} `)).join('\n')}\n`);
    const found = await fetchHostKeys([hostOf(two, {jump: jumpTo(one)})], options({knownHostsFile: file}));
    expect(found).toMatchObject([
      {ok: true, value: {host: one?.address, status: 'unknown'}},
      {ok: false, error: {kind: 'host-key-unknown', host: two?.name}},
    ]);
  });

  test('a host that the jump host cannot reach is named', async () => {
    const nowhere = {...hostOf(two, {jump: jumpTo(one)}), port: 1};
    expect(await refused(nowhere)).toMatchObject({
      kind: 'unreachable',
      message: `The jump host ${one?.address} cannot reach ${two?.address}:1.`,
    });
  });

  test('the shell that is offered goes the same way', async () => {
    const [program = '', ...words] = shellCommand(hostOf(two, {jump: jumpTo(one)}), {knownHostsFile, operator: who});
    const {stdout} = await execa(program, ['-o', 'BatchMode=yes', ...words, 'hostname']);
    expect(stdout).toBe(two?.name);
  });
});
