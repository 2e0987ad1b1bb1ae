import {spawn, spawnSync} from 'node:child_process';
import {existsSync, readFileSync, statSync} from 'node:fs';
import {rm} from 'node:fs/promises';
import {join} from 'node:path';
import {execa} from 'execa';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import type {Connection} from '../../source/hosts/connection.ts';
import {firstUid} from '../../source/practice/isolation.ts';
import {type PracticeHost, type PracticeHosts, startPracticeHosts} from '../../source/practice/practice-hosts.ts';
import {sh} from '../../source/shell/script.ts';
import {
  connectTo,
  factsOf,
  fixtures,
  practiceFolder,
  run,
  sandboxMachine,
  startedPractice,
  startPracticeAsNobody,
} from '../support/practice.ts';
import {startProgram} from '../support/programs.ts';

const asNobody = async (directory: string): Promise<PracticeHosts> => {
  const started = await startPracticeAsNobody({directory});
  if (!started.ok) throw new Error(started.error.message);
  return started.value;
};

describe.each([
  ['started by root', (directory: string) => startedPractice({directory}), 0],
  ['started by an ordinary user', asNobody, 65_534],
])('a practice host %s', (_, start, owner) => {
  let directory: string;
  let practice: PracticeHosts;
  let host: PracticeHost;
  let connection: Connection;

  beforeAll(async () => {
    directory = await practiceFolder();
    practice = await start(directory);
    host = practice.hosts[0] as PracticeHost;
    connection = await connectTo(host);
  }, 60_000);

  afterAll(async () => {
    await connection.close();
    await practice.close();
    await rm(directory, {recursive: true});
  });

  test('lets in by a key that only its owner can read, and shows a host key of its own', async () => {
    const {mode, uid} = statSync(host.identityFile);
    expect(mode & 0o777).toBe(0o600);
    expect(uid).toBe(owner);
    const {stdout: scanned} = await execa('ssh-keyscan', ['-p', String(host.port), host.address]);
    expect(scanned).toContain(`[127.0.0.1]:${host.port} ssh-ed25519 ${host.hostKey.key}`);
  });

  test('looks like the machine that was ordered, and says that it is practice', async () => {
    const facts = await factsOf(connection);
    expect(facts).toMatchObject({
      os: {id: 'ubuntu', version: '24.04', codename: 'noble', title: 'Ubuntu 24.04 LTS (practice host)'},
      arch: 'amd64',
      hostname: 'sandbox-1',
      systemd: true,
      cpus: 16,
      disks: [{name: 'vda', bytes: 128e9, rotational: false}],
      defaultRoute: {interface: 'ens5', gateway: '10.0.0.1'},
      seenFrom: '10.0.0.5',
      sshPort: 22,
      practice: true,
      privileged: true,
      unread: [],
    });
    expect(facts.memoryBytes / 2 ** 30).toBeCloseTo(62.8, 1);
    expect(facts.interfaces.find(({name}) => name === 'ens5')?.addresses).toEqual(['10.0.0.11/24']);
  });

  test('runs scripts as root and tells what they printed and how they ended', async () => {
    const ran = await run(connection, sh`id -u; hostname; echo complaint >&2; exit 7`);
    expect(ran).toEqual({code: 7, stdout: '0\nsandbox-1\n', stderr: 'complaint\n', truncated: false});
  });

  test('runs several at a time', async () => {
    const all = await Promise.all([1, 2, 3, 4].map(number => run(connection, sh`sleep 0.2; echo ${number}`)));
    expect(all.map(({stdout}) => stdout)).toEqual(['1\n', '2\n', '3\n', '4\n']);
  });

  test('ends what was cancelled', async () => {
    const controller = new AbortController();
    const running = connection.run(sh`echo begun; exec sleep 1000`, {
      signal: controller.signal,
      onOutput: () => controller.abort(),
    });
    expect(await running).toMatchObject({ok: false, error: {kind: 'cancelled'}});
    await expect.poll(async () => (await run(connection, sh`pgrep -x sleep | wc -l`)).stdout.trim()).toBe('0');
  });

  test('has files that belong to others than root', async () => {
    const {stdout} = await run(
      connection,
      sh`cd /srv; : >one; chown www-data:www-data one; mv one two; stat -c '%U:%G %u:%g' two; chown root:root two; stat -c %U:%G two`,
    );
    expect(stdout).toBe('www-data:www-data 33:33\nroot:root\n');
  });

  test('gives a shell with a terminal to OpenSSH', async () => {
    const child = spawn(
      'ssh',
      [
        ...['-F', 'none', '-tt', '-i', host.identityFile, '-p', String(host.port)],
        ...['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', 'root@127.0.0.1'],
      ],
      {stdio: ['pipe', 'pipe', 'ignore']},
    );
    child.stdin.write('tty; echo "$SSH_CONNECTION"; exit 3\n');
    let shown = '';
    child.stdout.on('data', chunk => {
      shown += chunk;
    });
    const code = await new Promise(resolve => child.once('close', resolve));
    expect(shown).toContain('/dev/pts/');
    expect(shown).toContain('10.0.0.5 50322 10.0.0.11 22');
    expect(code).toBe(3);
  });

  test('hides what this machine has and the host has not been given yet', async () => {
    const {stdout} = await run(
      connection,
      sh`for tool in nginx wg dnsmasq chronyc; do command -v $tool; done; apt-get -y install chrony >/dev/null; command -v chronyc`,
    );
    expect(stdout).toBe('/usr/bin/chronyc\n');
  });
});

