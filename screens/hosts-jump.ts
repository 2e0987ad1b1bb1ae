import type {Topology} from '../source/blueprints/blueprint.ts';
import type {Row} from '../source/components/row.ts';
import type {Deployment, HostSpec} from '../source/deployment/schema.ts';

const isProxy = ({roles}: HostSpec): boolean => roles.includes('proxy');

const leadsThrough = (proxy: HostSpec, {jump}: HostSpec): boolean =>
  jump !== undefined && jump.address === proxy.address && jump.port === proxy.port;

/** The same hosts with every other one reached through the proxy. */
const through = (deployment: Deployment, proxy: HostSpec): Deployment => {
  const {address, port, user, identityFile} = proxy;
  const jump = {address, port, user, ...(identityFile !== undefined && {identityFile})};
  return {
    ...deployment,
    hosts: deployment.hosts.map(host => (host.name === proxy.name || host.reach === 'local' ? host : {...host, jump})),
  };
};

const directly = (deployment: Deployment): Deployment => ({
  ...deployment,
  hosts: deployment.hosts.map(({jump: _, ...host}) => host),
});

/**
 * One choice for the way to all hosts: directly, or through the reverse proxy, which alone may be let in from outside.
 * What was set for single hosts is a third, which one leaves by choosing another. Nothing where there is no proxy to go
 * through.
 */
export const jumpRow = (
  deployment: Deployment,
  topology: Topology,
  change: (update: (current: Deployment) => Deployment) => void,
): readonly Row[] => {
  const proxy = deployment.hosts.find(isProxy);
  const others = deployment.hosts.filter(host => host !== proxy && host.reach === 'ssh');
  if (!proxy || proxy.reach === 'local' || others.length === 0) return [];
  const title = topology.machines.find(({roles}) => roles.includes('proxy'))?.title ?? 'proxy';
  const ways = new Set(
    others.map(host => (host.jump === undefined ? 'direct' : leadsThrough(proxy, host) ? 'proxy' : 'own')),
  );
  const [way = 'direct'] = ways;
  const value = ways.size > 1 ? 'own' : way;
  return [
    {
      kind: 'choice',
      id: 'way',
      label: 'SSH to the others',
      value,
      options: [
        {value: 'direct', label: 'directly'},
        {value: 'proxy', label: `through ${proxy.name}`},
        ...(value === 'own' ? [{value: 'own', label: 'as set for each'}] : []),
      ],
      help: `Where only the ${title} lets SSH in, the others are reached through it, by addresses that it can reach. The key of each is still compared.`,
      onChange: chosen =>
        change(current => {
          const now = current.hosts.find(isProxy);
          return chosen === 'proxy' && now ? through(current, now) : chosen === 'direct' ? directly(current) : current;
        }),
    },
  ];
};
