import {resolve} from 'node:path';
import type {Arch, Artifact} from '../artifacts/artifact.ts';
import {askServers} from '../artifacts/ask-servers.ts';
import {carriedFileOf, readCarried} from '../artifacts/carried.ts';
import {catalogue} from '../artifacts/catalogue.ts';
import {newClient} from '../artifacts/client.ts';
import {checkFile, type PullPorts, pull} from '../artifacts/pull.ts';
import {artifactRemedies} from '../artifacts/remedies.ts';
import {addressFrom, proxyOf} from '../artifacts/source.ts';
import {versionSetOf, versionSets} from '../blueprints/versions.ts';
import type {ArtifactSource} from '../deployment/schema.ts';
import {err, ok, type Result} from '../result.ts';
import {controlBySignals} from './carry-out.ts';
import {clock} from './clock.ts';
import type {Command, Invocation, World} from './command.ts';
import {exit} from './exit.ts';
import {deploymentOptions, load, outputForm, outputOptions} from './inputs.ts';
import {complain, writeJson} from './report.ts';

const verbs = ['pull', 'list', 'check'] as const;

/** What is to be fetched, and from where. */
type Order = {readonly artifacts: readonly Artifact[]; readonly source: ArtifactSource};

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** By the deployment when one is named; otherwise the default set of versions, from the publishers. */
const orderOf = async (invocation: Invocation, world: World): Promise<Result<Order, string>> => {
  const arch = invocation.text('arch') ?? 'amd64';
  if (arch !== 'amd64' && arch !== 'arm64') return err(`--arch is amd64 or arm64, not "${arch}"`);
  const named = invocation.text('deployment') === undefined ? undefined : await load(invocation, world);
  if (named && !named.ok) return named;
  const deployment = named?.value.deployment;
  const id = invocation.text('versions') ?? deployment?.components.kubernetes?.versions ?? 'default';
  const versions = versionSetOf(id);
  if (!versions)
    return err(`there is no set of versions "${id}"; sets are default, ${versionSets.map(set => set.id).join(', ')}`);
  // A folder is what is being filled or checked here, so what it was filled from is the publishers.
  const source: ArtifactSource =
    deployment === undefined
      ? {source: 'online'}
      : deployment.artifacts.source === 'directory'
        ? {source: 'online', ...(deployment.artifacts.proxy && {proxy: deployment.artifacts.proxy})}
        : deployment.artifacts;
  return ok({artifacts: artifactsUnder(source, catalogue(versions, arch as Arch)), source});
};

/** Where the checksums on the mirror decide, nothing that is known beforehand does. */
const artifactsUnder = (source: ArtifactSource, all: readonly Artifact[]): readonly Artifact[] =>
  source.source === 'mirror' && source.checksums === 'published'
    ? all.map(({sha256: _, ...artifact}) => artifact)
    : all;

const adviceOn = (reason: string): string | undefined => artifactRemedies.find(({match}) => match.test(reason))?.remedy;

/** The reasons of failures, each with its advice, once. */
const tellAdvice = (world: World, reasons: readonly string[]): void => {
  for (const advice of new Set(reasons.flatMap(reason => adviceOn(reason) ?? []))) world.stderr.write(`${advice}\n`);
};

const list = (world: World, {artifacts, source}: Order, json: boolean): number => {
  for (const artifact of artifacts) {
    const {id, version, kind, arch, sha256, checksumAddress, index} = artifact;
    const address = addressFrom(source, artifact.address);
    const proof = checksumAddress ?? index?.address;
    const checksum = proof === undefined ? undefined : addressFrom(source, proof);
    if (json) writeJson(world, {type: 'artifact', id, version, kind, arch, address, sha256, checksum});
    else
      world.stdout.write(
        `${id} ${version}\n  ${address}\n  ${sha256 === undefined ? `sha256 from ${checksum}` : `sha256 ${sha256}`}\n`,
      );
  }
  return exit.done;
};

const portsOf = (world: World, source: ArtifactSource, signal: AbortSignal, json: boolean): PullPorts => ({
  client: newClient(proxyOf({artifacts: source}), world.environment),
  source,
  clock,
  signal,
  tell: line => {
    if (json) writeJson(world, {type: 'progress', line});
    else world.stdout.write(`${line}\n`);
  },
});

