import {afterAll, beforeAll, beforeEach, describe, expect, test} from 'vitest';
import {connect} from '../../source/hosts/connect.ts';
import {aptPackages} from '../../source/resources/apt-packages.ts';
import {type Firewall, type FirewallRule, firewall} from '../../source/resources/firewall.ts';
import {sysctl} from '../../source/resources/sysctl.ts';
import {sh} from '../../source/shell/script.ts';
import {type Changed, converge, plan} from '../support/apply.ts';
import {cliConnection, type LabHost, lab, labDown, labExec, labKey, labKnownHosts, labUp} from '../support/lab.ts';

let host: LabHost;
let gateway: string;
const connection = () => cliConnection(host);
const on = async (script: string) => (await labExec(host, script)).stdout.trim();
const reachable = async () => (await connection().run(sh`true`, {timeoutMs: 6000})).ok;

beforeAll(async () => {
  [host] = (await labUp(1, {prefix: 'firewall'})) as [LabHost];
  gateway = host.address.replace(/\d+$/, '1');
  await converge(connection(), [aptPackages(['ufw']), sysctl('forwarding', {'net.ipv4.ip_forward': 1})]);
});
afterAll(async () => {
  await labDown(host ? [host] : []);
});
beforeEach(async () => {
  await on(
    'systemctl stop groundwork-firewall-rollback.timer; rm -rf /var/lib/groundwork/firewall-before; ufw --force reset; rm -f /etc/ufw/*.2*',
  );
});

const ssh: FirewallRule = {
  action: 'allow',
  direction: 'in',
  protocol: 'tcp',
  port: 22,
  from: '10.0.0.0/8',
  comment: 'SSH',
};
const web: FirewallRule = {action: 'allow', direction: 'in', protocol: 'tcp', port: 443, comment: 'web'};
const vpn: FirewallRule = {
  action: 'allow',
  direction: 'route',
  from: '10.15.0.0/16',
  to: '10.9.0.0/24',
  interfaceIn: 'wg0',
  comment: 'VPN',
};
const here = () => ({seenFrom: gateway, sshPort: 22});

const settles = async (options: Firewall): Promise<readonly Changed[]> => {
  const {rounds} = await converge(connection(), [firewall(options)]);
  expect(rounds[1]).toEqual([]);
  return rounds[0] ?? [];
};
const summaries = (changed: readonly Changed[]) => changed.flatMap(({changes}) => changes.map(({summary}) => summary));

