import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {aptPackages} from '../../source/resources/apt-packages.ts';
import {command} from '../../source/resources/command.ts';
import {directory} from '../../source/resources/directory.ts';
import {absent, file, symlink} from '../../source/resources/file.ts';
import {kernelModule} from '../../source/resources/kernel-module.ts';
import {lineBlock} from '../../source/resources/line-block.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {service} from '../../source/resources/service.ts';
import {sysctl} from '../../source/resources/sysctl.ts';
import {user} from '../../source/resources/user.ts';
import {waitFor} from '../../source/resources/wait-for.ts';
import {sh} from '../../source/shell/script.ts';
import {ApplyError, type Changed, converge, plan} from '../support/apply.ts';
import {cliConnection, type LabHost, lab, labDown, labExec, labUp} from '../support/lab.ts';

let host: LabHost;
const connection = () => cliConnection(host);
const on = async (script: string) => (await labExec(host, script)).stdout.trim();

beforeAll(async () => {
  [host] = (await labUp(1, {prefix: 'resources'})) as [LabHost];
});
afterAll(async () => {
  await labDown(host ? [host] : []);
});

/** Applied it changes something, and after that nothing: neither in this run nor in the next. */
const settles = async (...resources: Resource[]): Promise<readonly Changed[]> => {
  const {rounds} = await converge(connection(), resources);
  expect(rounds[1]).toEqual([]);
  return rounds[0] ?? [];
};

const summaries = (changed: readonly Changed[]) => changed.flatMap(({changes}) => changes.map(({summary}) => summary));

describe('files and directories on a real host', () => {
  test('are made, and their drift is repaired', async () => {
    const resources = [
      directory('/srv/ground/work', {mode: 0o2770, owner: 'nobody:nogroup'}),
      file('/srv/ground/work/key', 'hush\n', {mode: 0o600, owner: 'ubuntu:ubuntu', secret: true}),
      file('/srv/ground/open', 'one\ntwo\n'),
      symlink('/srv/ground/link', 'open'),
    ];
    expect(await settles(...resources)).toHaveLength(4);
    expect(await on('stat -c "%a %U:%G" /srv/ground/work /srv/ground/work/key /srv/ground/open')).toBe(
      '2770 nobody:nogroup\n600 ubuntu:ubuntu\n644 root:root',
    );
    await on(
      'chmod 00755 /srv/ground/work; chown root:root /srv/ground/work/key; echo three >>/srv/ground/open; ln -sfn /etc /srv/ground/link',
    );
    expect(summaries(await settles(...resources))).toEqual([
      'mode 0755 → 2770',
      'owner root:root → ubuntu:ubuntu',
      'content: 0 lines added, 1 removed',
      'link to /etc → open',
    ]);
    expect(await on('cat /srv/ground/open; readlink /srv/ground/link')).toBe('one\ntwo\nopen');
  });

  test('a new file that its program refuses leaves the old one in force', async () => {
    const validate = (candidate: string) => sh`visudo -cqf ${candidate}`;
    await settles(file('/etc/sudoers.d/groundwork', 'Defaults:admin !lecture\n', {mode: 0o440, validate}));
    const bad = converge(connection(), [file('/etc/sudoers.d/groundwork', 'nonsense here\n', {mode: 0o440, validate})]);
    await expect(bad).rejects.toThrow('was not accepted; the old one stays');
    expect(await on('cat /etc/sudoers.d/groundwork; ls -A /etc/sudoers.d | grep -i groundwork')).toBe(
      'Defaults:admin !lecture\ngroundwork',
    );
  });

  test('absent takes a file away', async () => {
    await on('echo x >/tmp/gone');
    expect(await settles(absent('/tmp/gone'))).toHaveLength(1);
    expect(await on('ls /tmp/gone 2>&1 || true')).toContain('No such file');
  });

  test('a block in /etc/hosts leaves every other byte', async () => {
    const before = await on('base64 -w0 /etc/hosts');
    const block = (...lines: string[]) => lineBlock('/etc/hosts', {name: 'hosts', lines, position: 'start'});
    await settles(block('10.0.0.1 one', '10.0.0.2 two'));
    expect(await on('getent hosts two')).toMatch(/^10\.0\.0\.2\s+two/);
    await settles(block());
    expect(await on('base64 -w0 /etc/hosts')).toBe(before);
  });
});

