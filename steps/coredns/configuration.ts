import {stringify} from 'yaml';
import type {Deployment} from '../../source/deployment/schema.ts';
import type {KubeObject} from '../../source/kubernetes/objects.ts';
import {word} from '../shared/config-text.ts';
import {hasOwnDns, hostsPlaying, roles} from '../shared/deployment.ts';
import {namespaces} from '../shared/platform.ts';

type Plugin = {readonly name: string; readonly parameters?: string | number; readonly configBlock?: string};

type Server = {
  readonly zones: readonly {readonly zone: string; readonly use_tcp?: boolean}[];
  readonly port: number;
  readonly plugins: readonly Plugin[];
};

/**
 * The server that RKE2's chart has for the cluster's own names and for all others. A list of Helm values can only be
 * replaced as a whole, so what the chart says is said again (rke2-charts, rke2-coredns, values.yaml: `servers`).
 */
const everything: Server = {
  zones: [{zone: '.', use_tcp: true}],
  port: 53,
  plugins: [
    {name: 'errors'},
    {name: 'health', configBlock: 'lameduck 10s'},
    {name: 'ready'},
    {
      name: 'kubernetes',
      parameters: 'cluster.local in-addr.arpa ip6.arpa',
      configBlock: 'pods insecure\nfallthrough in-addr.arpa ip6.arpa\nttl 30',
    },
    {name: 'prometheus', parameters: '0.0.0.0:9153'},
    {name: 'forward', parameters: '. /etc/resolv.conf'},
    {name: 'cache', parameters: 30},
    {name: 'loop'},
    {name: 'reload'},
    {name: 'loadbalance'},
  ],
};

/** The platform's names are known by our DNS server on the proxy alone, and change with the deployment. */
const ours = (deployment: Deployment): Server => ({
  zones: [{zone: word(deployment.domain), use_tcp: true}],
  port: 53,
  plugins: [
    {name: 'errors'},
    {name: 'cache', parameters: 30},
    {
      name: 'forward',
      parameters: `. ${hostsPlaying(deployment, roles.proxy)
        .map(({privateAddress}) => word(privateAddress))
        .join(' ')}`,
    },
  ],
});

/**
 * The servers of CoreDNS. With the site's own DNS the platform's names are asked for like all others: from the resolvers of
 * the machine that CoreDNS runs on.
 */
const servers = (deployment: Deployment): readonly Server[] =>
  hasOwnDns(deployment) ? [everything, ours(deployment)] : [everything];

/** How the server block of our domain begins in the Corefile that the chart makes. */
export const ourZone = ({domain}: Pick<Deployment, 'domain'>): string => `${word(domain)}:53`;

/**
 * Settings for the chart that RKE2 itself installs and keeps as it is: RKE2 takes them into account whenever it does
 * so, while a change of its ConfigMap would be gone the next time.
 */
export const coreDnsConfiguration = (deployment: Deployment): KubeObject => ({
  apiVersion: 'helm.cattle.io/v1',
  kind: 'HelmChartConfig',
  metadata: {name: 'rke2-coredns', namespace: namespaces.system},
  spec: {valuesContent: stringify({servers: servers(deployment)}, {lineWidth: 0})},
});
