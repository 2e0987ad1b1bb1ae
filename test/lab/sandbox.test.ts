import {existsSync, mkdtempSync, readFileSync, rmSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {execa} from 'execa';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {addressAt, subnetOf} from '../../source/network/address.ts';
import {filesBelow, leaksBelow, leaksIn, vaultSecrets} from '../support/canary.ts';
import {type LabHost, labDown, labExec, labKey, labUp} from '../support/lab.ts';
import {drawn, operatorAt} from '../support/operator.ts';
import {key, openTerminal, projectRoot, type Screen} from '../support/terminal.ts';

/**
 * The whole way of an operator: the program in a real terminal of 80x24, a real Debian 12 as the sandbox's machine,
 * and then the tools that people really use as judges.
 *
 * The machine has two addresses, as on a real site: the lab's network stands for the outside, where the operator sits
 * and strangers are, and 192.168.60.0/24 for the private subnet, which has a second machine.
 */
const privateSubnet = '192.168.60.0/24';
const serverPrivate = '192.168.60.11';
const neighbourPrivate = '192.168.60.12';
const vpnServer = '10.15.0.1';

const columns = 80;
const rows = 24;

let server: LabHost;
let device: LabHost;
let neighbour: LabHost;
let home: string;
let screen: Screen;
let clients: Promise<PromiseSettledResult<string>[]>;

const run = async (host: LabHost, script: string): Promise<string> => {
  const {code, stdout, stderr} = await labExec(host, script);
  if (code !== 0) throw new Error(`${script}\nended with ${code}: ${stdout}${stderr}`);
  return stdout.trim();
};

const install = (host: LabHost, packages: readonly string[]): Promise<string> =>
  run(
    host,
    `export DEBIAN_FRONTEND=noninteractive
apt-get update -qq && apt-get install -qy --no-install-recommends ${packages.join(' ')} >/dev/null 2>&1`,
  );

/** Fails with what went wrong, if a client's packages could not be had. */
const clientsReady = async (): Promise<void> => {
  for (const client of await clients) if (client.status === 'rejected') throw client.reason;
};

const groundwork = join(projectRoot, 'bin/groundwork');

const open = (): Screen => {
  screen = openTerminal(groundwork, [], {columns, rows, environment: {GROUNDWORK_HOME: home, HOME: home}});
  return screen;
};

/** What may never be on a screen: what the vault holds, and the keys of the devices. */
const secrets = (): Readonly<Record<string, string>> => {
  const keys = /^(PrivateKey|PresharedKey) = (\S+)$/gm;
  const device = [...readFileSync(handover('peers/laptop.conf'), 'utf8').matchAll(keys)];
  expect(device.length).toBeGreaterThan(0);
  return {
    ...vaultSecrets(handover('vault.json')),
    ...Object.fromEntries(device.map(([, name = '', value = '']) => [`the device’s ${name}`, value])),
  };
};

const handover = (path: string): string => join(home, 'state/sandbox', path);

const expectDecentFrames = (): void => {
  const bytes = screen.bytes();
  expect(bytes).not.toContain('\u001b[3J');
  expect(leaksIn(bytes + drawn(bytes) + screen.history(), secrets())).toEqual([]);
};

/** Ends the program; what it says last is longer than the terminal. */
const leaveFor = async (said: string): Promise<void> => {
  await operatorAt(screen).pick('Leave');
  expect(await screen.waitForExit()).toBe(0);
  expect(screen.history()).toContain(said);
  expectDecentFrames();
};

beforeAll(async () => {
  await execa('sh', [join(projectRoot, 'bin/setup')]);
  home = mkdtempSync(join(tmpdir(), 'groundwork-sandbox-'));
  const [first, second, third] = await labUp(3, {prefix: 'sandbox'});
  if (!first || !second || !third) throw new Error('the lab gave fewer hosts than asked for');
  [server, device, neighbour] = [first, second, third];
  await run(server, `ip address add ${serverPrivate}/24 dev eth0`);
  await run(neighbour, `ip address add ${neighbourPrivate}/24 dev eth0`);
  // What the judges need is fetched while the operator is at work.
  clients = Promise.allSettled([
    install(device, ['wireguard-tools', 'openresolv']),
    install(neighbour, ['libnfs-utils']),
  ]);
}, 600_000);

afterAll(async () => {
  if (screen) screen.kill('SIGKILL');
  await labDown([server, device, neighbour].filter(Boolean));
  if (home) rmSync(home, {recursive: true, force: true});
});

describe('an operator at a terminal of 80x24', () => {
  it('comes from Home to Done: names a machine, vouches for its key, answers, reads the plan, installs', async () => {
    open();
    const {choose, fill, confirm, leave} = operatorAt(screen);

    await screen.waitFor('New installation', 30_000);
    await choose('New installation', 'Blueprint and topology');
    await choose('See a drawing of it', /WireGuard|VPN/);
    await leave('Sandbox');
    await choose('Continue', /Step 2 of 7/);

    await choose('Add a host', 'Where is it?');
    await fill('Look at', server.address);
    await choose('Look', 'Found: 1 host');
    const found = `host-${server.address.replaceAll('.', '-')}`;
    await choose(found, 'not looked at yet');
    await choose(found, `Host ${found}`);
    await choose('Settings', 'Private address');
    await fill('Name', 'ground-1');
    await fill('Private address', serverPrivate);
    await choose('Done', 'Host ground-1');
    await choose('Login', 'Passphrase');
    await fill('User', 'ubuntu');
    await fill('Private key', labKey);
    const keys = await choose('Check the hosts', 'SHA256:');
    const fingerprint = await run(server, `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | cut -d' ' -f2`);
    expect(keys).toContain(fingerprint);
    await confirm('yes', /checks? failed/, 60_000);

    await acceptFailedChecks();
    await choose('Continue', /Step 3 of 7/);

    await fill('Domain', 'openg2p.test');
    await choose('Continue', /Step 4 of 7/);

    await fill('Devices dial', server.address);
    await fill('Subnet of the VPN', '10.15.0.0/16');
    await fill('Devices', 'laptop');
    await fill('Private subnet', privateSubnet);
    await fill('SSH allowed from', `${addressAt(subnetOf(server.address, 24), 1)}/32`);
    await choose('Continue', /Step 5 of 7/);
    // The ground alone: the platform has a test of its own.
    await screen.press(key.right);
    await screen.waitFor('no, ground only');
    await choose('Continue', /Step 6 of 7/);
    await choose('Continue', /Step 7 of 7/);

    await screen.waitFor(/Plan +\d+ changes in \d+ steps/, 60_000);
    await fill('Name', 'sandbox');
    await choose('See every change', 'What will be changed');
    await screen.waitFor('Firewall');
    await leave('Compare again');
    await choose('Install', 'Type "install"');
    expect(screen.scrolled()).toBe(0);
    await confirm('install', /State +Step +Host/, 120_000);
    await screen.waitFor('sandbox is installed', 400_000);
    expect(screen.text()).toContain(serverPrivate);
    expect(screen.scrolled()).toBe(0);

    await leaveFor('sandbox is installed');
  });
});

/** Each by typing its name, as one does who knows that the lab's machine is small. */
const acceptFailedChecks = async (): Promise<void> => {
  const {choose, confirm, goTo, leave} = operatorAt(screen);
  await choose('ground-1', 'Facts and checks');
  await choose('Facts and checks', /must be put right or accepted/);
  for (let left = 1; left > 0; ) {
    await screen.press('a');
    const asked = await screen.waitFor(/Type "([a-z0-9-]+)"/);
    const check = /Type "([a-z0-9-]+)"/.exec(asked)?.[1] ?? '';
    const after = await confirm(check, /must be put right or accepted|Nothing stands in the way/);
    left = after.includes('Nothing stands in the way') ? 0 : 1;
  }
  await leave('Login');
  await leave('Add a host');
  await goTo('Continue');
};

describe('what was handed over', () => {
  it('is readable by the operator only', () => {
    const folder = join(home, 'state/sandbox');
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const path of ['peers/laptop.conf', 'ca.crt', 'vault.json']) {
      expect(existsSync(handover(path)), path).toBe(true);
      expect(statSync(handover(path)).mode & 0o777, path).toBe(0o600);
    }
  });

  it('holds a CA that is one', async () => {
    const {stdout} = await execa('openssl', ['verify', '-CAfile', handover('ca.crt'), handover('ca.crt')]);
    expect(stdout).toMatch(/: OK$/);
  });

  it('has no secret in its logs and journal', () => {
    const folder = join(home, 'state/sandbox');
    expect(filesBelow(folder).filter(file => /\.(log|jsonl)$/.test(file)).length).toBeGreaterThan(1);
    expect(leaksBelow(folder, secrets(), path => /\/(vault\.json|peers\/[^/]+)$/.test(path))).toEqual([]);
  });
});

