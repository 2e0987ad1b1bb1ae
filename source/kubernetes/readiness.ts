import type {Failure} from '../engine/failure.ts';
import {withRemedy} from '../engine/remedies.ts';
import type {ApplyPort} from '../resources/resource.ts';
import {err, ok, type Result} from '../result.ts';
import {lines, type Script, sh} from '../shell/script.ts';
import {kubeEnvironment} from './access.ts';
import {type KubeEvent, type Pod, podsOfNamespaces, readEvents, readPods} from './pods.ts';
import {doingOf, type Problem, problemOf, refusalOf} from './problems.ts';
import {kubernetesRemedies} from './remedies.ts';
import {missingOf, readWorkloads, stateOf, type Workload, type WorkloadRef, type WorkloadState} from './workloads.ts';

/** What a cluster says at one moment about workloads and what belongs to them. */
export type Snapshot = {
  readonly workloads: readonly Workload[];
  readonly pods: readonly Pod[];
  readonly events: readonly KubeEvent[];
};

export type Report = {
  readonly workload: Workload;
  readonly state: WorkloadState;
  readonly problems: readonly Problem[];
  /** For people: `keycloak 0/1: pulling image …`. */
  readonly line: string;
};

export const readSnapshot = (text: string): Snapshot => ({
  workloads: readWorkloads(text),
  pods: readPods(text),
  events: readEvents(text),
});

/** How each workload is, and what keeps those that are not ready. */
export const reportsOf = ({workloads, pods, events}: Snapshot): readonly Report[] =>
  workloads.map((workload): Report => {
    const {kind, namespace, name} = workload;
    const state = stateOf(workload);
    const head = kind === 'PersistentVolumeClaim' ? `claim ${name} ${state.progress}` : `${name} ${state.progress}`;
    if (state.ready) return {workload, state, problems: [], line: head};
    const own = pods.filter(pod => pod.namespace === namespace && pod.owner.kind === kind && pod.owner.name === name);
    const failed: readonly Problem[] = state.failed === undefined ? [] : [jobFailed(workload, state.failed, own)];
    const refused = refusalOf(workload, events);
    const problems = [...failed, ...own.flatMap(pod => problemOf(pod, events) ?? []), ...(refused ? [refused] : [])];
    const busy = own.find(pod => !pod.leaving) ?? own[0];
    const why = problems[0]?.text ?? (busy ? doingOf(busy, events) : 'waiting for its controller');
    return {workload, state, problems, line: `${head}: ${why}`};
  });

const jobFailed = ({kind, namespace, name}: Workload, reason: string, pods: readonly Pod[]): Problem => {
  const last = pods.findLast(({containers}) => containers.length > 0);
  const container = last?.containers.find(({state}) => (state.terminated?.exitCode ?? 0) !== 0);
  return {
    kind: 'job',
    namespace,
    workload: name,
    text: `${kind === 'Job' ? 'the Job has failed: ' : ''}${reason}`,
    patience: 0,
    ...(last && container && {log: {pod: last.name, container: container.name, previous: false}}),
  };
};

const keyOf = ({namespace, workload, kind}: Problem): string => `${namespace} ${workload} ${kind}`;

/** Since when (milliseconds) each problem lasts; those that went are forgotten. */
export const lasting = (
  reports: readonly Report[],
  before: ReadonlyMap<string, number>,
  now: number,
): ReadonlyMap<string, number> =>
  new Map(
    reports.flatMap(({problems}) =>
      problems.map((problem): [string, number] => [keyOf(problem), before.get(keyOf(problem)) ?? now]),
    ),
  );

/** Those that will not go away by themselves: they have lasted longer than things of their kind that do. */
export const hopeless = (
  reports: readonly Report[],
  since: ReadonlyMap<string, number>,
  now: number,
): readonly Report[] =>
  reports.filter(({problems}) =>
    problems.some(
      problem => problem.patience !== undefined && now - (since.get(keyOf(problem)) ?? now) >= problem.patience * 1000,
    ),
  );

