/** A chart that is installed: which one, where its repository is, and why this version. */
export type ChartPin = {
  /** As in the repository's index: Rancher's charts carry the version of what they are made from after a `+`. */
  readonly version: string;
  /** The https folder in which the repository's index.yaml lies. */
  readonly repository: string;
  /** The chart's name in that index, when it is not the key under which the pin is kept. */
  readonly chart?: string;
  /** Where it is written that this version exists and goes with the rest. */
  readonly source?: string;
};

/** Versions that go together: one row of the matrix. */
export type VersionSet = {
  readonly id: string;
  readonly title: string;
  /** With RKE2's own suffix: `v1.35.8+rke2r1`. */
  readonly rke2: string;
  readonly kubectl: string;
  readonly helm: string;
  /** Of its three charts. */
  readonly istio: string;
  readonly charts: Readonly<Record<string, ChartPin>>;
  /** Where the pins that are not charts come from, by their field. */
  readonly sources?: Readonly<Record<'rke2' | 'kubectl' | 'helm' | 'istio', string>>;
};

const repositories = {
  istio: 'https://istio-release.storage.googleapis.com/charts',
  rancher: 'https://releases.rancher.com/server-charts/stable',
  rancherCharts: 'https://charts.rancher.io',
  loki: 'https://grafana-community.github.io/helm-charts',
  opentelemetry: 'https://open-telemetry.github.io/opentelemetry-helm-charts',
  openg2p: 'https://openg2p.github.io/openg2p-helm',
  csiDriverNfs: 'https://kubernetes-csi.github.io/csi-driver-nfs',
} as const;

const istio = '1.30.4';
const monitoring = '110.0.1+up80.9.1-rancher.19';

const istioChart = (chart: string): ChartPin => ({
  version: istio,
  repository: repositories.istio,
  chart,
  source: 'istio.io, news/releases/1.30.x: 1.30.4 of 27 August 2026; its charts are published with each release',
});

const backupChart: ChartPin = {
  version: '110.0.1+up11.0.2',
  repository: repositories.rancherCharts,
  source:
    'rancher/charts, charts/rancher-backup/110.0.1+up11.0.2/Chart.yaml: Rancher >= 2.15 < 2.16, Kubernetes >= 1.34 < 1.37',
};

const monitoringChart: ChartPin = {
  version: monitoring,
  repository: repositories.rancherCharts,
  source:
    'rancher/charts, charts/rancher-monitoring/110.0.1+up80.9.1-rancher.19/Chart.yaml: Rancher >= 2.15 < 2.16, Kubernetes >= 1.34 < 1.37',
};

/** Released versions only: `0.0.0-develop`, which OpenG2P's scripts install by default, is another one every day. */
const openg2pChart = (version: string): ChartPin => ({
  version,
  repository: repositories.openg2p,
  source: 'github.com/OpenG2P/openg2p-helm, index.yaml; github.com/OpenG2P/versions, the changelogs',
});

/**
 * What OpenG2P's own manual of 2026 installs (RKE2 1.35.8, Rancher 2.15.1), with the rest brought to the versions that
 * go with these two: the manual’s own rows for Istio, the monitoring chart and Helm are of an earlier time.
 */
const openg2p2026: VersionSet = {
  id: 'openg2p-2026',
  title: 'Kubernetes 1.35, Rancher 2.15, Istio 1.30',
  rke2: 'v1.35.8+rke2r1',
  kubectl: 'v1.35.8',
  helm: 'v3.20.2',
  istio,
  sources: {
    rke2: 'docs.openg2p.org, operations/deployment: default of the production installer; github.com/rancher/rke2, release v1.35.8+rke2r1 of 28 August 2026',
    kubectl:
      'kubernetes.io, version-skew-policy: within one minor of the API server; the same version has no skew at all',
    helm: 'helm.sh, docs/v3/topics/version_skew: 3.20.x is for Kubernetes 1.35 to 1.32; github.com/helm/helm, release v3.20.2 (security)',
    istio:
      'istio.io, news/releases/1.30.x; cloud.ibm.com, containers-supported-cluster-addon-versions: 1.30 is for Kubernetes 1.32 to 1.36',
  },
  charts: {
    'csi-driver-nfs': {
      version: '4.13.4',
      repository: repositories.csiDriverNfs,
      source: 'github.com/kubernetes-csi/csi-driver-nfs: branch release-4.13, Kubernetes 1.21 and newer',
    },
    'istio-base': istioChart('base'),
    'istio-istiod': istioChart('istiod'),
    'istio-gateway': istioChart('gateway'),
    rancher: {
      version: '2.15.1',
      repository: repositories.rancher,
      source: 'docs.openg2p.org, operations/deployment; its chart in the stable repository says kubeVersion < 1.37.0-0',
    },
    'rancher-backup-crd': backupChart,
    'rancher-backup': backupChart,
    'rancher-monitoring-crd': monitoringChart,
    'rancher-monitoring': monitoringChart,
    loki: {
      version: '18.7.6',
      repository: repositories.loki,
      source:
        'github.com/grafana-community/helm-charts, release loki-18.7.6 of 8 August 2026 (Loki 3.7.5); grafana.com, docs/loki release notes v3.7: the chart moved there in March 2026',
    },
    'opentelemetry-collector': {
      version: '0.177.0',
      repository: repositories.opentelemetry,
      source:
        'github.com/open-telemetry/opentelemetry-helm-charts, release opentelemetry-collector-0.177.0 (collector 0.163.2)',
    },
    'openg2p-commons-base': openg2pChart('2.3.3'),
    'openg2p-commons-services': openg2pChart('2.3.3'),
    'openg2p-registry': openg2pChart('1.2.0'),
    'openg2p-pbms': openg2pChart('3.0.0'),
    'openg2p-spar': openg2pChart('1.1.0'),
    'openg2p-bridge': openg2pChart('1.2.0'),
  },
};

