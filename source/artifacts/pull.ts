import {createHash} from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import {dirname, join} from 'node:path';
import {pipeline} from 'node:stream/promises';
import type {ArtifactSource} from '../deployment/schema.ts';
import type {Clock} from '../engine/ports.ts';
import {err, ok, type Result} from '../result.ts';
import {type Artifact, fileNameOf} from './artifact.ts';
import {type CarriedFile, type CarriedList, listName, readCarried} from './carried.ts';
import {entryInIndex} from './chart-index.ts';
import {checksumIn} from './checksum-file.ts';
import {type Client, reasonOf} from './client.ts';
import {addressFrom, placeOf} from './source.ts';

/** An artifact with the address and the checksum that it really has. */
export type Resolved = {
  readonly artifact: Artifact;
  /** Its publisher's; a mirror has it below its own. */
  readonly address: string;
  readonly sha256: string;
  /** The file of checksums that said so, to be kept beside the file. */
  readonly checksums?: {readonly address: string; readonly text: string};
};

export type PullPorts = {
  readonly client: Client;
  readonly source: ArtifactSource;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** A line about how far it is. */
  readonly tell: (line: string) => void;
};

/** Tries in a row that bring not one byte, and the seconds before each further one. */
const pauses: readonly number[] = [2, 5];

/** Seconds between two lines that tell how far it is. */
const tellSeconds = 5;

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

const rate = (bytesPerSecond: number): string =>
  bytesPerSecond >= 1e6 ? `${megabytes(bytesPerSecond)} MB/s` : `${Math.round(bytesPerSecond / 1000)} kB/s`;

/** The text of a small file: checksums, an index. */
const textOf = async (
  address: string,
  {client, signal}: Pick<PullPorts, 'client' | 'signal'>,
): Promise<Result<string, string>> => {
  const answer = await client.get(address, {signal});
  if (!answer.ok) return err(answer.error.message);
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of answer.value.body) chunks.push(chunk);
    return ok(Buffer.concat(chunks).toString('utf8'));
  } catch (error) {
    return err(`${address} cannot be had: ${reasonOf(error)}`);
  }
};

/** Finds out what an artifact's checksum is, before anything of it is fetched. Each index is read once. */
export const resolver = (
  ports: Pick<PullPorts, 'client' | 'source' | 'signal'>,
): ((artifact: Artifact) => Promise<Result<Resolved, string>>) => {
  const {source} = ports;
  const indexes = new Map<string, Promise<Result<string, string>>>();
  const indexOf = (address: string): Promise<Result<string, string>> => {
    const known = indexes.get(address) ?? textOf(addressFrom(source, address), ports);
    indexes.set(address, known);
    return known;
  };
  return async artifact => {
    const {index, version, sha256, checksumAddress, address} = artifact;
    if (index) {
      const text = await indexOf(index.address);
      if (!text.ok) return text;
      const repository = `the chart repository ${addressFrom(source, index.address)}`;
      const entry = entryInIndex(text.value, index.chart, version);
      if (!entry) return err(`${repository} does not list ${index.chart} ${version}`);
      const digest = sha256 ?? entry.sha256;
      if (digest === undefined) return err(`${repository} gives no digest of ${index.chart} ${version}`);
      return ok({artifact, address: new URL(entry.url, index.address).href, sha256: digest});
    }
    if (checksumAddress === undefined)
      return sha256 === undefined
        ? err(`nothing says what the checksum of ${artifact.id} is`)
        : ok({artifact, address, sha256});
    const text = await textOf(addressFrom(source, checksumAddress), ports);
    if (!text.ok) return sha256 === undefined ? text : ok({artifact, address, sha256});
    const published = checksumIn(text.value, fileNameOf(artifact));
    if (sha256 === undefined && published === undefined)
      return err(`${addressFrom(source, checksumAddress)} has no sha256 of ${fileNameOf(artifact)}`);
    return ok({
      artifact,
      address,
      sha256: sha256 ?? (published as string),
      // One that contradicts what is known beforehand is not carried on.
      ...(published === (sha256 ?? published) && {checksums: {address: checksumAddress, text: text.value}}),
    });
  };
};

