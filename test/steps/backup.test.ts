import {execa} from 'execa';
import {describe, expect, it} from 'vitest';
import type {Step} from '../../source/engine/step.ts';
import type {Products} from '../../source/resources/resource.ts';
import {mailSettings} from '../../steps/backup/alerts.ts';
import {givenBy, keyLine} from '../../steps/backup/backup-access.ts';
import {archiveSettings} from '../../steps/backup/backup-postgresql.ts';
import {readStanza, stanza} from '../../steps/backup/backup-repository.ts';
import {givers, pgbackrestOnly} from '../../steps/backup/host-programs.ts';
import {jobProgram} from '../../steps/backup/jobs.ts';
import {keyProduct, keysOfBackupHost, sourceIn, sourceProduct} from '../../steps/backup/keys.ts';
import {machinesFile, machinesIn, machinesProduct, sameMachine} from '../../steps/backup/machine.ts';
import {databaseConfiguration, repositoryConfiguration} from '../../steps/backup/pgbackrest.ts';
import {newRancherKey, rancherBackup, rancherBackupGround} from '../../steps/backup/rancher-objects.ts';
import {jobsOf} from '../../steps/backup/settings.ts';
import {readStatus, statusScripts} from '../../steps/backup/status.ts';
import {jobService, jobTimer} from '../../steps/backup/units.ts';
import {watchProgram} from '../../steps/backup/watch.ts';
import {steps} from '../../steps/index.ts';
import {sampleFacts} from '../support/facts.ts';
import {contextFor, memoryVault, productionDeployment} from '../support/step-context.ts';

const deployment = productionDeployment();
const [, compute, storage, backup] = deployment.hosts;
if (!compute || !storage || !backup) throw new Error('the sample has four hosts');

const machine = 'a'.repeat(32);

/** What earlier steps would have found out on their hosts. */
const products: Products = {
  [machinesProduct]: '',
  'postgresql-version': '15',
  'postgresql-system': '7712692213403641502',
  'postgresql-data': '/var/lib/postgresql/15/main',
  ...Object.fromEntries(keysOfBackupHost(deployment).map(key => [keyProduct(key), `ssh-ed25519 AAAA${key}`])),
  [keyProduct('postgresql-database')]: 'ssh-ed25519 AAAAdatabase',
  ...Object.fromEntries(
    deployment.hosts.map(({name}) => [sourceProduct(name), `${machine} 22 ssh-ed25519 AAAA${name}`]),
  ),
};

const backupSteps = steps.filter(({id}) => id.startsWith('backup-'));

/** A step on each host that it concerns. */
const contextsOf = async (step: Step, vault: Map<string, string>) => {
  const context = await contextFor(step, {deployment, vault, products, facts: sampleFacts()});
  return deployment.hosts.filter(({roles}) => roles.includes(step.role)).map(host => ({...context, host}));
};

describe('the steps of backups', () => {
  it('say what they are for, and what to do when they fail', () => {
    for (const step of backupSteps) {
      expect(step.why).toMatch(/^[A-Z].*\.$/);
      expect(step.remedies?.length).toBeGreaterThan(0);
    }
  });

  it('have a name of its own for each resource of a host', async () => {
    const vault = new Map<string, string>();
    const ids: string[] = [];
    for (const step of steps.filter(each => each.enabled?.(deployment) !== false)) {
      for (const context of await contextsOf(step, vault))
        ids.push(...step.resources(context).map(({id}) => `${context.host.name}: ${id}`));
    }
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  });

  it('are switched off where a deployment has no backups', () => {
    const without = {...deployment, components: {...deployment.components, backup: undefined}};
    expect(backupSteps.filter(({enabled}) => enabled?.(without) !== false)).toEqual([]);
  });

  it('bring no passphrase into a unit, a job or another host’s settings', async () => {
    const vault = new Map<string, string>();
    for (const step of backupSteps) await memoryVault(step, deployment, vault);
    const open = [
      ...jobsOf(deployment).map(({id}) => jobProgram(deployment, id)),
      ...jobsOf(deployment).map(job => jobTimer(deployment, job)),
      jobService,
      watchProgram(deployment, '/var/lib/postgresql/15/main'),
      databaseConfiguration(deployment, {data: '/var/lib/postgresql/15/main', cpus: 8}),
    ].join('\n');
    for (const [name, value] of vault) expect(open.includes(value), name).toBe(false);
  });
});

