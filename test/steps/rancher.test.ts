import {describe, expect, it} from 'vitest';
import {kubernetes as kubernetesSchema} from '../../source/deployment/schema.ts';
import {rancher} from '../../steps/index.ts';
import {
  catalogue,
  clusterName,
  rancherPrerequisites,
  rancherRoutes,
  rancherSettings,
  rancherValues,
} from '../../steps/rancher/objects.ts';
import {roleTemplates} from '../../steps/rancher/roles.ts';
import {leaksIn} from '../support/canary.ts';
import {contextFor, wholeDeployment} from '../support/step-context.ts';

const deployment = wholeDeployment();

describe('Rancher', () => {
  it('gets its first password by the Secret that its chart looks up, and that Helm may take over', () => {
    const [namespace, password, authority] = rancherPrerequisites('correct-horse', ['PEM']);
    expect(namespace).toMatchObject({kind: 'Namespace', metadata: {name: 'cattle-system'}});
    expect(password).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: 'bootstrap-secret',
        namespace: 'cattle-system',
        labels: {'app.kubernetes.io/managed-by': 'Helm'},
        annotations: {'meta.helm.sh/release-name': 'rancher', 'meta.helm.sh/release-namespace': 'cattle-system'},
      },
      type: 'Opaque',
      data: {bootstrapPassword: Buffer.from('correct-horse').toString('base64')},
    });
    expect(authority).toMatchObject({metadata: {name: 'tls-ca'}, data: {'cacerts.pem': 'UEVN'}});
  });

  it('ends no TLS, has no ingress of its own, and believes the deployment’s CA', () => {
    expect(rancherValues(deployment)).toEqual({
      hostname: 'rancher.openg2p.test',
      replicas: 1,
      tls: 'external',
      ingress: {enabled: false},
      privateCA: true,
      useBundledSystemChart: false,
      resources: {requests: {cpu: '250m', memory: '1Gi'}, limits: {memory: '4Gi'}},
      startupProbe: {periodSeconds: 10, failureThreshold: 60, timeoutSeconds: 5},
    });
  });

  it('goes out through the site’s proxy, and not to itself', () => {
    const behind = {
      ...deployment,
      artifacts: {source: 'online' as const, proxy: {address: 'http://proxy.site:3128', exclude: ['.site']}},
    };
    expect(rancherValues(behind)).toMatchObject({
      proxy: 'http://proxy.site:3128',
      noProxy: '127.0.0.0/8,10.42.0.0/16,10.43.0.0/16,10.0.0.0/24,.svc,.cluster.local,.openg2p.test,.site',
    });
  });

  it('asks nobody for charts where they were carried in', () => {
    const carried = {...deployment, artifacts: {source: 'directory' as const, path: '/media/usb'}};
    expect(rancherValues(carried).useBundledSystemChart).toBe(true);
    expect(catalogue(carried)).toEqual([]);
    const mirror = {
      ...deployment,
      artifacts: {source: 'mirror' as const, address: 'https://mirror.site', checksums: 'pinned' as const},
    };
    expect(catalogue(mirror)).toMatchObject([
      {spec: {url: 'https://mirror.site/openg2p.github.io/openg2p-helm/rancher'}},
    ]);
    expect(catalogue(deployment)).toMatchObject([{spec: {url: 'https://openg2p.github.io/openg2p-helm/rancher'}}]);
  });

  it('is told its address and the cluster’s name as objects', () => {
    expect(rancherSettings(deployment).map(({metadata, value}) => [metadata.name, value])).toEqual([
      ['server-url', 'https://rancher.openg2p.test'],
      ['first-login', 'false'],
      ['telemetry-opt', 'out'],
    ]);
    expect(clusterName(deployment)).toMatchObject({metadata: {name: 'local'}, spec: {displayName: 'demo'}});
    expect(rancherRoutes(deployment)).toHaveLength(2);
  });

  it('has as many copies as the deployment says', () => {
    const three = {
      ...deployment,
      components: {...deployment.components, kubernetes: kubernetesSchema.parse({rancher: {replicas: 3}})},
    };
    expect(rancherValues(three).replicas).toBe(3);
  });

  it('never gets the password by a script that looks', async () => {
    const vault = new Map<string, string>();
    const context = await contextFor(rancher, {deployment, vault});
    const looking = [
      ...rancher.resources(context).map(({probe}) => probe.text),
      ...rancher.verify(context).map(({script}) => script.text),
      JSON.stringify(rancherValues(deployment)),
    ].join('\n');
    expect(leaksIn(looking, {password: vault.get('rancher-bootstrap-password') ?? ''})).toEqual([]);
  });
});

describe('the roles of an environment’s people', () => {
  const rules = (name: string) =>
    (roleTemplates.find(({metadata}) => metadata.name === name)?.rules ?? []) as readonly {
      resources: readonly string[];
      verbs: readonly string[];
    }[];

  it('show no Secrets, by no rule and no asterisk', () => {
    for (const {metadata} of roleTemplates) {
      const resources = rules(metadata.name).flatMap(rule => rule.resources);
      expect(resources.length).toBeGreaterThan(0);
      expect(resources.filter(resource => /secret|\*/.test(resource))).toEqual([]);
    }
  });

  it('let members open terminals and readers only look', () => {
    expect(rules('project-member-no-secrets').some(({resources}) => resources.includes('pods/exec'))).toBe(true);
    const verbs = new Set(rules('project-readonly-no-secrets').flatMap(rule => rule.verbs));
    expect([...verbs].sort()).toEqual(['get', 'list', 'watch']);
  });
});