export type Readiness = {
  /** For people: `release keycloak`. */
  readonly what: string;
  /** Prints the workloads by the template of workloads.ts. */
  readonly look: Script;
  readonly concerns?: (workload: Workload) => boolean;
  /** Must be there, and be made by somebody. */
  readonly expected?: readonly WorkloadRef[];
  readonly timeoutSeconds: number;
  /** What was told last of each workload, where one wait follows another. */
  readonly told?: Map<string, string>;
};

/** Seconds for which the host keeps an answer back when it is the same as the last one. */
const holdSeconds = 10;

/**
 * Looks again and again, on the host, until something is other than it was or it is time for a sign of life. First line:
 * the hash of the rest, or `unseen` when the API server did not answer.
 */
const lookScript = (look: Script, before: string): Script =>
  lines(
    kubeEnvironment,
    sh`look() {
  local workloads
  workloads=$(${look}) || return
  printf '%s\n' "$workloads"
  printf '%s\n' "$workloads" | awk -F '\t' '$1 == "workload" { print $3 }' | sort -u | ${podsOfNamespaces}
}`,
    sh`end=$(($(date +%s) + ${holdSeconds}))`,
    sh`while :; do
  if found=$(look 2>&1); then
    set -- $(printf '%s' "$found" | sha256sum)
  else
    set -- unseen
  fi
  if [ "$1" != ${before} ] || [ "$(date +%s)" -ge "$end" ]; then break; fi
  sleep 1.5
done`,
    sh`printf '%s\n' "$1" "$found"`,
  );

/** Nothing of what it prints is for the log. */
const silent = {told: () => undefined, timeoutMs: 120_000} as const;

export type Look = {readonly hash: string; readonly snapshot?: Snapshot};

const lookAt = async (
  port: ApplyPort,
  {look, concerns = () => true, expected = []}: Readiness,
  before: string,
): Promise<Result<Look, Failure>> => {
  const answer = await port.run(lookScript(look, before), silent);
  if (!answer.ok) return answer;
  const {stdout} = answer.value;
  const cut = stdout.indexOf('\n');
  const hash = stdout.slice(0, cut);
  if (hash === 'unseen') return ok({hash});
  const snapshot = readSnapshot(stdout.slice(cut + 1));
  const found = snapshot.workloads.filter(concerns);
  return ok({hash, snapshot: {...snapshot, workloads: [...found, ...missingOf(expected, found)]}});
};

/** Tells a line for each workload whose line is another one than before. */
const teller = (port: ApplyPort, told = new Map<string, string>()) => {
  return (reports: readonly Report[]): void => {
    for (const {workload, line, state} of reports) {
      const key = `${workload.kind} ${workload.namespace}/${workload.name}`;
      // What is ready from the first is no news.
      if (told.get(key) !== line && (told.has(key) || !state.ready)) port.tell(line);
      told.set(key, line);
    }
  };
};

/**
 * Waits until all workloads that `look` shows are ready, telling what each of them does. Fails before the time is over only
 * for what will not heal by itself; the failure says what is not ready, why, and the last lines of the logs concerned.
 */
export const waitUntilReady = async (port: ApplyPort, readiness: Readiness): Promise<Result<void, Failure>> => {
  const {what, timeoutSeconds} = readiness;
  const tell = teller(port, readiness.told);
  const deadline = port.now().getTime() + timeoutSeconds * 1000;
  let since: ReadonlyMap<string, number> = new Map();
  let hash = 'none';
  let reports: readonly Report[] | undefined;
  for (;;) {
    const look = await lookAt(port, readiness, hash);
    if (!look.ok) return look;
    const now = port.now().getTime();
    if (look.value.snapshot) {
      reports = reportsOf(look.value.snapshot);
      tell(reports);
      if (reports.every(({state}) => state.ready)) return ok();
      since = lasting(reports, since, now);
      const stuck = hopeless(reports, since, now);
      if (stuck.length > 0) return notReady(port, `${what} cannot become ready`, stuck);
    } else if (hash !== 'unseen') port.tell('waiting: the API server does not answer');
    hash = look.value.hash;
    if (now >= deadline) {
      const open = reports?.filter(({state}) => !state.ready) ?? [];
      return notReady(port, `${what} did not become ready in ${timeoutSeconds} s`, open);
    }
  }
};

/** What helm finds out by itself, and at once. */
const seenByHelm: readonly Problem['kind'][] = ['job', 'crash', 'memory'];

