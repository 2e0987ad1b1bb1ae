import {describe, expect, it} from 'vitest';
import {parse} from 'yaml';
import {kubernetes as kubernetesSchema} from '../../source/deployment/schema.ts';
import {logging} from '../../steps/index.ts';
import {logsDashboard, logsDashboardObject} from '../../steps/logging/dashboard.ts';
import {objectStoreObjects, objectStoreSecret} from '../../steps/logging/object-store.ts';
import {collectorAgentValues, collectorGatewayValues, lokiValues} from '../../steps/logging/objects.ts';
import {redactionProcessor, redactions} from '../../steps/logging/redaction.ts';
import {lokiRules, lokiRulesObject} from '../../steps/logging/rules.ts';
import {leaksIn} from '../support/canary.ts';
import {contextFor, wholeDeployment} from '../support/step-context.ts';

const withAnswers = (answers: Record<string, unknown>) => {
  const deployment = wholeDeployment();
  return {...deployment, components: {...deployment.components, kubernetes: kubernetesSchema.parse(answers)}};
};

const deployment = withAnswers({});

/** What the collector makes of a line: all patterns, one after the other, at every place. */
const redacted = (line: string): string =>
  redactions.reduce((text, {pattern, replacement}) => text.replaceAll(new RegExp(pattern, 'g'), replacement), line);

describe('what must not be kept', () => {
  it.each([
    ['login by asha@example.org failed', 'login by [mail] failed'],
    ['id 123456789012 paid', 'id [number] paid'],
    ['id 1234 5678 9012 paid', 'id [number] paid'],
    ['id 1234-5678-9012 paid', 'id [number] paid'],
    ['password=hunter2 user=x', 'password=[redacted] user=x'],
    ['{"Password": "two words", "a": 1}', '{"Password": [redacted], "a": 1}'],
    ['api_key: abc, next', 'api_key: [redacted], next'],
    ['Authorization: Bearer eyJhbGciOi.J9.x-_', 'Authorization: Bearer [redacted]'],
    ['authorization: "Basic dXNlcjpwYXNz"', 'authorization: "Basic [redacted]"'],
    ['sent bearer abcd1234efgh to x', 'sent bearer [redacted] to x'],
    ['refresh_token=abc&x=1', 'refresh_token=[redacted]&x=1'],
  ])('is taken out of a line: %s', (line, kept) => {
    expect(redacted(line)).toBe(kept);
  });

  it.each([
    'GET /realms/staff 200 in 12 ms',
    'order 12345678901 and 1234567890123 of 2026-11-21T14:00:00Z',
    'tokens were renewed',
    'basic checks passed',
    'basic authentication is off',
  ])('and nothing else: %s', line => {
    expect(redacted(line)).toBe(line);
  });

  it('is said in the collector’s own language, where a dollar sign counts only when it is doubled', () => {
    const {statements} = redactionProcessor.log_statements[0];
    expect(statements).toHaveLength(redactions.length * 3);
    expect(statements[0]).toBe(
      'replace_pattern(log.body, "((?i:authorization)\\"?\\\\s*[:=]\\\\s*\\"?)((?i:bearer|basic)\\\\s+)?[^\\\\s\\"\',;]+", "$$1$$2[redacted]") where IsString(log.body)',
    );
    for (const statement of statements) expect(statement.replaceAll('$$', '')).not.toContain('$');
  });

  it('is taken out on the machine, before a line leaves it, and again at the gateway', () => {
    expect(collectorAgentValues().config.service.pipelines.logs.processors).toEqual([
      'memory_limiter',
      'transform/redact',
      'batch',
    ]);
    expect(collectorGatewayValues(deployment).config.service.pipelines.logs).toEqual({
      receivers: ['otlp'],
      processors: ['memory_limiter', 'transform/redact', 'batch'],
      exporters: ['otlp_http/loki'],
    });
  });
});

describe('the collectors', () => {
  it('take log lines and nothing else', () => {
    for (const {config, ports} of [collectorAgentValues(), collectorGatewayValues(deployment)]) {
      expect(config.service.pipelines).toMatchObject({metrics: null, traces: null});
      expect(config.receivers).toEqual({jaeger: null, zipkin: null, prometheus: null});
      expect(ports.zipkin).toEqual({enabled: false});
    }
  });

  it('remember where they were, and end at Loki', () => {
    expect(collectorAgentValues()).toMatchObject({
      fullnameOverride: 'otel',
      mode: 'daemonset',
      presets: {logsCollection: {enabled: true, storeCheckpoints: true, includeCollectorLogs: false}},
      config: {
        exporters: {'otlp_grpc/gateway': {endpoint: 'otel-gateway.observability.svc.cluster.local:4317'}},
      },
    });
    expect(collectorGatewayValues(deployment)).toMatchObject({
      fullnameOverride: 'otel-gateway',
      config: {exporters: {'otlp_http/loki': {endpoint: 'http://loki.observability.svc.cluster.local:3100/otlp'}}},
    });
  });
});