describe('programs on the hosts', () => {
  it('are accepted by bash, all of them', async () => {
    const programs = [
      ...jobsOf(deployment).map(({id}) => jobProgram(deployment, id)),
      ...Object.values(givers(deployment, compute)),
      pgbackrestOnly(deployment, 'pg'),
      pgbackrestOnly(deployment, 'repo'),
      watchProgram(deployment, '/var/lib/postgresql/15/main'),
      ...statusScripts(deployment).map(({text}) => text),
    ];
    for (const input of programs) {
      const {exitCode, stderr} = await execa('bash', ['-n'], {input, reject: false});
      expect(exitCode, `${stderr}\n${input}`).toBe(0);
    }
  });
});

describe('a key of pgBackRest', () => {
  const remote = '--exec-id=1-a --log-level-console=off --log-level-file=off --log-level-stderr=error';
  const ask = async (side: 'pg' | 'repo', command: string) => {
    const {exitCode, stdout} = await execa('bash', ['-s'], {
      input: `pgbackrest() { echo "ran $*"; exit 0; }\nexec() { "$@"; }\n${pgbackrestOnly(deployment, side)}`,
      env: {SSH_ORIGINAL_COMMAND: command},
      reject: false,
    });
    return exitCode === 0 ? stdout : 'refused';
  };

  it('lets the other side speak its protocol for this stanza', async () => {
    const push = `pgbackrest --archive-async ${remote} --process=1 --remote-type=repo --repo=1 --stanza=demo archive-push:remote`;
    expect(await ask('repo', push)).toBe(`ran ${push.slice('pgbackrest '.length)}`);
    const read = `pgbackrest ${remote} --pg1-path=/var/lib/postgresql/15/main --process=0 --remote-type=pg --stanza=demo backup:remote`;
    expect(await ask('pg', read)).toMatch(/^ran .*backup:remote$/);
  });

  it.each([
    ['no command: a shell', ''],
    ['another program', 'cat /etc/shadow'],
    ['a command behind it', 'pgbackrest --stanza=demo --remote-type=repo archive-push:remote; id'],
    ['one that is substituted', 'pgbackrest --stanza=demo --remote-type=repo $(id) archive-push:remote'],
    ['the end of a stanza', 'pgbackrest --stanza=demo stanza-delete'],
    ['an expiry', 'pgbackrest --stanza=demo --remote-type=repo expire:remote'],
    ['another stanza', 'pgbackrest --stanza=other --remote-type=repo archive-push:remote'],
    ['other settings', 'pgbackrest --config=/tmp/evil --stanza=demo --remote-type=repo archive-push:remote'],
    ['another repository', 'pgbackrest --repo1-path=/ --stanza=demo --remote-type=repo archive-push:remote'],
    ['the other side’s files', 'pgbackrest --stanza=demo --remote-type=pg backup:remote'],
    ['a stanza said twice', 'pgbackrest --stanza=demo --stanza=other --remote-type=repo archive-push:remote'],
    ['a program of that name elsewhere', '/tmp/pgbackrest --stanza=demo --remote-type=repo archive-push:remote'],
  ])('refuses %s', async (_, command) => {
    expect(await ask('repo', command)).toBe('refused');
  });
});

