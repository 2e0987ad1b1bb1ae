import {existsSync} from 'node:fs';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {type AddressInfo, createServer, type Server, type Socket} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {execa} from 'execa';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {type ConnectOptions, connect, fetchHostKeys, type Reachable} from '../../source/hosts/connect.ts';
import type {Connection} from '../../source/hosts/connection.ts';
import type {Credentials} from '../../source/hosts/credentials.ts';
import {noCredentials} from '../../source/hosts/credentials.ts';
import {fingerprintOf} from '../../source/hosts/known-hosts.ts';
import {sh} from '../../source/shell/script.ts';
import {newKeyPair, startServer, type TestServer, type TestServerOptions} from '../support/ssh-server.ts';

let folder = '';
let knownHostsFile = '';
const open: {close: () => Promise<unknown>}[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'connect-'));
  knownHostsFile = join(folder, 'known_hosts');
});
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
  await rm(folder, {recursive: true});
});

const start = async (options?: TestServerOptions): Promise<TestServer> => {
  const server = await startServer(options);
  open.push(server);
  await writeFile(knownHostsFile, server.knownHosts, {flag: 'a'});
  return server;
};

const hostAt = (port: number, more: Partial<Reachable> = {}): Reachable => ({
  name: 'h1',
  reach: 'ssh',
  address: '127.0.0.1',
  port,
  user: 'tester',
  ...more,
});

const withPassword = (password: string): Credentials => ({...noCredentials, password: () => password});

/** Nothing of whoever runs the tests: no settings, no keys, no agent. */
const options = (more: Partial<ConnectOptions> = {}): ConnectOptions => ({
  knownHostsFile,
  openSsh: false,
  credentials: withPassword('right'),
  ...more,
});

const connected = async (host: Reachable, more?: Partial<ConnectOptions>): Promise<Connection> => {
  const result = await connect(host, options(more));
  if (!result.ok) throw new Error(`${result.error.message} ${result.error.cause}`);
  open.push(result.value);
  return result.value;
};

const failureOf = async (host: Reachable, more?: Partial<ConnectOptions>) => {
  const result = await connect(host, options(more));
  if (result.ok) throw new Error('the connection came about');
  return result.error;
};

const keyFile = async (name: string, passphrase = ''): Promise<{file: string; base64: string}> => {
  const file = join(folder, name);
  await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-a', '1', '-N', passphrase, '-C', name, '-f', file]);
  const {stdout} = await execa('cat', [`${file}.pub`]);
  return {file, base64: stdout.split(' ')[1] ?? ''};
};

const listening = async (server: Server): Promise<number> => {
  const sockets = new Set<Socket>();
  server.on('connection', socket => sockets.add(socket));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  open.push({
    close: () =>
      new Promise(resolve => {
        server.close(resolve);
        for (const socket of sockets) socket.destroy();
      }),
  });
  return (server.address() as AddressInfo).port;
};

/** Shells with rules of quoting of their own, where this machine has them. */
const otherShells = ['fish', 'tcsh', 'csh', 'zsh', 'ksh'].filter(name => existsSync(`/usr/bin/${name}`));

