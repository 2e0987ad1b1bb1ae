import {concerns} from '../source/app/answers.ts';
import {versionSetOf} from '../source/blueprints/versions.ts';
import {counted} from '../source/components/text.ts';
import type {Deployment, Tls} from '../source/deployment/schema.ts';
import {hasOwnDns} from '../steps/shared/deployment.ts';
import {recordsOf} from '../steps/site-dns/records.ts';
import {backupText} from './components-backup.tsx';
import {modulesText} from './environments.tsx';

/** Where the answers of a line of the overview are kept. */
const areas: Readonly<Record<string, readonly string[]>> = {
  Hosts: ['hosts', 'topology', 'blueprint'],
  Domain: ['domain', 'tls', 'components.dns'],
  Access: ['channels'],
  Network: ['network'],
  Ground: ['components'],
  Platform: ['components.kubernetes', 'artifacts'],
  Backups: ['components.backup'],
  Environments: ['environments'],
};

/** Whether a problem is about what a line of the overview stands for. */
export const concernsArea = (label: string, problem: Parameters<typeof concerns>[0]): boolean =>
  (areas[label] ?? []).some(path => concerns(problem, path));

/** All answers, a line for each subject: what it is, and what was answered. */
export const overview = (deployment: Deployment): readonly (readonly [string, string])[] => {
  const {hosts, channels, network, components, tls} = deployment;
  const vpns = channels.flatMap(channel => (channel.kind === 'private' ? [channel] : []));
  return [
    ['Hosts', hostsText(hosts)],
    ['Domain', `${deployment.domain}, ${dnsText(deployment)}, ${tlsText(tls)}`],
    [
      'Access',
      [
        ...vpns.map(
          vpn => `VPN ${vpn.subnet} at ${vpn.endpoint || '?'}:${vpn.port}, ${counted(vpn.peers.length, 'device')}`,
        ),
        channels.some(channel => channel.kind === 'public') ? 'OPEN TO EVERYBODY' : 'not public',
      ].join('; '),
    ],
    ['Network', network.privateSubnet],
    [
      'Ground',
      `${components.postgresql ? 'PostgreSQL, ' : ''}NFS ${components.nfs.exportPath}, uploads to ${components.nginx.maxBodyMb} MB, updates: ${components.automaticUpdates}`,
    ],
    ['Platform', platformText(deployment)],
    ...(components.backup ? [['Backups', backupText(deployment)] as const] : []),
    ...(components.kubernetes || deployment.environments.length > 0
      ? [['Environments', environmentsText(deployment)] as const]
      : []),
  ];
};

const tlsText = (tls: Tls): string =>
  tls.mode === 'supplied'
    ? `supplied certificates: ${tls.certificates.join(', ')}`
    : `own CA, certificates for ${counted(tls.leafDays, 'day')}`;
const dnsText = (deployment: Deployment): string => {
  const records = recordsOf(deployment).length;
  return hasOwnDns(deployment) ? 'own DNS' : `${counted(records, 'record')} in the DNS of the site`;
};

/** Where one is, it says which; several are told by their names, and by the way to them if there is one for all. */
const hostsText = (hosts: Deployment['hosts']): string => {
  if (hosts.length === 1)
    return hosts.map(host => `${host.name} (${host.reach === 'local' ? 'this machine' : host.address})`).join('');
  const ways = new Set(hosts.flatMap(({jump}) => jump?.address ?? []));
  return `${hosts.map(({name}) => name).join(', ')}${ways.size > 0 ? `; through ${[...ways].join(', ')}` : ''}`;
};

const platformText = ({components, artifacts}: Deployment): string => {
  const {kubernetes} = components;
  if (!kubernetes) return 'none: the ground alone';
  const {rancher, monitoring, logging, cis} = kubernetes;
  return [
    versionSetOf(kubernetes.versions)?.title ?? `versions "${kubernetes.versions}"`,
    ...(rancher.enabled ? [] : ['without Rancher']),
    ...(monitoring.enabled ? ['monitoring'] : []),
    ...(logging.enabled ? ['logging'] : []),
    ...(cis ? ['CIS'] : []),
    ...(artifacts.source === 'online' ? [] : [artifacts.source === 'mirror' ? 'from a mirror' : 'carried in']),
  ].join(', ');
};

const environmentsText = ({environments}: Deployment): string =>
  environments.map(environment => `${environment.name} (${modulesText(environment)})`).join(', ') || 'none yet';
