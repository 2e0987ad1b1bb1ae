import type {Machine} from '../../source/blueprints/blueprint.ts';
import {type Deployment, deployment as schema} from '../../source/deployment/schema.ts';
import type {CheckResult} from '../../source/hosts/check.ts';
import type {Facts, Listener} from '../../source/hosts/facts.ts';
import {type CheckContext, preflight} from '../../source/hosts/preflight.ts';
import {sampleFacts} from './facts.ts';

export const GiB = 1024 ** 3;

/** The sandbox's machine. */
export const machine: Machine = {
  id: 'sandbox',
  title: 'sandbox machine',
  count: {min: 1, max: 1},
  nominal: {cpus: 16, memoryGb: 64, diskGb: 128},
  least: {cpus: 16, memoryGb: 60, diskGb: 100},
  roles: ['base', 'proxy', 'compute', 'storage'],
};

/** A sandbox on one host at 10.0.0.11, with whole fields replaced. */
export const deploymentWith = (changes: Record<string, unknown> = {}): Deployment =>
  schema.parse({
    version: 1,
    name: 'demo',
    blueprint: 'openg2p',
    topology: 'sandbox',
    hosts: [{name: 'sandbox-1', address: '203.0.113.10', roles: machine.roles, privateAddress: '10.0.0.11'}],
    domain: 'openg2p.test',
    tls: {mode: 'local-ca'},
    channels: [{name: 'admin', kind: 'private', subnet: '10.15.0.0/16', endpoint: '203.0.113.10'}],
    network: {privateSubnet: '10.0.0.0/24', adminSources: ['10.0.0.0/8']},
    components: {dns: {}, nfs: {}, nginx: {}},
    ...changes,
  });

/** What the checks see of the deployment's first host, at the moment when its facts came in. */
export const contextOf = (facts: Facts, deployment: Deployment = deploymentWith()): CheckContext => {
  const [host] = deployment.hosts;
  if (!host) throw new Error('no host');
  return {host, facts, machine, deployment, now: new Date(facts.time.epochSeconds * 1000)};
};

export const check = (id: string, context: CheckContext): CheckResult | undefined =>
  preflight(context).find(result => result.id === id);

/** The ids of the checks that fail, in their order. */
export const failures = (context: CheckContext): string[] =>
  preflight(context).flatMap(({id, outcome}) => (outcome === 'failed' ? [id] : []));

export const listener = (
  process: string,
  port: number,
  address = '0.0.0.0',
  protocol: 'tcp' | 'udp' = 'tcp',
): Listener => ({
  protocol,
  address,
  port,
  process,
});

/** As much as can be wrong at once. */
export const broken = sampleFacts({
  os: {id: 'fedora', version: '42', codename: '', title: 'Fedora Linux 42'},
  arch: 'riscv64',
  hostname: 'Bad_Name',
  machineId: '',
  systemd: false,
  cpus: 1,
  memoryBytes: GiB,
  swapBytes: GiB,
  disks: [],
  mounts: [
    {
      ...(sampleFacts().mounts[0] as Facts['mounts'][number]),
      bytes: 10 * GiB,
      freeBytes: 0.5 * GiB,
      freeInodes: 3,
      disks: [],
    },
  ],
  interfaces: [],
  defaultRoute: undefined,
  nameservers: [],
  hostnameResolves: false,
  listeners: [
    ...[80, 443, 2049].map(port => listener('apache2', port)),
    listener('named', 53, '0.0.0.0', 'udp'),
    listener('openvpn', 51820, '0.0.0.0', 'udp'),
  ],
  routes: [{destination: '10.0.0.0/8', interface: 'tun0', gateway: undefined}],
  time: {...sampleFacts().time, synchronised: false, service: 'none'},
  aptLock: '/var/lib/dpkg/lock is held by dpkg (process 5)',
  cloudInit: 'running',
  rebootRequired: true,
  packageSources: {reachable: false, detail: 'no connection to http://a:80', unreachable: ['http://a:80']},
  proxy: {http: 'http://proxy:3128', https: undefined, noProxy: undefined, apt: undefined},
  kernelFeatures: {nfsd: false, wireguard: false, wireguardUserspace: false, netfilter: false, ipv6: false},
  deployment: 'other',
  leftovers: ['RKE2 (/var/lib/rancher/rke2)', 'Docker (/var/lib/docker)'],
  privileged: false,
  unread: ['listeners'],
});