describe('what a host hands out', () => {
  it('is its configuration, and what its role has beside', () => {
    expect(deployment.hosts.map(host => [host.name, givenBy(deployment, host)])).toEqual([
      ['proxy-1', ['configurations']],
      ['compute-1', ['etcd', 'configurations']],
      ['storage-1', ['files', 'configurations']],
      ['backup-1', ['configurations']],
    ]);
    expect(givers(deployment, storage).files).toContain('exec rrsync -ro /srv/nfs/demo');
    expect(givers(deployment, compute).configurations).toContain('var/lib/rancher/rke2/server/cred');
    expect(givers(deployment, storage).configurations).not.toContain('rancher');
  });

  it('is opened by a key that is good for one program, from one address', () => {
    expect(keyLine(deployment, 'ssh-ed25519 AAAA', 'sudo -n /give')).toBe(
      'restrict,from="10.0.0.14",command="sudo -n /give" ssh-ed25519 AAAA',
    );
  });
});

describe('the settings of pgBackRest', () => {
  const conf = repositoryConfiguration(
    deployment,
    {host: storage, data: '/var/lib/postgresql/15/main', cpus: 4},
    'passphrase',
  );

  it('keep the passphrase on the backup host, and reach for the database only where they must', () => {
    expect(conf).toContain('repo1-cipher-pass=passphrase');
    expect(conf).toContain('repo1-retention-full=4');
    expect(conf).toMatch(/\[demo:backup\]\npg1-host=10\.0\.0\.13/);
    expect(conf).not.toMatch(/^\[demo\]$/m);
    expect(databaseConfiguration(deployment, {data: '/d', cpus: 8})).not.toContain('cipher');
  });

  it('bound what may wait on the storage host', () => {
    expect(databaseConfiguration(deployment, {data: '/d', cpus: 8})).toContain('archive-push-queue-max=32GB');
  });

  it('leave wal_level to those who need more of it', () => {
    expect(archiveSettings(deployment)).not.toContain('wal_level');
  });
});

describe('a machine', () => {
  const facts = {...sampleFacts(), machineId: machine};
  const assess = (remembered: string) =>
    sameMachine({host: storage, facts, products: {[machinesProduct]: remembered}}).assess({
      code: 0,
      stdout: '',
      stderr: '',
    });

  it('is known again, or new', () => {
    expect(assess('')).toMatchObject({ok: true});
    expect(assess(`storage-1=${machine}`)).toMatchObject({ok: true});
    expect(assess(`compute-1=${'b'.repeat(32)}`)).toMatchObject({ok: true});
  });

  it('that is another one than the backups are of is noticed', () => {
    const found = assess(`storage-1=${'b'.repeat(32)}`);
    expect(found.ok ? '' : found.error).toMatch(/storage-1 is another machine than the one that the backups are of/);
  });

  it('stays remembered while it does not answer', () => {
    const {[sourceProduct('compute-1')]: _, ...others} = products;
    const text = machinesFile(deployment, {...others, [machinesProduct]: `compute-1=${'c'.repeat(32)}`});
    expect(text).toContain(`compute-1 ${'c'.repeat(32)}`);
    expect(text).toContain(`storage-1 ${machine}`);
    expect(machinesIn('a=1 b=2')).toEqual(
      new Map([
        ['a', '1'],
        ['b', '2'],
      ]),
    );
    expect(sourceIn('rubbish')).toBeUndefined();
  });
});

describe('the stanza', () => {
  const info = (system: string) =>
    `[{"backup":[],"db":[{"id":1,"repo-key":1,"system-id":${system},"version":"15"}],"status":{"code":0,"message":"ok"}}]`;
  const assess = (stdout: string) => stanza(deployment, '7712692213403641502').assess({code: 0, stdout, stderr: ''});

  it('is made once, and its database is known by all digits of its number', () => {
    expect(assess('[]')).toMatchObject({ok: true, value: {changes: [{summary: 'make it'}]}});
    expect(assess(info('7712692213403641502'))).toMatchObject({ok: true, value: {changes: []}});
    expect(readStanza('nonsense').ok).toBe(false);
  });

  it('of another database is left alone, whatever differs', () => {
    const found = assess(info('7712692213403641503'));
    expect(found.ok ? '' : found.error).toMatch(/is another database than the one that the backups are of/);
  });
});

