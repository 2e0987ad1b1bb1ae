import {describe, expect, it} from 'vitest';
import {steps} from '../../steps/index.ts';

/** What real tools print, and which known failure it is. */
const known: readonly (readonly [step: string, printed: string, remedy: string])[] = [
  [
    'host-baseline',
    'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1234 (unattended-upgr)',
    'apt-lock',
  ],
  ['host-baseline', "Temporary failure resolving 'deb.debian.org'", 'apt-resolve'],
  ['nginx', 'E: Unable to locate package nginx', 'apt-missing'],
  ['nginx', 'E: Failed to fetch http://deb.debian.org/x.deb  404  Not Found [IP: 151.101.2.132 80]', 'apt-connect'],
  ['nginx', 'E: Failed to write: No space left on device', 'disk-full'],
  ['host-baseline', 'swapoff: /swap.img: swapoff failed: Operation not permitted', 'swapoff-refused'],
  ['host-baseline', 'swapoff: /swap.img: swapoff failed: Cannot allocate memory', 'swapoff-memory'],
  ['host-baseline', '506 Cannot talk to daemon', 'clock-no-daemon'],
  ['firewall', 'No new connection came through the changed firewall. The host puts it back.', 'firewall-rolled-back'],
  ['wireguard', 'RTNETLINK answers: Address already in use', 'wireguard-port'],
  ['wireguard', "wg-quick: `wg0' already exists", 'wireguard-exists'],
  ['wireguard', 'ERROR: (wg0) failed to create TUN device: /dev/net/tun does not exist', 'wireguard-tun'],
  ['local-dns', 'dnsmasq: failed to create listening socket for 10.0.0.11: Address already in use', 'dns-port'],
  [
    'local-dns',
    'dnsmasq: failed to create listening socket for 10.0.0.11: Cannot assign requested address',
    'dns-address',
  ],
  ['nginx', 'nginx: [emerg] bind() to 0.0.0.0:443 failed (98: Address already in use)', 'nginx-port'],
  ['nginx', 'nginx: [emerg] a duplicate default server for 0.0.0.0:80 in /etc/nginx/x:3', 'nginx-default-server'],
  ['nginx', 'nginx: [emerg] unknown directive "foo" in /etc/nginx/conf.d/x.conf:1', 'nginx-configuration'],
  ['certificates', 'The certificate cannot be issued: the authority may not issue for x.example.org.', 'domains'],
  ['nfs-server', "mount: unknown filesystem type 'nfsd'", 'nfs-kernel'],
  ['nfs-server', 'exportfs: /srv/nfs/demo does not support NFS export', 'nfs-export-unsupported'],
  ['nfs-server', 'Failed to mount nfs share : nfs_service failed', 'nfs-refused'],
];

describe('a known failure', () => {
  it.each(known)('of %s is recognised: %s', (id, printed, remedy) => {
    const found = steps.find(step => step.id === id)?.remedies?.find(({match}) => match.test(printed));
    expect(found?.id).toBe(remedy);
  });

  it('is explained in sentences, with something to do', () => {
    for (const {remedies = []} of steps) {
      expect(new Set(remedies.map(({id}) => id)).size).toBe(remedies.length);
      for (const {cause, remedy} of remedies) for (const text of [cause, remedy]) expect(text).toMatch(/^\S.*\.$/s);
    }
  });
});
