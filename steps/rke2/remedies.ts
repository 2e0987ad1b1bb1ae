import type {Remedy} from '../../source/engine/step.ts';

export const rke2Remedies: readonly Remedy[] = [
  {
    id: 'rke2-stranger',
    match: /there is another Kubernetes on this host/,
    cause: 'Two Kubernetes on one machine take each other’s ports, network and containers.',
    remedy:
      'Use a fresh machine. Or take the other one away with its own uninstaller (k3s-uninstall.sh, `kubeadm reset`, `snap remove microk8s`, rke2-uninstall.sh), restart the host, then retry.',
  },
  {
    id: 'rke2-token',
    match:
      /made with another token|whose token cannot be found|bootstrap data already found and encrypted with different token/i,
    cause:
      'A cluster of another deployment, or of an earlier vault, is on this disk. Its state can be read with its own token only.',
    remedy:
      'To keep that cluster: `groundwork secrets set NAME rke2-token` with its token (on the host: the part after the last colon in /var/lib/rancher/rke2/server/token). To give it up with all that is in it: `sudo /usr/local/bin/rke2-uninstall.sh` on the host. Then retry.',
  },
  {
    id: 'rke2-downgrade',
    match: /newer than .* of this deployment/,
    cause: 'The state of a cluster that a newer Kubernetes has written cannot be read by an older one.',
    remedy: 'Choose a set of versions whose RKE2 is at least as new (Components, or `components.kubernetes.versions`).',
  },
  {
    id: 'rke2-minor',
    match: /minor versions later; a cluster goes one at a time/,
    cause: 'Kubernetes supports an upgrade to the next minor version only.',
    remedy: 'Install the versions between one after the other, each with its own set of versions, then retry.',
  },
  {
    id: 'rke2-settings',
    match: /made with other settings, which cannot be changed later/,
    cause: 'The name of the node and the networks of pods and services are part of the cluster’s state.',
    remedy: 'Set the deployment back to what the cluster was made with, or use a fresh machine for the new settings.',
  },
  {
    id: 'rke2-port',
    match: /(:6443|:9345|:2379|:2380|:10250)[^\n]*address already in use/i,
    cause: 'Another program listens on a port that the cluster needs (6443, 9345, 2379, 2380 or 10250).',
    remedy: 'See which with `sudo ss -tlpn`; stop and disable it, then retry.',
  },
  {
    id: 'rke2-disk',
    match: /no space left on device|disk ?pressure/i,
    cause: 'The disk of the host is full, or so full that the kubelet throws pods out.',
    remedy: 'Look with `df -h /var/lib/rancher /var/lib/kubelet`; make room, at least 20 %, then retry.',
  },
  {
    id: 'rke2-cis',
    match: /missing required (user|group): |invalid kernel parameter value/i,
    cause: 'The CIS profile wants kernel settings and the account etcd, and something set them back.',
    remedy:
      'Compare `sysctl vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops` with /etc/sysctl.d/60-groundwork-rke2-cis.conf; another file of /etc/sysctl.d may win. Then retry.',
  },
  {
    id: 'rke2-module',
    match: /this kernel has no module (br_netfilter|overlay)|modprobe: .*(br_netfilter|overlay)/i,
    cause: 'The kernel of the host lacks what containers and their network are made of.',
    remedy:
      'Restart the host if its kernel was updated since it booted (its modules are gone from the disk then). Minimal cloud kernels need the package linux-modules-extra-$(uname -r).',
  },
  {
    id: 'rke2-network-manager',
    match: /nm-cloud-setup/i,
    cause: 'nm-cloud-setup rewrites the routes that the network of the pods needs, so RKE2 refuses to start.',
    remedy:
      'Run `sudo systemctl disable --now nm-cloud-setup.service nm-cloud-setup.timer`, restart the host, then retry.',
  },
  {
    id: 'rke2-images',
    match: /ImagePull|ErrImage|failed to (pull|resolve) (image|reference)|failed to get runtime image/i,
    cause: 'A container image is neither among those that were brought along nor to be had from the registries.',
    remedy:
      'Check the way to the registry from the host (proxy, `components.kubernetes.registry`, its password in the vault, its certificate), and that the images of the same version lie in /var/lib/rancher/rke2/agent/images.',
    transient: true,
  },
  {
    id: 'rke2-certificate',
    match: /x509: certificate (has expired|is not yet valid|.*not valid)/i,
    cause: 'The clock of the host is wrong, or the cluster’s certificates have run out: the host was off for a year.',
    remedy:
      'Compare `date` with the right time. If the certificates have expired: `sudo rke2 certificate rotate` with rke2-server stopped, then retry.',
  },
  {
    id: 'rke2-node-password',
    match: /node password rejected|duplicate hostname/i,
    cause: 'The cluster knows a node of this name with another password: the machine was made anew under an old name.',
    remedy:
      'Delete the secret NAME.node-password.rke2 in kube-system, or give the machine a name of its own, then retry.',
  },
  {
    id: 'rke2-etcd-slow',
    match: /etcdserver: request timed out|took too long|failed to send out heartbeat|etcdserver: leader changed/i,
    cause: 'The disk answers too slowly for etcd, which writes every change before it answers (it wants below 10 ms).',
    remedy: 'Put /var/lib/rancher on an SSD that is not shared with busy neighbours, then retry.',
    transient: true,
  },
  {
    id: 'rke2-dns-loop',
    match: /rke2-coredns[^\n]*CrashLoopBackOff|Loop \(.*\) detected for zone/i,
    cause: 'CoreDNS asks itself: the host’s resolver file names the host’s own DNS server, which asks CoreDNS in turn.',
    remedy:
      'See `kubectl -n kube-system logs deployment/rke2-coredns-rke2-coredns`; name upstreams under DNS in Components that are not this host, then retry.',
  },
  {
    id: 'rke2-network',
    match: /network plugin is not ready|cni plugin not initialized|NetworkPluginNotReady/i,
    cause: 'The network of the pods (Canal) does not come up, so the node cannot become ready.',
    remedy:
      'Look at its pods with `kubectl -n kube-system get pods` and `kubectl -n kube-system logs daemonset/rke2-canal --all-containers --tail=20` on the host.',
  },
  {
    id: 'rke2-restarts',
    match: /rke2-server\.service ends and is started again and again|rke2-server\.service ended while it started/,
    cause: 'RKE2 ends by itself soon after it was started; its last lines above say why.',
    remedy:
      'Read `sudo journalctl -u rke2-server -n 100` on the host, and /var/lib/rancher/rke2/agent/logs/kubelet.log. Memory that is too small shows in `dmesg | grep -i oom`.',
  },
];
