import {describe, expect, it} from 'vitest';
import {type HostSpec, kubernetes} from '../../source/deployment/schema.ts';
import {inRules, routedRules} from '../../steps/firewall/rules.ts';
import {sampleDeployment} from '../support/step-context.ts';

const all = ['base', 'proxy', 'compute', 'storage'];

const table = (deployment = sampleDeployment(), roles = all, sshPort = 22) =>
  inRules(deployment, {roles, privateAddress: '10.0.0.11'}, sshPort).map(
    ({from, port, protocol}) => `${port}/${protocol} from ${from}`,
  );

const withChannel = (...more: readonly object[]) => {
  const deployment = sampleDeployment();
  return sampleDeployment({channels: [...deployment.channels, ...(more as typeof deployment.channels)]});
};

const publicChannel = {name: 'web', kind: 'public', acknowledgement: 'anyone on the internet can reach this'};
const secondVpn = {
  name: 'partners',
  kind: 'private',
  subnet: '10.16.0.0/24',
  port: 51821,
  endpoint: '203.0.113.10',
  tunnel: 'full',
  peers: [],
};

describe('what may come in', () => {
  it('is this table on a sandbox', () => {
    expect(table()).toEqual([
      '22/tcp from 198.51.100.0/24',
      '22/tcp from 10.0.0.0/24',
      '22/tcp from 10.15.0.0/16',
      '51820/udp from any',
      '80/tcp from 10.0.0.0/24',
      '80/tcp from 10.15.0.0/16',
      '443/tcp from 10.0.0.0/24',
      '443/tcp from 10.15.0.0/16',
      '2049/tcp from 10.0.0.0/24',
      '53/udp from 10.0.0.0/24',
      '53/udp from 10.15.0.0/16',
      '53/tcp from 10.0.0.0/24',
      '53/tcp from 10.15.0.0/16',
    ]);
  });

  it('leaves the port of DNS closed where the site’s own DNS answers', () => {
    const {components} = sampleDeployment();
    const site = sampleDeployment({components: {...components, dns: {...components.dns, server: 'site'}}});
    expect(table(site).filter(rule => rule.startsWith('53/'))).toEqual([]);
    expect(table(site)).toHaveLength(table().length - 4);
  });

  it('is SSH alone on a host that has nothing but the base', () => {
    expect(table(sampleDeployment(), ['base'])).toEqual([
      '22/tcp from 198.51.100.0/24',
      '22/tcp from 10.0.0.0/24',
      '22/tcp from 10.15.0.0/16',
    ]);
  });

  it('opens SSH where the host’s server really listens', () => {
    expect(table(sampleDeployment(), ['base'], 2222)[0]).toBe('2222/tcp from 198.51.100.0/24');
  });

  it('opens the web to everybody only when there is a public channel, and nothing else with it', () => {
    const closed = table();
    const open = table(withChannel(publicChannel));
    expect(open).toContain('443/tcp from any');
    expect(open).toContain('80/tcp from any');
    expect(open.filter(rule => !closed.includes(rule))).toEqual(['80/tcp from any', '443/tcp from any']);
  });

  it('opens a port of its own for each VPN and lets its peers in', () => {
    const added = table(withChannel(secondVpn)).filter(rule => !table().includes(rule));
    expect(added).toEqual([
      '22/tcp from 10.16.0.0/24',
      '51821/udp from any',
      '80/tcp from 10.16.0.0/24',
      '443/tcp from 10.16.0.0/24',
      '53/udp from 10.16.0.0/24',
      '53/tcp from 10.16.0.0/24',
    ]);
  });

  it('has no rule twice when two sources are the same block', () => {
    const deployment = sampleDeployment();
    const same = {...deployment, network: {...deployment.network, adminSources: ['10.0.0.0/24']}};
    expect(new Set(table(same)).size).toBe(table(same).length);
  });
});

describe('what may pass through', () => {
  it('is a VPN’s way to the private subnet, and with a full tunnel to everywhere', () => {
    expect(routedRules(withChannel(secondVpn), {roles: all}).map(({in: from, to}) => `${from} → ${to}`)).toEqual([
      'wg0 → 10.0.0.0/24',
      'wg1 → any',
    ]);
  });

  it('is nothing on a host that is no proxy', () => {
    expect(routedRules(sampleDeployment(), {roles: ['base', 'storage']})).toEqual([]);
  });
});

describe('with Kubernetes', () => {
  const deployment = sampleDeployment();
  const onHosts = (...hosts: readonly {readonly name: string; readonly roles: string[]}[]) =>
    sampleDeployment({
      components: {...deployment.components, kubernetes: kubernetes.parse({})},
      hosts: hosts.map(({name, roles}, index) => ({
        ...(deployment.hosts[0] as HostSpec),
        name,
        roles,
        address: `203.0.113.${10 + index}`,
        privateAddress: `10.0.0.${11 + index}`,
      })),
    });

  it('a machine alone opens the API to the operators’ networks, and the rest to its own pods only', () => {
    const added = table(onHosts({name: 'sandbox-1', roles: all})).filter(rule => !table().includes(rule));
    expect(added).toEqual([
      '53/udp from 10.42.0.0/16',
      '53/tcp from 10.42.0.0/16',
      '6443/tcp from 10.0.0.0/24',
      '6443/tcp from 10.15.0.0/16',
      '6443/tcp from 10.42.0.0/16',
      '10250/tcp from 10.42.0.0/16',
      '9796/tcp from 10.42.0.0/16',
      '80/tcp from 10.42.0.0/16',
      '443/tcp from 10.42.0.0/16',
    ]);
  });

  it('machines of a cluster let each other in, and the proxy to the gateway', () => {
    const three = onHosts(
      {name: 'compute-1', roles: ['base', 'compute']},
      {name: 'compute-2', roles: ['base', 'compute']},
      {name: 'proxy-1', roles: ['base', 'proxy']},
    );
    const rules = table(three, ['base', 'compute']);
    for (const port of ['9345/tcp', '2379/tcp', '2380/tcp', '10250/tcp', '9796/tcp', '8472/udp'])
      expect(rules).toContain(`${port} from 10.0.0.12`);
    expect(rules).toContain('30080/tcp from 10.0.0.13');
    expect(rules.filter(rule => rule.endsWith('from 10.0.0.11'))).toEqual([]);
    expect(table(three, ['base', 'proxy']).filter(rule => rule.includes('10.42.'))).toEqual([]);
  });

  it('forwards what pods send, and nothing else that it did not before', () => {
    const one = onHosts({name: 'sandbox-1', roles: all});
    const added = routedRules(one, {roles: all}).slice(routedRules(deployment, {roles: all}).length);
    expect(added).toEqual([{from: '10.42.0.0/16', to: 'any', purpose: 'pods'}]);
    expect(routedRules(one, {roles: ['base', 'storage']})).toEqual([]);
  });
});
