import type {Remedy} from '../../source/engine/step.ts';

/** What goes wrong with packages on ordinary machines, for every step that installs some. */
export const aptRemedies: readonly Remedy[] = [
  {
    id: 'apt-lock',
    match: /could not get lock|unable to (acquire|lock)|is held by process/i,
    cause: 'Another program is installing packages, usually the automatic updates of a machine that has just started.',
    remedy: 'Wait until it has finished (`ps -e | grep -E "apt|dpkg|unattended"`), then retry.',
    transient: true,
  },
  {
    id: 'apt-resolve',
    match: /temporary failure resolving|could not resolve/i,
    cause: 'The host cannot resolve the name of its package mirror.',
    remedy: 'Check the DNS servers of the host (`resolvectl status` or /etc/resolv.conf) and its way to them.',
    transient: true,
  },
  {
    id: 'apt-connect',
    match: /could not connect to|connection timed out.*apt|failed to fetch|unable to fetch some archives/i,
    cause: 'The host cannot reach its package mirror, or the mirror is busy.',
    remedy: 'Open the way to the mirror or name one inside the site in /etc/apt/sources.list.d, then retry.',
    transient: true,
  },
  {
    id: 'apt-hash',
    match: /hash sum mismatch|file has unexpected size/i,
    cause: 'The package mirror was being updated while its lists were read, or a proxy on the way holds old files.',
    remedy: 'Retry in some minutes. If it stays, empty the proxy’s cache.',
    transient: true,
  },
  {
    id: 'apt-signature',
    match: /NO_PUBKEY|is not signed|release file .* (expired|not valid yet)/i,
    cause:
      'The lists of the mirror cannot be trusted: a key is missing, or the clock of the host or the mirror is wrong.',
    remedy: 'Compare `date` with the right time; check the keys of additional sources in /etc/apt/sources.list.d.',
  },
  {
    id: 'apt-missing',
    match: /unable to locate package|has no installation candidate/i,
    cause: 'The host’s package sources do not have this package.',
    remedy: 'Enable the components that are needed (Ubuntu: main and universe; Debian: main), then retry.',
  },
  {
    id: 'dpkg-interrupted',
    match: /dpkg was interrupted|you might want to run .apt --fix-broken/i,
    cause: 'An earlier installation of packages was cut off half way.',
    remedy: 'Run `sudo dpkg --configure -a && sudo apt-get install --fix-broken` on the host, then retry.',
  },
  {
    id: 'disk-full',
    match: /no space left on device|not enough free space/i,
    cause: 'A file system of the host is full.',
    remedy: 'Find out which one (`df -h`; `df -i` for inodes), make room, then retry.',
  },
];
