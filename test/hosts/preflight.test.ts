import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import type {Facts} from '../../source/hosts/facts.ts';
import {parseFacts} from '../../source/hosts/gather-facts.ts';
import {
  blockingChecks,
  isAccepted,
  preflight,
  preflightAcross,
  preflightFailure,
} from '../../source/hosts/preflight.ts';
import {sampleFacts} from '../support/facts.ts';
import {broken, check, contextOf, deploymentWith, failures, GiB, listener, machine} from '../support/preflight.ts';

const {interfaces} = sampleFacts();

describe('a healthy host', () => {
  it('passes everything', () => {
    expect(failures(contextOf(sampleFacts()))).toEqual([]);
  });

  it('passes with everything of this very deployment running on it', () => {
    const facts = sampleFacts({
      deployment: 'demo',
      listeners: [
        listener('nginx', 80),
        listener('nginx', 443, '::'),
        listener('dnsmasq', 53, '10.0.0.11', 'udp'),
        listener('dnsmasq', 53, '127.0.0.1'),
        listener('ganesha.nfsd', 2049, '::'),
        listener('', 51820, '0.0.0.0', 'udp'),
      ],
      interfaces: [...interfaces, {name: 'wg0', mac: '', mtu: 1420, up: true, addresses: ['10.15.0.1/16']}],
      routes: [{destination: '10.15.0.0/16', interface: 'wg0', gateway: undefined}],
    });
    expect(failures(contextOf(facts))).toEqual([]);
  });

  it('passes over answers that are still being typed, which are no addresses, subnets and ports yet', () => {
    const whole = deploymentWith();
    for (const typed of ['', '1', '10.15', '10.15.0.0/', '10.15.0.0/160', 'zebra/16']) {
      const deployment = {
        ...whole,
        hosts: whole.hosts.map(host => ({...host, privateAddress: typed})),
        channels: whole.channels.map(channel => ({...channel, subnet: typed, port: Number.NaN})),
        network: {...whole.network, privateSubnet: typed, pods: typed, services: typed},
      };
      expect(failures(contextOf(sampleFacts(), deployment)), typed).toEqual(['private-address']);
    }
  });

  it('says for every check what was found and what is needed, and for every failure what to do', () => {
    for (const facts of [sampleFacts(), broken])
      for (const result of preflight(contextOf(facts))) {
        expect(result.found, result.id).not.toBe('');
        expect(result.needed, result.id).not.toBe('');
        expect(result.title, result.id).toMatch(/^[A-Z]/);
        if (result.outcome === 'failed') expect(result.remedy, result.id).toMatch(/^[A-Z`].*\.$/s);
        else expect(result.remedy, result.id).toBe('');
      }
  });

  it('gives every check an id of its own, also when two channels share a port', () => {
    const channels = ['one', 'two'].map((name, index) => ({
      name,
      kind: 'private',
      subnet: `10.${15 + index}.0.0/16`,
      endpoint: '203.0.113.10',
    }));
    const ids = preflight(contextOf(sampleFacts(), deploymentWith({channels}))).map(({id}) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(expect.arrayContaining(['port-51820', 'subnet-one', 'subnet-two']));
  });
});

describe('checks that do not concern a host', () => {
  it('are left out by its roles', () => {
    const hosts = [{name: 'compute-1', address: '10.0.0.11', roles: ['base', 'compute'], privateAddress: '10.0.0.11'}];
    const ids = preflight(contextOf(broken, deploymentWith({hosts}))).map(({id}) => id);
    expect(ids).not.toEqual(expect.arrayContaining([expect.stringMatching(/^(port-|wireguard|nfs-server)/)]));
    expect(ids).toContain('memory');
  });

  it('are left out without a VPN', () => {
    const ids = preflight(contextOf(broken, deploymentWith({channels: []}))).map(({id}) => id);
    expect(ids).not.toContain('wireguard');
    expect(ids.filter(id => id.startsWith('subnet-'))).toEqual(['subnet-pods', 'subnet-services']);
  });

  it('say nothing about the machine below a practice host', () => {
    const practice = {...broken, practice: true};
    expect(failures(contextOf(practice))).toEqual([
      'root',
      'os',
      'systemd',
      'apt-lock',
      'package-sources',
      'proxy',
      'leftovers',
      'docker',
      'deployment',
      'facts',
    ]);
  });
});

describe('recorded hosts', () => {
  const recorded = (name: string): Facts => {
    const parsed = parseFacts(readFileSync(new URL(`../../fixtures/facts/${name}.txt`, import.meta.url), 'utf8'));
    if (!parsed.ok) throw new Error(parsed.error);
    return parsed.value;
  };
  const lab = deploymentWith({
    hosts: [{name: 'h1', address: '10.92.0.11', roles: machine.roles, privateAddress: '10.92.0.11'}],
    network: {privateSubnet: '10.92.0.0/24', adminSources: ['10.92.0.0/24']},
  });

  it.each([
    ['ubuntu-24.04/cloud', deploymentWith(), []],
    [
      'ubuntu-22.04/first-boot',
      deploymentWith(),
      [
        'rotational',
        'apt-lock',
        'cloud-init',
        'reboot-required',
        'package-sources',
        'proxy',
        'hostname-resolves',
        'leftovers',
      ],
    ],
    [
      'debian-13/bare-metal',
      deploymentWith(),
      ['rotational', 'swap', 'time-sync', 'hostname', 'docker', 'port-443', 'port-2049'],
    ],
    ['debian-12/lab', lab, ['cpus', 'memory', 'rotational', 'time-sync']],
  ])('%s', (name, deployment, expected) => {
    expect(failures(contextOf(recorded(name), deployment))).toEqual(expected);
  });

  it('a busy lab host says who is in the way', () => {
    const facts = recorded('debian-12/lab-busy');
    const address = facts.interfaces.flatMap(({addresses}) => addresses).find(item => item.startsWith('10.92.')) ?? '';
    const hosts = [{name: 'h2', address: 'h2', roles: machine.roles, privateAddress: address.split('/')[0]}];
    const context = contextOf(facts, deploymentWith({...lab, hosts}));
    expect(check('apt-lock', context)?.found).toMatch(/lock-frontend is held by python3 \(process \d+\)/);
    expect(check('port-443', context)?.found).toBe('python3 listens on 0.0.0.0 (tcp)');
  });
});

describe('several hosts', () => {
  const one = sampleFacts({hostname: 'one'});
  const two = sampleFacts({hostname: 'two', machineId: 'f'.repeat(32), bootId: 'other'});
  const across = (...facts: Facts[]) =>
    preflightAcross(facts.map((item, index) => ({host: `host-${index + 1}`, facts: item}))).map(
      ({id, host, found, acceptable}) => [id, host, found, acceptable],
    );

  it('that differ are fine', () => {
    expect(across(one, two)).toEqual([]);
  });

  it('that are copies of one image share a machine id', () => {
    expect(across(one, {...two, machineId: one.machineId})).toEqual([
      ['machine-id-shared', 'host-1', `${one.machineId}, as on host-2`, true],
      ['machine-id-shared', 'host-2', `${one.machineId}, as on host-1`, true],
    ]);
  });

  it('with one name are two hosts for each other', () => {
    expect(across(one, {...two, hostname: 'one'}).map(([id, host]) => [id, host])).toEqual([
      ['hostname-shared', 'host-1'],
      ['hostname-shared', 'host-2'],
    ]);
  });

  it('that are one machine are found, and cannot be accepted', () => {
    expect(across(one, one).filter(([id]) => id === 'boot-id-shared')).toEqual([
      ['boot-id-shared', 'host-1', `${one.bootId}, as on host-2`, false],
      ['boot-id-shared', 'host-2', `${one.bootId}, as on host-1`, false],
    ]);
  });

  it('without machine ids do not share one', () => {
    expect(across({...one, machineId: ''}, {...two, machineId: ''})).toEqual([]);
  });

  it('that practise on one machine are left out', () => {
    expect(across({...one, practice: true}, {...one, practice: true})).toEqual([]);
  });
});

describe('what blocks an installation', () => {
  const checks = preflight(contextOf(sampleFacts({cpus: 2, swapBytes: GiB, arch: 'arm64'})));
  const ids = (accepted: string[]) => blockingChecks(checks, accepted).map(({id}) => id);

  it('is every failed error, and no warning', () => {
    expect(ids([])).toEqual(['arch', 'cpus']);
  });

  it('is not what was accepted for this host by name', () => {
    expect(ids(['sandbox-1:cpus'])).toEqual(['arch']);
    expect(ids(['cpus', 'other:cpus', 'sandbox-1:memory'])).toEqual(['arch', 'cpus']);
  });

  it('cannot be accepted where nothing good would come of it', () => {
    expect(ids(['sandbox-1:arch', 'sandbox-1:cpus'])).toEqual(['arch']);
    expect(checks.filter(item => isAccepted(item, ['sandbox-1:arch', 'sandbox-1:cpus'])).map(({id}) => id)).toEqual([
      'cpus',
    ]);
  });

  it('shows as a card that says how to go on', () => {
    expect(preflightFailure(blockingChecks(checks, ['sandbox-1:cpus']))).toMatchObject({
      kind: 'preflight',
      host: 'sandbox-1',
      message: 'Processor architecture: found arm64, needed amd64.',
      remedy: expect.not.stringContaining('--accept'),
    });
    const small = preflight(contextOf(sampleFacts({cpus: 2, memoryBytes: 4 * GiB})));
    expect(preflightFailure(blockingChecks(small, []))).toMatchObject({
      message: '2 checks of the host failed.',
      tail: [
        'cpus: Processors: found 2; needed at least 16 (nominal 16)',
        'memory: Memory: found 4.0 GiB; needed at least 60 GiB (nominal 64)',
      ],
      remedy: expect.stringContaining('--accept sandbox-1:cpus --accept sandbox-1:memory'),
    });
    expect(preflightFailure([])).toBeUndefined();
  });
});
