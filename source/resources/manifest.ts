import type {Failure} from '../engine/failure.ts';
import {redactDeep, redactor} from '../engine/redact.ts';
import {withRemedy} from '../engine/remedies.ts';
import {kubeEnvironment, printer, privateFolder, unlessAnswered, unlessInstalled} from '../kubernetes/access.ts';
import {
  inOrder,
  type KubeObject,
  listOf,
  nameOf,
  type ObjectRef,
  refOf,
  secretsIn,
  withPlainSecrets,
} from '../kubernetes/objects.ts';
import {waitUntilReady} from '../kubernetes/readiness.ts';
import {kubernetesRemedies} from '../kubernetes/remedies.ts';
import {isWorkload, readWorkloads, stateOf, type Workload, workloadTemplate} from '../kubernetes/workloads.ts';
import {err, ok, type Result} from '../result.ts';
import type {PartOutput} from '../shell/frame.ts';
import {lines, nothing, type Script, sh} from '../shell/script.ts';
import {type Apply, type Change, type Resource, resource} from './resource.ts';
import {visible} from './text-diff.ts';

/** A condition in the status of an object: `{kind: 'crd', name: 'x', condition: 'Established'}`. */
export type ObjectCondition = ObjectRef & {readonly condition: string};

export type Manifest = {
  /** Unique on the cluster: `istio gateway`. */
  readonly id: string;
  readonly objects: readonly KubeObject[];
  /** Conditions that must be true afterwards, and are part of the state: a false one is a change. */
  readonly waitFor?: readonly ObjectCondition[];
  /** Also wait until the Deployments, StatefulSets, DaemonSets, Jobs and claims among the objects are ready. Default false. */
  readonly ready?: boolean;
  /** For kinds that are not served yet and for conditions, and again for readiness. Default 300. */
  readonly timeoutSeconds?: number;
};

/** The name under which the server keeps which fields are ours. */
const manager = sh`--server-side --force-conflicts --field-manager=groundwork`;

/** What differs in one object, or that it is not there. `name` as kubectl calls it: `apps.v1.Deployment.shop.cart`. */
type Difference = {
  readonly name: string;
  readonly kind: 'new' | 'differs' | 'secret';
  readonly lines: readonly string[];
};

type State =
  | {readonly kind: 'no-cluster'}
  /** The server could not say what would change: a namespace or a kind is missing, a webhook is silent. */
  | {readonly kind: 'refused'; readonly why: string; readonly present: readonly string[]}
  | {
      readonly kind: 'seen';
      readonly differences: readonly Difference[];
      /** Which of the conditions are true, in their order. */
      readonly conditions: readonly boolean[];
      readonly workloads: readonly Workload[];
    };

/**
 * Drops from an object's YAML what the server keeps for itself: it changes while one looks. Lists stand in the column of
 * their key there, so a block ends at the next word in the column.
 */
const ownFieldsOnly = `
/^[a-zA-Z]/ { block = ($0 ~ /^status:/) }
/^  [a-zA-Z]/ { inner = top == "metadata" && $0 ~ /^  managedFields:/ }
/^[a-zA-Z]/ { top = $1; sub(/:$/, "", top); inner = 0 }
block || inner { next }
top == "metadata" && /^  (resourceVersion|uid|generation|creationTimestamp|selfLink):/ { next }
{ print }`;

const keyOf = ({apiVersion, kind, metadata: {name, namespace = ''}}: KubeObject): string =>
  [apiVersion.replaceAll('/', '.'), kind, namespace, name].join('.');

const presentTemplate =
  '{range .items[*]}{.apiVersion}{"\\t"}{.kind}{"\\t"}{.metadata.namespace}{"\\t"}{.metadata.name}{"\\n"}{end}';

const conditionLine = ({kind, name, namespace, condition}: ObjectCondition): Script =>
  sh`printf 'condition %s\n' "$(kubectl --request-timeout=10s get ${kind} ${name} ${namespace === undefined ? noWord : sh`--namespace=${namespace}`} --output=${`jsonpath={.status.conditions[?(@.type=="${condition}")].status}`} 2>/dev/null)"`;

/** No word at all. */
const noWord: Script = {kind: 'script', text: ''};

