import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {Deployment} from '../../source/deployment/schema.ts';
import {inOrder} from '../../source/engine/graph.ts';
import {removalSteps} from '../../source/engine/removal.ts';
import type {Step} from '../../source/engine/step.ts';
import type {Connection} from '../../source/hosts/connection.ts';
import type {Facts} from '../../source/hosts/facts.ts';
import {factsScript, parseFacts} from '../../source/hosts/gather-facts.ts';
import {addressAt, subnetOf} from '../../source/network/address.ts';
import type {Products} from '../../source/resources/resource.ts';
import {steps as all} from '../../steps/index.ts';
import {converge, plan} from '../support/apply.ts';
import {cliConnection, type LabHost, labDown, labExec, labUp} from '../support/lab.ts';
import {contextFor, sampleDeployment} from '../support/step-context.ts';

/**
 * The ground of a sandbox on a real Debian 12, laid and taken away again. The machine has things of its own before: a
 * firewall rule, a site of nginx, swap in fstab. What the real tools say of it before and after is compared.
 */
let server: LabHost;
let connection: Connection;
let deployment: Deployment;

const steps = all.filter(step => step.enabled?.(sampleDeployment()) !== false);
const removals = (data = false) => inOrder(removalSteps(all, {scope: 'hosts', purge: {data, backups: false}}));

const vault = new Map<string, string>();
let products: Products = {};

const run = async (script: string): Promise<string> => {
  const {code, stdout, stderr} = await labExec(server, script);
  if (code !== 0) throw new Error(`${script}\nended with ${code}: ${stdout}${stderr}`);
  return stdout.trim();
};

const gather = async (): Promise<Facts> => {
  const ran = await connection.run(factsScript);
  if (!ran.ok) throw new Error(ran.error.message);
  const facts = parseFacts(ran.value.stdout);
  if (!facts.ok) throw new Error(JSON.stringify(facts.error));
  return facts.value;
};

const resourcesOf = async (step: Step, facts: Facts) =>
  step.resources(await contextFor(step, {deployment, facts, products, vault, now: new Date()}));

const lay = async (): Promise<void> => {
  for (const step of steps) {
    const {products: found, rounds} = await converge(connection, await resourcesOf(step, await gather()));
    expect(rounds[1], step.id).toEqual([]);
    products = {...products, ...found};
  }
};

/** Facts once, as in a run: what goes meanwhile must not change what is to go. */
const takeAway = async (data = false): Promise<void> => {
  const facts = await gather();
  for (const step of removals(data)) {
    if (!step.role.match(/^(base|proxy|storage|compute)$/)) continue;
    const {rounds} = await converge(connection, await resourcesOf(step, facts));
    expect(rounds[1], step.id).toEqual([]);
    expect((await labExec(server, 'true')).code).toBe(0);
  }
};

const leftToDo = async (): Promise<string[]> => {
  const facts = await gather();
  const found: string[] = [];
  for (const step of removals()) {
    if (!step.role.match(/^(base|proxy|storage|compute)$/)) continue;
    for (const {id, changes} of await plan(connection, await resourcesOf(step, facts)))
      found.push(`${id}: ${changes.map(({summary}) => summary).join('; ')}`);
  }
  return found;
};

type Machine = {
  /** Files that no package of the distribution brings or makes when it is set up, with their content. */
  readonly files: readonly string[];
  readonly enabled: readonly string[];
  readonly listening: readonly string[];
  readonly firewall: readonly string[];
};

const lines = async (script: string): Promise<readonly string[]> => (await run(script)).split('\n').filter(Boolean);

/** The machine as dpkg, systemd, ss, ufw and iptables have it. */
const machine = async (): Promise<Machine> => ({
  files:
    await lines(`cat /var/lib/dpkg/info/*.list /var/lib/dpkg/info/*.conffiles 2>/dev/null | sed 's/ .*//' | sort -u >/tmp/owned
find /etc /usr/local /srv /opt /var/www/groundwork /var/lib/groundwork /lib/modules-load.d -xdev \\( -type f -o -type l \\) 2>/dev/null |
grep -vE '^/etc/(ssl/certs/|alternatives/|rc[0-9S].d/|ld.so.cache|systemd/system/.*wants/|passwd|group|g?shadow|subuid|subgid|resolv.conf|ufw/|ssl/private/ssl-cert|default/|init.d/|letsencrypt|nginx/sites-enabled|.*dpkg|machine-id|mailcap|mtab|runit/|(idmapd|nfs).conf|chrony/|ganesha/|apt/apt.conf.d/(20|50))' |
sort | comm -23 - /tmp/owned | while read -r file; do echo "$file $(sha256sum <"$file" 2>/dev/null | cut -c 1-12)"; done`),
  enabled: await lines(
    `systemctl list-unit-files --state=enabled --no-legend --plain | awk '{print $1}' | grep -vE '^(unattended-upgrades|ufw|apt-daily|chrony|nfs-|dbus|remote-fs|e2scrub)' | sort`,
  ),
  listening: await lines(`ss -Hltunp | awk '{print $1, $5, $7}' | sed 's/,pid=.*//' | grep -vE 'chronyd' | sort -u; :`),
  firewall: await lines(`LC_ALL=C ufw status verbose; iptables -t nat -S | grep -i groundwork; :`),
});