/**
 * Until `ended`, tells what the workloads do. Helm waits for the Jobs of hooks, and does not see that one cannot even start:
 * then `giveUp` is called, and the failure that says why is the answer.
 */
export const tellUntil = async (
  port: ApplyPort,
  readiness: Readiness,
  ended: Promise<unknown>,
  giveUp: () => Promise<unknown>,
): Promise<Failure | undefined> => {
  const tell = teller(port, readiness.told);
  const end = ended.then(
    () => undefined,
    () => undefined,
  );
  let since: ReadonlyMap<string, number> = new Map();
  let hash = 'none';
  for (;;) {
    const look = await Promise.race([lookAt(port, readiness, hash), end]);
    if (!look) return undefined;
    // Whoever waits for helm will find that the host is not to be reached.
    if (!look.ok) return end;
    const {snapshot} = look.value;
    if (snapshot) {
      const now = port.now().getTime();
      const reports = reportsOf(snapshot);
      tell(reports);
      const hooks = reports
        .filter(({workload}) => workload.hook)
        .map(report => ({...report, problems: report.problems.filter(({kind}) => !seenByHelm.includes(kind))}));
      since = lasting(hooks, since, now);
      const stuck = hopeless(hooks, since, now);
      if (stuck.length > 0) {
        const failed = await notReady(port, `a hook of ${readiness.what} cannot start`, stuck);
        await giveUp();
        return failed.ok ? undefined : failed.error;
      }
    }
    hash = look.value.hash;
  }
};

/** What is not ready at this moment and why, as a failure; undefined when all is, or nobody can tell. */
export const reasonsNow = async (port: ApplyPort, readiness: Readiness): Promise<Failure | undefined> => {
  const look = await lookAt(port, readiness, 'none');
  if (!look.ok || !look.value.snapshot) return undefined;
  const open = reportsOf(look.value.snapshot).filter(({state, problems}) => !state.ready && problems.length > 0);
  if (open.length === 0) return undefined;
  const told = await notReady(port, readiness.what, open);
  return told.ok ? undefined : told.error;
};

const mostLines = 8;
const mostLogs = 2;

const notReady = async (
  port: ApplyPort,
  message: string,
  reports: readonly Report[],
): Promise<Result<never, Failure>> => {
  const withProblems = reports.toSorted((one, other) => other.problems.length - one.problems.length);
  const logs: string[] = [];
  for (const {problems} of withProblems.slice(0, mostLogs)) {
    const problem = problems.find(({log}) => log);
    if (problem?.log) logs.push(...(await lastLines(port, problem.namespace, problem.log)));
  }
  const [first] = withProblems;
  return err(
    withRemedy(
      {
        kind: 'command',
        message: first ? `${message}: ${first.line}` : `${message}: the API server does not answer`,
        tail: [...withProblems.slice(0, mostLines).map(({line}) => line), ...logs],
      },
      kubernetesRemedies,
    ),
  );
};

/** Lines of a container's log: of the one that died. Which one that is may change while we ask. */
const lastLines = async (
  port: ApplyPort,
  namespace: string,
  {pod, container, previous}: NonNullable<Problem['log']>,
): Promise<readonly string[]> => {
  const read = sh`kubectl --request-timeout=20s logs --namespace=${namespace} ${pod} --container=${container} --tail=8`;
  const [first, second] = previous ? [sh`${read} --previous`, read] : [read, sh`${read} --previous`];
  const answer = await port.run(
    lines(
      kubeEnvironment,
      // A log that went with its container is told of on standard output, with exit status 0.
      sh`for _ in 1 2 3; do
  for way in one other; do
    case $way in
      one) found=$(${first} 2>/dev/null) || continue ;;
      other) found=$(${second} 2>/dev/null) || continue ;;
    esac
    if [ -n "$found" ] && ! grep -q '^unable to retrieve container logs' <<<"$found"; then
      printf '%s\n' "$found"
      exit 0
    fi
  done
  sleep 1
done`,
    ),
    silent,
  );
  if (!answer.ok) return [];
  const said = answer.value.stdout.split('\n').filter(line => line.trim() !== '');
  return said.length === 0 ? [] : [`log of ${pod}, ${container}:`, ...said.map(line => `  ${line}`)];
};
