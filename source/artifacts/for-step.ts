import {versionSetOf} from '../blueprints/versions.ts';
import type {Deployment} from '../deployment/schema.ts';
import type {StepContext} from '../engine/step.ts';
import type {Facts} from '../hosts/facts.ts';
import {type Arch, type Artifact, artifactPath} from './artifact.ts';
import {catalogue} from './catalogue.ts';

/** The part of a step's context that decides about artifacts. */
export type ArtifactContext = Pick<StepContext, 'deployment' | 'facts'>;

/** A machine of another architecture does not pass preflight, so what it gets here is never used. */
export const archOf = ({arch}: Pick<Facts, 'arch'>): Arch => (arch === 'arm64' ? 'arm64' : 'amd64');

/**
 * Whether what Groundwork knows beforehand must hold. Not on practice hosts, where stand-ins lie, and not where the
 * deployment says that the mirror's own checksums decide.
 */
const holdsPins = ({deployment: {artifacts}, facts}: ArtifactContext): boolean =>
  !facts.practice && !(artifacts.source === 'mirror' && artifacts.checksums === 'published');

const withoutPin = ({sha256: _, size: __, ...artifact}: Artifact): Artifact => artifact;

/** Everything that a deployment downloads, for one architecture; nothing when it has no Kubernetes. */
export const artifactsOf = ({components}: Pick<Deployment, 'components'>, arch: Arch): readonly Artifact[] => {
  if (components.kubernetes === undefined) return [];
  const versions = versionSetOf(components.kubernetes.versions);
  if (!versions) throw new Error(`there is no set of versions "${components.kubernetes.versions}"`);
  return catalogue(versions, arch);
};

/** Everything that a host of the deployment may need. */
export const artifactsFor = (context: ArtifactContext): readonly Artifact[] => {
  const all = artifactsOf(context.deployment, archOf(context.facts));
  return holdsPins(context) ? all : all.map(withoutPin);
};

/** One of them. To ask for another is a bug. */
export const artifactOf = (id: string, context: ArtifactContext): Artifact => {
  const found = artifactsFor(context).find(artifact => artifact.id === id);
  if (!found) throw new Error(`there is no artifact "${id}"`);
  return found;
};

/** A chart as `helmRelease` takes it: verified, on the host, once its `artifact` resource is as it should be. */
export const chart = (context: ArtifactContext, id: string): {readonly path: string; readonly version: string} => {
  const found = artifactOf(id, context);
  if (found.kind !== 'chart') throw new Error(`${id} is no chart`);
  return {path: artifactPath(found), version: found.version};
};
