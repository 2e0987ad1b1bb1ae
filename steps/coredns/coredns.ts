import type {Deployment} from '../../source/deployment/schema.ts';
import {step} from '../../source/engine/step.ts';
import {manifest} from '../../source/resources/manifest.ts';
import {waitFor} from '../../source/resources/wait-for.ts';
import {type Script, sh} from '../../source/shell/script.ts';
import {localDns} from '../local-dns/local-dns.ts';
import {rke2} from '../rke2/rke2.ts';
import {exitsZero, prints} from '../shared/checks.ts';
import {hasKubernetes, hasOwnDns, hostsPlaying, roles} from '../shared/deployment.ts';
import {namespaces, onCluster, rancherName, rolledOut} from '../shared/platform.ts';
import {platformRemedies} from '../shared/platform-remedies.ts';
import {acceptsMissingRecords, siteDns} from '../site-dns/site-dns.ts';
import {coreDnsConfiguration, ourZone} from './configuration.ts';

/** As RKE2's chart names what it makes: the Deployment, its Service and its settings alike. */
const name = 'rke2-coredns-rke2-coredns';

const corefile = sh`kubectl --namespace ${namespaces.system} get configmap ${name} --output 'jsonpath={.data.Corefile}'`;

/** Whether the Corefile has a server for our domain, or has none where the site's DNS answers. */
const asWanted = (deployment: Deployment): Script =>
  hasOwnDns(deployment)
    ? sh`${corefile} | grep -F ${ourZone(deployment)}`
    : sh`{ text=$(${corefile}) && [ -n "$text" ] && ! printf '%s\n' "$text" | grep -F ${ourZone(deployment)}; }`;

export const coreDns = step({
  id: 'coredns',
  title: 'Names inside the cluster',
  why: 'Lets programs in the cluster find the platform’s names.',
  role: roles.compute,
  once: true,
  after: [rke2, localDns, siteDns],
  estimate: 45,
  enabled: hasKubernetes,
  removal: {goesWith: rke2},
  resources: ({deployment}) => [
    manifest({id: 'settings of CoreDNS', objects: [coreDnsConfiguration(deployment)]}),
    waitFor({
      id: 'CoreDNS has the domain',
      doing: 'waiting for RKE2 to take the settings over',
      until: onCluster(sh`${asWanted(deployment)} &&
kubectl --namespace ${namespaces.system} rollout status ${`deployment/${name}`} --timeout=5s`),
      timeoutSeconds: 300,
      what: hasOwnDns(deployment)
        ? `RKE2 to give CoreDNS the domain ${deployment.domain}`
        : `RKE2 to give CoreDNS its usual settings, without a server of its own for ${deployment.domain}`,
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
          title: hasOwnDns(deployment)
            ? `CoreDNS sends questions about ${deployment.domain} to the proxy`
            : `CoreDNS sends questions about ${deployment.domain} to the machine’s own resolvers`,
          script: onCluster(asWanted(deployment)),
        },
        hasOwnDns(deployment) ? `${ourZone(deployment)} goes to ${proxies.join(', ')}` : 'to whom the machine asks',
      ),
      // A rehearsal has no network of the cluster in which the address of CoreDNS would mean anything.
      ...(facts.practice || (!hasOwnDns(deployment) && acceptsMissingRecords(deployment))
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
      cause: 'CoreDNS cannot reach the DNS server that knows the domain, or that one has another address for the name.',
      remedy:
        'With a DNS server of ours, verify the steps “Local DNS” and “Firewall” on the proxy: pods must be let in on port 53. With the site’s, ask it from a pod; the record may be new, and its absence still remembered.',
    },
    ...platformRemedies,
  ],
});
