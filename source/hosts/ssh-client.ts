import type {Duplex} from 'node:stream';
import {NodeSSH} from 'node-ssh';
import type {AuthHandlerMiddleware, Client} from 'ssh2';
import type {Failure} from '../engine/failure.ts';
import {err, ok, type Result} from '../result.ts';
import {parseKey, publicKeyOf} from './agent.ts';
import {cancelled, connectionLost, handshakeFailed, isTurnedAway} from './failures.ts';
import type {HostKeyFinding} from './host-key.ts';
import {algorithmOrder, judgeKey, type KnownHost} from './known-hosts.ts';
import type {Route} from './route.ts';

/** An authenticated SSH connection. */
export type SshClient = {
  readonly client: Client;
  readonly ssh: NodeSSH;
  /** Why it is gone, if it is. */
  readonly lost: () => Failure | undefined;
  /** Resolves when it is gone, by a fault or by `close`. */
  readonly gone: Promise<void>;
  readonly close: () => Promise<void>;
};

export type Keepalive = {readonly intervalMs: number; readonly count: number};

export type HandshakeOptions = {
  readonly route: Route;
  readonly stream: Duplex;
  readonly known: readonly KnownHost[];
  readonly keepalive: Keepalive;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
};

/** What came of a handshake: which key the server showed, and either a client or the error of ssh2. */
type Handshake = {readonly finding: HostKeyFinding | undefined} & (
  | {readonly ok: true; readonly client: SshClient}
  | {readonly ok: false; readonly error: unknown}
);

/** Milliseconds that an orderly goodbye may take before the socket is dropped. */
const goodbyeMs = 2_000;

/**
 * Shakes hands and logs in. Only a key that a known_hosts file holds is accepted, whatever the settings say; with
 * any other the connection ends before a user name is sent.
 */
const handshake = async (
  {route, stream, known, keepalive, timeoutMs, signal}: HandshakeOptions,
  authHandler: AuthHandlerMiddleware,
): Promise<Handshake> => {
  const ssh = new NodeSSH();
  let finding: HostKeyFinding | undefined;
  let lost: Failure | undefined;
  const connecting = ssh.connect({
    sock: stream,
    host: route.address,
    username: route.user,
    authHandler,
    readyTimeout: timeoutMs,
    keepaliveInterval: keepalive.intervalMs,
    keepaliveCountMax: keepalive.count,
    algorithms: {serverHostKey: algorithmOrder(known, route.knownAs)},
    hostVerifier: (key: Buffer) => {
      finding = findingOf(route, known, key);
      return finding?.status === 'known';
    },
  });
  const {connection: client} = ssh;
  if (!client) throw new Error('node-ssh makes its client at once');
  // For the life of the client: node-ssh takes its own listener away, and an error without one ends the program.
  client.on('error', error => {
    lost ??= connectionLost(route.host, describe(error));
    // A keepalive that ran out says only so much; waiting for the socket to notice could take a quarter of an hour.
    client.destroy();
  });
  client.setMaxListeners(0);
  const gone = new Promise<void>(resolve => client.once('close', () => resolve()));
  void gone.then(() => {
    lost ??= connectionLost(route.host, 'The other side closed it, or the network did.');
  });
  const onAbort = () => stream.destroy();
  signal?.addEventListener('abort', onAbort, {once: true});
  try {
    if (signal?.aborted) onAbort();
    await connecting;
  } catch (error) {
    client.end();
    stream.destroy();
    return {ok: false, finding, error};
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
  return {
    ok: true,
    finding,
    client: {
      client,
      ssh,
      lost: () => lost,
      gone,
      close: async () => {
        lost ??= connectionLost(route.host, 'It was closed on this side.');
        client.end();
        const late = setTimeout(() => client.destroy(), goodbyeMs);
        await gone;
        clearTimeout(late);
      },
    },
  };
};

const describe = (error: Error): string =>
  /keepalive/i.test(error.message) ? 'The host no longer answers: it went down, or the network did.' : error.message;

const findingOf = (route: Route, known: readonly KnownHost[], key: Buffer): HostKeyFinding | undefined => {
  const parsed = parseKey(key);
  if (parsed instanceof Error) return undefined;
  return judgeKey(known, {
    host: route.host,
    knownAs: route.knownAs,
    type: parsed.type,
    key: publicKeyOf(parsed),
  });
};

/** A login that failed, and whether the server only turned us away for the moment, before it said a word. */
export type LoginFailure = {readonly failure: Failure; readonly turnedAway: boolean};

/** Logs in to the server at the other end of a stream. */
export const logIn = async (
  options: HandshakeOptions,
  {handler, failure}: {handler: AuthHandlerMiddleware; failure: (error: unknown) => Failure},
): Promise<Result<SshClient, LoginFailure>> => {
  const {route} = options;
  const failed = (why: Failure, turnedAway = false) => err({failure: why, turnedAway});
  const result = await handshake(options, handler);
  if (result.ok) return ok(result.client);
  if (options.signal?.aborted) return failed(cancelled(route.host));
  const {finding, error} = result;
  if (finding && finding.status !== 'known') return failed(untrusted(route, finding));
  const level = (error as {level?: string}).level;
  if (level === 'client-authentication' || level === 'agent' || isAuthenticationEnd(error))
    return failed(failure(error));
  return failed(handshakeFailed(route.host, route.address, route.port, error), isTurnedAway(error));
};

/** sshd ends a login that took too many tries with a disconnect of this text. */
const isAuthenticationEnd = (error: unknown): boolean =>
  error instanceof Error && /too many authentication failures/i.test(error.message);

/** The key of the server at the other end of a stream; nothing is sent but the handshake. */
export const showKey = async (options: HandshakeOptions): Promise<Result<HostKeyFinding, Failure>> => {
  const {route} = options;
  const result = await handshake(options, () => false);
  if (result.ok) void result.client.close();
  if (result.finding) return ok(result.finding);
  if (options.signal?.aborted) return err(cancelled(route.host));
  return err(handshakeFailed(route.host, route.address, route.port, result.ok ? undefined : result.error));
};

/** Why a key is not accepted, with what to do about it. */
const untrusted = ({host, address}: Route, finding: HostKeyFinding): Failure => {
  const {status, type, fingerprint, expected, knownAs, note} = finding;
  const common = {host, attempted: `checking the host key of ${host}`} as const;
  const shown = `${type} ${fingerprint}`;
  if (status === 'changed') {
    return {
      ...common,
      kind: 'host-key-changed',
      message: `The host key of ${host} (${address}) has changed: expected ${expected}, but the host shows ${shown}.`,
      cause:
        `The machine was set up anew, another one has its address now, or somebody stands between. ${note ?? ''}`.trim(),
      remedy: `Find out which. Only if the new key is right: take the old one out (\`ssh-keygen -R '${knownAs}'\`, or that line), then look at the new one.`,
    };
  }
  if (status === 'revoked') {
    return {
      ...common,
      kind: 'host-key-changed',
      message: `The host key of ${host} (${address}), ${shown}, is marked as revoked.`,
      ...(note && {cause: note}),
      remedy: 'Do not connect. Give the host a new key, and find out why this one was revoked.',
    };
  }
  return {
    ...common,
    kind: 'host-key-unknown',
    message: `The host key of ${host} (${address}) is not known yet: ${shown}.`,
    ...(note && {cause: note}),
    remedy:
      'Compare it with what `ssh-keygen -lf` says of /etc/ssh/ssh_host_*_key.pub on the host itself, then accept it: on the Hosts screen, or with `groundwork trust`.',
  };
};
