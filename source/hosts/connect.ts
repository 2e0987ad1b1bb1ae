import {setTimeout as sleep} from 'node:timers/promises';
import type {HostSpec} from '../deployment/schema.ts';
import type {Failure} from '../engine/failure.ts';
import {err, ok, type Result} from '../result.ts';
import type {Script} from '../shell/script.ts';
import {prepareAuthentication} from './authentication.ts';
import type {Connection, Output, RunOptions} from './connection.ts';
import {type Credentials, noCredentials} from './credentials.ts';
import {dial} from './dial.ts';
import {cancelled} from './failures.ts';
import type {HostKeyFinding} from './host-key.ts';
import {type JumpStream, type Jumps, newJumps, throughJump} from './jump.ts';
import {readKnownHosts} from './known-hosts.ts';
import {connectLocal} from './local.ts';
import {type Route, routeTo} from './route.ts';
import {createRunner} from './runner.ts';
import {type HandshakeOptions, type Keepalive, logIn, type SshClient, showKey} from './ssh-client.ts';
import {type Operator, operator} from './ssh-config.ts';
import {sessionOpener} from './ssh-session.ts';

export type ConnectOptions = {
  /** Groundwork's own file of accepted host keys. It need not exist. */
  readonly knownHostsFile: string;
  readonly credentials?: Credentials;
  readonly signal?: AbortSignal | undefined;
  /** For the TCP connection, and once more for handshake and login. Default 15000. */
  readonly connectTimeoutMs?: number;
  /** Default: every 15 s, lost after 3 without an answer. */
  readonly keepalive?: Keepalive;
  /** Given to all connections of a run, so that hosts behind one jump host share the way to it. */
  readonly jumps?: Jumps;
  /** False leaves the operator's OpenSSH settings, keys and known hosts alone. Default true. */
  readonly openSsh?: boolean;
  readonly operator?: Operator;
};

const defaultConnectTimeoutMs = 15_000;
const defaultKeepalive: Keepalive = {intervalMs: 15_000, count: 3};

type Settled = Required<Omit<ConnectOptions, 'signal'>> & Pick<ConnectOptions, 'signal'>;

const settle = (options: ConnectOptions): Settled => ({
  credentials: noCredentials,
  connectTimeoutMs: defaultConnectTimeoutMs,
  keepalive: defaultKeepalive,
  openSsh: true,
  operator: operator(),
  jumps: newJumps(),
  ...options,
});

export type Reachable = Pick<HostSpec, 'name' | 'reach' | 'address' | 'port' | 'user' | 'identityFile' | 'jump'>;

/**
 * Opens the way to a host: this machine, or SSH with the host key checked and the login done. Faults of the host,
 * the network or the login come back as failures with cause and remedy.
 */
export const connect = async (host: Reachable, options: ConnectOptions): Promise<Result<Connection, Failure>> => {
  const settled = settle(options);
  if (host.reach === 'local') return ok(connectLocal(host, {credentials: settled.credentials}));
  const route = await routeTo(host, settled);
  if (!route.ok) return route;
  const opened = await openClient(route.value, settled);
  if (!opened.ok) return opened;
  const client = opened.value;
  const run = createRunner({
    host: host.name,
    user: route.value.user,
    open: sessionOpener(host.name, client),
    lost: client.lost,
    sudoPassword: () => settled.credentials.sudoPassword(host.name),
    heartbeatSeconds: settled.keepalive.intervalMs / 1000,
  });
  return ok({
    host: host.name,
    address: route.value.address,
    user: route.value.user,
    run: (script, runOptions = {}) =>
      runOptions.fresh ? runAnew(host, options, script, runOptions) : run(script, runOptions),
    close: client.close,
  });
};

