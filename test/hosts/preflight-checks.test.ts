import {describe, expect, it} from 'vitest';
import type {CheckResult} from '../../source/hosts/check.ts';
import type {Facts} from '../../source/hosts/facts.ts';
import {preflight} from '../../source/hosts/preflight.ts';
import {sampleFacts} from '../support/facts.ts';
import {broken, check, contextOf, deploymentWith, GiB, listener, machine} from '../support/preflight.ts';

const {kernelFeatures, time, mounts, interfaces} = sampleFacts();
const [root, efi] = mounts as [Facts['mounts'][number], Facts['mounts'][number]];
const [loopback, ens5] = interfaces as [Facts['interfaces'][number], Facts['interfaces'][number]];

type Case = readonly [
  what: string,
  id: string,
  facts: Partial<Facts>,
  expected: Partial<Record<keyof CheckResult, unknown>>,
  deployment?: Record<string, unknown>,
];

const failed = (more: Case[3] = {}): Case[3] => ({outcome: 'failed', severity: 'error', acceptable: true, ...more});
const warned = (more: Case[3] = {}): Case[3] => ({outcome: 'failed', severity: 'warning', ...more});
const fine = (more: Case[3] = {}): Case[3] => ({outcome: 'passed', ...more});
const saying = (pattern: RegExp) => ({found: expect.stringMatching(pattern)});
const never = {acceptable: false};

const withKubernetes = {components: {dns: {}, nfs: {}, nginx: {}, kubernetes: {}}};

