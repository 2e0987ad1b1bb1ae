import {gunzipSync, gzipSync} from 'node:zlib';
import {isMap, parseAllDocuments} from 'yaml';
import {err, ok, type Result} from '../result.ts';

/** By which helm leaves an object when its release is removed. It reads this in its own record, not in the cluster. */
const keep = ['helm.sh/resource-policy', 'keep'] as const;

/** What helm has on record of a revision: gzip, in base64, and that again in base64 as every Secret is. */
const decode = (data: string): {manifest?: unknown} =>
  JSON.parse(gunzipSync(Buffer.from(Buffer.from(data, 'base64').toString(), 'base64')).toString());

const encode = (record: object): string =>
  Buffer.from(gzipSync(JSON.stringify(record)).toString('base64')).toString('base64');

/**
 * The record with every volume claim marked to be kept; undefined when there is none to mark. An error when it cannot be
 * read, so that nothing is removed by mistake.
 */
export const recordKeepingClaims = (data: string): Result<string | undefined, string> => {
  try {
    const record = decode(data);
    if (typeof record.manifest !== 'string') return err('helm’s record of the release has no manifest');
    const documents = parseAllDocuments(record.manifest);
    if (!Array.isArray(documents)) return ok(undefined);
    let marked = false;
    for (const document of documents) {
      if (document.errors.length > 0) return err('the objects of the release could not be read');
      if (!isMap(document.contents) || document.get('kind') !== 'PersistentVolumeClaim') continue;
      if (document.getIn(['metadata', 'annotations', keep[0]]) === keep[1]) continue;
      if (!isMap(document.getIn(['metadata', 'annotations'])))
        document.setIn(['metadata', 'annotations'], document.createNode({}));
      document.setIn(['metadata', 'annotations', keep[0]], keep[1]);
      marked = true;
    }
    if (!marked) return ok(undefined);
    const manifest = documents
      .filter(document => document.contents !== null)
      .map(document => `---\n${document.toString({lineWidth: 0, directives: false})}`)
      .join('');
    return ok(encode({...record, manifest}));
  } catch {
    return err('helm’s record of the release could not be read');
  }
};
