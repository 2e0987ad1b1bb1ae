import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {readDraft} from '../../source/deployment/draft.ts';
import {pathOf, valueAt} from '../../source/deployment/problem.ts';
import {looksLikeSecretName} from '../../source/deployment/secrets-in-text.ts';
import {fromYaml, toYaml} from '../../source/deployment/yaml.ts';
import {kindOf, kinds, rowOf} from '../../source/import/kinds.ts';
import {reportLines, reportObjects, reportSections} from '../../source/import/report.ts';
import {readSettings} from '../../source/import/settings-file.ts';
import {fixture, imported, importing, importText, itemOf, refused} from '../support/importing.ts';
import {keysOf} from './keys.ts';

const errors = (result: ReturnType<typeof imported>) => result.problems.filter(({severity}) => severity === 'error');
const prod = (text: string) => ({
  path: 'prod-config.yaml',
  text: `rp_private_ip: 10.20.0.10\ncompute_private_ip: 10.20.0.11\n${text}postgres_port: 5432\n`,
});

describe('every setting of every kind', () => {
  const all = Object.entries(keysOf).flatMap(([kind, keys]) => keys.map(key => [kind, key] as const));

  test.each(all)('of %s has a row: %s', (kind, key) => {
    const table = kinds.find(({id}) => id === kind)?.table ?? {};
    expect(rowOf(table, key)).toBeDefined();
  });

  test('and no row is for a setting that nobody knows', () => {
    for (const {id, table} of kinds) {
      // What provisioning writes for a sandbox is known from the sandbox's own settings.
      const known = id === 'provision-output' ? Object.values(keysOf).flat() : (keysOf[id] ?? []);
      // Where several forms of a file were there over the years, their tables share rows.
      const related = ['infra-config', 'single-node-config'].includes(id)
        ? [...(keysOf['infra-config'] ?? []), ...(keysOf['single-node-config'] ?? [])]
        : [...known, 'tls_keycloak_chain', 'monitoring.wal'];
      for (const row of Object.keys(table)) {
        expect(
          [...known, ...related].some(key => rowOf({[row]: () => ({outcome: 'left', note: ''})}, key)),
          `${id}: ${row}`,
        ).toBe(true);
      }
    }
  });

  test.each([
    ['prod-config', ['prod-config.yaml']],
    ['provision-output', ['provision-output.yaml']],
    ['infra-config', ['infra-config.yaml']],
    ['single-node-config', ['single-node-config.yaml']],
    ['env-config', ['infra-config.yaml', 'env-config.yaml']],
    ['backup-config', ['prod-config.yaml', 'backup-config.yaml']],
    ['deployment-plan', ['deployment-plan.yaml']],
    ['add-node-config', ['prod-config.yaml', 'add-node-config.yaml']],
  ])('is in the example of %s, and used, changed or reported when that is read', (kind, names) => {
    const name = names.at(-1) ?? '';
    const result = imported(...names.map(fixture));
    expect(result.files.find(({path}) => path === name)?.kind).toBe(kind);
    const told = result.items.filter(item => item.file === name);
    for (const key of keysOf[kind] ?? []) {
      const item = told.find(each => each.key === key);
      expect(item, `nothing is said about ${key}`).toBeDefined();
      expect(['taken', 'changed', 'left', 'secret'], `${key}: ${item?.outcome} ${item?.note}`).toContain(item?.outcome);
      if (item?.outcome !== 'taken') expect(item?.note, key).toBeTruthy();
    }
    // Every line that holds a setting is accounted for, once.
    const lines = readSettings(importText(name))
      .settings.filter(({written}) => written !== '')
      .map(({line}) => line);
    expect(told.map(({line}) => line)).toEqual(lines);
  });

  test('is where the report says that it is', () => {
    const {items, deployment} = imported(fixture('prod-config.yaml'), fixture('backup-config.yaml'));
    const placed = items.flatMap(({paths}) => paths);
    expect(placed.length).toBeGreaterThan(40);
    for (const path of placed) expect(valueAt(deployment, pathOf(path)), path).toBeDefined();
  });
});

