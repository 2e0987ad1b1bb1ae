import {type Blueprint, type Machine, machineOf} from '../../blueprints/blueprint.ts';
import type {HostSpec} from '../schema.ts';
import {error, type Rule} from './rule.ts';

const howMany = ({min, max}: Machine['count']): string =>
  min === max ? `${min}` : max === Number.POSITIVE_INFINITY ? `${min} or more` : `${min} to ${max}`;

/** The hosts are the machines that the topology wants: every one of a kind that it has, and as many of each. */
export const topologyFits =
  (blueprints: readonly Blueprint[]): Rule =>
  ({blueprint: blueprintId, topology: topologyId, hosts}) => {
    const blueprint = blueprints.find(({id}) => id === blueprintId);
    if (!blueprint) return [error('blueprint', `"${blueprintId}" is unknown; there is ${idsOf(blueprints)}`)];
    const topology = blueprint.topologies.find(({id}) => id === topologyId);
    if (!topology) {
      return [error('topology', `"${topologyId}" is unknown; ${blueprint.title} has ${idsOf(blueprint.topologies)}`)];
    }
    const wrongRoles = hosts.flatMap(({roles}, index) => {
      const unknown = roles.filter(role => !blueprint.roles.some(({id}) => id === role));
      const path = `hosts[${index}].roles`;
      if (unknown.length > 0)
        return [error(path, `${unknown.join(', ')}: no such role; there is ${idsOf(blueprint.roles)}`)];
      return machineOf(topology, hosts[index] as HostSpec)
        ? []
        : [
            error(
              path,
              `a machine of "${topology.id}" has the roles ${topology.machines.map(({roles}) => roles.join(', ')).join('; or ')}`,
            ),
          ];
    });
    const wrongCounts = topology.machines.flatMap(machine => {
      const count = hosts.filter(host => machineOf(topology, host) === machine).length;
      return count >= machine.count.min && count <= machine.count.max
        ? []
        : [error('hosts', `"${topology.id}" needs ${howMany(machine.count)} × ${machine.title}; there are ${count}`)];
    });
    return [...wrongRoles, ...wrongCounts];
  };

const idsOf = (items: readonly {readonly id: string}[]): string => items.map(({id}) => `"${id}"`).join(', ');
