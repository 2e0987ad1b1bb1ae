import {lines, type Script, sh} from '../shell/script.ts';

/**
 * The form of the answer, for bash on the host and for facts-sections.ts on this side:
 *
 *     @groundwork-facts 1
 *     @memory 0             a section, with the exit status of what made it
 *     |MemTotal: …          its lines; the bar keeps any text of the host from looking like a header
 *     @end
 *
 * Nothing is written on the host, not even a temporary file, so that a full disk can still be reported. What is slow
 * (asking other programs over a socket) runs beside the rest and is read at the end. A section is cut at 256 KiB and
 * then says so: its last line may be half.
 */
const helpers = sh`
export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
set -f
section() {
  local name=$1 out code kept
  shift
  out=$("$@")
  code=$?
  local IFS=$'\n'
  printf -v kept '%.262144s' "$out"
  if [ "$kept" = "$out" ]; then printf '@%s %s\n' "$name" "$code"; else printf '@%s %s cut\n' "$name" "$code"; fi
  [ -z "$kept" ] || printf '|%s\n' $kept
}
has() { command -v "$1" >/dev/null; }
show() {
  local file line found=1
  for file; do
    [ -r "$file" ] || continue
    found=0
    while IFS= read -r line || [ -n "$line" ]; do printf '%s\n' "$line"; done <"$file"
  done
  return $found
}
value() {
  local first=
  [ -r "$2" ] && IFS= read -r first <"$2"
  [ -z "$first" ] || printf '%s=%s\n' "$1" "$first"
}
flag() {
  local name=$1
  shift
  if "$@"; then printf '%s=yes\n' "$name"; else printf '%s=no\n' "$name"; fi
}`;

const system = sh`
values() {
  printf 'uid=%s\n' "$EUID"
  value kernel /proc/sys/kernel/osrelease
  value hostname /proc/sys/kernel/hostname
  value boot-id /proc/sys/kernel/random/boot_id
  value machine-id /etc/machine-id
  value container /run/systemd/container
  value memory-limit /sys/fs/cgroup/memory.max
  value memory-limit /sys/fs/cgroup/memory/memory.limit_in_bytes
  value deployment /var/lib/groundwork/deployment
  flag systemd [ -d /run/systemd/system ]
  flag practice [ -e /etc/groundwork-practice ]
  flag reboot-required [ -e /run/reboot-required ]
  printf 'arch=%s\n' "$(dpkg --print-architecture || uname -m)"
  printf 'cpus=%s\n' "$(nproc || grep -c '^processor' /proc/cpuinfo)"
  has systemd-detect-virt && printf 'virtualisation=%s\n' "$(systemd-detect-virt)"
}
cloud_init() {
  flag installed has cloud-init
  flag disabled [ -e /run/cloud-init/disabled ]
  flag started [ -e /run/cloud-init/status.json ]
  flag finished [ -e /run/cloud-init/result.json ]
}
features() {
  local kernel=unknown module
  [ -r /proc/sys/kernel/osrelease ] && read -r kernel </proc/sys/kernel/osrelease
  if [ -r "/lib/modules/$kernel/modules.builtin" ]; then
    grep -shoE '(nfsd|wireguard|nf_tables|ip_tables|tun)\.ko' "/lib/modules/$kernel/modules.builtin" "/lib/modules/$kernel/modules.dep"
  elif [ -r /proc/config.gz ]; then
    gzip -dc /proc/config.gz | grep -E '^CONFIG_(NFSD|WIREGUARD|NF_TABLES|IP_NF_IPTABLES|TUN)=y'
  elif [ -r "/boot/config-$kernel" ]; then
    grep -E '^CONFIG_(NFSD|WIREGUARD|NF_TABLES|IP_NF_IPTABLES|TUN)=y' "/boot/config-$kernel"
  fi
  for module in nfsd wireguard nf_tables ip_tables tun; do
    [ -d "/sys/module/$module" ] && printf '%s.ko\n' "$module"
  done
  grep -qsw nfsd /proc/filesystems && printf 'nfsd.ko\n'
  [ -e /proc/net/ip_tables_names ] && printf 'ip_tables.ko\n'
  has wireguard-go && [ -c /dev/net/tun ] && printf 'wireguard-go\n'
  local off=1
  [ -e /proc/net/if_inet6 ] && read -r off </proc/sys/net/ipv6/conf/all/disable_ipv6
  [ "$off" = 0 ] && printf 'ipv6\n'
  return 0
}
apt_lock() {
  local files='/var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock'
  local inodes file fd name waits pid
  inodes=$(stat -c ':%i ' $files)
  [ -n "$inodes" ] || return 0
  set +f
  # 1: POSIX  ADVISORY  WRITE 1234 fd:01:5678 0 EOF; who waits for it has -> in the second place
  grep -F "$inodes" /proc/locks | while read -r _ waits _ _ pid _; do
    [ "$waits" != '->' ] || continue
    for fd in "/proc/$pid/fd"/*; do
      for file in $files; do
        [ "$fd" -ef "$file" ] || continue
        name=
        IFS= read -r name <"/proc/$pid/comm"
        printf '%s %s %s\n' "$pid" "$file" "$name"
        continue 3
      done
    done
  done
  return 0
}
leftovers() {
  local file first
  for file in /var/lib/rancher/rke2 /etc/rancher/rke2 /usr/local/lib/systemd/system/rke2-server.service /usr/local/lib/systemd/system/rke2-agent.service \
    /var/lib/rancher/k3s /etc/rancher/k3s /etc/systemd/system/k3s.service /etc/systemd/system/k3s-agent.service \
    /etc/kubernetes/admin.conf /etc/kubernetes/kubelet.conf /var/snap/microk8s /var/lib/docker \
    /etc/openg2p /etc/systemd/resolved.conf.d/openg2p-dnsmasq.conf; do
    [ -e "$file" ] && printf '%s\n' "$file"
  done
  set +f
  for file in /var/lib/openg2p/deploy-state/*.done /etc/wireguard/*.conf /etc/nginx/sites-enabled/openg2p-* /etc/dnsmasq.d/openg2p*; do
    [ -e "$file" ] || continue
    first=
    IFS= read -r first <"$file"
    case $first in '# Managed by Groundwork'*) ;; *) printf '%s\n' "$file" ;; esac
  done
  return 0
}`;

