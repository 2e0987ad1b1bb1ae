import {environmentDomain, strayHostnames} from '../../source/deployment/environments.ts';
import type {Deployment, Environment} from '../../source/deployment/schema.ts';
import {type Step, step} from '../../source/engine/step.ts';
import type {KubeObject} from '../../source/kubernetes/objects.ts';
import {manifest} from '../../source/resources/manifest.ts';
import {type Script, sh} from '../../source/shell/script.ts';
import {paths} from '../certificates/paths.ts';
import {rke2} from '../rke2/rke2.ts';
import {prints} from '../shared/checks.ts';
import {hasKubernetes, hostsPlaying, roles} from '../shared/deployment.ts';
import {gatewayPorts, gatewaySelector} from '../shared/platform.ts';
import {gatewayName, keycloakHost, labelsOf, stepId} from './names.ts';
import {environmentRemedies} from './remedies.ts';

/**
 * Names that this environment's routes may be found at. A service that was given a name of the deployment's domain
 * brings others of its own making (`staff-…`), so then all names of that level are let through.
 */
const gatewayHosts = (deployment: Deployment, environment: Environment): readonly string[] => {
  const domain = environmentDomain(deployment, environment);
  const strays = strayHostnames(deployment, environment).length > 0;
  return [domain, `*.${domain}`, ...(strays ? [`*.${deployment.domain}`] : [])];
};

/** TLS ends at nginx; what comes here is plain, on the port that the ingress gateway listens on behind its NodePort. */
export const environmentGateway = (deployment: Deployment, environment: Environment): KubeObject => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'Gateway',
  metadata: {name: gatewayName, namespace: environment.name, labels: labelsOf(environment)},
  spec: {
    selector: gatewaySelector,
    // The same protocol as the platform's own gateways: Istio merges what is on one port.
    servers: [
      {
        port: {number: gatewayPorts.http.port, name: 'http', protocol: 'HTTP'},
        hosts: gatewayHosts(deployment, environment),
      },
    ],
  },
});

/** What a laptop gets, asked from the cluster's machine: the status of the answer by the proxy. */
export const statusThroughProxy = (deployment: Deployment, name: string, path: string): Script => {
  const address = hostsPlaying(deployment, roles.proxy)[0]?.privateAddress ?? '127.0.0.1';
  return sh`curl --silent --noproxy '*' --max-time 8 --resolve ${`${name}:443:${address}`} --cacert ${paths.authority} --output /dev/null --write-out '%{http_code}' ${`https://${name}${path}`}`;
};

export const gatewayStep = (environment: Environment, after: readonly Step[]): Step =>
  step({
    id: stepId(environment, 'gateway'),
    title: `${environment.name}: gateway`,
    why: `Lets requests for ${environment.name}’s names into the cluster.`,
    role: roles.compute,
    once: true,
    after,
    estimate: 5,
    enabled: hasKubernetes,
    removal: {goesWith: rke2},
    resources: ({deployment}) => [
      manifest({id: `gateway of ${environment.name}`, objects: [environmentGateway(deployment, environment)]}),
    ],
    verify: ({deployment}) => {
      // Supplied certificates need not cover the domain itself.
      const name =
        deployment.tls.mode === 'supplied'
          ? keycloakHost(deployment, environment)
          : environmentDomain(deployment, environment);
      return [
        prints(
          {
            id: 'reached',
            title: `a request for ${name} goes through nginx to Istio`,
            script: statusThroughProxy(deployment, name, '/'),
          },
          // Nothing lies at the domain itself, so Istio knows no route for it; nginx says 503 when Istio is silent.
          /^(404|2\d\d|3\d\d)$/,
        ),
      ];
    },
    remedies: environmentRemedies,
  });
