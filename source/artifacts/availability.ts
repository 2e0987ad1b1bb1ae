import type {ArtifactSource, Deployment, HostSpec} from '../deployment/schema.ts';
import type {Failure} from '../engine/failure.ts';
import type {CheckResult} from '../hosts/check.ts';
import type {Connection} from '../hosts/connection.ts';
import type {Facts} from '../hosts/facts.ts';
import type {Result} from '../result.ts';
import {lines, type Script, sh} from '../shell/script.ts';
import {type Artifact, artifactPath, artifactStore} from './artifact.ts';
import {type Availability, askServers} from './ask-servers.ts';
import {carriedFileOf, readCarried} from './carried.ts';
import type {Client} from './client.ts';
import {curlFunctions} from './curl.ts';
import {fetchIndex, learn} from './download.ts';
import {artifactsFor} from './for-step.ts';
import {isNeeded} from './needed.ts';
import {artifactRemedies} from './remedies.ts';
import {verifiedScript} from './store.ts';

/** Seconds that a server may take to say whether it has a file. */
const headSeconds = 45;

/** Milliseconds for all of it: the largest index over a slow link, all files side by side. */
const timeoutMs = 660_000;

/** `OK BYTES`, or `NO REASON`: asks for the file's head, with the answer's first byte where heads are not given. */
const askFor = (artifact: Artifact, source: ArtifactSource, indexFile: Script | undefined): Script =>
  lines(
    learn(artifact, source, indexFile),
    sh`head=$(get --head --max-time ${headSeconds} --write-out '\n%{http_code}' "$address" 2>"$scratch/errors")`,
    sh`status=$?`,
    sh`code=$(printf '%s' "$head" | tail -n 1)`,
    sh`if [ "$status" = 22 ]; then
  case $code in
    405|501) head=; status=0 ;;
  esac
fi`,
    sh`[ "$status" = 0 ] || fail "$(explain "$status" "$code" "$address" "$scratch/errors")"`,
    sh`size=$(printf '%s' "$head" | tr -d '\r' |
  awk 'tolower($1) ~ /^http\// { n = "" } tolower($1) == "content-length:" { n = $2 } END { if (n ~ /^[0-9]+$/) print n }')`,
    sh`printf 'OK %s\n' "$size"`,
  );

/**
 * Asks for everything side by side, each chart repository's index once. Prints `N OK BYTES`, `N PRESENT` or `N NO
 * REASON` for the artifact at place N, `free BYTES`, and before them `no-curl` where nothing can be asked.
 */
export const availabilityScript = (
  artifacts: readonly Artifact[],
  source: ArtifactSource,
  store: string = artifactStore,
): Script => {
  const indexes = [...new Set(artifacts.flatMap(({index}) => (index ? [index.address] : [])))];
  const ask = (artifact: Artifact, place: number): Script => {
    const repository = artifact.index ? indexes.indexOf(artifact.index.address) : -1;
    const indexFile = sh`"$all"/index-${repository}/small`;
    return lines(
      sh`(`,
      sh`  scratch=$all/${place}; mkdir "$scratch"; trap - EXIT`,
      verifiedScript(artifactPath(artifact, store), artifact.sha256),
      sh`  if verified; then echo PRESENT; exit; fi`,
      ...(artifact.index
        ? [sh`  [ ! -s "$all"/index-${repository}/failed ] || { cat "$all"/index-${repository}/failed; exit; }`]
        : []),
      source.source === 'directory' ? sh`  echo 'NO ' ` : askFor(artifact, source, artifact.index && indexFile),
      sh`) >"$all"/answer-${place} 2>/dev/null &`,
    );
  };
  // Only for charts that are not there yet: the index of a large repository is larger than all of them.
  const fetch = (address: string, place: number): Script =>
    lines(
      sh`( scratch=$all/index-${place}; mkdir "$scratch"; trap - EXIT; wanted=no`,
      ...artifacts
        .filter(({index}) => index?.address === address)
        .flatMap(chart => [verifiedScript(artifactPath(chart, store), chart.sha256), sh`verified || wanted=yes`]),
      sh`[ "$wanted" = yes ] || exit`,
      fetchIndex(address, source),
      sh`) >"$all"/index-${place}.said 2>/dev/null &`,
    );
  return lines(
    sh`set -u`,
    sh`export LC_ALL=C`,
    curlFunctions(source),
    ...(source.source === 'directory' ? [] : [sh`command -v curl >/dev/null || echo no-curl`]),
    // The reason is the answer, so that it reaches us in its place.
    sh`fail() { echo "NO $1"; exit 0; }`,
    sh`all=$(mktemp -d) || exit 1`,
    sh`trap 'rm -rf "$all"' EXIT`,
    ...(source.source === 'directory'
      ? []
      : [
          ...indexes.map(fetch),
          sh`wait`,
          ...indexes.map((_, place) => sh`mv "$all"/index-${place}.said "$all"/index-${place}/failed`),
        ]),
    ...artifacts.map(ask),
    sh`wait`,
    ...artifacts.map((_, place) => sh`echo ${place} "$(head -n 1 "$all"/answer-${place})"`),
    sh`place=${store}`,
    sh`until [ -d "$place" ]; do place=$(dirname "$place"); done`,
    sh`echo free "$(df --output=avail -B1 "$place" | tail -n 1 | tr -d ' ')"`,
  );
};

