import type {Deployment, HostSpec} from '../../source/deployment/schema.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {sha256} from '../../source/resources/write-file.ts';
import {err, ok, type Result} from '../../source/result.ts';
import {type Script, sh} from '../../source/shell/script.ts';
import {configurationPath, dataDirectory, program} from './paths.ts';
import {compareVersions, parseVersion, rke2Version} from './versions.ts';

/** What must not be there when a cluster of ours is made, with the name that the operator knows it by. */
const strangers: Script = sh`for path in /etc/systemd/system/k3s.service /etc/systemd/system/k3s-agent.service /var/lib/rancher/k3s/server; do
  [ -e "$path" ] && echo "stranger k3s ($path)" && break
done
for path in /etc/kubernetes/admin.conf /etc/kubernetes/manifests/kube-apiserver.yaml /etc/kubernetes/kubelet.conf; do
  [ -e "$path" ] && echo "stranger Kubernetes of kubeadm ($path)" && break
done
[ -e /var/snap/microk8s ] && echo 'stranger MicroK8s (/var/snap/microk8s)'
[ -e /usr/bin/rke2 ] && echo 'stranger RKE2 of the system’s packages (/usr/bin/rke2)'
if systemctl is-enabled --quiet rke2-agent.service 2>/dev/null || systemctl is-active --quiet rke2-agent.service 2>/dev/null; then
  echo 'stranger an agent of another RKE2 cluster (rke2-agent.service)'
fi`;

/**
 * Of a cluster whose state is on the disk: its version, the hash of its token, and the settings that are in its state
 * for good. RKE2 writes the token down as K10<hash>::server:<token>.
 */
const cluster: Script = sh`if [ -d ${`${dataDirectory}/server/db/etcd`} ]; then
  echo cluster
  token=
  if [ -s ${`${dataDirectory}/server/token`} ]; then token=$(sed -n '$s/^.*://p' ${`${dataDirectory}/server/token`})
  elif [ -s ${configurationPath} ]; then token=$(sed -n 's/^token: *//p' ${configurationPath} | tr -d "\"'")
  fi
  [ -z "$token" ] || printf 'token %s\n' "$(printf %s "$token" | sha256sum | cut -d ' ' -f 1)"
  for key in node-name cluster-cidr service-cidr; do
    value=$(sed -n "s/^$key: *//p" ${configurationPath} 2>/dev/null | tr -d "\"'" | head -n 1)
    [ -z "$value" ] || printf '%s %s\n' "$key" "$value"
  done
  [ ! -x ${program} ] || ${program} --version 2>/dev/null | sed -n 's/^rke2 version \([^ ]*\).*/version \1/p'
fi
exit 0`;

type Found = {readonly strangers: readonly string[]; readonly cluster: ReadonlyMap<string, string> | undefined};

const readFound = (stdout: string): Found => {
  const lines = stdout.split('\n').filter(line => line !== '');
  const words = lines.map(line => [line.split(' ', 1)[0] ?? '', line.slice(line.indexOf(' ') + 1)] as const);
  return {
    strangers: words.filter(([key]) => key === 'stranger').map(([, value]) => value),
    cluster: lines.includes('cluster') ? new Map(words) : undefined,
  };
};

const versionInTheWay = (installed: string | undefined, wanted: string): string | undefined => {
  const was = parseVersion(installed ?? '');
  const will = parseVersion(wanted);
  if (!was || !will) return undefined;
  if (compareVersions(was, will) > 0)
    return `the cluster on this host runs RKE2 ${installed}, which is newer than ${wanted} of this deployment; a cluster cannot go back`;
  return will.minor - was.minor > 1
    ? `the cluster on this host runs RKE2 ${installed}, and ${wanted} is ${will.minor - was.minor} minor versions later; a cluster goes one at a time`
    : undefined;
};

const lasting = {
  'node-name': 'its node has the name',
  'cluster-cidr': 'its pods live in',
  'service-cidr': 'its services live in',
} as const;

/** Why the cluster that is on the disk, or the stranger beside it, forbids to go on; undefined when nothing does. */
export const inTheWay = (stdout: string, deployment: Deployment, host: HostSpec, token: string): string | undefined => {
  const {strangers, cluster} = readFound(stdout);
  if (strangers.length > 0) return `there is another Kubernetes on this host: ${strangers.join(', ')}`;
  if (!cluster) return undefined;
  const known = cluster.get('token');
  if (known === undefined) return 'there is the state of a cluster on this host whose token cannot be found';
  if (known !== sha256(token)) return 'the cluster on this host was made with another token than this deployment has';
  const wanted = {
    'node-name': host.name,
    'cluster-cidr': deployment.network.pods,
    'service-cidr': deployment.network.services,
  };
  for (const key of Object.keys(lasting) as (keyof typeof lasting)[]) {
    const now = cluster.get(key);
    if (now !== undefined && now !== wanted[key])
      return `the cluster on this host was made with other settings, which cannot be changed later: ${lasting[key]} ${now}, and the deployment says ${wanted[key]}`;
  }
  return versionInTheWay(cluster.get('version'), rke2Version(deployment));
};

/**
 * Nothing of somebody else's, and of ours nothing that would be broken: comes before everything that is changed. It has
 * nothing to apply; what it finds is for the operator to decide.
 */
export const noOtherCluster = (deployment: Deployment, host: HostSpec, token: string): Resource => ({
  id: 'no other cluster',
  doing: 'looking for an older cluster',
  probe: sh`${strangers}
${cluster}`,
  assess: ({stdout}): Result<{readonly changes: readonly []}, string> => {
    const reason = inTheWay(stdout, deployment, host, token);
    return reason === undefined ? ok({changes: []}) : err(reason);
  },
});
