import {createHash} from 'node:crypto';
import {posix} from 'node:path';
import {redactor} from '../engine/redact.ts';
import {kubeEnvironment, printer, privateFolder, unlessAnswered, unlessInstalled} from '../kubernetes/access.ts';
import type {HookMatcher, Trust} from '../kubernetes/chart-edits.ts';
import {recordKeepingClaims} from '../kubernetes/helm-record.ts';
import {
  claimsOf,
  installScript,
  type Release,
  recordScript,
  stopScript,
  uninstallScript,
} from '../kubernetes/helm-script.ts';
import {listOf, nameOf} from '../kubernetes/objects.ts';
import {type Readiness, reasonsNow, tellUntil, waitUntilReady} from '../kubernetes/readiness.ts';
import {
  jobsIn,
  missingOf,
  readWorkloads,
  stateOf,
  type Workload,
  type WorkloadRef,
  workloadsByName,
  workloadsOfRelease,
} from '../kubernetes/workloads.ts';
import {err, ok, type Result} from '../result.ts';
import type {PartOutput} from '../shell/frame.ts';
import {lines, nothing, sh} from '../shell/script.ts';
import {inCluster} from './manifest.ts';
import {type Apply, type Change, type Resource, resource} from './resource.ts';
import {absolute} from './write-file.ts';

export type {HookMatcher, Trust} from '../kubernetes/chart-edits.ts';

/** A verified chart on the host. */
export type ChartRef = {
  /** Absolute path of the .tgz. */
  readonly path: string;
  readonly version: string;
  /** sha256 of the file, where one version is published more than once (`0.0.0-develop`). */
  readonly sha256?: string;
};

export type HelmRelease = {
  readonly name: string;
  readonly namespace: string;
  readonly chart: ChartRef;
  readonly values: object;
  /** Texts among the values that must never be shown. */
  readonly secretValues?: readonly string[];
  /** Default false: the namespace is there. */
  readonly createNamespace?: boolean;
  /** For the hooks, and again for the workloads to become ready. Default 900. */
  readonly timeoutSeconds?: number;
  /** Workloads that the chart does not hold and that an operator makes of it. */
  readonly alsoReady?: readonly WorkloadRef[];
  /**
   * Hook Jobs that run as ordinary Jobs beside everything else. Without this helm runs the hooks of a chart one after the
   * other and each to its end, so that one that waits for a later one waits for ever.
   */
  readonly hooksAsJobs?: readonly HookMatcher[];
  /** Authorities that the pods are to trust beside what their images bring. */
  readonly trust?: Trust;
};

/** The newest revision. */
type Revision = {
  readonly revision: number;
  readonly status: string;
  /** `keycloak-1.2.3` */
  readonly chart: string;
  readonly description: string;
};

type State = {
  readonly cluster: boolean;
  readonly revision?: Revision;
  readonly workloads: readonly Workload[];
};

/** The same text for the same value, whatever the order of keys. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : item,
  );

/** What the newest revision says of itself when it is ours and as it should be. */
export const descriptionOf = ({chart, values, hooksAsJobs = [], trust}: HelmRelease): string => {
  const {path, version, sha256} = chart;
  const file = posix.basename(path);
  const hash = createHash('sha256')
    .update(canonical({file, version, sha256, values, hooksAsJobs, trust}))
    .digest('hex');
  return `Groundwork ${hash.slice(0, 32)}`;
};

const checkNames = ({name, namespace}: Release): void => {
  if (!/^[a-z0-9]([a-z0-9-]{0,51}[a-z0-9])?$/.test(name)) throw new Error(`not the name of a release: ${name}`);
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(namespace)) throw new Error(`not a namespace: ${namespace}`);
};

const read = (release: Release, {code, stdout, stderr}: PartOutput): Result<State, string> => {
  const [first = '', second = ''] = stdout.split('\n');
  if (first === 'no-cluster') return ok({cluster: false, workloads: []});
  if (code !== 0) return err(`helm could not tell of it: ${stderr.trim().split('\n').at(-1) || 'it said nothing'}`);
  const owner = `${release.namespace}/${release.name}`;
  const workloads = readWorkloads(stdout).filter(
    workload => workload.release === undefined || workload.release === owner,
  );
  if (first === 'absent') return ok({cluster: true, workloads: []});
  try {
    const [revision] = JSON.parse(second) as readonly Revision[];
    return revision ? ok({cluster: true, revision, workloads}) : ok({cluster: true, workloads: []});
  } catch {
    return err('helm’s history of it could not be read');
  }
};

