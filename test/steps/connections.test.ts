import {describe, expect, test} from 'vitest';
import {openg2p} from '../../source/blueprints/openg2p.ts';
import {type Deployment, type HostSpec, kubernetes} from '../../source/deployment/schema.ts';
import {contains} from '../../source/network/address.ts';
import {connectionsOf} from '../../steps/firewall/connections.ts';
import {inRules} from '../../steps/firewall/rules.ts';

const topology = openg2p.topologies.find(({id}) => id === 'production-minimum')!;

const hosts: HostSpec[] = topology.machines.map(({id, roles}, index) => ({
  name: `${id}-1`,
  reach: 'ssh',
  address: `10.0.0.${11 + index}`,
  port: 22,
  user: 'ubuntu',
  roles: [...roles],
  privateAddress: `10.0.0.${11 + index}`,
}));

const defaults = openg2p.defaults('prod', 'production-minimum');
const deployment = {
  ...defaults,
  hosts,
  network: {...defaults.network, privateSubnet: '10.0.0.0/24'},
  components: {...defaults.components, kubernetes: kubernetes.parse({})},
};

const connections = (of: Deployment = deployment) => connectionsOf(of, () => 22);

describe('connections between the machines of a deployment', () => {
  test('are these in the smallest production', () => {
    expect(connections().map(({from, to, protocol, port}) => `${from.name} > ${to.name} ${port}/${protocol}`)).toEqual([
      'compute-1 > storage-1 2049/tcp',
      'compute-1 > storage-1 5432/tcp',
      'compute-1 > proxy-1 443/tcp',
      'proxy-1 > compute-1 30080/tcp',
      'proxy-1 > compute-1 6443/tcp',
      'backup-1 > proxy-1 22/tcp',
      'backup-1 > compute-1 22/tcp',
      'backup-1 > storage-1 22/tcp',
      'storage-1 > backup-1 22/tcp',
    ]);
  });

  test('are all let in by the other’s firewall', () => {
    for (const {from, to, protocol, port} of connections()) {
      const lets = inRules(deployment, to, 22).some(
        rule =>
          rule.port === port &&
          rule.protocol === protocol &&
          (rule.from === 'any' || contains(rule.from, from.privateAddress)),
      );
      expect(lets, `${from.name} > ${to.name} ${port}/${protocol}`).toBe(true);
    }
  });

  test('are none where there is one machine, and follow what is installed', () => {
    const one = {...hosts[0]!, roles: ['base', 'proxy', 'compute', 'storage']};
    expect(connections({...deployment, hosts: [one]})).toEqual([]);
    const {postgresql: _, kubernetes: __, ...components} = deployment.components;
    const bare = connections({...deployment, components});
    expect(bare.map(({port}) => port)).toEqual([2049, 443, 22, 22, 22, 22]);
  });
});
