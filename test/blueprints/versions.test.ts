import {describe, expect, it} from 'vitest';
import {
  knownBad,
  minorOf,
  type VersionSet,
  versionProblems,
  versionSetOf,
  versionSets,
} from '../../source/blueprints/versions.ts';

const offered = versionSets[0] as VersionSet;

const changed = (change: Partial<VersionSet>, charts: Readonly<Record<string, string>> = {}): VersionSet => ({
  ...offered,
  ...change,
  charts: {
    ...offered.charts,
    ...Object.fromEntries(
      Object.entries(charts).map(([name, version]) => [
        name,
        {repository: 'https://charts.example', ...offered.charts[name], version},
      ]),
    ),
  },
});

/** What OpenG2P’s own scripts install, with their own numbers. */
const oldScripts = changed(
  {rke2: 'v1.33.6+rke2r1', kubectl: 'v1.33.6', helm: 'v3.17.3', istio: '1.24.1'},
  {
    rancher: '2.12.3',
    'rancher-monitoring': '105.0.0+up57.0.3',
    'rancher-monitoring-crd': '105.0.0+up57.0.3',
    loki: '6.24.0',
    'opentelemetry-collector': '0.111.0',
    'istio-base': '1.24.1',
    'istio-istiod': '1.24.1',
    'istio-gateway': '1.24.1',
  },
);

const reasons = (set: VersionSet, today?: Date) => versionProblems(set, today).map(({reason}) => reason);

describe('the sets of versions that are offered', () => {
  it('go together, today and until Kubernetes comes to its end', () => {
    for (const set of versionSets) expect(versionProblems(set, new Date('2026-11-21'))).toEqual([]);
    expect(reasons(offered, new Date('2027-03-01'))).toEqual([
      'Kubernetes 1.35 gets no repairs since 2027-02-28. Take a newer RKE2.',
    ]);
  });

  it('are found by their names, and the first one as the default', () => {
    expect(versionSetOf('default')).toBe(offered);
    for (const set of versionSets) expect(versionSetOf(set.id)).toBe(set);
    expect(versionSetOf('2019')).toBeUndefined();
  });

  it('say where each number comes from', () => {
    for (const {charts, sources} of versionSets) {
      for (const [name, pin] of Object.entries(charts)) {
        expect(pin.source, name).toMatch(/\w+\.\w+|\/charts/);
        expect(pin.repository).toMatch(/^https:\/\//);
        expect(pin.version).toMatch(/^\d+\.\d+\.\d+/);
      }
      expect(Object.keys(sources ?? {}).sort()).toEqual(['helm', 'istio', 'kubectl', 'rke2']);
    }
  });

  it('hold no version that is another one every day', () => {
    for (const {charts} of versionSets)
      for (const {version} of Object.values(charts)) expect(version).not.toMatch(/develop|latest|-rc/);
  });
});

describe('versions that do not go together', () => {
  it('are those of the old scripts, with a reason for each', () => {
    const found = versionProblems(oldScripts, new Date('2026-11-21'));
    expect(found.map(({parts}) => parts.join('+'))).toEqual([
      'rke2',
      'helm+rke2',
      'istio+rke2',
      'rancher-monitoring+rancher',
      'rancher-backup+rancher',
      'rke2',
      'loki',
      'opentelemetry-collector',
    ]);
    for (const {reason} of found) expect(reason).toMatch(/^\S.*\.$/);
  });

  it.each([
    ['a kubectl two minors away', changed({kubectl: 'v1.33.1'}), 'kubectl v1.33.1 is more than one minor away'],
    ['a Kubernetes that nobody has tried', changed({rke2: 'v1.40.1+rke2r1'}), 'Kubernetes 1.40 is not in the matrix'],
    [
      'a Rancher for another Kubernetes',
      changed({}, {rancher: '2.13.1'}),
      'rancher 2.13.1 is for Kubernetes 1.32 to 1.34',
    ],
    [
      'Rancher’s charts of another line',
      changed({}, {'rancher-monitoring': '109.0.0', 'rancher-monitoring-crd': '109.0.0'}),
      'which is 110.x',
    ],
    [
      'definitions of another monitoring',
      changed({}, {'rancher-monitoring-crd': '110.0.0+up80.9.1-rancher.18'}),
      'must be of one version',
    ],
    ['a gateway of another Istio', changed({}, {'istio-gateway': '1.29.0'}), 'must all be 1.30.4'],
    ['an unknown Istio', changed({istio: '1.99.0'}), 'istio 1.99.0 is not in the matrix'],
    ['no release of RKE2 at all', changed({rke2: 'v1.35.8'}), 'is not a release of RKE2'],
  ])('%s', (_, set, words) => {
    expect(reasons(set).join('\n')).toContain(words);
  });

  it('are known from others’ failures, too', () => {
    expect(new Set(knownBad.map(({id}) => id)).size).toBe(knownBad.length);
    for (const {reason} of knownBad) expect(reason).toMatch(/^[A-Z].*\.$/s);
    const enterprise = {
      ...offered,
      charts: {...offered.charts, loki: {version: '14.0.0', repository: 'https://grafana.github.io/helm-charts'}},
    };
    expect(reasons(enterprise).join('\n')).toContain('Grafana Enterprise Logs');
  });
});

describe('the minor of a version', () => {
  it.each([
    ['v1.35.8+rke2r1', 35],
    ['2.15.1', 15],
    ['110.0.1+up80.9.1-rancher.19', 0],
    ['nonsense', undefined],
  ])('of %s is %s', (version, minor) => {
    expect(minorOf(version)).toBe(minor);
  });
});
