import {randomBytes} from 'node:crypto';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {Deployment} from '../../source/deployment/schema.ts';
import type {HandoverFile, Step} from '../../source/engine/step.ts';
import type {Connection} from '../../source/hosts/connection.ts';
import type {Facts} from '../../source/hosts/facts.ts';
import {factsScript, parseFacts} from '../../source/hosts/gather-facts.ts';
import {addressAt, subnetOf} from '../../source/network/address.ts';
import type {Products} from '../../source/resources/resource.ts';
import {frame, unframe} from '../../source/shell/frame.ts';
import {steps as all} from '../../steps/index.ts';
import {converge, plan} from '../support/apply.ts';
import {anEnvironment} from '../support/deployments.ts';
import {cliConnection, type LabHost, lab, labDown, labExec, labUp} from '../support/lab.ts';
import {contextFor, sampleDeployment} from '../support/step-context.ts';

/**
 * One machine at two addresses, as on a real site: the lab's network stands for the outside, where operators and
 * strangers are, and 192.168.50.0/24 for the private subnet, which has a second machine.
 */
const privateSubnet = '192.168.50.0/24';
const serverPrivate = '192.168.50.11';
const neighbourPrivate = '192.168.50.12';

let server: LabHost;
let outside: LabHost;
let neighbour: LabHost;
let connection: Connection;
let deployment: Deployment;

/** The cluster has a test of its own. */
const steps = all.filter(step => step.enabled?.(sampleDeployment()) !== false);

const vault = new Map<string, string>();
const handedOver = new Map<string, HandoverFile>();
let products: Products = {};

const sample = (): Deployment => {
  const adminHost = addressAt(subnetOf(server.address, 24), 1);
  return sampleDeployment({
    hosts: [
      {
        name: 'ground-1',
        reach: 'ssh',
        address: server.address,
        port: 22,
        user: 'ubuntu',
        roles: ['base', 'proxy', 'compute', 'storage'],
        privateAddress: serverPrivate,
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
        peers: [{name: 'laptop'}, {name: 'phone'}],
      },
    ],
    network: {privateSubnet, adminSources: [`${adminHost}/32`], pods: '10.42.0.0/16', services: '10.43.0.0/16'},
    environments: [anEnvironment({name: 'qa'})],
  });
};

const gather = async (): Promise<Facts> => {
  const ran = await connection.run(factsScript);
  if (!ran.ok) throw new Error(ran.error.message);
  const facts = parseFacts(ran.value.stdout);
  if (!facts.ok) throw new Error(JSON.stringify(facts.error));
  return facts.value;
};

/** With facts gathered anew, as every run does: what was laid must not change what is wanted. */
const contextOf = async (step: Step, now = new Date()) =>
  contextFor(step, {deployment, facts: await gather(), products, vault, now});

/** Runs a step's own verifications; an empty list means that all passed. */
const complaints = async (step: Step): Promise<string[]> => {
  const checks = step.verify(await contextOf(step));
  const marker = randomBytes(12).toString('hex');
  const ran = await connection.run(
    frame(
      marker,
      checks.map(({script}) => script),
    ),
  );
  if (!ran.ok) return [ran.error.message];
  const parts = unframe(marker, ran.value.stdout);
  return checks.flatMap(({id, check}, index) => {
    const part = parts.get(index);
    const result = part ? check(part) : {ok: false as const, error: 'no answer'};
    return result.ok ? [] : [`${step.id}/${id}: ${result.error}`];
  });
};

const lay = async (step: Step, now?: Date) => {
  const context = await contextOf(step, now);
  const converged = await converge(connection, step.resources(context));
  products = {...products, ...converged.products};
  for (const file of step.handover?.({...context, products}) ?? []) handedOver.set(file.path, file);
  return converged.rounds;
};

const run = async (host: LabHost, script: string): Promise<string> => {
  const {code, stdout, stderr} = await labExec(host, script);
  if (code !== 0) throw new Error(`${script}\nended with ${code}: ${stdout}${stderr}`);
  return stdout.trim();
};

const handover = (path: string): string => {
  const file = handedOver.get(path);
  if (!file) throw new Error(`nothing was handed over as ${path}; there is ${[...handedOver.keys()].join(', ')}`);
  return file.content;
};

/** The peer's own file, without the line that wants a resolver program which the lab's hosts do not have. */
const dialIn = async (host: LabHost, peer: string) => {
  const text = handover(`peers/${peer}.conf`).replace(/^DNS = .*\n/m, '');
  await run(
    host,
    `install -d -m 700 /etc/wireguard; umask 077; cat >/etc/wireguard/gw.conf <<'EOF'\n${text}EOF\nwg-quick down gw 2>/dev/null; wg-quick up gw 2>&1`,
  );
};

const step = (id: string): Step => {
  const found = steps.find(one => one.id === id);
  if (!found) throw new Error(`no step ${id}`);
  return found;
};

