import {sizeFound} from '../source/app/machines.ts';
import type {HostReport} from '../source/app/services.ts';
import {machineOf, type Topology} from '../source/blueprints/blueprint.ts';
import type {Deployment} from '../source/deployment/schema.ts';
import {secondVolumeOf} from '../source/hosts/facts-storage.ts';

/** A measure of a machine: whole numbers, as one reads them. */
export type Found = {
  /** Undefined: the host was not looked at. */
  readonly found: number | undefined;
  readonly needed: number;
  /** Whether preflight takes it. */
  readonly suffices: boolean;
};

export type SizeLine = {
  readonly host: string;
  readonly title: string;
  readonly cpus: Found;
  readonly memory: Found;
  readonly disk: Found;
  /** The volume for copies, of machines that keep some. */
  readonly volume: Found | undefined;
  readonly isShort: boolean;
};

const measure = (found: number | undefined, needed: number, least: number): Found => ({
  found: found === undefined ? undefined : Math.round(found),
  needed,
  suffices: found === undefined || found >= least,
});

/** Found against needed of every host, in the order of the machines of the topology. */
export const sizeLines = (
  {hosts}: Deployment,
  topology: Topology,
  reports: Readonly<Record<string, HostReport>>,
): readonly SizeLine[] =>
  topology.machines.flatMap(machine =>
    hosts
      .filter(host => machineOf(topology, host) === machine)
      .map(({name}): SizeLine => {
        const report = reports[name];
        const facts = report?.state === 'ready' ? report.facts : undefined;
        const found = facts && sizeFound(facts);
        const {nominal, least, volumeGb} = machine;
        const cpus = measure(found?.cpus, nominal.cpus, least.cpus);
        const memory = measure(found?.memoryGb, nominal.memoryGb, least.memoryGb);
        const disk = measure(found?.diskGb, nominal.diskGb, least.diskGb);
        const volume =
          volumeGb === undefined
            ? undefined
            : measure(facts && (secondVolumeOf(facts)?.bytes ?? 0) / 1e9, volumeGb.nominal, volumeGb.least);
        const isShort = [cpus, memory, disk, ...(volume ? [volume] : [])].some(({suffices}) => !suffices);
        return {host: name, title: machine.title, cpus, memory, disk, volume, isShort};
      }),
  );

/** All machines in one line: what is too little, and where. Empty when all are as they should be. */
export const sizesText = (lines: readonly SizeLine[]): string => {
  const short = lines.filter(({isShort}) => isShort);
  if (short.length > 0) {
    const parts = short.map(({host, cpus, memory, disk, volume}) => {
      const what = [
        ...(cpus.suffices ? [] : ['CPUs']),
        ...(memory.suffices ? [] : ['memory']),
        ...(disk.suffices ? [] : ['disk']),
        ...(volume && !volume.suffices ? ['volume for copies'] : []),
      ];
      return `${host} ${what.join(', ')}`;
    });
    return `too little: ${parts.join('; ')}`;
  }
  const unseen = lines.filter(({cpus}) => cpus.found === undefined).map(({host}) => host);
  return unseen.length > 0 ? `not looked at: ${unseen.join(', ')}` : '';
};
