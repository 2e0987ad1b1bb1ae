import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {type AddressInfo, createServer, type Server} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {discover, sshConfigHosts} from '../../source/hosts/discovery.ts';
import {parseHost, parseHostList} from '../../source/hosts/host-list.ts';
import type {Operator} from '../../source/hosts/ssh-config.ts';

let home = '';
let who: Operator;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'discovery-'));
  await mkdir(join(home, '.ssh'));
  who = {home, user: 'me', agentSocket: undefined, configFile: join(home, '.ssh/config')};
});
afterAll(() => rm(home, {recursive: true}));

const find = async (sources: string) => {
  const result = await discover(sources, {operator: who});
  if (!result.ok) throw new Error(result.error);
  return result.value;
};
const problem = async (sources: string) => {
  const result = await discover(sources, {operator: who});
  if (result.ok) throw new Error('it was understood');
  return result.error;
};

describe('naming hosts', () => {
  test('by addresses and names, with users and ports', async () => {
    expect(await find('10.0.0.11, admin@db.example.org:2222 [fd00::5]:2200\tfd00::6')).toEqual([
      {name: 'host-10-0-0-11', address: '10.0.0.11', port: 22, source: 'typed'},
      {name: 'db', address: 'db.example.org', port: 2222, user: 'admin', source: 'typed'},
      {name: 'host-fd00-5', address: 'fd00::5', port: 2200, source: 'typed'},
      {name: 'host-fd00-6', address: 'fd00::6', port: 22, source: 'typed'},
    ]);
  });

  test('by ranges, both ends included', async () => {
    const found = await find('10.0.0.254-10.0.1.1');
    expect(found.map(({address}) => address)).toEqual(['10.0.0.254', '10.0.0.255', '10.0.1.0', '10.0.1.1']);
    expect(found[0]?.source).toBe('range 10.0.0.254-10.0.1.1');
  });

  test('twice counts once, and equal names are told apart', async () => {
    const found = await find('10.0.0.11 10.0.0.11-12 db.a.org db.b.org');
    expect(found.map(({name}) => name)).toEqual(['host-10-0-0-11', 'host-10-0-0-12', 'db', 'db-2']);
  });

  test.each([
    ['', 'Name at least one'],
    ['10.0.0.300', '"10.0.0.300" is not an address'],
    ['10.0.0.1 10.0.0.9-3', '"10.0.0.9-3" ends before it begins'],
    ['10.0.0.5/24', '10.0.0.0/24'],
    ['10.0.0.0/8', 'more than 4096'],
    ['fd00::/64', 'more than 4096'],
    ['host:99999', 'a port is a number'],
    ['./missing', 'missing cannot be read'],
    ['a_b!', '"a_b!" is not an address'],
  ])('wrongly (%s) is told with the word that is wrong', async (sources, expected) => {
    expect(await problem(sources)).toContain(expected);
  });
});

describe('scanning a subnet', () => {
  let server: Server;
  let port = 0;
  beforeAll(async () => {
    server = createServer(socket => socket.destroy());
    await new Promise<void>(resolve => server.listen(0, '127.0.0.5', resolve));
    port = (server.address() as AddressInfo).port;
  });
  afterAll(() => new Promise(resolve => server.close(resolve)));

  test('gives the addresses that answer, and no other', async () => {
    const result = await discover('127.0.0.0/28', {operator: who, port, scanTimeoutMs: 500});
    expect(result).toEqual({
      ok: true,
      value: [{name: 'host-127-0-0-5', address: '127.0.0.5', port, source: 'subnet 127.0.0.0/28'}],
    });
  });

  test('can be stopped', async () => {
    const result = await discover('192.0.2.0/24', {
      operator: who,
      signal: AbortSignal.timeout(50),
      scanTimeoutMs: 60_000,
    });
    expect(result).toEqual({ok: false, error: 'The search was stopped.'});
  });
});

describe('lists of hosts', () => {
  test('hold one host a line', () => {
    const text = '# machines\nubuntu@10.0.0.11:2222 sandbox-1\n\n10.0.0.12   # the other\n';
    expect(parseHostList(text, 'list')).toEqual({
      ok: true,
      value: [{address: '10.0.0.11', port: 2222, user: 'ubuntu', name: 'sandbox-1'}, {address: '10.0.0.12'}],
    });
  });

  test.each([
    ['10.0.0.11\n\n10.0.0.300\n', 'list, line 3: "10.0.0.300"'],
    ['web[01:10]\n', 'list, line 1: "web[01:10]"'],
    ['10.0.0.11 Name\n', 'list, line 1: "Name"'],
    ['10.0.0.11 name and more\n', '"and more" is one word too many'],
    ['# nothing\n', 'list names no host'],
  ])('that are wrong (%j) name the line', (text, expected) => {
    expect(parseHostList(text, 'list')).toEqual({ok: false, error: expect.stringContaining(expected)});
  });

  test('are read from a path', async () => {
    const path = join(home, 'hosts.txt');
    await writeFile(path, '10.0.0.11\n');
    expect(await find(path)).toMatchObject([{address: '10.0.0.11', source: `list ${path}`}]);
    expect(await find('~/hosts.txt')).toMatchObject([{address: '10.0.0.11'}]);
  });

  test('a host needs no brackets unless a port follows an IPv6 address', () => {
    expect(parseHost('fd00::1')).toEqual({ok: true, value: {address: 'fd00::1'}});
    expect(parseHost('[fd00::1]')).toEqual({ok: true, value: {address: 'fd00::1'}});
    expect(parseHost('@10.0.0.1').ok).toBe(false);
    expect(parseHost('-oProxyCommand=x').ok).toBe(false);
  });
});

describe("the operator's OpenSSH settings", () => {
  test('offer the hosts that they name', async () => {
    await writeFile(
      who.configFile ?? '',
      `Host plain
  HostName 10.0.0.11
  Port 2222
  User deployer
Host keyed
  HostName 10.0.0.12
  IdentityFile ${home}/key
Host behind
  HostName 10.9.0.5
  ProxyJump plain
Host github.com
  User git
Host *
  ServerAliveInterval 30
`,
    );
    const source = who.configFile;
    const login = (await import('node:os')).userInfo().username;
    expect(await sshConfigHosts({...who, user: login})).toEqual([
      {name: 'plain', address: '10.0.0.11', port: 2222, user: 'deployer', source},
      {name: 'keyed', address: '10.0.0.12', port: 22, user: login, identityFile: join(home, 'key'), source},
      {name: 'behind', address: 'behind', port: 22, user: login, source},
    ]);
    expect((await find('ssh-config')).map(({name}) => name)).toEqual(['plain', 'keyed', 'behind']);
  });

  test('need not exist', async () => {
    expect(await sshConfigHosts({...who, configFile: join(home, 'none')})).toEqual([]);
  });
});
