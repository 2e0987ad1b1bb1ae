import {type Machine, machineOf, type Topology} from '../blueprints/blueprint.ts';
import type {Deployment, HostSpec} from '../deployment/schema.ts';
import {labelFrom} from '../hosts/host-list.ts';
import {bestMachines, type Candidate, type Renamed, withMachines} from './machines.ts';
import type {FoundHost, HostReport, Services} from './services.ts';
import type {KnownFacts} from './suggestions.ts';

/** What is done with the hosts of a deployment as a whole: who is which machine, and who is called what. */
export type HostActions = {
  /** Adds hosts as the machines that are still missing, by their names or in order, until facts say better. */
  readonly addHosts: (found: readonly FoundHost[], more?: Partial<HostSpec>) => void;
  /** Makes a host another machine, because the operator says so; a name that followed the old one follows. */
  readonly changeMachine: (host: string, machine: string) => void;
  /**
   * Gives hosts the roles that their facts suggest, once all have been looked at: those that nobody has decided about,
   * or all of them.
   */
  readonly suggestMachines: (which?: 'undecided' | 'all') => void;
  readonly renameHost: (from: string, to: string) => void;
};

export type Hosts = {
  readonly deployment: Deployment | undefined;
  readonly reports: Readonly<Record<string, HostReport>>;
  readonly decided: readonly string[];
};

type Ports = {
  readonly services: Services;
  readonly get: () => Hosts;
  /** Keeps what changed; reports stay true under their new names. */
  readonly keep: (hosts: Hosts & {readonly deployment: Deployment}) => void;
};

export const topologyOf = (services: Pick<Services, 'blueprints'>, deployment: Deployment): Topology | undefined =>
  services.blueprints
    .find(({id}) => id === deployment.blueprint)
    ?.topologies.find(({id}) => id === deployment.topology);

/** The facts of the hosts that were looked at and found usable. */
export const factsIn = (reports: Readonly<Record<string, HostReport>>): KnownFacts =>
  Object.fromEntries(
    Object.values(reports).flatMap(report => (report.state === 'ready' ? [[report.host, report.facts]] : [])),
  );

/** The same reports where hosts have other names. */
const renamedReports = (
  reports: Hosts['reports'],
  renamed: readonly Renamed[],
): Readonly<Record<string, HostReport>> => {
  const newName = (name: string): string => renamed.find(({from}) => from === name)?.to ?? name;
  return Object.fromEntries(
    Object.values(reports).map(report => {
      const host = newName(report.host);
      return [
        host,
        report.state === 'ready'
          ? {...report, host, checks: report.checks.map(check => ({...check, host}))}
          : {...report, host},
      ];
    }),
  );
};

/** The machine that a new host is taken for: the missing one that its name speaks of, else the first that is missing. */
const machineForNew = (topology: Topology, hosts: readonly HostSpec[], name: string): Machine | undefined => {
  const missing = topology.machines.filter(
    machine => hosts.filter(host => machineOf(topology, host) === machine).length < machine.count.min,
  );
  return missing.find(({id}) => name.split('-').includes(id)) ?? missing[0] ?? topology.machines[0];
};

/** A found host as a host of the deployment, with a name that is not taken and the roles of a machine. */
const hostFrom = (found: FoundHost, others: readonly HostSpec[], roles: readonly string[]): HostSpec => {
  const taken = new Set(others.map(host => host.name));
  const base = labelFrom(found.name, labelFrom(`host-${found.address}`));
  let name = base;
  for (let number = 2; taken.has(name); number++) name = `${base}-${number}`;
  const user = found.user ?? others.at(-1)?.user ?? 'ubuntu';
  return {
    name,
    reach: 'ssh',
    address: found.address,
    port: found.port,
    user,
    ...(found.identityFile !== undefined && {identityFile: found.identityFile}),
    ...(found.jump !== undefined && {jump: {user, ...found.jump}}),
    roles: [...roles],
    privateAddress: found.address,
  };
};

const candidatesOf = ({reports, decided}: Hosts, {hosts}: Deployment, all: boolean): readonly Candidate[] => {
  const known = factsIn(reports);
  return hosts.map(host => ({host, facts: known[host.name], isDecided: !all && decided.includes(host.name)}));
};

export const hostActions = ({services, get, keep}: Ports): HostActions => {
  const apply = (deployment: Deployment, renamed: readonly Renamed[], decided: readonly string[]): void => {
    services.renameHosts(renamed);
    const newName = (name: string): string => renamed.find(({from}) => from === name)?.to ?? name;
    keep({deployment, reports: renamedReports(get().reports, renamed), decided: decided.map(newName)});
  };
  return {
    addHosts: (found, more = {}) => {
      const {deployment} = get();
      const topology = deployment && topologyOf(services, deployment);
      if (!topology) return;
      const hosts = [...deployment.hosts];
      for (const each of found) {
        const machine = machineForNew(topology, hosts, each.name);
        hosts.push({...hostFrom(each, hosts, machine?.roles ?? []), ...more});
      }
      keep({...get(), deployment: {...deployment, hosts}});
    },
    changeMachine: (name, machineId) => {
      const {deployment, decided} = get();
      const topology = deployment && topologyOf(services, deployment);
      const machine = topology?.machines.find(({id}) => id === machineId);
      if (!topology || !machine) return;
      const {deployment: changed, renamed} = withMachines(deployment, topology, {[name]: machine});
      apply(changed, renamed, [...new Set([...decided, name])]);
    },
    suggestMachines: (which = 'undecided') => {
      const hosts = get();
      const {deployment, reports} = hosts;
      const topology = deployment && topologyOf(services, deployment);
      if (!topology || deployment.hosts.some(({name}) => reports[name] === undefined)) return;
      const candidates = candidatesOf(hosts, deployment, which === 'all');
      const best = bestMachines(topology, candidates);
      const machines = Object.fromEntries(candidates.map(({host}, index) => [host.name, best[index]]));
      const {deployment: changed, renamed} = withMachines(deployment, topology, machines);
      apply(changed, renamed, which === 'all' ? [] : hosts.decided);
    },
    renameHost: (from, to) => {
      const {deployment, decided} = get();
      if (!deployment || from === to) return;
      apply(
        {
          ...deployment,
          hosts: deployment.hosts.map(host => (host.name === from ? {...host, name: to} : host)),
          acceptedChecks: deployment.acceptedChecks.map(text =>
            text.startsWith(`${from}:`) ? to + text.slice(from.length) : text,
          ),
        },
        [{from, to}],
        decided,
      );
    },
  };
};
