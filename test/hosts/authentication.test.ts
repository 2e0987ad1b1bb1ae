import {chmod, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir, userInfo} from 'node:os';
import {join} from 'node:path';
import {execa} from 'execa';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {connect} from '../../source/hosts/connect.ts';
import {noCredentials} from '../../source/hosts/credentials.ts';
import type {Operator} from '../../source/hosts/ssh-config.ts';
import {startAgent, type TestAgent} from '../support/ssh-agent.ts';
import {startServer, type TestServer} from '../support/ssh-server.ts';

type Key = {file: string; base64: string};

let folder = '';
let server: TestServer;
let agent: TestAgent;
/** The public key that the server takes. */
let welcome = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'authentication-'));
  agent = await startAgent();
  server = await startServer({
    methods: ['publickey'],
    accept: offered => offered.method === 'publickey' && offered.key.data.toString('base64') === welcome,
  });
  await writeFile(join(folder, 'known_hosts'), server.knownHosts);
});
afterEach(async () => {
  await server.close();
  await agent.close();
  await rm(folder, {recursive: true});
});

const newKey = async (name: string, passphrase = ''): Promise<Key> => {
  const file = join(folder, name);
  await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-a', '1', '-N', passphrase, '-C', name, '-f', file]);
  return {file, base64: (await readFile(`${file}.pub`, 'utf8')).split(' ')[1] ?? ''};
};

const who = async (config = ''): Promise<Operator> => {
  const configFile = join(folder, 'config');
  await writeFile(configFile, `${config}\nHost *\n  UserKnownHostsFile none\n  GlobalKnownHostsFile none\n`);
  return {home: folder, user: userInfo().username, agentSocket: agent.socket, configFile};
};

/** Logs in and hangs up. The error's text, or undefined when the server let us in; and the keys it was offered. */
const logIn = async ({identityFile, config}: {identityFile?: string; config?: string} = {}) => {
  const result = await connect(
    {name: 'h1', reach: 'ssh', address: '127.0.0.1', port: server.port, user: 'tester', identityFile},
    {knownHostsFile: join(folder, 'known_hosts'), credentials: noCredentials, operator: await who(config)},
  );
  if (result.ok) await result.value.close();
  const offered = server.offers.filter(offer => offer.startsWith('publickey')).map(offer => offer.split(' ')[1]);
  return {failure: result.ok ? undefined : result.error, offered: [...new Set(offered)]};
};

describe('keys of the agent', () => {
  test('are offered one by one until one is taken', async () => {
    const [first, second] = [await newKey('first'), await newKey('second')];
    for (const {file} of [first, second]) await agent.add('-q', file);
    welcome = second.base64;
    expect(await logIn({config: 'IdentityFile none'})).toEqual({
      failure: undefined,
      offered: [first.base64, second.base64],
    });
  });

  test('that the settings name come first', async () => {
    const [first, second] = [await newKey('first'), await newKey('second')];
    for (const {file} of [first, second]) await agent.add('-q', file);
    welcome = second.base64;
    expect(await logIn({config: `IdentityFile ${second.file}`})).toEqual({
      failure: undefined,
      offered: [second.base64],
    });
  });

  test('are not offered when a key is named for the host', async () => {
    const [held, named] = [await newKey('held'), await newKey('named')];
    await agent.add('-q', held.file);
    const {failure, offered} = await logIn({identityFile: named.file});
    expect(offered).toEqual([named.base64]);
    expect(failure?.cause).toContain(`Tried, in this order: key ${named.file} (refused).`);
  });

  test('are not offered beside those that IdentitiesOnly allows', async () => {
    const [held, allowed] = [await newKey('held'), await newKey('allowed')];
    await agent.add('-q', held.file);
    expect((await logIn({config: `IdentitiesOnly yes\nIdentityFile ${allowed.file}`})).offered).toEqual([
      allowed.base64,
    ]);
  });

  test('open an encrypted key file that is named, without its passphrase', async () => {
    const locked = await newKey('locked', 'open sesame');
    const open = await newKey('open');
    // The agent gets the key as ssh-add would, from an unencrypted copy.
    await execa('cp', [locked.file, `${locked.file}.copy`]);
    await execa('ssh-keygen', ['-q', '-p', '-P', 'open sesame', '-N', '', '-f', `${locked.file}.copy`]);
    for (const file of [open.file, `${locked.file}.copy`]) await agent.add('-q', file);
    welcome = locked.base64;
    expect(await logIn({identityFile: locked.file})).toEqual({failure: undefined, offered: [locked.base64]});
    expect((await logIn({identityFile: `${locked.file}.pub`})).failure).toBeUndefined();
  });

  test('that the agent will not use are passed over, and told', async () => {
    const [guarded, open] = [await newKey('guarded'), await newKey('open')];
    // Needs a confirmation, which /bin/false never gives.
    await agent.add('-q', '-c', guarded.file);
    await agent.add('-q', open.file);
    welcome = guarded.base64;
    const {failure, offered} = await logIn({config: 'IdentityFile none'});
    expect(offered).toEqual([guarded.base64, open.base64]);
    expect(failure?.cause).toContain(
      'key guarded from the agent (the agent did not sign), key open from the agent (refused)',
    );
  });

  test('of an agent that is locked are none, and the failure says so', async () => {
    const held = await newKey('held');
    await agent.add('-q', held.file);
    await execa('python3', ['-c', lockAgent, agent.socket]);
    welcome = held.base64;
    const {failure} = await logIn({config: 'IdentityFile none'});
    expect(failure?.cause).toContain('the ssh-agent offers no key (it is empty, or locked)');
  });

  test('of an agent that is gone are none, and the failure says so', async () => {
    await agent.close();
    const {failure} = await logIn({config: 'IdentityFile none'});
    expect(failure?.cause).toContain(`the ssh-agent at ${agent.socket} does not answer`);
  });
});

describe('key files of the settings', () => {
  test('are offered without an agent, those that cannot be used are told', async () => {
    const [usable, locked] = [await newKey('usable'), await newKey('locked', 'secret')];
    const {failure, offered} = await logIn({
      config: `IdentityAgent none\nIdentityFile ${locked.file}\nIdentityFile ${usable.file}\nIdentityFile ${folder}/missing`,
    });
    expect(offered).toEqual([usable.base64]);
    expect(failure?.cause).toBe(
      `Tried, in this order: key ${usable.file} (refused). The server allows: publickey. Not used: ${locked.file}: no passphrase given.`,
    );
  });

  test('a named key that cannot be read is told with the reason', async () => {
    const unreadable = join(folder, 'a-directory');
    await execa('mkdir', [unreadable]);
    await chmod(unreadable, 0o700);
    expect((await logIn({identityFile: unreadable})).failure).toMatchObject({
      kind: 'authentication',
      message: `The key file ${unreadable} cannot be read.`,
      cause: expect.stringContaining('EISDIR'),
    });
  });
});

/** SSH_AGENTC_LOCK with a passphrase: `ssh-add -x` asks for it on a terminal only. */
const lockAgent = `
import socket, struct, sys
agent = socket.socket(socket.AF_UNIX)
agent.connect(sys.argv[1])
body = bytes([22]) + struct.pack('>I', 4) + b'lock'
agent.sendall(struct.pack('>I', len(body)) + body)
assert agent.recv(5)[4] == 6
`;
