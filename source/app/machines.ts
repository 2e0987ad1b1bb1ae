import {type Machine, machineOf, type Topology} from '../blueprints/blueprint.ts';
import type {Deployment, HostSpec} from '../deployment/schema.ts';
import type {Facts} from '../hosts/facts.ts';
import {secondVolumeOf} from '../hosts/facts-storage.ts';
import {labelFrom} from '../hosts/host-list.ts';
import {purposeOf} from '../network/address.ts';

/** A host that may become one of several machines of a topology. */
export type Candidate = {
  readonly host: HostSpec;
  /** Undefined: it was not looked at. It keeps the roles that it has. */
  readonly facts: Facts | undefined;
  /** The operator has decided. */
  readonly isDecided: boolean;
};

const gibi = 1024 ** 3;

/** A second disk from this size on is thought to be for copies: half of what the backup machine should have. */
const largeVolumeBytes = 5e11;

/** The public address that a host itself has, if it has one. */
export const publicAddressOf = ({interfaces}: Pick<Facts, 'interfaces'>): string | undefined =>
  interfaces
    .filter(({name, up}) => name !== 'lo' && up)
    .flatMap(({addresses}) => addresses.map(address => address.split('/')[0] ?? ''))
    .find(address => purposeOf(address) === 'public');

/** What a machine has of what sizes name: processors, GiB of memory, GB on the file system of `/`. */
export const sizeFound = ({cpus, memoryBytes, mounts}: Pick<Facts, 'cpus' | 'memoryBytes' | 'mounts'>) => ({
  cpus,
  memoryGb: memoryBytes / gibi,
  diskGb: (mounts.find(({path}) => path === '/')?.bytes ?? 0) / 1e9,
});

/** How many times too small; 0 when it suffices. A thousandth stands for nothing at all. */
const shortage = (needed: number, found: number): number =>
  Math.max(0, Math.log2(needed / Math.max(found, needed / 1024)));

/**
 * How badly a host suits a place. Too little counts four times what too much does, which is only waste; a public address
 * and a large second volume say more than any size, a name says as much as one that is halved.
 */
const misfit = ({host, facts, isDecided}: Candidate, machine: Machine, topology: Topology): number => {
  if (isDecided || !facts) return machineOf(topology, host) === machine ? -1000 : 0;
  const {cpus, memoryGb, diskGb} = machine.nominal;
  const found = sizeFound(facts);
  const sizes = [
    [cpus, found.cpus],
    [memoryGb, found.memoryGb],
    [diskGb, found.diskGb],
  ] as const;
  const size = sizes.reduce((sum, [needed, has]) => sum + shortage(needed, has) + shortage(has, needed) / 4, 0);
  const isLarge = (secondVolumeOf(facts)?.bytes ?? 0) >= largeVolumeBytes;
  const forCopies = isLarge && machine.roles.includes('backup');
  const forAll = publicAddressOf(facts) !== undefined && machine.roles.includes('proxy');
  return size - (forCopies ? 8 : 0) - (forAll ? 8 : 0) - (host.name.split('-').includes(machine.id) ? 1 : 0);
};

/** A place for each machine that a topology wants, and for more hosts as far as it takes more of a kind. */
const placesOf = ({machines}: Topology, wanted: number): readonly Machine[] => {
  const places = machines.flatMap(machine => Array.from({length: machine.count.min}, () => machine));
  const more = machines.flatMap(machine =>
    Array.from({length: Math.min(wanted, machine.count.max) - machine.count.min}, () => machine),
  );
  return [...places, ...more.slice(0, Math.max(0, wanted - places.length))];
};

/**
 * Which machine each host had best be, all together: the choice with the smallest sum of misfits. Undefined for hosts
 * beyond what the topology takes. Exact, for up to about 16 hosts; all of them are weighed against each other.
 */
export const bestMachines = (
  topology: Topology,
  candidates: readonly Candidate[],
): readonly (Machine | undefined)[] => {
  const places = placesOf(topology, candidates.length);
  const nobody = Math.max(0, places.length - candidates.length);
  type Choice = {readonly cost: number; readonly taken: readonly number[]};
  const known = new Map<string, Choice>();
  /** The best for the places from one on, without the hosts that are `used`; `empty` places may stay so. */
  const best = (place: number, used: number, empty: number): Choice => {
    const machine = places[place];
    if (!machine) return {cost: 0, taken: []};
    const key = `${place} ${used} ${empty}`;
    const before = known.get(key);
    if (before) return before;
    const choices = candidates.flatMap((candidate, index): Choice[] => {
      if (used & (1 << index)) return [];
      const rest = best(place + 1, used | (1 << index), empty);
      return [{cost: misfit(candidate, machine, topology) + rest.cost, taken: [index, ...rest.taken]}];
    });
    if (empty > 0) {
      const rest = best(place + 1, used, empty - 1);
      choices.push({cost: rest.cost, taken: [-1, ...rest.taken]});
    }
    const found = choices.reduce((a, b) => (b.cost < a.cost ? b : a));
    known.set(key, found);
    return found;
  };
  const {taken} = best(0, 0, nobody);
  return candidates.map((_, index) => places[taken.indexOf(index)]);
};