/** What the host said; an artifact that it said nothing of is missing. */
export const readAvailability = (
  artifacts: readonly Artifact[],
  stdout: string,
): {readonly found: readonly Availability[]; readonly freeBytes: number | undefined; readonly asked: boolean} => {
  const said = new Map(
    stdout.split('\n').map(line => {
      const [key = '', ...rest] = line.split(' ');
      return [key, rest.join(' ')] as const;
    }),
  );
  const free = said.get('free');
  return {
    found: artifacts.map((artifact, place): Availability => {
      const answer = said.get(String(place)) ?? '';
      if (answer === 'PRESENT') return {artifact, state: 'present'};
      const size = /^OK(?: (\d+))?$/.exec(answer.trimEnd());
      if (size) return {artifact, state: 'available', ...(size[1] !== undefined && {size: Number(size[1])})};
      return {artifact, state: 'missing', reason: answer.replace(/^NO ?/, '') || 'nothing was found out about it'};
    }),
    freeBytes: free !== undefined && /^\d+$/.test(free) ? Number(free) : undefined,
    asked: !said.has('no-curl'),
  };
};

/** What the host lacks, looked up in the folder on this side. */
const carriedAvailability = (directory: string, found: readonly Availability[]): readonly Availability[] => {
  if (found.every(({state}) => state === 'present')) return found;
  const list = readCarried(directory);
  return found.map((each): Availability => {
    if (each.state === 'present') return each;
    if (!list.ok) return {...each, state: 'missing', reason: list.error};
    const carried = carriedFileOf(directory, list.value, each.artifact);
    return carried.ok
      ? {artifact: each.artifact, state: 'available', size: carried.value.size}
      : {...each, state: 'missing', reason: carried.error};
  });
};

/** Reasons that are the same from wherever one asks. */
const definite = /is not there|does not list|gives no digest|has no sha256/;

/**
 * A host fresh from its image may have no curl before the host baseline brings it. Then this side asks: what no server
 * has is known all the same. What this side cannot reach says nothing about the host, and is not held against it.
 */