describe('a connection', () => {
  test('runs scripts, and the command that the server sees is always the same', async () => {
    const server = await start();
    const connection = await connected(hostAt(server.port));
    const outputs = await Promise.all(
      ['first-word', 'second-word'].map(word => connection.run(sh`echo ${word}; exit 3`, {root: false})),
    );
    expect(outputs).toMatchObject([
      {ok: true, value: {code: 3, stdout: 'first-word\n', stderr: ''}},
      {ok: true, value: {code: 3, stdout: 'second-word\n', stderr: ''}},
    ]);
    expect(new Set(server.commands).size).toBe(1);
    expect(server.commands[0]).not.toMatch(/-word/);
  });

  test.each([
    'bash',
    'sh',
    ...otherShells,
  ])('does not mind a login shell (%s), nor the noise that it makes', async shell => {
    const server = await start({shell, noise: 'Welcome!\r\ngw.start\nfortune: "$(oops)"'});
    const connection = await connected(hostAt(server.port));
    expect(await connection.run(sh`echo out; echo err >&2; exit 3`, {root: false})).toMatchObject({
      ok: true,
      value: {code: 3, stdout: 'out\n', stderr: 'err\n'},
    });
  });

  test('opens at most four sessions at a time, and twelve scripts all get their answer', async () => {
    const server = await start({maxSessions: 4});
    const connection = await connected(hostAt(server.port));
    const results = await Promise.all(
      Array.from({length: 12}, (_, index) => connection.run(sh`sleep 0.05; echo ${index}`, {root: false})),
    );
    expect(results.map(result => result.ok && result.value.stdout.trim())).toEqual(
      Array.from({length: 12}, (_, index) => String(index)),
    );
    expect(server.busiest()).toBe(4);
  });

  test('waits when the server has no session left at the moment', async () => {
    const server = await start({maxSessions: 1});
    const connection = await connected(hostAt(server.port));
    const results = await Promise.all(
      Array.from({length: 3}, (_, index) => connection.run(sh`sleep 0.1; echo ${index}`, {root: false})),
    );
    expect(results.map(result => result.ok && result.value.stdout)).toEqual(['0\n', '1\n', '2\n']);
  });

  test('that is lost in the middle of a script is a failure, and so is every script after it', async () => {
    const server = await start();
    const connection = await connected(hostAt(server.port));
    const running = connection.run(sh`echo started; sleep 60`, {
      root: false,
      onOutput: () => {
        for (const socket of server.sockets) socket.resetAndDestroy();
      },
    });
    expect(await running).toMatchObject({ok: false, error: {kind: 'connection-lost', host: 'h1', transient: true}});
    expect(await connection.run(sh`true`)).toMatchObject({ok: false, error: {kind: 'connection-lost'}});
  });

  test('that is reset while nothing runs harms nobody, and is told with the next script', async () => {
    const server = await start();
    const connection = await connected(hostAt(server.port));
    for (const socket of server.sockets) socket.resetAndDestroy();
    await expect.poll(() => server.sockets.size).toBe(0);
    expect(await connection.run(sh`true`)).toMatchObject({ok: false, error: {kind: 'connection-lost'}});
  });

  test('to a host that falls silent is lost after the keepalives', async () => {
    const server = await start();
    const connection = await connected(hostAt(server.port), {keepalive: {intervalMs: 100, count: 2}});
    const running = connection.run(sh`echo started; sleep 60`, {
      root: false,
      onOutput: () => {
        for (const socket of server.sockets) socket.pause();
      },
    });
    expect(await running).toMatchObject({
      ok: false,
      error: {kind: 'connection-lost', cause: expect.stringContaining('no longer answers')},
    });
  });

  test('that ends without a status is no success', async () => {
    const server = await start({exec: (_command, channel) => channel.close()});
    const connection = await connected(hostAt(server.port));
    expect(await connection.run(sh`true`, {root: false})).toMatchObject({ok: false});
  });

  test('of an account without a shell says what the host said', async () => {
    const server = await start({
      exec: (_command, channel) => {
        channel.write('Please login as the user "ubuntu" rather than the user "root".\n');
        channel.exit(142);
        channel.end();
      },
    });
    const connection = await connected(hostAt(server.port));
    expect(await connection.run(sh`true`)).toMatchObject({
      ok: false,
      error: {kind: 'authentication', cause: 'Please login as the user "ubuntu" rather than the user "root".'},
    });
  });
});