export const hashOf = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, {highWaterMark: 1024 * 1024})) hash.update(chunk);
  return hash.digest('hex');
};

const sizeOf = (path: string): number => (existsSync(path) ? statSync(path).size : 0);

/** Fetches what is missing of a file behind what is there of it. What came stays, also when it fails. */
const fetchTo = async (
  address: string,
  part: string,
  name: string,
  {client, clock, signal, tell}: PullPorts,
): Promise<Result<void, string>> => {
  for (let idle = 0; ; ) {
    const before = sizeOf(part);
    const answer = await client.get(address, {from: before, signal});
    let reason: string | undefined;
    if (answer.ok) {
      const {status, headers, body} = answer.value;
      const begin = status === 206 ? before : 0;
      if (before > 0 && begin > 0) tell(`${name}: going on behind ${megabytes(begin)} MB`);
      const length = Number(headers['content-length']);
      const whole = Number.isFinite(length) ? begin + length : undefined;
      let done = begin;
      let told = {at: clock.now().getTime(), done};
      body.on('data', (chunk: Buffer) => {
        done += chunk.length;
        const now = clock.now().getTime();
        if (now - told.at < tellSeconds * 1000) return;
        const pace = rate(((done - told.done) / (now - told.at)) * 1000);
        tell(`${name}: ${megabytes(done)}${whole === undefined ? '' : ` of ${megabytes(whole)}`} MB, ${pace}`);
        told = {at: now, done};
      });
      try {
        await pipeline(body, createWriteStream(part, {flags: begin > 0 ? 'a' : 'w'}), {signal});
        if (whole === undefined || done >= whole) return ok();
        reason = `${address} cannot be had: transfer closed with ${whole - done} bytes remaining`;
      } catch (error) {
        const full = error instanceof Error && 'code' in error && error.code === 'ENOSPC';
        if (full) return err(`no space left on device: ${part} cannot be written`);
        reason = `${address} cannot be had: ${reasonOf(error)}`;
      }
    } else {
      const {status, message} = answer.error;
      // Nothing lies behind what is here: whole or wrong, which its checksum says.
      if (status === 416) return ok();
      if (status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 429)
        return err(message);
      reason = message;
    }
    if (signal.aborted) return err('stopped; what came so far is kept');
    idle = sizeOf(part) > before ? 0 : idle + 1;
    const pause = pauses[idle - 1];
    if (idle > 0 && pause === undefined) return err(reason);
    tell(`${name}: ${reason}`);
    await clock.sleep((pause ?? 1) * 1000, signal);
  }
};

/** Fetches one file and checks it; nothing has the file's own name before its checksum is right. */
const fetchFile = async (
  {artifact, address, sha256}: Resolved,
  path: string,
  ports: PullPorts,
): Promise<Result<'there' | 'fetched', string>> => {
  const name = fileNameOf({address});
  if (existsSync(path)) {
    if ((await hashOf(path)) === sha256) return ok('there');
    rmSync(path);
  }
  mkdirSync(dirname(path), {recursive: true});
  const part = `${path}.part`;
  const from = addressFrom(ports.source, address);
  for (const resumed of sizeOf(part) > 0 ? [true, false] : [false]) {
    const fetched = await fetchTo(from, part, name, ports);
    if (!fetched.ok) return fetched;
    const found = await hashOf(part);
    if (found === sha256) {
      renameSync(part, path);
      return ok('fetched');
    }
    rmSync(part);
    if (!resumed)
      return err(
        `${from} served a file with a wrong checksum, which was deleted: sha256 is ${found}, expected ${sha256}`,
      );
    ports.tell(`${name}: what lay here from before does not belong to this file; beginning again`);
  }
  return err(`${artifact.id} could not be fetched`);
};