const storage = sh`
mounts() { timeout 5 df -a -l --block-size=1 --output=fstype,size,avail,itotal,iavail,target; }
devices() { grep -E ' - (ext[234]|xfs|btrfs|vfat|zfs|f2fs) ' /proc/self/mountinfo; }
disks() {
  local name entry number size rotational
  set +f
  cd /sys/block || return
  for name in *; do
    case $name in loop* | ram* | zram* | sr[0-9]* | fd[0-9]* | nbd* | '*') continue ;; esac
    number=- size=0 rotational=-
    [ -r "$name/dev" ] && read -r number <"$name/dev"
    [ -r "$name/size" ] && read -r size <"$name/size"
    [ -r "$name/queue/rotational" ] && read -r rotational <"$name/queue/rotational"
    printf 'disk %s %s %s %s\n' "$name" "$number" "$size" "$rotational"
    for entry in "$name"/slaves/*; do
      [ -e "$entry" ] && printf 'slave %s %s\n' "$name" "$entry"
    done
    for entry in "$name/$name"*; do
      [ -r "$entry/dev" ] && read -r number <"$entry/dev" && printf 'part %s %s %s\n' "$name" "$entry" "$number"
    done
  done
  return 0
}`;

const network = sh`
interfaces_by_hand() {
  local name mac mtu flags
  set +f
  for name in /sys/class/net/*; do
    [ -r "$name/mtu" ] || continue
    mac= mtu=0 flags=0
    read -r mac <"$name/address"
    read -r mtu <"$name/mtu"
    read -r flags <"$name/flags"
    printf '%s %s %s %s\n' "$name" "$mtu" "$flags" "$mac"
  done
}
listeners_by_hand() {
  grep -sH ' 0A ' /proc/net/tcp /proc/net/tcp6
  grep -sH ' 07 ' /proc/net/udp /proc/net/udp6
  set +f
  find /proc/[0-9]*/fd -lname 'socket:*' -printf '%h %l\n'
  grep -s . /proc/[0-9]*/comm
  return 0
}
resolver() {
  local file
  flag resolved [ -e /run/systemd/resolve/resolv.conf ]
  if [ -L /etc/resolv.conf ]; then
    printf 'link=%s\n' "$(readlink /etc/resolv.conf)"
  else
    flag file [ -e /etc/resolv.conf ]
  fi
  for file in /run/systemd/resolve/resolv.conf /etc/resolv.conf /run/NetworkManager/resolv.conf; do
    [ -r "$file" ] && printf 'from=%s\n' "$file" && show "$file"
  done
  set +f
  for file in /var/lib/dhcp/*.leases /etc/dnsmasq.d/*groundwork*.conf; do
    [ -r "$file" ] && printf 'from=%s\n' "$file" && grep -E 'domain-name-servers|^server=' "$file"
  done
  return 0
}
managed_by() {
  set +f
  local file
  for file in /etc/netplan/*.yaml /run/netplan/*.yaml; do [ -e "$file" ] && printf 'netplan\n'; done
  [ -d /run/NetworkManager ] && printf 'NetworkManager\n'
  [ -e /run/systemd/netif/state ] && printf 'systemd-networkd\n'
  grep -shE '^[[:space:]]*iface[[:space:]]' /etc/network/interfaces /etc/network/interfaces.d/* | grep -qvE 'iface[[:space:]]+lo[[:space:]]' && printf 'ifupdown\n'
  return 0
}
ssh_connection() {
  local pid=$$ hops=0 entry key number
  [ -z "$SSH_CONNECTION" ] || { printf '%s\n' "$SSH_CONNECTION"; return; }
  while [ "$pid" -gt 1 ] && [ "$((hops += 1))" -lt 40 ]; do
    while IFS= read -r -d '' entry; do
      case $entry in SSH_CONNECTION=*) printf '%s\n' "$entry"; return ;; esac
    done <"/proc/$pid/environ"
    while read -r key number _; do
      [ "$key" != PPid: ] || break
    done <"/proc/$pid/status"
    [ "$key" = PPid: ] || return 1
    pid=$number
  done
}`;

