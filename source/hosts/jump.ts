import type {Duplex} from 'node:stream';
import type {Failure} from '../engine/failure.ts';
import {err, ok, type Result} from '../result.ts';
import {cancelled, endpoint, quotable} from './failures.ts';
import type {Route} from './route.ts';
import type {SshClient} from './ssh-client.ts';

type Shared = {readonly opening: Promise<Result<SshClient, Failure>>; users: number};

/**
 * The open connections to jump hosts, by user and address. Many hosts behind one jump host share its connection:
 * a server lets only a few clients log in at the same time (sshd's MaxStartups is 10:30:100), but forwards any number.
 */
export type Jumps = Map<string, Shared>;

export const newJumps = (): Jumps => new Map();

export type JumpStream = {readonly stream: Duplex; readonly release: () => void};

const keyOf = ({user, address, port, identityFile}: Route): string =>
  `${user}@${address}:${port} ${identityFile ?? ''}`;

/** A stream to a server through its jump host, over a connection that is opened when there is none. */
export const throughJump = async (
  jumps: Jumps,
  via: Route,
  to: Route,
  {
    open,
    timeoutMs,
    signal,
  }: {
    open: (route: Route) => Promise<Result<SshClient, Failure>>;
    timeoutMs: number;
    signal?: AbortSignal | undefined;
  },
): Promise<Result<JumpStream, Failure>> => {
  const key = keyOf(via);
  const shared = jumps.get(key) ?? {opening: open(via), users: 0};
  jumps.set(key, shared);
  shared.users++;
  let held = true;
  const forget = () => {
    if (jumps.get(key) === shared) jumps.delete(key);
  };
  const release = () => {
    if (!held) return;
    held = false;
    if (--shared.users > 0) return;
    forget();
    void shared.opening.then(async opened => {
      if (opened.ok) await opened.value.close();
    });
  };
  const opened = await shared.opening;
  if (!opened.ok) {
    release();
    return err({...opened.error, host: to.host, message: `On the way to ${to.host}: ${opened.error.message}`});
  }
  void opened.value.gone.then(forget);
  const forwarded = await forward(opened.value, via, to, timeoutMs, signal);
  if (!forwarded.ok) release();
  return forwarded.ok ? ok({stream: forwarded.value, release}) : forwarded;
};

const forward = async (
  {ssh, gone, lost}: SshClient,
  via: Route,
  to: Route,
  timeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<Result<Duplex, Failure>> => {
  let timer: NodeJS.Timeout | undefined;
  const opening = ssh.forwardOut('127.0.0.1', 0, to.address, to.port);
  const given = await Promise.race([
    opening.then(
      stream => stream as Duplex,
      (error: Error) => error,
    ),
    gone.then(() => 'gone' as const),
    new Promise<'late'>(resolve => {
      timer = setTimeout(() => resolve('late'), timeoutMs);
    }),
    new Promise<'aborted'>(resolve => signal?.addEventListener('abort', () => resolve('aborted'), {once: true})),
  ]);
  clearTimeout(timer);
  if (given === 'gone') return err(lost() ?? refused(via, to, 'The connection to the jump host was lost.'));
  if (given === 'late' || given === 'aborted') {
    void opening.then(stream => stream.destroy()).catch(() => {});
    return err(given === 'late' ? refused(via, to, `No answer within ${timeoutMs / 1000} s.`) : cancelled(to.host));
  }
  return given instanceof Error ? err(refused(via, to, given.message)) : ok(given);
};

const refused = (via: Route, to: Route, why: string): Failure => ({
  kind: 'unreachable',
  host: to.host,
  attempted: `connecting to ${endpoint(to.address, to.port)} through ${via.address}`,
  message: `The jump host ${via.address} cannot reach ${endpoint(to.address, to.port)}.`,
  cause: /prohibited/i.test(why)
    ? 'The jump host forbids forwarding (AllowTcpForwarding in its sshd_config).'
    : quotable(why),
  remedy: 'Check the address as the jump host sees it, and that SSH is allowed from there.',
  transient: true,
});
