import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {type Deployment, type HostSpec, kubernetes, publicAcknowledgement} from '../../source/deployment/schema.ts';
import type {RunEvent} from '../../source/engine/events.ts';
import {emptyCache} from '../../source/engine/look.ts';
import {redactor} from '../../source/engine/redact.ts';
import {runDeployment} from '../../source/engine/run.ts';
import {type Step, step} from '../../source/engine/step.ts';
import type {Connection} from '../../source/hosts/connection.ts';
import {factsScript, parseFacts} from '../../source/hosts/gather-facts.ts';
import {ok} from '../../source/result.ts';
import {certificates, nginx, siteDns} from '../../steps/index.ts';
import {converge, plan} from '../support/apply.ts';
import {anEnvironment} from '../support/deployments.ts';
import {of, running} from '../support/engine.ts';
import {command, note} from '../support/fake-hosts.ts';
import {cliConnection, type LabHost, labDown, labExec, labUp} from '../support/lab.ts';
import {atSite, contextFor, sampleDeployment} from '../support/step-context.ts';

/**
 * A site with a DNS of its own: `resolver` answers for it, `compute` asks it, `proxy` has an address on the private subnet
 * (192.168.50.0/24) and one outside, which is the lab's network. `resolver` also plays whoever comes from outside.
 */
const privateSubnet = '192.168.50.0/24';
const [proxyPrivate, computePrivate, resolverPrivate] = ['192.168.50.11', '192.168.50.12', '192.168.50.53'];
/** Of somebody whom a router before the site leads to the private address. */
const stranger = '203.0.113.9';

let proxy: LabHost;
let compute: LabHost;
let resolver: LabHost;

const run = async (host: LabHost, script: string): Promise<string> => {
  const {code, stdout, stderr} = await labExec(host, script);
  if (code !== 0) throw new Error(`${script}\nended with ${code}: ${stdout}${stderr}`);
  return stdout.trim();
};

/** The status that a program ends with, and what it prints. */
const tried = async (host: LabHost, script: string): Promise<string> => {
  const {code, stdout} = await labExec(host, script);
  return `${code} ${stdout.trim()}`;
};

const machine = (name: string, host: LabHost, privateAddress: string, ...roles: string[]): HostSpec => ({
  name,
  reach: 'ssh',
  address: host.address,
  port: 22,
  user: 'ubuntu',
  roles: ['base', ...roles],
  privateAddress,
});

const site = (more: Partial<Deployment> = {}): Deployment => {
  const sample = sampleDeployment({
    hosts: [machine('proxy-1', proxy, proxyPrivate, 'proxy'), machine('compute-1', compute, computePrivate, 'compute')],
    network: {privateSubnet, adminSources: ['10.0.0.0/8'], pods: '10.42.0.0/16', services: '10.43.0.0/16'},
    environments: [anEnvironment({name: 'qa'})],
    ...more,
  });
  return atSite({...sample, components: {...sample.components, kubernetes: kubernetes.parse({})}});
};

/** What whoever keeps the zone has entered: dnsmasq's settings, in force at once. */
const zone = (...records: readonly string[]): Promise<string> =>
  run(
    resolver,
    `cat >/etc/dnsmasq.d/site.conf <<'EOF'
port=53
listen-address=${resolverPrivate}
bind-interfaces
no-resolv
no-hosts
local-ttl=60
local=/openg2p.test/
${records.map(record => `address=/${record}`).join('\n')}
EOF
systemctl restart dnsmasq`,
  );

beforeAll(async () => {
  const hosts = await labUp(3, {prefix: 'sitedns'});
  [proxy, compute, resolver] = hosts as [LabHost, LabHost, LabHost];
  const prepare = (host: LabHost, address: string, packages: string) =>
    run(
      host,
      `ip address add ${address}/24 dev eth0 2>/dev/null; export DEBIAN_FRONTEND=noninteractive
printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d
apt-get update -q >/dev/null && apt-get install -qy ${packages} >/dev/null; status=$?; rm /usr/sbin/policy-rc.d; exit $status`,
    );
  await Promise.all([
    prepare(proxy, proxyPrivate, 'curl openssl ca-certificates'),
    prepare(compute, computePrivate, 'bind9-dnsutils curl python3'),
    prepare(resolver, resolverPrivate, 'dnsmasq curl openssl'),
  ]);
  await run(compute, `rm -f /etc/resolv.conf; echo 'nameserver ${resolverPrivate}' >/etc/resolv.conf`);
});

afterAll(() => labDown([proxy, compute, resolver].filter(Boolean)));