/** At every moment the old or the whole new text is there. */
const writeWhole = (path: string, text: string): void => {
  mkdirSync(dirname(path), {recursive: true});
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
};

/** An index with just the charts that are in the folder, as helm writes it: so that the folder can serve as a mirror. */
const indexText = (files: readonly CarriedFile[]): string => {
  const charts = files.flatMap(({version, sha256, index}) => (index ? [{version, sha256, ...index}] : []));
  return [
    'apiVersion: v1',
    'entries:',
    ...[...new Set(charts.map(({chart}) => chart))]
      .toSorted()
      .flatMap(name => [
        `  ${name}:`,
        ...charts
          .filter(({chart}) => chart === name)
          .flatMap(({url, version, sha256}) => [
            '  - apiVersion: v2',
            `    digest: ${sha256}`,
            `    name: ${name}`,
            '    urls:',
            `    - ${url}`,
            `    version: ${JSON.stringify(version)}`,
          ]),
      ]),
    '',
  ].join('\n');
};

/** The list and the indexes that follow from it. After each file, so that a stick taken out early holds what it says. */
const writeLists = (directory: string, files: readonly CarriedFile[]): void => {
  const list: CarriedList = {version: 1, files: [...files]};
  writeWhole(join(directory, listName), `${JSON.stringify(list, null, 2)}\n`);
  for (const address of new Set(files.flatMap(({index}) => (index ? [index.address] : []))))
    writeWhole(join(directory, placeOf(address)), indexText(files.filter(({index}) => index?.address === address)));
};

export type Pulled = {
  readonly artifact: Artifact;
  readonly result: Result<{readonly state: 'there' | 'fetched'; readonly size: number; readonly file: string}, string>;
};

/**
 * Fills a folder with artifacts, each checked, and with the list that makes them usable on a site without internet.
 * What is there already and right is left alone; what failed does not stop the others. The layout is that of a mirror:
 * any web server over the folder makes it one.
 */
export const pull = async (
  directory: string,
  artifacts: readonly Artifact[],
  ports: PullPorts,
  onPulled: (pulled: Pulled) => void,
): Promise<readonly Pulled[]> => {
  const resolve = resolver(ports);
  const before = readCarried(directory);
  const files = new Map<string, CarriedFile>(before.ok ? before.value.files.map(file => [file.address, file]) : []);
  const done: Pulled[] = [];
  for (const artifact of artifacts) {
    const one = async (): Promise<Pulled['result']> => {
      const resolved = await resolve(artifact);
      if (!resolved.ok) return resolved;
      const {address, sha256, checksums} = resolved.value;
      const file = placeOf(address);
      const path = join(directory, file);
      const fetched = await fetchFile(resolved.value, path, ports);
      if (!fetched.ok) return fetched;
      if (checksums) writeWhole(join(directory, placeOf(checksums.address)), checksums.text);
      const size = sizeOf(path);
      const {id, version, arch, index} = artifact;
      files.set(artifact.address, {
        id,
        version,
        ...(arch && {arch}),
        address: artifact.address,
        file,
        sha256,
        size,
        ...(index && {index: {...index, url: address}}),
      });
      writeLists(directory, [...files.values()]);
      return ok({state: fetched.value, size, file});
    };
    const pulled = {artifact, result: await one().catch((error: unknown) => err(reasonOf(error)))};
    done.push(pulled);
    onPulled(pulled);
    if (ports.signal.aborted) break;
  }
  return done;
};

/** The checksum of one carried file against the list. */
export const checkFile = async (
  path: string,
  {sha256, size}: Pick<CarriedFile, 'sha256' | 'size'>,
): Promise<Result<void, string>> => {
  try {
    const found = statSync(path).size;
    if (found !== size) return err(`is cut short: ${path} has ${found} bytes, and ${size} are listed`);
    return (await hashOf(path)) === sha256
      ? ok()
      : err(`has a wrong checksum: ${path} is not the file that was fetched`);
  } catch (error) {
    return err(`cannot be read: ${reasonOf(error)}`);
  }
};
