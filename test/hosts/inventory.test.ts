import {execFileSync, spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {type InventoryHost, parseInventory} from '../../source/hosts/inventories.ts';
import {expandRanges, jumpOf} from '../../source/hosts/inventory.ts';

const hostsOf = (text: string): readonly InventoryHost[] => {
  const read = parseInventory(text, 'hosts');
  if (!read?.ok) throw new Error(read?.error ?? 'this is no inventory');
  return read.value.hosts;
};

const errorOf = (text: string): string => {
  const read = parseInventory(text, 'hosts');
  if (read === undefined || read.ok) throw new Error('this should not be read');
  return read.error;
};

const ini = `; made by hand
loner ansible_host=10.0.0.99

[all:vars]
ansible_user=ubuntu
# for everybody
ansible_ssh_private_key_file="~/my keys/id"

[proxy]
RP_1 ansible_host=203.0.113.10 ansible_user=admin ansible_port=2222

[compute]
node[1:2].site.example:2200

[storage]
nfs.site.example ansible_connection=ssh

[cluster:children]
compute
storage

[cluster:vars]
ansible_ssh_common_args='-o StrictHostKeyChecking=no -o ProxyJump=RP_1'
`;

/** Says the same thing at several distances from the hosts. */
const nearer = `[all:vars]
ansible_user=all
ansible_port=1
[b]
x
y ansible_user=host
[b:vars]
ansible_user=b
[c]
x
[c:vars]
ansible_user=c
[above:children]
b
[above:vars]
ansible_user=above
ansible_port=2
`;

const yaml = `all:
  vars:
    ansible_user: ubuntu
    ansible_ssh_private_key_file: ~/my keys/id
  hosts:
    loner: {ansible_host: 10.0.0.99}
  children:
    proxy:
      hosts:
        RP_1:
          ansible_host: 203.0.113.10
          ansible_user: admin
          ansible_port: 2222
    cluster:
      vars:
        ansible_ssh_common_args: -o StrictHostKeyChecking=no -o ProxyJump=RP_1
      children:
        compute:
          hosts:
            node[1:2].site.example:
              ansible_port: 2200
        storage:
          hosts:
            nfs.site.example:
`;

describe('an Ansible inventory', () => {
  const login = {user: 'ubuntu', identityFile: '~/my keys/id', local: false};
  const jump = {address: '203.0.113.10', port: 2222, user: 'admin', identityFile: '~/my keys/id'};
  const expected = [
    {...login, called: 'loner', name: 'loner', address: '10.0.0.99'},
    {...login, called: 'RP_1', name: 'rp-1', address: '203.0.113.10', port: 2222, user: 'admin', groups: ['proxy']},
    {...login, address: 'node1.site.example', port: 2200, groups: ['compute', 'cluster'], jump},
    {...login, address: 'node2.site.example', port: 2200, groups: ['compute', 'cluster'], jump},
    {...login, address: 'nfs.site.example', groups: ['storage', 'cluster'], jump},
  ];

  test.each([
    ['in INI', ini],
    ['in YAML', yaml],
  ])('%s tells hosts, their groups and how they are reached', (_, text) => {
    expect(hostsOf(text)).toMatchObject(expected);
    expect(hostsOf(text)).toHaveLength(expected.length);
  });

  test('tells in which line a host is', () => {
    expect(hostsOf(ini).map(({line}) => line)).toEqual([2, 10, 13, 13, 16]);
    expect(hostsOf(yaml).map(({line}) => line)).toEqual([6, 10, 20, 20, 24]);
  });

  test('is right about what is nearer: the host, its group, the groups above, all', () => {
    // b is deeper than c, so what it says is nearer.
    expect(hostsOf(nearer)).toMatchObject([
      {called: 'x', user: 'b', port: 2},
      {called: 'y', user: 'host', port: 2},
    ]);
  });

  test('goes round in no circle', () => {
    expect(hostsOf('[a:children]\nb\n[b:children]\na\n[b]\nx\n')).toMatchObject([{called: 'x'}]);
  });

  test('names what it holds beside logins, secrets without their values', () => {
    const read = parseInventory(
      '[all]\nx ansible_password=hunter2 http_port=80\n[all:vars]\nansible_host={{ lookup }}\nansible_ssh_common_args=-J a,b\n',
      'hosts',
    );
    expect(read).toMatchObject({
      ok: true,
      value: {
        unused: [
          {line: 2, name: 'ansible_password', why: 'secret'},
          {line: 2, name: 'http_port', why: 'other'},
          {line: 2, name: 'ansible_ssh_common_args', why: 'jump'},
          {line: 4, name: 'ansible_host', why: 'template'},
        ],
      },
    });
    expect(JSON.stringify(read)).not.toContain('hunter2');
  });

  test('on this machine says so', () => {
    expect(hostsOf('[all]\nhere ansible_connection=local\n')).toMatchObject([{called: 'here', local: true}]);
  });

  test.each([
    ['[a\nx\n[b]\ny\n', 'hosts, line 1: '],
    ['[a:other]\nx\n', 'hosts, line 1: "[a:other]" is no section'],
    ['[a]\nx y\n', 'hosts, line 2: "y" is not written like name=value'],
    ['[a]\nx ansible_port=ssh\n', 'hosts, line 2: "x": a port'],
    ['[a]\nnode[3:1]\n', 'hosts, line 2: "node[3:1]": a range goes'],
    ['[a]\nnode[1:99999]\n', 'more than 4096'],
    ['[a]\nnode[1:99][1:99]\n', 'more than 4096'],
    ['[a:vars]\nx\n', 'hosts, line 2: "x" is not written'],
    ['[a]\n', 'names no host'],
    ['all:\n  hosts:\n    "node[9:1]":\n', 'hosts, line 3: '],
    ['all:\n  hosts: {"bad name": }\n', 'hosts, line 2: "bad name"'],
  ])('that is wrong (%j) names the line', (text, expected) => {
    expect(errorOf(text)).toContain(expected);
  });

  test.each([
    'rke2_version: v1\nnode_ip: 10.0.0.1\n',
    '10.0.0.11\nubuntu@10.0.0.12 name\n',
    '{'.repeat(100_000),
    'a: &a [x]\nb: *c\n',
    '',
  ])('is not seen in other texts', text => {
    expect(parseInventory(text, 'hosts')).toBeUndefined();
  });
});

describe('ranges', () => {
  test.each([
    ['node[1:3]', ['node1', 'node2', 'node3']],
    ['node[08:10].x', ['node08.x', 'node09.x', 'node10.x']],
    ['n[1:9:4]', ['n1', 'n5', 'n9']],
    ['db-[a:c]', ['db-a', 'db-b', 'db-c']],
    ['r[1:2]n[:1]', ['r1n0', 'r1n1', 'r2n0', 'r2n1']],
    ['plain', ['plain']],
  ])('%s', (name, expected) => {
    expect(expandRanges(name)).toEqual({ok: true, value: expected});
  });
});

describe('jump hosts', () => {
  test.each([
    ['-J ops@gate:2222', {address: 'gate', port: 2222, user: 'ops'}],
    ['-o ProxyJump=ops@gate', {address: 'gate', port: 22, user: 'ops'}],
    ['-oProxyJump=gate', {address: 'gate', port: 22}],
    ['-o "ProxyJump gate"', {address: 'gate', port: 22}],
    [
      '-o ProxyCommand="ssh -W %h:%p -q -p 2222 -i ~/gate.pem ops@gate"',
      {address: 'gate', port: 2222, user: 'ops', identityFile: '~/gate.pem'},
    ],
    ['-o ProxyJump=none', undefined],
    ['-o StrictHostKeyChecking=no', undefined],
  ])('%s', (text, expected) => {
    expect(jumpOf(text)).toEqual({ok: true, value: expected});
  });

  test.each(['-J a,b', '-o ProxyCommand="nc %h %p"', '-J "not a host"'])('that cannot be used: %s', text => {
    expect(jumpOf(text).ok).toBe(false);
  });
});

/** What Ansible says itself about the hosts of an inventory. */
const judged = (text: string, name: string) => {
  const folder = mkdtempSync(join(tmpdir(), 'inventory-'));
  try {
    const file = join(folder, name);
    writeFileSync(file, text);
    const options = {
      encoding: 'utf8',
      env: {...process.env, HOME: folder, ANSIBLE_DEPRECATION_WARNINGS: 'False'},
    } as const;
    const {_meta, ...groups} = JSON.parse(
      execFileSync('ansible-inventory', ['-i', file, '--list'], options),
    ) as Readonly<Record<string, {readonly hosts?: readonly string[]}>> & {
      readonly _meta: {readonly hostvars: Readonly<Record<string, Readonly<Record<string, unknown>>>>};
    };
    const names = new Set(Object.values(groups).flatMap(({hosts = []}) => hosts));
    return [...names]
      .map(called => [called, _meta.hostvars[called] ?? {}] as const)
      .map(([called, variables]) => ({
        called,
        address: String(variables.ansible_host ?? called),
        port: variables.ansible_port === undefined ? undefined : Number(variables.ansible_port),
        user: variables.ansible_user,
        identityFile: variables.ansible_ssh_private_key_file,
        jumps: String(variables.ansible_ssh_common_args ?? '').includes('ProxyJump'),
      }))
      .toSorted((one, other) => (one.called < other.called ? -1 : 1));
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
};

const hasAnsible = spawnSync('ansible-inventory', ['--version'], {stdio: 'ignore'}).status === 0;

describe.skipIf(!hasAnsible)('Ansible itself', () => {
  const example = readFileSync(new URL('../../fixtures/import/inventory.ini', import.meta.url), 'utf8');

  test.each([
    ['hosts.ini', ini],
    ['hosts.yaml', yaml],
    ['nearer.ini', nearer],
    ['example.ini', example],
    ['ranges.ini', '[a]\nn[08:10].x y=1\nm-[a:c]\n[b]\nr[1:2]n[0:3:2] ansible_host=10.0.0.1 # one\n'],
    ['quotes.ini', '[a]\nx ansible_user="a b" ansible_ssh_private_key_file=\'k#1\'\n[a:vars]\nansible_port = 22\n'],
    ['twice.ini', '[a]\nx ansible_user=one\n[b]\nx ansible_port=9\n[a:vars]\nansible_user=two\n'],
  ])(
    'reads %s the same way',
    (name, text) => {
      const ours = hostsOf(text)
        .map(({called, address, port, user, identityFile, jump}) => ({
          called,
          address,
          port,
          user,
          identityFile,
          jumps: jump !== undefined,
        }))
        .toSorted((one, other) => (one.called < other.called ? -1 : 1));
      expect(ours).toEqual(judged(text, name));
    },
    60_000,
  );
});
