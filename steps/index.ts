import type {Step} from '../source/engine/step.ts';
import {certificates} from './certificates/certificates.ts';
import {firewall} from './firewall/firewall.ts';
import {hostBaseline} from './host-baseline/host-baseline.ts';
import {kubernetesTools} from './kubernetes-tools/kubernetes-tools.ts';
import {localDns} from './local-dns/local-dns.ts';
import {nfsServer} from './nfs-server/nfs-server.ts';
import {nginx} from './nginx/nginx.ts';
import {rke2} from './rke2/rke2.ts';
import {wireguard} from './wireguard/wireguard.ts';

/** The ground, then the cluster, in the order that the operator sees. What waits for what is in each step's `after`. */
export const steps: readonly Step[] = [
  hostBaseline,
  firewall,
  wireguard,
  localDns,
  certificates,
  nginx,
  nfsServer,
  kubernetesTools,
  rke2,
];

export {certificates, firewall, hostBaseline, kubernetesTools, localDns, nfsServer, nginx, rke2, wireguard};
