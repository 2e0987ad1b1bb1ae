import {copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {stringify} from 'yaml';
import {buildProgram, groundwork, type Operator, small, startGroundwork, why} from '../support/groundwork.ts';
import {type LabHost, lab, labDown, labExec, labKey, labKnownHosts, labUp} from '../support/lab.ts';

/** The smallest production on four real hosts, without a cluster: from bare to done, again, and with one that dies. */
const roles = ['proxy', 'compute', 'storage', 'backup'] as const;
type Role = (typeof roles)[number];

const machines = {} as Record<Role, LabHost>;
let operator: Operator;

const accepted = [...small, '--accept', 'volume'];

const answers = (port = 5432) => {
  const subnet = `${machines.proxy.address.replace(/\.\d+$/, '.0')}/24`;
  return {
    version: 1,
    name: 'lab',
    blueprint: 'openg2p',
    topology: 'production-minimum',
    hosts: roles.map(role => ({
      name: `${role}-1`,
      address: machines[role].address,
      port: machines[role].port,
      user: 'ubuntu',
      identityFile: labKey,
      roles: ['base', role],
      privateAddress: machines[role].address,
    })),
    domain: 'openg2p.test',
    tls: {mode: 'local-ca'},
    channels: [
      {name: 'admin', kind: 'private', subnet: '10.15.0.0/16', endpoint: machines.proxy.address, peers: [{name: 'me'}]},
    ],
    network: {privateSubnet: subnet, adminSources: port === 5432 ? [subnet] : [subnet, '203.0.113.7/32']},
    components: {
      dns: {},
      nfs: {},
      nginx: {},
      postgresql: {port},
      backup: {groups: ['postgresql', 'files', 'configurations']},
    },
  };
};

const on = async (role: Role, script: string): Promise<string> => {
  const {code, stdout, stderr} = await labExec(machines[role], script);
  if (code !== 0) throw new Error(`${script}\nended with ${code}: ${stdout}${stderr}`);
  return stdout.trim();
};

const install = (output: 'plain' | 'jsonl') => [
  'install',
  '--yes',
  '--output',
  output,
  '-d',
  operator.file,
  ...accepted,
];

beforeAll(async () => {
  await buildProgram();
  const hosts = await labUp(4, {prefix: 'production'});
  roles.forEach((role, index) => {
    machines[role] = hosts[index] as LabHost;
  });
  const home = mkdtempSync(join(tmpdir(), 'groundwork-production-'));
  mkdirSync(join(home, '.ssh'), {mode: 0o700});
  copyFileSync(labKnownHosts, join(home, 'known_hosts'));
  const file = join(home, 'lab.yaml');
  writeFileSync(file, stringify(answers()));
  operator = {home, file, host: machines.proxy, remove: () => rmSync(home, {recursive: true, force: true})};
}, 600_000);

afterAll(async () => {
  await labDown(Object.values(machines));
  operator?.remove();
});

describe('four bare hosts', () => {
  it('are laid side by side, and how long that took is told beside the sum of the steps', async () => {
    const ran = await groundwork(operator, install('plain'));
    expect(ran.code, why(ran)).toBe(0);
    expect(ran.output).toMatch(/It took .+, for .+ of work side by side\./);
  });

  it('are left alone by a second run, and proved by their own tools', async () => {
    const again = await groundwork(operator, install('jsonl'));
    expect(again.events.at(-1)).toMatchObject({type: 'run.finished', outcome: 'succeeded', changed: 0, failed: 0});
    const verified = await groundwork(operator, ['verify', '-d', operator.file, '--output', 'plain']);
    expect(verified.code, verified.output).toBe(0);
  });

  it('let in only who needs it', async () => {
    const reaches = async (from: Role, port: number): Promise<boolean> =>
      (await labExec(machines[from], `timeout 3 bash -c '</dev/tcp/${machines.storage.address}/${port}'`)).code === 0;
    expect(await reaches('compute', 5432)).toBe(true);
    expect(await reaches('proxy', 5432)).toBe(false);
    expect(await reaches('proxy', 2049)).toBe(false);
    expect(await on('proxy', 'ufw status')).toMatch(/^Status: active$/m);
    expect(await on('proxy', "ss -Hltn | awk '{print $4}'")).toContain(`${machines.proxy.address}:443`);
  });

  it('have an archive that pgBackRest itself finds whole', async () => {
    await on('backup', 'runuser -u pgbackrest -- pgbackrest --stanza=lab check');
    expect(await on('backup', 'runuser -u pgbackrest -- pgbackrest info')).toContain('status: ok');
  });
});

describe('a backup host that loses its power while a change is being made', () => {
  it('is named, does not stop the others, and gets the rest when it is back', async () => {
    writeFileSync(operator.file, stringify(answers(5433)));
    let killed: Promise<string> | undefined;
    const running = startGroundwork(operator, install('plain'), {
      onLine: line => {
        if (line.startsWith('backup-1: firewall: setting')) killed ??= lab(['kill', machines.backup.name]);
      },
    });
    const ran = await running.ended;
    expect(killed, why(ran)).toBeDefined();
    await killed;
    expect(ran.code, why(ran)).toBe(4);
    expect(ran.output).toMatch(/^FAILED on backup-1: /m);
    expect(ran.output).toMatch(/^storage-1: postgresql: CHANGED/m);
    expect(ran.output).toMatch(/^storage-1: backup-postgresql: BLOCKED by Firewall on backup-1/m);
    await on('storage', 'cd / && runuser -u postgres -- psql -p 5433 -qAtc "CREATE TABLE goes_on AS SELECT 1"');
    const status = await groundwork(operator, ['backup', 'status', '-d', operator.file, '--output', 'plain']);
    expect(status.code, status.output).toBe(4);
    expect(status.output).toContain('FAILED on backup-1');

    await lab(['restart', machines.backup.name]);
    const resumed = await groundwork(operator, ['resume', '--yes', '--output', 'plain']);
    expect(resumed.code, why(resumed)).toBe(0);
  });
});