const inGb = (bytes: number): string =>
  bytes >= 1e12 ? `${(bytes / 1e12).toFixed(1)} TB` : `${Math.round(bytes / 1e9)} GB`;

/** What of a host's facts speaks for the machine that it is to be, for the operator; empty when nothing does. */
export const reasonFor = (machine: Machine, facts: Facts, others: readonly Facts[]): string => {
  const address = publicAddressOf(facts);
  const volume = secondVolumeOf(facts);
  const own = sizeFound(facts);
  const rest = others.map(sizeFound);
  const {roles} = machine;
  if (roles.includes('proxy') && address !== undefined) return `it has the public address ${address}`;
  if (roles.includes('backup') && volume && volume.bytes >= largeVolumeBytes)
    return `it has a second volume of ${inGb(volume.bytes)} (${volume.name})`;
  if (rest.length === 0) return '';
  if (roles.includes('compute') && rest.every(({memoryGb}) => memoryGb < own.memoryGb))
    return `it has the most memory (${own.memoryGb.toFixed(1)} GiB)`;
  if (roles.includes('storage') && rest.every(({diskGb}) => diskGb < own.diskGb))
    return `it has the largest disk (${Math.round(own.diskGb)} GB)`;
  if (roles.includes('proxy') && rest.every(({memoryGb}) => memoryGb >= own.memoryGb)) return 'it is the smallest';
  return 'its size comes nearest';
};

/** Whether a name stands for an address or for the machine that the host is to be, so that no operator misses it. */
const isOurName = ({name, address}: HostSpec, machine: Machine | undefined): boolean =>
  name === labelFrom(`host-${address}`) || (machine !== undefined && new RegExp(`^${machine.id}-\\d+$`).test(name));

/** The first free name for a machine: `storage-1`, `storage-2`, … */
export const nameFor = (machine: Machine, taken: ReadonlySet<string>): string => {
  let number = 1;
  while (taken.has(`${machine.id}-${number}`)) number += 1;
  return `${machine.id}-${number}`;
};

/** Another name for a host: what it was and what it is. */
export type Renamed = {readonly from: string; readonly to: string};

/**
 * Hosts as the machines that they are to be (undefined: as they are). Names that Groundwork gave follow the role; what
 * the operator called a host stays.
 */
export const withMachines = (
  deployment: Deployment,
  topology: Topology,
  machines: Readonly<Record<string, Machine | undefined>>,
): {readonly deployment: Deployment; readonly renamed: readonly Renamed[]} => {
  const changes = deployment.hosts.map(host => {
    const before = machineOf(topology, host);
    const machine = machines[host.name] ?? before;
    const follows = machine !== undefined && topology.machines.length > 1 && isOurName(host, before);
    return {
      host,
      machine,
      follows: follows && !(machine === before && new RegExp(`^${machine.id}-\\d+$`).test(host.name)),
    };
  });
  const taken = new Set(changes.filter(({follows}) => !follows).map(({host}) => host.name));
  const renamed: Renamed[] = [];
  const hosts = changes.map(({host, machine, follows}) => {
    if (!machine) return host;
    const roles = [...machine.roles];
    if (!follows) return {...host, roles};
    const name = nameFor(machine, taken);
    taken.add(name);
    if (name !== host.name) renamed.push({from: host.name, to: name});
    return {...host, roles, name};
  });
  return {deployment: renameIn({...deployment, hosts}, renamed), renamed};
};

/** What else names hosts: the checks that were accepted. */
const renameIn = (deployment: Deployment, renamed: readonly Renamed[]): Deployment => ({
  ...deployment,
  acceptedChecks: deployment.acceptedChecks.map(text => {
    const [host = '', ...rest] = text.split(':');
    return [renamed.find(({from}) => from === host)?.to ?? host, ...rest].join(':');
  }),
});

/** Kinds of which there are too many hosts or too few, in words; undefined when each machine is there once. */
export const machinesAmiss = (topology: Topology, hosts: readonly HostSpec[]): string | undefined => {
  const counted = topology.machines.map(machine => ({
    machine,
    count: hosts.filter(host => machineOf(topology, host) === machine).length,
  }));
  const tooMany = counted.find(({machine, count}) => count > machine.count.max);
  const tooFew = counted.find(({machine, count}) => count < machine.count.min);
  const many = tooMany && `${tooMany.count} hosts are ${tooMany.machine.title}`;
  const few = tooFew && `${tooFew.count === 0 ? 'none' : `only ${tooFew.count}`} is ${tooFew.machine.title}`;
  return [many, few].filter(Boolean).join(', ') || undefined;
};