describe('what comes of the examples', () => {
  test.each([
    ['a whole production', ['prod-config.yaml', 'backup-config.yaml']],
    ['a production in a cloud', ['prod-config.yaml', 'provision-output.yaml', 'backup-config.yaml']],
    ['a sandbox', ['infra-config.yaml']],
    ['a sandbox with an environment', ['infra-config.yaml', 'env-config.yaml']],
    ['a sandbox in its newer form', ['single-node-config.yaml']],
  ])('can be installed and is the same after export and import: %s', (_, names) => {
    const result = imported(...names.map(fixture));
    expect(errors(result)).toEqual([]);
    const yaml = toYaml(result.deployment);
    const again = fromYaml(yaml);
    expect(again).toEqual({ok: true, value: result.deployment});
    expect(readDraft(JSON.parse(JSON.stringify(result.deployment)))).toEqual({ok: true, value: result.deployment});
    // As a file of our own, it goes the same way.
    expect(imported({path: 'ours.yaml', text: yaml}).deployment).toEqual(result.deployment);
  });

  test('is a production with its four machines', () => {
    const {deployment} = imported(fixture('prod-config.yaml'), fixture('backup-config.yaml'));
    const jump = {address: '203.0.113.10', port: 22, user: 'ubuntu', identityFile: '~/.ssh/id_rsa'};
    expect(deployment).toMatchObject({
      name: 'openg2p',
      topology: 'production-minimum',
      domain: 'openg2p.gov.example',
      hosts: [
        {name: 'proxy-1', address: '203.0.113.10', privateAddress: '10.20.0.10', roles: ['base', 'proxy']},
        {name: 'compute-1', address: '10.20.0.11', privateAddress: '10.20.0.11', roles: ['base', 'compute'], jump},
        {name: 'storage-1', address: '10.20.0.12', privateAddress: '10.20.0.12', roles: ['base', 'storage'], jump},
        {name: 'backup-1', address: '10.20.0.13', privateAddress: '10.20.0.13', roles: ['base', 'backup'], jump},
      ],
      network: {privateSubnet: '10.20.0.0/24', adminSources: ['0.0.0.0/0']},
      channels: [{endpoint: 'vpn.openg2p.gov.example', subnet: '10.15.0.0/16', port: 51820, peers: [{name: 'laptop'}]}],
      components: {
        postgresql: {packages: 'distribution', port: 5432},
        nfs: {exportPath: '/srv/nfs'},
        dns: {server: 'site', resolver: '10.20.0.2'},
        backup: {
          path: '/var/lib/openg2p-backup/groundwork',
          groups: ['postgresql', 'etcd', 'rancher', 'files'],
          retention: {
            postgresqlFull: 5,
            postgresqlDifferential: 8,
            etcd: 29,
            rancher: 15,
            daily: 8,
            weekly: 5,
            monthly: 7,
          },
          schedules: {
            postgresqlFull: 'Sun *-*-* 01:00',
            postgresqlDifferential: 'Mon..Sat *-*-* 01:00',
            etcd: '*-*-* 00/6:20',
            rancher: '0 2 * * *',
            files: '*-*-* 02:30',
            configurations: '*-*-* 02:45',
            drill: 'Sun *-*-* 06:00',
            check: '*-*-* 08:00',
          },
        },
        kubernetes: {
          versions: 'default',
          logging: {retentionDays: 7},
          monitoring: {
            alerts: {
              slack: {channel: '#alerts'},
              mail: {
                server: 'smtp.openg2p.gov.example',
                port: 2525,
                user: 'alerts',
                to: ['operators@openg2p.gov.example'],
              },
              telegram: {chat: -1001234567890},
            },
          },
        },
      },
      environments: [
        {name: 'prod', domain: 'prod.openg2p.gov.example', hostnames: {kafka: 'kafka-ui.prod.openg2p.gov.example'}},
      ],
    });
    expect(deployment.hosts[0]?.jump).toBeUndefined();
  });

  test('is a sandbox with everything on one machine', () => {
    const {deployment} = imported(fixture('infra-config.yaml'), fixture('env-config.yaml'));
    expect(deployment).toMatchObject({
      topology: 'sandbox',
      domain: 'openg2p.test',
      hosts: [
        {
          name: 'node1',
          address: '10.0.0.11',
          privateAddress: '10.0.0.11',
          roles: ['base', 'proxy', 'compute', 'storage'],
        },
      ],
      channels: [{endpoint: '203.0.113.10', tunnel: 'full'}],
      components: {
        kubernetes: {
          logging: {retentionDays: 5},
          monitoring: {alerts: {mail: {port: 587, to: ['one@example.org', 'two@example.org']}}},
        },
      },
      environments: [{name: 'dev', domain: 'dev.openg2p.test', adminEmail: 'admin@openg2p.example.org'}],
    });
  });

  test('is the same from an inventory', () => {
    const {deployment, items} = imported(fixture('inventory.ini'));
    const jump = {address: '203.0.113.10', port: 22, user: 'ubuntu', identityFile: '~/.ssh/id_rsa'};
    expect(deployment).toMatchObject({
      topology: 'production-minimum',
      hosts: [
        {name: 'rp', address: '203.0.113.10', privateAddress: '', roles: ['base', 'proxy']},
        {name: 'compute-1', address: '10.20.0.11', privateAddress: '10.20.0.11', roles: ['base', 'compute'], jump},
        {name: 'storage-1', roles: ['base', 'storage'], jump},
        {name: 'keeper', user: 'keeper', roles: ['base', 'backup'], jump},
      ],
      network: {privateSubnet: '10.20.0.0/24'},
    });
    expect(items.find(({outcome}) => outcome === 'secret')?.key).toBe('ansible_become_password');
  });
});

