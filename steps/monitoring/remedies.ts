import type {Remedy} from '../../source/engine/step.ts';

export const monitoringRemedies: readonly Remedy[] = [
  {
    id: 'alertmanager-configuration',
    match: /alertmanager.*(failed to (load|parse)|invalid configuration|provision alertmanager configuration)/i,
    cause: 'Alertmanager does not accept where alerts are to go.',
    remedy:
      'See `kubectl -n cattle-monitoring-system logs deploy/rancher-monitoring-operator --tail=30`; change the channel in the deployment, then retry.',
  },
  {
    id: 'measurements-elsewhere',
    match: /volume node affinity conflict|didn't find available persistent volumes to bind/i,
    cause: 'The disk of Prometheus is on another machine than the one that is now the first compute host.',
    remedy:
      'Make that machine the first compute host again, or give the measurements up: delete the claim and the volume prometheus-measurements, then retry.',
  },
  {
    id: 'definitions-left',
    match: /customresourcedefinitions.*monitoring\.coreos\.com.*(already exists|invalid ownership)/i,
    cause: 'Another monitoring of the same kind is, or was, on the cluster and left its definitions.',
    remedy:
      'Remove it with what installed it. Its definitions go with `kubectl delete crd -l app.kubernetes.io/managed-by=Helm` after you looked at what else they hold.',
  },
  {
    id: 'grafana-locked',
    match: /database is locked/i,
    cause: 'Grafana’s database is in use by an earlier pod that has not ended.',
    remedy: 'Wait a minute, then retry. If it stays, delete the older pod of rancher-monitoring-grafana.',
    transient: true,
  },
];
