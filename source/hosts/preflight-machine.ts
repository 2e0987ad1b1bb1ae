import type {Mount} from './facts.ts';
import {mountOf, secondVolumeOf} from './facts-storage.ts';
import {isContainer, nfsServerFor, osDataFor, supportedSystems, supportedTitles} from './os-data.ts';
import {
  type Check,
  type CheckContext,
  failed,
  inGB,
  inGiB,
  onRealHost,
  passed,
  plays,
  whether,
} from './preflight-check.ts';

const gibi = 1024 ** 3;
const mebi = 1024 ** 2;

/** The file systems that an installation writes to, each once. */
const usedMounts = ({facts, host, deployment}: CheckContext): readonly Mount[] => {
  const paths = ['/', '/var', ...(host.roles.includes('storage') ? [deployment.components.nfs.exportPath] : [])];
  const found = paths.map(path => mountOf(facts.mounts, path)).filter(mount => mount !== undefined);
  return [...new Set(found)];
};

/** Bytes without which the packages of the ground alone do not fit, and those that leave room to work. */
const room = {least: gibi, comfortable: 5 * gibi};

/** Debian's archive unpacks about 10 000 files for the packages of the ground; twice that is the least. */
const leastInodes = 20_000;

export const machineChecks: readonly Check[] = [
  {
    id: 'root',
    title: 'Groundwork works as root',
    severity: 'error',
    acceptable: false,
    test: ({facts, host}) =>
      whether(
        facts.privileged,
        facts.privileged ? 'root' : `user ${host.user} without root`,
        'root, or sudo',
        `Allow ${host.user} to use sudo, or log in as root.`,
      ),
  },
  {
    id: 'os',
    title: 'Supported operating system',
    severity: 'error',
    acceptable: false,
    test: ({facts}) => {
      if (osDataFor(facts)) return passed(facts.os.title, supportedTitles);
      const related = supportedSystems.some(({id}) => id === facts.os.id);
      return failed(
        facts.os.title,
        supportedTitles,
        related
          ? 'Install one of these releases. This one may work, and nobody has tried it.'
          : 'Install one of these systems on the machine, or choose another machine.',
        {acceptable: related},
      );
    },
  },
  {
    id: 'arch',
    title: 'Processor architecture',
    // The ground's packages exist for arm64, but what it is laid for does not: OpenG2P's tools and images are amd64 only.
    severity: 'error',
    acceptable: false,
    applies: onRealHost,
    test: ({facts}) =>
      whether(
        facts.arch === 'amd64',
        facts.arch || 'unknown',
        'amd64',
        'Choose a machine with a 64-bit Intel or AMD processor: OpenG2P is published for these only.',
      ),
  },
  {
    id: 'systemd',
    title: 'The host is run by systemd',
    severity: 'error',
    acceptable: false,
    test: ({facts}) =>
      whether(
        facts.systemd,
        facts.systemd ? 'systemd' : 'something else is process 1',
        'systemd',
        'Use a machine or a container that was booted by systemd.',
      ),
  },
  {
    id: 'cpus',
    title: 'Processors',
    severity: 'error',
    acceptable: true,
    applies: onRealHost,
    test: ({facts, machine: {least, nominal}}) =>
      whether(
        facts.cpus >= least.cpus,
        `${facts.cpus}`,
        `at least ${least.cpus} (nominal ${nominal.cpus})`,
        'Give the machine more processors. Accept this only to try things out.',
      ),
  },
  {
    id: 'memory',
    title: 'Memory',
    severity: 'error',
    acceptable: true,
    applies: onRealHost,
    // in MiB: whole GiB round a 64 GB machine, which shows 62.8, down to a failure
    test: ({facts, machine: {least, nominal}}) =>
      whether(
        Math.round(facts.memoryBytes / mebi) >= least.memoryGb * 1024,
        inGiB(facts.memoryBytes),
        `at least ${least.memoryGb} GiB (nominal ${nominal.memoryGb})`,
        'Give the machine more memory. Accept this only to try things out.',
      ),
  },
  {
    id: 'disk',
    title: 'Disk size',
    severity: 'error',
    acceptable: true,
    applies: onRealHost,
    test: context => {
      const {least, nominal} = context.machine;
      const total = usedMounts(context).reduce((sum, {bytes}) => sum + bytes, 0);
      return whether(
        total >= least.diskGb * 1e9,
        usedMounts(context)
          .map(({path, bytes}) => `${inGB(bytes)} on ${path}`)
          .join(', ') || 'unknown',
        `at least ${least.diskGb} GB in all (nominal ${nominal.diskGb})`,
        'Give the machine a larger disk, or grow the file system to the disk it has (growpart, resize2fs).',
      );
    },
  },
  {
    id: 'backup-volume',
    title: 'Volume for the backups',
    severity: 'warning',
    acceptable: true,
    applies: context =>
      onRealHost(context) &&
      plays('backup')(context) &&
      context.machine.volumeGb !== undefined &&
      context.deployment.components.backup !== undefined,
    test: ({facts, machine: {volumeGb}, deployment: {components}}) => {
      const path = components.backup?.path ?? '/';
      const mount = mountOf(facts.mounts, path);
      const spare = secondVolumeOf(facts);
      const isMounted = facts.mounts.some(({disks}) => spare !== undefined && disks.includes(spare.name));
      return whether(
        (mount?.bytes ?? 0) >= (volumeGb?.least ?? 0) * 1e9,
        mount ? `${path} lies on ${mount.path}, with ${inGB(mount.bytes)}` : 'unknown',
        `at least ${volumeGb?.least} GB for ${path} (nominal ${volumeGb?.nominal})`,
        spare && !isMounted
          ? `Nothing is mounted from the disk ${spare.name} (${inGB(spare.bytes)}): make a file system on it, and mount it at ${path} by /etc/fstab, before the installation.`
          : `Give the machine a volume, mounted at ${path} by /etc/fstab, before the installation: backups fill the system's disk otherwise.`,
      );
    },
  },
  {
    id: 'disk-free',
    title: 'Free disk space',
    severity: 'error',
    acceptable: true,
    applies: onRealHost,
    test: context => {
      const tight = usedMounts(context).toSorted((a, b) => a.freeBytes - b.freeBytes)[0];
      const needed = `at least ${inGiB(room.comfortable)} free on each`;
      if (!tight) return failed('unknown', needed, 'See on the host what `df -h` says.');
      const found = `${inGiB(tight.freeBytes)} free on ${tight.path}`;
      if (tight.freeBytes >= room.comfortable) return passed(found, needed);
      return failed(
        found,
        needed,
        `Free some space on ${tight.path} (\`apt-get clean\`, \`journalctl --vacuum-size=200M\`), or enlarge it.`,
        {acceptable: tight.freeBytes >= room.least},
      );
    },
  },
  {
    id: 'inodes',
    title: 'Free inodes',
    severity: 'error',
    acceptable: true,
    applies: onRealHost,
    test: context => {
      const tight = usedMounts(context).toSorted((a, b) => a.freeInodes - b.freeInodes)[0];
      const needed = `at least ${leastInodes} free on each file system`;
      if (!tight) return failed('unknown', needed, 'See on the host what `df -i` says.');
      const endless = tight.freeInodes === Number.MAX_SAFE_INTEGER;
      return whether(
        tight.freeInodes >= leastInodes,
        endless ? 'not limited' : `${tight.freeInodes} free on ${tight.path}`,
        needed,
        `Many small files fill ${tight.path}: find the folder that holds them (\`du --inodes -xd2 ${tight.path}\`).`,
      );
    },
  },
  {
    id: 'rotational',
    title: 'Solid state disk',
    severity: 'warning',
    acceptable: true,
    applies: onRealHost,
    test: context => {
      const needed = 'no rotating disk below what is written to';
      const names = new Set(usedMounts(context).flatMap(({disks}) => disks));
      const disks = context.facts.disks.filter(({name}) => names.has(name));
      const rotating = disks.filter(({rotational}) => rotational === true).map(({name}) => name);
      const unknown = disks.filter(({rotational}) => rotational === undefined).map(({name}) => name);
      if (rotating.length > 0) {
        return failed(
          `${rotating.join(', ')} says that it rotates`,
          needed,
          context.facts.virtualisation === 'none'
            ? 'Use a solid state disk: etcd and the databases are slow on a rotating one.'
            : 'Virtual disks often say so without reason: ask whoever runs the machine below. On a rotating disk etcd and the databases are slow.',
        );
      }
      if (disks.length === 0 || unknown.length > 0) {
        return failed(
          'the host does not tell what kind of disk it has',
          needed,
          'Ask whoever runs the machine below; on a rotating disk etcd and the databases are slow.',
        );
      }
      return passed(disks.map(({name}) => name).join(', '), needed);
    },
  },
  {
    id: 'swap',
    title: 'Swap is off',
    severity: 'warning',
    acceptable: true,
    applies: onRealHost,
    test: ({facts}) =>
      whether(
        facts.swapBytes === 0,
        facts.swapBytes === 0 ? 'off' : `${inGiB(facts.swapBytes)} on`,
        'off, for Kubernetes',
        isContainer(facts)
          ? 'It belongs to the machine below this container, which has to switch it off.'
          : 'The installation switches it off, now and at every boot.',
      ),
  },
  {
    id: 'netfilter',
    title: 'The kernel can filter packets',
    severity: 'error',
    acceptable: true,
    applies: onRealHost,
    test: ({facts}) =>
      whether(
        facts.kernelFeatures.netfilter,
        facts.kernelFeatures.netfilter ? 'yes' : 'neither nf_tables nor ip_tables',
        'nf_tables or ip_tables, for the firewall',
        'Install the full kernel of the distribution (linux-image-amd64, linux-generic) and restart.',
      ),
  },
  {
    id: 'wireguard',
    title: 'WireGuard can run',
    severity: 'error',
    acceptable: true,
    applies: context =>
      onRealHost(context) &&
      plays('proxy')(context) &&
      context.deployment.channels.some(({kind}) => kind === 'private'),
    test: ({facts: {kernelFeatures}}) =>
      whether(
        kernelFeatures.wireguard || kernelFeatures.wireguardUserspace,
        kernelFeatures.wireguard
          ? 'in the kernel'
          : kernelFeatures.wireguardUserspace
            ? 'in user space (wireguard-go)'
            : 'neither in the kernel nor in user space',
        'the kernel module, or wireguard-go with /dev/net/tun',
        'Install the full kernel of the distribution (linux-image-amd64, linux-generic) and restart, or install wireguard-go.',
      ),
  },
  {
    id: 'nfs-server',
    title: 'An NFS server can run',
    severity: 'error',
    acceptable: false,
    applies: context => onRealHost(context) && plays('storage')(context),
    test: ({facts, deployment}) => {
      const {server} = deployment.components.nfs;
      const kind = nfsServerFor(server, facts);
      const needed = server === 'auto' ? "the kernel's, or NFS-Ganesha" : `${kind}, as Components says`;
      if (kind === 'ganesha') {
        return passed(facts.kernelFeatures.nfsd ? 'NFS-Ganesha' : 'NFS-Ganesha, as the kernel serves no NFS', needed);
      }
      return whether(
        facts.kernelFeatures.nfsd,
        facts.kernelFeatures.nfsd ? "the kernel's" : 'the kernel serves no NFS',
        needed,
        'Set the NFS server to auto or ganesha in Components, or install a kernel with nfsd.',
      );
    },
  },
];
