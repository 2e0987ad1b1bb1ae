import {playsRole} from '../../source/blueprints/blueprint.ts';
import {environmentDomain} from '../../source/deployment/environments.ts';
import type {Deployment, HostSpec, Kubernetes, PrivateChannel} from '../../source/deployment/schema.ts';
import type {Facts} from '../../source/hosts/facts.ts';
import {type OsData, osDataFor, supportedSystems} from '../../source/hosts/os-data.ts';
import type {Address} from '../../source/network/address.ts';

/** Roles of the ground's machines, as blueprints give them to hosts. Every machine plays `base`. */
export const roles = {base: 'base', proxy: 'proxy', storage: 'storage', compute: 'compute', backup: 'backup'} as const;

export const hostsPlaying = (deployment: Deployment, role: string): readonly HostSpec[] =>
  deployment.hosts.filter(host => playsRole(host, role));

/** A private channel with the network interface that carries it: wg0 for the first one. */
export type Vpn = PrivateChannel & {readonly interface: string};

export const vpns = (deployment: Deployment): readonly Vpn[] =>
  deployment.channels
    .filter(channel => channel.kind === 'private')
    .map((channel, index) => ({...channel, interface: `wg${index}`}));

/** Whether 80 and 443 are open to everybody. */
export const isPublic = (deployment: Deployment): boolean =>
  deployment.channels.some(channel => channel.kind === 'public');

/** Where the public finds the proxy; undefined without a public channel, and while nobody has said so. */
export const publicAddress = (deployment: Deployment): Address | undefined =>
  deployment.channels.find(channel => channel.kind === 'public')?.address;

/** Whether the platform's names are answered by a DNS server of ours on the proxy, and not by the site's. */
export const hasOwnDns = ({components}: Pick<Deployment, 'components'>): boolean => components.dns.server === 'own';

/** Whether the cluster and the platform are installed, and not the ground alone. */
export const hasKubernetes = (deployment: Deployment): boolean => deployment.components.kubernetes !== undefined;

/** The settings of the cluster. To ask for them where there is none is a bug. */
export const kubernetesOf = ({components}: Pick<Deployment, 'components'>): Kubernetes => {
  if (components.kubernetes === undefined) throw new Error('the deployment has no Kubernetes');
  return components.kubernetes;
};

/** A domain and what lies one level below it: as far as a wildcard reaches. */
export const namesBelow = (domain: string): readonly string[] => [domain, `*.${domain}`];

/**
 * The names that the proxy's certificate holds and its server answers to. A wildcard covers one level only, so each
 * environment, which lies below the deployment's domain, has its own.
 */
export const servedNames = (deployment: Deployment): readonly string[] => [
  ...new Set(
    [deployment.domain, ...deployment.environments.map(each => environmentDomain(deployment, each))].flatMap(
      namesBelow,
    ),
  ),
];

/**
 * What is known of the host's system. An operator who accepted a release that Groundwork does not know gets what its
 * newest known relative gets.
 */
export const systemOf = (facts: Pick<Facts, 'os'>): OsData =>
  osDataFor(facts) ?? supportedSystems.findLast(({id}) => id === facts.os.id) ?? (supportedSystems.at(-1) as OsData);
