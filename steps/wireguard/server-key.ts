import {type Definition, resource, script} from '../../source/resources/resource.ts';
import {ok} from '../../source/result.ts';
import {sh} from '../../source/shell/script.ts';
import type {Vpn} from '../shared/deployment.ts';
import {keyPath} from './configuration.ts';

/** Under what name the server's public key is found by what needs it. */
export const publicKeyProduct = (channel: Pick<Vpn, 'name'>): string => `wireguard.${channel.name}.public-key`;

type KeyState = {readonly exists: boolean; readonly mode: string; readonly publicKey: string | undefined};

/** The server's private key, made on the host and never sent; its public half is a product. */
export const serverKey = (vpn: Vpn) => {
  const path = keyPath(vpn);
  return resource<KeyState>({
    id: `wireguard key ${path}`,
    doing: `making the key of VPN ${vpn.name}`,
    probe: sh`if [ -s ${path} ]; then
  stat -c 'exists %a %U:%G' ${path}
  if command -v wg >/dev/null; then wg pubkey <${path}; fi
fi`,
    read: ({stdout}) => {
      const [first = '', publicKey] = stdout.trim().split('\n');
      const [exists, ...mode] = first.split(' ');
      const valid = publicKey !== undefined && /^[A-Za-z0-9+/]{43}=$/.test(publicKey);
      return ok({exists: exists === 'exists', mode: mode.join(' '), publicKey: valid ? publicKey : undefined});
    },
    diff: ({exists, mode, publicKey}) => {
      if (!exists) return [{summary: 'make a private key on the host'}];
      // Not readable as a key although WireGuard is there: damaged. Without WireGuard, this comes round again.
      if (publicKey === undefined) return [{summary: 'make sure that the private key is one'}];
      return mode === '600 root:root' ? [] : [{summary: `owner and mode ${mode} → 600 root:root`}];
    },
    products: ({publicKey}) => (publicKey === undefined ? {} : {[publicKeyProduct(vpn)]: publicKey}),
    apply: () =>
      script(sh`set -e
umask 077
if ! wg pubkey <${path} >/dev/null 2>&1; then
  wg genkey >${`${path}.new`}
  wg pubkey <${`${path}.new`} >/dev/null
  mv ${`${path}.new`} ${path}
fi
chown root:root ${path}
chmod 600 ${path}`),
  } satisfies Definition<KeyState>);
};