beforeAll(async () => {
  const [first, second, third] = await labUp(3, {prefix: 'steps'});
  if (!first || !second || !third) throw new Error('the lab gave fewer hosts than asked for');
  [server, outside, neighbour] = [first, second, third];
  await run(server, `ip address add ${serverPrivate}/24 dev eth0 2>/dev/null || :`);
  await run(neighbour, `ip address add ${neighbourPrivate}/24 dev eth0 2>/dev/null || :`);
  await run(server, `grep -q swap.img /etc/fstab || echo '/swap.img none swap sw 0 0' >>/etc/fstab`);
  const packages = 'DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends';
  await run(outside, `apt-get update -qq && ${packages} wireguard-tools >/dev/null 2>&1`);
  await run(neighbour, `apt-get update -qq && ${packages} libnfs-utils >/dev/null 2>&1`);
  connection = cliConnection(server);
  deployment = sample();
});

afterAll(async () => {
  await labDown([server, outside, neighbour]);
});

describe('the ground of a sandbox, laid on a bare Debian 12', () => {
  for (const one of steps) {
    it(`${one.id}: is laid, changes nothing the second time, and proves itself with the real tools`, async () => {
      const [first, second] = await lay(one);
      expect(first?.length).toBeGreaterThan(0);
      expect(second).toEqual([]);
      expect(await complaints(one)).toEqual([]);
    });
  }

  it('is right as a whole when all of it is looked at again', async () => {
    for (const one of steps) {
      expect(await plan(connection, one.resources(await contextOf(one)))).toEqual([]);
      expect(await complaints(one)).toEqual([]);
    }
  });
});

describe('the baseline', () => {
  it('keeps swap from coming back at the next start, in a way that can be taken back', async () => {
    expect(await run(server, 'grep swap /etc/fstab')).toBe('# groundwork: /swap.img none swap sw 0 0');
  });

  it('lets security updates in by themselves, and nothing else', async () => {
    const origins = await run(server, 'apt-config dump Unattended-Upgrade::Origins-Pattern');
    expect(origins.split('\n').filter(line => line.includes('origin='))).toEqual([
      'Unattended-Upgrade::Origins-Pattern:: "origin=Debian,codename=bookworm-security,label=Debian-Security";',
    ]);
  });
});

describe('what it is like from outside', () => {
  it('lets nobody in to the web, the names and the files', async () => {
    for (const port of [80, 443, 53, 2049])
      expect((await labExec(outside, `timeout 3 nc -z ${server.address} ${port}`)).code).not.toBe(0);
  });

  it('closes SSH to those who are no administrators', async () => {
    expect((await labExec(outside, `timeout 3 nc -z ${server.address} 22`)).code).not.toBe(0);
  });

  it('is refused by nginx too when the firewall is passed', async () => {
    const curl = `curl -sk --noproxy '*' -o /dev/null -w '%{http_code}' --resolve openg2p.test:443:${server.address}`;
    expect(await run(server, `${curl} https://openg2p.test/`)).toBe('403');
    expect(await run(server, `${curl} https://openg2p.test/healthz`)).toBe('403');
  });
});

describe('what it is like over the VPN', () => {
  const curl = `curl -s --noproxy '*' --max-time 10 --cacert /root/ca.crt`;

  beforeAll(async () => {
    await dialIn(outside, 'laptop');
    await run(outside, `cat >/root/ca.crt <<'EOF'\n${handover('ca.crt')}EOF`);
    await run(outside, `printf 'nameserver 10.15.0.1\n' >/etc/resolv.conf`);
  });

  it('reaches nginx by name, with a certificate that the handed-over CA vouches for', async () => {
    expect(await run(outside, 'getent ahostsv4 any.openg2p.test | cut -d" " -f1 | sort -u')).toBe(serverPrivate);
    expect(await run(outside, `${curl} https://openg2p.test/healthz`)).toBe('ok');
    expect(await run(outside, `${curl} https://any.qa.openg2p.test/healthz`)).toBe('ok');
  });

  it('shows a page that says that the platform does not answer yet', async () => {
    expect(await run(outside, `${curl} -w '%{http_code}' https://rancher.openg2p.test/any`)).toMatch(
      /The ground is laid[\s\S]*503$/,
    );
  });

  it('leads on to the other machines of the private subnet, behind the firewall’s drop policy', async () => {
    await run(outside, `timeout 5 nc -z ${neighbourPrivate} 22`);
  });

  it('lets an administrator in by SSH, and nobody at the files', async () => {
    await run(outside, 'timeout 5 nc -z 10.15.0.1 22');
    expect((await labExec(outside, 'timeout 3 nc -z 10.15.0.1 2049')).code).not.toBe(0);
  });

  it('takes a new peer in, and lets a channel’s peer go, without cutting the others off', async () => {
    const seen = () => run(server, `wg show wg0 latest-handshakes | sort`);
    const own = (await seen()).split('\n').find(line => !line.endsWith('\t0')) ?? '';
    expect(own).not.toBe('');
    const before = deployment;
    const [channel] = deployment.channels;
    if (channel?.kind !== 'private') throw new Error('the first channel is private');
    const peers = [
      {name: 'laptop', address: '10.15.0.2'},
      {name: 'tablet', address: '10.15.0.4'},
    ];
    deployment = {...before, channels: [{...channel, peers}]};
    const changed = (await lay(step('wireguard')))[0]?.map(({id}) => id);
    expect(changed).toEqual(['file /etc/wireguard/wg0.conf', 'service wg-quick@wg0.service']);
    expect((await seen()).split('\n')).toContain(own);
    expect(await complaints(step('wireguard'))).toEqual([]);
    await run(outside, 'timeout 5 nc -z 10.15.0.1 22');
    expect(handover('peers/tablet.conf')).toContain('Address = 10.15.0.4/32');
  });
});