describe('the machine', () => {
  it('has an active firewall that lets in what is meant, and drops the rest', async () => {
    const status = await run(server, 'ufw status verbose');
    expect(status).toMatch(/^Status: active$/m);
    expect(status).toMatch(/^Default: deny \(incoming\)/m);
    expect(status).toMatch(/^51820\/udp +ALLOW IN +Anywhere/m);
    expect(status).toMatch(/^443\/tcp +ALLOW IN +10\.15\.0\.0\/16/m);
    expect(status).toMatch(/^443\/tcp +ALLOW IN +192\.168\.60\.0\/24/m);
    expect(status).not.toMatch(/^443\/tcp +ALLOW IN +Anywhere/m);
  });

  it('has an nginx whose configuration is sound, with a certificate that the handed-over CA vouches for', async () => {
    await run(server, 'nginx -t');
    await put(server, 'ca.crt', '/tmp/ca.crt');
    const said = await run(
      server,
      `echo | openssl s_client -connect ${serverPrivate}:443 -servername rancher.openg2p.test \\
        -CAfile /tmp/ca.crt -verify_hostname rancher.openg2p.test -verify_return_error 2>&1`,
    );
    expect(said).toContain('Verify return code: 0 (ok)');
    expect(await run(server, 'openssl verify -CAfile /tmp/ca.crt /etc/groundwork/tls/server.crt')).toMatch(/: OK$/);
  });

  it('runs what was laid, now and after a restart', async () => {
    const units = ['wg-quick@wg0', 'dnsmasq', 'nginx', 'nfs-ganesha'];
    const each = (state: string): string => units.map(() => state).join('\n');
    expect(await run(server, `systemctl is-active ${units.join(' ')}`)).toBe(each('active'));
    // ufw's unit only puts the rules back at boot.
    expect(await run(server, `systemctl is-enabled ufw ${units.join(' ')}`)).toBe(`enabled\n${each('enabled')}`);
  });
});

