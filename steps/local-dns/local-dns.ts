import {type StepContext, step, type Verification} from '../../source/engine/step.ts';
import {aptPackages} from '../../source/resources/apt-packages.ts';
import {file} from '../../source/resources/file.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {service} from '../../source/resources/service.ts';
import {sh} from '../../source/shell/script.ts';
import {firewall} from '../firewall/firewall.ts';
import {prints} from '../shared/checks.ts';
import {hasOwnDns, roles, systemOf} from '../shared/deployment.ts';
import {aptRemedies} from '../shared/remedies.ts';
import {configurationPath, dnsmasqConfiguration} from './configuration.ts';
import {hostResolver} from './host-resolver.ts';
import {localDnsRemoval, noOwnServer} from './removal.ts';

const ownServer = ({deployment, host, facts}: StepContext): readonly Resource[] => [
  aptPackages([systemOf(facts).packages.dnsServer], {withoutStarting: true}),
  file(configurationPath, dnsmasqConfiguration(deployment, host, facts), {
    validate: candidate => sh`dnsmasq --test --conf-file=${candidate}`,
  }),
  service('dnsmasq.service', {
    enabled: true,
    running: true,
    configuration: [configurationPath],
    // dnsmasq reads its settings only when it starts.
    onChange: 'restart',
  }),
  ...hostResolver(deployment, host, facts),
];

const serverAnswers = ({deployment: {domain}, host}: StepContext): readonly Verification[] => [
  prints(
    {
      id: 'answers',
      title: `the DNS server leads names of ${domain} to ${host.privateAddress}`,
      script: sh`dig +short +time=2 +tries=2 ${`@${host.privateAddress}`} ${`any-name.${domain}`} A`,
    },
    host.privateAddress,
  ),
  prints(
    {
      id: 'host-resolves',
      title: `the host itself resolves ${domain}`,
      script: sh`getent ahostsv4 ${domain} | awk '{print $1}' | sort -u`,
    },
    host.privateAddress,
  ),
];

export const localDns = step({
  id: 'local-dns',
  title: 'Local DNS',
  why: 'Makes the platform’s names lead to the proxy; where the site’s own DNS answers, sees to it that no server of ours does.',
  role: roles.proxy,
  after: [firewall],
  estimate: 10,
  removal: localDnsRemoval,
  resources: context => (hasOwnDns(context.deployment) ? ownServer(context) : noOwnServer),
  verify: context => (hasOwnDns(context.deployment) ? serverAnswers(context) : []),
  skippable:
    'Names of the platform are not answered here. Where the site’s own DNS is to answer, say so in the answers instead (Domain: DNS).',
  remedies: [
    ...aptRemedies,
    {
      id: 'dns-port',
      match: /failed to create listening socket.*address already in use/i,
      cause: 'Another DNS server of the host holds port 53.',
      remedy:
        'See which with `ss -tulpn "sport = :53"`, stop and disable it (bind9, unbound, another dnsmasq), then retry.',
    },
    {
      id: 'dns-address',
      match: /failed to create listening socket.*cannot assign requested address/i,
      cause: 'The private address of the deployment is not an address of this host.',
      remedy: 'Compare `ip address` on the host with its private address in the deployment.',
    },
    {
      id: 'dns-configuration',
      match: /dnsmasq: (bad option|syntax check|missing parameter|illegal repeated keyword)/i,
      cause: 'Another file in /etc/dnsmasq.d contradicts ours, or repeats what may stand only once.',
      remedy: 'Run `dnsmasq --test` on the host, remove what it names from that file, then retry.',
    },
    {
      id: 'resolv-conf',
      match: /\/etc\/resolv\.conf.*(operation not permitted|read-only|device or resource busy)/i,
      cause: 'The host’s /etc/resolv.conf cannot be written: it is locked (`chattr +i`) or mounted by a container.',
      remedy: 'Unlock it with `chattr -i /etc/resolv.conf`, or set the name server where the container is configured.',
    },
  ],
});
