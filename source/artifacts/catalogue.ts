import type {ChartPin, VersionSet} from '../blueprints/versions.ts';
import type {Arch, Artifact} from './artifact.ts';
import {pinnedChecksums} from './checksums.ts';

const pinned = (artifact: Artifact): Artifact => {
  const sha256 = pinnedChecksums[artifact.address];
  return sha256 === undefined ? artifact : {...artifact, sha256};
};

/** A plus sign means a space to some servers, so GitHub writes it in this way. */
const inPath = (version: string): string => encodeURIComponent(version);

/**
 * RKE2's release: the archive with its binaries and units, and the container images that a node cannot start without
 * (with Canal, the network that RKE2 brings). The checksums of all files of an architecture are in one file.
 */
const rke2 = (version: string, arch: Arch): readonly Artifact[] => {
  const release = `https://github.com/rancher/rke2/releases/download/${inPath(version)}`;
  const common = {version, arch, folder: `rke2-${version}`, checksumAddress: `${release}/sha256sum-${arch}.txt`};
  return [
    {id: 'rke2-archive', kind: 'archive', address: `${release}/rke2.linux-${arch}.tar.gz`, ...common},
    {id: 'rke2-images', kind: 'images', address: `${release}/rke2-images.linux-${arch}.tar.zst`, ...common},
  ];
};

const kubectl = (version: string, arch: Arch): Artifact => {
  const address = `https://dl.k8s.io/release/${inPath(version)}/bin/linux/${arch}/kubectl`;
  return {
    id: 'kubectl',
    kind: 'binary',
    version,
    arch,
    folder: `kubectl-${version}`,
    address,
    checksumAddress: `${address}.sha256`,
  };
};

const helm = (version: string, arch: Arch): Artifact => {
  const address = `https://get.helm.sh/helm-${inPath(version)}-linux-${arch}.tar.gz`;
  return {
    id: 'helm',
    kind: 'archive',
    version,
    arch,
    folder: `helm-${version}`,
    address,
    checksumAddress: `${address}.sha256sum`,
  };
};

const chart = (key: string, {version, repository, chart: name = key}: ChartPin): Artifact => {
  const base = repository.replace(/\/+$/, '');
  return {
    id: `chart-${key}`,
    kind: 'chart',
    version,
    folder: 'charts',
    address: `${base}/${inPath(`${name}-${version}`)}.tgz`,
    index: {address: `${base}/index.yaml`, chart: name},
  };
};

/** Everything that is downloaded for a row of the version matrix, in the order in which it is needed. */
export const catalogue = (versions: VersionSet, arch: Arch): readonly Artifact[] =>
  [
    kubectl(versions.kubectl, arch),
    helm(versions.helm, arch),
    ...rke2(versions.rke2, arch),
    ...Object.entries(versions.charts).map(([key, source]) => chart(key, source)),
  ].map(pinned);
