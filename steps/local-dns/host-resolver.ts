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
const dhclientLine = 'prepend domain-name-servers 127.0.0.1; # Groundwork';

/**
 * What keeps our line in /etc/resolv.conf when the program that configures the network writes that file again:
 * dhclient and dhcpcd (ifupdown) put us first themselves; NetworkManager is told that the file is not its own.
 */
const keepers = ({networkManagedBy}: Pick<Facts, 'networkManagedBy'>): readonly Resource[] => {
  if (networkManagedBy === 'ifupdown') {
    return [
      file('/etc/resolv.conf.head', managedFile('nameserver 127.0.0.1')),
      command({
        id: 'resolver line of dhclient',
        doing: 'telling dhclient to keep the local resolver first',
        unless: sh`[ ! -e /etc/dhcp/dhclient.conf ] || grep -qxF ${dhclientLine} /etc/dhcp/dhclient.conf`,
        script: sh`printf '%s\n' ${dhclientLine} >>/etc/dhcp/dhclient.conf`,
        change: 'add a line to /etc/dhcp/dhclient.conf',
      }),
    ];
  }
  if (networkManagedBy === 'NetworkManager') {
    const path = '/etc/NetworkManager/conf.d/groundwork.conf';
    return [
      file(path, managedFile('[main]', 'rc-manager=unmanaged')),
      service('NetworkManager.service', {configuration: [path], onChange: 'reload'}),
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