/** Over a connection of its own. What making it may take is bounded by the script's own time. */
const runAnew = async (
  host: Reachable,
  options: ConnectOptions,
  script: Script,
  {fresh: _, ...runOptions}: RunOptions,
): Promise<Result<Output, Failure>> => {
  const {connectTimeoutMs = defaultConnectTimeoutMs} = options;
  const again = await connect(host, {
    ...options,
    signal: runOptions.signal ?? options.signal,
    connectTimeoutMs: Math.min(connectTimeoutMs, runOptions.timeoutMs ?? connectTimeoutMs),
  });
  if (!again.ok) return again;
  try {
    return await again.value.run(script, runOptions);
  } finally {
    await again.value.close();
  }
};

/**
 * The host keys of all hosts, in their order, without logging in to them; this machine has none. Jump hosts come
 * first, each once, under their address: until a jump host's key is accepted, the hosts behind it fail with
 * `host-key-unknown` of the jump host.
 */
export const fetchHostKeys = async (
  hosts: readonly Reachable[],
  options: ConnectOptions,
): Promise<Result<HostKeyFinding, Failure>[]> => {
  const settled = settle(options);
  const routes = await Promise.all(hosts.filter(({reach}) => reach === 'ssh').map(host => routeTo(host, settled)));
  const seen = new Map<string, Result<Route, Failure>>();
  for (const route of routes) {
    for (let via = route.ok ? route.value.via : undefined; via; via = via.via)
      seen.set(`${via.address}:${via.port}`, ok(via));
  }
  return await Promise.all(
    [...seen.values(), ...routes].map(async route => {
      if (!route.ok) return route;
      const approached = await approach(route.value, settled);
      if (!approached.ok) return approached;
      const finding = await showKey(approached.value.handshake);
      approached.value.stream.release();
      return finding;
    }),
  );
};

/** A stream to the server, and what is known of its key. */
const approach = async (
  route: Route,
  options: Settled,
): Promise<Result<{stream: JumpStream; handshake: HandshakeOptions}, Failure>> => {
  const {knownHostsFile, connectTimeoutMs: timeoutMs, signal, keepalive, jumps} = options;
  const known = await readKnownHosts([
    ...route.settings.userKnownHostsFiles,
    ...route.settings.globalKnownHostsFiles,
    knownHostsFile,
  ]);
  if (!known.ok) return err({...known.error, host: route.host});
  const stream = await streamTo(route, options, jumps, timeoutMs);
  if (!stream.ok) return stream;
  return ok({
    stream: stream.value,
    handshake: {route, stream: stream.value.stream, known: known.value, keepalive, timeoutMs, signal},
  });
};

const streamTo = async (
  route: Route,
  options: Settled,
  jumps: Jumps,
  timeoutMs: number,
): Promise<Result<JumpStream, Failure>> => {
  const {signal} = options;
  if (route.via) {
    const open = (via: Route) => openClient(via, options);
    return await throughJump(jumps, route.via, route, {open, timeoutMs, signal});
  }
  const socket = await dial(route.host, route.address, route.port, {timeoutMs, signal});
  return socket.ok ? ok({stream: socket.value, release: () => {}}) : socket;
};

/** Tries of a server that closes a connection before the handshake, as sshd does while too many log in at once. */
const handshakeTries = 4;

const openClient = async (route: Route, options: Settled): Promise<Result<SshClient, Failure>> => {
  const authentication = await prepareAuthentication({
    host: route.host,
    user: route.user,
    identityFile: route.identityFile,
    settings: route.settings,
    credentials: options.credentials,
  });
  if (!authentication.ok) return authentication;
  for (let attempt = 1; ; attempt++) {
    const approached = await approach(route, options);
    if (!approached.ok) return approached;
    const {stream, handshake} = approached.value;
    const client = await logIn(handshake, authentication.value);
    if (client.ok) {
      void client.value.gone.then(stream.release);
      return client;
    }
    stream.release();
    if (options.signal?.aborted) return err(cancelled(route.host));
    if (!client.error.turnedAway || attempt === handshakeTries) return err(client.error.failure);
    // Apart from the others that were turned away at the same moment.
    await sleep(200 * attempt + 200 * Math.random());
  }
};
