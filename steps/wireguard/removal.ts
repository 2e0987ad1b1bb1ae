import type {Removal} from '../../source/engine/removal.ts';
import {command} from '../../source/resources/command.ts';
import {type Resource, resource, script} from '../../source/resources/resource.ts';
import {service} from '../../source/resources/service.ts';
import {packagesStay} from '../../source/resources/stays.ts';
import {sysctlPath} from '../../source/resources/sysctl.ts';
import {treeAbsent} from '../../source/resources/tree.ts';
import {withdrawn} from '../../source/resources/withdrawn.ts';
import {ok} from '../../source/result.ts';
import {lines, sh} from '../../source/shell/script.ts';
import {systemOf} from '../shared/deployment.ts';
import {keysDirectory} from './configuration.ts';
import {closeStale, staleInterfaces} from './interfaces.ts';
import {chain, rulesPath, unitName, unitPath} from './translation.ts';

const noVpn: Resource = resource<readonly string[]>({
  id: 'no VPN',
  doing: 'closing the VPNs',
  probe: lines(staleInterfaces([]), sh`stale`),
  read: ({stdout}) => ok(stdout.split('\n').filter(name => name !== '')),
  diff: names => names.map(name => ({summary: `close VPN ${name}: its devices get in no more`})),
  apply: () => script(lines(staleInterfaces([]), closeStale)),
});

const noTranslation = command({
  id: 'no address translation of the VPN',
  doing: 'taking the VPN’s address translation away',
  unless: sh`! command -v iptables >/dev/null || ! iptables -w -t nat -S ${chain} >/dev/null 2>&1`,
  script: sh`while iptables -w -t nat -D POSTROUTING -j ${chain} 2>/dev/null; do :; done
iptables -w -t nat -F ${chain} && iptables -w -t nat -X ${chain}`,
  change: `remove the chain ${chain} of the nat table`,
});

export const wireguardRemoval: Removal = {
  resources: ({scope, facts}) => {
    if (scope === 'platform') return [];
    const {wireguard, wireguardUserspace} = systemOf(facts).packages;
    return [
      packagesStay([wireguard, wireguardUserspace]),
      noVpn,
      service(unitName, {enabled: false, running: false}),
      noTranslation,
      withdrawn([unitPath, rulesPath], {afterwards: sh`systemctl daemon-reload`}),
      withdrawn([sysctlPath('wireguard')], {but: 'the machine forwards packets until its next start'}),
      treeAbsent(keysDirectory),
    ];
  },
};
