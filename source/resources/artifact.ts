import {type Artifact, artifactPath, fileNameOf} from '../artifacts/artifact.ts';
import {carriedFileOf, readCarried} from '../artifacts/carried.ts';
import {downloadScript, type Patience} from '../artifacts/download.ts';
import {type ArtifactContext, artifactOf} from '../artifacts/for-step.ts';
import {artifactRemedies} from '../artifacts/remedies.ts';
import {addressFrom} from '../artifacts/source.ts';
import {partOf, readStored, type Stored, storedScript, storeFunctions} from '../artifacts/store.ts';
import type {ArtifactSource} from '../deployment/schema.ts';
import type {Failure} from '../engine/failure.ts';
import {withRemedy} from '../engine/remedies.ts';
import {err, ok, type Result} from '../result.ts';
import {lines, sh} from '../shell/script.ts';
import {type Apply, type ApplyOptions, type ApplyPort, type Resource, resource} from './resource.ts';

export type ArtifactOptions = {
  /** Default: the store of every host. */
  readonly store?: string;
  readonly patience?: Patience;
};

/** RKE2's images over a link of 20 kB a second. What hangs is cut off long before, by the download itself. */
const downloadTimeoutMs = 12 * 3_600_000;

/** The checksum of the largest file on the slowest disk. */
const checkTimeoutMs = 900_000;

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

const changeOf = (artifact: Artifact, source: ArtifactSource, state: Stored): string => {
  const name = `${fileNameOf(artifact)}${artifact.size === undefined ? '' : ` (${megabytes(artifact.size)})`}`;
  const from = source.source === 'directory' ? source.path : addressFrom(source, artifact.address);
  const verb = source.source === 'directory' ? 'send' : 'download';
  if (state.kind === 'missing' && state.part > 0)
    return `${verb} the rest of ${name} from ${from}, behind ${megabytes(state.part)}`;
  return state.kind === 'unverified' ? `check ${name} and ${verb} it if it is wrong` : `${verb} ${name} from ${from}`;
};

const download = (artifact: Artifact, source: ArtifactSource, options: ArtifactOptions): Apply => {
  const script = downloadScript(artifact, source, options);
  return port => port.run(script, {detached: true, timeoutMs: downloadTimeoutMs});
};

/** Words of the scripts below that are answers to us and not for the log. */
const quietly: ApplyOptions = {
  timeoutMs: checkTimeoutMs,
  told: line => (/^(resumed|fresh|wrong [0-9a-f]{64})$/.test(line) ? undefined : line),
};

/** Brings the file from this side: what is missing of it, then the check on the host, and only then its name. */
const send =
  (artifact: Artifact, directory: string, {store}: ArtifactOptions): Apply =>
  async port => {
    const input = (message: string): Result<never, Failure> => err({kind: 'input', message});
    const list = readCarried(directory);
    if (!list.ok) return input(list.error);
    const found = carriedFileOf(directory, list.value, artifact);
    if (!found.ok) return input(found.error);
    const {path: from, sha256, size} = found.value;
    const functions = storeFunctions({...artifact, size}, store);
    const path = artifactPath(artifact, store);
    const receive = async (): Promise<Result<'received' | 'wrong', Failure>> => {
      const sent = await port.send({from, to: partOf(path)});
      if (!sent.ok) return sent;
      const checked = await port.run(
        lines(
          functions,
          sh`found=$(hash_of "$part")`,
          sh`if [ "$found" != ${sha256} ]; then rm -f "$part"; echo "wrong $found"; exit 0; fi`,
          sh`accept "$found"`,
          sh`echo "$name: sha256 is right"`,
        ),
        quietly,
      );
      if (!checked.ok) return checked;
      return ok(checked.value.stdout.startsWith('wrong ') ? 'wrong' : 'received');
    };
    const begun = await port.run(
      lines(
        functions,
        sh`keep ${sha256} && exit 0`,
        sh`room`,
        sh`if [ -s "$part" ]; then echo resumed; else echo fresh; fi`,
      ),
      quietly,
    );
    if (!begun.ok) return begun;
    const state = begun.value.stdout.trim().split('\n').at(-1);
    if (state !== 'resumed' && state !== 'fresh') return ok();
    const first = await receive();
    if (!first.ok || first.value === 'received') return first;
    // What lay there from before belonged to another file.
    const second = state === 'resumed' ? await receive() : first;
    if (!second.ok || second.value === 'received') return second;
    return input(`${from} has a wrong checksum, and was deleted on the host: its list says sha256 ${sha256}`);
  };

/** With the cause and the advice for downloads, so that each step need not name them. */
const explained =
  (apply: Apply): Apply =>
  async (port: ApplyPort) => {
    const applied = await apply(port);
    return applied.ok ? applied : err(withRemedy(applied.error, artifactRemedies));
  };

/** The file at its place in the store, verified. How it comes there is the deployment's `artifacts`. */
export const artifactResource = (
  artifact: Artifact,
  source: ArtifactSource,
  options: ArtifactOptions = {},
): Resource => {
  const path = artifactPath(artifact, options.store);
  return resource<Stored>({
    id: `artifact ${artifact.id} ${artifact.version}`,
    doing: `${source.source === 'directory' ? 'sending' : 'downloading'} ${fileNameOf(artifact)}`,
    probe: storedScript(path),
    read: ({stdout}) => {
      const state = readStored(stdout);
      return state ? ok(state) : err(`the state of ${path} could not be read`);
    },
    diff: state => {
      const right = state.kind === 'verified' && (artifact.sha256 === undefined || artifact.sha256 === state.sha256);
      return right ? [] : [{summary: changeOf(artifact, source, state)}];
    },
    apply: () =>
      explained(
        source.source === 'directory' ? send(artifact, source.path, options) : download(artifact, source, options),
      ),
  });
};

/** An artifact of the deployment on a host, by its id in the catalogue. */
export const artifact = (context: ArtifactContext, id: string): Resource =>
  artifactResource(artifactOf(id, context), context.deployment.artifacts);
