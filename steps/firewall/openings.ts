import type {Deployment} from '../../source/deployment/schema.ts';
import {isPublic, roles, vpns} from '../shared/deployment.ts';
import {type PortName, type RoleRule, rulesFor, type Source} from './rules.ts';

/** What a firewall beside ours has to let through, in words: it may stand before the site, or between its machines. */
export type Opening = {
  /** The machines that are reached, by name. */
  readonly to: readonly string[];
  readonly ports: readonly number[];
  readonly protocol: 'tcp' | 'udp';
  /** Subnets, machines by name, or `everybody`. */
  readonly from: readonly string[];
  readonly purpose: string;
  /** Comes from outside of the machines' subnet. */
  readonly perimeter: boolean;
};

type Named = {readonly name: string; readonly roles: readonly string[]};

/** From where a rule lets in, apart by the side of the perimeter that it lies on. Machines reach themselves anyway. */
const sourcesOf = (
  source: Source,
  deployment: Deployment,
  machines: readonly Named[],
): {readonly outside: readonly string[]; readonly inside: readonly string[]} => {
  const playing = (role: string) => machines.filter(machine => machine.roles.includes(role)).map(({name}) => name);
  switch (source) {
    case 'admins':
      return {outside: deployment.network.adminSources, inside: []};
    case 'anyone':
      return {outside: ['everybody'], inside: []};
    case 'web':
      return {outside: isPublic(deployment) ? ['everybody'] : [], inside: [deployment.network.privateSubnet]};
    case 'private':
      return {outside: [], inside: [deployment.network.privateSubnet]};
    case 'nodes':
      return {outside: [], inside: playing(roles.compute)};
    case 'proxies':
      return {outside: [], inside: playing(roles.proxy)};
    case 'backups':
      return {outside: [], inside: playing(roles.backup)};
    // Peers of the VPN come out of the proxy with its address, and pods with that of their machine.
    case 'vpn':
    case 'pods':
      return {outside: [], inside: []};
  }
};

const portsOf = (ports: readonly PortName[], deployment: Deployment): readonly number[] =>
  ports.flatMap(port =>
    port === 'ssh' ? [22] : port === 'wireguard' ? vpns(deployment).map(vpn => vpn.port) : [port],
  );

const openingsOf = (rule: RoleRule, deployment: Deployment, machines: readonly Named[]): readonly Opening[] => {
  const to = machines.filter(machine => machine.roles.includes(rule.role)).map(({name}) => name);
  const ports = portsOf(rule.ports, deployment);
  const sources = rule.from.map(source => sourcesOf(source, deployment, machines));
  const outside = [...new Set(sources.flatMap(each => each.outside))];
  // The subnet as a whole says it for each machine in it; a machine alone need not be let in to itself.
  const named = [...new Set(sources.flatMap(each => each.inside))].filter(name => to.length > 1 || !to.includes(name));
  const inside = named.includes(deployment.network.privateSubnet) ? [deployment.network.privateSubnet] : named;
  const about = {to, ports, protocol: rule.protocol, purpose: rule.purpose};
  if (to.length === 0 || ports.length === 0) return [];
  return [
    ...(outside.length > 0 ? [{...about, from: outside, perimeter: true}] : []),
    ...(inside.length > 0 && machines.length > 1 ? [{...about, from: inside, perimeter: false}] : []),
  ];
};

/**
 * What must be open beside the hosts' own firewalls, derived from their rules: what comes in from outside, and what machines
 * ask of each other. `machines` are those that there are, or that there will be.
 */
export const openings = (deployment: Deployment, machines: readonly Named[]): readonly Opening[] => {
  const all = rulesFor(deployment).flatMap(rule => openingsOf(rule, deployment, machines));
  return [...all.filter(({perimeter}) => perimeter), ...all.filter(({perimeter}) => !perimeter)];
};
