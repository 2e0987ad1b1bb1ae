import type {Blueprint} from '../blueprints/blueprint.ts';
import {type Deployment, kubernetes} from '../deployment/schema.ts';

/** The answers that a new deployment begins with: the blueprint's, with the platform on the ground. */
export const firstAnswers = (blueprint: Blueprint, name: string, topology: string): Deployment => {
  const defaults = blueprint.defaults(name, topology);
  return {...defaults, components: {...defaults.components, kubernetes: kubernetes.parse({})}};
};
