import {randomBytes} from 'node:crypto';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {type Deployment, deployment as schema} from '../../source/deployment/schema.ts';
import {withRemedy} from '../../source/engine/remedies.ts';
import type {Step, StepContext} from '../../source/engine/step.ts';
import {factsScript, parseFacts} from '../../source/hosts/gather-facts.ts';
import type {Products} from '../../source/resources/resource.ts';
import {frame, unframe} from '../../source/shell/frame.ts';
import {databasesStep} from '../../steps/environment/database-steps.ts';
import {noDatabases} from '../../steps/environment/databases.ts';
import {postgresql} from '../../steps/index.ts';
import {converge} from '../support/apply.ts';
import {anEnvironment} from '../support/deployments.ts';
import {cliConnection, type LabHost, labDown, labExec, labUp} from '../support/lab.ts';
import {memoryVault, sampleDeployment} from '../support/step-context.ts';

/** Real PostgreSQL 15 on a storage host, with another machine in the place of the cluster's and one that is nobody. */
let storage: LabHost;
let compute: LabHost;
let stranger: LabHost;
let deployment: Deployment;
let products: Products = {};
const vault = new Map<string, string>();

const sample = (): Deployment => {
  const host = ({name, address}: LabHost, role: string) => ({
    name,
    address,
    roles: ['base', role],
    privateAddress: address,
  });
  const base = sampleDeployment();
  return schema.parse({
    ...base,
    topology: 'production-minimum',
    hosts: [host(storage, 'storage'), host(compute, 'compute')],
    network: {...base.network, privateSubnet: `${storage.address.replace(/\.\d+$/, '.0')}/24`},
    components: {...base.components, postgresql: {}, kubernetes: {}},
    environments: [qa, anEnvironment({name: 'dev', database: 'in-cluster'})],
  });
};

