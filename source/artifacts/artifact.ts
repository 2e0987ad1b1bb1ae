import {posix} from 'node:path';

/** As dpkg names them. RKE2, kubectl and helm are published for both. */
export type Arch = 'amd64' | 'arm64';

export type ArtifactKind = 'binary' | 'archive' | 'images' | 'chart';

/** A file that is downloaded, and how it is known to be the right one. */
export type Artifact = {
  /** The same in every version: `kubectl`, `chart-rancher`. */
  readonly id: string;
  readonly kind: ArtifactKind;
  readonly version: string;
  /** Where its publisher has it, https. Of a chart: where it usually is; its repository's index has the last word. */
  readonly address: string;
  /** Bytes. */
  readonly size?: number;
  /** Known beforehand, 64 hexadecimal digits: whatever a publisher or a mirror says, it must be this one. */
  readonly sha256?: string;
  /** The file that its publisher puts beside it, with its sha256; asked when that is not known beforehand. */
  readonly checksumAddress?: string;
  /** A chart's repository index, which holds the chart's address and digest. */
  readonly index?: {readonly address: string; readonly chart: string};
  /** Undefined: the same on every machine. */
  readonly arch?: Arch;
  /** Folder below the store of artifacts: what it is of, and the version, so that versions never meet. */
  readonly folder: string;
};

/** Where verified artifacts lie on a host. Nothing else writes there. */
export const artifactStore = '/var/lib/groundwork/artifacts';

/** The name that its publisher gave to the file. */
export const fileNameOf = ({address}: Pick<Artifact, 'address'>): string =>
  decodeURIComponent(posix.basename(new URL(address).pathname));

/** The file on the host; there only when its checksum was right. */
export const artifactPath = (artifact: Pick<Artifact, 'address' | 'folder'>, store: string = artifactStore): string =>
  posix.join(store, artifact.folder, fileNameOf(artifact));
