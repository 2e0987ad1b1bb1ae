import {copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it, onTestFinished} from 'vitest';
import {parse, stringify} from 'yaml';
import {subnetOf} from '../../source/network/address.ts';
import {resticPassphrasePath} from '../../steps/backup/paths.ts';
import {leaksIn, vaultSecrets} from '../support/canary.ts';
import {buildProgram, groundwork, type Operator, startGroundwork, why} from '../support/groundwork.ts';
import {type LabHost, lab, labDown, labExec, labKey, labUp} from '../support/lab.ts';
import {operatorAt} from '../support/operator.ts';
import {program} from '../support/program.ts';
import {openDepartment} from '../support/supplied.ts';
import {key, openTerminal, type Screen} from '../support/terminal.ts';

/** The smallest production on four real hosts, without a cluster: from bare to done, again, and with one that dies. */
const roles = ['proxy', 'compute', 'storage', 'backup'] as const;
type Role = (typeof roles)[number];

const domain = 'p.example.org';
const department = openDepartment();
const machines = {} as Record<Role, LabHost>;
let operator: Operator;

const subnet = (): string => subnetOf(machines.proxy.address, 24);

const on = async (role: Role, script: string): Promise<string> => {
  const {code, stdout, stderr} = await labExec(machines[role], script);
  if (code !== 0) throw new Error(`${script}\nended with ${code}: ${stdout}${stderr}`);
  return stdout.trim();
};

const install = (output: 'plain' | 'jsonl') => ['install', '--yes', '--output', output, '-d', operator.file];

/** What psql says on the compute host: over TLS, with the server's certificate verified. */
const psql = (port: number) =>
  labExec(
    machines.compute,
    `PGCONNECT_TIMEOUT=3 psql -X -w -tAc 'SELECT 1' "host=postgresql.${domain} hostaddr=${machines.storage.address} port=${port} user=postgres dbname=postgres sslmode=verify-full sslrootcert=/etc/groundwork/postgresql/ca.crt"`,
  );

beforeAll(async () => {
  await buildProgram();
  const hosts = await labUp(4, {prefix: 'production'});
  roles.forEach((role, index) => {
    machines[role] = hosts[index] as LabHost;
  });
  const home = mkdtempSync(join(tmpdir(), 'groundwork-production-'));
  mkdirSync(join(home, '.ssh'), {mode: 0o700});
  copyFileSync(labKey, join(home, '.ssh/id_ed25519'));
  const file = join(home, 'lab.yaml');
  operator = {home, file, host: machines.proxy, remove: () => rmSync(home, {recursive: true, force: true})};
}, 600_000);

afterAll(async () => {
  await labDown(Object.values(machines));
  operator?.remove();
  department.workshop.remove();
});

/** A certificate of the organisation's CA for all that the ground serves, as a department hands it over. */
const handIn = (inbox: string): void => {
  mkdirSync(inbox);
  const {certificate, key: privateKey} = department.issue([domain, `*.${domain}`]);
  const {issuing, root} = department;
  writeFileSync(join(inbox, 'site.pem'), `${certificate}${issuing.certificate}${root.certificate}${privateKey}`);
};

/** Each by typing its name, as one does who knows that the lab's machines are small. */
const acceptFailedChecks = async (screen: Screen, role: Role): Promise<void> => {
  const {choose, confirm, leave} = operatorAt(screen);
  await choose(`${role}-1`, `Host ${role}-1`);
  let shown = await choose('Facts and checks', /must be put right or accepted|Nothing stands in the way/);
  while (!shown.includes('Nothing stands in the way')) {
    await screen.press('a');
    const asked = await screen.waitFor(/Type "([a-z0-9-]+)"/);
    const check = /Type "([a-z0-9-]+)"/.exec(asked)?.[1] ?? '';
    shown = await confirm(check, /must be put right or accepted|Nothing stands in the way/);
  }
  await leave('Login');
  await leave('Add hosts');
};