const put = async (host: LabHost, path: string, to: string): Promise<void> => {
  const text = readFileSync(handover(path), 'utf8');
  await run(host, `umask 077; cat >${to} <<'EOF'\n${text.trimEnd()}\nEOF`);
};

const curl = `curl -sS --noproxy '*' --max-time 8 -o /dev/null -w '%{http_code}'`;

describe('somebody outside', () => {
  it('gets nothing from the web ports, the names, the files and SSH', async () => {
    for (const port of [22, 53, 80, 443, 2049])
      expect((await labExec(device, `timeout 3 nc -z ${server.address} ${port}`)).code, String(port)).not.toBe(0);
    const tried = await labExec(
      device,
      `${curl} --connect-timeout 3 -k --resolve rancher.openg2p.test:443:${server.address} https://rancher.openg2p.test/`,
    );
    expect(tried.stdout).toBe('000');
  });

  it('is refused by nginx itself where no firewall is in the way', async () => {
    expect(
      await run(
        server,
        `${curl} -k --resolve rancher.openg2p.test:443:${server.address} https://rancher.openg2p.test/healthz`,
      ),
    ).toBe('403');
  });
});

describe('a machine of the private subnet', () => {
  beforeAll(clientsReady, 300_000);

  it('reaches nginx by name', async () => {
    await put(neighbour, 'ca.crt', '/root/ca.crt');
    expect(
      await run(
        neighbour,
        `${curl} --cacert /root/ca.crt --resolve rancher.openg2p.test:443:${serverPrivate} https://rancher.openg2p.test/healthz`,
      ),
    ).toBe('200');
  });

  it('reads the export', async () => {
    await run(neighbour, `nfs-ls 'nfs://${serverPrivate}/srv/nfs/sandbox?version=4'`);
  });
});

