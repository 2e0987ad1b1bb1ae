import type {Topology} from '../blueprints/blueprint.ts';
import type {HostSpec} from '../deployment/schema.ts';
import {labelFrom} from '../hosts/host-list.ts';
import type {Inventory, InventoryHost} from '../hosts/inventories.ts';
import {parseAddress, purposeOf} from '../network/address.ts';
import type {Item} from './item.ts';

/** What people call the machines of a production, the more telling words first. */
const callings: readonly (readonly [string, RegExp])[] = [
  ['backup', /backup/i],
  ['proxy', /proxy|nginx|load-?balancer|bastion|wireguard|vpn|gateway|edge|(^|[_-])(lb|rp)([_-]|\d|$)/i],
  ['storage', /storage|nfs|postgres|database|(^|[_-])db([_-]|\d|$)/i],
  ['compute', /compute|kube|k8s|rke2?|k3s|master|control|worker|server|agent|cluster|node/i],
];

/** Which machine of the topology a host is: as its groups are called, the nearest first, then as it is called itself. */
const machineOf = ({groups, called}: InventoryHost): string | undefined =>
  [...groups, called].flatMap(name => callings.filter(([, calling]) => calling.test(name)).map(([id]) => id))[0];

const hostSpec = (listed: InventoryHost, roles: readonly string[], otherwise: string): HostSpec => {
  const user = listed.user ?? 'ubuntu';
  return {
    name: labelFrom(
      listed.name ?? (parseAddress(listed.called).ok ? otherwise : (listed.called.split('.')[0] ?? '')),
      otherwise,
    ),
    reach: listed.local ? 'local' : 'ssh',
    address: listed.address,
    port: listed.port ?? 22,
    user,
    ...(listed.identityFile !== undefined && {identityFile: listed.identityFile}),
    ...(listed.jump !== undefined && {jump: {user, ...listed.jump}}),
    roles: [...roles],
    // What a public address stands for inside, the machine itself says when it is looked at.
    privateAddress: isPrivate(listed.address) ? listed.address : '',
  };
};

const isPrivate = (text: string): boolean => {
  const address = parseAddress(text);
  return address.ok && purposeOf(address.value) === 'private';
};

const whyUnused = {
  secret: 'is asked for when Groundwork logs in',
  template: 'is a template that only Ansible fills in',
  jump: 'the way through it is not one jump host; set it under Hosts',
  other: 'Groundwork has no use for it',
} as const;

/**
 * The hosts of an inventory as the machines of a topology that are not there yet, and what became of each line. A single
 * host that is called nothing telling is the machine of a sandbox.
 */
export const machinesFrom = (
  {hosts, unused}: Inventory,
  file: string,
  topology: Topology,
  there: readonly HostSpec[],
): {readonly hosts: readonly HostSpec[]; readonly items: readonly Item[]} => {
  const added: HostSpec[] = [];
  const items: Item[] = unused.map(({line, name, why}) => ({
    file,
    line,
    key: name,
    outcome: why === 'secret' ? 'secret' : 'left',
    paths: [],
    note: whyUnused[why],
  }));
  for (const listed of hosts) {
    const about = {file, line: listed.line, key: listed.called, paths: []};
    const wanted = topology.machines.length === 1 ? topology.machines[0]?.id : machineOf(listed);
    const machine = topology.machines.find(({id}) => id === wanted);
    if (machine === undefined) {
      items.push({...about, outcome: 'left', note: `its groups do not say which machine it is: add it under Hosts`});
      continue;
    }
    const same = [...there, ...added].filter(({roles}) => roles.join() === machine.roles.join());
    if (same.length >= machine.count.max) {
      items.push({
        ...about,
        outcome: 'left',
        note: `${topology.title} has one ${machine.title}, and ${same[0]?.name} is that`,
      });
      continue;
    }
    const spec = hostSpec(listed, machine.roles, `${machine.id}-1`);
    items.push({
      ...about,
      outcome: 'taken',
      value: spec.address,
      paths: [`hosts[${there.length + added.length}]`],
      note: `machine: ${machine.title}`,
    });
    added.push(spec);
  }
  return {hosts: added, items};
};
