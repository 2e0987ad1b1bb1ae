import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {parseFacts} from '../../source/hosts/gather-facts.ts';
import {isContainer, nfsServerFor, osDataFor, supportedSystems} from '../../source/hosts/os-data.ts';
import {sampleFacts} from '../support/facts.ts';

const recorded = (name: string) =>
  parseFacts(readFileSync(new URL(`../../fixtures/facts/${name}.txt`, import.meta.url), 'utf8'));

describe('what is known of a system', () => {
  it.each([
    ['ubuntu-22.04/first-boot', 'jammy', 'listen', false],
    ['ubuntu-24.04/cloud', 'noble', 'listen', true],
    ['debian-12/lab', 'bookworm', 'listen', true],
    ['debian-13/bare-metal', 'trixie', 'directive', true],
  ])('%s is %s, its nginx wants http2 as %s and can refuse handshakes: %s', (name, codename, http2, rejectHandshake) => {
    const facts = recorded(name);
    expect(facts.ok && osDataFor(facts.value)).toMatchObject({codename, nginx: {http2, rejectHandshake}});
  });

  it.each([
    ['ubuntu', '23.10'],
    ['ubuntu', '12'],
    ['debian', '11'],
    ['debian', '24.04'],
    ['fedora', '42'],
    ['', ''],
  ])('%s %s is not supported', (id, version) => {
    expect(osDataFor({os: {id, version, codename: '', title: ''}})).toBeUndefined();
  });

  it('security updates come from the release itself', () => {
    for (const {codename, automaticUpdates} of supportedSystems)
      for (const origin of automaticUpdates.securityOrigins) expect(origin).toContain(`=${codename}-`);
  });
});

describe('the NFS server', () => {
  const on = (nfsd: boolean, virtualisation: string) =>
    sampleFacts({virtualisation, kernelFeatures: {...sampleFacts().kernelFeatures, nfsd}});

  it.each([
    ['auto', true, 'kvm', 'kernel'],
    ['auto', true, 'none', 'kernel'],
    ['auto', false, 'kvm', 'ganesha'],
    ['auto', true, 'lxc', 'ganesha'],
    ['auto', false, 'container-other', 'ganesha'],
    ['kernel', false, 'kvm', 'kernel'],
    ['ganesha', true, 'kvm', 'ganesha'],
  ] as const)('%s, with nfsd in the kernel: %s, on %s, is %s', (setting, nfsd, virtualisation, expected) => {
    expect(nfsServerFor(setting, on(nfsd, virtualisation))).toBe(expected);
  });

  it.each([
    ['none', false],
    ['kvm', false],
    ['unknown', false],
    ['docker', true],
    ['systemd-nspawn', true],
  ])('%s is a container: %s', (virtualisation, expected) => {
    expect(isContainer({virtualisation})).toBe(expected);
  });
});
