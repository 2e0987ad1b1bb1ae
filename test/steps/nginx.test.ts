import {describe, expect, it} from 'vitest';
import {supportedSystems} from '../../source/hosts/os-data.ts';
import {allowList, nginxConfiguration} from '../../steps/nginx/configuration.ts';
import {anEnvironment} from '../support/deployments.ts';
import {sampleFacts} from '../support/facts.ts';
import {sampleDeployment} from '../support/step-context.ts';

const systemNamed = (codename: string) => {
  const found = supportedSystems.find(system => system.codename === codename);
  if (!found) throw new Error(`no system ${codename}`);
  return found;
};

const configure = (codename = 'noble', deployment = sampleDeployment(), facts = sampleFacts()) =>
  nginxConfiguration(deployment, facts, systemNamed(codename));

const publicChannel = {
  name: 'web',
  kind: 'public' as const,
  acknowledgement: 'anyone on the internet can reach this',
};

describe('who may use the platform', () => {
  it('is the private subnet and each VPN, then nobody', () => {
    expect(allowList(sampleDeployment())).toEqual(['allow 10.0.0.0/24;', 'allow 10.15.0.0/16;', 'deny all;']);
  });

  it('is everybody once there is a public channel', () => {
    const deployment = sampleDeployment();
    expect(allowList({...deployment, channels: [...deployment.channels, publicChannel]})).toEqual([]);
  });
});

describe('nginx’s configuration', () => {
  it('serves the domain, one level below it, and the same of each environment', () => {
    const deployment = sampleDeployment({environments: [anEnvironment({name: 'qa'})]});
    expect(configure('noble', deployment)).toContain(
      'server_name openg2p.test *.openg2p.test qa.openg2p.test *.qa.openg2p.test;',
    );
  });

  it('passes web sockets on and keeps other connections open', () => {
    const text = configure();
    expect(text).toContain("default upgrade;\n    '' '';");
    expect(text).toContain('proxy_set_header Connection $groundwork_connection;');
  });

  it('takes uploads of the size that the deployment says, and waits five minutes for an answer', () => {
    expect(configure()).toContain('client_max_body_size 100m;');
    expect(configure()).toContain('proxy_read_timeout 300s;');
  });

  it('does not believe what clients say about where they come from', () => {
    expect(configure()).toContain('proxy_set_header X-Forwarded-For $remote_addr;');
    expect(configure()).not.toContain('$proxy_add_x_forwarded_for');
  });

  it('allows TLS 1.2 and 1.3 in every server of port 443', () => {
    expect(configure().match(/ssl_protocols TLSv1.2 TLSv1.3;/g)).toHaveLength(2);
  });

  it('speaks HTTP/2 in the form that the system’s nginx knows', () => {
    for (const codename of ['jammy', 'noble', 'bookworm']) {
      expect(configure(codename)).toContain('listen 443 ssl http2;');
      expect(configure(codename)).not.toContain('http2 on;');
    }
    expect(configure('trixie')).toContain('http2 on;');
    expect(configure('trixie')).not.toContain('ssl http2');
  });

  it('refuses the handshake for foreign names, and with a nameless certificate where nginx is too old for that', () => {
    expect(configure('noble')).toContain('ssl_reject_handshake on;');
    expect(configure('jammy')).not.toContain('ssl_reject_handshake');
    expect(configure('jammy')).toContain('ssl_certificate /etc/groundwork/tls/refuse.crt;');
  });

  it('listens on IPv6 only where the kernel has it', () => {
    expect(configure()).toContain('listen [::]:443');
    const without = sampleFacts({kernelFeatures: {...sampleFacts().kernelFeatures, ipv6: false}});
    expect(configure('noble', sampleDeployment(), without)).not.toContain('[::]');
  });

  it('makes room for long names, and says nothing about it otherwise', () => {
    const long = `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.example.org`;
    expect(configure('noble', sampleDeployment({domain: long}))).toContain('server_names_hash_bucket_size 512;');
    expect(configure()).not.toContain('server_names_hash_bucket_size');
  });

  it('balances its braces', () => {
    const text = configure();
    expect(text.match(/\{/g)?.length).toBe(text.match(/\}/g)?.length);
  });
});
