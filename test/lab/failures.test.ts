import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {execa} from 'execa';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {stringify} from 'yaml';
import {buildProgram, groundwork, type Operator, operatorOf, type Ran, small} from '../support/groundwork.ts';
import {type LabHost, lab, labDown, labExec, labUp} from '../support/lab.ts';

let host: LabHost;
let dead: LabHost;
const operators: Operator[] = [];

const operator = (at: LabHost, settings: Readonly<Record<string, unknown>> = {}): Operator => {
  const made = operatorOf(at, settings);
  operators.push(made);
  return made;
};

beforeAll(async () => {
  await buildProgram();
  [host, dead] = (await labUp(2, {prefix: 'failures'})) as [LabHost, LabHost];
});

afterAll(async () => {
  await labDown([host, dead].filter(each => each !== undefined));
  for (const {remove} of operators) remove();
});

const on = async (script: string): Promise<string> => {
  const {code, stdout, stderr} = await labExec(host, `set -e\n${script}`);
  if (code !== 0) throw new Error(`${script}: exit status ${code}\n${stderr}`);
  return stdout.trim();
};

/** All that an installation changes on a host, as one hash. */
const traces = () =>
  on(
    'find /etc /usr/local /var/lib/groundwork /var/lib/dpkg/status -type f -exec sha256sum {} + 2>/dev/null | sort | sha256sum || true',
  );

const install = (by: Operator, secrets?: unknown): Promise<Ran> =>
  groundwork(
    by,
    [
      ...['install', '--yes', '--output', 'plain', '-d', by.file, ...small],
      ...(secrets === undefined ? [] : ['--secrets']),
    ],
    secrets === undefined ? {} : {input: stringify(secrets)},
  );

/** A card on plain lines: what failed and where, why, and what to do; and nothing on the host has changed. */
const expectRefused = async (run: () => Promise<Ran>, code: number, words: readonly (string | RegExp)[]) => {
  const before = await traces();
  const ran = await run();
  expect(ran.code, ran.output).toBe(code);
  expect(ran.output).toMatch(/^FAILED on sandbox-1: /m);
  expect(ran.output).toMatch(/^ {2}what to do: \S/m);
  for (const word of words) expect(ran.output).toMatch(word);
  expect(ran.output).not.toMatch(/^ +at .+:\d+:\d+/m);
  expect(await traces(), 'the host as it was').toBe(before);
};

describe('a file that is no deployment', () => {
  const refused = async (change: (text: string) => string, words: readonly (string | RegExp)[]) => {
    const by = operator(host);
    writeFileSync(by.file, change(readFileSync(by.file, 'utf8')));
    const ran = await install(by);
    expect(ran.code, ran.output).toBe(2);
    for (const word of words) expect(ran.output).toMatch(word);
  };

  test('is refused with the line where it stops being YAML', async () => {
    await refused(text => text.replace('tls:\n', 'tls: [\n'), [/line \d+/, 'sandbox.yaml']);
  });

  test('is refused with the line and the field that is wrong', async () => {
    await refused(
      text => text.replace(/privateAddress: .+/, 'privateAddress: 10.0.0.300'),
      [/line 16: /, 'privateAddress', '10.0.0.300'],
    );
  });
});