describe('accounts and the kernel', () => {
  test('a system user gets its groups and shell, and keeps what else it has', async () => {
    const resource = user('groundling', {system: true, home: '/var/lib/groundling', groups: ['adm', 'www-data']});
    expect(summaries(await settles(resource))).toEqual(['create system user groundling']);
    await on('gpasswd -d groundling adm; usermod --shell /bin/bash --append --groups games groundling');
    expect(summaries(await settles(resource))).toEqual(['shell /bin/bash → /usr/sbin/nologin', 'add to adm']);
    expect((await on('id -nG groundling')).split(' ').sort()).toEqual(['adm', 'games', 'groundling', 'www-data']);
  });

  test('kernel settings hold in the file and in the kernel', async () => {
    const resource = sysctl('test', {'net.ipv4.ip_forward': 1, 'net.ipv4.ip_local_port_range': '20000 60000'});
    expect(await settles(resource)).toHaveLength(1);
    await on('sysctl -qw net.ipv4.ip_forward=0');
    expect(summaries(await settles(resource))).toEqual(['net.ipv4.ip_forward: 0 → 1']);
    expect(await on('sysctl -n net.ipv4.ip_forward; sysctl -n net.ipv4.ip_local_port_range')).toBe('1\n20000\t60000');
  });

  test('a setting that the kernel does not have is named', async () => {
    const resource = sysctl('wrong', {'net.ipv4.no_such_thing': 1});
    expect(summaries(await plan(connection(), [resource]))).toContain(
      'net.ipv4.no_such_thing = 1 (this kernel has no such setting now)',
    );
    await expect(converge(connection(), [resource])).rejects.toThrow(
      'this kernel has no setting net.ipv4.no_such_thing',
    );
    expect(await on('ls /etc/sysctl.d')).not.toContain('60-groundwork-wrong.conf');
  });

  test('a module that is built in is there; one that does not exist is named', async () => {
    expect(summaries(await settles(kernelModule('overlay')))).toEqual([
      '/etc/modules-load.d/groundwork-overlay.conf: create: mode 0644, root:root',
    ]);
    await expect(converge(connection(), [kernelModule('no_such_module')])).rejects.toThrow(
      'this kernel has no module no_such_module',
    );
  });
});

describe('commands and waits', () => {
  test('a command runs when its guard says so, and only then', async () => {
    const resource = command({
      id: 'key',
      doing: 'making a key',
      unless: sh`[ -s /root/key ]`,
      script: sh`echo secret >/root/key`,
      change: 'make a key',
    });
    expect(summaries(await settles(resource))).toEqual(['make a key']);
  });

  test('a wait ends when its condition comes, and says what did not come', async () => {
    await on('(sleep 3; touch /run/came) >/dev/null 2>&1 &');
    const wait = (path: string, timeoutSeconds: number) =>
      waitFor({
        id: path,
        doing: `waiting for ${path}`,
        until: sh`echo looking for ${path}; [ -e ${path} ]`,
        timeoutSeconds,
        what: path,
      });
    await settles(wait('/run/came', 30));
    const failed = converge(connection(), [wait('/run/never', 2)]);
    await expect(failed).rejects.toThrow(/looking for \/run\/never\nwaited 2 s in vain for \/run\/never/);
  });
});

