import {contains, parseAddress, purposeOf} from '../../network/address.ts';
import type {Problem} from '../problem.ts';
import {error, type Rule, repeated, validCidr, warning} from './rule.ts';

/** Folders of the system: nothing below them is for shares, and step by step their modes would be changed. */
const systemFolders: readonly string[] = [
  ...['/bin', '/boot', '/dev', '/etc', '/lib', '/lib32', '/lib64', '/proc', '/root', '/run', '/sbin', '/sys', '/usr'],
  ...['/tmp', '/var/cache', '/var/lib/dpkg', '/var/lib/groundwork', '/var/lib/rancher', '/var/log', '/var/tmp'],
];

/** Folders that hold other people's things beside each other: a share needs a folder of its own in them. */
const sharedFolders: readonly string[] = [
  '/',
  '/home',
  '/media',
  '/mnt',
  '/opt',
  '/srv',
  '/var',
  '/var/lib',
  '/var/opt',
];

/** A folder that can be given to one purpose alone. `usual` is what is proposed in place of another. */
const folderOfItsOwn = (path: string, folder: string, usual: string): readonly Problem[] => {
  const parts = folder.split('/').slice(1);
  if (folder !== '/' && parts.some(part => ['', '.', '..'].includes(part))) {
    return [error(path, `"${folder}" must be plain: no "//", "." or ".." in it, no "/" at its end`)];
  }
  const system = systemFolders.find(each => folder === each || folder.startsWith(`${each}/`));
  if (system) return [error(path, `"${folder}" is part of the system (${system}); use a folder like ${usual}`)];
  return sharedFolders.includes(folder)
    ? [error(path, `"${folder}" holds other things too; use a folder of its own, like ${usual}`)]
    : [];
};

export const exportPathOwn: Rule = ({components}) =>
  folderOfItsOwn('components.nfs.exportPath', components.nfs.exportPath, '/srv/nfs');

export const backupPathOwn: Rule = ({components: {backup}}) =>
  backup ? folderOfItsOwn('components.backup.path', backup.path, '/var/lib/groundwork-backup') : [];

/** Copies need a machine to lie on, and it must not be the one that they are of. */
export const backupElsewhere: Rule = ({hosts, components: {backup}}) => {
  if (!backup || hosts.length === 0) return [];
  const [host] = hosts.filter(({roles}) => roles.includes('backup'));
  if (!host) return [error('components.backup', 'needs a host with the role backup, and this topology has none')];
  return host.roles.includes('storage')
    ? [
        error(
          'components.backup',
          `${host.name} would keep copies of what it holds itself; they would be lost together`,
        ),
      ]
    : [];
};

/** Backups that fail in silence are found out about on the day they are needed. */
export const backupTellsSomebody: Rule = ({components: {backup, kubernetes}}) =>
  backup && !kubernetes?.monitoring.alerts.mail
    ? [
        warning(
          'components.backup',
          'nobody is told when a backup fails: set receivers of mail under the alerts of the monitoring',
        ),
      ]
    : [];

/**
 * A device of the VPN gets one resolver, and must reach it through the tunnel (or from where it is, when it dials in from
 * inside the private subnet).
 */
export const resolverWithinReach: Rule = ({channels, components: {dns}, network}) => {
  const path = 'components.dns.resolver';
  const vpns = channels.flatMap(channel => (channel.kind === 'private' ? [channel] : []));
  if (dns.resolver === undefined) {
    return dns.server === 'site' && vpns.some(({peers}) => peers.length > 0)
      ? [
          warning(
            path,
            'is not set: devices of the VPN go on asking the resolver that they have, which must know the records too',
          ),
        ]
      : [];
  }
  if (dns.server === 'own')
    return [error(path, "our own DNS server is the VPN's resolver; name another one with server: site")];
  const address = parseAddress(dns.resolver);
  if (!address.ok) return [];
  return vpns
    .filter(({tunnel}) => tunnel === 'split')
    .filter(({subnet}) =>
      [network.privateSubnet, subnet].map(validCidr).every(block => block && !contains(block, address.value)),
    )
    .map(({name, subnet}) =>
      error(
        path,
        `${dns.resolver} is not reached through the VPN "${name}": it must lie in ${network.privateSubnet} or ${subnet}`,
      ),
    );
};

/** Only our own server asks others. */
export const upstreamsUsed: Rule = ({components: {dns}}) =>
  dns.server === 'site' && dns.upstreams.length > 0
    ? [warning('components.dns.upstreams', 'are not used: the hosts ask the resolvers of the site')]
    : [];

/** Our DNS server asks these; asking itself would go round in a circle. */
export const upstreamsElsewhere: Rule = ({hosts, components}) =>
  components.dns.upstreams.flatMap((upstream, index) => {
    const address = parseAddress(upstream);
    const path = `components.dns.upstreams[${index}]`;
    if (!address.ok) return [];
    const self =
      purposeOf(address.value) === 'loopback' ||
      hosts.some(host => host.roles.includes('proxy') && host.privateAddress === address.value);
    return self ? [error(path, `${upstream} is the machine of our own DNS server; name one that it can ask`)] : [];
  });

export const renewalBeforeEnd: Rule = ({tls}) =>
  tls.mode === 'local-ca' && tls.renewDays >= tls.leafDays
    ? [error('tls.renewDays', `must be less than tls.leafDays (${tls.leafDays}), or every run would renew`)]
    : [];

export const certificatesDiffer: Rule = ({tls}) =>
  tls.mode === 'supplied'
    ? repeated(
        tls.certificates.map((key, index) => ({path: `tls.certificates[${index}]`, key})),
        name => `"${name}" is there twice`,
      )
    : [];
