import {spawnSync} from 'node:child_process';
import {describe, expect, it} from 'vitest';
import {parse} from 'yaml';
import {type Deployment, type HostSpec, kubernetes} from '../../source/deployment/schema.ts';
import {fromYaml, toYaml} from '../../source/deployment/yaml.ts';
import {sha256} from '../../source/resources/write-file.ts';
import {
  environmentFile,
  podSecurity,
  profile,
  registriesConfiguration,
  resolverFile,
  serverConfiguration,
  serverNames,
  withoutIngress,
} from '../../steps/rke2/configuration.ts';
import {inTheWay} from '../../steps/rke2/existing-cluster.ts';
import {clusterReady} from '../../steps/rke2/readiness.ts';
import {rke2} from '../../steps/rke2/rke2.ts';
import {compareVersions, parseVersion, rke2Version} from '../../steps/rke2/versions.ts';
import {sampleFacts} from '../support/facts.ts';
import {contextFor, sampleDeployment} from '../support/step-context.ts';

const withSettings = (settings: object = {}, more: Partial<Deployment> = {}): Deployment =>
  sampleDeployment({
    components: {...sampleDeployment().components, kubernetes: kubernetes.parse(settings)},
    ...more,
  });

const deployment = withSettings();
const host = deployment.hosts[0] as HostSpec;
const version = rke2Version(deployment);
const token = '0123456789abcdef';
const configured = (of: Deployment = deployment, on: HostSpec = host) =>
  parse(serverConfiguration(of, on, token, {ownResolvers: true}));