describe('packages on a real host', () => {
  test('are installed without starting what is not set up yet, and nothing of ours stays behind', async () => {
    const resource = aptPackages(['nginx', 'tree'], {withoutStarting: true});
    expect(summaries(await settles(resource))).toEqual(['install nginx, tree']);
    expect(await on('systemctl is-active nginx; ls /usr/sbin/policy-rc.d 2>&1')).toMatch(/^inactive\n.*No such file/);
  });

  test('an installation that was killed half way is finished', async () => {
    const resource = aptPackages(['figlet', 'tree']);
    // dpkg is killed by its own hook, when it has unpacked and not configured.
    await on("echo 'post-invoke=kill -9 $PPID' >/etc/dpkg/dpkg.cfg.d/kill");
    await expect(converge(connection(), [resource])).rejects.toBeInstanceOf(ApplyError);
    await on('rm /etc/dpkg/dpkg.cfg.d/kill');
    expect(summaries(await settles(resource))).toEqual(['finish the interrupted installation of figlet']);
    expect(await on('dpkg --audit; figlet -v | head -c 6')).toBe('FIGlet');
  });

  test('a stale rule against starting services of a run that was killed forbids nothing, and goes', async () => {
    await on(`printf '#!/bin/sh\\n# groundwork: while process 1 installs packages\\nexit 101\\n' >/usr/sbin/policy-rc.d
      chmod 755 /usr/sbin/policy-rc.d`);
    await settles(aptPackages(['dnsmasq-base', 'rpcbind']));
    expect(await on('systemctl is-active rpcbind; ls /usr/sbin/policy-rc.d 2>&1')).toMatch(/^active\n.*No such file/);
  });

  test("somebody else's policy-rc.d stays", async () => {
    await on(`printf '#!/bin/sh\\nexit 0\\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d`);
    await settles(aptPackages(['sl'], {withoutStarting: true}));
    expect(await on('cat /usr/sbin/policy-rc.d; rm /usr/sbin/policy-rc.d')).toBe('#!/bin/sh\nexit 0');
  });

  test('it waits for whoever holds the lock, and says who', async () => {
    await on(`(exec -a unattended-upgrade python3 -c '
import fcntl, time
f = open("/var/lib/dpkg/lock-frontend", "w")
fcntl.lockf(f, fcntl.LOCK_EX)
time.sleep(6)' >/dev/null 2>&1 &) ; sleep 1`);
    let printed = '';
    const watched = {
      ...connection(),
      run: (script: Parameters<ReturnType<typeof connection>['run']>[0], options = {}) =>
        connection().run(script, {
          ...options,
          onOutput: (_, chunk) => {
            printed += chunk;
          },
        }),
    };
    const {rounds} = await converge(watched, [aptPackages(['cowsay'])]);
    expect(rounds.map(round => round.length)).toEqual([1, 0]);
    expect(printed).toMatch(/waiting: process \d+ \(unattended-upgrade .*\) holds \/var\/lib\/dpkg\/lock-frontend/);
  });

  test('a package that no source has is named', async () => {
    await expect(converge(connection(), [aptPackages(['no-such-package-at-all'])])).rejects.toThrow(
      'has no installation candidate in the package sources of the host: no-such-package-at-all',
    );
  });
});

describe('services on a real host', () => {
  const configuration = '/etc/nginx/conf.d/groundwork.conf';
  const answer = (text: string) => file(configuration, `server { listen 8080; return 200 "${text}"; }\n`, {});
  const nginx = service('nginx', {enabled: true, running: true, configuration: [configuration]});
  const said = () => on('curl -s http://127.0.0.1:8080/');

  test('are started, and stopped and disabled ones brought back', async () => {
    await settles(answer('one'), nginx);
    expect(await said()).toBe('one');
    await on('systemctl disable --now nginx 2>/dev/null');
    expect(summaries(await settles(answer('one'), nginx))).toEqual(['start nginx at boot', 'start nginx']);
    await on('systemctl stop nginx; systemctl mask nginx 2>/dev/null');
    expect(summaries(await settles(nginx))).toContain('unmask nginx');
  });

  test('a changed file is loaded without ending the service', async () => {
    const pid = await on('systemctl show --property=MainPID --value nginx');
    expect(summaries(await settles(answer('two'), nginx))).toContain(`reload nginx: ${configuration} changed`);
    expect(await said()).toBe('two');
    expect(await on('systemctl show --property=MainPID --value nginx')).toBe(pid);
  });

  test('a run that was cut between writing and reloading is made good', async () => {
    await settles(answer('three'));
    expect(await said()).toBe('two');
    expect(summaries(await settles(answer('three'), nginx))).toEqual([`reload nginx: ${configuration} changed`]);
    expect(await said()).toBe('three');
  });

  test("somebody's restart and a reboot are not changes", async () => {
    await on('sleep 1.1; systemctl restart nginx');
    expect(await plan(connection(), [answer('three'), nginx])).toEqual([]);
    await lab(['restart', host.name]);
    await on('until systemctl is-active --quiet nginx; do sleep 0.2; done');
    expect(await plan(connection(), [answer('three'), nginx])).toEqual([]);
  });

  test('a service that does not come up fails with the end of its journal', async () => {
    await on(
      `printf '[Service]\\nExecStart=/bin/sh -c "echo the-reason; sleep 0.4; exit 3"\\n' >/etc/systemd/system/weak.service`,
    );
    const failed = converge(connection(), [service('weak', {running: true})]);
    await expect(failed).rejects.toBeInstanceOf(ApplyError);
    await expect(converge(connection(), [service('weak', {running: true})])).rejects.toThrow(
      /the-reason[\s\S]*weak did not stay up/,
    );
  });

  test('a unit that does not exist is named', async () => {
    await expect(converge(connection(), [service('nothing-here', {running: true})])).rejects.toThrow(
      'there is no unit nothing-here',
    );
  });
});
