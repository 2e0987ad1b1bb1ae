import {describe, expect, it} from 'vitest';
import {parse} from 'yaml';
import {kubernetes as kubernetesSchema} from '../../source/deployment/schema.ts';
import {monitoring} from '../../steps/index.ts';
import {alertmanagerConfiguration, alertmanagerSecrets, alertSecrets} from '../../steps/monitoring/alerting.ts';
import {
  definitionsValues,
  grafanaRoutes,
  measurementsVolume,
  monitoringPrerequisites,
  monitoringValues,
} from '../../steps/monitoring/objects.ts';
import {platformRules} from '../../steps/monitoring/rules.ts';
import {leaksIn} from '../support/canary.ts';
import {contextFor, wholeDeployment} from '../support/step-context.ts';

const withAnswers = (answers: Record<string, unknown>) => {
  const deployment = wholeDeployment();
  return {...deployment, components: {...deployment.components, kubernetes: kubernetesSchema.parse(answers)}};
};

const quiet = withAnswers({});

const loud = withAnswers({
  monitoring: {
    alerts: {
      slack: {channel: '#alerts'},
      mail: {
        server: 'mail.example.org',
        from: 'rancher@example.org',
        to: ['a@example.org', 'b@example.org'],
        user: 'alerts',
      },
      telegram: {chat: -100123},
    },
  },
});

const given = {
  'alerts-slack-webhook': 'https://hooks.slack.com/services/T000/B000/canary-of-slack',
  'alerts-smtp-password': 'canary-of-the-mail-server',
  'alerts-telegram-token': '123456:canary-of-telegram',
};

const secretOf = (name: string): string => given[name as keyof typeof given];

describe('alerts', () => {
  it('go nowhere until there is a channel', () => {
    expect(alertSecrets(quiet)).toEqual([]);
    const {route, receivers} = alertmanagerConfiguration(quiet);
    expect(receivers).toEqual([{name: 'nobody'}]);
    expect(route.receiver).toBe('nobody');
    expect(JSON.stringify(route)).not.toContain('operators');
  });

  it('go to every channel that was given, and its secret is a file beside Alertmanager', () => {
    expect(alertSecrets(loud).map(({name}) => name)).toEqual(Object.keys(given));
    const [, operators] = alertmanagerConfiguration(loud).receivers;
    const folder = '/etc/alertmanager/secrets/alertmanager-credentials';
    expect(operators).toMatchObject({
      name: 'operators',
      slack_configs: [{api_url_file: `${folder}/alerts-slack-webhook`, channel: '#alerts', send_resolved: true}],
      email_configs: [
        {
          to: 'a@example.org',
          smarthost: 'mail.example.org:587',
          require_tls: true,
          auth_username: 'alerts',
          auth_password_file: `${folder}/alerts-smtp-password`,
        },
        {to: 'b@example.org'},
      ],
      telegram_configs: [{bot_token_file: `${folder}/alerts-telegram-token`, chat_id: -100123}],
    });
  });

  it('need no password of a mail server that wants none', () => {
    const site = withAnswers({
      monitoring: {alerts: {mail: {server: '10.0.0.5', port: 25, from: 'g2p@site.example', to: ['ops@site.example']}}},
    });
    expect(alertSecrets(site)).toEqual([]);
    const [, operators] = alertmanagerConfiguration(site).receivers;
    expect(JSON.stringify(operators)).not.toContain('auth_');
    expect(operators).toMatchObject({email_configs: [{smarthost: '10.0.0.5:25', require_tls: false}]});
  });

  it('are two Secrets: the settings, which hold none, and what opens the channels', () => {
    const [settings, credentials] = alertmanagerSecrets(loud, secretOf);
    const data = (settings?.data ?? {}) as Record<string, string>;
    const text = Buffer.from(data['alertmanager.yaml'] ?? '', 'base64').toString();
    expect(parse(text)).toEqual(alertmanagerConfiguration(loud));
    expect(leaksIn(text, given)).toEqual([]);
    expect(
      Object.fromEntries(
        Object.entries(credentials?.data as Record<string, string>).map(([name, value]) => [
          name,
          Buffer.from(value, 'base64').toString(),
        ]),
      ),
    ).toEqual(given);
    expect(alertmanagerSecrets(quiet, secretOf)[1]?.data).toEqual({});
  });

  it('tell of the machine, its disk, the volumes and the way in', () => {
    const names = (platformRules.spec as {groups: {rules: {alert: string}[]}[]}).groups.flatMap(({rules}) =>
      rules.map(({alert}) => alert),
    );
    expect(names).toEqual(['MachineMemoryLow', 'MachineDiskFull', 'VolumeFull', 'MachineAbsent', 'GatewayAbsent']);
  });
});