/** What keeps a release from being ours and whole; undefined when it is, whether or not its workloads are ready. */
const releaseChange = (release: HelmRelease, {revision}: State): Change | undefined => {
  const {name, chart} = release;
  if (!revision) return {summary: `install ${name}, version ${chart.version} of its chart`};
  const {status, description} = revision;
  const number = `revision ${revision.revision}`;
  if (status.startsWith('pending-'))
    return {summary: `repair ${name}: ${number} was cut off in the middle (${status})`};
  if (status === 'uninstalling' || status === 'uninstalled')
    return {summary: `install ${name} again: ${number} is ${status}`};
  if (status === 'failed') return {summary: `repair ${name}: ${number} has failed`};
  if (description === descriptionOf(release)) return undefined;
  if (!revision.chart.endsWith(`-${chart.version}`))
    return {summary: `upgrade ${name}: chart ${revision.chart} → ${chart.version}`};
  if (description.startsWith('Groundwork ')) return {summary: `change the settings of ${name}`};
  return {summary: `set ${name} back: ${number} was made by another hand`, detail: [`helm says: ${description}`]};
};

const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

const readinessChanges = ({alsoReady = []}: HelmRelease, {workloads}: State): readonly Change[] => {
  const open = [...workloads, ...missingOf(alsoReady, workloads)].filter(workload => !stateOf(workload).ready);
  if (open.length === 0) return [];
  return [
    {
      summary: `wait until ${plural(open.length, 'workload')} of it ${open.length === 1 ? 'is' : 'are'} ready`,
      detail: open.map(workload => `${nameOf(workload)} ${stateOf(workload).progress}`),
    },
  ];
};

/** A Helm release with exactly these values and this chart, whose workloads are ready. */
export const helmRelease = (release: HelmRelease): Resource => {
  const {name, namespace, chart, values, secretValues = [], createNamespace = false} = release;
  const {timeoutSeconds = 900, alsoReady = [], hooksAsJobs = []} = release;
  checkNames(release);
  absolute(chart.path);
  const redact = redactor(() => secretValues);
  const look = sh`${workloadsOfRelease(name)} && ${workloadsByName(alsoReady)}`;
  const concerns = ({release: owner, ...workload}: Workload): boolean =>
    owner === `${namespace}/${name}` ||
    alsoReady.some(({name: also, namespace: where}) => workload.name === also && workload.namespace === where);
  const readiness: Readiness = {what: name, look, concerns, expected: alsoReady, timeoutSeconds};
  // While helm works, also its hooks.
  const watching: Readiness = {
    ...readiness,
    look: sh`${workloadsOfRelease(name)} && ${jobsIn(namespace)}`,
    // A hook does not say of which release it is; its label does, or else its name.
    concerns: workload =>
      concerns(workload) ||
      (workload.hook === true &&
        (workload.instance === undefined ? workload.name.startsWith(name) : workload.instance === name)),
    expected: [],
  };
  const apply =
    (state: State): Apply =>
    async port => {
      const told = new Map<string, string>();
      if (releaseChange(release, state)) {
        const helm = port.run(
          installScript({
            name,
            namespace,
            chart: chart.path,
            values: JSON.stringify(values),
            description: descriptionOf(release),
            createNamespace,
            timeoutSeconds,
            hooksAsJobs,
            ...(release.trust && {trust: release.trust}),
          }),
          {detached: true, timeoutMs: (3 * timeoutSeconds + 1200) * 1000, told: redact},
        );
        const stop = () => port.run(stopScript({name, namespace}));
        const [ran, stuck] = await Promise.all([helm, tellUntil(port, {...watching, told}, helm, stop)]);
        if (!ran.ok) {
          if (stuck && ran.error.kind === 'command') return err(inCluster(secretValues)(stuck));
          const why = ran.error.kind === 'command' ? await reasonsNow(port, watching) : undefined;
          // What helm says itself comes first; what it waited for in vain explains the rest.
          const said = inCluster(secretValues)(ran.error);
          const tail = [...(said.tail ?? []), ...(why?.tail ?? [])];
          return err(inCluster(secretValues)({...said, tail}));
        }
      }
      const ready = await waitUntilReady(port, {...readiness, told});
      return ready.ok ? ready : err(inCluster(secretValues)(ready.error));
    };
  return resource<State>({
    id: `release ${namespace}/${name}`,
    doing: `installing ${name}`,
    probe: lines(
      kubeEnvironment,
      unlessInstalled('helm'),
      privateFolder,
      sh`if helm history ${name} --namespace=${namespace} --max=1 --output=json >"$dir/history" 2>"$dir/errors"; then
  echo release
  cat "$dir/history"
  echo
elif grep -q 'release: not found' "$dir/errors"; then
  echo absent
  exit 0
else
${unlessAnswered(sh`"$dir/errors"`)}
  cat "$dir/errors" >&2
  exit 1
fi`,
      look,
    ),
    read: output => read(release, output),
    diff: state => {
      const change = releaseChange(release, state);
      return change ? [change] : readinessChanges(release, state);
    },
    apply,
  });
};

