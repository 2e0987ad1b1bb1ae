import {randomBytes} from 'node:crypto';
import {copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {stringify} from 'yaml';
import {type Deployment, deployment as schema} from '../../source/deployment/schema.ts';
import type {Step, StepContext} from '../../source/engine/step.ts';
import {factsScript, parseFacts} from '../../source/hosts/gather-facts.ts';
import type {Products} from '../../source/resources/resource.ts';
import {frame, unframe} from '../../source/shell/frame.ts';
import {
  backupAccess,
  backupJobs,
  backupKeys,
  backupPostgresql,
  backupRepository,
  postgresql,
} from '../../steps/index.ts';
import {converge} from '../support/apply.ts';
import {buildProgram, groundwork, type Operator} from '../support/groundwork.ts';
import {cliConnection, type LabHost, lab, labDown, labExec, labKey, labKnownHosts, labUp} from '../support/lab.ts';
import {memoryVault} from '../support/step-context.ts';

/**
 * Real PostgreSQL, pgBackRest, restic, rsync, sshd and timers on a storage and a backup host; the other two machines of
 * the topology have an SSH server and what is copied of them.
 */
const machines = {} as Record<'proxy' | 'compute' | 'storage' | 'backup', LabHost>;
let deployment: Deployment;
let operator: Operator;
let products: Products = {};
const vault = new Map<string, string>();

const roles = ['proxy', 'compute', 'storage', 'backup'] as const;

const answers = () => ({
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
  network: {
    privateSubnet: `${machines.proxy.address.replace(/\.\d+$/, '.0')}/24`,
    adminSources: [`${machines.proxy.address.replace(/\.\d+$/, '.0')}/24`],
  },
  components: {
    dns: {},
    nfs: {},
    nginx: {},
    postgresql: {},
    backup: {groups: ['postgresql', 'files', 'configurations']},
  },
});

const contextOf = async (step: Step, role: (typeof roles)[number]): Promise<StepContext> => {
  const ran = await cliConnection(machines[role]).run(factsScript);
  if (!ran.ok) throw new Error(ran.error.message);
  const facts = parseFacts(ran.value.stdout);
  if (!facts.ok) throw new Error(JSON.stringify(facts.error));
  const host = deployment.hosts.find(({name}) => name === `${role}-1`);
  if (!host) throw new Error(`there is no ${role}`);
  await memoryVault(step, deployment, vault);
  return {
    deployment,
    host,
    facts: facts.value,
    products,
    now: new Date(),
    secret: name => {
      const value = vault.get(name);
      if (value === undefined) throw new Error(`the step did not ask for the secret ${name}`);
      return value;
    },
  };
};

/** Brings a host to what a step says; what the second look would still change. */
const lay = async (step: Step, role: (typeof roles)[number]) => {
  const converged = await converge(cliConnection(machines[role]), step.resources(await contextOf(step, role)));
  products = {...products, ...converged.products};
  return converged.rounds.at(-1);
};

const complaints = async (step: Step, role: (typeof roles)[number]): Promise<string[]> => {
  const checks = step.verify(await contextOf(step, role));
  const marker = randomBytes(12).toString('hex');
  const ran = await cliConnection(machines[role]).run(
    frame(
      marker,
      checks.map(({script}) => script),
    ),
  );
  if (!ran.ok) return [ran.error.message];
  const parts = unframe(marker, ran.value.stdout);
  return checks.flatMap(({id, check}, index) => {
    const part = parts.get(index);
    const result = part ? check(part) : ({ok: false, error: 'no answer'} as const);
    return result.ok ? [] : [`${step.id}/${id}: ${result.error}`];
  });
};

const on = async (role: (typeof roles)[number], script: string): Promise<string> => {
  const {code, stdout, stderr} = await labExec(machines[role], script);
  if (code !== 0) throw new Error(`${script}\nended with ${code}: ${stdout}${stderr}`);
  return stdout.trim();
};

const sql = (text: string, database = 'shop') =>
  on('storage', `cd / && runuser -u postgres -- psql -qAt -v ON_ERROR_STOP=1 -d ${database} <<'EOF'\n${text}\nEOF`);

const backup = (...words: string[]) => groundwork(operator, ['backup', ...words, '-d', operator.file]);

/** Until the last piece of the journal that holds a change has left the storage host. */
const archived = async () => {
  await sql('SELECT pg_switch_wal()');
  for (let tries = 0; tries < 60; tries += 1) {
    if ((await on('storage', 'ls /var/lib/postgresql/15/main/pg_wal/archive_status | grep -c ready || :')) === '0')
      return;
    await sleep(500);
  }
  throw new Error('the journal does not reach the backup host');
};

beforeAll(async () => {
  await buildProgram();
  const [storage, keeper] = await labUp(2, {prefix: 'keep'});
  const [proxy, compute] = await labUp(2, {prefix: 'kept', flags: ['--light']});
  if (!storage || !keeper || !proxy || !compute) throw new Error('the lab gave fewer hosts than asked for');
  Object.assign(machines, {storage, backup: keeper, proxy, compute});
  deployment = schema.parse(answers());
  const home = mkdtempSync(join(tmpdir(), 'groundwork-backup-'));
  mkdirSync(join(home, '.ssh'), {mode: 0o700});
  copyFileSync(labKnownHosts, join(home, 'known_hosts'));
  const file = join(home, 'lab.yaml');
  writeFileSync(file, stringify(answers()));
  operator = {home, file, host: keeper, remove: () => rmSync(home, {recursive: true, force: true})};
  await on('storage', 'mkdir -p /srv/nfs/lab/dev-volume && echo precious >/srv/nfs/lab/dev-volume/file');
});

afterAll(async () => {
  await lab(['heal']).catch(() => undefined);
  await labDown(Object.values(machines));
  operator.remove();
});

describe('backups on real hosts', () => {
  it('are laid, prove themselves, and leave nothing to change', async () => {
    await lay(backupKeys, 'backup');
    await Promise.all([lay(postgresql, 'storage'), ...roles.map(role => lay(backupAccess, role))]);
    await lay(backupPostgresql, 'storage');
    await lay(backupJobs, 'backup');
    expect(await lay(backupRepository, 'backup')).toEqual([]);
    expect(await lay(backupAccess, 'storage')).toEqual([]);
    expect(await lay(backupPostgresql, 'storage')).toEqual([]);
    expect(await lay(backupJobs, 'backup')).toEqual([]);
    expect([
      ...(await complaints(backupKeys, 'backup')),
      ...(await complaints(backupAccess, 'storage')),
      ...(await complaints(backupPostgresql, 'storage')),
      ...(await complaints(backupJobs, 'backup')),
      ...(await complaints(backupRepository, 'backup')),
    ]).toEqual([]);
    expect(
      await on('backup', 'systemctl list-timers --no-pager "groundwork-backup-*" | grep -c groundwork-backup@'),
    ).toBe('7');
  });

  it('have keys that do what they are for, and nothing else', async () => {
    const ssh = (key: string, command: string) =>
      labExec(
        machines.backup,
        `timeout 20 ssh -n -F /etc/groundwork/backup/ssh_config -i /etc/groundwork/backup/keys/${key} ${command}`,
      );
    const pretend = await ssh('configurations', 'storage-1 "cat /etc/shadow" | tar --list | head -n 1');
    expect(pretend.stdout.trim(), 'whatever was asked, it hands out its archive').toBe('etc/');
    expect((await ssh('files', 'storage-1')).code, 'a shell').not.toBe(0);
    expect((await ssh('files', 'storage-1 "cat /etc/shadow"')).stdout, 'another program').not.toContain('root:');
    expect((await ssh('files', '-tt storage-1')).stderr, 'a terminal').toMatch(/PTY|rrsync|only/i);
    expect((await ssh('files', '-W 127.0.0.1:5432 storage-1')).stderr, 'a way to the database').toMatch(
      /prohibited|failed/,
    );
    const rsync = (words: string) =>
      labExec(
        machines.backup,
        `timeout 20 rsync -e 'ssh -F /etc/groundwork/backup/ssh_config -i /etc/groundwork/backup/keys/files' ${words}`,
      );
    expect((await rsync('--list-only storage-1:/')).stdout).toContain('dev-volume');
    const climbing = await rsync('--list-only storage-1:/../../../etc/');
    expect(climbing.stdout, 'another folder').not.toContain('passwd');
    expect((await rsync('/etc/hostname storage-1:/written')).code, 'writing').not.toBe(0);
    const pgbackrest = (command: string) =>
      labExec(
        machines.backup,
        `runuser -u pgbackrest -- timeout 20 /usr/local/lib/groundwork/backup/ssh-pgbackrest postgres@${machines.storage.address} ${command} </dev/null`,
      );
    expect((await pgbackrest('')).stderr, 'a shell').toContain('this key is for pgBackRest alone');
    expect((await pgbackrest('psql -c "select 1"')).code).not.toBe(0);
    expect((await pgbackrest('pgbackrest --stanza=lab stanza-delete --force')).code).not.toBe(0);
  });

  it('bring back every row after the database was destroyed, and the state of a moment', async () => {
    await sql('CREATE DATABASE shop', 'postgres');
    await sql('CREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 1000)');
    const ran = await backup('run', 'postgresql', '--output', 'plain');
    expect(ran.code, ran.output).toBe(0);
    await sql('INSERT INTO orders SELECT generate_series(1001, 1500)');
    await sleep(1500);
    const moment = await on('storage', 'date -u +%FT%TZ');
    await sleep(1500);
    await sql('INSERT INTO orders SELECT generate_series(1501, 1700)');
    await archived();
    await on('storage', 'systemctl kill -s KILL postgresql@15-main; sleep 1; rm -rf /var/lib/postgresql/15/main');

    const asked = await backup('restore', 'postgresql', '--output', 'plain');
    expect(asked.code, asked.output).toBe(5);
    expect(asked.output).toMatch(/shop +1 tables, 1700 rows +does not run/);
    const staged = /--staged (\d{14})/.exec(asked.output)?.[1] ?? '';
    const restored = await backup('restore', 'postgresql', '--staged', staged, '--confirm', 'lab', '--output', 'plain');
    expect(restored.code, restored.output).toBe(0);
    expect(await sql('SELECT count(*), max(id) FROM orders')).toBe('1700|1700');

    const earlier = await backup('restore', 'postgresql', '--time', moment, '--confirm', 'lab', '--output', 'plain');
    expect(earlier.code, earlier.output).toBe(0);
    expect(earlier.output).toMatch(/shop +1 tables, 1500 rows +1 tables, 1700 rows/);
    expect(await sql('SELECT count(*), max(id) FROM orders')).toBe('1500|1500');
    // What was there before stays, and what comes after is archived again.
    expect(await on('storage', 'ls -d /var/lib/postgresql/15/main.before-* | wc -l')).toBe('1');
    await sql('INSERT INTO orders VALUES (9999)');
    await archived();
  });

  it('are proved by a drill, by checksums, and by the daily look', async () => {
    await on('storage', 'test -z "$(pgrep -f restore-)"');
    const drilled = await backup('drill', '--output', 'plain');
    expect(drilled.code, drilled.output).toBe(0);
    expect(drilled.output).toContain('shop: 1 tables, 1501 rows');
    expect(await on('backup', 'ls /var/lib/groundwork-backup/restore')).toBe('');
    const run = await backup('run', 'files', '--output', 'plain');
    expect(run.code, run.output).toBe(0);
    const configurations = await backup('run', 'configurations', '--output', 'plain');
    expect(configurations.code, configurations.output).toBe(0);
    const verified = await backup('verify', '--output', 'plain');
    expect(verified.code, verified.output).toBe(0);
    await on(
      'backup',
      'systemctl start groundwork-backup@check || { journalctl -u groundwork-backup@check -n 20 -o cat; exit 1; }',
    );
    const status = await backup('status', '--output', 'jsonl');
    expect(status.code, status.output).toBe(0);
    expect(JSON.parse(status.stdout)).toMatchObject({healthy: true, problems: []});
    const files = await backup('restore', 'files', '--part', 'dev-volume', '--output', 'plain');
    expect(files.code, files.output).toBe(0);
    const folder = /Laid out on backup-1: (\S+)/.exec(files.output)?.[1];
    expect(await on('backup', `cat ${folder}/var/lib/groundwork-backup/files/dev-volume/file`)).toBe('precious');
  });

  it('tell of a share that is suddenly empty, and keep what they have', async () => {
    await on('storage', 'mv /srv/nfs/lab/dev-volume /srv/elsewhere');
    const run = await backup('run', 'files', '--output', 'plain');
    expect(run.code).toBe(1);
    expect(run.output).toContain('the share is empty, and was not when it was copied last');
    expect(await on('backup', 'cat /var/lib/groundwork-backup/files/dev-volume/file')).toBe('precious');
    const status = await backup('status', '--output', 'plain');
    expect(status.code).toBe(1);
    expect(status.output).toContain('volumes of the NFS share failed');
    await on('storage', 'mv /srv/elsewhere /srv/nfs/lab/dev-volume');
  });

  it('wait while the backup host is away, say so on the storage host, and lose nothing', async () => {
    await lab(['cut', machines.storage.name, machines.backup.name]);
    await sql('INSERT INTO orders VALUES (10000); ');
    await sql('SELECT pg_switch_wal()');
    await on('storage', 'sleep 2; ls /var/lib/postgresql/15/main/pg_wal/archive_status | grep ready');
    expect(await sql('SELECT count(*) FROM orders'), 'the database goes on').toBe('1502');
    // As if it had been away for that long.
    await on(
      'storage',
      "find /var/lib/postgresql/15/main/pg_wal/archive_status -name '*.ready' -exec touch -d '20 minutes ago' {} +",
    );
    await on('storage', 'systemctl start groundwork-backup-watch');
    expect(await on('storage', 'journalctl -t groundwork-backup -o cat')).toContain('does not reach the backup host');
    const status = await backup('status', '--output', 'plain');
    expect(status.code).toBe(1);
    expect(status.output).toMatch(/pieces of the journal wait on the storage host/);
    await lab(['heal']);
    await archived();
    await on('storage', 'systemctl start groundwork-backup-watch');
    expect(await on('storage', 'journalctl -t groundwork-backup -o cat')).toContain('well again');
  });

  it('notice a fresh machine with the same address, and ask before anything is pushed or restored', async () => {
    await on(
      'storage',
      'systemd-id128 new >/etc/machine-id; rm /etc/ssh/ssh_host_*; ssh-keygen -A >/dev/null; systemctl restart ssh',
    );
    const unknown = await backup('restore', 'postgresql', '--stage-only', '--output', 'plain');
    expect(unknown.code, unknown.output).toBe(4);
    expect(unknown.output).toMatch(/key/i);
    // Somebody looked at the new key and accepted it; the machine is another one all the same.
    const key = await on('storage', 'cut -d " " -f 1,2 /etc/ssh/ssh_host_ed25519_key.pub');
    const known = join(operator.home, 'known_hosts');
    const others = readFileSync(known, 'utf8')
      .split('\n')
      .filter(line => line !== '' && !line.includes(machines.storage.address));
    writeFileSync(known, `${[...others, `${machines.storage.address} ${key}`].join('\n')}\n`);
    const refused = await backup('restore', 'postgresql', '--stage-only', '--output', 'plain');
    expect(refused.code, refused.output).toBe(1);
    expect(refused.output).toContain('storage-1 is another machine than the one that the backups are of');
    const fetched = await backup('run', 'configurations', '--output', 'plain');
    expect(fetched.output, 'its copies are not taken either').toContain(
      'the configuration of storage-1 could not be copied',
    );

    const asked = await backup('accept', 'storage-1', '--output', 'plain');
    expect(asked.code).toBe(5);
    const accepted = await backup('accept', 'storage-1', '--confirm', 'storage-1', '--output', 'plain');
    expect(accepted.code, accepted.output).toBe(0);
    const staged = await backup('restore', 'postgresql', '--stage-only', '--output', 'plain');
    expect(staged.output).not.toContain('is another machine');
  });
});
