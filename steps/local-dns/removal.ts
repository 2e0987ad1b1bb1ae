import {posix} from 'node:path';
import type {Removal} from '../../source/engine/removal.ts';
import {command} from '../../source/resources/command.ts';
import {lineBlock} from '../../source/resources/line-block.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {packagesStay} from '../../source/resources/stays.ts';
import {emptyFolderAbsent} from '../../source/resources/tree.ts';
import {withdrawn} from '../../source/resources/withdrawn.ts';
import {sh} from '../../source/shell/script.ts';
import {managedNote} from '../shared/config-text.ts';
import {systemOf} from '../shared/deployment.ts';
import {configurationPath, resolvedPath} from './configuration.ts';
import {dhclientConfiguration, dhclientLine, headPath, networkManagerPath} from './host-resolver.ts';

/** Every way in which hosts were ever made to ask our server, whichever it was here. */
const resolverAsBefore: readonly Resource[] = [
  withdrawn([resolvedPath], {afterwards: sh`systemctl try-restart systemd-resolved.service`}),
  emptyFolderAbsent(posix.dirname(resolvedPath)),
  withdrawn([headPath], {firstLine: managedNote}),
  command({
    id: 'no resolver line of dhclient',
    doing: 'taking our line out of dhclient’s settings',
    unless: sh`! grep -qxF ${dhclientLine} ${dhclientConfiguration} 2>/dev/null`,
    script: sh`set -e
new=$(mktemp ${`${dhclientConfiguration}.XXXXXX`})
cp -p ${dhclientConfiguration} "$new"
grep -vxF ${dhclientLine} ${dhclientConfiguration} >"$new" || [ $? -eq 1 ]
mv "$new" ${dhclientConfiguration}`,
    change: `remove our line from ${dhclientConfiguration}`,
  }),
  withdrawn([networkManagerPath], {afterwards: sh`systemctl try-reload-or-restart NetworkManager.service`}),
  lineBlock('/etc/resolv.conf', {name: 'resolver', lines: []}),
];

/** Ends the server, unless somebody else has it do something. */
const serverEnds = sh`for file in /etc/dnsmasq.d/*; do
  case $file in *'/*' | */README | *.dpkg-*) ;; *) exec systemctl try-restart dnsmasq.service ;; esac
done
if grep -E '^[^#[:space:]]' /etc/dnsmasq.conf 2>/dev/null | grep -qv '^conf-dir='; then exec systemctl try-restart dnsmasq.service; fi
systemctl disable --now dnsmasq.service`;

/**
 * No server of ours answers, and nobody on the host asks one: for an uninstallation, and where the site's own DNS answers now.
 * The host asks others before our server ends, so that it finds names all the way.
 */
export const noOwnServer: readonly Resource[] = [
  ...resolverAsBefore,
  withdrawn([configurationPath], {
    afterwards: serverEnds,
    but: 'dnsmasq stops, and starts no more at boot, unless it has other settings',
  }),
];

export const localDnsRemoval: Removal = {
  resources: ({scope, facts}) =>
    scope === 'platform' ? [] : [packagesStay([systemOf(facts).packages.dnsServer]), ...noOwnServer],
};