/**
 * Asks the server what an apply would change, with everything that it fills in or turns into another form by itself. The
 * comparison is made here, by a program that kubectl starts: no Secret leaves the host or is written to a disk. kubectl
 * hands no arguments to such a program, and bash reads BASH_ENV before it looks at what it was given.
 */
const probe = ({objects, waitFor = [], ready = false}: Manifest): Script =>
  lines(
    kubeEnvironment,
    unlessInstalled('kubectl'),
    privateFolder,
    printer('objects', listOf(objects)),
    sh`objects >"$dir/objects"`,
    sh`printf '%s\n' 'cp -R "$TMPDIR"/LIVE-* "$dir/live" && cp -R "$TMPDIR"/MERGED-* "$dir/merged"; exit' >"$dir/keep"`,
    sh`export dir
TMPDIR=$dir BASH_ENV=$dir/keep KUBECTL_EXTERNAL_DIFF=bash kubectl --request-timeout=20s diff ${manager} --filename=- <"$dir/objects" >/dev/null 2>"$dir/errors"
if [ "$?" -gt 1 ] || [ ! -d "$dir/merged" ]; then`,
    unlessAnswered(sh`"$dir/errors"`),
    sh`  echo refused
  kubectl --request-timeout=20s get --filename=- --ignore-not-found ${`--output=jsonpath=${presentTemplate}`} <"$dir/objects" 2>/dev/null
  echo === why
  cat "$dir/errors"
  exit 0
fi
echo seen
for merged in "$dir"/merged/*; do
  name=$(basename "$merged")
  if [ ! -s "$dir/live/$name" ]; then printf 'new %s\n' "$name"; continue; fi
  awk ${ownFieldsOnly} "$dir/live/$name" >"$dir/one"
  awk ${ownFieldsOnly} "$merged" >"$dir/other"
  ! cmp -s "$dir/one" "$dir/other" || continue
  case $name in
    v1.Secret.*) printf 'secret %s\n' "$name" ;;
    *)
      printf 'differs %s\n' "$name"
      diff -U 2 "$dir/one" "$dir/other" | tail -n +3 | head -n 80 | sed 's/^/| /'
      ;;
  esac
done`,
    ...waitFor.map(conditionLine),
    ready
      ? sh`kubectl --request-timeout=20s get --filename=- --ignore-not-found ${`--output=jsonpath=${workloadTemplate}`} <"$dir/objects"`
      : nothing,
  );

const read = (objects: readonly KubeObject[], {stdout, stderr}: PartOutput): Result<State, string> => {
  const [first = '', ...rest] = stdout.split('\n');
  if (first === 'no-cluster') return ok({kind: 'no-cluster'});
  if (first === 'refused') {
    const cut = rest.indexOf('=== why');
    const present = rest.slice(0, cut).map(line => {
      const [apiVersion = '', kind = '', namespace = '', name = ''] = line.split('\t');
      return keyOf({apiVersion, kind, metadata: {name, ...(namespace && {namespace})}});
    });
    const why = [...new Set(rest.slice(cut + 1).filter(line => line.trim() !== ''))].map(plainError);
    return ok({kind: 'refused', why: why.join('; '), present});
  }
  if (first !== 'seen')
    return err(`the objects could not be read: ${stderr.trim().split('\n').at(-1) || 'kubectl said nothing'}`);
  const differences: {name: string; kind: Difference['kind']; lines: string[]}[] = [];
  const conditions: boolean[] = [];
  for (const line of rest) {
    const [, kind, name = ''] = /^(new|differs|secret) (\S+)$/.exec(line) ?? [];
    if (kind) differences.push({name, kind: kind as Difference['kind'], lines: []});
    else if (line.startsWith('| ')) differences.at(-1)?.lines.push(visible(line.slice(2)));
    else if (line.startsWith('condition ')) conditions.push(line === 'condition True');
  }
  const workloads = readWorkloads(stdout);
  // In the order in which they were given, whatever order the server keeps.
  const places = objects.map(keyOf);
  return ok({
    kind: 'seen',
    differences: differences.toSorted((one, other) => places.indexOf(one.name) - places.indexOf(other.name)),
    conditions,
    workloads,
  });
};

