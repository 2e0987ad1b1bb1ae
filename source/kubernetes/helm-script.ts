import {lines, nothing, type Script, sh} from '../shell/script.ts';
import {kubeEnvironment, printer, privateFolder} from './access.ts';
import {type ChartEdits, editedChart} from './chart-edits.ts';

export type Release = {readonly name: string; readonly namespace: string};

/** Seconds that another helm gets to end its work on the same release. */
const busySeconds = 600;

/**
 * `records`: what helm keeps of the release, a line `REVISION STATUS SECRET` for each revision, the oldest first.
 * `busy`: `process NUMBER` of this host (also one in a container), or a pod of Rancher, that works on it now.
 */
const helpers = ({name, namespace}: Release): Script => sh`
records() {
  kubectl --request-timeout=30s get secrets --namespace=${namespace} --selector=${`owner=helm,name=${name}`} --output='jsonpath={range .items[*]}{.metadata.labels.version} {.metadata.labels.status} {.metadata.name}{"\n"}{end}' | sort -n
}
busy() {
  local process
  for process in /proc/[0-9]*; do
    [ "$(cat "$process/comm" 2>/dev/null)" = helm ] || continue
    if tr '\0' '\n' 2>/dev/null <"$process/cmdline" | grep -qxF ${name}; then
      printf 'process %s\n' "$(basename "$process")"
      return
    fi
  done
  kubectl --request-timeout=30s get pods --namespace=cattle-system --field-selector=status.phase=Running --output=name 2>/dev/null |
    grep -m 1 '^pod/helm-operation-'
}
wait_for_others() {
  local end=$(($(date +%s) + ${busySeconds})) who said=
  while who=$(busy) && [ -n "$who" ]; do
    if [ "$(date +%s)" -ge "$end" ]; then
      printf '%s\n' ${`helm still works on ${name}: `}"$who" >&2
      exit 1
    fi
    [ "$who" = "$said" ] || printf 'waiting: another helm works on %s (%s)\n' ${name} "$who"
    said=$who
    sleep 2
  done
}
forget() {
  kubectl --request-timeout=30s delete secret --namespace=${namespace} "$@" >/dev/null
}
shown() {
  sed -E 's/Invalid value: .*: (field is immutable)/Invalid value: …: \1/; s/^Error: //' "$1"
}`;

/**
 * Decides how to go on from what helm has on record, in `action`, and takes away what keeps helm from working:
 * - A release that never was deployed is installed anew. Its records go and its objects stay: helm takes them over, finds
 *   the passwords that it made in them, and runs the hooks that belong to an installation, which an upgrade would not.
 * - Of one that was, a revision that was cut off in the middle is forgotten, and the upgrade starts from the one before.
 *   A rollback would start everything twice.
 * - One that was half removed is installed anew, and takes over what is left of it.
 */
const repair = sh`
repair() {
  local all last status secret
  while :; do
    all=$(records) || { echo 'the records of the release could not be read' >&2; exit 1; }
    if [ -z "$all" ]; then action=install; return; fi
    read -r last status secret <<<"$(tail -n 1 <<<"$all")"
    case $status in
      uninstalled) action=replace; return ;;
      uninstalling)
        echo "revision $last was being removed when that was cut off: installing it again over what is left"
        forget $(awk '{ print $3 }' <<<"$all") || exit 1
        continue
        ;;
    esac
    if ! grep -qE '^[0-9]+ (deployed|superseded) ' <<<"$all"; then
      echo "its installation did not get to its end (revision $last: $status): installing it again over what is there"
      forget $(awk '{ print $3 }' <<<"$all") || exit 1
      continue
    fi
    case $status in
      pending-*)
        echo "revision $last was cut off in the middle ($status): going on from the revision before"
        forget "$secret" || exit 1
        ;;
      *) action=upgrade; return ;;
    esac
  done
}`;

/** Errors that pass by themselves while a cluster is coming up. */
const passing =
  'failed calling webhook|unable to handle the request|was refused|[Uu]nable to connect|i/o timeout|TLS handshake timeout|ServiceUnavailable|etcdserver|unexpected EOF|the object has been modified|no matches for kind|could not find the requested resource|object is being deleted|being terminated';

/** Tries of an operation that fails for a reason that passes, 10 s apart. */
const mostTries = 12;

export type Installing = Release & {
  readonly chart: string;
  readonly values: string;
  readonly description: string;
  readonly createNamespace: boolean;
  readonly timeoutSeconds: number;
} & ChartEdits;

/**
 * Installs or upgrades. Values come on standard input. What helm prints of a release (its notes may hold passwords) is
 * dropped; its errors are shown.
 */
