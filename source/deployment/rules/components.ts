import {parseAddress, purposeOf} from '../../network/address.ts';
import {error, type Rule, repeated} from './rule.ts';

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

export const exportPathOwn: Rule = ({components}) => {
  const {exportPath} = components.nfs;
  const path = 'components.nfs.exportPath';
  const parts = exportPath.split('/').slice(1);
  if (exportPath !== '/' && parts.some(part => ['', '.', '..'].includes(part))) {
    return [error(path, `"${exportPath}" must be plain: no "//", "." or ".." in it, no "/" at its end`)];
  }
  const system = systemFolders.find(folder => exportPath === folder || exportPath.startsWith(`${folder}/`));
  if (system) return [error(path, `"${exportPath}" is part of the system (${system}); use a folder like /srv/nfs`)];
  return sharedFolders.includes(exportPath)
    ? [error(path, `"${exportPath}" holds other things too; use a folder of its own, like /srv/nfs`)]
    : [];
};

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
