import {isDnsLabel, isDomainName} from '../network/names.ts';
import {type Check, type CheckContext, failed, isOurs, onRealHost, passed, whether} from './preflight-check.ts';

/** Seconds. Certificates begin to be valid at the clock of whoever makes them; a minute is what networks and people need. */
const clockTolerance = 60;

/** Its own step looks closer at it: whether it is the deployment's, and not newer. */
const isOwnCluster = (leftover: string, context: CheckContext): boolean =>
  leftover.startsWith('RKE2 ') && isOurs(context) && context.deployment.components.kubernetes !== undefined;

const isDocker = (leftover: string): boolean => leftover.startsWith('Docker ');

export const stateChecks: readonly Check[] = [
  {
    id: 'clock',
    title: 'The clock is right',
    severity: 'error',
    acceptable: true,
    applies: context => onRealHost(context) && context.facts.time.epochSeconds > 0,
    test: ({facts, now}) => {
      const ahead = Math.round(facts.time.epochSeconds - now.getTime() / 1000);
      const seconds = Math.abs(ahead);
      const found =
        seconds <= 5
          ? "as this machine's"
          : `${duration(seconds)} ${ahead > 0 ? 'ahead of' : 'behind'} this machine's clock`;
      return whether(
        seconds <= clockTolerance,
        found,
        `within ${clockTolerance} seconds of this machine's`,
        "Set the clock that is wrong, the host's or this machine's: certificates would not be valid yet, or no longer.",
      );
    },
  },
  {
    id: 'time-sync',
    title: 'The clock is kept right',
    severity: 'warning',
    acceptable: true,
    applies: onRealHost,
    test: ({facts: {time}}) =>
      whether(
        time.synchronised,
        time.synchronised
          ? time.service === 'none'
            ? 'by the machine below'
            : `by ${time.service}`
          : time.service === 'none'
            ? 'nothing keeps it'
            : `${time.service} runs and has not reached a server`,
        'synchronised with a time server',
        'The installation sets chrony up. It needs UDP port 123 outwards, or a time server of your own in Components.',
      ),
  },
  {
    id: 'apt-lock',
    title: 'No other package installation',
    // The installation waits for the lock, so that a fresh machine's first updates need not stop anybody.
    severity: 'warning',
    acceptable: true,
    test: ({facts}) =>
      whether(
        facts.aptLock === undefined,
        facts.aptLock ?? 'the locks of apt and dpkg are free',
        'the locks of apt and dpkg free',
        'Another program installs packages. The installation waits until it has ended; do not remove the lock by hand.',
      ),
  },
  {
    id: 'cloud-init',
    title: 'The first boot has ended',
    severity: 'error',
    acceptable: true,
    applies: onRealHost,
    test: ({facts: {cloudInit}}) => {
      const needed = 'cloud-init done, or not there';
      if (cloudInit === 'running') {
        return failed(
          'cloud-init still runs',
          needed,
          'It may change users, network and packages, or restart the host. Wait for `cloud-init status --wait`, then look again.',
        );
      }
      if (cloudInit === 'error') {
        return failed(
          'cloud-init ended with errors',
          needed,
          'See `cloud-init status --long` on the host: a part of what it should have set up is missing.',
          {severity: 'warning'},
        );
      }
      return passed(cloudInit === 'done' ? 'cloud-init is done' : 'no cloud-init', needed);
    },
  },
  {
    id: 'reboot-required',
    title: 'No restart is due',
    severity: 'warning',
    acceptable: true,
    applies: onRealHost,
    test: ({facts}) =>
      whether(
        !facts.rebootRequired,
        facts.rebootRequired ? 'an update waits for a restart' : 'none',
        'no restart due',
        'Restart the host first: modules of the running kernel may be gone from its disk.',
      ),
  },
  {
    id: 'package-sources',
    title: 'Packages can be fetched',
    severity: 'error',
    acceptable: true,
    applies: ({facts}) => facts.packageSources !== undefined,
    test: ({facts: {packageSources: sources}}) => {
      const needed = "a connection to apt's sources";
      if (!sources) return passed('not tried', needed);
      if (sources.reachable && sources.unreachable.length === 0) return passed(sources.detail, needed);
      return sources.reachable
        ? failed(sources.detail, needed, 'Take away the sources that are not needed, or let the host reach them.', {
            severity: 'warning',
          })
        : failed(
            sources.detail,
            needed,
            'Open the way to the package servers, or set a proxy (Acquire::http::Proxy in /etc/apt/apt.conf.d) or a local mirror in /etc/apt/sources.list.d.',
          );
    },
  },
  {
    id: 'proxy',
    title: 'The proxy is known to apt',
    severity: 'warning',
    acceptable: true,
    applies: ({facts}) => facts.proxy.http !== undefined,
    test: ({facts: {proxy}}) =>
      whether(
        proxy.apt !== undefined,
        proxy.apt ?? `/etc/environment names ${proxy.http}, apt's settings none`,
        'the proxy in the settings of apt as well',
        'Set Acquire::http::Proxy in /etc/apt/apt.conf.d: sudo drops the proxy of the environment.',
      ),
  },
  {
    id: 'hostname',
    title: 'Name of the host',
    severity: 'error',
    acceptable: true,
    applies: onRealHost,
    test: ({facts: {hostname}}) =>
      whether(
        isDnsLabel(hostname) || isDomainName(hostname),
        hostname || 'none',
        'lower-case letters, digits and hyphens',
        'Kubernetes takes no other name for a node. Change it with `hostnamectl set-hostname NAME`.',
      ),
  },
  {
    id: 'hostname-resolves',
    title: 'The host knows its own name',
    severity: 'warning',
    acceptable: true,
    applies: onRealHost,
    test: ({facts}) =>
      whether(
        facts.hostnameResolves,
        facts.hostnameResolves ? `${facts.hostname} resolves` : `${facts.hostname} does not resolve`,
        'resolves to an address of its own',
        `Add "127.0.1.1 ${facts.hostname}" to /etc/hosts: without, sudo waits and complains.`,
      ),
  },
  {
    id: 'machine-id',
    title: 'Machine id',
    severity: 'error',
    acceptable: true,
    applies: onRealHost,
    test: ({facts}) =>
      whether(
        /^[0-9a-f]{32}$/.test(facts.machineId),
        facts.machineId || 'none',
        '32 hexadecimal digits in /etc/machine-id',
        'Run `systemd-machine-id-setup` and restart the host.',
      ),
  },
  {
    id: 'leftovers',
    title: 'Nothing of an older installation',
    severity: 'error',
    acceptable: true,
    test: context => {
      const found = context.facts.leftovers.filter(item => !isDocker(item) && !isOwnCluster(item, context));
      return whether(
        found.length === 0,
        found.join('; ') || 'nothing',
        'no other Kubernetes, VPN or OpenG2P',
        'Use a fresh machine, or take away what is there with its own uninstaller. If you accept this, the installation overwrites files of the same name.',
      );
    },
  },
  {
    id: 'docker',
    title: 'No Docker',
    severity: 'warning',
    acceptable: true,
    applies: ({facts}) => facts.leftovers.some(isDocker),
    test: ({facts}) =>
      failed(
        facts.leftovers.filter(isDocker).join('; '),
        'none',
        'Ports that Docker publishes go past the firewall, and its networks may overlap with ours. Remove it if nobody needs it.',
      ),
  },
  {
    id: 'deployment',
    title: 'The host belongs to no other deployment',
    severity: 'error',
    acceptable: true,
    test: context => {
      const {facts, deployment} = context;
      const needed = `none, or ${deployment.name}`;
      if (facts.deployment === undefined) return passed('none', needed);
      return whether(
        isOurs(context),
        facts.deployment,
        needed,
        `The ground of "${facts.deployment}" is on this host and would be overwritten. Open that deployment instead, or choose another host.`,
      );
    },
  },
  {
    id: 'facts',
    title: 'The host told everything',
    severity: 'warning',
    acceptable: true,
    applies: ({facts}) => facts.unread.length > 0,
    test: ({facts}) =>
      failed(
        `could not be read: ${facts.unread.join(', ')}`,
        'everything read',
        'Install iproute2 and procps, and see that /proc and /sys are mounted; checks of these things say little as it is.',
      ),
  },
];

/** `90 s`, `12 min`, `3 h`, `400 days`. */
const duration = (seconds: number): string => {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 2 * 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 2 * 86_400) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
};
