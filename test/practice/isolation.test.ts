import {spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {chmodSync, lstatSync, readdirSync, readFileSync, readlinkSync, writeFileSync} from 'node:fs';
import {mkdir, rm} from 'node:fs/promises';
import {createServer} from 'node:net';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {checkIsolation, explainRefusal, type Observation} from '../../source/practice/isolation.ts';
import type {PracticeHost} from '../../source/practice/practice-hosts.ts';
import {sh} from '../../source/shell/script.ts';
import {connectTo, practiceFolder, run, startedPractice, startPracticeAsNobody} from '../support/practice.ts';
import {projectRoot} from '../support/terminal.ts';

/** The machine's accounts: other tests beside this one may make users and take them away. */
const accounts = /^\/etc(\/(passwd|group|shadow|gshadow|subuid|subgid)(-|\.lock|\.\d+)?)?$/;

/** Path, kind, mode, owner, time of change and content of everything below a folder. */
const inventory = (folder: string): Map<string, string> => {
  const found = new Map<string, string>();
  const add = (path: string) => {
    const stat = lstatSync(path, {throwIfNoEntry: false});
    if (!stat) return;
    if (stat.isDirectory()) for (const name of readdirSync(path)) add(join(path, name));
    if (accounts.test(path)) return;
    const content = stat.isSymbolicLink()
      ? readlinkSync(path)
      : stat.isFile()
        ? createHash('sha256').update(readFileSync(path)).digest('hex')
        : '';
    found.set(path, [stat.mode, stat.uid, stat.gid, stat.mtimeMs, content].join(' '));
  };
  add(folder);
  return found;
};

const settings = [
  'kernel/hostname',
  'kernel/panic',
  'net/ipv4/ip_forward',
  'fs/inotify/max_user_instances',
  'vm/swappiness',
];

/** Names and times of programs only: reading all of /usr would take longer than the test. */
const programs = (): string =>
  ['/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin', '/usr/lib/systemd/system']
    .flatMap(folder =>
      spawnSync('find', [folder, '-maxdepth', '1', '-printf', '%p %m %U %T@ %s\n'], {encoding: 'utf8'}).stdout.split(
        '\n',
      ),
    )
    .sort()
    .join('\n');

/** What there is of this machine that a script could change. */
const machineNow = (playground: string) => ({
  settings: settings.map(name => `${name} ${readFileSync(`/proc/sys/${name}`, 'utf8')}`),
  etc: inventory('/etc'),
  playground: inventory(playground),
  programs: programs(),
  swaps: readFileSync('/proc/swaps', 'utf8'),
  mounts: readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter(line => line.includes(' /usr') || line.includes(' /etc') || line.includes('practice')),
});

/** What a script would do that went wrong, or that wants out. Each runs by itself. `$PLACE` is a folder open to all. */
const attacks = (place: string, port: number) => [
  sh`for file in /usr/bin/env /run/practice/usr/bin/env /usr/local/lib/practice/init /usr/local/lib/practice/node; do echo changed >"$file"; done`,
  sh`touch /usr/new /usr/lib/new /run/practice/usr/lib/new`,
  sh`mount -o remount,rw /usr; mount -o remount,bind,rw /usr; mount -o remount,bind,rw /run/practice/usr; touch /usr/new /run/practice/usr/new`,
  sh`umount -l /usr; umount -l /proc; umount -l /proc/sys; umount -l /; ls -la /`,
  sh`mount --bind / /mnt; mount -t tmpfs tmpfs /etc; mount -t proc proc /mnt; mount -t sysfs sysfs /mnt`,
  sh`/run/practice/usr/sbin/sysctl -w net.ipv4.ip_forward=1 vm.swappiness=1 kernel.panic=99; echo 7 >/proc/sys/kernel/panic; echo owned >/proc/sys/kernel/hostname`,
  sh`hostname owned; /run/practice/usr/bin/hostname owned; echo b >/proc/sysrq-trigger`,
  sh`kill -9 1; kill -TERM 1`,
  sh`mknod /root/disk b 254 0 && dd if=/dev/zero of=/root/disk bs=1M count=1; mknod /dev/mem c 1 1`,
  sh`echo changed >${`${place}/open`}; rm -rf ${place}; ls -la ${place}`,
  sh`ls -la /proc/1/root/ ${`/proc/1/root${place}`} /proc/1/cwd/../../../..; cd /proc/1/root && cd ../../../../.. && ls -la ${`.${place}`}`,
  sh`unshare --user --map-root-user --mount bash -c 'mount -o remount,bind,rw /usr; umount -l /run/practice/usr; touch /usr/new; mount -t tmpfs tmpfs /etc'`,
  sh`nsenter --target 1 --mount --user -- touch /usr/new; chroot /proc/1/root touch /usr/new`,
  sh`bash -c ${`echo hello >/dev/tcp/127.0.0.1/${port}`} && echo reached`,
  sh`/run/practice/usr/sbin/ip link add practice0 type dummy; /run/practice/usr/sbin/ip address add 10.99.99.1/24 dev lo; /run/practice/usr/sbin/modprobe dummy`,
  sh`/run/practice/usr/sbin/swapoff -a; date -s 2001-01-01; /run/practice/usr/sbin/reboot -f`,
];

/** What leaves nothing of the host that could be attacked further: each has one to itself. */
const ends = [
  sh`kill -9 -1`,
  sh`rm -rf /etc/* /etc/.??*; ls -A /etc | wc -l`,
  // Parts of /usr that stand for all of it, which would take half a minute to walk through.
  sh`rm -rf /usr/bin/* /usr/sbin/* /usr/share/perl* /usr/include /run/practice/usr/share/perl*`,
  sh`rm -rf /bin /boot /dev /etc /home /lib64 /mnt /opt /proc/sys /root /run/practice/usr/sbin /run/* /srv /sys /tmp /usr/sbin /usr/local /var`,
];

describe.each([
  ['root', async (directory: string) => startedPractice({directory, fresh: true})],
  [
    'an ordinary user',
    async (directory: string) => {
      const started = await startPracticeAsNobody({directory, fresh: true});
      if (!started.ok) throw new Error(started.error.message);
      return started.value;
    },
  ],
])('scripts on a practice host that was started by %s', (_, start) => {
  let directory: string;
  let playground: string;

  beforeAll(async () => {
    directory = await practiceFolder();
    playground = await practiceFolder();
    // Everybody may change these, so that only the host's own walls keep its scripts from it.
    await mkdir(join(playground, 'folder'));
    writeFileSync(join(playground, 'open'), 'as it was\n');
    for (const path of ['', 'folder', 'open']) chmodSync(join(playground, path), 0o777);
  });
  afterAll(async () => {
    await rm(directory, {recursive: true});
    await rm(playground, {recursive: true});
  });

  test('change nothing of this machine, whatever they do', {timeout: 120_000}, async () => {
    let connections = 0;
    const listener = createServer(socket => {
      connections += 1;
      socket.destroy();
    });
    await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', () => resolve()));
    const address = listener.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const bystander = spawnSync('sh', ['-c', 'sleep 600 >/dev/null 2>&1 & echo $!'], {encoding: 'utf8'}).stdout.trim();
    const before = machineNow(playground);

    const said: string[] = [];
    for (const group of [attacks(playground, address.port), ...ends.map(end => [end])]) {
      const practice = await start(directory);
      const [host] = practice.hosts as readonly [PracticeHost];
      for (const attack of group) {
        const connection = await connectTo(host);
        const ran = await connection.run(attack, {timeoutMs: 60_000});
        if (ran.ok) said.push(`${ran.value.stdout}${ran.value.stderr}`);
        // Some take the shell away that they run in.
        else expect([ends.includes(attack), ran.error.kind]).toEqual([true, 'connection-lost']);
        await connection.close();
      }
      await practice.close();
    }

    expect(machineNow(playground)).toEqual(before);
    expect(connections).toBe(0);
    expect(spawnSync('kill', [bystander]).status).toBe(0);
    const answers = said.join('\n');
    expect(answers).toContain('Read-only file system');
    expect(answers).not.toContain('as it was');
    expect(answers).not.toContain('reached');
    listener.close();
  });

  test('leave a host that a fresh start puts right', {timeout: 60_000}, async () => {
    // Started by root in both cases: who practises with sudo once cleans up what is there.
    const practice = await startedPractice({directory, fresh: true});
    const connection = await connectTo(practice.hosts[0] as PracticeHost);
    expect((await run(connection, sh`cat /etc/hostname; getent hosts sandbox-1`)).code).toBe(0);
    await connection.close();
    await practice.close();
  });
});

describe('a machine that forbids user namespaces', () => {
  const refusing: Observation = {
    root: false,
    maximum: '15000',
    unprivileged: undefined,
    apparmor: undefined,
    seccomp: '0',
    said: 'unshare: write failed /proc/self/uid_map: Operation not permitted',
  };

  test.each([
    ['none at all', {maximum: '0', root: true}, /allow no user namespaces/, /sysctl -w user.max_user_namespaces/],
    ['only to root (Debian)', {unprivileged: '0'}, /to root only/, /sudo.*kernel.unprivileged_userns_clone=1/],
    ['by AppArmor (Ubuntu)', {apparmor: '1'}, /AppArmor restricts/, /sudo.*apparmor_restrict_unprivileged_userns=0/],
    ['a container', {root: true, seccomp: '2'}, /container/, /outside the container/],
    ['another reason', {}, /refused/, /sudo/],
  ])('is told from others: %s', (_, observed, cause, remedy) => {
    const failure = explainRefusal({...refusing, ...observed});
    expect(failure.cause).toMatch(cause);
    expect(failure.remedy).toMatch(remedy);
  });

  test('is recognised before anything is started', () => {
    // In a user namespace of its own the limit can be set without touching this machine's.
    const program = `
import {checkIsolation} from './source/practice/isolation.ts';
console.log(JSON.stringify(await checkIsolation()));`;
    const {stdout} = spawnSync(
      'unshare',
      [
        ...['--user', '--map-root-user', 'sh', '-c', 'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"', 'sh'],
        ...[process.execPath, '--input-type=module-typescript', '--eval', program],
      ],
      {cwd: projectRoot, encoding: 'utf8', env: {...process.env, NODE_OPTIONS: ''}},
    );
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      error: {kind: 'preflight', cause: expect.stringContaining('user.max_user_namespaces is 0')},
    });
  });

  test('is not this one', async () => {
    expect(await checkIsolation()).toMatchObject({ok: true, value: {root: true}});
  });
});
