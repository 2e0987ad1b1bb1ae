import {type IncomingMessage, Agent as PlainAgent, request as requestPlain} from 'node:http';
import {request as requestTls, Agent as TlsAgent} from 'node:https';
import type {OutboundProxy} from '../deployment/schema.ts';
import {err, ok, type Result} from '../result.ts';

/** An answer whose body has not been read. */
export type Answer = {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: IncomingMessage;
};

export type Ask = {
  readonly method?: 'GET' | 'HEAD';
  /** First byte wanted; 0 asks for the whole. */
  readonly from?: number;
  readonly signal: AbortSignal;
};

/** Downloads on this side. The error is a sentence, in the words that the downloads on hosts use too. */
export type Client = {
  /** Only answers of 200 and 206. */
  readonly get: (address: string, ask: Ask) => Promise<Result<Answer, Refusal>>;
};

export type Refusal = {readonly message: string; readonly status?: number};

/** As many as curl follows without being asked for more, and enough for every publisher: they redirect once or twice. */
const redirects = 10;

/** Milliseconds without a byte after which a connection is given up: as long as on hosts. */
const silenceMs = 60_000;

const sentence = (address: string, status: number): string => {
  switch (status) {
    case 404:
    case 410:
      return `${address} is not there (the server says ${status})`;
    case 401:
    case 403:
      return `${address} is refused (the server says ${status})`;
    case 407:
      return `${address} cannot be had: the proxy wants a login (${status})`;
    default:
      return `${address} cannot be had now (the server says ${status})`;
  }
};

/** What Node takes a proxy from: what the deployment says, else what this side's environment says. */
const proxyEnvironment = (
  proxy: OutboundProxy | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> =>
  proxy === undefined
    ? environment
    : {HTTP_PROXY: proxy.address, HTTPS_PROXY: proxy.address, NO_PROXY: proxy.exclude.join(',')};

export const newClient = (
  proxy: OutboundProxy | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Client => {
  const proxyEnv = proxyEnvironment(proxy, environment);
  const agents = {'http:': new PlainAgent({proxyEnv}), 'https:': new TlsAgent({proxyEnv})};

  const once = (address: string, {method = 'GET', from = 0, signal}: Ask): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const url = new URL(address);
      const plain = url.protocol === 'http:';
      const asked = (plain ? requestPlain : requestTls)(
        url,
        {
          method,
          agent: agents[plain ? 'http:' : 'https:'],
          signal,
          timeout: silenceMs,
          headers: {'user-agent': 'groundwork', ...(from > 0 && {range: `bytes=${from}-`})},
        },
        resolve,
      );
      asked.on('timeout', () => asked.destroy(new Error(`Operation too slow: no byte for ${silenceMs / 1000} s`)));
      asked.on('error', reject);
      asked.end();
    });

  return {
    get: async (address, ask) => {
      let at = address;
      try {
        for (let left = redirects; left > 0; left -= 1) {
          const answer = await once(at, ask);
          const {statusCode: status = 0, headers} = answer;
          if (status >= 300 && status < 400 && headers.location !== undefined && status !== 304) {
            answer.resume();
            const next = new URL(headers.location, at);
            // From https to http: what comes then could be anybody's.
            if (at.startsWith('https:') && next.protocol !== 'https:')
              return err({message: `${address} is refused: it redirects to ${next.href}, which is not https`});
            at = next.href;
            continue;
          }
          if (status === 200 || status === 206) return ok({status, headers, body: answer});
          answer.resume();
          return err({message: sentence(address, status), status});
        }
        return err({message: `${address} cannot be had: it redirects without end`});
      } catch (error) {
        return err({message: `${address} cannot be had: ${reasonOf(error)}`});
      }
    },
  };
};

/** Node says `AggregateError` when every address of a name failed, and puts the reasons inside. */
export const reasonOf = (error: unknown): string => {
  if (error instanceof AggregateError) return error.errors.map(reasonOf)[0] ?? 'no connection';
  return error instanceof Error ? error.message : String(error);
};