describe('what it is like in the private subnet', () => {
  it('gives the export to a client there', async () => {
    await run(neighbour, `nfs-ls 'nfs://${serverPrivate}/srv/nfs/demo?version=4'`);
  });

  it('lets a client there make a directory for a volume, and leaves its mode alone ever after', async () => {
    await run(server, 'install -d -m 700 -o 999 /srv/nfs/demo/volume');
    await lay(step('nfs-server'));
    expect(await run(server, "stat -c '%a %u' /srv/nfs/demo/volume")).toBe('700 999');
  });
});

describe('what time and chance do to it', () => {
  it('starts by itself after a restart of the machine', async () => {
    await lab(['restart', server.name]);
    await run(server, `ip address add ${serverPrivate}/24 dev eth0 2>/dev/null || :`);
    await run(server, 'for i in $(seq 30); do systemctl is-system-running --wait && break; sleep 1; done; :');
    for (const one of steps) expect(await complaints(one)).toEqual([]);
  });

  it('renews the certificate before it ends, with the same key, and nginx serves the new one', async () => {
    const serial = () =>
      run(
        server,
        `echo | openssl s_client -connect ${serverPrivate}:443 -servername openg2p.test 2>/dev/null | openssl x509 -noout -serial`,
      );
    const key = await run(server, 'sha256sum /etc/groundwork/tls/server.key');
    const old = await serial();
    const later = new Date(Date.now() + 340 * 86_400_000);
    const certificates = step('certificates');
    const due = await plan(connection, certificates.resources(await contextOf(certificates, later)));
    expect(due.map(({id}) => id)).toEqual(['certificate /etc/groundwork/tls/server.crt']);
    await run(server, 'rm /etc/groundwork/tls/server.crt');
    await lay(certificates);
    await lay(step('nginx'));
    expect(await serial()).not.toBe(old);
    expect(await run(server, 'sha256sum /etc/groundwork/tls/server.key')).toBe(key);
  });

  it('puts back what somebody changed by hand', async () => {
    await run(
      server,
      'iptables -t nat -F GROUNDWORK-VPN; chmod 644 /etc/groundwork/tls/server.key; wg set wg0 listen-port 4444',
    );
    await run(server, 'echo "# by hand" >>/etc/nginx/conf.d/groundwork.conf');
    for (const one of steps) await lay(one);
    for (const one of steps) expect(await complaints(one)).toEqual([]);
  });
});

describe('a host with systemd-resolved and chrony of its own', () => {
  it('keeps both, and sends its names to our server and its clock to our sources', async () => {
    const site = addressAt(subnetOf(neighbour.address, 24), 1);
    await run(
      neighbour,
      `install -d /etc/systemd/resolved.conf.d
printf '[Resolve]\\nDNS=${site}\\n' >/etc/systemd/resolved.conf.d/site.conf
DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends systemd-resolved chrony >/dev/null 2>&1`,
    );
    connection = cliConnection(neighbour);
    const base = sample();
    deployment = {
      ...base,
      hosts: base.hosts.map(host => ({...host, name: 'ground-2', privateAddress: neighbourPrivate})),
      components: {...base.components, timeServers: ['192.168.50.1']},
    };
    for (const id of ['host-baseline', 'local-dns']) {
      expect((await lay(step(id)))[1]).toEqual([]);
      expect(await complaints(step(id))).toEqual([]);
      expect(await plan(connection, step(id).resources(await contextOf(step(id))))).toEqual([]);
    }
    expect(await run(neighbour, 'readlink /etc/resolv.conf')).toContain('stub-resolv.conf');
    expect(await run(neighbour, 'getent ahostsv4 steps1.lab.test | cut -d" " -f1 | sort -u')).toBe(server.address);
    expect(await run(neighbour, 'chronyc -n sources')).toContain('192.168.50.1');
  });
});