const contextOf = async (step: Step, where: LabHost): Promise<StepContext> => {
  const ran = await cliConnection(where).run(factsScript);
  if (!ran.ok) throw new Error(ran.error.message);
  const facts = parseFacts(ran.value.stdout);
  if (!facts.ok) throw new Error(JSON.stringify(facts.error));
  const host = deployment.hosts.find(({name}) => name === where.name);
  if (!host) throw new Error(`${where.name} is not in the deployment`);
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

/** Brings a host to what the step says; the resources that had to be changed. */
const lay = async (step: Step, where: LabHost) => {
  const converged = await converge(cliConnection(where), step.resources(await contextOf(step, where)));
  products = {...products, ...converged.products};
  return converged.rounds;
};

/** What the step's own verifications complain about. */
const complaints = async (step: Step, where: LabHost): Promise<string[]> => {
  const checks = step.verify(await contextOf(step, where));
  const marker = randomBytes(12).toString('hex');
  const ran = await cliConnection(where).run(
    frame(
      marker,
      checks.map(({script}) => script),
    ),
  );
  if (!ran.ok) return [ran.error.message];
  const parts = unframe(marker, ran.value.stdout);
  return checks.flatMap(({id, check}, index) => {
    const part = parts.get(index);
    const result = part ? check(part) : {ok: false as const, error: 'no answer'};
    return result.ok ? [] : [`${id}: ${result.error}`];
  });
};

const run = async (host: LabHost, script: string): Promise<string> => {
  const {code, stdout, stderr} = await labExec(host, script);
  if (code !== 0) throw new Error(`${script}\nended with ${code}: ${stdout}${stderr}`);
  return stdout.trim();
};

beforeAll(async () => {
  const hosts = await labUp(3, {prefix: 'db'});
  const [first, second, third] = hosts;
  if (!first || !second || !third) throw new Error('the lab gave fewer hosts than asked for');
  [storage, compute, stranger] = [first, second, third];
  deployment = sample();
}, 180_000);

afterAll(async () => {
  await labDown([storage, compute, stranger].filter(host => host !== undefined));
}, 60_000);

/** What `psql` says on another machine: the judge that shares no code with the product. */
const asked = async (from: LabHost, connection: string, sql: string, password: string): Promise<string> => {
  const {stdout, stderr} = await labExec(
    from,
    `PGPASSWORD='${password}' PGCONNECT_TIMEOUT=3 psql -X -A -t -c "${sql}" "host=postgresql.openg2p.test hostaddr=${storage.address} ${connection}"`,
  );
  return `${stdout}${stderr}`.trim();
};

const qa = anEnvironment({name: 'qa'});
const qaDatabases = databasesStep(qa, []);

const superuserPassword = (): string => vault.get('postgres-superuser') ?? '';

describe('PostgreSQL on a storage host', () => {
  it('comes up with what the deployment says', async () => {
    await lay(postgresql, storage);
    expect(products).toEqual({'postgresql-version': '15'});
    expect(await complaints(postgresql, storage)).toEqual([]);
  }, 240_000);

  it('is left as it is by a second run', async () => {
    expect((await lay(postgresql, storage)).flat()).toEqual([]);
  }, 60_000);

  it('lets the compute host in over TLS that can be verified, and nobody else', async () => {
    await Promise.all(
      [compute, stranger].map(host => run(host, 'apt-get update -qq && apt-get install -y -qq postgresql-client')),
    );
    const certificate = await run(storage, 'cat /etc/groundwork/postgresql/ca.crt');
    await run(compute, `cat >/root/ca.crt <<'END'\n${certificate}\nEND`);
    const tls = 'user=postgres dbname=postgres sslmode=verify-full sslrootcert=/root/ca.crt';
    const answer = 'SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()';
    expect(await asked(compute, tls, answer, superuserPassword())).toBe('t|TLSv1.3');
    expect(await asked(compute, tls, answer, 'guess')).toContain('password authentication failed');
    expect(await asked(compute, 'user=postgres dbname=postgres sslmode=disable', answer, superuserPassword())).toMatch(
      /no pg_hba\.conf entry .* no encryption/,
    );
    expect(await asked(stranger, 'user=postgres dbname=postgres', answer, superuserPassword())).toContain(
      `no pg_hba.conf entry for host "${stranger.address}"`,
    );
    // OpenG2P's charts give their users REPLICATION, which must not open everything to a copy.
    expect(await asked(compute, 'user=postgres replication=yes', 'IDENTIFY_SYSTEM', superuserPassword())).toContain(
      'no pg_hba.conf entry for replication connection',
    );
  }, 120_000);

  it('has the databases of an environment, which its user and nobody else gets into', async () => {
    await lay(qaDatabases, storage);
    expect(await complaints(qaDatabases, storage)).toEqual([]);
    expect((await lay(qaDatabases, storage)).flat()).toEqual([]);
    const password = vault.get('environment-qa-database') ?? '';
    const who = 'SELECT current_user';
    expect(await asked(compute, 'user=environment_qa dbname=keycloak', who, password)).toBe('environment_qa');
    // A user as OpenG2P's charts make one, for another database.
    await asked(
      compute,
      'user=postgres dbname=postgres',
      `CREATE USER superset PASSWORD 'chart' CREATEDB CREATEROLE REPLICATION; GRANT ALL ON DATABASE superset TO superset`,
      superuserPassword(),
    );
    expect(await asked(compute, 'user=superset dbname=superset', who, 'chart')).toBe('superset');
    expect(await asked(compute, 'user=superset dbname=keycloak', who, 'chart')).toContain(
      'permission denied for database "keycloak"',
    );
    // Databases are of UTF-8 and sort as those of OpenG2P's own image do.
    expect(
      await asked(
        compute,
        'user=postgres dbname=iam',
        `SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database WHERE datname = 'iam'`,
        superuserPassword(),
      ),
    ).toBe('UTF8|en_US.UTF-8');
  }, 90_000);

  it('refuses to take another environment beside it, running or kept', async () => {
    const other = databasesStep(anEnvironment({name: 'staging'}), []);
    await expect(lay(other, storage)).rejects.toThrow('the server holds the databases of the environment qa');
  }, 60_000);

  it('comes back after a restart of the machine, listening where it did', async () => {
    const boot = await run(storage, 'cat /proc/sys/kernel/random/boot_id');
    await labExec(storage, 'systemctl reboot');
    // The old server answers until it is stopped, and the new one a moment before systemd takes note of it.
    const isUp = `systemctl is-active --quiet postgresql@15-main && [ "$(cat /proc/sys/kernel/random/boot_id)" != ${boot} ]`;
    await expect.poll(async () => (await labExec(storage, isUp)).code, {timeout: 60_000, interval: 1000}).toBe(0);
    expect(
      await asked(
        compute,
        'user=environment_qa dbname=keycloak',
        'SELECT 1',
        vault.get('environment-qa-database') ?? '',
      ),
    ).toBe('1');
    expect((await lay(postgresql, storage)).flat()).toEqual([]);
  }, 120_000);

  it('takes a changed setting, and restarts only for one that needs it', async () => {
    const started = () =>
      asked(compute, 'user=postgres dbname=postgres', 'SELECT pg_postmaster_start_time()', superuserPassword());
    const before = await started();
    const folder = '/etc/postgresql/15/main/conf.d';
    await run(storage, `echo 'log_min_duration_statement = 5s' >${folder}/site.conf`);
    expect((await lay(postgresql, storage)).flat().map(({id}) => id)).toEqual([
      'settings of the database server 15/main in force',
    ]);
    expect(await started()).toBe(before);
    await run(storage, `echo 'max_locks_per_transaction = 128' >>${folder}/site.conf`);
    await lay(postgresql, storage);
    expect(await started()).not.toBe(before);
    await run(storage, `echo 'work_mem = nonsense' >>${folder}/site.conf`);
    await expect(lay(postgresql, storage)).rejects.toThrow('the database server does not take its files');
    await run(storage, `rm ${folder}/site.conf`);
    await lay(postgresql, storage);
  }, 120_000);

  it('says that the disk of the databases is full, and what not to do about it', async () => {
    // A file system of its own for the WAL, because the lab's hosts have the disk of this machine.
    await run(
      storage,
      `systemctl stop postgresql@15-main && cd /var/lib/postgresql/15/main && cp -a pg_wal /root/wal &&
mount -t tmpfs -o size=80m,mode=0700,uid=postgres,gid=postgres tmpfs pg_wal && cp -a /root/wal/. pg_wal/ && systemctl start postgresql@15-main`,
    );
    await run(storage, 'dd if=/dev/zero of=/var/lib/postgresql/15/main/pg_wal/other bs=1M 2>/dev/null || :');
    const [complaint = ''] = await complaints(postgresql, storage);
    expect(complaint).toContain('room: the file system of the databases is full to 100 %');
    const card = withRemedy({kind: 'verification', message: complaint}, postgresql.remedies ?? []);
    expect(card.cause).toContain('PostgreSQL stops rather than lose data');
    expect(card.remedy).toContain('Never delete in pg_wal');
    await run(storage, 'rm /var/lib/postgresql/15/main/pg_wal/other');
    expect(await complaints(postgresql, storage)).toEqual([]);
  }, 120_000);

  it('erases the databases of an environment with their users, when that is asked', async () => {
    const connection = cliConnection(storage);
    await converge(connection, [noDatabases(15, qa, true)]);
    expect(
      await asked(
        compute,
        'user=postgres dbname=postgres',
        `SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database`,
        superuserPassword(),
      ),
    ).toBe('postgres template0 template1');
    expect(
      await asked(
        compute,
        'user=postgres dbname=postgres',
        `SELECT count(*) FROM pg_roles WHERE rolname !~ '^pg_'`,
        superuserPassword(),
      ),
    ).toBe('1');
  }, 60_000);

  it('never wrote the password down', async () => {
    expect(
      await run(storage, `grep -rlF '${superuserPassword()}' /var/log /etc /root /tmp /var/lib/groundwork || :`),
    ).toBe('');
  });
});