describe('secrets', () => {
  const names = [
    'prod-config.yaml',
    'infra-config.yaml',
    'single-node-config.yaml',
    'env-config.yaml',
    'inventory.ini',
  ];

  test.each(names)('of %s are never told, and never in the deployment', name => {
    expect(importText(name)).toContain('not-for-anybody');
    const result = imported(fixture(name));
    const told = [
      JSON.stringify(result),
      reportLines(reportSections(result)).join('\n'),
      JSON.stringify(reportObjects(result, null)),
      toYaml(result.deployment),
    ].join('\n');
    expect(told).not.toContain('not-for-anybody');
  });

  test('are named, with the way to bring them', () => {
    const result = imported(fixture('prod-config.yaml'));
    const report = reportLines(reportSections({...result, deployment: {...result.deployment, name: 'site-1'}}));
    for (const vault of [
      'postgres-superuser',
      'alerts-slack-webhook',
      'alerts-smtp-password',
      'alerts-telegram-token',
    ]) {
      expect(report.join('\n')).toContain(`groundwork secrets set site-1 ${vault}`);
    }
    expect(result.items.filter(({outcome}) => outcome === 'secret')).toHaveLength(10);
  });

  test('are all rows whose name says so', () => {
    for (const {id, table} of kinds) {
      for (const [key, row] of Object.entries(table).filter(([name]) =>
        looksLikeSecretName(name.split('.').at(-1) ?? ''),
      )) {
        // The paths of keys are no secrets.
        if (/_ssh_key$|^ssh_key$|^tls_\w+_key$/.test(key)) continue;
        const reading = row('value', {
          of: () => undefined,
          written: 'value',
          star: '',
          folder: '/',
          environment: 0,
          has: () => false,
        });
        expect(reading.outcome, `${id}: ${key}`).toBe('secret');
      }
    }
  });

  test('of settings that nobody knows are not told either', () => {
    const {items} = imported(
      prod(
        'my_api_token: not-for-anybody\nwhat_is_this: not-for-anybody\nrp_ssh_key: -----BEGIN RSA PRIVATE KEY-----\n',
      ),
    );
    expect(items.map(({key, outcome}) => [key, outcome])).toEqual([
      ['rp_private_ip', 'taken'],
      ['compute_private_ip', 'taken'],
      ['my_api_token', 'secret'],
      ['what_is_this', 'unknown'],
      ['rp_ssh_key', 'secret'],
      ['postgres_port', 'taken'],
    ]);
    expect(JSON.stringify(items)).not.toContain('not-for-anybody');
    expect(JSON.stringify(items)).not.toContain('PRIVATE');
  });
});

