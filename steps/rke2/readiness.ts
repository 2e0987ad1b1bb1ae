import type {Deployment, HostSpec} from '../../source/deployment/schema.ts';
import {kubeEnvironment} from '../../source/kubernetes/access.ts';
import {lines, type Script, sh} from '../../source/shell/script.ts';
import {unit} from './paths.ts';
import {rke2Version} from './versions.ts';

/** What RKE2 said last, without the time: it tells well what it waits for. */
export const startProgress: Script = sh`journalctl --unit=${unit} --lines=40 --no-pager --output=cat 2>/dev/null |
  sed -n 's/^time=[^ ]* level=[a-z]* msg="\(.*\)"$/RKE2: \1/p' | tail -n 1`;

/** Without one of these in kube-system there is no network, no DNS or no way to see how much is used. */
const neededPods = ['rke2-canal-', 'rke2-coredns-rke2-coredns-', 'rke2-metrics-server-'];

/** Pods of RKE2 itself; what others put into kube-system is for them to wait for. */
const ownPods = '^(etcd|kube|cloud-controller-manager|helm-install-rke2|rke2)-';

/**
 * Exits 0 when the node is ready, runs the version that it should, and all that RKE2 brings is running. Else its output
 * says what is missing. Pods that ended are left out: others have taken their place.
 */
export const clusterReady = (deployment: Deployment, host: Pick<HostSpec, 'name'>): Script =>
  lines(
    kubeEnvironment,
    sh`name=${host.name}
node=$(kubectl get node "$name" --no-headers 2>&1) || {
  printf 'waiting for the API server: %s\n' "$(printf '%s\n' "$node" | tail -n 1)"
  exit 1
}
set -- $node
case $2 in
  Ready|Ready,*) ;;
  *) printf 'node %s is %s: %s\n' "$1" "$2" "$(kubectl get node "$name" --output=jsonpath='{.status.conditions[?(@.type=="Ready")].message}' 2>/dev/null)"
     exit 1 ;;
esac
[ "$5" = ${rke2Version(deployment)} ] || { printf 'node %s still runs %s\n' "$1" "$5"; exit 1; }
pods=$(kubectl get pods --namespace=kube-system --field-selector=status.phase!=Failed,status.phase!=Succeeded --no-headers 2>&1) || {
  printf 'waiting for the pods: %s\n' "$(printf '%s\n' "$pods" | tail -n 1)"
  exit 1
}
waiting=$(
  printf '%s\n' "$pods" | awk -v own=${ownPods} '
    $1 !~ own || $3 == "Completed" { next }
    { split($2, ready, "/"); if ($3 != "Running" || ready[1] != ready[2]) print $1 " (" $3 ")" }'
  for needed in ${neededPods}; do
    printf '%s\n' "$pods" | grep -q "^$needed" || echo "$needed (not made yet)"
  done
)
[ -z "$waiting" ] || { printf 'pods that are not ready: %s\n' "$(printf '%s\n' "$waiting" | paste -sd ';' | sed 's/;/, /g')"; exit 1; }
printf 'node %s is ready, with %s pods of RKE2 %s\n' "$name" "$(printf '%s\n' "$pods" | grep -cE ${ownPods})" ${rke2Version(deployment)}`,
  );
