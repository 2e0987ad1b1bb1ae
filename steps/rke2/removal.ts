import type {Removal} from '../../source/engine/removal.ts';
import {kubeconfigPath, kubeEnvironment} from '../../source/kubernetes/access.ts';
import {kernelModulePath} from '../../source/resources/kernel-module.ts';
import {type Change, type Resource, resource, script} from '../../source/resources/resource.ts';
import {stays} from '../../source/resources/stays.ts';
import {sysctlPath} from '../../source/resources/sysctl.ts';
import {emptyFolderAbsent} from '../../source/resources/tree.ts';
import {withdrawn} from '../../source/resources/withdrawn.ts';
import {err, ok, type Result} from '../../source/result.ts';
import type {PartOutput} from '../../source/shell/frame.ts';
import {lines, sh} from '../../source/shell/script.ts';
import {managedNote} from '../shared/config-text.ts';
import {
  configurationDirectory,
  configurationPath,
  dataDirectory,
  environmentPath,
  killScript,
  kubeletDirectory,
  nodeDirectory,
  profilePath,
  program,
  sharedDirectory,
  uninstallScript,
  unitPath,
} from './paths.ts';

/** What RKE2 leaves on a machine; its own script takes all of it away, unless that was cut off. */
const traces = [
  ...[program, unitPath, killScript, uninstallScript, sharedDirectory],
  ...[configurationDirectory, nodeDirectory, dataDirectory, kubeletDirectory],
];

type Release = {readonly name: string; readonly namespace: string; readonly chart: string};

type Found = {
  readonly traces: readonly string[];
  readonly version: string | undefined;
  readonly releases: readonly Release[];
};

/** A cluster that does not answer tells nothing of what runs on it, and is taken away all the same. */
const probe = lines(
  kubeEnvironment,
  sh`for path in ${traces}; do [ ! -e "$path" ] || printf 'trace %s\n' "$path"; done
[ ! -x ${program} ] || ${program} --version 2>/dev/null | sed -n 's/^rke2 version \([^ ]*\).*/version \1/p'
if [ -e ${configurationPath} ] && ! head -n 1 ${configurationPath} | grep -qxF ${managedNote}; then echo foreign; fi
if [ -s ${kubeconfigPath} ] && command -v helm >/dev/null; then
  printf 'releases %s\n' "$(timeout 20 helm list --all-namespaces --all --output json 2>/dev/null)"
fi
exit 0`,
);

const readReleases = (text: string | undefined): readonly Release[] => {
  try {
    const listed = JSON.parse(text || '[]') as readonly Release[] | null;
    return (listed ?? []).map(({name, namespace, chart}) => ({name, namespace, chart}));
  } catch {
    return [];
  }
};

const read = ({stdout}: PartOutput): Result<Found, string> => {
  if (/^foreign$/m.test(stdout))
    return err(`the cluster on this host was not made by Groundwork (${configurationPath}): it is left alone`);
  return ok({
    traces: [...stdout.matchAll(/^trace (.+)$/gm)].map(([, path = '']) => path),
    version: /^version (\S+)$/m.exec(stdout)?.[1],
    releases: readReleases(/^releases (.*)$/m.exec(stdout)?.[1]),
  });
};

const diff = ({traces: found, version, releases}: Found): readonly Change[] => {
  if (found.length === 0) return [];
  if (!found.includes(dataDirectory) && version === undefined)
    return [{summary: 'remove what is left of RKE2', detail: found}];
  return [
    {
      summary: `remove RKE2${version === undefined ? '' : ` ${version}`} with the cluster and its state`,
      detail: [
        ...releases.map(({name, namespace, chart}) => `release ${name} in ${namespace} (${chart})`),
        'objects, Secrets and snapshots of the cluster in /var/lib/rancher/rke2',
      ],
      // The state of the cluster is on this machine alone: its users, its settings, what people made in it.
      loses: true,
    },
  ];
};