describe('certificates', () => {
  const line = (text: string, key: string) => {
    const result = imported(prod(text));
    const report = reportLines(reportSections({...result, deployment: {...result.deployment, name: 'site-1'}}));
    return {tls: result.deployment.tls, line: report.find(each => each.includes(key))};
  };

  test('are named in the deployment, and brought by a command that the report has', () => {
    expect(line('tls_wildcard_cert: ./my certs/all.pem\ntls_wildcard_key: all.key\n', 'tls_wildcard_cert')).toEqual({
      tls: {mode: 'supplied', certificates: ['main'], warnDays: 30},
      line: expect.stringContaining("groundwork certificates import './my certs/all.pem' all.key --deployment site-1"),
    });
    expect(line('tls_rancher_cert: r.pem\n', 'tls_rancher_cert')).toEqual({
      tls: {mode: 'supplied', certificates: ['rancher'], warnDays: 30},
      line: expect.stringContaining('groundwork certificates import r.pem --deployment site-1 --name rancher'),
    });
    expect(imported(fixture('prod-config.yaml')).deployment.tls).toMatchObject({certificates: ['main', 'rancher']});
  });
});

describe('several files', () => {
  test('what provisioning found out wins, in whatever order they are named', () => {
    const names = ['provision-output.yaml', 'prod-config.yaml'];
    const [one, other] = [imported(...names.map(fixture)), imported(...names.toReversed().map(fixture))];
    expect(one.deployment).toEqual(other.deployment);
    expect(one.deployment).toMatchObject({
      hosts: [
        {address: '198.51.100.20'},
        {address: '198.51.100.21'},
        {address: '198.51.100.22'},
        {address: '198.51.100.23'},
      ],
      network: {privateSubnet: '172.31.0.0/16', adminSources: ['192.0.2.7/32']},
    });
    expect(itemOf(one, 'private_subnet', 'prod-config.yaml')).toMatchObject({
      outcome: 'left',
      note: 'provision-output.yaml, line 15 says otherwise, and counts',
    });
    expect(itemOf(one, 'wg_port', 'prod-config.yaml').note).toBe('is said again in provision-output.yaml, line 18');
  });

  test('what is empty later on does not take away what was there', () => {
    const overlay = {path: 'provision-output.yaml', text: 'rp_private_ip: ""\nrp_ssh_user: ops\n'};
    const result = imported(prod('rp_ssh_user: ubuntu\n'), overlay);
    expect(result.deployment.hosts[0]).toMatchObject({privateAddress: '10.20.0.10', user: 'ops'});
  });

  test('a setting that is there twice counts the second time', () => {
    const result = imported(prod('wg_port: 1\nwg_port: 2\n'));
    expect(result.deployment.channels[0]).toMatchObject({port: 2});
    expect(result.items.filter(({key}) => key === 'wg_port').map(({note}) => note)).toEqual([
      'line 4 says otherwise, and counts',
      undefined,
    ]);
  });

  test('each of several environments is one of its own', () => {
    const qa = {
      path: 'qa.yaml',
      text: 'environment: "qa"\nbase_domain: ""\nadmin_email: qa@example.org\nmodules:\n  commons: true\n',
    };
    const {deployment} = imported(fixture('infra-config.yaml'), fixture('env-config.yaml'), qa);
    expect(deployment.environments).toMatchObject([
      {name: 'dev', adminEmail: 'admin@openg2p.example.org'},
      {name: 'qa', adminEmail: 'qa@example.org'},
    ]);
  });

  test('of a sandbox and of a production do not go together', () => {
    expect(refused(fixture('infra-config.yaml'), fixture('prod-config.yaml'))).toContain('different installations');
  });

  test('a deployment of ours is imported alone', () => {
    const ours = {path: 'ours.yaml', text: toYaml(imported(fixture('infra-config.yaml')).deployment)};
    expect(refused(ours, fixture('env-config.yaml'))).toContain('is imported alone');
  });

  test('an inventory adds the machines that the settings do not name', () => {
    const {deployment, items} = imported(fixture('prod-config.yaml'), fixture('inventory.ini'));
    expect(deployment.hosts.map(({name}) => name)).toEqual(['proxy-1', 'compute-1', 'storage-1', 'keeper']);
    expect(items.find(({key}) => key === 'rp')?.note).toContain('proxy-1 is that');
  });
});