/** What kubectl says, without where it read the object from. */
const plainError = (line: string): string =>
  visible(line)
    .replace(/^error: /i, '')
    .replace(/^Error from server \((\w+)\): /, '')
    .replace(/^error when \w+ "STDIN": /, '')
    .replace(/^unable to recognize "STDIN": /, '')
    .replace(/^resource mapping not found for name: "[^"]*" namespace: "[^"]*" from "STDIN": /, '');

const conditionName = (wait: ObjectCondition): string => `${wait.condition} of ${nameOf(wait)}`;

const changesOf = ({objects, waitFor = [], ready = false}: Manifest, state: State): readonly Change[] => {
  const create = (object: KubeObject): Change => ({summary: `create ${nameOf(refOf(object))}`});
  if (state.kind === 'no-cluster') return objects.map(create);
  if (state.kind === 'refused') {
    const missing = objects.filter(object => !state.present.includes(keyOf(object)));
    return missing.length > 0
      ? missing.map(create)
      : [{summary: 'apply again: what is there cannot be compared now', detail: [state.why]}];
  }
  const named = new Map(objects.map(object => [keyOf(object), nameOf(refOf(object))]));
  return [
    ...state.differences.map(({name, kind, lines: detail}): Change => {
      const what = named.get(name) ?? name;
      if (kind === 'new') return {summary: `create ${what}`};
      return kind === 'secret' ? {summary: `change ${what} (secret)`} : {summary: `change ${what}`, detail};
    }),
    ...waitFor
      .filter((_, index) => !state.conditions[index])
      .map(wait => ({summary: `wait for ${conditionName(wait)}`})),
    ...(ready ? state.workloads : [])
      .filter(workload => !stateOf(workload).ready)
      .map(workload => ({summary: `wait until ${nameOf(workload)} is ready`})),
  ];
};

/**
 * Errors that pass when what is being installed has started: definitions and the programs that the server asks about an
 * object come up by themselves.
 */
const passing =
  'no matches for kind|could not find the requested resource|failed calling webhook|conversion webhook|unable to handle the request|was refused|Unable to connect|i/o timeout|TLS handshake timeout|ServiceUnavailable|etcdserver|namespaces "[^"]*" not found|InternalError|unexpected EOF|the object has been modified|context deadline exceeded|not yet|being terminated';

const applyScript = ({objects, waitFor = []}: Manifest, timeoutSeconds: number): Script =>
  lines(
    kubeEnvironment,
    sh`set -u`,
    printer('objects', listOf(objects)),
    sh`end=$(($(date +%s) + ${timeoutSeconds})) said=`,
    sh`until errors=$(objects | kubectl --request-timeout=60s apply ${manager} --filename=- 2>&1 >&3); do
  if ! grep -qE ${passing} <<<"$errors"; then
    printf '%s\n' "$errors" >&2
    exit 1
  fi
  if [ "$(date +%s)" -ge "$end" ]; then
    printf '%s\n' "$errors" ${`waited ${timeoutSeconds} s in vain for the cluster to take them`} >&2
    exit 1
  fi
  now=$(tail -n 1 <<<"$errors")
  [ "$now" = "$said" ] || printf 'waiting: %s\n' "$now"
  said=$now
  sleep 2
done 3>&1`,
    ...waitFor.map(
      wait => sh`until [ "$(${conditionLine(wait)})" = 'condition True' ]; do
  if [ "$(date +%s)" -ge "$end" ]; then
    echo ${`waited ${timeoutSeconds} s in vain for ${conditionName(wait)}`} >&2
    exit 1
  fi
  sleep 1
done`,
    ),
  );

/** Failures of things in a cluster, with what helps and without what is secret. */
export const inCluster =
  (secrets: readonly string[]) =>
  (failure: Failure): Failure =>
    redactDeep(
      withRemedy(failure, kubernetesRemedies),
      redactor(() => secrets),
    );

/**
 * Objects of Kubernetes as they should be: every field that is given has its value, and what others set beside them stays.
 * Fields that were ours and are no longer given go away.
 *
 * They are applied in an order in which they can be, and again while the cluster does not know their kinds or the programs
 * that must agree do not run yet.
 */
