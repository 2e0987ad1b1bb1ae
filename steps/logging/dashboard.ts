import type {KubeObject} from '../../source/kubernetes/objects.ts';
import {dashboards} from '../monitoring/objects.ts';

type Source = 'loki' | 'prometheus';

/** By their fixed names: a dashboard that names a source by chance shows nothing after a new installation. */
const source = (uid: Source) => ({type: uid, uid});

type Panel = {
  readonly title: string;
  readonly kind: 'timeseries' | 'stat' | 'logs';
  readonly from: Source;
  readonly expr: string;
  readonly width: number;
  readonly height: number;
  readonly unit?: string;
};

/** The namespace is chosen above the dashboard. */
const chosen = '{k8s_namespace_name=~"$namespace"}';

const rows: readonly (readonly Panel[])[] = [
  [
    {
      title: 'Machines that are ready',
      kind: 'stat',
      from: 'prometheus',
      expr: 'sum(kube_node_status_condition{condition="Ready",status="true"})',
      width: 6,
      height: 4,
    },
    {
      title: 'Pods that do not run',
      kind: 'stat',
      from: 'prometheus',
      expr: 'sum(kube_pod_status_phase{phase=~"Pending|Failed|Unknown"})',
      width: 6,
      height: 4,
    },
    {
      title: 'Restarts in the last hour',
      kind: 'stat',
      from: 'prometheus',
      expr: 'sum(increase(kube_pod_container_status_restarts_total[1h]))',
      width: 6,
      height: 4,
    },
    {
      title: 'Log lines per second',
      kind: 'stat',
      from: 'loki',
      expr: 'sum(rate({k8s_namespace_name=~".+"}[5m]))',
      width: 6,
      height: 4,
    },
  ],
  [
    {
      title: 'Memory of the machines in use',
      kind: 'timeseries',
      from: 'prometheus',
      expr: '1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes',
      unit: 'percentunit',
      width: 12,
      height: 8,
    },
    {
      title: 'Errors by namespace',
      kind: 'timeseries',
      from: 'loki',
      expr: 'sum by (k8s_namespace_name) (rate({k8s_namespace_name=~".+"} |~ "(?i)\\\\b(error|exception|fatal)\\\\b" [5m]))',
      width: 12,
      height: 8,
    },
  ],
  [
    {
      title: 'Lines by program',
      kind: 'timeseries',
      from: 'loki',
      expr: `sum by (service_name) (rate(${chosen}[5m]))`,
      width: 24,
      height: 7,
    },
  ],
  [
    {
      title: 'Errors',
      kind: 'logs',
      from: 'loki',
      expr: `${chosen} |~ "(?i)\\\\b(error|exception|fatal)\\\\b"`,
      width: 24,
      height: 10,
    },
  ],
  [{title: 'All lines', kind: 'logs', from: 'loki', expr: chosen, width: 24, height: 14}],
];

/** Grafana's grid has 24 columns; each row begins below the highest panel of those above. */
const placed = rows.flatMap((row, index) => {
  const y = rows.slice(0, index).reduce((sum, above) => sum + Math.max(...above.map(({height}) => height)), 0);
  return row.map((panel, column) => ({
    panel,
    gridPos: {x: row.slice(0, column).reduce((sum, {width}) => sum + width, 0), y, w: panel.width, h: panel.height},
  }));
});

export const logsDashboard = {
  uid: 'groundwork-logs',
  title: 'Logs and health',
  tags: ['groundwork'],
  timezone: 'browser',
  refresh: '1m',
  schemaVersion: 39,
  time: {from: 'now-3h', to: 'now'},
  templating: {
    list: [
      {
        name: 'namespace',
        label: 'Namespace',
        type: 'query',
        datasource: source('loki'),
        query: {label: 'k8s_namespace_name', stream: '', type: 1},
        refresh: 2,
        includeAll: true,
        allValue: '.+',
        multi: true,
        current: {text: 'All', value: '$__all'},
      },
    ],
  },
  panels: placed.map(({panel, gridPos}, index) => ({
    id: index + 1,
    title: panel.title,
    type: panel.kind,
    datasource: source(panel.from),
    gridPos,
    ...(panel.unit && {fieldConfig: {defaults: {unit: panel.unit, min: 0, max: 1}, overrides: []}}),
    ...(panel.kind === 'logs' && {options: {showTime: true, wrapLogMessage: true, sortOrder: 'Descending'}}),
    targets: [{refId: 'A', datasource: source(panel.from), expr: panel.expr}],
  })),
};

export const logsDashboardObject: KubeObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {name: 'groundwork-logs-and-health', namespace: dashboards, labels: {grafana_dashboard: '1'}},
  data: {'groundwork-logs-and-health.json': JSON.stringify(logsDashboard, null, 2)},
};
