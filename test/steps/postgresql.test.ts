import {describe, expect, it} from 'vitest';
import {databaseOfOneEnvironment, databasePackages, databasePort} from '../../source/deployment/rules/databases.ts';
import {type Deployment, deployment as schema} from '../../source/deployment/schema.ts';
import {inRules} from '../../steps/firewall/rules.ts';
import {ganeshaConfiguration, kernelExports} from '../../steps/nfs-server/exports.ts';
import {accessRules} from '../../steps/postgresql/access.ts';
import {pgdgSources} from '../../steps/postgresql/packages.ts';
import {scramVerifier} from '../../steps/postgresql/scram.ts';
import {serverSettings} from '../../steps/postgresql/settings.ts';
import {identifier, literal} from '../../steps/postgresql/sql.ts';
import {tuning} from '../../steps/postgresql/tuning.ts';
import {postgresqlVersion} from '../../steps/postgresql/version.ts';
import {anEnvironment} from '../support/deployments.ts';
import {sampleFacts} from '../support/facts.ts';
import {sampleDeployment} from '../support/step-context.ts';

const gib = 1024 ** 3;

const machines = ['proxy', 'compute', 'storage', 'backup'].map((role, index) => ({
  name: `${role}-1`,
  address: `203.0.113.1${index}`,
  roles: ['base', role],
  privateAddress: `10.0.0.1${index}`,
}));

const four = (postgresql: object = {}, more: object = {}): Deployment => {
  const base = sampleDeployment();
  return schema.parse({
    ...base,
    topology: 'production-minimum',
    hosts: machines,
    components: {...base.components, postgresql, kubernetes: {}},
    ...more,
  });
};

const hostOf = (deployment: Deployment, role: string) => {
  const found = deployment.hosts.find(({roles}) => roles.includes(role));
  if (!found) throw new Error(`no ${role}`);
  return found;
};

describe('the settings of the database server', () => {
  const disk = (rotational: boolean | undefined) => ({
    mounts: [{path: '/', type: 'ext4', bytes: 1, freeBytes: 1, freeInodes: 1, disks: ['vda']}],
    disks: [{name: 'vda', bytes: 1, rotational}],
  });

  it('follow the memory, within what helps', () => {
    expect(tuning({memoryBytes: 32 * gib, ...disk(undefined)}, '/var/lib/postgresql')).toEqual([
      'shared_buffers = 8192MB',
      'effective_cache_size = 16384MB',
      'work_mem = 16MB',
      'maintenance_work_mem = 2048MB',
    ]);
    expect(tuning({memoryBytes: gib, ...disk(undefined)}, '/var/lib/postgresql').slice(0, 3)).toEqual([
      'shared_buffers = 256MB',
      'effective_cache_size = 512MB',
      'work_mem = 4MB',
    ]);
  });

  it('expect cheap random reads only of a disk that is known to have no moving parts', () => {
    const on = (rotational: boolean | undefined) =>
      tuning({memoryBytes: gib, ...disk(rotational)}, '/var/lib/postgresql').includes('random_page_cost = 1.1');
    expect([on(false), on(true), on(undefined)]).toEqual([true, false, false]);
  });

  it('listen on the private address, with TLS, and keep what OpenG2P’s own chart has', () => {
    const deployment = four({port: 5433});
    const text = serverSettings({deployment, host: hostOf(deployment, 'storage'), facts: sampleFacts()});
    for (const line of [
      "listen_addresses = 'localhost,10.0.0.12'",
      'port = 5433',
      'max_connections = 500',
      'wal_level = logical',
      'ssl = on',
      'password_encryption = scram-sha-256',
    ])
      expect(text.split('\n')).toContain(line);
  });
});

