import {openg2pCharts} from '../../steps/environment/charts.ts';
import {
  backupAccess,
  backupJobs,
  backupKeys,
  backupPostgresql,
  backupRancher,
  backupRepository,
  coreDns,
  istio,
  kubernetesTools,
  logging,
  monitoring,
  rancher,
  rke2,
  storageClass,
} from '../../steps/index.ts';

const phases: readonly {readonly title: string; readonly steps: readonly string[]}[] = [
  {title: 'Cluster', steps: [kubernetesTools, rke2, storageClass, coreDns, istio].map(({id}) => id)},
  {
    title: 'Backups',
    steps: [backupKeys, backupAccess, backupRancher, backupPostgresql, backupJobs, backupRepository].map(({id}) => id),
  },
  {title: 'Platform', steps: [rancher, monitoring, logging, openg2pCharts].map(({id}) => id)},
];

/** `remove-nginx` belongs where nginx does. */
const installed = (step: string): string => step.replace(/^remove-/, '');

/** The part of an installation that a step belongs to, by the step's id: the ground, the cluster, the platform, or the name of an environment. */
export const phaseOf = (step: string): string =>
  /^environment-([a-z][a-z0-9]*)-/.exec(installed(step))?.[1] ??
  phases.find(({steps}) => steps.includes(installed(step)))?.title ??
  'Ground';
