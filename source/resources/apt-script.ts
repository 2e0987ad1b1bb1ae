import {lines, type Script, sh} from '../shell/script.ts';

/** Seconds to wait until somebody else's apt or dpkg has ended: a first unattended upgrade after boot takes minutes. */
const lockSeconds = 900;

/** Minutes after which package lists count as old: a mirror forgets a replaced version within days. */
const listMinutes = 24 * 60;

/**
 * Nothing asks, nothing is restarted by needrestart, and nothing depends on the language. `log` holds the output of the
 * last command that ran through `logged`.
 */
export const aptEnvironment: Script = lines(
  sh`set -o pipefail; umask 022`,
  sh`export LC_ALL=C DEBIAN_FRONTEND=noninteractive DEBIAN_PRIORITY=critical APT_LISTCHANGES_FRONTEND=none`,
  sh`export NEEDRESTART_SUSPEND=1 NEEDRESTART_MODE=l`,
  sh`policy=/usr/sbin/policy-rc.d`,
  sh`log=$(mktemp) || exit`,
  sh`forget_policy() { if grep -qs '^# groundwork' "$policy"; then rm -f "$policy"; fi; }`,
  sh`trap 'rm -f "$log"; forget_policy' EXIT`,
  sh`logged() { "$@" </dev/null 2>&1 | tee "$log"; }`,
  sh`apt() {
  apt-get --quiet --assume-yes -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 \
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}`,
);

/** Says in a sentence what the last output means, where that is known, as the last line of what is printed. */
export const explain: Script = sh`says() { grep -qi -e "$1" "$log"; }
explain() {
  if says 'no space left on device' || says 'enough free space'; then
    df -h / /var /var/cache/apt/archives
    echo 'the disk of the host is full'
  elif says 'could not get lock' || says 'unable to acquire the dpkg'; then echo 'another program holds the lock of the package system'
  elif says 'temporary failure resolving' || says 'could not resolve'; then echo 'the host cannot resolve the name of a package mirror'
  elif says '404  *not found' || says 'hash sum mismatch'; then echo 'a package mirror does not have what its own list names: it is being updated, or incomplete'
  elif says 'no_pubkey' || says 'is not signed'; then echo 'a package source is not signed with a key that the host knows'
  elif says 'could not connect' || says 'connection timed out' || says 'network is unreachable' || says 'failed to fetch'; then
    echo 'a package mirror cannot be reached from the host'
  elif says 'unmet dependencies' || says 'held broken packages'; then echo 'packages on the host stand in the way: their dependencies cannot be met together'
  fi >&2
}`;

/** Waits until nobody holds a lock of apt or dpkg, and says who does. */
export const waitForLocks: Script = sh`holder() {
  for lock in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock; do
    [ -e "$lock" ] || continue
    inode=$(stat -c %i "$lock")
    for pid in $(awk -v inode="$inode" '$2 != "->" { split($6, id, ":"); if (id[3] == inode) print $5 }' /proc/locks 2>/dev/null); do
      for open in "/proc/$pid/fd/"*; do
        [ "$open" -ef "$lock" ] || continue
        echo "process $pid ($(tr '\0\n' '  ' <"/proc/$pid/cmdline" | cut -c -100)) holds $lock"
        return 0
      done
    done
  done
  return 1
}
waited=0
said=
while who=$(holder); do
  if [ "$waited" -ge ${lockSeconds} ]; then
    echo "could not get lock of the package system in ${lockSeconds} s: $who" >&2
    exit 100
  fi
  if [ "$who" != "$said" ] || [ $((waited % 30)) -eq 0 ]; then echo "waiting: $who"; fi
  said=$who
  sleep 2
  waited=$((waited + 2))
done
# What a run that was killed left behind; nobody else installs now.
forget_policy`;

/**
 * Lets no package start its services while this script runs. The policy names the script's own process and the time that
 * began, so that one that outlives its script (a kill, a power cut) forbids nothing any more.
 */
export const withoutStartingServices: Script = sh`if [ -e "$policy" ]; then
  echo "$policy is there and not ours: it decides whether services are started"
else
  since=$(cut -d ' ' -f 22 "/proc/$$/stat")
  cat >"$policy.new" <<END_OF_POLICY
#!/bin/sh
# groundwork: while process $$ installs packages, their services are not started.
[ "\$(cut -d ' ' -f 22 /proc/$$/stat 2>/dev/null)" = "$since" ] && exit 101
exit 0
END_OF_POLICY
  chmod 0755 "$policy.new" && mv -fT "$policy.new" "$policy" || exit
fi`;

/** Reads the package lists again where they are old or do not know a package, and stops when no source has one. */
export const ensureCandidates = (packages: readonly string[]): Script => sh`unknown() {
  for name in ${packages}; do
    # Not grep -q: it stops reading, apt-cache then dies of it, and with pipefail that counts as "unknown".
    apt-cache policy "$name" 2>/dev/null | grep '^ *Candidate: [^(]' >/dev/null || echo "$name"
  done
}
update() { logged apt -o APT::Update::Error-Mode=any update; }
if [ -z "$(find /var/lib/apt/lists/partial -maxdepth 0 -mmin ${-listMinutes} 2>/dev/null)" ] || [ -n "$(unknown)" ]; then
  if ! update; then
    if [ -n "$(unknown)" ]; then explain; exit 100; fi
    echo 'not every package list could be read again; going on, because each package is known'
  fi
fi
missing=$(unknown)
if [ -n "$missing" ]; then
  echo "has no installation candidate in the package sources of the host:" $missing >&2
  exit 100
fi`;

/** Finishes what was interrupted, then installs; once more with new lists where the mirror has moved on. */
export const installing = (
  packages: readonly string[],
): Script => sh`if [ -n "$(dpkg --audit 2>&1)" ] || [ -n "$(ls /var/lib/dpkg/updates 2>/dev/null)" ]; then
  echo 'finishing an interrupted installation'
  logged dpkg --configure -a --force-confdef --force-confold
  apt check >/dev/null 2>&1 || logged apt --no-install-recommends --fix-broken install
fi
install() { logged apt --no-install-recommends --no-upgrade install ${packages}; }
install && exit 0
if says '404  *not found' || says 'hash sum mismatch'; then
  echo 'reading the package lists again'
  update && install && exit 0
fi
explain
exit 100`;
