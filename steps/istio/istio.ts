import {chart} from '../../source/artifacts/for-step.ts';
import {step, type Verification} from '../../source/engine/step.ts';
import {artifact} from '../../source/resources/artifact.ts';
import {helmRelease} from '../../source/resources/helm-release.ts';
import {manifest} from '../../source/resources/manifest.ts';
import {sh} from '../../source/shell/script.ts';
import {rke2} from '../rke2/rke2.ts';
import {exitsZero, prints} from '../shared/checks.ts';
import {hasKubernetes, roles} from '../shared/deployment.ts';
import {gatewayPorts, namespace, namespaces, onCluster, rolledOut} from '../shared/platform.ts';
import {platformRemedies} from '../shared/platform-remedies.ts';
import {baseValues, controlPlaneValues, gatewayRelease, gatewayValues, spdyUpgrade} from './objects.ts';

const charts = ['chart-istio-base', 'chart-istio-istiod', 'chart-istio-gateway'] as const;

/** With the health check that the gateway has on a port of the machine itself. */
const answers = (address: string): Verification =>
  exitsZero(
    {
      id: 'gateway-answers',
      title: `the gateway answers at ${address}:${gatewayPorts.status.nodePort}`,
      script: sh`curl --silent --show-error --fail --noproxy '*' --max-time 8 ${`http://${address}:${gatewayPorts.status.nodePort}/healthz/ready`}`,
    },
    'the gateway says that it is ready',
  );

/**
 * From Istio's own three Helm charts, and not with istioctl: both are supported ways (istio.io, setup/install), the
 * operator inside the cluster is gone since 1.24, and the charts go through the same checks of files, drift and readiness
 * as everything else, with no further program on the host. The chart of the gateway also takes ports of the machine
 * as they are, where the profile of istioctl merges them with its own.
 */
export const istio = step({
  id: 'istio',
  title: 'Istio and its gateway',
  why: 'Leads each request from nginx to the service that it is meant for, and watches over what services say to each other.',
  role: roles.compute,
  once: true,
  after: [rke2],
  estimate: 90,
  enabled: hasKubernetes,
  removal: {goesWith: rke2},
  resources: context => [
    ...charts.map(id => artifact(context, id)),
    manifest({id: 'namespace of Istio', objects: [namespace(namespaces.istio, 'baseline')]}),
    helmRelease({
      name: 'istio-base',
      namespace: namespaces.istio,
      chart: chart(context, 'chart-istio-base'),
      values: baseValues,
      timeoutSeconds: 300,
    }),
    helmRelease({
      name: 'istiod',
      namespace: namespaces.istio,
      chart: chart(context, 'chart-istio-istiod'),
      values: controlPlaneValues(context.deployment),
      timeoutSeconds: 600,
    }),
    helmRelease({
      name: gatewayRelease,
      namespace: namespaces.istio,
      chart: chart(context, 'chart-istio-gateway'),
      values: gatewayValues(context.deployment),
      timeoutSeconds: 600,
    }),
    manifest({id: 'terminals through the gateway', objects: [spdyUpgrade]}),
  ],
  verify: ({host, facts}) => [
    rolledOut(namespaces.istio, 'deployment', 'istiod'),
    rolledOut(namespaces.istio, 'deployment', gatewayRelease),
    prints(
      {
        id: 'node-ports',
        title: 'the gateway has the ports of the machine that nginx passes to',
        script: onCluster(
          sh`kubectl --namespace ${namespaces.istio} get service ${gatewayRelease} --output 'jsonpath={.spec.ports[*].nodePort}'`,
        ),
      },
      Object.values(gatewayPorts)
        .map(({nodePort}) => nodePort)
        .join(' '),
    ),
    // A rehearsal's cluster runs no pods that could answer.
    ...(facts.practice ? [] : [answers(host.privateAddress)]),
  ],
  remedies: [
    {
      id: 'node-port-taken',
      match: /provided port is already allocated/i,
      cause: 'Another service of the cluster holds a port that the gateway needs on the machines.',
      remedy:
        'Find it with `kubectl get services -A -o wide | grep -E "30521|30080|30432"`, give it another port, then retry.',
    },
    {
      id: 'gateway-unlabelled',
      match: /node\(s\) didn't match Pod's node affinity\/selector/i,
      cause: 'No machine of the cluster has the label shouldInstallIstioIngress=true, so the gateway stands nowhere.',
      remedy: 'Verify the step “RKE2”, which gives the label to compute hosts, then retry.',
    },
    {
      id: 'istio-injection',
      match: /auto.*image.*InvalidImageName|Failed to apply default image tag "auto"/i,
      cause: 'The gateway started before the control plane could say which image it is.',
      remedy: 'Retry: its pods are made again.',
      transient: true,
    },
    ...platformRemedies,
  ],
});
