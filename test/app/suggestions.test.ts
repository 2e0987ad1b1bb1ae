import {describe, expect, test} from 'vitest';
import {primaryAddress, subnetsOf, suggestFromFacts} from '../../source/app/suggestions.ts';
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