describe('practice hosts', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await practiceFolder();
  });
  afterAll(() => rm(directory, {recursive: true}));

  const onHost = async <T>(
    options: {readonly fresh?: boolean},
    work: (connection: Connection, host: PracticeHost) => Promise<T>,
  ): Promise<T> => {
    const practice = await startedPractice({directory, ...options});
    const host = practice.hosts[0] as PracticeHost;
    const connection = await connectTo(host);
    try {
      return await work(connection, host);
    } finally {
      await connection.close();
      await practice.close();
    }
  };

  test('are there again at the next start, at the same port with the same key; fresh ones have forgotten everything', async () => {
    const first = await onHost({}, async (connection, host) => {
      await run(
        connection,
        sh`echo kept >/srv/note; mkdir -m 000 /srv/closed; ln -s / /srv/outside; echo 5 >/proc/sys/vm/swappiness`,
      );
      return {host, boot: (await factsOf(connection)).bootId};
    });
    await onHost({}, async (connection, host) => {
      expect(host).toEqual(first.host);
      expect((await run(connection, sh`cat /srv/note /proc/sys/vm/swappiness`)).stdout).toBe('kept\n60\n');
      expect((await factsOf(connection)).bootId).not.toBe(first.boot);
    });
    await onHost({fresh: true}, async (connection, host) => {
      expect(host).toEqual(first.host);
      expect((await run(connection, sh`ls /srv`)).stdout).toBe('');
    });
    expect(existsSync('/etc/passwd')).toBe(true);
  });

  test('end with the program that started them, and everything in them', async () => {
    const practice = await startedPractice({directory});
    const connection = await connectTo(practice.hosts[0] as PracticeHost);
    await run(connection, sh`setsid sleep 4321 >/dev/null 2>&1 </dev/null &`);
    const processes = () => spawnSync('pgrep', ['-U', String(firstUid), '-xf', 'sleep 4321']).status;
    expect(processes()).toBe(0);
    await practice.close();
    expect(processes()).toBe(1);
    await connection.close();
  });

  test('end when that program is killed', {timeout: 60_000}, async () => {
    const program = startProgram(
      `import {startPracticeHosts} from './source/practice/practice-hosts.ts';
const started = await startPracticeHosts(JSON.parse(process.argv.at(-1)));
console.log(started.ok);
process.stdin.resume();`,
      [JSON.stringify({directory: join(directory, 'killed'), fixtures, hosts: [{...sandboxMachine, name: 'killed'}]})],
    );
    expect(await program.line()).toBe('true');
    const left = () => spawnSync('pgrep', ['-f', 'start.sh.*/killed|front.*killed'], {encoding: 'utf8'}).stdout;
    expect(left()).not.toBe('');
    await program.kill('SIGKILL');
    await expect.poll(left, {timeout: 10_000}).toBe('');
    const again = await startedPractice({
      directory: join(directory, 'killed'),
      hosts: [{...sandboxMachine, name: 'killed'}],
    });
    await again.close();
  });

  test('are used by one program at a time', async () => {
    const practice = await startedPractice({directory});
    const second = await startPracticeHosts({directory, fixtures, hosts: [sandboxMachine]});
    expect(second).toMatchObject({
      ok: false,
      error: {message: expect.stringMatching(/Another program \(.*process \d+\) uses/)},
    });
    await practice.close();
  });

  test('are several when several are asked for, each with its own root and address', async () => {
    const hosts = ['one', 'two'].map((name, index) => ({
      ...sandboxMachine,
      name,
      os: index ? 'debian-12' : 'ubuntu-22.04',
    }));
    const practice = await startedPractice({directory, hosts});
    const found = await Promise.all(
      practice.hosts.map(async host => {
        const connection = await connectTo(host);
        const {hostname, os, resolver, networkManagedBy} = await factsOf(connection);
        await connection.close();
        return {
          hostname,
          system: `${os.id}-${os.version}`,
          resolved: resolver.resolved,
          networkManagedBy,
          at: host.privateAddress,
        };
      }),
    );
    await practice.close();
    expect(found).toEqual([
      {hostname: 'one', system: 'ubuntu-22.04', resolved: true, networkManagedBy: 'netplan', at: '10.0.0.11'},
      {hostname: 'two', system: 'debian-12', resolved: false, networkManagedBy: 'ifupdown', at: '10.0.0.12'},
    ]);
  });

  test('copy no account and no key of this machine', async () => {
    await onHost({}, async connection => {
      const {stdout} = await run(
        connection,
        sh`cat /etc/passwd /etc/shadow; ls /root /home /etc/ssh 2>/dev/null; find /etc -type f -name '*key*'`,
      );
      const accounts =
        readFileSync(`${fixtures}/etc/common/passwd`, 'utf8') + readFileSync(`${fixtures}/etc/common/shadow`, 'utf8');
      // Of SSH the public key that the host itself shows, and no private one.
      const shown = 'ssh_host_ed25519_key.pub';
      expect(stdout).toBe(`${accounts}/etc/ssh:\n${shown}\n\n/home:\n\n/root:\n/etc/ssh/${shown}\n`);
      const {stdout: key} = await run(connection, sh`cat ${`/etc/ssh/${shown}`}`);
      expect(key).toContain('practice');
    });
  });

  test.each([
    ['a system that Groundwork does not know', {hosts: [{...sandboxMachine, os: 'plan9-4'}]}, 'ubuntu-24.04'],
    ['a name that is none', {hosts: [{...sandboxMachine, name: '../up'}]}, 'DNS label'],
    ['the same name twice', {hosts: [sandboxMachine, sandboxMachine]}, 'DNS label'],
    ['a fault of a step that has none', {fault: 'coffee'}, 'host-baseline, firewall, wireguard'],
  ])('are refused for %s', async (_, options, remedy) => {
    const refused = await startPracticeHosts({directory, fixtures, hosts: [sandboxMachine], ...options});
    expect(refused).toMatchObject({ok: false, error: {kind: 'input', remedy: expect.stringContaining(remedy)}});
  });
});
