import {step} from '../../source/engine/step.ts';
import {manifest} from '../../source/resources/manifest.ts';
import {waitFor} from '../../source/resources/wait-for.ts';
import {sh} from '../../source/shell/script.ts';
import {localDns} from '../local-dns/local-dns.ts';
import {rke2} from '../rke2/rke2.ts';
import {exitsZero, prints} from '../shared/checks.ts';
import {hasKubernetes, hostsPlaying, roles} from '../shared/deployment.ts';
import {namespaces, onCluster, rancherName, rolledOut} from '../shared/platform.ts';
import {platformRemedies} from '../shared/platform-remedies.ts';
import {coreDnsConfiguration, ourZone} from './configuration.ts';

/** As RKE2's chart names what it makes: the Deployment, its Service and its settings alike. */
const name = 'rke2-coredns-rke2-coredns';

const corefile = sh`kubectl --namespace ${namespaces.system} get configmap ${name} --output 'jsonpath={.data.Corefile}'`;

export const coreDns = step({
  id: 'coredns',
  title: 'Names inside the cluster',
  why: 'Lets programs in the cluster find the platform’s names, which no server outside knows.',
  role: roles.compute,
  once: true,
  after: [rke2, localDns],
  estimate: 45,
  enabled: hasKubernetes,
  removal: {goesWith: rke2},
  resources: ({deployment}) => [
    manifest({id: 'settings of CoreDNS', objects: [coreDnsConfiguration(deployment)]}),
    waitFor({
      id: 'CoreDNS has the domain',
      doing: 'waiting for RKE2 to take the settings over',
      until: onCluster(sh`${corefile} | grep -F ${ourZone(deployment)} &&
kubectl --namespace ${namespaces.system} rollout status ${`deployment/${name}`} --timeout=5s`),
      timeoutSeconds: 300,
      what: `RKE2 to give CoreDNS the domain ${deployment.domain}`,
    }),
  ],
  verify: ({deployment, facts}) => {
    const proxies = hostsPlaying(deployment, roles.proxy).map(({privateAddress}) => privateAddress);
    const asked = rancherName(deployment);
    return [
      rolledOut(namespaces.system, 'deployment', name),
      exitsZero(
        {
          id: 'corefile',
          title: `CoreDNS sends questions about ${deployment.domain} to the proxy`,
          script: onCluster(sh`${corefile} | grep -F ${ourZone(deployment)}`),
        },
        `${ourZone(deployment)} goes to ${proxies.join(', ')}`,
      ),
      // A rehearsal has no network of the cluster in which the address of CoreDNS would mean anything.
      ...(facts.practice
        ? []
        : [
            prints(
              {
                id: 'resolves',
                title: `CoreDNS finds ${asked}`,
                script:
                  onCluster(sh`server=$(kubectl --namespace ${namespaces.system} get service ${name} --output 'jsonpath={.spec.clusterIP}') || exit 1
dig +short +time=3 +tries=2 ${asked} A "@$server"`),
              },
              proxies[0] ?? '',
            ),
          ]),
    ];
  },
  remedies: [
    {
      id: 'coredns-settings',
      match: /waited .* in vain for RKE2 to give CoreDNS/,
      cause: 'RKE2 has not installed CoreDNS again with the new settings.',
      remedy:
        'See `kubectl -n kube-system logs job/helm-install-rke2-coredns --tail=30` on the host; what it complains of stands there.',
    },
    {
      id: 'coredns-forward',
      match: /expected \d+\.\d+\.\d+\.\d+, got/,
      cause: 'CoreDNS cannot reach the DNS server of the proxy, or that one does not know the domain.',
      remedy: 'Verify the steps “DNS server” and “Firewall” on the proxy: pods must be let in on port 53.',
    },
    ...platformRemedies,
  ],
});
