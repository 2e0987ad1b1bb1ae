import {describe, expect, it} from 'vitest';
import type {Deployment} from '../../source/deployment/schema.ts';
import {supportedSystems} from '../../source/hosts/os-data.ts';
import type {ProxyCertificate} from '../../steps/certificates/proxy.ts';
import {allowList, insidersOnly, nginxConfiguration} from '../../steps/nginx/configuration.ts';
import {listening} from '../../steps/nginx/listening.ts';
import {servedNames} from '../../steps/shared/deployment.ts';
import {anEnvironment} from '../support/deployments.ts';
import {sampleFacts} from '../support/facts.ts';
import {sampleDeployment, wholeDeployment} from '../support/step-context.ts';

const systemNamed = (codename: string) => {
  const found = supportedSystems.find(system => system.codename === codename);
  if (!found) throw new Error(`no system ${codename}`);
  return found;
};

/** The certificate of the deployment's own CA, which covers all that is served. */
const own = (deployment: Deployment): ProxyCertificate => ({
  certificate: '/etc/groundwork/tls/server.crt',
  key: '/etc/groundwork/tls/server.key',
  names: servedNames(deployment),
});

const oneMachine = {roles: ['base', 'proxy', 'compute', 'storage'], privateAddress: '10.0.0.11'};

const configure = (
  codename = 'noble',
  deployment = sampleDeployment(),
  facts = sampleFacts(),
  host: Parameters<typeof nginxConfiguration>[1] = oneMachine,
) => nginxConfiguration(deployment, host, facts, systemNamed(codename), [own(deployment)]);

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

/** The servers of port 443 by their names, each with its text. */
const serversOf = (text: string): ReadonlyMap<string, string> =>
  new Map(
    text
      .split('\nserver {')
      .filter(part => part.includes('listen 443'))
      .map(part => [/server_name ([^;]+);/.exec(part)?.[1] ?? '', part]),
  );

describe('nginx before the platform', () => {
  const deployment = wholeDeployment({environments: [anEnvironment({name: 'qa'})]});

  it('serves Rancher, the platform’s names and each environment apart', () => {
    expect([...serversOf(configure('noble', deployment)).keys()]).toEqual([
      '_',
      'rancher.openg2p.test',
      'openg2p.test *.openg2p.test',
      'qa.openg2p.test *.qa.openg2p.test',
    ]);
  });

  it('passes to the gateway of every compute host, at its private address', () => {
    expect(configure('noble', deployment)).toContain('server 10.0.0.11:30080;');
  });

  it('lets pods in beside machines and VPNs', () => {
    expect(insidersOnly(deployment)).toEqual([
      'allow 10.0.0.0/24;',
      'allow 10.15.0.0/16;',
      'allow 10.42.0.0/16;',
      'deny all;',
    ]);
  });

  it('opens the environments to everybody with a public channel, and Rancher to nobody else', () => {
    const opened = {...deployment, channels: [...deployment.channels, publicChannel]};
    const servers = serversOf(configure('noble', opened));
    for (const name of ['rancher.openg2p.test', 'openg2p.test *.openg2p.test'])
      expect(servers.get(name)).toContain('deny all;');
    expect(servers.get('qa.openg2p.test *.qa.openg2p.test')).not.toContain('deny all;');
  });

  it('opens services of an environment, too, that are found beside its domain', () => {
    const beside = wholeDeployment({
      environments: [anEnvironment({name: 'qa', hostnames: {iam: 'login.openg2p.test', odk: 'forms.qa.openg2p.test'}})],
    });
    expect([...serversOf(configure('noble', beside)).keys()].at(-1)).toBe(
      'qa.openg2p.test *.qa.openg2p.test login.openg2p.test',
    );
  });

  it('does not cut terminals of Rancher that are silent for minutes', () => {
    const servers = serversOf(configure('noble', deployment));
    expect(servers.get('rancher.openg2p.test')).toContain('proxy_read_timeout 3600s;');
    expect(servers.get('openg2p.test *.openg2p.test')).toContain('proxy_read_timeout 300s;');
  });

  it('balances its braces', () => {
    const text = configure('noble', deployment);
    expect(text.match(/\{/g)?.length).toBe(text.match(/\}/g)?.length);
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

describe('a proxy on a machine of its own', () => {
  const host = {roles: ['base', 'proxy'], privateAddress: '10.0.0.5'};
  const deployment = wholeDeployment({environments: [anEnvironment({name: 'qa'})]});
  const open = {...deployment, channels: [...deployment.channels, publicChannel]};
  const listens = (text: string) =>
    text
      .split('\nserver {')
      .slice(1)
      .map(
        part =>
          `${/server_name ([^;]+);/.exec(part)?.[1]}: ${[...part.matchAll(/listen ([^;]+);/g)].map(([, at]) => at).join(', ')}`,
      );

  it('listens at its private address only', () => {
    const found = listens(configure('noble', deployment, sampleFacts(), host));
    expect(found).toEqual([
      '_: 10.0.0.5:80 default_server',
      '_: 10.0.0.5:443 ssl default_server',
      'rancher.openg2p.test openg2p.test *.openg2p.test qa.openg2p.test *.qa.openg2p.test: 10.0.0.5:80',
      'rancher.openg2p.test: 10.0.0.5:443 ssl http2',
      'openg2p.test *.openg2p.test: 10.0.0.5:443 ssl http2',
      'qa.openg2p.test *.qa.openg2p.test: 10.0.0.5:443 ssl http2',
    ]);
    expect(listening(deployment, host, sampleFacts()).expected).toBe('10.0.0.5:443 10.0.0.5:80');
  });

  it('shows environments everywhere once they are public, and what operators work with at the private address alone', () => {
    const found = listens(configure('noble', open, sampleFacts(), host));
    expect(found).toContain('rancher.openg2p.test: 10.0.0.5:443 ssl http2');
    expect(found).toContain('openg2p.test *.openg2p.test: 10.0.0.5:443 ssl http2');
    expect(found).toContain(
      'qa.openg2p.test *.qa.openg2p.test: 10.0.0.5:443 ssl http2, 443 ssl http2, [::]:443 ssl http2',
    );
    expect(found).toContain('_: 10.0.0.5:443 ssl default_server, 443 ssl default_server, [::]:443 ssl default_server');
    expect(found.filter(line => line.includes('rancher') && / 80|::/.test(line))).toEqual([]);
    expect(listening(open, host, sampleFacts()).expected).toBe('0.0.0.0:443 0.0.0.0:80 [::]:443 [::]:80');
  });

  it('keeps its allow list for operators also then: a router may turn the public address into the private one', () => {
    const rancher = rancherServer(configure('noble', open, sampleFacts(), host));
    expect(rancher).toContain('deny all;');
  });
});

/** The server of Rancher's name, with its text. */
const rancherServer = (text: string): string =>
  text.split('\nserver {').find(part => part.includes('server_name rancher.openg2p.test;') && part.includes(':443')) ??
  '';
