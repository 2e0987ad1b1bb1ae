import {step} from '../../source/engine/step.ts';
import {aptPackages} from '../../source/resources/apt-packages.ts';
import {directory} from '../../source/resources/directory.ts';
import {absent, file} from '../../source/resources/file.ts';
import {lineBlock} from '../../source/resources/line-block.ts';
import {service} from '../../source/resources/service.ts';
import {sh} from '../../source/shell/script.ts';
import {exitsZero, prints} from '../shared/checks.ts';
import {roles, systemOf} from '../shared/deployment.ts';
import {aptRemedies} from '../shared/remedies.ts';
import {hostsLines} from './hosts-file.ts';
import {inotifyLimits, inotifySuffices} from './inotify.ts';
import {baselineRemoval} from './removal.ts';
import {swapOff} from './swap.ts';
import {keepsTime, timeSources} from './time.ts';
import {needrestartConfiguration, needrestartPath, updatesConfiguration, updatesPath} from './updates.ts';

export const hostBaseline = step({
  id: 'host-baseline',
  title: 'Host baseline',
  why: 'Gives the machine the tools, the clock and the kernel settings that everything else takes for granted.',
  role: roles.base,
  after: [],
  estimate: 40,
  removal: baselineRemoval,
  resources: ({deployment, host, facts}) => {
    const system = systemOf(facts);
    const {packages, time} = system;
    const ownSources = `${time.sourcesDirectory}/groundwork.sources`;
    const clock = keepsTime(facts);
    const chosen = deployment.components.timeServers.length > 0;
    return [
      directory('/var/lib/groundwork'),
      file('/var/lib/groundwork/deployment', `${deployment.name}\n`),
      directory('/etc/groundwork'),
      aptPackages([
        'ca-certificates',
        'curl',
        'jq',
        packages.tls,
        packages.dnsTools,
        packages.automaticUpdates,
        ...(clock ? [packages.timeSync] : []),
      ]),
      file(updatesPath, updatesConfiguration(deployment.components.automaticUpdates, system), {
        validate: candidate => sh`apt-config -c ${candidate} dump >/dev/null`,
      }),
      ...(system.apt.needrestart ? [file(needrestartPath, needrestartConfiguration)] : []),
      ...(clock
        ? [
            chosen ? file(ownSources, timeSources(deployment)) : absent(ownSources),
            service(time.service, {
              enabled: true,
              running: true,
              ...(chosen && {configuration: [ownSources], onChange: 'restart' as const}),
            }),
          ]
        : []),
      swapOff,
      inotifyLimits,
      // First, because the first line that names a host wins, and images bring `127.0.1.1 <host name>`.
      lineBlock('/etc/hosts', {name: 'hosts', lines: [...hostsLines(deployment, host, facts)], position: 'start'}),
    ];
  },
  verify: ({deployment, host, facts}) => [
    prints(
      {
        id: 'swap',
        title: 'no swap is in use',
        script: sh`swapon --show=NAME --noheadings --raw | wc -l`,
      },
      '0',
    ),
    prints(
      {
        id: 'host-name',
        title: `the host resolves its own name ${host.name}`,
        script: sh`getent hosts ${host.name} | awk '{print $1}' | head -n 1`,
      },
      host.privateAddress,
    ),
    exitsZero({
      id: 'inotify',
      title: 'programs may watch enough files',
      script: sh`${inotifySuffices} && sysctl fs.inotify.max_user_watches fs.inotify.max_user_instances | xargs`,
    }),
    exitsZero({
      id: 'updates',
      title:
        deployment.components.automaticUpdates === 'security'
          ? 'security updates are installed by themselves'
          : 'updates are left to the operator',
      script: sh`apt-config dump APT::Periodic::Unattended-Upgrade | grep -F ${
        deployment.components.automaticUpdates === 'security' ? '"1"' : '"0"'
      }`,
    }),
    ...(keepsTime(facts)
      ? [
          exitsZero({
            id: 'clock',
            title: 'the time server follows its sources',
            script: sh`chronyc -n tracking | grep -E '^(Leap status|Reference ID)' | xargs`,
          }),
        ]
      : []),
  ],
  remedies: [
    ...aptRemedies,
    {
      id: 'swapoff-refused',
      match: /swapoff.*(operation not permitted|permission denied)/i,
      cause: 'The host may not switch its swap off: it is a container, and the swap is that of the machine below.',
      remedy: 'Switch swap off on the machine that runs this container, or set no swap for it there, then retry.',
    },
    {
      id: 'swapoff-memory',
      match: /swapoff.*cannot allocate memory/i,
      cause: 'What lies in swap does not fit into memory.',
      remedy: 'Stop what uses the memory (`ps aux --sort=-rss | head`), or give the machine more, then retry.',
    },
    {
      id: 'clock-no-daemon',
      match: /506 Cannot talk to daemon/,
      cause: 'chrony is installed and does not run.',
      remedy: 'See `systemctl status chrony` on the host; another time server may hold UDP port 323 or 123.',
    },
  ],
});