describe('the configuration of the server', () => {
  it('says everything that cannot be changed later from the first day', () => {
    expect(configured()).toEqual({
      token,
      'node-name': 'sandbox-1',
      'node-ip': '10.0.0.11',
      'tls-san': ['10.0.0.11', 'sandbox-1', 'rancher.openg2p.test', '203.0.113.10'],
      'cluster-cidr': '10.42.0.0/16',
      'service-cidr': '10.43.0.0/16',
      'resolv-conf': '/etc/rancher/rke2/resolv.conf',
      'ingress-controller': 'none',
      'write-kubeconfig-mode': '0600',
      'etcd-snapshot-schedule-cron': '0 */12 * * *',
      'etcd-snapshot-retention': 5,
      'node-label': ['shouldInstallIstioIngress=true'],
      'kubelet-arg': ['container-log-max-size=50Mi', 'container-log-max-files=5'],
      'kube-proxy-arg': ['nodeport-addresses=10.0.0.11/32'],
    });
  });

  it('keeps a token of digits a text, whatever YAML would make of it', () => {
    expect(parse(serverConfiguration(deployment, host, '1234e5678', {ownResolvers: false})).token).toBe('1234e5678');
  });

  it('follows the deployment', () => {
    const other = withSettings(
      {snapshots: {schedule: '30 2 * * 1-5', keep: 30}, cis: true},
      {network: {...deployment.network, pods: '10.50.0.0/16', services: '10.51.0.0/16'}},
    );
    expect(configured(other)).toMatchObject({
      'cluster-cidr': '10.50.0.0/16',
      'service-cidr': '10.51.0.0/16',
      'etcd-snapshot-schedule-cron': '30 2 * * 1-5',
      'etcd-snapshot-retention': 30,
      profile: 'cis',
      'pod-security-admission-config-file': '/etc/rancher/rke2/pod-security.yaml',
    });
  });

  it('names the address that operators use once, and never the loopback', () => {
    expect(serverNames(deployment, {...host, address: '10.0.0.11'})).toEqual([
      '10.0.0.11',
      'sandbox-1',
      'rancher.openg2p.test',
    ]);
    for (const address of ['localhost', '127.0.0.1', '::1'])
      expect(serverNames(deployment, {...host, address})).toHaveLength(3);
    expect(serverNames(deployment, {...host, address: 'Sandbox.Example.ORG'})).toContain('sandbox.example.org');
  });

  it('asks the site’s resolvers about other names, never the host itself and never more than three', () => {
    const facts = sampleFacts({
      nameservers: ['127.0.0.1', '10.0.0.11', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5'],
    });
    expect(resolverFile(deployment, host, facts)?.split('\n').slice(1)).toEqual([
      'nameserver 10.0.0.2',
      'nameserver 10.0.0.3',
      'nameserver 10.0.0.4',
      '',
    ]);
    expect(resolverFile(deployment, host, sampleFacts({nameservers: ['127.0.0.53']}))).toBeUndefined();
  });

  it('turns the ingress controller off in the form that the version knows', () => {
    expect(withoutIngress('v1.36.1+rke2r1')).toEqual({'ingress-controller': 'none'});
    expect(withoutIngress('v1.31.0+rke2r1')).toEqual({'ingress-controller': 'none'});
    expect(withoutIngress('v1.30.2+rke2r1')).toEqual({disable: ['rke2-ingress-nginx']});
  });

  it('exempts the platform from the CIS profile’s pod security, and nobody else', () => {
    const [plugin] = parse(podSecurity).plugins;
    expect(plugin.configuration.defaults.enforce).toBe('restricted');
    expect(plugin.configuration.exemptions.namespaces).toEqual(
      expect.arrayContaining(['kube-system', 'istio-system', 'cattle-system', 'cattle-monitoring-system']),
    );
    expect(plugin.configuration.exemptions.namespaces).not.toContain('default');
  });
});

describe('a registry of the site', () => {
  const registries = (registry?: object) =>
    parse(registriesConfiguration(withSettings({registry}), name => `the ${name}`) ?? 'null');

  it('is not needed', () => {
    expect(registries()).toBeNull();
  });

  it('stands in for every other one', () => {
    expect(registries({address: 'https://registry.site.example:5000'})).toEqual({
      mirrors: {'*': {endpoint: ['https://registry.site.example:5000']}},
    });
  });

  it('may have a path, a login and an authority of its own', () => {
    const registry = {
      address: 'https://registry.site.example/mirror/all',
      user: 'puller',
      authorityFile: '/etc/ssl/site.pem',
    };
    expect(registries(registry)).toEqual({
      mirrors: {'*': {endpoint: ['https://registry.site.example'], rewrite: {'^(.*)$': 'mirror/all/$1'}}},
      configs: {
        'registry.site.example': {
          auth: {username: 'puller', password: 'the registry-password'},
          tls: {ca_file: '/etc/ssl/site.pem'},
        },
      },
    });
    const names = rke2.secrets?.(withSettings({registry})).map(({name, given}) => [name, given !== undefined]);
    expect(names).toEqual([
      ['rke2-token', false],
      ['registry-password', true],
    ]);
  });

  it('has no login in its address', () => {
    for (const address of ['https://me:secret@registry.site.example', 'registry.site.example', 'https://x/', 'ftp://x'])
      expect(kubernetes.safeParse({registry: {address}}).success).toBe(false);
  });
});

describe('a proxy on the way out', () => {
  it('is not used for the cluster, the machines and the domain', () => {
    const text = environmentFile(
      withSettings(
        {},
        {artifacts: {source: 'online', proxy: {address: 'http://proxy.site.example:3128', exclude: ['.site.example']}}},
      ),
    );
    expect(text).toContain('HTTPS_PROXY="http://proxy.site.example:3128"\n');
    expect(text).toContain(
      'NO_PROXY="127.0.0.0/8,10.0.0.0/24,10.42.0.0/16,10.43.0.0/16,.svc,.cluster.local,.openg2p.test,.site.example"\n',
    );
    expect(environmentFile(deployment)).not.toContain('PROXY');
  });
});

describe('an operator’s shell on the host', () => {
  it('can be made from the profile, also of one who may not read the configuration', () => {
    const {status, stderr} = spawnSync('/bin/sh', ['-eu'], {input: profile, encoding: 'utf8'});
    expect([status, stderr]).toEqual([0, '']);
  });
});

describe('settings of Kubernetes', () => {
  it('are absent in a deployment of the ground alone, and whole when they are asked for', () => {
    expect(toYaml(sampleDeployment())).not.toContain('kubernetes');
    const read = fromYaml(toYaml(deployment));
    expect(read.ok && read.value.components.kubernetes).toEqual(deployment.components.kubernetes);
  });
});

describe('versions', () => {
  it('are compared by numbers, the release of RKE2 last', () => {
    const order = ['v1.9.0+rke2r1', 'v1.33.6+rke2r1', 'v1.33.6+rke2r2', 'v1.33.10+rke2r1', 'v1.34.0+rke2r1'];
    const parsed = order.map(text => parseVersion(text));
    for (const [index, later] of parsed.entries())
      for (const earlier of parsed.slice(0, index)) expect(compareVersions(earlier!, later!)).toBeLessThan(0);
    expect(parseVersion('v1.33.6')).toBeUndefined();
  });
});

describe('what is on the disk already', () => {
  const ours = ['cluster', `token ${sha256(token)}`, 'node-name sandbox-1', 'cluster-cidr 10.42.0.0/16'];
  const reason = (...lines: readonly string[]) => inTheWay(`${lines.join('\n')}\n`, deployment, host, token);
  const remedyOf = (message: string | undefined) => rke2.remedies?.find(({match}) => match.test(message ?? ''))?.id;
  const {minor, parts} = parseVersion(version)!;

  it('may be nothing, or the cluster of this deployment at this version or the one before', () => {
    expect(reason()).toBeUndefined();
    expect(reason(...ours, `version ${version}`)).toBeUndefined();
    expect(reason(...ours, `version v1.${minor - 1}.9+rke2r1`)).toBeUndefined();
    expect(reason(...ours, `version v1.${minor}.${Math.max(0, (parts[2] ?? 0) - 1)}+rke2r1`)).toBeUndefined();
    // Its program is gone and its state is not: the program is installed again.
    expect(reason(...ours)).toBeUndefined();
  });

  it('may be a Kubernetes of somebody else, which is left alone', () => {
    const found = reason('stranger k3s (/etc/systemd/system/k3s.service)', 'stranger MicroK8s (/var/snap/microk8s)');
    expect(found).toContain('k3s (/etc/systemd/system/k3s.service), MicroK8s');
    expect(remedyOf(found)).toBe('rke2-stranger');
  });

  it('may be a cluster with another token, which is not overwritten', () => {
    const found = reason('cluster', `token ${sha256('other')}`);
    expect(found).toContain('another token');
    expect(remedyOf(found)).toBe('rke2-token');
    expect(remedyOf(reason('cluster'))).toBe('rke2-token');
  });

  it('may be newer, or too old to be upgraded in one step', () => {
    const newer = reason(...ours, `version v1.${minor + 1}.0+rke2r1`);
    expect(newer).toContain(`v1.${minor + 1}.0+rke2r1, which is newer than ${version}`);
    expect(remedyOf(newer)).toBe('rke2-downgrade');
    const older = reason(...ours, `version v1.${minor - 2}.9+rke2r1`);
    expect(older).toContain('2 minor versions later');
    expect(remedyOf(older)).toBe('rke2-minor');
  });

  it('may have been made with settings that it cannot change', () => {
    for (const line of ['node-name other', 'cluster-cidr 10.99.0.0/16', 'service-cidr 10.98.0.0/16']) {
      const found = reason('cluster', `token ${sha256(token)}`, line);
      expect(found).toContain(line.split(' ')[1]);
      expect(remedyOf(found)).toBe('rke2-settings');
    }
  });
});

describe('readiness', () => {
  const pods = [
    'etcd-sandbox-1                              1/1   Running     0     5m',
    'helm-install-rke2-canal-abcde               0/1   Completed   0     5m',
    'kube-apiserver-sandbox-1                    1/1   Running     0     5m',
    'rke2-canal-x7k2p                            2/2   Running     0     5m',
    'rke2-coredns-rke2-coredns-5f6b-2xk          1/1   Running     0     5m',
    'rke2-metrics-server-6f8-9q                  1/1   Running     0     5m',
    'csi-nfs-node-zzz                            0/3   Pending     0     5m',
  ];
  const node = `sandbox-1   Ready   control-plane,etcd,master   5m    ${version}`;

  /** The script in a shell whose kubectl prints this. */
  const look = (nodeLine: string | undefined, podLines: readonly string[]) => {
    const kubectl = `kubectl() {
  case "$*" in
    *jsonpath*) printf 'cni plugin not initialized' ;;
    'get node'*) ${nodeLine === undefined ? "echo 'The connection to the server was refused' >&2; return 1" : `echo '${nodeLine}'`} ;;
    *) printf '%s\\n' ${podLines.map(line => `'${line}'`).join(' ')} ;;
  esac
}`;
    const input = `${kubectl}\n${clusterReady(deployment, host).text}`;
    const {status, stdout, stderr} = spawnSync('/bin/bash', ['-s'], {input, encoding: 'utf8'});
    expect(stderr).toBe('');
    return [status, stdout.trim()];
  };

  it('is there when the node is, at the right version, with all that RKE2 brings', () => {
    expect(look(node, pods)).toEqual([0, `node sandbox-1 is ready, with 6 pods of RKE2 ${version}`]);
    expect(look(node.replace('Ready ', 'Ready,SchedulingDisabled '), pods)[0]).toBe(0);
  });

  it('says what it waits for', () => {
    expect(look(undefined, [])).toEqual([1, 'waiting for the API server: The connection to the server was refused']);
    expect(look(node.replace('Ready ', 'NotReady '), pods)).toEqual([
      1,
      'node sandbox-1 is NotReady: cni plugin not initialized',
    ]);
    expect(look(node.replace(version, 'v1.2.3+rke2r1'), pods)).toEqual([1, 'node sandbox-1 still runs v1.2.3+rke2r1']);
    const starting = pods.map(line => line.replace(/(rke2-coredns\S+ +)1\/1 +Running/, '$10/1   ContainerCreating'));
    expect(look(node, starting)).toEqual([
      1,
      'pods that are not ready: rke2-coredns-rke2-coredns-5f6b-2xk (ContainerCreating)',
    ]);
    expect(look(node, pods.slice(0, 3))).toEqual([
      1,
      'pods that are not ready: rke2-canal- (not made yet), rke2-coredns-rke2-coredns- (not made yet), rke2-metrics-server- (not made yet)',
    ]);
  });
});

describe('the step', () => {
  it('looks at the disk before it changes anything, and starts the server after everything that this reads', async () => {
    const ids = rke2.resources(await contextFor(rke2, {deployment})).map(({id}) => id);
    expect(ids[0]).toBe('no other cluster');
    const started = ids.indexOf('service rke2-server.service');
    for (const id of [
      'file /etc/rancher/rke2/config.yaml',
      'rke2 images',
      'rke2 program',
      'kernel module br_netfilter',
    ])
      expect(ids.slice(0, started)).toContain(id);
    expect(ids.at(-1)).toBe('RKE2 is ready');
  });

  it('hardens the machine only for the CIS profile', async () => {
    const idsWith = async (settings: object) =>
      rke2.resources(await contextFor(rke2, {deployment: withSettings(settings)})).map(({id}) => id);
    const more = (await idsWith({cis: true})).filter(async id => !(await idsWith({})).includes(id));
    expect(more).toEqual(
      expect.arrayContaining(['sysctl rke2-cis', 'user etcd', 'file /etc/rancher/rke2/pod-security.yaml']),
    );
    expect(await idsWith({})).not.toContain('user etcd');
  });

  it('shows its token neither in the plan nor outside of what is written to the host', async () => {
    const vault = new Map([['rke2-token', token]]);
    const context = await contextFor(rke2, {deployment, vault});
    for (const resource of rke2.resources(context)) expect(resource.probe.text).not.toContain(token);
    for (const {script} of rke2.verify(context)) expect(script.text).not.toContain(token);
  });

  it('checks the certificate for every name that clients use', async () => {
    const titles = rke2.verify(await contextFor(rke2, {deployment})).map(({title}) => title);
    for (const name of serverNames(deployment, host))
      expect(titles).toContain(`the API server’s certificate is valid for ${name}`);
  });
});
