import {setTimeout as sleep} from 'node:timers/promises';
import pLimit from 'p-limit';
import type {ClientChannel} from 'ssh2';
import type {Failure} from '../engine/failure.ts';
import {err, ok, type Result} from '../result.ts';
import {entryCommand} from './bootstrap.ts';
import {connectionLost, quotable} from './failures.ts';
import type {Session} from './runner.ts';
import type {SshClient} from './ssh-client.ts';

/** Sessions at a time on one connection. sshd allows 10 (MaxSessions), and frees them a moment after we see them end. */
const sessionsAtOnce = 4;

/** SSH_OPEN_CONNECT_FAILED of RFC 4254, which sshd gives when it has no session left. */
const noSessionLeft = 2;
const attempts = 20;
const retryMs = 50;

/** Opens sessions on a connection; more than four wait for each other. */
export const sessionOpener = (host: string, connection: SshClient): (() => Promise<Result<Session, Failure>>) => {
  const limit = pLimit(sessionsAtOnce);
  return () =>
    new Promise(resolve => {
      void limit(async () => {
        const session = await openSession(host, connection);
        resolve(session);
        // The place is free when the server has let go of the session as well.
        if (session.ok) await session.value.closed;
      });
    });
};

const openSession = async (host: string, connection: SshClient): Promise<Result<Session, Failure>> => {
  for (let attempt = 1; ; attempt++) {
    const channel = await Promise.race([openChannel(connection), connection.gone]);
    const lost = connection.lost();
    if (lost || !channel) return err(lost ?? connectionLost(host, 'It ended while a session was opened.'));
    if (!(channel instanceof Error)) return ok(sessionOver(channel, connection));
    if ((channel as {reason?: unknown}).reason !== noSessionLeft || attempt === attempts)
      return err(refused(host, channel));
    await sleep(retryMs);
  }
};

const openChannel = ({client}: SshClient): Promise<ClientChannel | Error> =>
  new Promise(resolve => {
    try {
      client.exec(entryCommand, (error, channel) => resolve(error ?? channel));
    } catch (error) {
      // ssh2 throws when the socket is no longer writable.
      resolve(error instanceof Error ? error : new Error(String(error)));
    }
  });

const sessionOver = (channel: ClientChannel, {gone}: SshClient): Session => {
  // What an ended channel means, its output and its end say.
  channel.on('error', () => {});
  channel.stderr.on('error', () => {});
  return {
    write: bytes => channel.writable && channel.write(bytes),
    end: () => channel.end(),
    destroy: () => channel.close(),
    onOutput: listener => {
      channel.on('data', (chunk: Buffer) => listener('stdout', chunk));
      channel.stderr.on('data', (chunk: Buffer) => listener('stderr', chunk));
    },
    closed: Promise.race([new Promise<void>(resolve => channel.once('close', () => resolve())), gone]),
  };
};

const refused = (host: string, error: Error): Failure => ({
  kind: 'command',
  host,
  attempted: 'opening a session',
  message: `${host} allows no more sessions on the connection.`,
  cause: quotable(error.message),
  remedy: 'Check MaxSessions and ForceCommand in /etc/ssh/sshd_config of the host.',
  transient: true,
});
