import {posix} from 'node:path';
import {lines, type Script, sh} from '../shell/script.ts';

/**
 * A change of the firewall that undoes itself: before anything is changed, what is there is copied away and a timer
 * of the host is set that puts it back. Only a connection made after the change takes the timer away. So no rule,
 * ours or somebody else's, can lock the installer out for longer than the timer runs, and no crash in between can.
 */
const before = '/var/lib/groundwork/firewall-before';
const unit = 'groundwork-firewall-rollback';

/**
 * What was there before our first change, for those who take the firewall away again. Written anew as long as no rule of
 * ours is there, since somebody else may change what is; never once one is.
 */
const original = '/var/lib/groundwork/firewall-original';

/** `comment=groundwork…` as ufw writes it, in hexadecimal: with a rule of ours, what is there is no original. */
const oursInHex = `comment=${Buffer.from('groundwork').toString('hex')}`;

const hasOurs = sh`grep -qF ${oursInHex} /etc/ufw/user.rules /etc/ufw/user6.rules 2>/dev/null`;

const settingsOf = sh`grep -hE '^(ENABLED|IPV6|DEFAULT_(INPUT|OUTPUT|FORWARD)_POLICY)=' /etc/ufw/ufw.conf /etc/default/ufw 2>/dev/null`;

const remember: Script = sh`if ! ${hasOurs}; then
  ${settingsOf} >${`${original}.new`} && mv -T ${`${original}.new`} ${original} || exit
fi`;

/** Runs on the host without us. Its argument is the token of the change that it was set for. */
const rollback = `#!/bin/bash
# Puts the firewall back as it was before a change that nobody confirmed.
exec 9>/run/groundwork-firewall.lock
flock 9
before=${before}
[ "$(cat "$before/token" 2>/dev/null)" = "$1" ] || exit 0
[ -e "$before/active" ] || ufw --force disable
cp -a "$before/ufw/." /etc/ufw/
cp -a "$before/defaults" /etc/default/ufw
if [ -e "$before/active" ]; then ufw --force enable && ufw reload; fi
${hasOurs.text} || rm -f ${original}
rm -rf "$before.done"
mv -T "$before" "$before.done"
rm -rf "$before.done"
logger -t groundwork 'the changed firewall was not confirmed; the former one is back' || :
`;

/** Copies the present state away, unless an earlier change was not confirmed: then its copy is the one to go back to. */
const keep: Script = sh`exec 9>/run/groundwork-firewall.lock
flock 9
before=${before}
mkdir -p ${posix.dirname(original)}
${remember}
if [ ! -d "$before" ]; then
  rm -rf "$before.new" && mkdir -p "$before.new" && chmod 0700 "$before.new" || exit
  cp -a /etc/ufw "$before.new/ufw" && cp -a /etc/default/ufw "$before.new/defaults" || exit
  if LC_ALL=C ufw status | grep -q '^Status: active'; then : >"$before.new/active"; fi
  printf '%s' ${rollback} >"$before.new/rollback" || exit
  sync
  mv -T "$before.new" "$before" || exit
fi`;

const disarm: Script = sh`if [ -d /run/systemd/system ]; then systemctl stop ${unit}.timer 2>/dev/null; fi`;

/** The token makes an older timer that still runs do nothing. */
const arm = (seconds: number): Script => sh`token=$$-$(date +%s%N)
echo "$token" >"$before/token" || exit
${disarm}
if [ -d /run/systemd/system ]; then
  systemd-run --quiet --collect --unit="${unit}" --on-active=${seconds} --timer-property=AccuracySec=100ms \
    /bin/bash "$before/rollback" "$token" || exit
else
  setsid bash -c 'sleep "$1"; exec bash "$2" "$3"' rollback ${seconds} "$before/rollback" "$token" >/dev/null 2>&1 </dev/null 9>&- &
fi
flock -u 9
exec 9>&-`;

/** Changes under the timer. Each command runs only while the timer does; the first that fails has everything put back. */
export const changeUnderTimer = (commands: readonly Script[], seconds: number): Script =>
  lines(
    sh`command -v ufw >/dev/null || { echo 'ufw is not installed on the host' >&2; exit 1; }`,
    keep,
    arm(seconds),
    sh`change() {
  [ "$(cat "$before/token" 2>/dev/null)" = "$token" ] || { echo 'this took too long, and the former firewall is back' >&2; exit 1; }
  LC_ALL=C "$@" && return
  echo "this could not be done, and the former firewall is put back: $*" >&2
  bash "$before/rollback" "$token" >&2
  ${disarm}
  exit 1
}`,
    ...commands.map(command => sh`change ${command}`),
  );

/** Takes the timer away. Fails when it has run. */
export const confirmChange: Script = lines(
  sh`exec 9>/run/groundwork-firewall.lock`,
  sh`flock 9`,
  sh`before=${before}`,
  sh`[ -d "$before" ] || { echo 'the host has put its former firewall back already' >&2; exit 1; }`,
  sh`rm -rf "$before.done" && mv -T "$before" "$before.done" || exit`,
  disarm,
  sh`rm -rf "$before.done"`,
);

export const markers = {
  settings: '=== settings',
  rules: '=== rules',
  now: '=== now',
  original: '=== original',
} as const;

/** Also says what was there before the first change, as far as that was written down. */
export const probeOriginal: Script = sh`echo ${markers.original}
cat ${original} 2>/dev/null || :`;

/** Everything that ufw has been told, from its own files, so that it also works while the firewall is off. */
export const probeFirewall: Script = sh`echo ${markers.settings}
${settingsOf}
echo ${markers.rules}
grep -hF '### tuple ###' /etc/ufw/user.rules /etc/ufw/user6.rules 2>/dev/null
echo ${markers.now}
if command -v ufw >/dev/null; then
  echo installed
  LC_ALL=C ufw status 2>/dev/null | head -n 1
fi
if [ -e /proc/net/if_inet6 ]; then echo ipv6; fi
if [ -d ${before} ]; then echo unconfirmed; fi`;