describe('Loki', () => {
  it('is one program with a store for S3, whose password it reads from its environment', () => {
    const {deploymentMode, loki, singleBinary, minio, gateway} = lokiValues(deployment);
    expect({deploymentMode, minio, gateway}).toEqual({
      deploymentMode: 'Monolithic',
      minio: {enabled: false},
      gateway: {enabled: false},
    });
    expect(loki.storage.s3).toMatchObject({
      endpoint: 'http://loki-object-store.observability.svc.cluster.local:9000',
      secretAccessKey: '$'.concat('{OBJECT_STORE_PASSWORD}'),
      s3ForcePathStyle: true,
    });
    expect(singleBinary.extraArgs).toEqual(['-config.expand-env=true']);
    expect(singleBinary.extraEnv).toContainEqual({
      name: 'OBJECT_STORE_PASSWORD',
      valueFrom: {secretKeyRef: {name: 'loki-object-store', key: 'password'}},
    });
  });

  it('erases lines after the days that the deployment says', () => {
    expect(lokiValues(deployment).loki.limits_config.retention_period).toBe('168h');
    const longer = lokiValues(withAnswers({logging: {retentionDays: 30}}));
    expect(longer.loki.limits_config.retention_period).toBe('720h');
    expect(longer.loki.compactor).toEqual({retention_enabled: true, delete_request_store: 's3'});
  });

  it('tells Alertmanager, where there is one', () => {
    expect(lokiValues(deployment).loki.rulerConfig).toMatchObject({
      alertmanager_url: 'http://rancher-monitoring-alertmanager.cattle-monitoring-system.svc.cluster.local:9093',
    });
    const alone = lokiValues(withAnswers({monitoring: {enabled: false}}));
    expect(alone.loki.rulerConfig).not.toHaveProperty('alertmanager_url');
    expect(alone.monitoring.serviceMonitor.enabled).toBe(false);
  });

  it('has its rules where it looks for them', () => {
    expect(parse((lokiRulesObject.data as Record<string, string>)['groundwork.yaml'] ?? '')).toEqual(lokiRules);
    expect(lokiRules.groups[0]?.rules.map(({alert}) => alert)).toEqual([
      'HighApplicationErrorRate',
      'ApplicationFatalOrCrash',
      'AuthFailureBurst',
      'LoggingPipelineSilent',
    ]);
    // What the chart asks before it writes the ruler’s settings.
    expect(lokiValues(deployment).ruler.enabled).toBe(true);
    expect(lokiValues(deployment).singleBinary.extraVolumeMounts).toEqual([
      {name: 'alerting-rules', mountPath: '/etc/loki/rules/fake', readOnly: true},
    ]);
  });
});

describe('the log store', () => {
  const objects = objectStoreObjects(deployment);

  it('makes its buckets before it starts, so that nothing waits for it', () => {
    expect(objects.map(({kind}) => kind)).toEqual(['Service', 'NetworkPolicy', 'PersistentVolumeClaim', 'StatefulSet']);
    expect(JSON.stringify(objects)).toContain('mkdir -p /data/chunks /data/ruler /data/admin && exec minio server');
  });

  it('is reached by Loki alone, and its image has a tag', () => {
    expect(objects[1]).toMatchObject({
      spec: {ingress: [{from: [{podSelector: {matchLabels: {'app.kubernetes.io/name': 'loki'}}}]}]},
    });
    expect(JSON.stringify(objects)).toMatch(/"image":"[^"]+:RELEASE\.[^"]+"/);
  });

  it('is as large as the deployment says, in an object whose size can be changed', () => {
    for (const [size, storage] of [
      ['small', '50Gi'],
      ['medium', '100Gi'],
      ['large', '250Gi'],
    ] as const) {
      const [, , claim] = objectStoreObjects(withAnswers({logging: {size}}));
      expect(claim).toMatchObject({kind: 'PersistentVolumeClaim', spec: {resources: {requests: {storage}}}});
    }
  });
});

describe('the dashboard', () => {
  it('names its sources by the names that they always have', () => {
    const sources = JSON.stringify(logsDashboard).match(/"uid":"(?!groundwork)[^"]+"/g) ?? [];
    expect(new Set(sources)).toEqual(new Set(['"uid":"loki"', '"uid":"prometheus"']));
  });

  it('has panels that do not lie over each other', () => {
    const taken = new Set<string>();
    for (const {gridPos} of logsDashboard.panels) {
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x} ${y}`)).toBe(false);
          taken.add(`${x} ${y}`);
        }
      }
    }
  });

  it('is found by Grafana', () => {
    expect(logsDashboardObject.metadata).toMatchObject({
      namespace: 'cattle-dashboards',
      labels: {grafana_dashboard: '1'},
    });
    const [json = ''] = Object.values(logsDashboardObject.data as Record<string, string>);
    expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(logsDashboard)));
  });
});

describe('the step', () => {
  it('keeps the store’s password in a Secret, out of values and out of scripts that look', async () => {
    const vault = new Map<string, string>();
    const context = await contextFor(logging, {deployment, vault});
    const password = vault.get('loki-object-store-password') ?? '';
    const looking = [
      ...logging.resources(context).map(({probe}) => probe.text),
      ...logging.verify(context).map(({script}) => script.text),
      JSON.stringify([lokiValues(deployment), collectorAgentValues(), collectorGatewayValues(deployment)]),
      JSON.stringify(objectStoreObjects(deployment)),
    ].join('\n');
    expect(leaksIn(looking, {password})).toEqual([]);
    expect(JSON.stringify(objectStoreSecret(password))).toContain(Buffer.from(password).toString('base64'));
  });
});
