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
  ['storage-class', 'mount.nfs: access denied by server while mounting 10.0.0.11:/srv/nfs/demo', 'nfs-mount-refused'],
  ['storage-class', 'mount.nfs: Connection timed out', 'nfs-mount-silent'],
  ['storage-class', 'the claim stays Pending: no volume came in 120 s', 'claim-pending-proof'],
  ['coredns', 'waited 300 s in vain for RKE2 to give CoreDNS the domain openg2p.test', 'coredns-settings'],
  [
    'istio',
    'Service "istio-ingressgateway" is invalid: spec.ports[1].nodePort: Invalid value: 30080: provided port is already allocated',
    'node-port-taken',
  ],
  ['istio', "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.", 'gateway-unlabelled'],
  ['rancher', 'waited 600 s in vain for Rancher to know its own cluster and to have its catalogue', 'rancher-cluster'],
  ['rancher', 'Error: chart requires kubeVersion: < 1.37.0-0 which is incompatible', 'rancher-kubernetes'],
  [
    'rancher',
    'Error: Unable to continue with install: ServiceAccount "rancher" in namespace "cattle-system" exists and cannot be imported into the current release',
    'rancher-owned',
  ],
  ['rancher', 'expected pong, got 404 page not found', 'rancher-not-pong'],
  ['monitoring', '1 node(s) had volume node affinity conflict', 'measurements-elsewhere'],
  ['monitoring', 'Error: ✗ failed to check table existence: database is locked', 'grafana-locked'],
  ['logging', 'api error SignatureDoesNotMatch: The request signature we calculated does not match', 'store-password'],
  ['logging', 'spec.resources.requests.storage: Forbidden: field can not be less than previous value', 'store-smaller'],
  ['logging', "mkdir: cannot create directory '/data/chunks': Permission denied", 'store-permission'],
  ['logging', 'failed parsing config: /etc/loki/config/config.yaml: yaml: unmarshal errors', 'loki-configuration'],
  ['logging', 'error decoding \'exporters\': unknown type: "otlp_http" for id', 'collector-configuration'],
  ['logging', 'violates PodSecurity "restricted:latest": hostPath volumes', 'pod-security'],
  [
    'kubernetes-tools',
    '/usr/local/bin/.groundwork-helm: cannot execute binary file: Exec format error',
    'tools-architecture',
  ],
  ['kubernetes-tools', 'what was downloaded as helm v3.20.2 says that it is "v3.17.3"', 'tools-version'],
  [
    'rke2',
    'level=fatal msg="starting kubernetes: preparing server: bootstrap data already found and encrypted with different token"',
    'rke2-token',
  ],
  ['rke2', 'listen tcp :9345: bind: address already in use', 'rke2-port'],
  ['rke2', 'level=fatal msg="missing required user: unknown user etcd"', 'rke2-cis'],
  ['rke2', 'invalid kernel parameter value vm.overcommit_memory=0 - expected 1', 'rke2-cis'],
  ['rke2', 'this kernel has no module br_netfilter', 'rke2-module'],
  [
    'rke2',
    'node sandbox-1 is NotReady: container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized',
    'rke2-network',
  ],
  ['rke2', 'pods that are not ready: rke2-canal-x7k2p (ImagePullBackOff)', 'rke2-images'],
  ['rke2', 'pods that are not ready: rke2-coredns-rke2-coredns-5f6b-2xk (CrashLoopBackOff)', 'rke2-dns-loop'],
  ['rke2', 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid', 'rke2-certificate'],
  ['rke2', 'write /var/lib/rancher/rke2/agent/x: no space left on device', 'rke2-disk'],
  ['rke2', 'rke2-server.service ends and is started again and again', 'rke2-restarts'],
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