describe('what stands in the way of a connection', () => {
  test('a closed port', async () => {
    const server = createServer();
    const port = await listening(server);
    await new Promise(resolve => server.close(resolve));
    expect(await failureOf(hostAt(port))).toMatchObject({
      kind: 'unreachable',
      message: `Nothing answers at 127.0.0.1:${port}: the connection was refused.`,
      remedy: expect.stringContaining('sshd'),
    });
  });

  test('a name that does not exist', async () => {
    const failure = await failureOf(hostAt(22, {address: 'no-such-host.invalid'}));
    expect(failure.kind).toBe('unreachable');
    expect(failure.message).toMatch(/^The name no-such-host\.invalid (does not resolve|could not be looked up)/);
  });

  test('an address that nobody has', async () => {
    const failure = await failureOf(hostAt(22, {address: '192.0.2.1'}), {connectTimeoutMs: 200});
    expect(failure).toMatchObject({kind: 'unreachable', host: 'h1', transient: true});
  });

  test('a server that says nothing', async () => {
    const port = await listening(createServer(() => {}));
    expect(await failureOf(hostAt(port), {connectTimeoutMs: 200})).toMatchObject({kind: 'timeout'});
  });

  test('a server that speaks another protocol', async () => {
    const port = await listening(createServer(socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')));
    const failure = await failureOf(hostAt(port));
    expect(failure.kind).toBe('unreachable');
    expect(failure.cause).toBeTruthy();
  });

  test('a server that hangs up at once is tried again', async () => {
    let calls = 0;
    const port = await listening(
      createServer(socket => {
        calls++;
        socket.destroy();
      }),
    );
    expect(await failureOf(hostAt(port))).toMatchObject({
      kind: 'unreachable',
      message: expect.stringContaining('closed the connection at once'),
    });
    expect(calls).toBe(4);
  });

  test('the operator, who cancels', async () => {
    const port = await listening(createServer(() => {}));
    const signal = AbortSignal.timeout(100);
    expect(await failureOf(hostAt(port), {signal})).toMatchObject({kind: 'cancelled'});
  });
});

describe('host keys', () => {
  test('an unknown one is shown, and nothing is offered to its server', async () => {
    const server = await start();
    await writeFile(knownHostsFile, '');
    const failure = await failureOf(hostAt(server.port));
    expect(failure).toMatchObject({
      kind: 'host-key-unknown',
      message: expect.stringContaining(fingerprintOf(server.key)),
    });
    expect(server.offers).toEqual([]);
  });

  test('a changed one is refused with both fingerprints, and nothing is offered', async () => {
    const server = await start();
    const before = newKeyPair();
    await writeFile(knownHostsFile, `[127.0.0.1]:${server.port} ssh-ed25519 ${before.base64}\n`);
    const failure = await failureOf(hostAt(server.port));
    expect(failure.kind).toBe('host-key-changed');
    expect(failure.message).toContain(fingerprintOf(before.base64));
    expect(failure.message).toContain(fingerprintOf(server.key));
    expect(failure.remedy).toContain(`ssh-keygen -R '[127.0.0.1]:${server.port}'`);
    expect(server.offers).toEqual([]);
  });

  test('a revoked one is refused', async () => {
    const server = await start();
    await writeFile(knownHostsFile, `${server.knownHosts}@revoked * ssh-ed25519 ${server.key}\n`);
    expect(await failureOf(hostAt(server.port))).toMatchObject({
      kind: 'host-key-changed',
      message: expect.stringContaining('revoked'),
    });
  });

  test('are fetched from all hosts without logging in', async () => {
    const [known, unknown] = [await start(), await start()];
    await writeFile(knownHostsFile, known.knownHosts);
    const dead = createServer();
    const port = await listening(dead);
    await new Promise(resolve => dead.close(resolve));
    const found = await fetchHostKeys(
      [
        hostAt(known.port),
        hostAt(unknown.port, {name: 'h2'}),
        hostAt(port, {name: 'h3'}),
        hostAt(22, {reach: 'local'}),
      ],
      options(),
    );
    expect(found).toMatchObject([
      {ok: true, value: {host: 'h1', status: 'known', knownAs: `[127.0.0.1]:${known.port}`, type: 'ssh-ed25519'}},
      {ok: true, value: {host: 'h2', status: 'unknown', fingerprint: fingerprintOf(unknown.key), key: unknown.key}},
      {ok: false, error: {kind: 'unreachable', host: 'h3'}},
    ]);
    expect([...known.offers, ...unknown.offers]).toEqual([]);
  });
});

describe('logging in', () => {
  test('a wrong password is told as such, with what the server allows', async () => {
    const server = await start({accept: offered => offered.method === 'password' && offered.password === 'right'});
    expect(await failureOf(hostAt(server.port), {credentials: withPassword('wrong')})).toMatchObject({
      kind: 'authentication',
      message: 'h1 did not accept the password of tester.',
      cause: 'Tried, in this order: password (refused). The server allows: publickey, password.',
    });
    await connected(hostAt(server.port));
  });

  test('the password answers a server that asks on the keyboard, but not what is shown while typed', async () => {
    const given: string[][] = [];
    const server = await start({
      methods: ['keyboard-interactive'],
      accept: offered => {
        if (offered.method !== 'keyboard-interactive') return false;
        const questions = [
          {prompt: 'User:', echo: true},
          {prompt: 'Password: ', echo: false},
        ];
        offered.prompt(questions, answers => {
          given.push(answers);
          if (answers[1] === 'right') offered.accept();
          else offered.reject(['keyboard-interactive']);
        });
        return 'asked';
      },
    });
    await connected(hostAt(server.port));
    expect(given).toEqual([['', 'right']]);
    expect(server.offers).toEqual(['none', 'keyboard-interactive']);
  });

  test('a named key is offered alone', async () => {
    const server = await start({accept: offered => offered.method === 'publickey'});
    const {file, base64} = await keyFile('named');
    await connected(hostAt(server.port, {identityFile: file}));
    expect(new Set(server.offers)).toEqual(new Set(['none', `publickey ${base64}`]));
  });

  test('a refused key is named', async () => {
    const server = await start({accept: () => false, methods: ['publickey']});
    const {file} = await keyFile('refused');
    const failure = await failureOf(hostAt(server.port, {identityFile: file}), {credentials: noCredentials});
    expect(failure.cause).toBe(`Tried, in this order: key ${file} (refused). The server allows: publickey.`);
    expect(failure.remedy).toContain('The server takes no password');
  });

  test('with nothing to offer, what the server allows is told', async () => {
    const server = await start();
    const failure = await failureOf(hostAt(server.port), {credentials: noCredentials});
    expect(failure.message).toContain('nothing to log in to h1 as tester with');
    expect(failure.cause).toBe('Nothing was tried. The server allows: publickey, password.');
  });

  test('an encrypted key needs its passphrase', async () => {
    const server = await start({accept: offered => offered.method === 'publickey'});
    const {file} = await keyFile('locked', 'open sesame');
    const host = hostAt(server.port, {identityFile: file});
    const passphrase = (text: string): Credentials => ({...noCredentials, passphrase: () => text});
    expect((await failureOf(host, {credentials: noCredentials})).message).toBe(
      `The key ${file} is encrypted, and its passphrase was not given.`,
    );
    expect((await failureOf(host, {credentials: passphrase('wrong')})).message).toBe(
      `The passphrase of the key ${file} is wrong.`,
    );
    await connected(host, {credentials: passphrase('open sesame')});
  });

  test('a key file that is missing, or no key, is told before anything is sent', async () => {
    const server = await start();
    const missing = join(folder, 'missing');
    const nonsense = join(folder, 'nonsense');
    await writeFile(nonsense, 'not a key\n');
    expect((await failureOf(hostAt(server.port, {identityFile: missing}))).message).toBe(
      `The key file ${missing} does not exist on this machine.`,
    );
    expect((await failureOf(hostAt(server.port, {identityFile: nonsense}))).message).toBe(
      `The file ${nonsense} holds no private key that can be used here.`,
    );
    expect(server.sockets.size).toBe(0);
  });
});