describe('a host that does not let us in', () => {
  const secret = 'not-the-password-4711';
  const asAdmin = {user: 'admin', identityFile: undefined};

  test('because the password is wrong: which ways were tried, and what the server takes', async () => {
    const by = operator(host, asAdmin);
    const run = () => install(by, {hosts: {'sandbox-1': {password: secret}}});
    await expectRefused(run, 4, [/admin/, /password/i, /cause: /]);
    expect((await run()).output).not.toContain(secret);
  });

  test('because the key is wrong', async () => {
    const by = operator(host);
    const key = join(by.home, 'stranger');
    await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    writeFileSync(by.file, readFileSync(by.file, 'utf8').replace(/identityFile: .+/, `identityFile: ${key}`));
    await expectRefused(() => install(by), 4, [/ubuntu/, key, /cause: /, /authorized_keys/]);
  });

  test('because sudo wants a password and got none, or a wrong one', async () => {
    const by = operator(host, {user: 'admin'});
    await expectRefused(() => install(by), 4, [/sudo .* asks for the password of admin, and none was given/]);
    await expectRefused(() => install(by, {hosts: {'sandbox-1': {sudoPassword: secret}}}), 4, [
      /did not accept the password of admin/,
    ]);
  });

  test('because the user may not use sudo at all', async () => {
    await on('useradd -m -s /bin/bash nobody-special; echo nobody-special:plain | chpasswd');
    await on(
      'cp -r ~ubuntu/.ssh ~nobody-special/; chown -R nobody-special: ~nobody-special/.ssh; chmod 700 ~nobody-special',
    );
    const by = operator(host, {user: 'nobody-special'});
    await expectRefused(() => install(by, {hosts: {'sandbox-1': {sudoPassword: 'plain'}}}), 4, [
      /nobody-special may not become root/,
      /usermod -aG sudo/,
    ]);
  });

  test('because its key has changed: both fingerprints, whatever --yes says', async () => {
    const by = operator(host);
    await on('mkdir /root/keys; mv /etc/ssh/ssh_host_*_key* /root/keys/; ssh-keygen -A; systemctl restart ssh');
    try {
      const shown = /SHA256:\S+/.exec(await on('ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub'))?.[0] as string;
      const expected = /SHA256:\S+/.exec(await on('ssh-keygen -lf /root/keys/ssh_host_ed25519_key.pub'))?.[0] as string;
      await expectRefused(() => install(by), 4, [/host key of sandbox-1 .* has changed/, /cause: .*stands between/]);
      const {output} = await install(by);
      expect(output).toContain(shown);
      expect(output).toContain(expected);
    } finally {
      await on('rm /etc/ssh/ssh_host_*_key*; mv /root/keys/* /etc/ssh/; rmdir /root/keys; systemctl restart ssh');
    }
  });

  test('because it is switched off', async () => {
    await lab(['kill', dead.name]);
    const ran = await install(operator(dead));
    expect(ran.code, ran.output).toBe(4);
    expect(ran.output).toMatch(/tries again in \d+ s/);
    expect(ran.output).toMatch(/^FAILED on sandbox-1: (There is no way to|No answer from) /m);
    expect(ran.output).toMatch(/^ {2}cause: \S/m);
    expect(ran.output).toMatch(/^ {2}what to do: .*host is up/m);
  });
});

describe('a host that is not fit', () => {
  test('because nobody has tried this system', async () => {
    await on(
      'cp --remove-destination "$(readlink -f /etc/os-release)" /etc/os-release.new; mv /etc/os-release.new /etc/os-release',
    );
    await on(
      'sed -i.before -e "s/^ID=.*/ID=fedora/; s/^PRETTY_NAME=.*/PRETTY_NAME=\\"Fedora Linux 40\\"/; /CODENAME/d" /etc/os-release',
    );
    try {
      await expectRefused(() => install(operator(host)), 3, [/Fedora Linux 40/, /Debian/, /Ubuntu/]);
    } finally {
      await on('mv /etc/os-release.before /etc/os-release');
    }
  });

  test('because a stranger listens on port 443', async () => {
    await on('systemd-run --quiet --unit=stranger /usr/sbin/sshd -D -p 443');
    try {
      await expectRefused(() => install(operator(host)), 3, [/Port 443 for nginx/, /sshd listens on/, /ss -lntup/]);
    } finally {
      await on('systemctl stop stranger');
    }
  });
});

/** As dpkg itself does: a lock of the whole file. */
const holdLock = `systemd-run --quiet --unit=other-apt perl -e 'use Fcntl;
  open(my $file, ">>", "/var/lib/dpkg/lock-frontend") or die;
  my $whole = pack("s s x4 q q l x4", F_WRLCK, 0, 0, 0, 0);
  fcntl($file, F_SETLK, $whole) or die;
  sleep 600'`;

describe('an installation that fails on the way', () => {
  test('says that the disk is full, waits for who holds the package lock, and is finished by resume', async () => {
    const by = operator(host);
    await on('mount -t tmpfs -o size=64k tmpfs /var/cache/apt/archives; mkdir -p /var/cache/apt/archives/partial');
    const full = await install(by);
    expect(full.code, full.output).toBe(1);
    expect(full.output).toMatch(/^FAILED on sandbox-1: /m);
    expect(full.output).toMatch(/ {2}while installing packages /);
    expect(full.output).toMatch(/ {2}cause: A disk of the host is full/);
    expect(full.output).toMatch(/ {2}what to do: Free space on the host/);
    expect(full.output).toMatch(/firewall: BLOCKED/);
    expect(full.output).toMatch(/groundwork resume/);

    await on('umount /var/cache/apt/archives');
    await on(holdLock);
    const told: string[] = [];
    const resumed = await groundwork(by, ['resume', '--yes', '--output', 'plain'], {
      onLine: line => {
        told.push(line);
        if (line.includes('waiting: process') && line.includes('lock-frontend')) void on('systemctl stop other-apt');
      },
    });
    expect(resumed.code, resumed.output).toBe(0);
    expect(resumed.output).toMatch(
      /^sandbox-1: host-baseline: waiting: process \d+ \(\S*perl .*\) holds \S+lock-frontend$/m,
    );
    expect(told[0]).toMatch(/^Failed in Host baseline on sandbox-1/);
    const planned = await groundwork(by, ['plan', '--exit-code']);
    expect(planned.code, planned.output).toBe(0);
  });
});