describe('four bare hosts', () => {
  it('are laid side by side by an operator at a terminal of 80x24, who names four addresses', async () => {
    const {home} = operator;
    handIn(join(home, 'inbox'));
    const screen = openTerminal(program, [], {
      columns: 80,
      rows: 24,
      environment: {GROUNDWORK_HOME: home, HOME: home, SSH_AUTH_SOCK: ''},
    });
    onTestFinished(() => screen.kill('SIGKILL'));
    const {choose, fill, confirm, goTo, pick} = operatorAt(screen);

    await screen.waitFor('New installation', 60_000);
    await choose('New installation', 'Blueprint and topology');
    await goTo('Topology');
    await screen.press(key.right);
    await screen.waitFor('Production, minimum');
    await choose('Continue', /Step 2 of 7/);

    await choose('Add hosts', 'Where are they?');
    await fill('Look at', roles.map(role => machines[role].address).join(','));
    await choose('Look', 'Found: 4 hosts');
    await choose('All 4', 'not looked at yet');
    const keys = await choose('Check the hosts', 'SHA256:');
    for (const role of roles) {
      expect(keys).toContain(`host-${machines[role].address.replaceAll('.', '-')} `);
      expect(keys).toContain(await on(role, `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | cut -d' ' -f2`));
    }
    // Alike as they are, they get their roles in the order in which they were named, and their names by the roles.
    const looked = await confirm('yes', /backup-1 .*checks? failed/, 60_000);
    for (const role of roles) expect(looked).toMatch(new RegExp(`${role}-1 .*${machines[role].address}`));
    for (const role of roles) await acceptFailedChecks(screen, role);
    await choose('Continue', /Step 3 of 7/);

    await fill('Domain', domain);
    await choose('Import', 'Import certificates');
    await fill('Folder', join(home, 'inbox'));
    await choose('[ ] site.pem', 'can be used until');
    await choose('Import', /main +until \d{4}-/);
    await choose('Continue', /Step 4 of 7/);

    await fill('Devices dial', machines.proxy.address);
    await fill('Subnet of the VPN', '10.15.0.0/16');
    await fill('Devices', 'laptop');
    await fill('SSH allowed from', subnet());
    await choose('Continue', /Step 5 of 7/);
    // The ground alone: the platform has a test of its own.
    await screen.press(key.right);
    await screen.waitFor('no, ground only');
    await choose('Continue', /Step 6 of 7/);
    await choose('Continue', /Step 7 of 7/);

    const review = await screen.waitFor(/Plan +\d+ changes in \d+ steps/, 120_000);
    expect(review).toMatch(/Ground +PostgreSQL, NFS/);
    expect(review).toMatch(/Backups +databases/);
    await fill('Name', 'lab');
    await choose('Install', 'Type "install"');
    await confirm('install', /State +Step/, 120_000);
    const done = await screen.waitFor(/lab is installed|Retry/, 500_000);
    expect(done).toContain('lab is installed');
    expect(done).toMatch(/It took [\d a-z]+, for [\d a-z\s]+of\s+work\s+side\s+by\s+side/);
    expect(screen.scrolled()).toBe(0);
    await pick('Leave');
    expect(await screen.waitForExit()).toBe(0);
    expect(leaksIn(screen.bytes() + screen.history(), vaultSecrets(join(home, 'state/lab/vault.json')))).toEqual([]);
    const saved = await groundwork(operator, ['export', 'lab', operator.file]);
    expect(saved.code, why(saved)).toBe(0);
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
    // Without the password PostgreSQL refuses, and says so only to one whom the firewall lets come that far.
    expect((await psql(5432)).stderr).toContain('no password supplied');
    expect(await reaches('proxy', 5432)).toBe(false);
    expect(await reaches('proxy', 2049)).toBe(false);
    expect(await on('proxy', 'ufw status')).toMatch(/^Status: active$/m);
    const page = `curl --silent --cacert /dev/stdin --resolve ${domain}:443:${machines.proxy.address} https://${domain}/healthz`;
    const asked = await labExec(machines.compute, `printf '%s' '${department.root.certificate}' | ${page}`);
    expect(asked.stdout.trim(), asked.stderr).toBe('ok');
    expect(await on('proxy', "ss -Hltn | awk '{print $4}'")).toContain(`${machines.proxy.address}:443`);
  });

  it('have an archive that pgBackRest itself finds whole, and copies of files and settings in restic', async () => {
    const ran = await groundwork(operator, ['backup', 'run', '-d', operator.file, '--output', 'plain']);
    expect(ran.code, why(ran)).toBe(0);
    await on('backup', 'runuser -u pgbackrest -- pgbackrest --stanza=lab check');
    expect(await on('backup', 'runuser -u pgbackrest -- pgbackrest info')).toContain('status: ok');
    const snapshots = `restic --repo /var/lib/groundwork-backup/restic --password-file ${resticPassphrasePath} snapshots`;
    expect(await on('backup', snapshots)).toMatch(/^\d+ snapshots$/m);
    const status = await groundwork(operator, ['backup', 'status', '-d', operator.file, '--output', 'plain']);
    expect(status.output).toContain('All is well');
  });
});

