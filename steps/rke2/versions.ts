import {versionSetOf} from '../../source/blueprints/versions.ts';
import type {Deployment} from '../../source/deployment/schema.ts';
import {kubernetesOf} from '../shared/deployment.ts';

/** RKE2's version of a deployment, with its own suffix: `v1.35.8+rke2r1`. The kubelet reports the same. */
export const rke2Version = (deployment: Deployment): string => {
  const {versions} = kubernetesOf(deployment);
  const set = versionSetOf(versions);
  if (!set) throw new Error(`there is no set of versions "${versions}"`);
  return set.rke2;
};

export type Rke2Version = {readonly minor: number; readonly parts: readonly number[]};

/** Undefined for what is no release of RKE2. */
export const parseVersion = (text: string): Rke2Version | undefined => {
  const found = /^v(\d+)\.(\d+)\.(\d+)\+rke2r(\d+)$/.exec(text);
  if (!found) return undefined;
  const parts = found.slice(1).map(Number);
  return {minor: parts[1] as number, parts};
};

/** Below 0 when the first is older, above when it is newer. */
export const compareVersions = (a: Rke2Version, b: Rke2Version): number =>
  a.parts.map((part, index) => part - (b.parts[index] as number)).find(difference => difference !== 0) ?? 0;
