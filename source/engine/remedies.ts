import type {Failure} from './failure.ts';
import type {Remedy} from './step.ts';

/** Failures that any step may meet. A step's own remedies are asked first. */
export const generalRemedies: readonly Remedy[] = [
  {
    id: 'disk-full',
    match: /no space left on device|disk quota exceeded|you don't have enough free space/i,
    cause: 'A disk of the host is full.',
    remedy: 'Free space on the host (`df -h`, `df -i`, `journalctl --vacuum-size=200M`, `apt-get clean`), then retry.',
  },
  {
    id: 'read-only',
    match: /read-only file system/i,
    cause: 'A file system of the host is read-only: often a disk with errors that the kernel has put out of use.',
    remedy: 'Look at `dmesg` and `mount` on the host; repair the disk or remount it, then retry.',
  },
  {
    id: 'apt-lock',
    match: /could not get lock|unable to acquire the dpkg|dpkg frontend lock|is another process using it/i,
    cause: 'Another program installs packages on the host at this moment, mostly the automatic updates.',
    remedy: 'Wait until it is done, then retry. `ps -e | grep -E "apt|dpkg"` on the host shows it.',
    transient: true,
  },
  {
    id: 'dpkg-interrupted',
    match: /dpkg was interrupted/i,
    cause: 'An earlier installation of packages was cut off on the host.',
    remedy: 'Run `sudo dpkg --configure -a` on the host, then retry.',
  },
  {
    id: 'name-resolution',
    match: /temporary failure (in name resolution|resolving)|could not resolve|name or service not known/i,
    cause: 'The host cannot resolve names.',
    remedy: 'Check the name servers of the host (`resolvectl status`, /etc/resolv.conf), then retry.',
    transient: true,
  },
  {
    id: 'mirror',
    match: /404\s+not found|hash sum mismatch|failed to fetch|file has unexpected size|mirror sync in progress/i,
    cause: 'The package mirror does not have what its lists promise: it is being updated, or the lists are old.',
    remedy: 'Wait some minutes and retry; if it stays, choose another mirror in the apt sources of the host.',
    transient: true,
  },
  {
    id: 'network',
    match: /connection (timed out|refused|reset)|network is unreachable|no route to host/i,
    cause: 'The host could not reach what it needs over the network.',
    remedy: 'Check the default route, the firewall in front of the host and its proxy settings, then retry.',
    transient: true,
  },
  {
    id: 'port-taken',
    match: /address already in use|failed to bind|port is already allocated/i,
    cause: 'Another program on the host holds a port that is needed.',
    remedy: 'See which with `ss -lntup` on the host; stop it or move it to another port, then retry.',
  },
  {
    id: 'memory',
    match: /cannot allocate memory|out of memory|\bkilled\b.*\b(oom|137)\b/i,
    cause: 'The host ran out of memory.',
    remedy: 'Stop what else runs on it or give it more memory, then retry.',
  },
];

/** A failure with the cause and the advice of the first remedy that knows it. What it says itself stays. */
export const withRemedy = (failure: Failure, remedies: readonly Remedy[]): Failure => {
  const text = [failure.message, ...(failure.tail ?? [])].join('\n');
  const known = [...remedies, ...generalRemedies].find(({match}) =>
    new RegExp(match.source, match.flags.replace(/[gy]/g, '')).test(text),
  );
  if (!known) return failure;
  return {
    ...failure,
    cause: failure.cause ?? known.cause,
    remedy: failure.remedy ?? known.remedy,
    ...((failure.transient || known.transient) && {transient: true}),
  };
};
