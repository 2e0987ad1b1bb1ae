import type {Deployment, HostSpec} from '../../source/deployment/schema.ts';
import type {Opening} from '../../source/hosts/reach.ts';
import {hasKubernetes, hasOwnDns, hostsPlaying, roles, vpns} from '../shared/deployment.ts';
import {gatewayPorts} from '../shared/platform.ts';

type Need = {
  readonly from: string;
  readonly to: string;
  readonly protocol: 'tcp' | 'udp';
  readonly port: number | 'ssh';
  readonly purpose: string;
};

/** What machines of different roles ask of each other. What devices and browsers ask of the proxy comes from elsewhere. */
const needsOf = (deployment: Deployment): readonly Need[] => {
  const {postgresql} = deployment.components;
  const {proxy, compute, storage, backup, base} = roles;
  const tcp = (from: string, to: string, port: Need['port'], purpose: string): Need => ({
    from,
    to,
    protocol: 'tcp',
    port,
    purpose,
  });
  return [
    tcp(compute, storage, 2049, 'NFS'),
    ...(postgresql ? [tcp(compute, storage, postgresql.port, 'PostgreSQL')] : []),
    tcp(compute, proxy, 443, 'the platform’s pages'),
    ...(hasOwnDns(deployment)
      ? [tcp(compute, proxy, 53, 'DNS'), {...tcp(compute, proxy, 53, 'DNS'), protocol: 'udp' as const}]
      : []),
    ...(hasKubernetes(deployment)
      ? [
          tcp(proxy, compute, gatewayPorts.http.nodePort, 'the gateway of the cluster'),
          ...(vpns(deployment).length > 0 ? [tcp(proxy, compute, 6443, 'the API of Kubernetes, over the VPN')] : []),
          ...[6443, 9345, 10250].map(port => tcp(compute, compute, port, 'members of the cluster')),
          {from: compute, to: compute, protocol: 'udp' as const, port: 8472, purpose: 'the network of the pods'},
        ]
      : []),
    tcp(backup, base, 'ssh', 'copies, over SSH'),
    tcp(storage, backup, 'ssh', 'the archive of the database, over SSH'),
  ];
};

/**
 * Every connection that one machine of the deployment makes to another, each once: what must be open on the network
 * between them before anything is installed.
 *
 * @param sshPort where a host's SSH server listens
 */
export const connectionsOf = (deployment: Deployment, sshPort: (host: HostSpec) => number): readonly Opening[] => {
  const all = needsOf(deployment).flatMap(({from, to, protocol, port, purpose}) =>
    hostsPlaying(deployment, from).flatMap(source =>
      hostsPlaying(deployment, to)
        .filter(target => target.name !== source.name)
        .map(
          (target): Opening => ({
            from: source,
            to: target,
            protocol,
            port: port === 'ssh' ? sshPort(target) : port,
            purpose,
          }),
        ),
    ),
  );
  const key = ({from, to, protocol, port}: Opening) => `${from.name} ${to.name} ${protocol} ${port}`;
  return [...new Map(all.toReversed().map(opening => [key(opening), opening])).values()].toReversed();
};
