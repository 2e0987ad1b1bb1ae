import {describe, expect, it} from 'vitest';
import {parse} from 'yaml';
import {kubernetes as kubernetesSchema} from '../../source/deployment/schema.ts';
import type {KubeObject} from '../../source/kubernetes/objects.ts';
import {coreDnsConfiguration, ourZone} from '../../steps/coredns/configuration.ts';
import {coreDns, istio, logging, monitoring, rancher, steps, storageClass} from '../../steps/index.ts';
import {controlPlaneValues, gatewayRelease, gatewayValues, spdyUpgrade} from '../../steps/istio/objects.ts';
import {published} from '../../steps/shared/platform.ts';
import {storageClass as classOf, driverValues, proofOfStorage} from '../../steps/storage-class/objects.ts';
import {contextFor, sampleDeployment, wholeDeployment} from '../support/step-context.ts';

/** The whole platform, with other answers to the questions about Kubernetes. */
const platform = (answers: Record<string, unknown> = {}) => {
  const deployment = wholeDeployment();
  return {...deployment, components: {...deployment.components, kubernetes: kubernetesSchema.parse(answers)}};
};

/** Two compute hosts. */
const larger = () => {
  const deployment = platform();
  const [first] = deployment.hosts;
  if (!first) throw new Error('no host');
  return {
    ...deployment,
    hosts: [first, {...first, name: 'sandbox-2', privateAddress: '10.0.0.12', roles: ['compute']}],
  };
};

const field = (object: KubeObject, name: string): unknown => object[name];

describe('the steps of the platform', () => {
  it('act on the cluster once, and only where there is one', () => {
    for (const step of [storageClass, coreDns, istio, rancher, monitoring, logging]) {
      expect(step.once).toBe(true);
      expect(step.enabled?.(sampleDeployment())).toBe(false);
      expect(step.enabled?.(platform())).toBe(true);
    }
  });

  it('are choices where the cluster works without them', () => {
    const without = platform({
      rancher: {enabled: false},
      monitoring: {enabled: false},
      logging: {enabled: false},
    });
    expect(steps.filter(({enabled, once}) => once && enabled?.(without)).map(({id}) => id)).toEqual(
      expect.arrayContaining(['storage-class', 'coredns', 'istio']),
    );
    for (const step of [rancher, monitoring, logging]) expect(step.enabled?.(without)).toBe(false);
  });

  it('look at each workload with kubectl, and ask nothing of pods in a rehearsal', async () => {
    for (const step of [storageClass, coreDns, istio, rancher, monitoring, logging]) {
      const context = await contextFor(step, {deployment: platform()});
      const field = step.verify(context).map(({script}) => script.text);
      const rehearsal = step
        .verify({...context, facts: {...context.facts, practice: true}})
        .map(({script}) => script.text);
      expect(field.some(text => text.includes('kubectl'))).toBe(true);
      expect(rehearsal.some(text => /\b(curl|dig|get --raw)\b/.test(text))).toBe(false);
    }
  });
});

describe('the storage class', () => {
  it('is the default one, on the storage host’s private address, below the deployment’s export', () => {
    expect(classOf(platform())).toEqual({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: {name: 'nfs-csi', annotations: {'storageclass.kubernetes.io/is-default-class': 'true'}},
      provisioner: 'nfs.csi.k8s.io',
      parameters: {
        server: '10.0.0.11',
        share: '/srv/nfs/demo',
        subDir: '$'.concat('{pvc.metadata.namespace}-$', '{pvc.metadata.name}-$', '{pv.metadata.name}'),
        mountPermissions: '0',
      },
      mountOptions: ['nfsvers=4.1', 'hard', 'noatime'],
      reclaimPolicy: 'Retain',
      allowVolumeExpansion: true,
      volumeBindingMode: 'Immediate',
    });
  });

  it('opens no directory to everybody: the group that a pod asks for gets it', () => {
    expect(JSON.stringify([classOf(platform()), driverValues])).not.toContain('777');
    expect(driverValues.feature.enableFSGroupPolicy).toBe(true);
  });

  it('goes by the name and erases what the deployment says', () => {
    const chosen = platform({storage: {className: 'site', reclaim: 'Delete'}});
    expect(classOf(chosen)).toMatchObject({metadata: {name: 'site'}, reclaimPolicy: 'Delete'});
    expect(proofOfStorage(chosen)).toMatchObject({spec: {storageClassName: 'site'}});
  });
});