describe('records of the site’s DNS', () => {
  const dns: Step = {...siteDns, after: []};
  const needs = step({
    id: 'needs',
    title: 'What needs the names',
    why: 'A test.',
    role: 'compute',
    after: [dns],
    estimate: 1,
    resources: () => [note('/root/needs', 'x')],
    verify: () => [],
  });
  const other: Step = {
    ...needs,
    id: 'other',
    title: 'What does not',
    after: [],
    resources: () => [command('/root/other', 'touch /root/other')],
  };

  const carryOut = async (patience: number, seen: (event: RunEvent) => Promise<unknown> = async () => undefined) => {
    const events: RunEvent[] = [];
    const pending: unknown[] = [];
    const deployment = site();
    const result = await runDeployment({
      deployment,
      steps: [dns, needs, other],
      connect: async host => ok(cliConnection(host.name === 'proxy-1' ? proxy : compute)),
      facts: {script: factsScript, parse: parseFacts},
      ensureSecret: async () => ok(''),
      cache: {read: () => emptyCache, write: () => {}},
      // The pauses of people, in the time of a test.
      clock: {
        now: () => new Date(),
        sleep: milliseconds => new Promise(resolve => setTimeout(resolve, Math.min(milliseconds, 400))),
      },
      marker: () => `m${Math.random().toString(36).slice(2)}`,
      run: 'r',
      resumed: false,
      practice: false,
      preflight: () => [],
      accepted: [],
      handOver: async () => ok(''),
      events: event => {
        events.push(event);
        pending.push(seen(event));
      },
      ask: async () => ({choice: 'leave', by: 'policy'}),
      control: running,
      redact: redactor(() => []),
      parallel: 4,
      patience,
    });
    await Promise.all(pending);
    return {result, events};
  };

  test('that are missing or wrong are told apart, and when they are right everything goes on by itself', async () => {
    await zone();
    const changes = [
      () => zone(`rancher.openg2p.test/${proxyPrivate}`, 'grafana.openg2p.test/192.168.50.99'),
      () => zone(`rancher.openg2p.test/${proxyPrivate}`, `grafana.openg2p.test/${proxyPrivate}`),
    ];
    // While the resolver starts anew nobody answers, which is said, and is no news about a record.
    const isTold = ({news, missing}: Extract<RunEvent, {type: 'waiting'}>) =>
      news && !missing.some(({found}) => found.startsWith('nobody answered'));
    const {result, events} = await carryOut(600, async event => {
      if (event.type === 'waiting' && isTold(event)) await changes.shift()?.();
    });
    const told = of(events, 'waiting')
      .filter(isTold)
      .map(({missing}) => missing.map(({title, found}) => `${title}: ${found}`));
    expect(told).toEqual([
      [
        `rancher.openg2p.test leads to ${proxyPrivate}: the name does not exist (NXDOMAIN)`,
        `grafana.openg2p.test leads to ${proxyPrivate}: the name does not exist (NXDOMAIN)`,
      ],
      [
        `grafana.openg2p.test leads to ${proxyPrivate}: it leads to 192.168.50.99; a correction may stay unseen for 60 s (TTL)`,
      ],
    ]);
    expect(of(events, 'step.finished').map(({step: id, state}) => `${id} ${state}`)).toEqual([
      'other changed',
      'site-dns unchanged',
      'needs changed',
    ]);
    expect(of(events, 'verified').map(({passed}) => passed)).toEqual([true, true]);
    expect(result).toMatchObject({outcome: 'succeeded', failed: 0});
  });

  test('that nobody answers about are not called missing, and the run ends in a state of its own', async () => {
    await run(resolver, 'systemctl stop dnsmasq');
    const {result} = await carryOut(0);
    expect(result.outcome).toBe('waiting');
    expect(result.failures[0]?.tail?.[0]).toMatch(/: nobody answered, which says nothing about the record: /);
    await zone(`rancher.openg2p.test/${proxyPrivate}`, `grafana.openg2p.test/${proxyPrivate}`);
    expect((await carryOut(0)).result.outcome).toBe('succeeded');
  });
});

