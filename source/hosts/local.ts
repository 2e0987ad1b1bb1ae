import {userInfo} from 'node:os';
import {execa} from 'execa';
import type {HostSpec} from '../deployment/schema.ts';
import type {Failure} from '../engine/failure.ts';
import {err, ok, type Result} from '../result.ts';
import {entryArguments} from './bootstrap.ts';
import type {Connection} from './connection.ts';
import {type Credentials, noCredentials} from './credentials.ts';
import {createRunner, type Session} from './runner.ts';

export type LocalOptions = {
  readonly credentials?: Credentials;
  /** Default: of this process. Only what sudo and the shell need of it is handed on. */
  readonly environment?: NodeJS.ProcessEnv;
};

/**
 * This machine as a host. The same bootstrap as over SSH, started directly; it has no terminal, so that nothing can
 * write over the screen or read the keys, and Ctrl-C in the terminal does not reach it: cancelling does.
 */
export const connectLocal = (
  host: Pick<HostSpec, 'name' | 'address'>,
  {credentials = noCredentials, environment = process.env}: LocalOptions = {},
): Connection => {
  const user = userInfo().username;
  const sessions = new Set<Session>();
  const open = async (): Promise<Result<Session, Failure>> => {
    const session = await startLocal(host.name, user, environment);
    if (!session.ok) return session;
    sessions.add(session.value);
    void session.value.closed.then(() => sessions.delete(session.value));
    return session;
  };
  return {
    host: host.name,
    address: host.address,
    user,
    run: createRunner({host: host.name, user, open, sudoPassword: () => credentials.sudoPassword(host.name)}),
    close: async () => {
      const open = [...sessions];
      for (const session of open) session.end();
      await Promise.all(open.map(({closed}) => closed));
    },
  };
};

const startLocal = async (
  host: string,
  user: string,
  environment: NodeJS.ProcessEnv,
): Promise<Result<Session, Failure>> => {
  const {HOME = '/', PATH = '/usr/bin:/bin', SSH_CONNECTION} = environment;
  const child = execa('bash', [...entryArguments], {
    // A session of its own: no controlling terminal, no Ctrl-C.
    detached: true,
    cleanup: false,
    extendEnv: false,
    env: {HOME, PATH, USER: user, LOGNAME: user, ...(SSH_CONNECTION && {SSH_CONNECTION})},
    buffer: false,
    encoding: 'buffer',
    reject: false,
  });
  const finished = child.then(result => result);
  if (child.pid === undefined) {
    const {originalMessage} = await finished;
    return err({
      kind: 'command',
      host,
      attempted: 'starting bash on this machine',
      message: 'bash could not be started on this machine.',
      cause: originalMessage ?? 'It is not installed.',
      remedy: 'Install bash.',
    });
  }
  const {stdin, stdout, stderr} = child;
  // The far side may end before it has read everything; what that means, its output says.
  stdin.on('error', () => {});
  return ok({
    write: bytes => stdin.write(bytes),
    end: () => stdin.end(),
    destroy: () => {
      stdin.end();
      stdout.destroy();
      stderr.destroy();
    },
    onOutput: listener => {
      stdout.on('data', (chunk: Buffer) => listener('stdout', chunk));
      stderr.on('data', (chunk: Buffer) => listener('stderr', chunk));
    },
    closed: finished.then(() => {}),
  });
};
