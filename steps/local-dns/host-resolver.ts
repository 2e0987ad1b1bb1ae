import type {Deployment, HostSpec} from '../../source/deployment/schema.ts';
import type {Facts} from '../../source/hosts/facts.ts';
import {command} from '../../source/resources/command.ts';
import {file} from '../../source/resources/file.ts';
import {lineBlock} from '../../source/resources/line-block.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {service} from '../../source/resources/service.ts';
import {sh} from '../../source/shell/script.ts';
import {managedFile} from '../shared/config-text.ts';
import {resolvedDropIn, resolvedPath, resolverOf} from './configuration.ts';

/** A line for dhclient, which writes /etc/resolv.conf anew with each lease. */
export const dhclientLine = 'prepend domain-name-servers 127.0.0.1; # Groundwork';
export const dhclientConfiguration = '/etc/dhcp/dhclient.conf';

/** dhcpcd puts it in front of what it writes. */
export const headPath = '/etc/resolv.conf.head';
export const networkManagerPath = '/etc/NetworkManager/conf.d/groundwork.conf';

/**
 * What keeps our line in /etc/resolv.conf when the program that configures the network writes that file again:
 * dhclient and dhcpcd (ifupdown) put us first themselves; NetworkManager is told that the file is not its own.
 */
const keepers = ({networkManagedBy}: Pick<Facts, 'networkManagedBy'>): readonly Resource[] => {
  if (networkManagedBy === 'ifupdown') {
    return [
      file(headPath, managedFile('nameserver 127.0.0.1')),
      command({
        id: 'resolver line of dhclient',
        doing: 'telling dhclient to keep the local resolver first',
        unless: sh`[ ! -e ${dhclientConfiguration} ] || grep -qxF ${dhclientLine} ${dhclientConfiguration}`,
        script: sh`printf '%s\n' ${dhclientLine} >>${dhclientConfiguration}`,
        change: `add a line to ${dhclientConfiguration}`,
      }),
    ];
  }
  if (networkManagedBy === 'NetworkManager') {
    return [
      file(networkManagerPath, managedFile('[main]', 'rc-manager=unmanaged')),
      service('NetworkManager.service', {configuration: [networkManagerPath], onChange: 'reload'}),
    ];
  }
  return [];
};

/** Makes the host's own programs find the platform's names. Comes after our server runs, so that no name is lost. */
export const hostResolver = (
  deployment: Deployment,
  host: HostSpec,
  facts: Pick<Facts, 'resolver' | 'networkManagedBy'>,
): readonly Resource[] =>
  resolverOf(facts) === 'resolved'
    ? [
        file(resolvedPath, resolvedDropIn(deployment, host)),
        service('systemd-resolved.service', {
          running: true,
          configuration: [resolvedPath],
          onChange: 'restart',
        }),
      ]
    : [
        ...keepers(facts),
        lineBlock('/etc/resolv.conf', {name: 'resolver', lines: ['nameserver 127.0.0.1'], position: 'start'}),
      ];