describe('what cannot be taken over as it is', () => {
  const told = (text: string, key: string) => itemOf(imported(prod(text)), key);

  test.each([
    ['wg_peers: 100', 'wg_peers', 'changed', 'peers have names'],
    ['cluster_name: My_Cluster', 'cluster_name', 'changed', 'becomes my-cluster'],
    ['admin_cidr: 203.0.113.5/24', 'admin_cidr', 'changed', '203.0.113.5/24 lies in 203.0.113.0/24'],
    ['public_domain: Example.ORG', 'public_domain', 'changed', 'lower case'],
    ['rancher_hostname: rancher.example.org', 'rancher_hostname', 'changed', 'tells the domain'],
    ['public_domain: a.org\nrancher_hostname: k8s.a.org', 'rancher_hostname', 'left', 'rancher.a.org'],
    ['rke2_version: v1.35.8+rke2r1', 'rke2_version', 'taken', undefined],
    ['rke2_version: v1.30.0+rke2r1', 'rke2_version', 'changed', 'installs RKE2 v1.35'],
    ['loki_retention_hours: 25', 'loki_retention_hours', 'changed', 'whole days'],
    ['loki_retention_hours: often', 'loki_retention_hours', 'wrong', 'not a whole number'],
    ['alert_slack_channel: "#ops"', 'alert_slack_channel', 'left', 'alert_slack_webhook_url is not set'],
    ['alert_smtp_smarthost: mail.example.org', 'alert_smtp_smarthost', 'left', 'alert_smtp_from'],
    ['postgres_version: 15', 'postgres_version', 'taken', 'PostgreSQL project'],
    ['rp_ssh_key: ./keys/one.pem', 'rp_ssh_key', 'changed', 'beside the file'],
    ['environment:\n  name: qa', 'environment.name', 'left', 'install_environment is not true'],
    ['install_environment: true\nenvironment:\n  name: pre-prod', 'environment.name', 'changed', 'becomes preprod'],
    [
      'install_environment: true\nenvironment:\n  name: "1"\n  admin_email: a@b.org',
      'environment.admin_email',
      'left',
      'no environment',
    ],
    [
      'public_domain: a.org\ninstall_environment: true\nenvironment:\n  name: qa',
      'environment.name',
      'changed',
      'below qa.a.org',
    ],
    [
      'public_domain: a.org\ninstall_environment: true\nenvironment:\n  name: qa\n  base_domain: a.org',
      'environment.base_domain',
      'changed',
      'at qa.a.org',
    ],
    [
      'install_environment: true\nenvironment:\n  install_commons: false',
      'environment.install_commons',
      'changed',
      'comes with every',
    ],
    ['nfs_export_path: /data#1', 'nfs_export_path', 'taken', 'cut it off at "#"'],
    ['wg_pers: 3', 'wg_pers', 'unknown', 'did you mean "wg_peers"?'],
    ['zzz_unheard_of: 3', 'zzz_unheard_of', 'unknown', 'no such setting'],
  ])('%s', (text, key, outcome, note) => {
    const item = told(`${text}\n`, key);
    expect(item.outcome).toBe(outcome);
    if (note === undefined) expect(item.note).toBeUndefined();
    else expect(item.note).toContain(note);
  });

  test('a missing yes is a no, as in the scripts', () => {
    expect(imported(prod('environment:\n  name: qa\n')).deployment.environments).toEqual([]);
    expect(imported(prod('install_environment: True\nenvironment:\n  name: qa\n')).deployment.environments).toEqual([]);
    expect(imported(prod('install_environment: yes\n')).deployment.environments).toMatchObject([{name: 'prod'}]);
  });

  test('a wrong value stays to be put right, and is told with its line', () => {
    const {problems, deployment} = imported(
      prod('storage_private_ip: 10.20.0.300\nwg_subnet: 10.20.0.0/16\nprivate_subnet: 10.20.0.0/24\n'),
    );
    expect(deployment.hosts[2]?.privateAddress).toBe('10.20.0.300');
    expect(problems).toContainEqual(
      expect.objectContaining({path: 'hosts[2].privateAddress', file: 'prod-config.yaml', line: 3, severity: 'error'}),
    );
    expect(problems).toContainEqual(expect.objectContaining({path: 'channels[0].subnet', line: 4, severity: 'error'}));
    expect(readDraft(deployment).ok).toBe(true);
  });

  test('what everybody may do is warned of, with its line', () => {
    expect(imported(prod('admin_cidr: 0.0.0.0/0\n')).problems).toContainEqual(
      expect.objectContaining({path: 'network.adminSources[0]', line: 3, severity: 'warning'}),
    );
  });

  test('machines that no file names are still to be added', () => {
    const result = imported(prod('compute_node_name: c1\nstorage_ssh_user: ops\n'));
    expect(result.deployment.hosts.map(({name}) => name)).toEqual(['proxy-1', 'c1', 'storage-1']);
    expect(errors(result).map(({message}) => message)).toContain('"production-minimum" needs 1 × backup; there are 0');
  });

  test('lines that are no settings are told', () => {
    expect(imported(prod('nonsense\n')).items.find(({outcome}) => outcome === 'unknown')).toMatchObject({
      line: 3,
      outcome: 'unknown',
      note: expect.stringContaining('pass over'),
    });
  });
});

