import type {Facts} from '../../source/hosts/facts.ts';
import {command} from '../../source/resources/command.ts';
import {lineBlock} from '../../source/resources/line-block.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {sh} from '../../source/shell/script.ts';
import {configurationPath, resolvedPath, resolverOf} from './configuration.ts';

/**
 * Takes back what an earlier state of the deployment, with a DNS server of ours, has left on the proxy: nobody may go on
 * getting answers from it. The package stays, and so does a dnsmasq that somebody else has given settings.
 */
export const noFormerServer = (facts: Pick<Facts, 'resolver'>): readonly Resource[] => [
  ...(resolverOf(facts) === 'file' ? [lineBlock('/etc/resolv.conf', {name: 'resolver', lines: []})] : []),
  command({
    id: 'DNS server of ours that is not wanted any more',
    doing: 'closing the DNS server of ours, for the site’s own answers',
    unless: sh`[ ! -e ${configurationPath} ] && [ ! -e ${resolvedPath} ]`,
    script: sh`set -e
if [ -e ${resolvedPath} ]; then
  rm -f ${resolvedPath}
  systemctl restart systemd-resolved.service
fi
if [ -e ${configurationPath} ]; then
  rm -f ${configurationPath}
  if ls /etc/dnsmasq.d/*.conf >/dev/null 2>&1; then
    systemctl restart dnsmasq.service
  else
    systemctl disable --now dnsmasq.service
  fi
fi`,
    change: 'close the DNS server of ours',
  }),
];