const fill = async (world: World, order: Order, directory: string, json: boolean): Promise<number> => {
  const {control, end} = controlBySignals(world);
  const {artifacts, source} = order;
  const pulled = await pull(
    directory,
    artifacts,
    portsOf(world, source, control.signal, json),
    ({artifact, result}) => {
      const {id, version} = artifact;
      if (json) {
        writeJson(world, {
          type: 'artifact',
          id,
          version,
          ...(result.ok ? result.value : {state: 'failed', reason: result.error}),
        });
      } else if (result.ok) {
        const words = result.value.state === 'there' ? 'is there already' : 'fetched, sha256 is right';
        world.stdout.write(`${id} ${version}: ${words} (${megabytes(result.value.size)})\n`);
      } else world.stderr.write(`${id} ${version}: ${result.error}\n`);
    },
  );
  end();
  const failed = pulled.flatMap(({result}) => (result.ok ? [] : [result.error]));
  if (control.signal.aborted) return complain(world, 'stopped; what came so far is kept', exit.stopped);
  if (failed.length > 0) {
    tellAdvice(world, failed);
    return complain(world, `${failed.length} of ${artifacts.length} could not be fetched`, exit.failed);
  }
  if (!json) world.stdout.write(`${directory} is complete: use it with --artifacts, or serve it as a mirror.\n`);
  return exit.done;
};

const checkDirectory = async (world: World, {artifacts}: Order, directory: string, json: boolean): Promise<number> => {
  const carried = readCarried(directory);
  if (!carried.ok) return complain(world, carried.error, exit.failed);
  let wrong = 0;
  for (const artifact of artifacts) {
    const {id, version} = artifact;
    const found = carriedFileOf(directory, carried.value, artifact);
    const right = found.ok ? await checkFile(found.value.path, found.value) : found;
    const reason = right.ok ? undefined : found.ok ? `${id} ${version} ${right.error}` : right.error;
    if (reason !== undefined) wrong += 1;
    if (json)
      writeJson(world, {type: 'artifact', id, version, state: reason === undefined ? 'right' : 'wrong', reason});
    else if (reason === undefined) world.stdout.write(`${id} ${version}: right\n`);
    else world.stderr.write(`${reason}\n`);
  }
  return wrong === 0
    ? exit.done
    : complain(
        world,
        `${wrong} of ${artifacts.length} are missing or wrong; run groundwork artifacts pull --to ${directory} again`,
        exit.failed,
      );
};

const checkServers = async (world: World, {artifacts, source}: Order, json: boolean): Promise<number> => {
  const {control, end} = controlBySignals(world);
  const ports = portsOf(world, source, control.signal, json);
  const reasons: string[] = [];
  for await (const {artifact, state, size, reason} of askServers(artifacts, ports)) {
    const {id, version} = artifact;
    if (reason !== undefined) reasons.push(reason);
    if (json) writeJson(world, {type: 'artifact', id, version, state, size, reason});
    else if (reason === undefined)
      world.stdout.write(`${id} ${version}: can be had${size === undefined ? '' : ` (${megabytes(size)})`}\n`);
    else world.stderr.write(`${id} ${version}: ${reason}\n`);
  }
  end();
  if (control.signal.aborted) return exit.stopped;
  tellAdvice(world, reasons);
  return reasons.length === 0
    ? exit.done
    : complain(world, `${reasons.length} of ${artifacts.length} cannot be had`, exit.failed);
};

export const artifacts: Command = {
  name: 'artifacts',
  summary: 'fetch, list or check everything that an installation downloads',
  description: [
    'pull: fills a folder with all of it, checked, for a site without internet; go there with',
    'the folder and say --artifacts DIR. A folder that is there already is completed. Its',
    'layout is that of a mirror. list: every address and where its checksum comes from.',
    'check: with a folder, whether all in it is right and nothing is missing; without one,',
    'whether this machine can reach every address.',
  ],
  words: ['pull|list|check', '[DIR]'],
  options: {
    ...deploymentOptions,
    ...outputOptions,
    to: {type: 'string', value: 'DIR', help: 'pull: the folder to fill'},
    versions: {type: 'string', value: 'SET', help: 'a set of versions; default: that of the deployment, else default'},
    arch: {type: 'string', value: 'ARCH', help: 'amd64 or arm64; default amd64'},
  },
  examples: [
    'groundwork artifacts pull --to /media/stick/groundwork',
    'groundwork artifacts pull --deployment sandbox.yaml --to /srv/mirror',
    'groundwork artifacts check /media/stick/groundwork',
    'groundwork artifacts list --output jsonl',
  ],
  run: async (invocation, world) => {
    const [verb = '', word] = invocation.positionals;
    if (!verbs.some(known => known === verb))
      return complain(world, `say pull, list or check, not "${verb}"`, exit.usage);
    const form = outputForm(invocation);
    if (!form.ok) return complain(world, form.error, exit.usage);
    const json = form.value === 'jsonl';
    const order = await orderOf(invocation, world);
    if (!order.ok) return complain(world, order.error, exit.usage);
    if (verb === 'list') return list(world, order.value, json);
    if (verb === 'check')
      return word === undefined
        ? checkServers(world, order.value, json)
        : checkDirectory(world, order.value, resolve(word), json);
    const to = invocation.text('to') ?? word;
    if (to === undefined) return complain(world, 'say which folder to fill: --to DIR', exit.usage);
    return fill(world, order.value, resolve(to), json);
  },
};
