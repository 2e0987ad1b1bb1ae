import {modulesInOrder} from '../deployment/environments.ts';
import type {Deployment} from '../deployment/schema.ts';
import type {Artifact} from './artifact.ts';

type Chosen = Pick<Deployment, 'components' | 'environments'>;

const hasModule = (deployment: Chosen, id: string): boolean =>
  deployment.environments.some(environment => modulesInOrder(environment).some(module => module === id));

const hasRancherBackup = ({components}: Chosen): boolean =>
  components.kubernetes?.rancher.enabled === true && components.backup?.groups.includes('rancher') === true;

/** What only some deployments need, by the id of the artifact. Everything else is needed by all of them. */
const neededWhen: Readonly<Record<string, (deployment: Chosen) => boolean>> = {
  'chart-rancher': ({components}) => components.kubernetes?.rancher.enabled === true,
  'chart-rancher-backup': hasRancherBackup,
  'chart-rancher-backup-crd': hasRancherBackup,
  'chart-rancher-monitoring': ({components}) => components.kubernetes?.monitoring.enabled === true,
  'chart-rancher-monitoring-crd': ({components}) => components.kubernetes?.monitoring.enabled === true,
  'chart-loki': ({components}) => components.kubernetes?.logging.enabled === true,
  'chart-opentelemetry-collector': ({components}) => components.kubernetes?.logging.enabled === true,
  'chart-openg2p-commons-base': ({environments}) => environments.length > 0,
  'chart-openg2p-commons-services': ({environments}) => environments.length > 0,
  'chart-openg2p-registry': deployment => hasModule(deployment, 'registry'),
  'chart-openg2p-pbms': deployment => hasModule(deployment, 'pbms'),
  'chart-openg2p-spar': deployment => hasModule(deployment, 'spar'),
  'chart-openg2p-bridge': deployment => hasModule(deployment, 'g2p-bridge'),
};

/** Whether a deployment installs what the artifact is for. */
export const isNeeded = (deployment: Chosen, {id}: Pick<Artifact, 'id'>): boolean =>
  neededWhen[id]?.(deployment) ?? true;
