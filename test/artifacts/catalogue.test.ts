import {describe, expect, it} from 'vitest';
import {artifactPath, fileNameOf} from '../../source/artifacts/artifact.ts';
import {catalogue} from '../../source/artifacts/catalogue.ts';
import {artifactOf, artifactsFor, chart} from '../../source/artifacts/for-step.ts';
import {isNeeded} from '../../source/artifacts/needed.ts';
import {addressFrom, placeOf} from '../../source/artifacts/source.ts';
import {versionSets} from '../../source/blueprints/versions.ts';
import {artifactSource, type Deployment, deployment as schema} from '../../source/deployment/schema.ts';
import {sampleFacts} from '../support/facts.ts';
import {sampleDeployment} from '../support/step-context.ts';

const everything = versionSets.flatMap(set => (['amd64', 'arm64'] as const).map(arch => catalogue(set, arch)));

const withKubernetes = (more: Partial<Deployment> = {}): Deployment =>
  schema.parse({
    ...sampleDeployment(more),
    components: {...sampleDeployment().components, kubernetes: {}},
  });

describe('the catalogue', () => {
  it.each(everything.map((all, index) => [index, all] as const))('has an id for each, row %i', (_, all) => {
    expect(new Set(all.map(({id}) => id)).size).toBe(all.length);
  });

  it('has nothing without a way to prove it', () => {
    for (const {id, sha256, checksumAddress, index} of everything.flat())
      expect([id, sha256 ?? checksumAddress ?? index?.address]).toEqual([id, expect.stringMatching(/./)]);
  });

  it('takes everything over https, proofs included', () => {
    for (const {address, checksumAddress, index} of everything.flat())
      for (const each of [address, checksumAddress, index?.address])
        if (each !== undefined) expect(each).toMatch(/^https:\/\/[a-z0-9.-]+\//);
  });

  it('gives each file a place of its own on the host, so that versions and architectures never meet', () => {
    for (const all of everything) {
      const places = all.map(artifact => artifactPath(artifact));
      expect(new Set(places).size).toBe(places.length);
    }
  });

  it('keeps the names that publishers gave, with a plus sign where they have one', () => {
    const [set] = versionSets;
    const all = set ? catalogue(set, 'amd64') : [];
    const archive = all.find(({id}) => id === 'rke2-archive');
    expect(archive?.address).toContain('%2Brke2r1/');
    expect(archive && artifactPath(archive)).toMatch(/\/rke2-v[\d.]+\+rke2r\d+\/rke2\.linux-amd64\.tar\.gz$/);
    const monitoring = all.find(({id}) => id === 'chart-rancher-monitoring');
    expect(monitoring && fileNameOf(monitoring)).toMatch(/^rancher-monitoring-\d+\.[\d.]+\+up.*\.tgz$/);
  });
});

describe('what a step asks for', () => {
  const context = {deployment: withKubernetes(), facts: sampleFacts()};

  it('is of the deployment’s versions and the host’s architecture', () => {
    expect(artifactOf('kubectl', context)).toMatchObject({arch: 'amd64', version: versionSets[0]?.kubectl});
    expect(artifactOf('kubectl', {...context, facts: {...sampleFacts(), arch: 'arm64'}}).address).toContain('/arm64/');
  });

  it('is a bug when there is no such thing', () => {
    expect(() => artifactOf('kubctl', context)).toThrow('there is no artifact "kubctl"');
    expect(() => chart(context, 'kubectl')).toThrow('kubectl is no chart');
  });

  it('gives a chart by its path and version', () => {
    expect(chart(context, 'chart-loki')).toEqual({
      path: artifactPath(artifactOf('chart-loki', context)),
      version: versionSets[0]?.charts.loki?.version,
    });
  });

  it('holds to what is known beforehand, except on practice hosts and where the mirror decides', () => {
    const pins = (deployment: Deployment, practice = false) =>
      artifactsFor({deployment, facts: {...sampleFacts(), practice}}).filter(({sha256}) => sha256).length;
    const mirror = {source: 'mirror', address: 'http://10.0.0.5', checksums: 'pinned'} as const;
    expect(pins(withKubernetes())).toBeGreaterThan(0);
    expect(pins(withKubernetes({artifacts: mirror}))).toBeGreaterThan(0);
    expect(pins(withKubernetes({artifacts: {...mirror, checksums: 'published'}}))).toBe(0);
    expect(pins(withKubernetes(), true)).toBe(0);
  });

  it('is nothing for the ground alone', () => {
    expect(artifactsFor({deployment: sampleDeployment(), facts: sampleFacts()})).toEqual([]);
  });
});

describe('what a deployment needs', () => {
  const neededBy = (deployment: Deployment) =>
    artifactsFor({deployment, facts: sampleFacts()})
      .filter(artifact => isNeeded(deployment, artifact))
      .map(({id}) => id);

  it('leaves out what it did not choose', () => {
    const bare = withKubernetes({environments: []});
    expect(neededBy(bare)).toContain('chart-loki');
    expect(neededBy(bare).filter(id => id.includes('openg2p'))).toEqual([]);
    const kubernetes = bare.components.kubernetes;
    if (!kubernetes) throw new Error('no Kubernetes');
    const less = {
      ...bare,
      components: {...bare.components, kubernetes: {...kubernetes, logging: {...kubernetes.logging, enabled: false}}},
    };
    expect(neededBy(less)).not.toContain('chart-loki');
    expect(neededBy(less)).toContain('chart-rancher');
  });
});

describe('where things come from', () => {
  const address = 'https://github.com/rancher/rke2/releases/download/v1%2Brke2r1/file.tar.gz';

  it('is below a mirror at the publisher’s host and path', () => {
    const mirror = {source: 'mirror', address: 'http://10.0.0.5/copies', checksums: 'pinned'} as const;
    expect(addressFrom(mirror, address)).toBe(
      'http://10.0.0.5/copies/github.com/rancher/rke2/releases/download/v1%2Brke2r1/file.tar.gz',
    );
    expect(addressFrom(mirror, 'http://10.0.0.5/copies/charts/a.tgz')).toBe('http://10.0.0.5/copies/charts/a.tgz');
    expect(placeOf(address)).toBe('github.com/rancher/rke2/releases/download/v1+rke2r1/file.tar.gz');
  });

  it.each([
    {source: 'online'},
    {source: 'online', proxy: {address: 'http://proxy.site.example:3128', exclude: ['10.0.0.0/8', '.site.example']}},
    {source: 'mirror', address: 'https://mirror.site.example/groundwork'},
    {source: 'directory', path: '/media/stick'},
  ])('may be %j', source => {
    expect(artifactSource.safeParse(source).success).toBe(true);
  });

  it.each([
    {source: 'online', proxy: {address: 'http://user:password@proxy:3128'}},
    {source: 'mirror', address: 'ftp://mirror'},
    {source: 'mirror', address: 'http://user:secret@mirror'},
    {source: 'mirror', address: 'http://mirror/$(reboot)'},
    {source: 'mirror', address: 'http://mirror/'},
    {source: 'directory', path: 'relative'},
    {source: 'stick'},
  ])('may not be %j', source => {
    expect(artifactSource.safeParse(source).success).toBe(false);
  });
});
