import {closeSync, existsSync, openSync, readSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {blueprints} from '../blueprints/index.ts';
import {openg2p} from '../blueprints/openg2p.ts';
import {problemsOf} from '../deployment/validate.ts';
import {importFiles} from '../import/import.ts';
import type {Imported} from '../import/item.ts';
import {largestBytes} from '../import/text-file.ts';
import {err, ok, type Result} from '../result.ts';
import {firstAnswers} from './first-answers.ts';

/** At most one byte more than may be imported: a device without an end is no file either. */
const readSome = (path: string): Result<string, string> => {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const bytes = Buffer.alloc(largestBytes + 1);
    let length = 0;
    for (;;) {
      const more = readSync(file, bytes, length, bytes.length - length, null);
      length += more;
      if (more === 0 || length === bytes.length) break;
    }
    return ok(bytes.toString('utf8', 0, length).replace(/^\ufeff/, ''));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EISDIR')
      return err(`${path} is a folder; name a file in it`);
    return err(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    if (file !== undefined) closeSync(file);
  }
};

/** Kinds of files that OpenG2P's scripts read together with the one that lies beside them. */
const overlaid: readonly string[] = ['prod-config', 'single-node-config', 'backup-config'];
const overlay = 'provision-output.yaml';

const overlaysUnread = ({files}: Imported): readonly string[] =>
  files
    .filter(({kind}) => overlaid.includes(kind))
    .map(({path}) => join(dirname(path), overlay))
    .filter((path, index, all) => all.indexOf(path) === index && existsSync(path))
    .filter(() => !files.some(({path}) => basename(path) === overlay))
    .map(path => `${path} lies beside it and was not read: OpenG2P’s scripts do, so name it too`);

/**
 * Reads files of this side and makes a deployment of them, from the answers that one begins with here. What cannot be
 * read is said by file.
 */
export const importFrom = (paths: readonly string[], begin = firstAnswers): Result<Imported, string> => {
  const read = paths.map(path => ({path, text: readSome(path)}));
  const unread = read.flatMap(({text}) => (text.ok ? [] : [text.error]));
  if (unread.length > 0) return err(unread.join('\n'));
  const imported = importFiles(
    read.flatMap(({path, text}) => (text.ok ? [{path, text: text.value}] : [])),
    {
      blueprint: openg2p,
      begin: topology => begin(openg2p, openg2p.id, topology),
      problems: deployment => problemsOf(deployment, blueprints),
    },
  );
  if (!imported.ok) return imported;
  return ok({...imported.value, notes: [...imported.value.notes, ...overlaysUnread(imported.value)]});
};
