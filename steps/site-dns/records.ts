import {environmentDomain, strayHostnames} from '../../source/deployment/environments.ts';
import type {Deployment, Environment} from '../../source/deployment/schema.ts';
import type {Address} from '../../source/network/address.ts';
import {hasKubernetes, hasOwnDns, hostsPlaying, namesBelow, publicAddress, roles} from '../shared/deployment.ts';
import {grafanaName, rancherName} from '../shared/platform.ts';

/**
 * A record that somebody else makes. `private`: in the DNS that the site's machines and the VPN's devices ask. `public`: in
 * the DNS of the internet.
 */
export type DnsRecord = {
  /** `rancher.openg2p.example.org`, or with a wildcard: `*.qa.openg2p.example.org`. */
  readonly name: string;
  readonly type: 'A';
  /** Undefined while it is not known yet: no proxy among the hosts, or no public address. */
  readonly value: Address | undefined;
  readonly channel: 'private' | 'public';
  /** What stops working without it, as what it is for: `Rancher, for operators`. */
  readonly why: string;
};

/** The address that names lead to inside: the proxy's private one. */
const proxyAddress = (deployment: Deployment): Address | undefined =>
  hostsPlaying(deployment, roles.proxy)[0]?.privateAddress || undefined;

/** An environment's names: its domain, all directly below it, and services of it that lie elsewhere. */
const environmentNames = (deployment: Deployment, environment: Environment): readonly string[] => [
  ...namesBelow(environmentDomain(deployment, environment)),
  ...strayHostnames(deployment, environment),
];

/** The names of the platform itself that operators open; of the ground alone, all that nginx answers to. */
const platformRecords = (deployment: Deployment): readonly Pick<DnsRecord, 'name' | 'why'>[] => {
  const {kubernetes} = deployment.components;
  if (kubernetes === undefined)
    return namesBelow(deployment.domain).map(name => ({name, why: 'what is put on the ground'}));
  return [
    ...(kubernetes.rancher.enabled ? [{name: rancherName(deployment), why: 'Rancher, for operators'}] : []),
    ...(kubernetes.monitoring.enabled ? [{name: grafanaName(deployment), why: 'Grafana, for operators'}] : []),
  ];
};

const inside = (deployment: Deployment, records: readonly Pick<DnsRecord, 'name' | 'why'>[]): readonly DnsRecord[] =>
  hasOwnDns(deployment)
    ? []
    : records.map(({name, why}) => ({name, type: 'A', value: proxyAddress(deployment), channel: 'private', why}));

/** Records of the platform's own names. None where our own server answers for them. */
export const adminRecords = (deployment: Deployment): readonly DnsRecord[] =>
  inside(deployment, platformRecords(deployment));

/** Records of an environment that its programs and the machines ask for. None where our own server answers. */
export const environmentRecords = (deployment: Deployment, environment: Environment): readonly DnsRecord[] =>
  inside(
    deployment,
    environmentNames(deployment, environment).map(name => ({name, why: `environment ${environment.name}`})),
  );

/** Records for everybody: with a public channel, the environments' names, or all names of the ground alone. */
const publicRecords = (deployment: Deployment): readonly DnsRecord[] => {
  const channel = deployment.channels.find(each => each.kind === 'public');
  if (channel === undefined) return [];
  const names = hasKubernetes(deployment)
    ? deployment.environments.flatMap(environment =>
        environmentNames(deployment, environment).map(name => ({name, why: `environment ${environment.name}`})),
      )
    : platformRecords(deployment);
  return names.map(({name, why}) => ({
    name,
    type: 'A',
    value: publicAddress(deployment),
    channel: 'public',
    why: `${why}, for everybody`,
  }));
};

/** Every record that the deployment needs and Groundwork cannot make, those of operators first. */
export const recordsOf = (deployment: Deployment): readonly DnsRecord[] => [
  ...adminRecords(deployment),
  ...(hasKubernetes(deployment)
    ? deployment.environments.flatMap(environment => environmentRecords(deployment, environment))
    : []),
  ...publicRecords(deployment),
];

/**
 * What a name may lead to for those inside. A name that is public may be found at its public address there too: the
 * proxy answers at both. An empty list: whatever it is, nothing is known to compare it with.
 */
export const acceptedAddresses = (deployment: Deployment, record: DnsRecord): readonly Address[] => [
  ...new Set(
    recordsOf(deployment)
      .filter(({name}) => name === record.name)
      .flatMap(({value}) => value ?? []),
  ),
];
