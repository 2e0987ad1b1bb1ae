import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {execa} from 'execa';

/** A real ssh-agent of its own, which ends with `close`. */
export type TestAgent = {
  readonly socket: string;
  /** Runs `ssh-add` against it. */
  readonly add: (...args: string[]) => Promise<void>;
  readonly close: () => Promise<void>;
};

export const startAgent = async (): Promise<TestAgent> => {
  const folder = await mkdtemp(join(tmpdir(), 'agent-'));
  const socket = join(folder, 'socket');
  const child = execa('ssh-agent', ['-D', '-a', socket], {reject: false});
  const env = {SSH_AUTH_SOCK: socket, SSH_ASKPASS: '/bin/false', SSH_ASKPASS_REQUIRE: 'force'};
  for (let tries = 0; tries < 100; tries++) {
    const {exitCode} = await execa('ssh-add', ['-l'], {env, reject: false});
    // 2: the agent cannot be reached; 1: it has no key.
    if (exitCode !== 2) break;
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  return {
    socket,
    add: async (...args) => {
      await execa('ssh-add', args, {env});
    },
    close: async () => {
      child.kill();
      await child;
      await rm(folder, {recursive: true, force: true});
    },
  };
};
