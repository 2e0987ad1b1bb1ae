import type {Step} from '../source/engine/step.ts';
import {backupAccess} from './backup/backup-access.ts';
import {backupJobs} from './backup/backup-jobs.ts';
import {backupKeys} from './backup/backup-keys.ts';
import {backupPostgresql} from './backup/backup-postgresql.ts';
import {backupRancher} from './backup/backup-rancher.ts';
import {backupRepository} from './backup/backup-repository.ts';
import {certificates} from './certificates/certificates.ts';
import {coreDns} from './coredns/coredns.ts';
import {openg2pCharts} from './environment/charts.ts';
import {firewall} from './firewall/firewall.ts';
import {hostBaseline} from './host-baseline/host-baseline.ts';
import {istio} from './istio/istio.ts';
import {kubernetesTools} from './kubernetes-tools/kubernetes-tools.ts';
import {localDns} from './local-dns/local-dns.ts';
import {logging} from './logging/logging.ts';
import {monitoring} from './monitoring/monitoring.ts';
import {nfsServer} from './nfs-server/nfs-server.ts';
import {nginx} from './nginx/nginx.ts';
import {postgresql} from './postgresql/postgresql.ts';
import {rancher} from './rancher/rancher.ts';
import {rke2} from './rke2/rke2.ts';
import {siteDns} from './site-dns/site-dns.ts';
import {storageAccess} from './storage-access/storage-access.ts';
import {storageClass} from './storage-class/storage-class.ts';
import {wireguard} from './wireguard/wireguard.ts';

/** The ground, then the cluster and the platform on it, in the order that the operator sees. What waits for what is in each step's `after`. */
export const steps: readonly Step[] = [
  hostBaseline,
  firewall,
  siteDns,
  wireguard,
  localDns,
  certificates,
  nginx,
  nfsServer,
  postgresql,
  storageAccess,
  kubernetesTools,
  rke2,
  storageClass,
  coreDns,
  istio,
  rancher,
  monitoring,
  logging,
  openg2pCharts,
  backupKeys,
  backupAccess,
  backupRancher,
  backupPostgresql,
  backupJobs,
  backupRepository,
];

export {
  backupAccess,
  backupJobs,
  backupKeys,
  backupPostgresql,
  backupRancher,
  backupRepository,
  certificates,
  coreDns,
  firewall,
  hostBaseline,
  istio,
  kubernetesTools,
  localDns,
  logging,
  monitoring,
  nfsServer,
  nginx,
  openg2pCharts,
  postgresql,
  rancher,
  rke2,
  storageAccess,
  siteDns,
  storageClass,
  wireguard,
};