describe('files that are not meant', () => {
  const file = (text: string) => ({path: 'x.yaml', text});

  test.each([
    ['', 'x.yaml is empty'],
    ['\u0000\u0001binary', 'x.yaml is no text'],
    [Buffer.from([0xff, 0xfe, 0x41]).toString('utf8'), 'x.yaml is no text'],
    ['a: 1\nb: \u001b[2J\n', 'x.yaml, line 2: there is a control character (U+001B)'],
    ['a: 1\u009b\n', 'x.yaml, line 1: there is a control character (U+009B)'],
    ['x'.repeat(10_000_000), 'x.yaml is larger than 256 KiB'],
    ['{'.repeat(100_000), 'x.yaml is no file that can be imported'],
    [`${'a:\n '.repeat(60_000)}b: 1`, 'x.yaml is no file that can be imported'],
    ['- one\n- two\n', 'x.yaml is no file that can be imported'],
    ['name: something else\n', 'x.yaml is no file that can be imported'],
    ['<html><body>rp_private_ip</body></html>', 'x.yaml is no file that can be imported'],
    ['project: x\nregion: y\n', 'nothing in it can be taken over'],
    ['[all]\nnode[1:9999999]\n', 'x.yaml, line 2: "node[1:9999999]" stands for more'],
    ['version: 1\nblueprint: openg2p\n', 'x.yaml cannot be used'],
  ])(
    'are refused: %j',
    (text, expected) => {
      expect(refused(file(text))).toContain(expected);
    },
    30_000,
  );

  test('all of them are named at once', () => {
    const error = refused(file(''), {path: 'y.yaml', text: '\u0000'}, fixture('prod-config.yaml'));
    expect(error).toBe('x.yaml is empty\ny.yaml is no text');
  });

  test('whatever settings hold, the outcome is a draft that can be kept, or a sentence', () => {
    const keys = Object.values(keysOf).flat();
    const value = fc.oneof(
      fc.string({maxLength: 12}).filter(text => !/[\p{C}]/u.test(text)),
      fc.constantFrom(
        'true',
        '1',
        '10.0.0.1',
        '10.0.0.0/24',
        'a.b.c',
        '-',
        '0',
        '99999999999',
        '__proto__',
        'a,b',
        '{{ x }}',
        '[]',
      ),
    );
    const settings = fc.array(fc.tuple(fc.constantFrom(...keys), value), {minLength: 1, maxLength: 12});
    fc.assert(
      fc.property(settings, pairs => {
        const text = pairs
          .map(([key, inner]) =>
            key.includes('.') ? `${key.split('.')[0]}:\n  ${key.split('.')[1]}: ${inner}` : `${key}: ${inner}`,
          )
          .join('\n');
        const result = importing(file(text));
        if (!result.ok) {
          expect(result.error.length).toBeGreaterThan(5);
          return;
        }
        const {deployment} = result.value;
        expect(readDraft(JSON.parse(JSON.stringify(deployment)))).toMatchObject({ok: true});
        expect(() => toYaml(deployment)).not.toThrow();
      }),
      {numRuns: 300},
    );
  }, 60_000);
});

test('a file says by itself what it is, whatever it is called', () => {
  for (const kind of Object.keys(keysOf).filter(id => id !== 'aws-config')) {
    expect(kindOf(readSettings(importText(`${kind}.yaml`)))?.id, kind).toBe(kind);
  }
});