/** Every set that is offered, the default first. */
export const versionSets: readonly VersionSet[] = [openg2p2026];

const first = versionSets[0] as VersionSet;

/** The set that a deployment names; `default` is the first one of the matrix. */
export const versionSetOf = (id: string): VersionSet | undefined =>
  id === 'default' ? first : versionSets.find(set => set.id === id);

/** Minor versions of Kubernetes from the first to the last, both included. */
type Range = readonly [first: number, last: number];

/** Which minors of Kubernetes (1.x) a minor of Rancher (2.x) runs on. */
const rancherRanges: Readonly<Record<number, Range>> = {
  // gitlab.com/sylva-projects/sylva-core, issue 2989: 1.31 and newer; its chart ends before 1.34.
  12: [31, 33],
  // The same, issue 3292: 1.34 from 2.13 on.
  13: [32, 34],
  // Chart 2.14.2 in the stable repository: kubeVersion < 1.36.0-0.
  14: [33, 35],
  // Chart 2.15.1: kubeVersion < 1.37.0-0; Rancher's own charts of that line: >= 1.34.
  15: [34, 36],
};

/** Which minors of Kubernetes a minor of Istio (1.x) is supported on, by istio.io's table at the time of each release. */
const istioRanges: Readonly<Record<number, Range>> = {
  24: [28, 31],
  26: [29, 32],
  27: [29, 33],
  28: [30, 34],
  29: [31, 35],
  30: [32, 36],
};

/** helm.sh, docs/v3/topics/version_skew: Helm 3.x and the minors of Kubernetes that it is for. */
const helmRanges: Readonly<Record<number, Range>> = {17: [29, 32], 18: [30, 33], 19: [31, 34], 20: [32, 35]};

/** kubernetes.io, releases: the day after which nobody mends a minor of Kubernetes any more. */
const endOfLife: Readonly<Record<number, string>> = {
  31: '2025-10-28',
  32: '2026-02-28',
  33: '2026-06-28',
  34: '2026-10-27',
  35: '2027-02-28',
  36: '2027-06-28',
};

/** Rancher's charts: the major of the chart is the minor of Rancher plus this (105 is for Rancher 2.10, 110 for 2.15). */
const rancherChartsOffset = 95;

export type VersionProblem = {
  /** The two that do not go together, or the one that must not be used. */
  readonly parts: readonly string[];
  /** A sentence for the operator, with what to take instead where that is known. */
  readonly reason: string;
};

type KnownBad = {
  readonly id: string;
  readonly parts: readonly string[];
  readonly holds: (set: VersionSet) => boolean;
  readonly reason: string;
};

/** The minor of `v1.35.8+rke2r1`, `2.15.1` or `v3.20.2`; undefined when it is no version. */
export const minorOf = (version: string): number | undefined => {
  const minor = /^v?\d+\.(\d+)\./.exec(version)?.[1];
  return minor === undefined ? undefined : Number(minor);
};

const majorOf = (version: string): number | undefined => {
  const major = /^v?(\d+)\./.exec(version)?.[1];
  return major === undefined ? undefined : Number(major);
};

const versionOf = (set: VersionSet, chart: string): string => set.charts[chart]?.version ?? '';

const beforeVersion = (version: string, major: number, minor: number): boolean =>
  version !== '' &&
  ((majorOf(version) ?? 0) < major || (majorOf(version) === major && (minorOf(version) ?? 0) < minor));