describe('a backup host that loses its power while a change is being made', () => {
  it('is named, does not stop the others, and gets the rest when it is back', async () => {
    const answers = parse(readFileSync(operator.file, 'utf8'));
    answers.components.postgresql.port = 5433;
    answers.network.adminSources.push('203.0.113.7/32');
    writeFileSync(operator.file, stringify(answers));
    let killed: Promise<string> | undefined;
    const running = startGroundwork(operator, install('plain'), {
      onLine: line => {
        // The plan is made, and the first change not yet: in the middle of one, who is at fault depends on the moment.
        if (/^\d+ to change, /.test(line)) killed ??= lab(['kill', machines.backup.name]);
      },
    });
    const ran = await running.ended;
    expect(killed, why(ran)).toBeDefined();
    await killed;
    expect(ran.code, ran.output).toBe(4);
    expect(ran.output).toMatch(/^FAILED on backup-1: /m);
    expect(ran.output).toMatch(/^storage-1: postgresql: CHANGED/m);
    expect(ran.output).toMatch(/^storage-1: backup-postgresql: BLOCKED by .*backup-1/m);
    await on(
      'storage',
      'cd / && runuser -u postgres -- psql -p 5433 -qAtc "CREATE TABLE goes_on AS SELECT 1" -c "SELECT pg_switch_wal()"',
    );
    const status = await groundwork(operator, ['backup', 'status', '-d', operator.file, '--output', 'plain']);
    expect(status.code, status.output).toBe(4);
    expect(status.output).toContain('FAILED on backup-1');
    expect(status.output).toMatch(/^Meanwhile \d+ pieces? of the databases' journal waits? on the storage host/m);

    await lab(['restart', machines.backup.name]);
    const resumed = await groundwork(operator, ['resume', '--yes', '--output', 'plain']);
    expect(resumed.code, why(resumed)).toBe(0);
  });
});

describe('a database whose disk fills', () => {
  it('goes on as it is, while the other hosts get their change, and takes it when there is room', async () => {
    const answers = parse(readFileSync(operator.file, 'utf8'));
    const {port} = answers.components.postgresql;
    const query = (sql: string, at: number) =>
      on('storage', `cd / && runuser -u postgres -- psql -p ${at} -qAtc "${sql}"`);
    await query('CREATE TABLE rows AS SELECT generate_series(1, 1000)', port);
    await on(
      'storage',
      `set -e
cd /var/lib/postgresql/15
systemctl stop postgresql@15-main
mv main before
install -d -m 0700 -o postgres -g postgres main
mount -t tmpfs -o size=400m,mode=0700,uid=$(id -u postgres),gid=$(id -g postgres) tmpfs main
cp -a before/. main/
systemctl start postgresql@15-main
cd / && runuser -u postgres -- psql -p ${port} -qAtc "SELECT count(*) FROM rows"
cd - && dd if=/dev/zero of=main/something-large bs=64k 2>&1 | grep 'No space left on device'`,
    );
    answers.components.postgresql.port = 5434;
    answers.network.adminSources.push('203.0.113.8/32');
    writeFileSync(operator.file, stringify(answers));
    const ran = await groundwork(operator, install('plain'));
    expect(ran.code, ran.output).toBe(1);
    expect(ran.output).toMatch(/^FAILED on storage-1: /m);
    expect(ran.output).toMatch(/ {2}cause: The disk of the databases is full/);
    expect(ran.output).toMatch(/ {2}what to do: See `df -h /);
    for (const role of ['proxy', 'compute', 'backup'])
      expect(ran.output).toMatch(new RegExp(`^${role}-1: firewall: CHANGED`, 'm'));
    // It was not stopped: it would have come up on such a disk, and let nobody in.
    expect(await query('SELECT count(*) FROM rows', port)).toBe('1000');

    await on('storage', 'rm /var/lib/postgresql/15/main/something-large');
    const resumed = await groundwork(operator, ['resume', '--yes', '--output', 'plain']);
    expect(resumed.code, why(resumed)).toBe(0);
    expect((await psql(5434)).stderr).toContain('no password supplied');
    expect(await query('SELECT count(*) FROM rows', 5434)).toBe('1000');
  });
});
