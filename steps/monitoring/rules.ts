import type {KubeObject} from '../../source/kubernetes/objects.ts';
import {namespaces} from '../shared/platform.ts';

type Rule = {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly severity: 'warning' | 'critical';
  readonly summary: string;
  readonly description: string;
};

const rules: readonly Rule[] = [
  {
    alert: 'MachineMemoryLow',
    expr: 'node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < 0.10',
    for: '10m',
    severity: 'warning',
    summary: 'Less than a tenth of the memory of {{ $labels.instance }} is free',
    description: 'Pods will be ended when it runs out. Look for what grows: the dashboard of the node’s pods shows it.',
  },
  {
    alert: 'MachineDiskFull',
    expr: 'node_filesystem_avail_bytes{fstype!~"tmpfs|overlay|squashfs|nfs.*"} / node_filesystem_size_bytes < 0.10',
    for: '10m',
    severity: 'critical',
    summary: 'Less than a tenth of {{ $labels.mountpoint }} on {{ $labels.instance }} is free',
    description: 'At 5 % the kubelet begins to remove images and pods. Old images go with `crictl rmi --prune`.',
  },
  {
    alert: 'VolumeFull',
    expr: 'kubelet_volume_stats_available_bytes / kubelet_volume_stats_capacity_bytes < 0.10',
    for: '10m',
    severity: 'warning',
    summary: 'The volume {{ $labels.persistentvolumeclaim }} in {{ $labels.namespace }} is nearly full',
    description: 'Volumes on NFS share the disk of the storage host: the free space there is what counts.',
  },
  {
    alert: 'MachineAbsent',
    expr: 'kube_node_status_condition{condition="Ready",status="true"} == 0',
    for: '5m',
    severity: 'critical',
    summary: 'The machine {{ $labels.node }} is not ready',
    description: 'Its pods are not looked after. See `systemctl status rke2-server` there.',
  },
  {
    alert: 'GatewayAbsent',
    expr: `absent(kube_deployment_status_replicas_available{namespace="${namespaces.istio}",deployment="istio-ingressgateway"} > 0)`,
    for: '5m',
    severity: 'critical',
    summary: 'No pod of the ingress gateway is there',
    description: 'No name of the platform answers. See `kubectl -n istio-system get pods`.',
  },
];

/** What the chart’s own rules do not say, or say too late for one machine: its disk, its memory, the volumes, the way in. */
export const platformRules: KubeObject = {
  apiVersion: 'monitoring.coreos.com/v1',
  kind: 'PrometheusRule',
  metadata: {name: 'groundwork-platform', namespace: namespaces.monitoring},
  spec: {
    groups: [
      {
        name: 'groundwork.platform',
        rules: rules.map(({severity, summary, description, ...rule}) => ({
          ...rule,
          labels: {severity},
          annotations: {summary, description},
        })),
      },
    ],
  },
};
