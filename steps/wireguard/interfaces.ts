import {type Script, sh} from '../../source/shell/script.ts';
import {managedNote} from '../shared/config-text.ts';
import type {Vpn} from '../shared/deployment.ts';
import {configurationPath} from './configuration.ts';

/** The function `stale`: prints the interfaces that were written by us, one a line, but for those that are wanted. */
export const staleInterfaces = (wanted: readonly Vpn[]): Script => sh`stale() {
  for file in /etc/wireguard/wg*.conf; do
    [ -e "$file" ] && head -n 1 "$file" | grep -qxF ${managedNote} || continue
    case " "${wanted.map(configurationPath).join(' ')}" " in *" $file "*) continue ;; esac
    basename "$file" .conf
  done
}`;

/** Closes those that `stale` prints. The file goes last: what was cut off before is found again by it. */
export const closeStale: Script = sh`for name in $(stale); do
  systemctl disable --now "wg-quick@$name.service" || exit
  rm -rf "/etc/systemd/system/wg-quick@$name.service.d"
  rm -f "/etc/wireguard/$name.conf"
done
systemctl daemon-reload`;
