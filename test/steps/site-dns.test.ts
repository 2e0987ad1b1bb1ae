import {describe, expect, it} from 'vitest';
import {type Deployment, type Environment, environment, publicAcknowledgement} from '../../source/deployment/schema.ts';
import {acceptedAddresses, recordsOf} from '../../steps/site-dns/records.ts';
import {sampleDeployment, wholeDeployment} from '../support/step-context.ts';

const atSite = (deployment: Deployment): Deployment => ({
  ...deployment,
  components: {...deployment.components, dns: {...deployment.components.dns, server: 'site'}},
});

const withPublic = (deployment: Deployment, address?: string): Deployment => ({
  ...deployment,
  channels: [
    ...deployment.channels,
    {name: 'web', kind: 'public', acknowledgement: publicAcknowledgement, ...(address !== undefined && {address})},
  ],
});

const qa = (more: Partial<Environment> = {}) => environment.parse({name: 'qa', ...more});

const told = (deployment: Deployment) =>
  recordsOf(deployment).map(({name, type, value, channel}) => `${name} ${type} ${value ?? '?'} ${channel}`);

describe('the records that the site has to make', () => {
  it('are none where our own server answers', () => {
    expect(recordsOf(wholeDeployment({environments: [qa()]}))).toEqual([]);
  });

  it('lead the platform’s names and each environment’s domain with all below it to the proxy’s private address', () => {
    expect(told(atSite(wholeDeployment({environments: [qa(), environment.parse({name: 'prod'})]})))).toEqual([
      'rancher.openg2p.test A 10.0.0.11 private',
      'grafana.openg2p.test A 10.0.0.11 private',
      'qa.openg2p.test A 10.0.0.11 private',
      '*.qa.openg2p.test A 10.0.0.11 private',
      'prod.openg2p.test A 10.0.0.11 private',
      '*.prod.openg2p.test A 10.0.0.11 private',
    ]);
  });

  it('name what no wildcard stands for, and nothing of what is switched off', () => {
    const deployment = wholeDeployment({environments: [qa({hostnames: {minio: 'files.openg2p.test'}})]});
    const {kubernetes} = deployment.components;
    if (!kubernetes) throw new Error('no platform');
    const bare = atSite({
      ...deployment,
      components: {
        ...deployment.components,
        kubernetes: {...kubernetes, monitoring: {...kubernetes.monitoring, enabled: false}},
      },
    });
    expect(told(bare)).toEqual([
      'rancher.openg2p.test A 10.0.0.11 private',
      'qa.openg2p.test A 10.0.0.11 private',
      '*.qa.openg2p.test A 10.0.0.11 private',
      'files.openg2p.test A 10.0.0.11 private',
    ]);
  });

  it('are all of the domain on the ground alone', () => {
    expect(told(atSite(sampleDeployment()))).toEqual([
      'openg2p.test A 10.0.0.11 private',
      '*.openg2p.test A 10.0.0.11 private',
    ]);
  });

  it('lead the public to the public address, and never to the names of operators', () => {
    const open = withPublic(wholeDeployment({environments: [qa()]}), '198.51.100.7');
    expect(told(open)).toEqual(['qa.openg2p.test A 198.51.100.7 public', '*.qa.openg2p.test A 198.51.100.7 public']);
    expect(told(atSite(open)).filter(line => line.endsWith('public'))).toEqual(told(open));
  });

  it('have no address while it is not known', () => {
    expect(told(atSite(wholeDeployment({hosts: []})))[0]).toBe('rancher.openg2p.test A ? private');
    expect(told(withPublic(wholeDeployment({environments: [qa()]})))[0]).toBe('qa.openg2p.test A ? public');
  });

  it('may be found at either address inside when they are public, at the private one only when they are not', () => {
    const open = atSite(withPublic(wholeDeployment({environments: [qa()]}), '198.51.100.7'));
    const accepted = (name: string) =>
      recordsOf(open)
        .filter(record => record.name === name)
        .map(record => acceptedAddresses(open, record))[0];
    expect(accepted('*.qa.openg2p.test')).toEqual(['10.0.0.11', '198.51.100.7']);
    expect(accepted('rancher.openg2p.test')).toEqual(['10.0.0.11']);
  });
});
