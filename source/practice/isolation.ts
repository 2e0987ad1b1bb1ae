import {execFile} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import {constants} from 'node:os';
import {promisify} from 'node:util';
import type {Failure} from '../engine/failure.ts';
import {err, ok, type Result} from '../result.ts';

const run = promisify(execFile);

/** Programs of this machine without which a practice host cannot be made, and the Debian package of each. */
const programs = {
  bash: 'bash',
  unshare: 'util-linux',
  nsenter: 'util-linux',
  setpriv: 'util-linux',
  pivot_root: 'util-linux',
  mount: 'mount',
  hostname: 'hostname',
  awk: 'mawk',
  openssl: 'openssl',
} as const;

const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

export const programPath = (name: string): string | undefined =>
  folders.map(folder => `${folder}/${name}`).find(path => existsSync(path));

/**
 * The users of a practice host that root of this machine starts, as this machine numbers them: above the ranges that
 * /etc/subuid (100000 to 600100000) and systemd-nspawn (524288 to 1879048191) give out, below 2^31.
 */
export const firstUid = 1_900_000_000;

/** What root of a practice host may do: change owners and modes, become another user, send signals. By number. */
const keptCapabilities = new Set([
  0, // CAP_CHOWN
  1, // CAP_DAC_OVERRIDE
  3, // CAP_FOWNER
  4, // CAP_FSETID
  5, // CAP_KILL
  6, // CAP_SETGID
  7, // CAP_SETUID
  10, // CAP_NET_BIND_SERVICE
]);

/** All others, as `setpriv --bounding-set` takes them. By number, because setpriv may be older than the kernel. */
export const withoutCapabilities = (last: number): string =>
  Array.from({length: last + 1}, (_, number) => number)
    .filter(number => !keptCapabilities.has(number))
    .map(number => `-cap_${number}`)
    .join(',');

/** What is known about a machine that refused. Texts as the files of /proc hold them; undefined: no such file. */
export type Observation = {
  readonly root: boolean;
  readonly maximum: string | undefined;
  readonly unprivileged: string | undefined;
  readonly apparmor: string | undefined;
  /** `Seccomp:` of /proc/self/status: 2 where a container filters system calls. */
  readonly seccomp: string | undefined;
  readonly said: string;
};

const refused = (cause: string, remedy: string): Failure => ({
  kind: 'preflight',
  message: 'This machine does not let practice hosts be made.',
  attempted: 'making a private root for a practice host',
  cause,
  remedy,
});

/** Why a machine refuses user namespaces, and what its owner can do about it. */
export const explainRefusal = ({root, maximum, unprivileged, apparmor, seccomp, said}: Observation): Failure => {
  const asRoot = 'Start practice with sudo';
  if (maximum === '0') {
    return refused(
      'The kernel is set to allow no user namespaces (user.max_user_namespaces is 0).',
      'Allow some: `sudo sysctl -w user.max_user_namespaces=15000`, or practise on another machine.',
    );
  }
  if (!root && unprivileged === '0') {
    return refused(
      'The kernel allows user namespaces to root only (kernel.unprivileged_userns_clone is 0).',
      `${asRoot}, or allow them: \`sudo sysctl -w kernel.unprivileged_userns_clone=1\`.`,
    );
  }
  if (!root && apparmor === '1') {
    return refused(
      'AppArmor restricts user namespaces of ordinary users (kernel.apparmor_restrict_unprivileged_userns is 1), as Ubuntu sets it since 23.10.',
      `${asRoot}, or lift it: \`sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0\`.`,
    );
  }
  if (seccomp === '2') {
    return refused(
      'This is a container that may not make namespaces of its own.',
      'Practise outside the container, or start it with more rights (`docker run --privileged`).',
    );
  }
  return {
    ...refused(
      'The kernel refused to make a user namespace with file systems of its own.',
      `${root ? '' : `${asRoot}, or practise`}${root ? 'Practise' : ''} on a machine with an ordinary kernel of Debian or Ubuntu.`,
    ),
    tail: said.trim().split('\n').slice(-5),
  };
};

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
};

const observe = (root: boolean, said: string): Observation => ({
  root,
  maximum: read('/proc/sys/user/max_user_namespaces'),
  unprivileged: read('/proc/sys/kernel/unprivileged_userns_clone'),
  apparmor: read('/proc/sys/kernel/apparmor_restrict_unprivileged_userns'),
  seccomp: /^Seccomp:\s*(\d)$/m.exec(read('/proc/self/status') ?? '')?.[1],
  said,
});

export type Isolation = {
  /** Whether this program runs as root: then users of a host are `firstUid` and up, else the one user is ours. */
  readonly root: boolean;
  readonly capabilities: string;
};

/** Whether private roots can be made here, found out by making one and throwing it away. */
export const checkIsolation = async (): Promise<Result<Isolation, Failure>> => {
  if (process.platform !== 'linux') {
    return err(
      refused('Practice hosts are made of Linux namespaces.', 'Practise on a Linux machine, or in a virtual one.'),
    );
  }
  const missing = Object.entries(programs).filter(([name]) => programPath(name) === undefined);
  if (missing.length > 0) {
    const packages = [...new Set(missing.map(([, name]) => name))];
    return err(
      refused(
        `Programs are missing: ${missing.map(([name]) => name).join(', ')}.`,
        `Install them: \`sudo apt-get install ${packages.join(' ')}\`.`,
      ),
    );
  }
  const root = process.getuid?.() === 0;
  const trial = 'mount -t tmpfs tmpfs /tmp && mount -t proc proc /proc && hostname trial';
  try {
    await run('unshare', [
      ...['--user', '--map-root-user', '--mount', '--uts', '--ipc', '--net', '--pid', '--fork'],
      ...['sh', '-c', trial],
    ]);
  } catch (error) {
    return err(explainRefusal(observe(root, error instanceof Error ? error.message : String(error))));
  }
  const last = Number(read('/proc/sys/kernel/cap_last_cap') ?? 40);
  return ok({root, capabilities: withoutCapabilities(last)});
};

/** The number of a signal by its name in SSH: `TERM`, without `SIG`. */
export const signalNumber = (name: string): number | undefined =>
  Object.entries(constants.signals).find(([known]) => known === `SIG${name}`)?.[1];