describe('times', () => {
  it('are given to systemd with their zone, and made up for', () => {
    const [full] = jobsOf(deployment);
    if (!full) throw new Error('there is a job');
    const timer = jobTimer(deployment, full);
    expect(timer).toContain('OnCalendar=Sun *-*-* 02:00 UTC');
    expect(timer).toContain('Persistent=yes');
    expect(timer).toContain('RandomizedDelaySec=0');
  });

  it('put what others copy before what copies it', () => {
    const minutes = (text: string): number => {
      const [, hours, rest] = / (\d\d):(\d\d)$/.exec(text) ?? [];
      return Number(hours) * 60 + Number(rest);
    };
    const at = new Map(jobsOf(deployment).map(({id, calendar}) => [id, minutes(calendar)]));
    expect(at.get('files')).toBeGreaterThan(3 * 60);
    expect(deployment.components.backup?.schedules.rancher).toBe('0 3 * * *');
    expect(at.get('configurations')).toBeGreaterThan(at.get('files') ?? 0);
  });
});

describe('copies of Rancher', () => {
  it('are encrypted with a key that AES takes', () => {
    expect(Buffer.from(newRancherKey(), 'base64')).toHaveLength(32);
  });

  it('go to a volume that an upgrade of the chart finds again', () => {
    const volumes = rancherBackupGround(deployment, newRancherKey()).filter(({kind}) => kind === 'PersistentVolume');
    expect(volumes).toHaveLength(2);
    for (const {spec} of volumes)
      expect(spec).toMatchObject({
        persistentVolumeReclaimPolicy: 'Retain',
        csi: {volumeAttributes: {server: '10.0.0.13', share: '/srv/nfs/demo/rancher-backup'}},
      });
    expect(rancherBackup(deployment).spec).not.toHaveProperty('storageLocation');
  });
});

describe('mail', () => {
  const mail = {server: 'mail.example.org', port: 587, from: 'a@example.org', to: ['b@example.org'], user: 'o"p'};
  const withMail = {
    ...deployment,
    components: {
      ...deployment.components,
      kubernetes: {
        ...deployment.components.kubernetes,
        monitoring: {enabled: true, size: 'small', alerts: {mail}},
      },
    },
  } as typeof deployment;

  it('is sent with the deployment’s own settings, or not at all', () => {
    expect(mailSettings(deployment, () => 'x')).toBeUndefined();
    const text = mailSettings(withMail, () => 'pass"word\\') ?? '';
    expect(text).toContain('user "o\\"p"');
    expect(text).toContain('password "pass\\"word\\\\"');
    expect(text).toContain('tls_starttls on');
  });
});

describe('what the backup host answers', () => {
  it('is read as far as it came', () => {
    const outputs = statusScripts(deployment).map(() => ({code: 0, stdout: '', stderr: ''}));
    outputs[0] = {
      code: 0,
      stdout:
        'job files\nresult=success\nended=100\nlast_success=100\nservice inactive\ntimer active\nnext 200\njob etcd\nresult=exit-code\nended=90\nlast_success=\nservice inactive\ntimer active\n',
      stderr: '',
    };
    const status = readStatus(deployment, new Map(outputs.map((output, index) => [index, output])));
    expect(status.jobs.find(({job}) => job === 'files')).toEqual({
      job: 'files',
      title: 'volumes of the NFS share',
      state: 'ok',
      ended: 100,
      lastSuccess: 100,
      next: 200,
    });
    expect(status.jobs.find(({job}) => job === 'etcd')).toMatchObject({state: 'failed', lastSuccess: undefined});
    expect(status.unread).toEqual(['the backups of the databases', 'the repository of files and configurations']);
  });
});
