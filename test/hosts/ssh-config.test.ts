import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {jumpsOf, routeTo} from '../../source/hosts/route.ts';
import {shellCommand} from '../../source/hosts/shell-command.ts';
import {type Operator, sshAliases, sshSettings} from '../../source/hosts/ssh-config.ts';

let home = '';
let who: Operator;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'ssh-config-'));
  await mkdir(join(home, '.ssh/conf.d'), {recursive: true});
  const configFile = join(home, '.ssh/config');
  await writeFile(
    configFile,
    `Include ${home}/.ssh/conf.d/*.conf
Host node node-by-another-name
  HostName 10.0.0.11
  User deployer
  Port 2222
  IdentityFile ${home}/keys/node
  UserKnownHostsFile ${home}/known-a ${home}/known-b
Host behind
  HostName 10.9.0.5
  ProxyJump op@bastion:2200
Host far
  ProxyJump first,second
Host 10.0.0.12
  UserKnownHostsFile ${home}/known-a ${home}/known-b
Host odd
  ProxyCommand nc %h %p
Host ring-a
  ProxyJump ring-b
Host ring-b
  ProxyJump ring-a
Host *.example.org !bad.example.org
  User pattern
`,
  );
  await writeFile(
    join(home, '.ssh/conf.d/bastion.conf'),
    'Host bastion "quoted name"\n  HostName 192.0.2.1\n  IdentityAgent none\n',
  );
  who = {home, user: 'me', agentSocket: '/run/agent', configFile};
});
afterAll(() => rm(home, {recursive: true}));

const host = (address: string, more = {}) => ({
  name: 'h1',
  address,
  port: 22,
  user: 'ubuntu',
  identityFile: undefined,
  ...more,
});
const route = async (address: string, more = {}) => {
  const result = await routeTo(host(address, more), {operator: who, openSsh: true});
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
};

describe("OpenSSH's own settings", () => {
  test('are read as OpenSSH reads them', async () => {
    expect(await sshSettings('node', who)).toMatchObject({
      hostname: '10.0.0.11',
      port: 2222,
      user: 'deployer',
      identityFiles: [join(home, 'keys/node')],
      userKnownHostsFiles: [join(home, 'known-a'), join(home, 'known-b')],
      agentSocket: '/run/agent',
      proxyJump: undefined,
    });
    expect(await sshSettings('bastion', who)).toMatchObject({hostname: '192.0.2.1', agentSocket: undefined});
    expect((await sshSettings('a.example.org', who)).user).toBe('pattern');
  });

  test('for a host that they do not name are the defaults, in the home of the operator', async () => {
    const settings = await sshSettings('elsewhere', {...who, user: (await import('node:os')).userInfo().username});
    expect(settings).toMatchObject({hostname: 'elsewhere', port: 22, user: undefined});
    expect(settings.identityFiles).toContain(join(home, '.ssh/id_ed25519'));
  });

  test('that are broken do not stop anything', async () => {
    const configFile = join(home, 'broken');
    await writeFile(configFile, 'NoSuchOption yes\n');
    expect(await sshSettings('10.0.0.1', {...who, configFile})).toMatchObject({hostname: '10.0.0.1', port: 22});
  });

  test('name hosts: patterns left out, includes followed', async () => {
    const names = await sshAliases(who);
    expect(names).toEqual([
      'bastion',
      'quoted name',
      'node',
      'node-by-another-name',
      'behind',
      'far',
      '10.0.0.12',
      'odd',
      'ring-a',
      'ring-b',
    ]);
  });
});

describe('the way to a host', () => {
  test('fills in from the settings what the operator did not say', async () => {
    expect(await route('node')).toMatchObject({
      address: '10.0.0.11',
      port: 2222,
      user: 'deployer',
      knownAs: '[10.0.0.11]:2222',
      identityFile: undefined,
      via: undefined,
    });
  });

  test('is as the operator said where he said it', async () => {
    const said = {port: 2022, user: 'root', identityFile: '~/keys/other'};
    expect(await route('node', said)).toMatchObject({port: 2022, user: 'root', identityFile: join(home, 'keys/other')});
  });

  test('follows a ProxyJump, with the settings of the jump host', async () => {
    const [jump, ...more] = jumpsOf(await route('behind'));
    expect(jump).toMatchObject({address: '192.0.2.1', port: 2200, user: 'op', knownAs: '[192.0.2.1]:2200'});
    expect(more).toEqual([]);
  });

  test('goes through several jump hosts in their order', async () => {
    expect(jumpsOf(await route('far')).map(({address}) => address)).toEqual(['first', 'second']);
  });

  test('takes the jump host of the deployment before that of the settings', async () => {
    const jump = {address: '192.0.2.9', port: 22, user: 'ubuntu', identityFile: '/keys/jump'};
    expect(jumpsOf(await route('behind', {jump}))).toMatchObject([{address: '192.0.2.9', identityFile: '/keys/jump'}]);
  });

  test('cannot be a ProxyCommand, and says so', async () => {
    expect(await routeTo(host('odd'), {operator: who, openSsh: true})).toMatchObject({
      ok: false,
      error: {kind: 'input', cause: expect.stringContaining('nc')},
    });
  });

  test('cannot be a circle', async () => {
    expect(await routeTo(host('ring-a'), {operator: who, openSsh: true})).toMatchObject({
      ok: false,
      error: {kind: 'input', cause: expect.stringContaining('circle')},
    });
  });

  test('has nothing of the settings where they are to be left alone', async () => {
    const result = await routeTo(host('node'), {operator: who, openSsh: false});
    expect(result).toMatchObject({
      ok: true,
      value: {address: 'node', port: 22, user: 'ubuntu', settings: {identityFiles: [], userKnownHostsFiles: []}},
    });
  });
});

describe('the command that opens a shell', () => {
  const knownHostsFile = '/state/known hosts';

  test('names what Groundwork uses', () => {
    const command = shellCommand(
      {reach: 'ssh', address: '10.0.0.12', port: 2222, user: 'admin', identityFile: '~/key'},
      {knownHostsFile, operator: who},
    );
    expect(command).toEqual([
      'ssh',
      ...['-F', who.configFile, '-l', 'admin', '-p', '2222', '-i', join(home, 'key'), '-o', 'IdentitiesOnly=yes', '-o'],
      `UserKnownHostsFile="${home}/known-a" "${home}/known-b" "/state/known hosts"`,
      '10.0.0.12',
    ]);
  });

  test('logs in as the user of the settings where Groundwork does', () => {
    const command = shellCommand(
      {reach: 'ssh', address: 'node', port: 22, user: 'ubuntu'},
      {knownHostsFile, operator: who},
    );
    expect(command.slice(3, 5)).toEqual(['-l', 'deployer']);
  });

  test('goes through the jump host with its own key', () => {
    const jump = {address: '192.0.2.9', port: 2200, user: 'op', identityFile: '/keys/50% jump'};
    const command = shellCommand(
      {reach: 'ssh', address: '10.0.0.12', port: 22, user: 'ubuntu', jump},
      {knownHostsFile, operator: who},
    );
    const proxy = command.find(word => word.startsWith('ProxyCommand='));
    expect(proxy).toContain("-l op -p 2200 -i '/keys/50%% jump'");
    expect(proxy).toMatch(/ -W %h:%p 192\.0\.2\.9$/);
  });

  test('is a login shell on this machine', () => {
    const here = {reach: 'local', address: '127.0.0.1', port: 22, user: 'me'} as const;
    expect(shellCommand(here, {knownHostsFile})).toEqual(['bash', '--login']);
  });
});
