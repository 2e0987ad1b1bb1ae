import {stringify} from 'yaml';
import type {KubeObject} from '../../source/kubernetes/objects.ts';
import {namespaces} from '../shared/platform.ts';

export const rulesConfigMap = 'loki-alerting-rules';

/** The rules file within it, and where Loki looks for it: with one tenant, that tenant's name is `fake`. */
export const rulesFile = 'groundwork.yaml';
export const rulesDirectory = '/etc/loki/rules';
export const tenant = 'fake';

type Rule = {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly severity: 'warning' | 'critical';
  readonly summary: string;
  readonly description: string;
};

/** Of all programs but the collectors and Loki themselves, whose complaints would be counted again and again. */
const programs = `{k8s_namespace_name=~".+", k8s_namespace_name!="${namespaces.logging}"}`;

const rules: readonly Rule[] = [
  {
    alert: 'HighApplicationErrorRate',
    expr: `sum by (k8s_namespace_name) (rate(${programs} |~ "(?i)\\\\b(error|exception)\\\\b" [5m])) > 5`,
    for: '10m',
    severity: 'warning',
    summary: 'More than five errors a second in {{ $labels.k8s_namespace_name }}',
    description: 'The dashboard “Logs and health” shows which program writes them.',
  },
  {
    alert: 'ApplicationFatalOrCrash',
    expr: `sum by (k8s_namespace_name) (count_over_time(${programs} |~ "(?i)\\\\b(fatal|panic|out of memory|oomkilled)\\\\b" [5m])) > 0`,
    for: '2m',
    severity: 'critical',
    summary: 'A program in {{ $labels.k8s_namespace_name }} has ended in an error',
    description: 'See its last lines, and `kubectl get pods` for how often it was started again.',
  },
  {
    alert: 'AuthFailureBurst',
    expr: `sum by (k8s_namespace_name) (count_over_time(${programs} |~ "(?i)(authentication failed|invalid credentials|login_error|unauthorized)" [5m])) > 20`,
    for: '1m',
    severity: 'critical',
    summary: 'More than twenty failed logins in five minutes in {{ $labels.k8s_namespace_name }}',
    description: 'Somebody may be guessing passwords, or a program has an old one.',
  },
  {
    alert: 'LoggingPipelineSilent',
    expr: 'absent_over_time({k8s_namespace_name=~".+"}[10m])',
    for: '15m',
    severity: 'critical',
    summary: 'No log lines have come for ten minutes',
    description: 'See the pods of otel-agent and otel-gateway in the namespace observability.',
  },
];

export const lokiRules = {
  groups: [
    {
      name: 'groundwork.logs',
      interval: '1m',
      rules: rules.map(({severity, summary, description, ...rule}) => ({
        ...rule,
        labels: {severity},
        annotations: {summary, description},
      })),
    },
  ],
};

export const lokiRulesObject: KubeObject = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {name: rulesConfigMap, namespace: namespaces.logging},
  data: {[rulesFile]: stringify(lokiRules, {lineWidth: 0})},
};