export const manifest = (given: Manifest): Resource => {
  const wanted: Manifest = {...given, objects: inOrder(given.objects).map(withPlainSecrets)};
  const {id, objects, ready = false, timeoutSeconds = 300} = wanted;
  if (objects.length === 0) throw new Error(`manifest ${id} has no object`);
  const secrets = secretsIn(objects);
  const redact = redactor(() => secrets);
  const apply =
    (state: State): Apply =>
    async port => {
      const settled =
        state.kind === 'seen' && state.differences.length === 0 && state.conditions.every(condition => condition);
      if (!settled) {
        const applied = await port.run(applyScript(wanted, timeoutSeconds), {
          timeoutMs: (timeoutSeconds + 120) * 1000,
          told: redact,
        });
        if (!applied.ok) return err(inCluster(secrets)(applied.error));
      }
      if (!ready) return ok();
      return waitUntilReady(port, {what: id, look: lookAt(objects), timeoutSeconds});
    };
  return resource<State>({
    id: `manifest ${id}`,
    doing: `applying ${id}`,
    probe: probe(wanted),
    read: output => read(objects, output),
    diff: state => changesOf(wanted, state),
    apply,
  });
};

/** Prints the workloads among objects. */
const lookAt = (objects: readonly KubeObject[]): Script => {
  const workloads = objects
    .filter(({kind}) => isWorkload(kind))
    .map(({apiVersion, kind, metadata: {name, namespace}}) => ({apiVersion, kind, metadata: {name, namespace}}));
  return sh`printf '%s\n' ${listOf(workloads)} | kubectl --request-timeout=20s get --filename=- --ignore-not-found ${`--output=jsonpath=${workloadTemplate}`}`;
};

export type ManifestAbsent = {
  /** Unique on the cluster: `old gateway`. */
  readonly id: string;
  readonly objects: readonly ObjectRef[];
  /** Until what must end first has ended. Default 300. */
  readonly timeoutSeconds?: number;
};

/** No such objects: they are deleted, with what they own. A kind that the cluster does not have counts as absent. */
export const manifestAbsent = ({id, objects, timeoutSeconds = 300}: ManifestAbsent): Resource => {
  if (objects.length === 0) throw new Error(`manifest ${id} has no object`);
  const each = (run: (one: Script, index: number) => Script): readonly Script[] =>
    objects.map(({kind, name, namespace}, index) =>
      run(namespace === undefined ? sh`${kind} ${name}` : sh`${kind} ${name} --namespace=${namespace}`, index),
    );
  return resource<readonly number[]>({
    id: `no manifest ${id}`,
    doing: `removing ${id}`,
    probe: lines(
      kubeEnvironment,
      unlessInstalled('kubectl'),
      privateFolder,
      ...each(
        (
          one,
          index,
        ) => sh`if kubectl --request-timeout=10s get ${one} --output=name >/dev/null 2>"$dir/errors"; then echo ${`present ${index}`}
elif ! grep -qE ${'NotFound|not found|have a resource type|no matches for kind'} "$dir/errors"; then
${unlessAnswered(sh`"$dir/errors"`)}
cat "$dir/errors" >&2; exit 1
fi`,
      ),
    ),
    read: ({code, stdout, stderr}) =>
      code === 0
        ? ok([...stdout.matchAll(/^present (\d+)$/gm)].map(([, index]) => Number(index)))
        : err(`the objects could not be read: ${stderr.trim().split('\n').at(-1) ?? ''}`),
    diff: present =>
      present.flatMap(index => {
        const object = objects[index];
        return object ? [{summary: `delete ${nameOf(object)}`}] : [];
      }),
    apply: present => async port => {
      const removed = await port.run(
        lines(
          kubeEnvironment,
          // The last first: what operators read goes before the operators.
          ...each(one => sh`kubectl delete ${one} --ignore-not-found --timeout=${`${timeoutSeconds}s`} || exit 1`)
            .filter((_, index) => present.includes(index))
            .toReversed(),
        ),
        {timeoutMs: (timeoutSeconds * present.length + 60) * 1000, detached: timeoutSeconds > 60},
      );
      return removed.ok ? removed : err(inCluster([])(removed.error));
    },
  });
};