/** What asks another program and may wait for it; runs beside the rest. */
const slow = sh`
time_state() {
  local services='chrony systemd-timesyncd ntpsec ntp openntpd'
  printf 'services=%s\n' "$services"
  printf 'states=%s\n' "$(printf '%s ' $(timeout 3 systemctl is-active $services))"
  has chronyc && printf 'tracking=%s\n' "$(timeout 2 chronyc -n -c tracking)"
  if [ -e /run/systemd/timesync/synchronized ]; then
    printf 'timesyncd=yes\n'
  elif has timedatectl; then
    printf 'kernel=%s\n' "$(timeout 3 timedatectl show -p NTPSynchronized --value)"
  fi
}
hostname_resolves() {
  local name= word
  read -r name </proc/sys/kernel/hostname
  while read -r _ word; do
    case " $word " in *[[:space:]]"$name"[[:space:]]*) printf 'yes\n'; return ;; esac
  done </etc/hosts
  timeout 2 getent hosts "$name" >/dev/null && printf 'yes\n'
}
proxies() {
  {
    grep -shiE '^[[:space:]]*(export[[:space:]]+)?(http|https|no)_proxy=' /etc/environment
    apt-config dump Acquire::http::Proxy
  } | sed -E 's#//[^/@"]*@#//***@#'
}
later() { cat <&"$1"; }
exec 7< <(time_state) 8< <(hostname_resolves) 9< <(proxies)`;

/** Connects to every server that apt installs from, or to the proxy in front of them; at most 5 seconds. */
const sources = sh`
try() {
  local name=$1 host=$2 port=$3
  if timeout 4 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$host" "$port" </dev/null; then
    printf 'yes %s\n' "$name"
  else
    printf 'no %s\n' "$name"
  fi
}
package_sources() {
  [ ! -e /etc/groundwork-practice ] || { printf 'practice\n'; return; }
  local site authority host port scheme settings proxy count=0
  settings=$(apt-config dump Acquire::http)
  case $settings in *Proxy-Auto-Detect*) printf 'other a proxy that is detected anew each time\n'; return ;; esac
  proxy=$(sed -nE 's#^Acquire::http::Proxy "([^"]+)";#\1#p' <<<"$settings")
  case $proxy in http*://*) printf 'proxy\n'; set -- "$proxy" ;; *) set -- $(apt-get update --print-uris | sed -nE "s#^'([a-z+]+:/*[^/']+).*#\1#p" | sort -u) ;; esac
  for site; do
    [ "$((count += 1))" -le 12 ] || break
    scheme=$(printf '%s' "$site" | cut -d: -f1)
    case $scheme in
      http) port=80 ;;
      https) port=443 ;;
      file | copy | cdrom) printf 'local %s\n' "$site"; continue ;;
      *) printf 'other %s\n' "$site"; continue ;;
    esac
    authority=$(printf '%s' "$site" | cut -d/ -f3)
    host=$(printf '%s' "$authority" | sed -E 's#^.*@##; s#:[0-9]+$##; s#^\[(.*)\]$#\1#')
    case $authority in *:[0-9]*) case $authority in *]) ;; *) port=$(printf '%s' "$authority" | sed -E 's#^.*:##') ;; esac ;; esac
    try "$scheme://$host:$port" "$host" "$port" &
  done
  wait
}
exec 6< <(package_sources)`;

const answer = sh`
printf '@groundwork-facts 1\n'
section values values
section os show /etc/os-release
section memory show /proc/meminfo
section swaps show /proc/swaps
section disks disks
section devices devices
section mounts mounts
if has ip; then
  section addresses ip -j address
  section routes4 ip -j -4 route show table main
  section routes6 ip -j -6 route show table main
else
  section interfaces interfaces_by_hand
  section fib show /proc/net/fib_trie
  section inet6 show /proc/net/if_inet6
  section route show /proc/net/route
fi
if has ss; then section listeners ss -H -lntup; else section sockets listeners_by_hand; fi
section resolver resolver
section managed-by managed_by
section ssh ssh_connection
section apt-lock apt_lock
section cloud-init cloud_init
section cloud-init-result show /run/cloud-init/result.json
section features features
section leftovers leftovers
section hostname later 8
section proxies later 9
section time later 7`;

const end = sh`
section clock printf '%(%s)T\n' -1
printf '@end\n'`;

const assemble = (before: readonly Script[], after: readonly Script[]): Script =>
  lines(sh`{`, helpers, system, storage, network, slow, ...before, answer, ...after, end, sh`} </dev/null 2>/dev/null`);

/**
 * Everything about a host in one round trip, in about 0.1 seconds: read-only, for bash as root on any supported system,
 * also a minimal one. Never touches the network beyond what resolving its own hostname takes.
 */
export const factsScript: Script = assemble([], []);

/** The same, and whether packages can be fetched: up to 5 seconds where the network is dead. For preflight. */
export const inspectionScript: Script = assemble([sources], [sh`section sources later 6`]);