describe('a proxy with two addresses', () => {
  const vault = new Map<string, string>();
  const lay = async (step: Step, deployment: Deployment) => {
    const connection: Connection = cliConnection(proxy);
    const ran = await connection.run(factsScript);
    const facts = ran.ok ? parseFacts(ran.value.stdout) : ran;
    if (!facts.ok) throw new Error(JSON.stringify(facts.error));
    const resources = step.resources(await contextFor(step, {deployment, facts: facts.value, vault, now: new Date()}));
    const {rounds} = await converge(connection, resources);
    expect(rounds[1]).toEqual([]);
    expect(await plan(connection, resources)).toEqual([]);
    return rounds[0]?.map(({id}) => id) ?? [];
  };
  const sockets = () => run(proxy, `ss -Hltn | awk '{print $4}' | grep -E ':(80|443)$' | sort | xargs`);
  const curl = (address: string, name: string, path = '/healthz', more = '') =>
    `curl --silent --insecure --noproxy '*' --max-time 5 ${more} --output /dev/null --write-out '%{http_code}' --resolve ${name}:443:${address} https://${name}${path}`;
  const open = () =>
    site({
      channels: [
        ...sampleDeployment().channels,
        {name: 'web', kind: 'public', acknowledgement: publicAcknowledgement, address: proxy.address},
      ],
    });

  test('moves from all addresses to the private one, which a reload alone does not do', async () => {
    const all = site();
    const [first, ...others] = all.hosts;
    const oneMachine = {
      ...all,
      hosts: [{...(first as HostSpec), roles: ['base', 'proxy', 'compute']}, ...others.slice(1)],
    };
    await lay(certificates, all);
    await lay(nginx, oneMachine);
    expect(await sockets()).toContain('0.0.0.0:443');
    expect(await lay(nginx, all)).toContain('nginx listening addresses');
    expect(await sockets()).toBe(`${proxyPrivate}:443 ${proxyPrivate}:80`);
  });

  test('answers inside, and is not there outside', async () => {
    expect(await tried(compute, curl(proxyPrivate, 'qa.openg2p.test'))).toBe('0 200');
    expect(await tried(compute, curl(proxyPrivate, 'rancher.openg2p.test'))).toBe('0 200');
    expect(await tried(resolver, curl(proxy.address, 'qa.openg2p.test'))).toBe('7 000');
  });

  test('refuses strangers whom somebody leads to the private address, whatever they claim', async () => {
    await run(
      resolver,
      `ip address add ${stranger}/32 dev eth0; ip route replace ${proxyPrivate}/32 dev eth0 src ${stranger}`,
    );
    await run(proxy, `ip route replace ${stranger}/32 dev eth0`);
    const from = `--interface ${stranger}`;
    expect(await tried(resolver, curl(proxyPrivate, 'rancher.openg2p.test', '/healthz', from))).toBe('0 403');
    const claims = `${from} --header 'X-Forwarded-For: ${computePrivate}' --header 'X-Real-IP: ${computePrivate}'`;
    expect(await tried(resolver, curl(proxyPrivate, 'rancher.openg2p.test', '/healthz', claims))).toBe('0 403');
    expect(await tried(resolver, curl(proxyPrivate, 'not-served.example', '/', from))).toBe('35 000');
  });

  test('shows environments outside once they are public, and what operators work with to nobody there', async () => {
    await lay(nginx, open());
    expect(await sockets()).toContain('0.0.0.0:443');
    expect(await tried(resolver, curl(proxy.address, 'qa.openg2p.test'))).toBe('0 200');
    expect(await tried(resolver, curl(proxy.address, 'rancher.openg2p.test'))).toBe('35 000');
    const forged = `--header 'Host: rancher.openg2p.test'`;
    expect(await tried(resolver, curl(proxy.address, 'qa.openg2p.test', '/healthz', forged))).toMatch(/^(52|92|0 421)/);
    expect(
      await tried(resolver, curl(proxyPrivate, 'rancher.openg2p.test', '/healthz', `--interface ${stranger}`)),
    ).toBe('0 403');
    expect(await tried(compute, curl(proxyPrivate, 'rancher.openg2p.test'))).toBe('0 200');
  });

  test('tells the platform who really asked', async () => {
    await run(
      compute,
      `cat >/root/echo.py <<'EOF'
import http.server
class Echo(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{self.headers['X-Real-IP']} {self.headers['X-Forwarded-For']} {self.headers['Host']}".encode())
    def log_message(self, *words):
        pass
http.server.ThreadingHTTPServer(('${computePrivate}', 30080), Echo).serve_forever()
EOF
systemd-run --quiet --unit echo python3 /root/echo.py; for i in $(seq 50); do ss -Hltn | grep -q :30080 && break; sleep 0.1; done`,
    );
    const said = await run(
      resolver,
      `curl --silent --insecure --max-time 5 --header 'X-Forwarded-For: 10.0.0.1' --resolve qa.openg2p.test:443:${proxy.address} https://qa.openg2p.test/`,
    );
    expect(said).toBe(`${resolver.address} ${resolver.address} qa.openg2p.test`);
  });
});