export type HelmAbsent = Release & {
  /** Also delete the volume claims of the release, and with them the data. Default false: they stay. */
  readonly purge?: boolean;
  /** Default 300. */
  readonly timeoutSeconds?: number;
};

type Left = {readonly release: boolean; readonly claims: readonly string[]};

/**
 * No release of this name. Its volume claims stay, those that the chart itself makes too, unless they are to be purged.
 */
export const helmAbsent = ({name, namespace, purge = false, timeoutSeconds = 300}: HelmAbsent): Resource => {
  const release: Release = {name, namespace};
  checkNames(release);
  const protectClaims: Apply = async port => {
    const record = await port.run(recordScript(release), {told: () => undefined, timeoutMs: 700_000});
    if (!record.ok) return record;
    const [secret, data] = record.value.stdout.trim().split(' ');
    if (!secret || !data) return ok();
    const kept = recordKeepingClaims(data);
    if (!kept.ok)
      return err({
        kind: 'command',
        message: `${name} is not removed, because its data could be lost: ${kept.error}`,
        remedy: 'Remove it by hand with `helm uninstall`, or with its data.',
      });
    if (kept.value === undefined) return ok();
    const patch = {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'helm.sh/release.v1',
      metadata: {name: secret, namespace},
      data: {release: kept.value},
    };
    return port.run(
      lines(
        kubeEnvironment,
        printer('record', listOf([patch])),
        sh`record | kubectl apply --server-side --force-conflicts --field-manager=groundwork --filename=- >/dev/null`,
      ),
    );
  };
  return resource<Left>({
    id: `no release ${namespace}/${name}`,
    doing: `removing ${name}`,
    probe: lines(
      kubeEnvironment,
      unlessInstalled('kubectl'),
      privateFolder,
      sh`if kubectl --request-timeout=20s get secrets --namespace=${namespace} --selector=${`owner=helm,name=${name}`} --output=name >"$dir/records" 2>"$dir/errors"; then
  cat "$dir/records"
else
${unlessAnswered(sh`"$dir/errors"`)}
  cat "$dir/errors" >&2
  exit 1
fi`,
      purge ? claimsOf(release) : nothing,
    ),
    read: ({code, stdout, stderr}) => {
      if (code !== 0) return err(`helm’s records could not be read: ${stderr.trim().split('\n').at(-1) ?? ''}`);
      const names = stdout.split('\n').filter(line => line !== '');
      return ok({
        release: names.some(found => found.startsWith('secret/')),
        claims: [...new Set(names.filter(found => found.startsWith('persistentvolumeclaim/')))],
      });
    },
    diff: ({release: there, claims}) => [
      ...(there ? [{summary: purge ? `remove ${name} and its data` : `remove ${name}; its volume claims stay`}] : []),
      ...claims.map(claim => ({summary: `delete volume claim ${claim.slice(claim.indexOf('/') + 1)}`})),
    ],
    apply: left => async port => {
      if (left.release && !purge) {
        const kept = await protectClaims(port);
        if (!kept.ok) return kept;
      }
      const removed = await port.run(uninstallScript(release, {purge, timeoutSeconds}), {
        detached: true,
        timeoutMs: (3 * timeoutSeconds + 900) * 1000,
      });
      return removed.ok ? removed : err(inCluster([])(removed.error));
    },
  });
};
