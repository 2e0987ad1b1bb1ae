import {Agent, request} from 'node:https';
import {parse} from 'yaml';
import type {KubeObject} from '../../source/kubernetes/objects.ts';

/** An object as the server has it. */
export type Stored = KubeObject & {
  readonly metadata: KubeObject['metadata'] & {
    readonly uid: string;
    readonly deletionTimestamp?: string;
    readonly ownerReferences?: readonly {readonly kind: string; readonly name: string}[];
  };
  // biome-ignore lint/suspicious/noExplicitAny: what a server answers is read field by field
  readonly spec: any;
  // biome-ignore lint/suspicious/noExplicitAny: the same
  readonly status?: any;
};

/** An API server, asked over HTTPS by its own paths and not through kubectl: hundreds of questions cost little. */
export type KubeApi = {
  /** The items of a list; none when the server does not know the kind. */
  readonly list: (path: string) => Promise<readonly Stored[]>;
  readonly get: (path: string) => Promise<Stored | undefined>;
  /** Makes what is not there yet. */
  readonly create: (object: KubeObject) => Promise<void>;
  /** Merges into what is there; what went in the meantime stays away. */
  readonly patch: (path: string, change: object) => Promise<void>;
  /** At once, without a time to say goodbye. */
  readonly remove: (path: string) => Promise<void>;
};

const absent = 404;
const conflict = 409;

const groupPath = (apiVersion: string): string =>
  apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;

/** Where objects of the kind are: `/apis/apps/v1/namespaces/shop/deployments`. */
const folderOf = ({apiVersion, kind, metadata: {namespace}}: KubeObject): string =>
  `${groupPath(apiVersion)}${namespace === undefined ? '' : `/namespaces/${namespace}`}/${kind.toLowerCase()}s`;

/** @param kubeconfig as RKE2 writes it; the server is asked at `address` instead of the host's own loopback */
export const kubeApi = (kubeconfig: string, address: string): KubeApi => {
  const {clusters, users} = parse(kubeconfig);
  const decoded = (text: string) => Buffer.from(text, 'base64');
  const agent = new Agent({
    keepAlive: true,
    ca: decoded(clusters[0].cluster['certificate-authority-data']),
    cert: decoded(users[0].user['client-certificate-data']),
    key: decoded(users[0].user['client-key-data']),
  });
  const ask = (method: string, path: string, body?: object, type = 'application/json') =>
    new Promise<{status: number; text: string}>((resolve, reject) => {
      const text = body === undefined ? '' : JSON.stringify(body);
      // Said by ourselves, because Node does not for a DELETE.
      const headers = {'content-type': type, 'content-length': Buffer.byteLength(text)};
      const asked = request({host: address, port: 6443, method, path, agent, timeout: 10_000, headers}, answer => {
        const chunks: Buffer[] = [];
        answer.on('data', chunk => chunks.push(chunk));
        answer.on('end', () => resolve({status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString()}));
        answer.on('error', reject);
      });
      asked.on('timeout', () => asked.destroy(new Error(`${path}: no answer`)));
      asked.on('error', reject);
      asked.end(text);
    });
  const done = async (allowed: readonly number[], ...question: Parameters<typeof ask>) => {
    const answer = await ask(...question);
    if (answer.status >= 400 && !allowed.includes(answer.status))
      throw new Error(`${question[0]} ${question[1]}: ${answer.status} ${answer.text}`);
    return answer;
  };
  const get = async (path: string) => {
    const {status, text} = await done([absent], 'GET', path);
    return status === absent ? undefined : JSON.parse(text);
  };
  return {
    get,
    list: async path => (await get(path))?.items ?? [],
    create: async object => {
      await done([conflict], 'POST', folderOf(object), object);
    },
    patch: async (path, change) => {
      await done([absent], 'PATCH', path, change, 'application/merge-patch+json');
    },
    remove: async path => {
      await done([absent, conflict], 'DELETE', path, {kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0});
    },
  };
};