describe('what is measured', () => {
  it('lies on the disk of the first compute host, because Prometheus must not lie on NFS', () => {
    const values = monitoringValues(quiet);
    const [, volume] = measurementsVolume(quiet, {name: 'sandbox-1'});
    expect(values.prometheus.prometheusSpec.storageSpec.volumeClaimTemplate.spec).toEqual({
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'prometheus-measurements',
      resources: {requests: {storage: '20Gi'}},
    });
    expect(volume).toMatchObject({
      spec: {
        capacity: {storage: '20Gi'},
        storageClassName: 'prometheus-measurements',
        persistentVolumeReclaimPolicy: 'Retain',
        local: {path: '/var/lib/groundwork/prometheus'},
      },
    });
    expect(JSON.stringify(volume)).toContain('"values":["sandbox-1"]');
  });

  it('keeps the owner and the mode that the kubelet gives to its place', async () => {
    const ids = monitoring.resources(await contextFor(monitoring, {deployment: quiet})).map(({id}) => id);
    expect(ids).toContain('place /var/lib/groundwork/prometheus');
    expect(ids).not.toContain('directory /var/lib/groundwork/prometheus');
  });

  it('fits the disk whatever the size', () => {
    for (const size of ['small', 'medium', 'large'] as const) {
      const deployment = withAnswers({monitoring: {size}});
      const {retentionSize, storageSpec} = monitoringValues(deployment).prometheus.prometheusSpec;
      const disk = Number.parseInt(storageSpec.volumeClaimTemplate.spec.resources.requests.storage, 10);
      expect(Number.parseInt(retentionSize, 10)).toBeLessThan(disk);
    }
  });

  it('comes from RKE2’s own parts, too', () => {
    expect(monitoringValues(quiet)).toMatchObject({
      rke2ControllerManager: {enabled: true},
      rke2Scheduler: {enabled: true},
      rke2Proxy: {enabled: true},
      rke2Etcd: {enabled: true},
      rke2IngressNginx: {enabled: false},
      global: {cattle: {clusterId: 'local', clusterName: 'demo', url: 'https://rancher.openg2p.test'}},
    });
    expect(definitionsValues(quiet)).toEqual({global: monitoringValues(quiet).global});
  });
});

describe('Grafana', () => {
  const {grafana} = monitoringValues(quiet);

  it('shows nothing to who has not logged in, and outlives its pod', () => {
    expect(grafana['grafana.ini']).toMatchObject({
      server: {root_url: 'https://grafana.openg2p.test'},
      'auth.anonymous': {enabled: false},
      users: {allow_sign_up: false, auto_assign_org_role: 'Viewer'},
    });
    expect(grafana.persistence).toMatchObject({enabled: true, storageClassName: 'nfs-csi'});
  });

  it('has its password by a Secret and not among the values', () => {
    expect(grafana.admin).toEqual({
      existingSecret: 'grafana-admin',
      userKey: 'admin-user',
      passwordKey: 'admin-password',
    });
    expect(monitoringPrerequisites('pass')[1]).toMatchObject({
      metadata: {name: 'grafana-admin'},
      data: {'admin-password': 'cGFzcw=='},
    });
  });

  it('knows Loki by the name that dashboards have, where there is a Loki', () => {
    expect(grafana.additionalDataSources).toMatchObject([
      {uid: 'loki', url: 'http://loki.observability.svc.cluster.local:3100'},
    ]);
    expect(monitoringValues(withAnswers({logging: {enabled: false}})).grafana.additionalDataSources).toEqual([]);
  });

  it('is served at its own port under its own name', () => {
    const [service, , route] = grafanaRoutes(quiet);
    expect(service).toMatchObject({kind: 'Service', spec: {ports: [{port: 80, targetPort: 3000}]}});
    expect(route).toMatchObject({spec: {hosts: ['grafana.openg2p.test']}});
  });
});

describe('the step', () => {
  it('keeps every secret out of values and out of scripts that look', async () => {
    const vault = new Map(Object.entries(given));
    const context = await contextFor(monitoring, {deployment: loud, vault});
    const all = {...given, grafana: vault.get('grafana-admin-password') ?? ''};
    const looking = [
      ...monitoring.resources(context).map(({probe}) => probe.text),
      ...monitoring.verify(context).map(({script}) => script.text),
      JSON.stringify([monitoringValues(loud), definitionsValues(loud)]),
    ].join('\n');
    expect(leaksIn(looking, all)).toEqual([]);
  });
});
