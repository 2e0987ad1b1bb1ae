import {readFileSync, statSync} from 'node:fs';
import {join, resolve, sep} from 'node:path';
import {z} from 'zod';
import {err, ok, type Result} from '../result.ts';
import type {Artifact} from './artifact.ts';

/** The list of what a folder of artifacts holds, beside the files. */
export const listName = 'artifacts.json';

const carriedFile = z.strictObject({
  id: z.string(),
  version: z.string(),
  arch: z.enum(['amd64', 'arm64']).optional(),
  /** Where its publisher has it; the key by which it is found. */
  address: z.string(),
  /** Below the folder. */
  file: z.string().min(1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  size: z.int().min(0),
  /** Of a chart: its repository's index, its name there, and where that said the file is. */
  index: z.strictObject({address: z.string(), chart: z.string(), url: z.string()}).optional(),
});

const carriedList = z.strictObject({version: z.literal(1), files: z.array(carriedFile)});

export type CarriedFile = z.infer<typeof carriedFile>;
export type CarriedList = z.infer<typeof carriedList>;

/** A file of the folder as it lies there, with what the list says of it. */
export type Carried = {readonly path: string; readonly sha256: string; readonly size: number};

/** Reads the list of a folder. The error says what is wrong with it. */
export const readCarried = (directory: string): Result<CarriedList, string> => {
  const path = join(directory, listName);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return err(
      missing
        ? `${path} is not there: fill the folder with groundwork artifacts pull --to ${directory}`
        : `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  try {
    const parsed = carriedList.safeParse(JSON.parse(text));
    if (parsed.success) return ok(parsed.data);
    return err(`${path} is not a list of artifacts: ${parsed.error.issues[0]?.path.join('.')} is not as expected`);
  } catch {
    return err(`${path} is not a list of artifacts: it is no JSON`);
  }
};

const wrong = (artifact: Artifact, why: string): Result<never, string> =>
  err(`${artifact.id} ${artifact.version} ${why}`);

/** An artifact in a folder whose list was read; the file is there and has its size. Its content is not looked at. */
export const carriedFileOf = (directory: string, list: CarriedList, artifact: Artifact): Result<Carried, string> => {
  const found = list.files.find(({address}) => address === artifact.address);
  if (!found) return wrong(artifact, `was not carried in: ${join(directory, listName)} does not list it`);
  const path = resolve(directory, found.file);
  if (!path.startsWith(`${resolve(directory)}${sep}`)) return wrong(artifact, `is listed outside of ${directory}`);
  if (artifact.sha256 !== undefined && artifact.sha256 !== found.sha256)
    return wrong(artifact, `was not carried in: ${path} has another checksum than the published file`);
  try {
    const {size} = statSync(path);
    return size === found.size
      ? ok({path, sha256: found.sha256, size})
      : wrong(artifact, `is cut short: ${path} has ${size} bytes, and ${found.size} are listed`);
  } catch {
    return wrong(artifact, `was not carried in: ${path} is not there`);
  }
};
