import {createHash} from 'node:crypto';
import {createServer, type IncomingMessage, request, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import type {Artifact} from '../../source/artifacts/artifact.ts';
import {placeOf} from '../../source/artifacts/source.ts';

/** How a server misbehaves about one file. */
export type Fault = {
  /** Closes the connection after so many bytes of each answer, as a bad link does. */
  readonly cutAfter?: number;
  /** The file itself has only so many bytes. */
  readonly truncatedTo?: number;
  /** Bytes a second. */
  readonly slow?: number;
  /** Sends so many bytes and then nothing more, without closing. */
  readonly stallsAfter?: number;
  readonly status?: number;
  /** Answers whole, whatever part is asked for. */
  readonly noRanges?: boolean;
  /** Does not answer HEAD. */
  readonly noHead?: boolean;
};

export type Asked = {readonly method: string; readonly path: string; readonly range: string | undefined};

export type Mirror = {
  /** `http://127.0.0.1:PORT` */
  readonly address: string;
  /** What lies on it, by path: `/get.helm.sh/helm-v3.20.2-linux-amd64.tar.gz`. */
  readonly files: Map<string, Buffer>;
  readonly faults: Map<string, Fault>;
  readonly asked: Asked[];
  readonly close: () => Promise<void>;
};

export const sha256Of = (content: Buffer | string): string => createHash('sha256').update(content).digest('hex');

/** Bytes that differ from place to place, so that a piece at the wrong place is noticed. */
export const bytesOf = (length: number, seed = 1): Buffer => {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let index = 0; index < length; index += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[index] = state >>> 16;
  }
  return bytes;
};

/** A real HTTP server with ranges, and with whatever goes wrong with servers. */
export const startMirror = async (listen = '127.0.0.1'): Promise<Mirror> => {
  const files = new Map<string, Buffer>();
  const faults = new Map<string, Fault>();
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? '/', 'http://mirror').pathname);
    asked.push({method: request.method ?? '', path, range: request.headers.range});
    void answer(request, response, files.get(path), faults.get(path) ?? {});
  });
  await new Promise<void>(resolve => server.listen(0, listen, resolve));
  return {
    address: `http://${listen}:${(server.address() as AddressInfo).port}`,
    files,
    faults,
    asked,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

const answer = async (
  request: IncomingMessage,
  response: ServerResponse,
  stored: Buffer | undefined,
  fault: Fault,
): Promise<void> => {
  if (request.method === 'HEAD' && fault.noHead) return void response.writeHead(405).end();
  if (fault.status !== undefined) return void response.writeHead(fault.status).end('no');
  if (!stored) return void response.writeHead(404).end('not here');
  const file = stored.subarray(0, fault.truncatedTo ?? stored.length);
  const from = fault.noRanges ? undefined : /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
  const start = Number(from ?? 0);
  if (start >= file.length && from !== undefined)
    return void response.writeHead(416, {'Content-Range': `bytes */${file.length}`}).end();
  const body = file.subarray(start);
  response.writeHead(from === undefined ? 200 : 206, {
    'Content-Length': body.length,
    ...(!fault.noRanges && {'Accept-Ranges': 'bytes'}),
    ...(from !== undefined && {'Content-Range': `bytes ${start}-${file.length - 1}/${file.length}`}),
  });
  if (request.method === 'HEAD') return void response.end();
  if (fault.cutAfter !== undefined && fault.cutAfter < body.length) {
    response.write(body.subarray(0, fault.cutAfter), () => setTimeout(() => response.destroy(), 20));
    return;
  }
  if (fault.stallsAfter !== undefined) {
    response.write(body.subarray(0, fault.stallsAfter));
    return;
  }
  if (fault.slow !== undefined) {
    const step = Math.ceil(fault.slow / 10);
    for (let sent = 0; sent < body.length && !response.destroyed; sent += step) {
      response.write(body.subarray(sent, sent + step));
      await new Promise(resolve => setTimeout(resolve, 100));
    }
  } else response.write(body);
  response.end();
};

/**
 * Fills a mirror with a stand-in for each artifact, and with checksums and indexes of its own to match: for deployments
 * that say `checksums: 'published'`.
 */
export const fillMirror = (
  {files}: Pick<Mirror, 'files'>,
  artifacts: readonly Artifact[],
  contentOf: (artifact: Artifact) => Buffer = ({id}) =>
    bytesOf(50_000, id.length * 7919 + id.charCodeAt(id.length - 1)),
): void => {
  const append = (path: string, text: string) =>
    files.set(path, Buffer.concat([files.get(path) ?? Buffer.alloc(0), Buffer.from(text)]));
  const indexes = new Map<string, string[]>();
  for (const artifact of artifacts) {
    const content = contentOf(artifact);
    const path = `/${placeOf(artifact.address)}`;
    files.set(path, content);
    if (artifact.checksumAddress !== undefined)
      append(`/${placeOf(artifact.checksumAddress)}`, `${sha256Of(content)}  ${path.split('/').at(-1)}\n`);
    if (artifact.index) {
      const {address, chart} = artifact.index;
      const entry = `  ${chart}:\n  - digest: ${sha256Of(content)}\n    urls:\n    - ${artifact.address}\n    version: ${artifact.version}\n`;
      indexes.set(address, [...(indexes.get(address) ?? []), entry]);
    }
  }
  for (const [address, entries] of indexes)
    files.set(`/${placeOf(address)}`, Buffer.from(`apiVersion: v1\nentries:\n${entries.join('')}`));
};

export type ForwardProxy = {
  /** `http://127.0.0.1:PORT` */
  readonly address: string;
  /** Addresses that it was asked for. */
  readonly asked: string[];
  readonly close: () => Promise<void>;
};

/** A proxy of a site as clients meet it: asked for whole addresses; with `refuses` it wants a login. */
export const startProxy = async ({refuses = false} = {}): Promise<ForwardProxy> => {
  const asked: string[] = [];
  const server = createServer((from, to) => {
    asked.push(from.url ?? '');
    if (refuses) return void to.writeHead(407).end('who are you?');
    const {host: _, 'proxy-connection': __, ...headers} = from.headers;
    const onward = request(from.url ?? '', {method: from.method, headers}, answer => {
      to.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(to);
    });
    onward.on('error', () => to.destroy());
    from.pipe(onward);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
