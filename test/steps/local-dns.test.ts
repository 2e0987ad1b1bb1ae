import {describe, expect, it} from 'vitest';
import type {Facts} from '../../source/hosts/facts.ts';
import {
  dnsmasqConfiguration,
  listenAddresses,
  resolvedDropIn,
  resolverOf,
  upstreams,
} from '../../steps/local-dns/configuration.ts';
import {sampleFacts} from '../support/facts.ts';
import {sampleDeployment} from '../support/step-context.ts';

const host = {privateAddress: '10.0.0.11'};
const plainResolver: Facts['resolver'] = {resolved: false, stub: false, resolvConf: 'file'};
const withoutResolved = sampleFacts({resolver: plainResolver});

describe('the DNS server', () => {
  it('answers for the domain itself and asks the host’s own servers about all else', () => {
    expect(dnsmasqConfiguration(sampleDeployment(), host, sampleFacts()).split('\n').slice(1)).toEqual([
      'bind-dynamic',
      'listen-address=10.0.0.11',
      'listen-address=10.15.0.1',
      'no-resolv',
      'no-hosts',
      'dns-loop-detect',
      'cache-size=1000',
      'local=/openg2p.test/',
      'address=/openg2p.test/10.0.0.11',
      'server=10.0.0.2',
      '',
    ]);
  });

  it('takes the loopback only where no stub resolver does that work', () => {
    expect(listenAddresses(sampleDeployment(), host, sampleFacts())).not.toContain('127.0.0.1');
    expect(listenAddresses(sampleDeployment(), host, withoutResolved)).toContain('127.0.0.1');
  });

  it('never asks itself, whatever the host says it asks', () => {
    const facts = sampleFacts({nameservers: ['127.0.0.1', '10.0.0.11', '10.15.0.1', '::1', '9.9.9.9']});
    expect(upstreams(sampleDeployment(), host, facts)).toEqual(['9.9.9.9']);
  });

  it('asks the servers that the operator named instead, if any', () => {
    const deployment = sampleDeployment();
    const named = {
      ...deployment,
      components: {...deployment.components, dns: {...deployment.components.dns, upstreams: ['10.9.9.9']}},
    };
    expect(upstreams(named, host, sampleFacts())).toEqual(['10.9.9.9']);
  });

  it('does not log who asks for what', () => {
    expect(dnsmasqConfiguration(sampleDeployment(), host, sampleFacts())).not.toContain('log-queries');
  });
});

describe('the host’s own resolver', () => {
  it('is systemd-resolved wherever /etc/resolv.conf leads to it', () => {
    expect(resolverOf(sampleFacts())).toBe('resolved');
    expect(resolverOf({resolver: {resolved: true, stub: false, resolvConf: '/run/systemd/resolve/resolv.conf'}})).toBe(
      'resolved',
    );
    expect(resolverOf(withoutResolved)).toBe('file');
    expect(resolverOf({resolver: {...plainResolver, resolved: true}})).toBe('file');
  });

  it('sends only the platform’s domains to our server', () => {
    expect(resolvedDropIn(sampleDeployment(), host)).toContain(
      '[Resolve]\nDNS=\nDNS=10.0.0.11\nDomains=~openg2p.test\n',
    );
  });
});