/** Combinations that were tried by others and failed, which the ranges do not tell. */
export const knownBad: readonly KnownBad[] = [
  {
    id: 'rke2-1.33.6',
    parts: ['rke2'],
    holds: ({rke2}) => rke2.startsWith('v1.33.6+'),
    reason:
      'RKE2 1.33.6 was seen to grow to 9 GB and to stop answering (OpenG2P’s troubleshooting pages). Take a newer release.',
  },
  {
    id: 'loki-single-binary',
    parts: ['loki'],
    holds: set => beforeVersion(versionOf(set, 'loki'), 12, 0),
    reason:
      'Before chart 12 of Loki its single binary goes by another name, and without that name the scalable form is installed, whose pods stay Pending on one node.',
  },
  {
    id: 'loki-enterprise',
    parts: ['loki'],
    holds: set => /grafana\.github\.io/.test(set.charts.loki?.repository ?? ''),
    reason:
      'Since March 2026 the chart at grafana.github.io is kept for Grafana Enterprise Logs only. Take the one of grafana-community.github.io.',
  },
  {
    id: 'collector-image',
    parts: ['opentelemetry-collector'],
    holds: set => beforeVersion(versionOf(set, 'opentelemetry-collector'), 0, 144),
    reason:
      'Before chart 0.144 the collector does not know the exporters by the names that are used here (otlp_grpc, otlp_http).',
  },
];

const outside = (
  part: string,
  version: string,
  ranges: Readonly<Record<number, Range>>,
  kubernetes: number,
): readonly VersionProblem[] => {
  const minor = minorOf(version);
  const range = minor === undefined ? undefined : ranges[minor];
  if (range === undefined)
    return [{parts: [part], reason: `${part} ${version || '(none)'} is not in the matrix of what goes together.`}];
  const [from, to] = range;
  return kubernetes >= from && kubernetes <= to
    ? []
    : [
        {
          parts: [part, 'rke2'],
          reason: `${part} ${version} is for Kubernetes 1.${from} to 1.${to}, and RKE2 brings Kubernetes 1.${kubernetes}.`,
        },
      ];
};

/**
 * Why the versions must not be installed together; empty when nothing speaks against it. With a day, also that
 * Kubernetes has come to the end of its life by then.
 */
export const versionProblems = (set: VersionSet, today?: Date): readonly VersionProblem[] => {
  const kubernetes = minorOf(set.rke2);
  if (kubernetes === undefined || !/^v1\.\d+\.\d+\+rke2r\d+$/.test(set.rke2))
    return [{parts: ['rke2'], reason: `${set.rke2} is not a release of RKE2, which reads like v1.35.8+rke2r1.`}];
  const rancher = versionOf(set, 'rancher');
  const rancherMinor = minorOf(rancher);
  const kubectl = minorOf(set.kubectl);
  const end = endOfLife[kubernetes];
  return [
    ...(end === undefined
      ? [{parts: ['rke2'], reason: `Kubernetes 1.${kubernetes} is not in the matrix of what goes together.`}]
      : []),
    ...(end !== undefined && today !== undefined && today.toISOString().slice(0, 10) > end
      ? [{parts: ['rke2'], reason: `Kubernetes 1.${kubernetes} gets no repairs since ${end}. Take a newer RKE2.`}]
      : []),
    ...(kubectl === undefined || Math.abs(kubectl - kubernetes) > 1
      ? [
          {
            parts: ['kubectl', 'rke2'],
            reason: `kubectl ${set.kubectl} is more than one minor away from Kubernetes 1.${kubernetes}.`,
          },
        ]
      : []),
    ...outside('helm', set.helm, helmRanges, kubernetes),
    ...outside('istio', set.istio, istioRanges, kubernetes),
    ...outside('rancher', rancher, rancherRanges, kubernetes),
    ...['istio-base', 'istio-istiod', 'istio-gateway']
      .filter(chart => versionOf(set, chart) !== set.istio)
      .map(chart => ({
        parts: [chart, 'istio'],
        reason: `${chart} is ${versionOf(set, chart) || 'missing'}; the three charts of Istio must all be ${set.istio}.`,
      })),
    ...(versionOf(set, 'rancher-monitoring') !== versionOf(set, 'rancher-monitoring-crd')
      ? [
          {
            parts: ['rancher-monitoring', 'rancher-monitoring-crd'],
            reason: 'rancher-monitoring and rancher-monitoring-crd must be of one version.',
          },
        ]
      : []),
    ...(rancherMinor !== undefined &&
    majorOf(versionOf(set, 'rancher-monitoring')) !== rancherMinor + rancherChartsOffset
      ? [
          {
            parts: ['rancher-monitoring', 'rancher'],
            reason: `rancher-monitoring ${versionOf(set, 'rancher-monitoring')} is not of the line for Rancher 2.${rancherMinor}, which is ${rancherMinor + rancherChartsOffset}.x.`,
          },
        ]
      : []),
    ...(rancherMinor !== undefined &&
    versionOf(set, 'rancher-backup') !== '' &&
    majorOf(versionOf(set, 'rancher-backup')) !== rancherMinor + rancherChartsOffset
      ? [
          {
            parts: ['rancher-backup', 'rancher'],
            reason: `rancher-backup ${versionOf(set, 'rancher-backup')} is not of the line for Rancher 2.${rancherMinor}, which is ${rancherMinor + rancherChartsOffset}.x.`,
          },
        ]
      : []),
    ...knownBad.filter(({holds}) => holds(set)).map(({parts, reason}) => ({parts, reason})),
  ];
};