beforeAll(async () => {
  [server] = (await labUp(1, {prefix: 'gone'})) as [LabHost];
  connection = cliConnection(server);
  const subnet = subnetOf(server.address, 24);
  deployment = sampleDeployment({
    hosts: [
      {
        name: 'ground-1',
        reach: 'ssh',
        address: server.address,
        port: 22,
        user: 'ubuntu',
        roles: ['base', 'proxy', 'compute', 'storage'],
        privateAddress: server.address,
      },
    ],
    channels: [
      {
        name: 'admin',
        kind: 'private',
        subnet: '10.15.0.0/16',
        port: 51820,
        endpoint: server.address,
        tunnel: 'split',
        peers: [{name: 'laptop'}],
      },
    ],
    network: {
      privateSubnet: subnet,
      adminSources: [`${addressAt(subnet, 1)}/32`],
      pods: '10.42.0.0/16',
      services: '10.43.0.0/16',
    },
  });
  await run(`grep -q swap.img /etc/fstab || echo '/swap.img none swap sw 0 0' >>/etc/fstab`);
});

afterAll(async () => {
  if (server) await labDown([server]);
});

describe('a bare machine', () => {
  let before: Machine;
  let resolver: string;
  let hosts: string;
  let fstab: string;

  beforeAll(async () => {
    // The tools that look are there from the beginning.
    await run(
      'apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends ufw >/dev/null 2>&1',
    );
    before = await machine();
    [resolver, hosts, fstab] = (await Promise.all(
      ['/etc/resolv.conf', '/etc/hosts', '/etc/fstab'].map(path => run(`cat ${path}`)),
    )) as [string, string, string];
  });

  it('has nothing that could be taken away', async () => {
    expect(await leftToDo()).toEqual([]);
  });

  it('is the same after the ground was laid and taken away', async () => {
    await lay();
    expect((await machine()).listening.join('\n')).toMatch(/:443 .*nginx/);
    await run('install -d /srv/nfs/demo/qa-data && echo precious >/srv/nfs/demo/qa-data/rows');
    await takeAway();
    expect(await run('cat /srv/nfs/demo/qa-data/rows')).toBe('precious');
    await run('rm -r /srv/nfs');
    const after = await machine();
    expect(after.files).toEqual(before.files);
    expect(after.enabled).toEqual(before.enabled);
    expect(after.listening).toEqual(before.listening);
    expect(after.firewall).toEqual(before.firewall);
    for (const [path, text] of [
      ['/etc/resolv.conf', resolver],
      ['/etc/hosts', hosts],
      ['/etc/fstab', fstab],
    ] as const)
      expect(await run(`cat ${path}`), path).toBe(text);
    expect(await run('nginx -t 2>&1 | tail -n 1')).toContain('successful');
    expect(await run('systemctl is-system-running || systemctl --failed --no-legend --plain')).not.toContain(
      'groundwork',
    );
  });

  it('has nothing left to do the second time', async () => {
    expect(await leftToDo()).toEqual([]);
  });
});

describe('a machine with things of its own', () => {
  it('takes the ground again, and keeps its firewall, its site and its way in when data and all is purged', async () => {
    await run(`ufw --force reset >/dev/null; ufw allow 8080/tcp comment 'of the site' >/dev/null; ufw allow from ${addressAt(subnetOf(server.address, 24), 1)} to any port 22 proto tcp >/dev/null; ufw --force enable >/dev/null
printf 'server { listen 8080; return 204; }\\n' >/etc/nginx/conf.d/site.conf
systemctl enable --now nginx >/dev/null 2>&1; nginx -s reload`);
    const before = await run('LC_ALL=C ufw status verbose');
    await lay();
    expect(await run('LC_ALL=C ufw status')).toContain('443');
    await run('install -d /srv/nfs/demo/qa-data && echo precious >/srv/nfs/demo/qa-data/rows');
    await takeAway(true);
    expect(await run('ls /srv/nfs 2>/dev/null || echo gone')).toBe('gone');
    expect(await run('LC_ALL=C ufw status verbose')).toBe(before);
    expect(await run("curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8080/")).toBe('204');
    expect(await run('systemctl is-enabled nginx')).toBe('enabled');
    expect((await connection.run({kind: 'script', text: 'true'})).ok).toBe(true);
  });
});
