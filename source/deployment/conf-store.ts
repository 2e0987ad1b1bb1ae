import {randomUUID} from 'node:crypto';
import {chmodSync, existsSync, readFileSync, renameSync} from 'node:fs';
import {join} from 'node:path';
import Conf from 'conf';
import {z} from 'zod';
import {err, ok, type Result} from '../result.ts';
import {readDraft} from './draft.ts';
import {ownFolder, writeDurably} from './durable-file.ts';
import {withMutexSync} from './file-mutex.ts';
import type {Preferences, SavedDeployment, Store} from './store.ts';

/** The version of the file; a higher one was written by a newer program. */
const format = 1;

const content = z.looseObject({
  format: z.int().default(format),
  deployments: z.record(z.string(), z.unknown()).default({}),
  preferences: z.unknown().optional(),
});

type Content = z.infer<typeof content>;

/** What is beside the document can be done without when it is damaged. */
const entry = z.object({
  deployment: z.unknown(),
  updatedAt: z.iso.datetime(),
  practice: z.boolean().catch(false),
  route: z.string().optional().catch(undefined),
  lastRun: z
    .object({
      run: z.string(),
      outcome: z.enum(['succeeded', 'failed', 'stopped', 'waiting', 'interrupted']),
      at: z.string(),
      failedStep: z.string().optional(),
      removes: z.string().optional(),
    })
    .optional()
    .catch(undefined),
});

const preferences = z.object({
  glyphs: z.enum(['auto', 'unicode', 'ascii']).catch('auto'),
  colour: z.enum(['auto', 'never']).catch('auto'),
});

const readEntry = (raw: unknown): Result<SavedDeployment, string> => {
  const parsed = entry.safeParse(raw);
  if (!parsed.success) return err('it is not what Groundwork saves');
  const draft = readDraft(parsed.data.deployment);
  return draft.ok ? ok({...parsed.data, deployment: draft.value}) : draft;
};

const codeOf = (cause: unknown): string | undefined => (cause as NodeJS.ErrnoException | undefined)?.code;

const because = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

export type StoreOptions = {
  /** The folder of config.json; made for its owner only if it is not there. */
  readonly directory: string;
  readonly now: () => Date;
};

/** `20261121T083000Z`: sorts by time, and is a file name everywhere. */
const stamp = (date: Date): string => date.toISOString().replace(/[-:]|\.\d+/g, '');

/**
 * The store on `conf`. A damaged file is moved aside and said in `notice`, and the list begins empty; an entry that
 * cannot be read stays in the file untouched, and is copied aside before another one of its name replaces it. The
 * error of the result: the folder cannot be used, or a newer program wrote the file.
 */
export const openStore = ({directory, now}: StoreOptions): Result<Store, string> => {
  const path = join(directory, 'config.json');
  const notices: string[] = [];
  let last: Content = content.parse({});

  const newConf = () =>
    new Conf<Record<string, unknown>>({
      cwd: directory,
      configName: 'config',
      fileExtension: 'json',
      configFileMode: 0o600,
      // Deployments are named by their operators: a dot in a name is not a path.
      accessPropertiesByDotNotation: false,
    });

  /** Undefined when the file is there and cannot be read as what it should be. */
  const tryRead = (): Content | undefined => {
    try {
      const parsed = content.safeParse(JSON.parse(readFileSync(path, 'utf8')));
      return parsed.success ? parsed.data : undefined;
    } catch (cause) {
      if (codeOf(cause) === 'ENOENT') return content.parse({});
      if (cause instanceof SyntaxError) return undefined;
      throw cause;
    }
  };

  const setAside = (): Content =>
    withMutexSync(path, () => {
      // Another program may have done it while this one waited.
      const again = tryRead();
      if (again) return again;
      const name = `${path}.damaged-${stamp(now())}`;
      const copy = existsSync(name) ? `${name}-${randomUUID()}` : name;
      renameSync(path, copy);
      chmodSync(copy, 0o600);
      notices.push(`The settings file was damaged. It is kept as ${copy}; the list of deployments begins empty.`);
      return content.parse({});
    });

  const readOrThrow = (): Content => {
    last = tryRead() ?? setAside();
    return last;
  };

  /** A file that cannot be read for a while (a share that is away) must not end the program that shows it. */
  const read = (): Content => {
    try {
      return readOrThrow();
    } catch {
      return last;
    }
  };

  const update = (change: (content: Content) => Content): Result<void, string> => {
    try {
      readOrThrow();
      withMutexSync(path, () => {
        newConf().store = change(tryRead() ?? content.parse({}));
      });
      return ok();
    } catch (cause) {
      return err(`${path} cannot be written: ${because(cause)}`);
    }
  };

  const entries = (): readonly (readonly [string, Result<SavedDeployment, string>])[] =>
    Object.entries(read().deployments).map(([name, raw]) => [name, readEntry(raw)] as const);

  /** An entry that cannot be read is somebody's work all the same. */
  const keepUnreadable = (name: string, raw: unknown): void => {
    if (raw === undefined || readEntry(raw).ok) return;
    const copy = join(directory, `deployment-${stamp(now())}-${randomUUID()}.json`);
    writeDurably(copy, `${JSON.stringify({name, entry: raw}, undefined, 2)}\n`, randomUUID());
    notices.push(`What was saved as "${name}" before could not be read. It is kept as ${copy}.`);
  };

  const own = (deployments: Content['deployments'], name: string): unknown =>
    Object.hasOwn(deployments, name) ? deployments[name] : undefined;

  try {
    ownFolder(directory);
    const found = readOrThrow();
    if (found.format > format) return err(`${path} was written by a newer Groundwork; update Groundwork`);
    for (const [name, result] of entries()) {
      if (!result.ok)
        notices.push(`The saved deployment "${name}" cannot be read and is left as it is: ${result.error}.`);
    }
  } catch (cause) {
    return err(`${path} cannot be read: ${because(cause)}`);
  }

  return ok({
    list: () =>
      entries()
        .flatMap(([, result]) => (result.ok ? [result.value] : []))
        .toSorted((a, b) => b.updatedAt.localeCompare(a.updatedAt)),
    get: name => {
      const result = readEntry(own(read().deployments, name));
      return result.ok ? result.value : undefined;
    },
    save: saved =>
      update(before => {
        const {name} = saved.deployment;
        keepUnreadable(name, own(before.deployments, name));
        return {...before, deployments: {...before.deployments, [name]: saved}};
      }),
    remove: name =>
      update(before => {
        keepUnreadable(name, own(before.deployments, name));
        const {[name]: _, ...others} = before.deployments;
        return {...before, deployments: others};
      }),
    preferences: (): Preferences => preferences.parse(read().preferences ?? {}),
    setPreferences: wanted => update(before => ({...before, preferences: wanted})),
    get notice() {
      return notices.length > 0 ? notices.join('\n') : undefined;
    },
  });
};