const cases: readonly Case[] = [
  ['a login without sudo', 'root', {privileged: false}, failed(never)],
  ['another system', 'os', {os: broken.os}, failed({...never, ...saying(/Fedora/)})],
  [
    'a release nobody has tried',
    'os',
    {os: {id: 'ubuntu', version: '25.10', codename: 'q', title: 'Ubuntu 25.10'}},
    failed(),
  ],
  ['Debian 13', 'os', {os: {id: 'debian', version: '13', codename: 'trixie', title: 'Debian 13'}}, fine()],
  ['an ARM machine', 'arch', {arch: 'arm64'}, failed({...never, found: 'arm64'})],
  ['a container without systemd', 'systemd', {systemd: false}, failed(never)],
  ['too few processors', 'cpus', {cpus: 8}, failed({found: '8', needed: 'at least 16 (nominal 16)'})],

  // R15: whole gigabytes turned 62.8 into a failure
  ['a 64 GB machine that shows 62.8 GiB', 'memory', {memoryBytes: 62.8 * GiB}, fine({found: '62.8 GiB'})],
  ['exactly 60 GiB', 'memory', {memoryBytes: 60 * GiB}, fine()],
  ['a MiB less', 'memory', {memoryBytes: 60 * GiB - 1024 ** 2}, failed()],
  ['memory nobody could read', 'memory', {memoryBytes: 0}, failed()],

  [
    'a disk that is sold with 128 GB',
    'disk',
    {mounts: [{...root, bytes: 124_649_447_424}]},
    fine({found: '125 GB on /'}),
  ],
  ['a small disk', 'disk', {mounts: [{...root, bytes: 50e9}]}, failed()],
  [
    'two disks that are large enough together',
    'disk',
    {
      mounts: [
        {...root, bytes: 50e9},
        {...root, path: '/srv', bytes: 60e9},
      ],
    },
    fine(),
  ],
  [
    'a second disk that nothing of ours uses',
    'disk',
    {
      mounts: [
        {...root, bytes: 50e9},
        {...root, path: '/home', bytes: 60e9},
      ],
    },
    failed(),
  ],
  ['little room', 'disk-free', {mounts: [{...root, freeBytes: 4 * GiB}]}, failed(saying(/4\.0 GiB free on \//))],
  ['a full disk', 'disk-free', {mounts: [{...root, freeBytes: 0.2 * GiB}]}, failed(never)],
  [
    'a full export path',
    'disk-free',
    {mounts: [root, {...root, path: '/srv/nfs', freeBytes: 0}]},
    failed({...never, ...saying(/\/srv\/nfs/)}),
  ],
  ['a full disk that is not ours', 'disk-free', {mounts: [root, {...efi, freeBytes: 0}]}, fine()],
  ['mounts nobody could read', 'disk-free', {mounts: []}, failed(saying(/unknown/))],
  ['no inodes left', 'inodes', {mounts: [{...root, freeInodes: 100}]}, failed()],
  [
    'btrfs, which counts none',
    'inodes',
    {mounts: [{...root, freeInodes: Number.MAX_SAFE_INTEGER}]},
    fine({found: 'not limited'}),
  ],
  [
    'a rotating disk',
    'rotational',
    {disks: [{name: 'vda', bytes: 1, rotational: true}]},
    warned(saying(/vda says that it rotates/)),
  ],
  [
    'a disk that does not tell',
    'rotational',
    {disks: [{name: 'vda', bytes: 1, rotational: undefined}]},
    warned(saying(/does not tell/)),
  ],
  ['no disk below the file system', 'rotational', {mounts: [{...root, disks: []}]}, warned(saying(/does not tell/))],
  [
    'a rotating disk elsewhere',
    'rotational',
    {disks: [...sampleFacts().disks, {name: 'sdb', bytes: 1, rotational: true}]},
    fine(),
  ],
  [
    'swap',
    'swap',
    {swapBytes: 8 * GiB},
    warned({found: '8.0 GiB on', remedy: expect.stringMatching(/switches it off/)}),
  ],
  [
    'swap of a container',
    'swap',
    {swapBytes: 8 * GiB, virtualisation: 'lxc'},
    warned({remedy: expect.stringMatching(/below/)}),
  ],
  ['no packet filter', 'netfilter', {kernelFeatures: {...kernelFeatures, netfilter: false}}, failed()],
  ['no WireGuard at all', 'wireguard', {kernelFeatures: {...kernelFeatures, wireguard: false}}, failed()],
  [
    'WireGuard in user space',
    'wireguard',
    {kernelFeatures: {...kernelFeatures, wireguard: false, wireguardUserspace: true}},
    fine(saying(/wireguard-go/)),
  ],
  ["the kernel's NFS server", 'nfs-server', {}, fine({found: "the kernel's"})],
  [
    'no NFS server in the kernel',
    'nfs-server',
    {kernelFeatures: {...kernelFeatures, nfsd: false}},
    fine(saying(/Ganesha/)),
  ],
  [
    'one that Components insists on',
    'nfs-server',
    {kernelFeatures: {...kernelFeatures, nfsd: false}},
    failed(never),
    {components: {dns: {}, nfs: {server: 'kernel'}, nginx: {}}},
  ],

  ['no time server', 'time-sync', {time: {...time, synchronised: false, service: 'none'}}, warned(saying(/nothing/))],
  [
    'one that does not answer',
    'time-sync',
    {time: {...time, synchronised: false, service: 'chrony'}},
    warned(saying(/chrony runs/)),
  ],
  [
    'an apt lock',
    'apt-lock',
    {aptLock: '/var/lib/dpkg/lock-frontend is held by unattended-upgr (process 9)'},
    warned({...saying(/unattended-upgr/), remedy: expect.stringMatching(/waits/)}),
  ],
  ['cloud-init at work', 'cloud-init', {cloudInit: 'running'}, failed()],
  ['cloud-init with errors', 'cloud-init', {cloudInit: 'error'}, warned()],
  ['no cloud-init', 'cloud-init', {cloudInit: 'absent'}, fine()],
  ['a restart that is due', 'reboot-required', {rebootRequired: true}, warned()],
  [
    'no package server',
    'package-sources',
    {packageSources: broken.packageSources},
    failed({remedy: expect.stringMatching(/mirror/)}),
  ],
  [
    'one package server of two',
    'package-sources',
    {packageSources: {reachable: true, detail: 'x', unreachable: ['y']}},
    warned(),
  ],
  ['all package servers', 'package-sources', {packageSources: {reachable: true, detail: 'x', unreachable: []}}, fine()],
  ['a proxy that apt does not know', 'proxy', {proxy: broken.proxy}, warned(saying(/proxy:3128/))],
  ['a proxy that apt knows', 'proxy', {proxy: {...broken.proxy, apt: 'http://proxy:3128'}}, fine()],
  // R18: kubelet does not register such a name
  ['an underscore in the name', 'hostname', {hostname: 'node_1'}, failed({found: 'node_1'})],
  ['upper case in the name', 'hostname', {hostname: 'Node-1'}, failed()],
  ['a long name', 'hostname', {hostname: 'node-1.example.org'}, fine()],
  ['a name that does not resolve', 'hostname-resolves', {hostnameResolves: false}, warned()],
  ['no machine id', 'machine-id', {machineId: ''}, failed({found: 'none'})],
  ['a machine id of a half-made image', 'machine-id', {machineId: 'uninitialized'}, failed()],
  ['an older Kubernetes', 'leftovers', {leftovers: broken.leftovers}, failed({found: 'RKE2 (/var/lib/rancher/rke2)'})],
  [
    'the cluster of this deployment, at which its own step looks',
    'leftovers',
    {leftovers: broken.leftovers, deployment: 'demo'},
    fine(),
    withKubernetes,
  ],
  [
    'a cluster of nobody knows whom',
    'leftovers',
    {leftovers: broken.leftovers},
    failed({found: 'RKE2 (/var/lib/rancher/rke2)'}),
    withKubernetes,
  ],
  [
    'a port of the cluster that is taken',
    'port-6443',
    {listeners: [listener('haproxy', 6443)]},
    failed(never),
    withKubernetes,
  ],
  [
    'the ports of our own cluster',
    'port-9345',
    {listeners: [listener('rke2', 9345)], deployment: 'demo'},
    fine(),
    withKubernetes,
  ],
  ['Docker', 'docker', {leftovers: ['Docker (/var/lib/docker)']}, warned()],
  ['Docker alone is no leftover', 'leftovers', {leftovers: ['Docker (/var/lib/docker)']}, fine()],
  [
    "another deployment's ground",
    'deployment',
    {deployment: 'other'},
    failed({found: 'other', needed: 'none, or demo'}),
  ],
  ['our own ground', 'deployment', {deployment: 'demo'}, fine()],
  ['facts that could not be read', 'facts', {unread: ['time']}, warned(saying(/time/))],

  [
    'a private address that is nowhere',
    'private-address',
    {interfaces: [loopback, {...ens5, addresses: ['10.0.0.12/24', 'fe80::1/64']}]},
    failed({...never, found: '10.0.0.12/24 on ens5'}),
  ],
  [
    'a private address on a dead interface',
    'private-address',
    {interfaces: [{...ens5, up: false}]},
    failed({...never, found: 'ens5 is down'}),
  ],
  [
    'a private address outside its subnet',
    'private-subnet',
    {},
    failed(never),
    {network: {privateSubnet: '10.1.0.0/16', adminSources: ['10.0.0.0/8']}},
  ],
  ['no default route', 'default-route', {defaultRoute: undefined}, warned()],
  ['no resolver', 'nameservers', {nameservers: []}, failed()],
  [
    'no resolver, and upstreams in Components',
    'nameservers',
    {nameservers: []},
    fine(saying(/Components/)),
    {components: {dns: {upstreams: ['192.0.2.53']}, nfs: {}, nginx: {}}},
  ],
  ['small packets', 'mtu', {interfaces: [{...ens5, mtu: 1200}]}, warned({found: 'ens5 1200'})],
  [
    'small packets on an interface that is not used',
    'mtu',
    {interfaces: [ens5, {...ens5, name: 'tun0', mtu: 1200, addresses: []}]},
    fine(),
  ],
  ['IPv6 off', 'ipv6', {kernelFeatures: {...kernelFeatures, ipv6: false}}, fine({found: 'off'})],
  [
    'IPv6 with an address',
    'ipv6',
    {interfaces: [{...ens5, addresses: [...ens5.addresses, '2001:db8::b/64']}]},
    fine({found: 'on, as 2001:db8::b'}),
  ],

  [
    'another web server',
    'port-443',
    {listeners: [listener('apache2', 443, '::')]},
    failed({...never, found: 'apache2 listens on :: (tcp)', remedy: expect.stringMatching(/Stop and disable apache2/)}),
  ],
  ['a web server on one address only', 'port-443', {listeners: [listener('apache2', 443, '127.0.0.1')]}, failed(never)],
  ["somebody else's nginx", 'port-80', {listeners: [listener('nginx', 80)]}, failed(saying(/nginx of somebody else/))],
  [
    'our own nginx',
    'port-80',
    {listeners: [listener('nginx', 80)], deployment: 'demo'},
    fine({found: 'nginx of ours'}),
  ],
  [
    "the nginx of another deployment's ground",
    'port-80',
    {listeners: [listener('nginx', 80)], deployment: 'other'},
    failed(),
  ],
  ['port 443 over UDP', 'port-443', {listeners: [listener('caddy', 443, '::', 'udp')]}, fine()],
  ["systemd-resolved's stub", 'port-53', {}, fine({found: 'free'})],
  ['a name server on every address', 'port-53', {listeners: [listener('named', 53, '::', 'udp')]}, failed(never)],
  [
    'a name server on a network of its own',
    'port-53',
    {listeners: [listener('dnsmasq', 53, '192.168.122.1', 'udp')]},
    fine(),
  ],
  [
    "systemd-resolved's extra listener on the private address",
    'port-53',
    {listeners: [listener('systemd-resolve', 53, '10.0.0.11', 'udp')]},
    failed(never),
  ],
  [
    "somebody else's NFS server",
    'port-2049',
    {listeners: [listener('', 2049)]},
    failed(saying(/kernel of somebody else/)),
  ],
  ['our own NFS server in the kernel', 'port-2049', {listeners: [listener('', 2049)], deployment: 'demo'}, fine()],
  [
    'an unknown program, seen without root',
    'port-2049',
    {listeners: [listener('', 2049)], deployment: 'demo', privileged: false},
    failed({...never, ...saying(/cannot be seen/)}),
  ],
  ['another VPN', 'port-51820', {listeners: [listener('openvpn', 51820, '0.0.0.0', 'udp')]}, failed(never)],
  [
    'our own VPN in user space',
    'port-51820',
    {listeners: [listener('wireguard-go', 51820, '0.0.0.0', 'udp')], deployment: 'demo'},
    fine(),
  ],

  [
    'a network that holds the VPN subnet',
    'subnet-admin',
    {interfaces: [{...ens5, addresses: ['10.0.0.11/8']}]},
    failed({found: '10.0.0.0/8 on ens5'}),
  ],
  [
    'a route into the VPN subnet',
    'subnet-admin',
    {routes: [{destination: '10.15.3.0/24', interface: 'tun0', gateway: undefined}]},
    failed({found: '10.15.3.0/24 on tun0'}),
  ],
  [
    'our own VPN interface',
    'subnet-admin',
    {deployment: 'demo', interfaces: [...interfaces, {...ens5, name: 'wg0', addresses: ['10.15.0.1/16']}]},
    fine(),
  ],
  [
    'a network around the VPN subnet on a host of ours',
    'subnet-admin',
    {deployment: 'demo', interfaces: [{...ens5, addresses: ['10.0.0.11/8']}]},
    failed(),
  ],
  [
    'a neighbour of the VPN subnet',
    'subnet-admin',
    {routes: [{destination: '10.14.0.0/16', interface: 'tun0', gateway: undefined}]},
    fine(),
  ],
  [
    "another cluster's pods",
    'subnet-pods',
    {routes: [{destination: '10.42.0.0/24', interface: 'cni0', gateway: undefined}]},
    failed(),
  ],
  [
    'a network that holds the services',
    'subnet-services',
    {routes: [{destination: '10.40.0.0/13', interface: 'ens6', gateway: undefined}]},
    failed(),
  ],
  [
    'IPv6 networks',
    'subnet-pods',
    {routes: [{destination: 'fd00::/8', interface: 'ens5', gateway: undefined}]},
    fine(),
  ],
];

describe('each check', () => {
  const rows = cases.map(([what, id, facts, expected, deployment]) => ({what, id, facts, expected, deployment}));

  it.each(rows)('$what: $id', ({id, facts, expected, deployment}) => {
    expect(check(id, contextOf(sampleFacts(facts), deploymentWith(deployment)))).toMatchObject({
      id,
      host: 'sandbox-1',
      ...expected,
    });
  });

  it('is in the table above, and fails at least once there', () => {
    const all = new Set(preflight(contextOf(broken)).map(({id}) => id));
    const shown = new Set(cases.flatMap(([, id, , expected]) => (expected.outcome === 'failed' ? [id] : [])));
    const untried = [...all].filter(id => !shown.has(id));
    expect(untried.sort()).toEqual(['clock', 'ipv6']);
  });
});

describe('the volume for the backups', () => {
  const path = '/var/lib/groundwork-backup';
  const [vda] = sampleFacts().disks as [Facts['disks'][number]];
  const vdb = {name: 'vdb', bytes: 1e12, rotational: false};
  const volume = {...root, path, bytes: 0.98e12, disks: ['vdb']};
  const backupHost = {
    hosts: [{name: 'backup-1', address: '203.0.113.10', roles: ['base', 'backup'], privateAddress: '10.0.0.11'}],
    topology: 'production-minimum',
    components: {dns: {}, nfs: {}, nginx: {}, backup: {}},
  };
  const at = (facts: Partial<Facts>, deployment: Record<string, unknown> = backupHost) =>
    check('backup-volume', {
      ...contextOf(sampleFacts(facts), deploymentWith(deployment)),
      machine: {...machine, volumeGb: {nominal: 1000, least: 900}},
    });

  it.each<[string, Partial<Facts>, Partial<Record<keyof CheckResult, unknown>>]>([
    ['mounted where they lie', {disks: [vda, vdb], mounts: [root, volume]}, fine(saying(/ with 980 GB$/))],
    ['mounted above', {disks: [vda, vdb], mounts: [root, {...volume, path: '/var/lib'}]}, fine()],
    [
      'not mounted',
      {disks: [vda, vdb], mounts: [root]},
      warned({
        found: expect.stringMatching(/lies on \/,/),
        remedy: expect.stringMatching(/from the disk vdb \(1000 GB\)/),
      }),
    ],
    [
      'mounted elsewhere',
      {disks: [vda, vdb], mounts: [root, {...volume, path: '/mnt'}]},
      warned({remedy: expect.stringMatching(/^Give the machine a volume, mounted at \/var\/lib/)}),
    ],
    ['none', {}, warned({remedy: expect.stringMatching(/^Give the machine a volume/)})],
    ['too small', {disks: [vda, vdb], mounts: [root, {...volume, bytes: 5e11}]}, warned(saying(/500 GB/))],
    ['file systems nobody could read', {mounts: []}, warned({found: 'unknown'})],
  ])('%s', (_, facts, expected) => {
    expect(at(facts)).toMatchObject({id: 'backup-volume', host: 'backup-1', ...expected});
  });

  it('is asked of the backup machine only, and where there are backups', () => {
    expect(at({}, {})).toBeUndefined();
    expect(at({}, {...backupHost, components: {dns: {}, nfs: {}, nginx: {}}})).toBeUndefined();
  });
});

describe('the clock', () => {
  const at = (seconds: number) => {
    const context = contextOf(sampleFacts());
    return check('clock', {...context, now: new Date(context.now.getTime() - seconds * 1000)});
  };

  it.each([
    [0, 'passed', "as this machine's"],
    [60, 'passed', "60 s ahead of this machine's clock"],
    [-61, 'failed', "61 s behind this machine's clock"],
    [3600, 'failed', "60 min ahead of this machine's clock"],
    [-40_000_000, 'failed', "463 days behind this machine's clock"],
  ])('%d seconds ahead: %s', (seconds, outcome, found) => {
    expect(at(seconds)).toMatchObject({outcome, found});
  });

  it('is not judged when the host did not tell', () => {
    expect(check('clock', contextOf(sampleFacts({time: {...time, epochSeconds: 0}})))).toBeUndefined();
  });
});