describe('CoreDNS', () => {
  const content = (domain = 'openg2p.test') => {
    const object = coreDnsConfiguration({...platform(), domain});
    return parse((field(object, 'spec') as {valuesContent: string}).valuesContent);
  };

  it('is told by RKE2’s own way, which RKE2 does not undo', () => {
    expect(coreDnsConfiguration(platform())).toMatchObject({
      apiVersion: 'helm.cattle.io/v1',
      kind: 'HelmChartConfig',
      metadata: {name: 'rke2-coredns', namespace: 'kube-system'},
    });
  });

  it('keeps what the chart has for the cluster’s names, and sends ours to the proxy', () => {
    const {servers} = content();
    expect(servers).toHaveLength(2);
    expect(servers[0].zones).toEqual([{zone: '.', use_tcp: true}]);
    expect(servers[0].plugins.map(({name}: {name: string}) => name)).toEqual([
      'errors',
      'health',
      'ready',
      'kubernetes',
      'prometheus',
      'forward',
      'cache',
      'loop',
      'reload',
      'loadbalance',
    ]);
    expect(servers[1]).toEqual({
      zones: [{zone: 'openg2p.test', use_tcp: true}],
      port: 53,
      plugins: [{name: 'errors'}, {name: 'cache', parameters: 30}, {name: 'forward', parameters: '. 10.0.0.11'}],
    });
    expect(ourZone(platform())).toBe('openg2p.test:53');
  });

  it('asks the machine’s own resolvers about our names where the site’s DNS answers', () => {
    const {components} = platform();
    const site = {...platform(), components: {...components, dns: {...components.dns, server: 'site' as const}}};
    const {valuesContent} = field(coreDnsConfiguration(site), 'spec') as {valuesContent: string};
    expect(parse(valuesContent).servers).toEqual([content().servers[0]]);
  });
});

describe('Istio', () => {
  it('has its gateway on the ports of the machines that nginx and the firewall name', () => {
    expect(gatewayValues(platform()).service).toEqual({
      type: 'NodePort',
      ports: [
        {name: 'status-port', port: 15021, targetPort: 15021, nodePort: 30521, protocol: 'TCP'},
        {name: 'http2', port: 80, targetPort: 8080, nodePort: 30080, protocol: 'TCP'},
        {name: 'tcp-postgres', port: 5432, targetPort: 5432, nodePort: 30432, protocol: 'TCP'},
      ],
    });
    expect(gatewayValues(platform())).toMatchObject({
      labels: {istio: 'ingressgateway'},
      nodeSelector: {shouldInstallIstioIngress: 'true'},
    });
    expect(gatewayRelease).toBe('istio-ingressgateway');
  });

  it('stands twice only where the second can stand on another machine', () => {
    expect(gatewayValues(platform()).autoscaling.minReplicas).toBe(1);
    expect(gatewayValues(larger())).toMatchObject({
      autoscaling: {minReplicas: 2},
      podDisruptionBudget: {minAvailable: 1},
    });
    expect(controlPlaneValues(larger()).autoscaleMin).toBe(2);
  });

  it('believes nginx, writes no addresses of pages into logs, and does not cut silent connections', () => {
    expect(controlPlaneValues(platform()).meshConfig).toEqual({
      accessLogFile: '',
      pathNormalization: {normalization: 'MERGE_SLASHES'},
      defaultConfig: {
        gatewayTopology: {numTrustedProxies: 1},
        holdApplicationUntilProxyStarts: true,
        proxyMetadata: {ISTIO_META_IDLE_TIMEOUT: '0s'},
      },
    });
  });

  it('lets SPDY through beside the web sockets that Envoy has already, and names these not again', () => {
    expect(JSON.stringify(spdyUpgrade)).toContain('"upgrade_configs":[{"upgrade_type":"SPDY/3.1"}]');
  });

  it('leads a name to its service, with the scheme that the browser used', () => {
    const [gateway, route] = published({
      name: 'rancher',
      namespace: 'cattle-system',
      host: 'rancher.openg2p.test',
      service: 'rancher',
      port: 80,
    });
    expect(gateway).toEqual({
      apiVersion: 'networking.istio.io/v1',
      kind: 'Gateway',
      metadata: {name: 'rancher', namespace: 'cattle-system'},
      spec: {
        selector: {istio: 'ingressgateway'},
        servers: [{port: {number: 8080, name: 'http', protocol: 'HTTP'}, hosts: ['rancher.openg2p.test']}],
      },
    });
    expect(route).toMatchObject({
      kind: 'VirtualService',
      spec: {
        hosts: ['rancher.openg2p.test'],
        gateways: ['rancher'],
        http: [
          {
            headers: {request: {set: {'x-forwarded-proto': 'https'}}},
            route: [{destination: {host: 'rancher.cattle-system.svc.cluster.local', port: {number: 80}}}],
          },
        ],
      },
    });
  });
});
