import {describe, expect, test} from 'vitest';
import {bestMachines, machinesAmiss, publicAddressOf, reasonFor, withMachines} from '../../source/app/machines.ts';
import {topologyById} from '../../source/blueprints/index.ts';
import {openg2p} from '../../source/blueprints/openg2p.ts';
import type {HostSpec} from '../../source/deployment/schema.ts';
import type {Facts} from '../../source/hosts/facts.ts';
import {secondVolumeOf} from '../../source/hosts/facts-storage.ts';
import {sampleFacts} from '../support/facts.ts';

const topology = topologyById(openg2p, 'production-minimum')!;
const GiB = 1024 ** 3;

const hostAt = (last: number, more: Partial<HostSpec> = {}): HostSpec => ({
  name: `host-10-0-0-${last}`,
  reach: 'ssh',
  address: `10.0.0.${last}`,
  port: 22,
  user: 'ubuntu',
  roles: ['base', 'proxy'],
  privateAddress: `10.0.0.${last}`,
  ...more,
});

/** A machine with a system's disk and perhaps another one, in GB. */
const factsOf = (cpus: number, memoryGb: number, diskGb: number, volumeGb = 0): Facts =>
  sampleFacts({
    cpus,
    memoryBytes: memoryGb * 0.98 * GiB,
    disks: [
      {name: 'vda', bytes: diskGb * 1e9, rotational: false},
      ...(volumeGb > 0 ? [{name: 'vdb', bytes: volumeGb * 1e9, rotational: true}] : []),
    ],
    mounts: [{path: '/', type: 'ext4', bytes: diskGb * 0.97e9, freeBytes: 1e10, freeInodes: 1e6, disks: ['vda']}],
  });

const best = (...facts: readonly (Facts | undefined)[]) =>
  bestMachines(
    topology,
    facts.map((each, index) => ({host: hostAt(11 + index), facts: each, isDecided: false})),
  ).map(machine => machine?.id);

describe('facts of four hosts', () => {
  test('tell which is which when they are what was ordered, in any order', () => {
    const [proxy, compute, storage, backup] = [
      factsOf(2, 4, 64),
      factsOf(16, 64, 128),
      factsOf(8, 32, 256),
      factsOf(4, 8, 64, 1000),
    ];
    expect(best(proxy, compute, storage, backup)).toEqual(['proxy', 'compute', 'storage', 'backup']);
    expect(best(backup, storage, compute, proxy)).toEqual(['backup', 'storage', 'compute', 'proxy']);
    expect(best(storage, backup, proxy, compute)).toEqual(['storage', 'backup', 'proxy', 'compute']);
  });

  test('put the proxy where the public address is, and copies where the second volume is, whatever the sizes', () => {
    // Not of a range for documentation, which is nobody's.
    const open = {
      ...factsOf(16, 64, 128),
      interfaces: [{name: 'ens5', mac: '', mtu: 1500, up: true, addresses: ['81.2.69.5/24', '10.0.0.9/24']}],
    };
    expect(best(open, factsOf(16, 64, 128, 2000), factsOf(16, 64, 128), factsOf(16, 64, 256))).toEqual([
      'proxy',
      'backup',
      'compute',
      'storage',
    ]);
  });

  test('take a name for a hint where nothing else tells', () => {
    const same = factsOf(4, 8, 64);
    const names = ['db-backup', 'storage-1', 'front', 'compute'];
    expect(
      bestMachines(
        topology,
        names.map((name, index) => ({host: hostAt(11 + index, {name}), facts: same, isDecided: false})),
      ).map(machine => machine?.id),
    ).toEqual(['backup', 'storage', 'proxy', 'compute']);
  });

  test('leave alone what the operator decided, and hosts that nobody has looked at', () => {
    const decided = {host: hostAt(11, {roles: ['base', 'storage']}), facts: factsOf(2, 4, 64), isDecided: true};
    const unseen = {host: hostAt(12, {roles: ['base', 'backup']}), facts: undefined, isDecided: false};
    const large = {host: hostAt(13), facts: factsOf(16, 64, 128), isDecided: false};
    expect(bestMachines(topology, [decided, unseen, large]).map(machine => machine?.id)).toEqual([
      'storage',
      'backup',
      'compute',
    ]);
  });

  test('give no place to a fifth host, which is the one that fits least', () => {
    const small = factsOf(1, 1, 8);
    const fine = [factsOf(2, 4, 64), factsOf(16, 64, 128), factsOf(8, 32, 256), factsOf(4, 8, 64, 1000)];
    expect(best(small, ...fine)).toEqual([undefined, 'proxy', 'compute', 'storage', 'backup']);
  });

  test('say why', () => {
    const others = [factsOf(8, 32, 256), factsOf(2, 4, 64)];
    const [proxy, compute, storage, backup] = topology.machines as [never, never, never, never];
    expect(reasonFor(compute, factsOf(16, 64, 128), others)).toBe('it has the most memory (62.7 GiB)');
    expect(reasonFor(storage, factsOf(8, 32, 512), others)).toBe('it has the largest disk (497 GB)');
    expect(reasonFor(backup, factsOf(4, 8, 64, 1000), others)).toBe('it has a second volume of 1.0 TB (vdb)');
    expect(reasonFor(proxy, factsOf(1, 2, 64), others)).toBe('it is the smallest');
  });

  test('know a public address, and a second disk, from what only looks like one', () => {
    expect(publicAddressOf(sampleFacts())).toBeUndefined();
    expect(secondVolumeOf(factsOf(2, 4, 64))).toBeUndefined();
    expect(secondVolumeOf(factsOf(2, 4, 64, 700))?.name).toBe('vdb');
  });
});

describe('hosts that become other machines', () => {
  const deployment = {
    ...openg2p.defaults('prod', 'production-minimum'),
    hosts: [hostAt(11), hostAt(12, {name: 'compute-1', roles: ['base', 'compute']}), hostAt(13, {name: 'oak'})],
    acceptedChecks: ['compute-1:memory', 'oak:disk'],
  };
  const [, compute, storage] = topology.machines;

  test('are called after them, unless the operator has called them something', () => {
    const {deployment: changed, renamed} = withMachines(deployment, topology, {
      'host-10-0-0-11': compute,
      'compute-1': storage,
      oak: storage,
    });
    expect(changed.hosts.map(({name, roles}) => [name, roles[1]])).toEqual([
      ['compute-1', 'compute'],
      ['storage-1', 'storage'],
      ['oak', 'storage'],
    ]);
    expect(renamed).toEqual([
      {from: 'host-10-0-0-11', to: 'compute-1'},
      {from: 'compute-1', to: 'storage-1'},
    ]);
    expect(changed.acceptedChecks).toEqual(['storage-1:memory', 'oak:disk']);
  });

  test('are told apart from what the topology wants, in words', () => {
    const two = deployment.hosts.map(host => ({...host, roles: ['base', 'compute']}));
    expect(machinesAmiss(topology, two)).toBe('3 hosts are compute, none is reverse proxy');
    expect(machinesAmiss(topology, two.slice(1, 2))).toBe('none is reverse proxy');
    const one = topology.machines.map(({roles}, index) => hostAt(11 + index, {roles: [...roles]}));
    expect(machinesAmiss(topology, one)).toBeUndefined();
  });
});
