import {describe, expect, test} from 'vitest';
import {outsideSubnet, primaryAddress, subnetsOf, suggestFromFacts} from '../../source/app/suggestions.ts';
import {sampleFacts} from '../support/facts.ts';
import {answered} from '../support/walk.ts';

const {deployment} = answered();
const defaultSubnet = '10.0.0.0/16';

const interfaces = (...addresses: readonly string[]) => [
  {name: 'lo', mac: '', mtu: 65536, up: true, addresses: ['127.0.0.1/8', '::1/128']},
  {name: 'ens5', mac: '', mtu: 1500, up: true, addresses},
];

describe('the facts of a host suggest', () => {
  test('its address on the way out, IPv4 before IPv6, never a link-local one', () => {
    expect(primaryAddress(sampleFacts())).toEqual({address: '10.0.0.11', subnet: '10.0.0.0/24'});
    const facts = sampleFacts({interfaces: interfaces('fe80::1/64', '2001:db8::5/64', '192.168.7.9/22')});
    expect(primaryAddress(facts)).toEqual({address: '192.168.7.9', subnet: '192.168.4.0/22'});
    expect(subnetsOf(facts)).toEqual(['2001:db8::/64', '192.168.4.0/22']);
    expect(primaryAddress(sampleFacts({interfaces: []}))).toBeUndefined();
  });

  test('the private subnet, while it is the default', () => {
    const suggested = suggestFromFacts(deployment, {'sandbox-1': sampleFacts()}, defaultSubnet);
    expect(suggested.network.privateSubnet).toBe('10.0.0.0/24');
  });

  test('nothing where what the operator said fits', () => {
    const said = {...deployment, network: {...deployment.network, privateSubnet: '10.0.0.0/20'}};
    expect(suggestFromFacts(said, {'sandbox-1': sampleFacts()}, defaultSubnet)).toBe(said);
  });

  test('the private address of a host that is reached by another, and the subnet that it is in', () => {
    const host = {...deployment.hosts[0]!, address: '203.0.113.7', privateAddress: '203.0.113.7'};
    const said = {...deployment, hosts: [host], network: {...deployment.network, privateSubnet: '172.16.0.0/24'}};
    expect(suggestFromFacts(said, {'sandbox-1': sampleFacts()}, defaultSubnet)).toMatchObject({
      hosts: [{address: '203.0.113.7', privateAddress: '10.0.0.11'}],
      network: {privateSubnet: '10.0.0.0/24'},
    });
  });

  test('where devices dial, if nobody said so', () => {
    const silent = {...deployment, channels: deployment.channels.map(channel => ({...channel, endpoint: ''}))};
    expect(suggestFromFacts(silent, {'sandbox-1': sampleFacts()}, defaultSubnet)).toMatchObject({
      channels: [{endpoint: '10.0.0.11'}],
    });
  });
});

describe('the facts of several hosts suggest', () => {
  const [first] = deployment.hosts;
  const hostAt = (name: string, address: string, roles: readonly string[]) => ({
    ...first!,
    name,
    address,
    privateAddress: address,
    roles: [...roles],
  });
  const four = {
    ...deployment,
    channels: deployment.channels.map(channel => ({...channel, endpoint: ''})),
    hosts: [hostAt('storage-1', '192.0.2.1', ['base', 'storage']), hostAt('proxy-1', '192.0.2.2', ['base', 'proxy'])],
  };
  const known = {
    'storage-1': sampleFacts({interfaces: interfaces('172.17.0.1/16', '10.9.0.13/24')}),
    'proxy-1': sampleFacts({interfaces: interfaces('81.2.69.5/24', '172.17.0.1/16', '10.9.0.11/24')}),
  };

  test('the subnet that all of them have an address in, and those addresses', () => {
    const alone = {...known, 'proxy-1': sampleFacts({interfaces: interfaces('81.2.69.5/24', '10.9.0.11/24')})};
    expect(suggestFromFacts(four, alone, defaultSubnet)).toMatchObject({
      network: {privateSubnet: '10.9.0.0/24'},
      hosts: [{privateAddress: '10.9.0.13'}, {privateAddress: '10.9.0.11'}],
    });
  });

  test('the public address of the proxy for devices to dial, and never another machine', () => {
    expect(suggestFromFacts(four, known, defaultSubnet)).toMatchObject({channels: [{endpoint: '81.2.69.5'}]});
    const {'storage-1': storage} = known;
    expect(suggestFromFacts(four, {'storage-1': storage}, defaultSubnet)).toMatchObject({channels: [{endpoint: ''}]});
    const wrong = {...four, channels: four.channels.map(channel => ({...channel, endpoint: '192.0.2.1'}))};
    expect(suggestFromFacts(wrong, known, defaultSubnet)).toMatchObject({channels: [{endpoint: '81.2.69.5'}]});
  });

  test('what keeps a host out of the private subnet', () => {
    const {'storage-1': facts} = known;
    const said = {...four, network: {...four.network, privateSubnet: '10.0.0.0/24'}};
    expect(outsideSubnet(said, facts)).toBe(
      'No address of it is in the private subnet 10.0.0.0/24; it is in 172.17.0.0/16, 10.9.0.0/24.',
    );
    expect(outsideSubnet({...said, network: {...said.network, privateSubnet: '10.9.0.0/24'}}, facts)).toBeUndefined();
  });
});