describe('the firewall of a real host', () => {
  test('is turned on with exactly its rules, and a second time nothing changes', async () => {
    await settles({rules: [ssh, web, vpn], ...here()});
    const status = await on('LC_ALL=C ufw status verbose');
    expect(status).toContain('Status: active');
    expect(status).toContain('Default: deny (incoming), allow (outgoing), deny (routed)');
    for (const rule of [
      /^22\/tcp +ALLOW IN +10\.0\.0\.0\/8 +# groundwork SSH/m,
      /^443\/tcp +ALLOW IN +Anywhere +# groundwork web/m,
      /^443\/tcp \(v6\) +ALLOW IN +Anywhere \(v6\) +# groundwork web/m,
      /^10\.9\.0\.0\/24 +ALLOW FWD +10\.15\.0\.0\/16 on wg0 +# groundwork VPN/m,
    ])
      expect(status).toMatch(rule);
    expect(
      await on('ls /var/lib/groundwork/firewall-before 2>&1; systemctl is-active groundwork-firewall-rollback.timer'),
    ).toMatch(/No such file[\s\S]*inactive/);
  });

  test("loses rules of ours that are no longer wanted, and keeps everybody else's", async () => {
    await on("ufw allow 8080/tcp comment 'theirs'; ufw deny from 192.0.2.1");
    await settles({rules: [ssh, web, vpn], ...here()});
    const changed = await settles({rules: [ssh, {...web, port: 80}], ...here()});
    expect(summaries(changed)).toEqual([
      'allow tcp 80 from anywhere (web)',
      'allow tcp 80 from anywhere (IPv6) (web)',
      'no longer allow tcp 443 from anywhere (web)',
      'no longer allow forwarding from 10.15.0.0/16 on wg0 to 10.9.0.0/24 (VPN)',
      'no longer allow tcp 443 from anywhere (IPv6) (web)',
    ]);
    const status = await on('LC_ALL=C ufw status');
    expect(status).not.toContain('443');
    expect(status).toMatch(/8080\/tcp +ALLOW +Anywhere +# theirs[\s\S]*DENY +192\.0\.2\.1/);
  });

  test('is mended when somebody turned it off or changed its policy', async () => {
    await settles({rules: [ssh], ...here()});
    await on('ufw default allow incoming; ufw --force disable');
    expect(summaries(await settles({rules: [ssh], ...here()}))).toEqual([
      'incoming: deny what no rule names',
      'turn the firewall on',
    ]);
  });

  test('changes what a rule does in its place', async () => {
    await settles({rules: [ssh, web], ...here()});
    expect(summaries(await settles({rules: [ssh, {...web, action: 'limit'}], ...here()}))).toEqual([
      'limit tcp 443 from anywhere (web)',
      'limit tcp 443 from anywhere (IPv6) (web)',
    ]);
  });

  test('lets the installer in although no rule does, until another change makes that needless', async () => {
    await settles({rules: [web], ...here()});
    expect(await reachable()).toBe(true);
    expect(await on('ufw status')).toMatch(/22\/tcp +ALLOW +\S+ +# groundwork connection of the installer/);
    await settles({rules: [web, ssh], ...here()});
    expect(await on('ufw status')).not.toContain('connection of the installer');
    expect(await reachable()).toBe(true);
  });

  test('is put back by the host itself when it would lock the installer out', async () => {
    await on('ufw allow 8080/tcp');
    const before = await on('cat /etc/ufw/user.rules /etc/ufw/ufw.conf /etc/default/ufw');
    // The installer is told a wrong address of itself, as a NAT on the way would make it.
    const lockOut: Firewall = {
      rules: [{...web, from: '192.0.2.0/24'}],
      seenFrom: '192.0.2.7',
      sshPort: 22,
      confirmWithin: 15,
    };
    await expect(converge(connection(), [firewall(lockOut)])).rejects.toThrow(
      'No new connection came through the changed firewall',
    );
    expect(await on('ufw status')).toContain('Status: active');
    await expect.poll(reachable, {timeout: 90_000, interval: 2000}).toBe(true);
    expect(await on('ufw status')).toContain('Status: inactive');
    expect(await on('cat /etc/ufw/user.rules /etc/ufw/ufw.conf /etc/default/ufw')).toBe(before);
    expect(await on('ls /var/lib/groundwork | grep firewall')).toBe('');
  });

  test('that worked before comes back with its rules when a change locks the installer out', async () => {
    await settles({rules: [ssh], ...here()});
    const rules = await on('iptables-save | grep -- "-A ufw-user-input"');
    const lockOut: Firewall = {rules: [web], seenFrom: '192.0.2.7', sshPort: 22, confirmWithin: 15};
    await expect(converge(connection(), [firewall(lockOut)])).rejects.toThrow('No new connection');
    await expect.poll(reachable, {timeout: 90_000, interval: 2000}).toBe(true);
    expect(await on('iptables-save | grep -- "-A ufw-user-input"')).toBe(rules);
    expect(await plan(connection(), [firewall({rules: [ssh], ...here()})])).toEqual([]);
  });

  test('is not confirmed by an old connection, which gets through whatever the rules are', async () => {
    const opened = await connect(
      {name: host.name, reach: 'ssh', address: host.address, port: host.port, user: 'ubuntu', identityFile: labKey},
      {knownHostsFile: labKnownHosts, openSsh: false},
    );
    if (!opened.ok) throw new Error(opened.error.message);
    const lockOut: Firewall = {rules: [web], seenFrom: '192.0.2.7', sshPort: 22, confirmWithin: 15};
    await expect(converge(opened.value, [firewall(lockOut)])).rejects.toThrow('No new connection');
    expect((await opened.value.run(sh`ufw status`)).ok).toBe(true);
    await opened.value.close();
    await expect.poll(reachable, {timeout: 90_000, interval: 2000}).toBe(true);
  });

  test('that a killed installer changed and did not confirm is taken up by the next one', async () => {
    const resource = firewall({rules: [ssh], ...here(), confirmWithin: 120});
    const probed = await connection().run(resource.probe);
    if (!probed.ok) throw new Error(probed.error.message);
    const assessed = resource.assess(probed.value);
    if (!assessed.ok) throw new Error(assessed.error);
    await assessed.value.apply?.({
      now: () => new Date(),
      tell: () => {},
      send: async () => ({ok: true, value: undefined}),
      run: async (script, options) =>
        options?.fresh ? {ok: false, error: {kind: 'cancelled', message: 'killed'}} : connection().run(script),
    });
    expect(summaries(await settles({rules: [ssh], ...here()}))).toEqual([
      'confirm an earlier change, which the host would undo',
    ]);
    expect(await on('systemctl is-active groundwork-firewall-rollback.timer; ufw status | head -1')).toBe(
      'inactive\nStatus: active',
    );
  });

  test('of which a command fails is put back at once', async () => {
    const resource = firewall({rules: [ssh, {...web, interfaceIn: 'wg0'}], ...here()});
    await on(
      `mv /usr/sbin/ufw /usr/sbin/ufw.real; printf '#!/bin/sh\\ncase "$*" in *wg0*) echo no such thing; exit 1;; esac; exec /usr/sbin/ufw.real "$@"' >/usr/sbin/ufw; chmod 755 /usr/sbin/ufw`,
    );
    const failed = await converge(connection(), [resource]).catch((error: Error) => error);
    await on('mv -f /usr/sbin/ufw.real /usr/sbin/ufw');
    expect(String(failed)).toContain('the former firewall is put back');
    expect(
      await on('ufw status; ls /var/lib/groundwork | grep firewall; grep -c 53534800 /etc/ufw/user.rules'),
    ).toMatch(/^Status: inactive\n0$/);
  });

  test('comes back after a power cut', async () => {
    await settles({rules: [ssh, web], ...here()});
    await lab(['restart', host.name]);
    expect(await plan(connection(), [firewall({rules: [ssh, web], ...here()})])).toEqual([]);
    expect(await on('ufw status')).toContain('Status: active');
  });
});

describe('the firewall of a host without systemd', () => {
  let plain: LabHost;
  beforeAll(async () => {
    [plain] = (await labUp(1, {prefix: 'plain', flags: ['--light']})) as [LabHost];
    await converge(cliConnection(plain), [aptPackages(['ufw'])]);
  });
  afterAll(async () => {
    await labDown(plain ? [plain] : []);
  });

  test('is put back by the host itself all the same', async () => {
    const lockOut: Firewall = {rules: [web], seenFrom: '192.0.2.7', sshPort: 22, confirmWithin: 15};
    await expect(converge(cliConnection(plain), [firewall(lockOut)])).rejects.toThrow('No new connection');
    const back = async () => (await cliConnection(plain).run(sh`true`, {timeoutMs: 6000})).ok;
    await expect.poll(back, {timeout: 90_000, interval: 2000}).toBe(true);
    expect((await labExec(plain, 'ufw status')).stdout).toContain('Status: inactive');
  });

  test('is not put back once it was confirmed', async () => {
    const options: Firewall = {rules: [ssh], ...here(), confirmWithin: 5};
    const {rounds} = await converge(cliConnection(plain), [firewall(options)]);
    expect(rounds[1]).toEqual([]);
    // Longer than the timer, which counts 3 seconds more for each change.
    await labExec(plain, 'sleep 20');
    expect(await plan(cliConnection(plain), [firewall(options)])).toEqual([]);
  });
});