export const installScript = (installing: Installing): Script => {
  const {name, namespace, chart, values, description, createNamespace, timeoutSeconds} = installing;
  const common = sh`--namespace=${namespace} --values=- --description=${description} --timeout=${`${timeoutSeconds}s`}`;
  return lines(
    kubeEnvironment,
    privateFolder,
    sh`chart=${chart}`,
    sh`[ -s "$chart" ] || { printf 'the chart %s is not on this host\n' "$chart" >&2; exit 1; }`,
    helpers(installing),
    repair,
    printer('values', values),
    editedChart(installing),
    sh`try() {
  case $action in
    install) values | helm install ${name} "$chart" ${common} ${createNamespace ? sh`--create-namespace` : noWord} ;;
    replace) values | helm install ${name} "$chart" ${common} --replace ;;
    upgrade) values | helm upgrade ${name} "$chart" ${common} --reset-values --history-max=10 ;;
  esac >/dev/null 2>"$dir/errors"
}`,
    // A finished Job whose description changes cannot be changed, and is to run again anyway.
    sh`free_jobs() {
  local job freed=1
  for job in $(grep -oE 'Job[.a-z]* "[^"]+" is invalid' "$dir/errors" | grep -F -e Job | cut -d '"' -f 2 | sort -u); do
    grep -q 'field is immutable' "$dir/errors" || break
    [ -z "$(kubectl get job --namespace=${namespace} "$job" --output='jsonpath={.status.active}' 2>/dev/null)" ] || continue
    echo "Job $job has changed and cannot be changed: deleting it, so that it is made anew"
    kubectl delete job --namespace=${namespace} "$job" --timeout=60s >/dev/null && freed=0
  done
  return "$freed"
}`,
    sh`tries=0
while :; do
  wait_for_others
  repair
  case $action in upgrade) echo ${`upgrading ${name}`} ;; *) echo ${`installing ${name}`} ;; esac
  if try; then exit 0; fi
  tries=$((tries + 1))
  if [ "$tries" -lt ${mostTries} ] && free_jobs; then continue; fi
  if [ "$tries" -lt ${mostTries} ] && grep -qE ${passing} "$dir/errors"; then
    printf 'waiting: %s\n' "$(shown "$dir/errors" | tail -n 1)"
    sleep 10
    continue
  fi
  shown "$dir/errors" >&2
  exit 1
done`,
  );
};

/** No word at all. */
const noWord: Script = {kind: 'script', text: ''};

/** Tells our helm that works on the release to stop; it notes down that the revision has failed. */
export const stopScript = ({name, namespace}: Release): Script => sh`for process in /proc/[0-9]*; do
  [ "$(cat "$process/comm" 2>/dev/null)" = helm ] || continue
  words=$(tr '\0' '\n' 2>/dev/null <"$process/cmdline")
  if grep -qxF ${name} <<<"$words" && grep -qxF -e ${`--namespace=${namespace}`} <<<"$words"; then
    kill -INT "$(basename "$process")"
  fi
done`;

/** Prints the newest revision's record, as helm keeps it: gzip in base64 in base64. */
export const recordScript = (release: Release): Script =>
  lines(
    kubeEnvironment,
    helpers(release),
    sh`wait_for_others >&2`,
    sh`read -r _ _ secret <<<"$(records | tail -n 1)"`,
    sh`[ -n "$secret" ] || exit 0`,
    sh`kubectl --request-timeout=30s get secret --namespace=${release.namespace} "$secret" --output='jsonpath={.metadata.name} {.data.release}'`,
  );

export const uninstallScript = (
  release: Release,
  {purge, timeoutSeconds}: {readonly purge: boolean; readonly timeoutSeconds: number},
): Script => {
  const {name, namespace} = release;
  const ofRelease = `.items[?(@.metadata.annotations.meta\\.helm\\.sh/release-name==${JSON.stringify(name)})]`;
  const claims = `{range ${ofRelease}}{range .spec.volumeClaimTemplates[*]}{.metadata.name}{"\\n"}{end}{end}`;
  const owners = `{range ${ofRelease}}{.metadata.name}{"\\n"}{end}`;
  const inNamespace = sh`--namespace=${namespace}`;
  return lines(
    kubeEnvironment,
    privateFolder,
    helpers(release),
    sh`wait_for_others`,
    purge
      ? sh`owners=$(kubectl get statefulsets ${inNamespace} ${`--output=jsonpath=${owners}`})
templates=$(kubectl get statefulsets ${inNamespace} ${`--output=jsonpath=${claims}`})`
      : nothing,
    sh`if [ -n "$(records)" ]; then
  remove() { helm uninstall ${name} ${inNamespace} --wait --timeout=${`${timeoutSeconds}s`} "$@" >/dev/null 2>"$dir/errors"; }
  if ! remove; then
    shown "$dir/errors" >&2
    if [ -n "$(records)" ]; then
      echo 'trying again without the hooks of the chart'
      remove --no-hooks || [ -z "$(records)" ] || { shown "$dir/errors" >&2; exit 1; }
    fi
  fi
  [ -z "$(records)" ] || forget $(records | awk '{ print $3 }')
fi`,
    purge
      ? sh`doomed=$({
  ${claimsOf(release)}
  for owner in $owners; do
    for template in $templates; do
      kubectl get persistentvolumeclaims ${inNamespace} --output=name | grep -E "/$template-$owner-[0-9]+\$"
    done
  done
} | sort -u)
[ -z "$doomed" ] || kubectl delete ${inNamespace} $doomed --timeout=${`${timeoutSeconds}s`}`
      : nothing,
  );
};

/** Prints the names of the volume claims of a release that helm no longer knows. */
export const claimsOf = ({name, namespace}: Release): Script => {
  const annotated = `{range .items[?(@.metadata.annotations.meta\\.helm\\.sh/release-name==${JSON.stringify(name)})]}persistentvolumeclaim/{.metadata.name}{"\\n"}{end}`;
  return sh`kubectl --request-timeout=20s get persistentvolumeclaims --namespace=${namespace} --selector=${`app.kubernetes.io/instance=${name}`} --output=name
  kubectl --request-timeout=20s get persistentvolumeclaims --namespace=${namespace} --output=${`jsonpath=${annotated}`}`;
};