const askedFromHere = async (
  found: readonly Availability[],
  source: ArtifactSource,
  {client, signal}: CheckPorts,
): Promise<{readonly found: readonly Availability[]; readonly unknown: readonly string[]}> => {
  const lacking = found.filter(({state}) => state === 'missing').map(({artifact}) => artifact);
  const answers = new Map<Artifact, Availability>();
  for await (const answer of askServers(lacking, {client, source, signal})) answers.set(answer.artifact, answer);
  const unknown = [...answers.values()].flatMap(({reason}) =>
    reason !== undefined && !definite.test(reason) ? [reason] : [],
  );
  return {
    found: found.map((each): Availability => {
      const answer = answers.get(each.artifact) ?? each;
      return answer.reason !== undefined && !definite.test(answer.reason)
        ? {artifact: each.artifact, state: 'available'}
        : answer;
    }),
    unknown: [...new Set(unknown)],
  };
};

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`;

/** Bytes that must stay free beside the files: what else writes on that disk meanwhile. */
const reserve = 1024 ** 3;

const sum = (found: readonly Availability[]): number =>
  found.reduce(
    (total, {state, size, artifact}) => total + (state === 'available' ? (size ?? artifact.size ?? 0) : 0),
    0,
  );

/** What was found out about a host's artifacts, as preflight checks. */
export const checksFrom = (
  host: string,
  found: readonly Availability[],
  freeBytes: number | undefined,
): readonly CheckResult[] => {
  const about = {host, severity: 'error' as const, acceptable: true};
  const missing = found.filter(({state}) => state === 'missing');
  const present = found.filter(({state}) => state === 'present').length;
  const bytes = sum(found);
  const reasons = [...new Set(missing.map(({reason = ''}) => reason))];
  const known = artifactRemedies.find(({match}) => reasons.some(reason => match.test(reason)));
  const needed = 'every program, image archive and chart version, from where the deployment says';
  const enough = freeBytes === undefined || freeBytes >= bytes + reserve;
  return [
    {
      ...about,
      id: 'artifacts',
      title: 'Everything that is downloaded can be had',
      outcome: missing.length === 0 ? 'passed' : 'failed',
      found:
        missing.length === 0
          ? `${found.length - present} to fetch (${megabytes(bytes)}), ${present} there already`
          : `${missing.length} of ${found.length} cannot be had: ${reasons.slice(0, 3).join('; ')}${reasons.length > 3 ? ` and ${reasons.length - 3} more` : ''}`,
      needed,
      remedy: missing.length === 0 ? '' : (known?.remedy ?? 'See `groundwork artifacts list` for the addresses.'),
    },
    ...(freeBytes === undefined || bytes === 0
      ? []
      : [
          {
            ...about,
            id: 'artifacts-space',
            title: 'Room for what is downloaded',
            outcome: enough ? ('passed' as const) : ('failed' as const),
            found: `${megabytes(freeBytes)} free for ${artifactStore}`,
            needed: `${megabytes(bytes + reserve)}: ${megabytes(bytes)} and 1 GiB beside`,
            remedy: enough ? '' : 'Make room on that disk of the host (`df -h /var/lib`), or enlarge it.',
          },
        ]),
  ];
};

/** That the host itself could not ask: a warning, because the baseline brings curl, and downloads ask again. */
const notAsked = (host: string, unknown: readonly string[]): CheckResult => ({
  host,
  id: 'artifacts-way',
  title: 'The host’s own way to what is downloaded',
  severity: 'warning',
  acceptable: true,
  outcome: 'failed',
  found:
    unknown.length === 0
      ? 'no curl on the host yet; asked from this side, where everything can be reached'
      : `no curl on the host yet; and from this side: ${unknown[0]}`,
  needed: 'an answer to the host itself',
  remedy: 'The host baseline installs curl. To know it beforehand, run `apt-get install curl` on the host.',
});

const silent = (host: string, {message}: Pick<Failure, 'message'>): CheckResult => ({
  host,
  id: 'artifacts',
  title: 'Everything that is downloaded can be had',
  severity: 'error',
  acceptable: true,
  outcome: 'failed',
  found: message,
  needed: 'an answer of the host',
  remedy: 'Look at the connection to the host, then try again.',
});

export type CheckPorts = {
  /** Asks from this side, where a host cannot yet. */
  readonly client: Client;
  readonly signal: AbortSignal;
};

/**
 * Proves, before anything is touched, that all that the deployment downloads can be had by the hosts that need it:
 * asked for on the host, or looked up in the folder that was carried in. Practice hosts borrow the operator's network,
 * so there it would prove nothing.
 */
export const artifactChecks = async (
  deployment: Deployment,
  hosts: readonly {readonly host: HostSpec; readonly facts: Facts}[],
  connect: (host: HostSpec) => Promise<Result<Connection, Failure>>,
  ports: CheckPorts,
): Promise<readonly CheckResult[]> => {
  if (deployment.components.kubernetes === undefined) return [];
  const computing = hosts.filter(({host, facts}) => host.roles.includes('compute') && !facts.practice);
  const source = deployment.artifacts;
  const checked = await Promise.all(
    computing.map(async ({host, facts}, place): Promise<readonly CheckResult[]> => {
      const artifacts = artifactsFor({deployment, facts})
        .filter(artifact => isNeeded(deployment, artifact))
        // What acts on the cluster is done on the first of them.
        .filter(({kind}) => place === 0 || kind !== 'chart');
      const connection = await connect(host);
      const answer = connection.ok
        ? await connection.value.run(availabilityScript(artifacts, source), {timeoutMs, signal: ports.signal})
        : connection;
      if (!answer.ok) return [silent(host.name, answer.error)];
      const {found, freeBytes, asked} = readAvailability(artifacts, answer.value.stdout);
      if (source.source === 'directory')
        return checksFrom(host.name, carriedAvailability(source.path, found), freeBytes);
      if (asked || found.every(({state}) => state === 'present')) return checksFrom(host.name, found, freeBytes);
      const here = await askedFromHere(found, source, ports);
      return [...checksFrom(host.name, here.found, freeBytes), notAsked(host.name, here.unknown)];
    }),
  );
  return checked.flat();
};