/** Seconds in which pods may end by themselves before they are ended. */
const graceSeconds = 120;

/**
 * Pods get the time to write down what they hold; then RKE2's own scripts end all of it and take it away. Volumes are let
 * go of before anything is deleted: a deletion that goes into a volume which is still mounted would erase data.
 */
const removeCluster = (node: string) =>
  lines(
    kubeEnvironment,
    sh`set -u
if [ -s ${kubeconfigPath} ] && command -v kubectl >/dev/null && kubectl --request-timeout=10s get node ${node} --output=name >/dev/null 2>&1; then
  echo 'asking what runs on the cluster to end'
  timeout ${graceSeconds + 30} kubectl drain ${node} --ignore-daemonsets --delete-emptydir-data --force --disable-eviction --grace-period=30 ${`--timeout=${graceSeconds}s`} ||
    echo 'not everything ended by itself; it is ended now'
fi
for unit in rke2-server.service rke2-agent.service; do
  if systemctl is-active --quiet "$unit"; then systemctl stop "$unit" || exit; fi
done
[ ! -x ${killScript} ] || ${killScript} || echo 'some processes of the cluster were gone already'
for tries in 1 2 3; do
  mounted=$(awk '$2 ~ "^(/var/lib/kubelet|/var/lib/rancher/rke2|/run/k3s)/" {print $2}' /proc/self/mounts | sort -r)
  [ -n "$mounted" ] || break
  printf '%s\n' "$mounted" | while IFS= read -r place; do
    place=$(printf '%b' "$place")
    if [ "$tries" -lt 3 ]; then timeout 20 umount "$place"; else timeout 20 umount --lazy "$place"; fi
  done
done
if [ -n "$(awk '$2 ~ "^(/var/lib/kubelet|/var/lib/rancher/rke2|/run/k3s)/"' /proc/self/mounts)" ]; then
  echo 'volumes are still mounted below /var/lib/kubelet or /var/lib/rancher, and nothing was deleted' >&2
  exit 1
fi
[ ! -x ${uninstallScript} ] || ${uninstallScript} || echo 'going on with what its own script has left'
systemctl --quiet disable rke2-server.service rke2-agent.service 2>/dev/null
rm -rf --one-file-system -- ${traces} /usr/local/lib/systemd/system/rke2-*.service /usr/local/lib/systemd/system/rke2-*.env || exit
systemctl daemon-reload
systemctl reset-failed rke2-server.service rke2-agent.service 2>/dev/null
exit 0`,
  );

const noCluster = (node: string): Resource =>
  resource<Found>({
    id: 'no RKE2',
    doing: 'removing the cluster',
    probe,
    read,
    diff,
    apply: () => script(removeCluster(node), {detached: true, timeoutMs: 1_800_000}),
  });

/** Of what the cluster holds nothing is asked again afterwards: environments have put aside what their data needs. */
export const rke2Removal: Removal = {
  estimate: 120,
  resources: ({host}) => [
    noCluster(host.name),
    withdrawn([profilePath, environmentPath]),
    withdrawn(['rke2', 'rke2-cis'].map(sysctlPath).concat(['overlay', 'br_netfilter'].map(kernelModulePath)), {
      but: 'what it set holds until the next start',
    }),
    emptyFolderAbsent('/etc/rancher'),
    emptyFolderAbsent('/var/lib/rancher'),
    stays({
      when: sh`getent passwd etcd`,
      what: 'the account etcd',
      why: 'it cannot log in, and another etcd may run by it',
    }),
  ],
  remedies: [
    {
      id: 'volumes-mounted',
      match: /volumes are still mounted below/,
      cause: 'A volume cannot be let go of: its server does not answer, or a program outside the cluster uses it.',
      remedy:
        'See `mount | grep /var/lib/kubelet` and `fuser -vm` on it; end that program or bring the server back, then retry.',
    },
  ],
};
