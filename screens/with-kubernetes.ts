import type {Deployment, Kubernetes} from '../source/deployment/schema.ts';

/** The deployment with other settings of its cluster; as it is where it has none. */
export const withKubernetes = (current: Deployment, update: (kubernetes: Kubernetes) => Kubernetes): Deployment => {
  const {kubernetes} = current.components;
  return kubernetes ? {...current, components: {...current.components, kubernetes: update(kubernetes)}} : current;
};