describe('access to the databases', () => {
  it('is for compute hosts over TLS, and copies of the whole server for nobody else', () => {
    const deployment = four();
    const remote = accessRules(deployment, hostOf(deployment, 'storage'))
      .split('\n')
      .filter(line => line.startsWith('host') && !/127\.0\.0\.1|::1/.test(line));
    expect(remote).toEqual(['hostssl all          all  10.0.0.11/32  scram-sha-256']);
  });

  it('is for pods too where they run on the same machine', () => {
    const one = sampleDeployment();
    const deployment = schema.parse({...one, components: {...one.components, postgresql: {}}});
    expect(accessRules(deployment, deployment.hosts[0] ?? {roles: []})).toContain(
      'hostssl all          all  10.42.0.0/16',
    );
  });

  it('is what the firewall lets in, beside NFS', () => {
    const deployment = four({port: 5433});
    const kept = inRules(deployment, hostOf(deployment, 'storage'), 22).filter(({purpose}) => purpose !== 'SSH');
    expect(kept.map(({from, port}) => `${from} ${port}`)).toEqual([
      '10.0.0.11 2049',
      '10.0.0.13 2049',
      '10.0.0.11 5433',
    ]);
  });

  it('to the share is for the cluster to write, the backup to read, and the server itself', () => {
    const text = kernelExports(four());
    expect([...text.matchAll(/(\S+)\((rw|ro),/g)].map(([, from, mode]) => `${from} ${mode}`)).toEqual([
      '10.0.0.11 rw',
      '10.0.0.12 rw',
      '10.0.0.13 ro',
    ]);
    expect(ganeshaConfiguration(four())).toContain('Clients = 10.0.0.13;\n    Access_Type = RO;');
    expect(text).not.toContain('10.0.0.10');
  });
});

describe('the packages', () => {
  it('are of the version that the system has, or of the one that was chosen', () => {
    expect(postgresqlVersion(four(), sampleFacts())).toBe(16);
    expect(postgresqlVersion(four({packages: 'pgdg', version: 18}), sampleFacts())).toBe(18);
  });

  it('of the project come from a mirror where there is one, and are not carried in', () => {
    expect(pgdgSources(four({packages: 'pgdg'}), sampleFacts())).toContain(
      'URIs: https://apt.postgresql.org/pub/repos/apt\nSuites: noble-pgdg\n',
    );
    const mirrored = four(
      {packages: 'pgdg'},
      {artifacts: {source: 'mirror', address: 'http://mirror.test/groundwork'}},
    );
    expect(pgdgSources(mirrored, sampleFacts())).toContain(
      'URIs: http://mirror.test/groundwork/apt.postgresql.org/pub/repos/apt\n',
    );
    const carried = four({packages: 'pgdg'}, {artifacts: {source: 'directory', path: '/media/usb'}});
    expect(databasePackages(carried).map(({path}) => path)).toEqual(['components.postgresql.packages']);
    expect(databasePackages(mirrored)).toEqual([]);
  });
});

describe('passwords of database users', () => {
  it('become what PostgreSQL keeps of them, the same each time and another for each user', () => {
    const verifier = scramVerifier('postgres', 'secret');
    expect(verifier).toMatch(/^SCRAM-SHA-256\$4096:[A-Za-z0-9+/=]{24}\$[A-Za-z0-9+/=]{44}:[A-Za-z0-9+/=]{44}$/);
    expect(scramVerifier('postgres', 'secret')).toBe(verifier);
    expect(scramVerifier('other', 'secret')).not.toBe(verifier);
    expect(() => scramVerifier('postgres', 'with blank')).toThrow('plain ASCII');
  });

  it('and names stay texts of SQL', () => {
    expect(literal("it's")).toBe("'it''s'");
    expect(identifier('a"b')).toBe('"a""b"');
  });
});

describe('the server of one environment', () => {
  const problems = (...databases: readonly ('storage-host' | 'in-cluster' | undefined)[]) =>
    databaseOfOneEnvironment(
      four(
        {},
        {
          environments: databases.map((database, at) => anEnvironment({name: `e${at}`, ...(database && {database})})),
        },
      ),
    ).map(({path}) => path);

  it('is not given to a second one', () => {
    expect(problems(undefined)).toEqual([]);
    expect(problems(undefined, undefined)).toEqual(['environments[1].name']);
    expect(problems(undefined, 'storage-host')).toEqual(['environments[1].database']);
    expect(problems('in-cluster', undefined, 'in-cluster')).toEqual([]);
  });

  it('has to be there, at a port of its own', () => {
    const without = {...four({}, {environments: [anEnvironment({name: 'qa', database: 'storage-host'})]})};
    const {postgresql: _, ...components} = without.components;
    expect(databaseOfOneEnvironment({...without, components}).map(({path}) => path)).toEqual([
      'environments[0].database',
    ]);
    expect(databasePort(four({port: 2049})).map(({message}) => message)).toEqual([
      'is the port of NFS on the storage host',
    ]);
  });
});