describe('a device with the file that was handed over', () => {
  beforeAll(async () => {
    await clientsReady();
    await run(device, 'install -d -m 700 /etc/wireguard');
    await put(device, 'peers/laptop.conf', '/etc/wireguard/gw.conf');
    await put(device, 'ca.crt', '/root/ca.crt');
    await run(device, 'wg-quick up gw 2>&1');
  }, 300_000);

  it('is known to the server, and shakes hands', async () => {
    await run(device, `timeout 8 ping -c 1 -w 6 ${vpnServer}`);
    const key = await run(device, `wg show gw public-key`);
    const peers = await run(server, 'wg show wg0 latest-handshakes');
    expect(peers).toMatch(new RegExp(`^${key.replace(/[+/]/g, '\\$&')}\\t[1-9]\\d+$`, 'm'));
    expect(await run(server, 'wg show wg0')).toContain('listening port: 51820');
  });

  it('resolves the platform’s names over the VPN', async () => {
    expect(await run(device, 'dig +short +time=3 rancher.openg2p.test')).toBe(serverPrivate);
    expect(await run(device, `dig +short +time=3 @${vpnServer} any.openg2p.test`)).toBe(serverPrivate);
  });

  it('reaches nginx by name, and trusts it by the handed-over CA', async () => {
    expect(await run(device, `${curl} --cacert /root/ca.crt https://rancher.openg2p.test/healthz`)).toBe('200');
    expect((await labExec(device, `${curl} https://rancher.openg2p.test/healthz`)).code).toBe(60);
  });
});

describe('the second time', () => {
  it('changes nothing, from Home at the terminal', async () => {
    open();
    const {choose, confirm} = operatorAt(screen);
    await screen.waitFor('New installation', 30_000);
    await choose('sandbox', 'Look again');
    await choose('Look again', 'Step 7 of 7');
    await screen.waitFor(/Plan +nothing to change/, 60_000);
    await choose('Install anyway', 'Type "install"');
    await confirm('install', /is as it should be/, 120_000);
    expect(screen.scrolled()).toBe(0);
    await leaveFor('as it should be');
  });

  it('changes nothing without a terminal either, and says so in JSON lines', async () => {
    const exported = join(home, 'sandbox.yaml');
    await execa(groundwork, ['export', 'sandbox', exported], {env: {GROUNDWORK_HOME: home, HOME: home}});
    const {stdout} = await execa(groundwork, ['install', '--deployment', exported, '--yes', '--output', 'jsonl'], {
      env: {GROUNDWORK_HOME: home, HOME: home},
      stdin: 'ignore',
    });
    const last = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as Record<string, unknown>;
    expect(last).toMatchObject({type: 'run.finished', outcome: 'succeeded', changed: 0, failed: 0});
    expect(leaksIn(stdout, secrets())).toEqual([]);
  });
});
