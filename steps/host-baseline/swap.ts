import {command} from '../../source/resources/command.ts';
import {type Definition, resource, script} from '../../source/resources/resource.ts';
import {ok} from '../../source/result.ts';
import {sh} from '../../source/shell/script.ts';

/** What is written in front of a line of /etc/fstab that is switched off; taking it away switches the line on again. */
const mark = '# groundwork: ';

type SwapState = {
  /** Devices and files that are in use as swap now. */
  readonly active: readonly string[];
  /** Lines of /etc/fstab that would bring swap back at the next start. */
  readonly fstab: readonly string[];
};

const isSwapLine = (line: string): boolean => /^[^#\s]\S*\s+\S+\s+swap\s/.test(`${line} `);

/**
 * No swap, now and after the next start: the kubelet refuses to run with it, and databases are slow in it without a
 * word. Lines of /etc/fstab are commented out; what systemd brings by itself (a partition found on the disk, zram) is
 * masked. Both can be taken back by hand.
 */
export const swapOff = resource<SwapState>({
  id: 'swap',
  doing: 'switching swap off',
  probe: sh`swapon --show=NAME --noheadings --raw; echo --; cat /etc/fstab 2>/dev/null || :`,
  read: ({stdout}) => {
    const [swaps = '', fstab = ''] = stdout.split(/^--$/m);
    return ok({
      active: swaps.split('\n').filter(line => line !== ''),
      fstab: fstab.split('\n').filter(isSwapLine),
    });
  },
  diff: ({active, fstab}) => [
    ...active.map(device => ({summary: `switch off swap on ${device}`})),
    ...fstab.map(line => ({summary: 'comment out a swap line in /etc/fstab', detail: [line]})),
  ],
  // A swap unit has to be masked before its device goes off, or systemd may bring it back at once.
  apply: ({active}) =>
    script(sh`set -e
if [ -e /etc/fstab ]; then
  new=$(mktemp /etc/.fstab.XXXXXX)
  cp -p /etc/fstab "$new"
  awk -v mark=${mark} '$1 !~ /^#/ && $3 == "swap" {$0 = mark $0} {print}' /etc/fstab >"$new"
  if cmp -s /etc/fstab "$new"; then rm -f "$new"; else mv "$new" /etc/fstab; fi
fi
for device in ${active}; do
  if unit=$(systemd-escape --path --suffix=swap "$device" 2>/dev/null); then systemctl mask --quiet "$unit" || :; fi
done
swapoff -a`),
} satisfies Definition<SwapState>);

/**
 * Lines of /etc/fstab that we switched off are switched on, and what we masked may come again. Swap itself comes at the
 * next start: a machine that has lost its memory to something else must not be held up by this.
 */
export const swapAgain = command({
  id: 'swap again',
  doing: 'letting swap come again',
  unless: sh`! grep -qF ${mark} /etc/fstab 2>/dev/null`,
  script: sh`set -e
for unit in $(systemctl list-unit-files --type=swap --state=masked --no-legend --plain 2>/dev/null | awk '{print $1}'); do
  systemctl unmask --quiet "$unit" || :
done
new=$(mktemp /etc/.fstab.XXXXXX)
cp -p /etc/fstab "$new"
awk -v mark=${mark} 'index($0, mark) == 1 {$0 = substr($0, length(mark) + 1)} {print}' /etc/fstab >"$new"
mv "$new" /etc/fstab`,
  change: 'switch the swap lines of /etc/fstab on again; swap comes at the next start',
});
