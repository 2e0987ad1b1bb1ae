import {createHash} from 'node:crypto';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {openg2p} from '../../source/blueprints/openg2p.ts';
import {type VersionSet, versionSetOf} from '../../source/blueprints/versions.ts';
import type {RunEvent} from '../../source/engine/events.ts';
import {environmentSteps} from '../../steps/environment/environment.ts';
import {leaksBelow, leaksIn} from '../support/canary.ts';
import {anEnvironment} from '../support/deployments.ts';
import {
  buildProgram,
  groundwork,
  killedAt,
  type Operator,
  operatorOf,
  type Point,
  small,
  vaultOf,
  why,
} from '../support/groundwork.ts';
import {type HollowCluster, startHollowCluster} from '../support/hollow-cluster.ts';
import {type LabHost, lab, labDown, labExec, labUp} from '../support/lab.ts';
import {type Mirror, startMirror} from '../support/mirror.ts';
import {fillWithPlatform} from '../support/platform-mirror.ts';

/**
 * The whole sandbox with the platform on one real Debian 12 under systemd, by the program itself. The API server, its
 * controllers, kubectl and helm are real; what a kubelet, a volume driver and the operators in images would do is done by
 * a hollow cluster (test/support/hollow-cluster.ts), so that no image is needed.
 */
const environment = anEnvironment({name: 'dev', modules: ['registry']});

let host: LabHost;
let mirror: Mirror;
let cluster: HollowCluster;
let operator: Operator;

beforeAll(async () => {
  await buildProgram();
  [host] = (await labUp(1, {prefix: 'platform'})) as [LabHost];
  mirror = await startMirror(host.address.replace(/\d+$/, '1'));
  await lab(['allow', new URL(mirror.address).port]);
  await fillWithPlatform(mirror, versionSetOf('default') as VersionSet);
  cluster = await startHollowCluster(host);
  operator = operatorOf(
    host,
    {},
    {
      components: {dns: {}, nfs: {}, nginx: {}, kubernetes: {}},
      environments: [environment],
      artifacts: {source: 'mirror', address: mirror.address, checksums: 'published'},
    },
  );
});

afterAll(async () => {
  await cluster?.close();
  await mirror?.close();
  if (host) await labDown([host]);
  operator?.remove();
});

const on = async (script: string): Promise<string> => {
  const {code, stdout, stderr} = await labExec(host, script);
  if (code !== 0) throw new Error(`${script}\nended with ${code}: ${stdout}${stderr}`);
  return stdout.trim();
};
const onCluster = (script: string): Promise<string> =>
  on(
    `export KUBECONFIG=/etc/rancher/rke2/rke2.yaml PATH=/usr/local/bin:/var/lib/rancher/rke2/bin:$PATH\nset -e\n${script}`,
  );

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
const secretsNow = (): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(vaultOf(operator)).map(([name, value]) => [name, hash(value)]));

const stepsOf = (events: readonly RunEvent[], type: 'resource.started' | 'resource.changed'): ReadonlySet<string> =>
  new Set(events.flatMap(event => (event.type === type ? [event.step] : [])));

const during = (step: string, resource: RegExp, later = 0): Point => ({
  step,
  later,
  matches: event => event.type === 'resource.started' && event.step === step && resource.test(event.resource),
});

/** While the releases of Rancher and of an environment are being installed. */
const points: readonly Point[] = [
  during('rancher', /^release /, 800),
  during('environment-dev-commons-base', /^release /, 800),
];

describe('the whole sandbox', () => {
  // What is installed cannot be installed once more, so this is tried once; the limit is for a machine that is very busy.
  test(
    'is installed, although the installer is killed in the middle of the platform’s steps',
    {
      timeout: 1_200_000,
      retry: 0,
    },
    async () => {
      const open = new Set(points);
      const told: RunEvent[] = [];
      let known = secretsNow();
      for (;;) {
        const args =
          open.size === points.length
            ? ['install', '--yes', '--output', 'jsonl', '-d', operator.file, ...small]
            : ['resume', '--yes', '--output', 'jsonl'];
        const {met, ran} = await killedAt(operator, args, [...open]);
        told.push(...ran.events);
        expect(secretsNow(), 'what was in the vault before').toMatchObject(known);
        known = secretsNow();
        if (met) {
          open.delete(met);
          continue;
        }
        expect(ran.code, why(ran)).toBe(0);
        expect(ran.events.at(-1)).toMatchObject({type: 'run.finished', outcome: 'succeeded', failed: 0});
        break;
      }
      expect([...open].map(({step}) => step)).toEqual([]);
      const all = [...openg2p.steps, ...environmentSteps(environment)].map(({id}) => id);
      // Begun, because what a killed installer had begun is finished by the host itself.
      expect([...stepsOf(told, 'resource.started')].toSorted()).toEqual(all.toSorted());
      expect(leaksIn(JSON.stringify(told), vaultOf(operator))).toEqual([]);
    },
  );

  test('is not changed the second time', async () => {
    const before = secretsNow();
    const asked = mirror.asked.length;
    const ran = await groundwork(operator, ['install', '--yes', '--output', 'jsonl', '-d', operator.file, ...small]);
    expect(ran.code, why(ran)).toBe(0);
    expect(ran.events.at(-1)).toMatchObject({type: 'run.finished', outcome: 'succeeded', changed: 0, failed: 0});
    expect(secretsNow()).toEqual(before);
    expect(mirror.asked.slice(asked).filter(({method, range}) => method === 'GET' && range === undefined)).toEqual([]);
  });

  test('is well, says `groundwork status`', async () => {
    const {stdout} = await groundwork(operator, ['status', '--output', 'jsonl']);
    const {cluster: seen} = JSON.parse(stdout);
    expect(seen).toMatchObject({healthy: true, nodes: [{name: 'sandbox-1', ready: true}]});
    expect(seen.releases.map(({name}: {name: string}) => name)).toEqual(
      expect.arrayContaining(['rancher', 'rancher-monitoring', 'loki', 'istiod', 'commons', 'registry']),
    );
  });

  test('proves itself layer by layer, from nginx through the gateway to the programs', async () => {
    const ran = await groundwork(operator, ['verify', '--output', 'jsonl']);
    expect(ran.code, why(ran)).toBe(0);
    const verified = ran.events.filter(({type}) => type === 'verified');
    expect(new Set(verified.map(event => 'step' in event && event.step))).toEqual(
      new Set([...openg2p.steps, ...environmentSteps(environment)].map(({id}) => id)),
    );
  });

  test('keeps what it measures on a volume of the machine, and what else it keeps on the NFS share', async () => {
    const volumes = await onCluster(
      `kubectl get pv -o jsonpath='{range .items[*]}{.spec.claimRef.namespace} {.spec.local.path}{.spec.csi.driver} {.status.phase}{"\\n"}{end}'`,
    );
    expect(volumes).toContain('cattle-monitoring-system /var/lib/groundwork/prometheus Bound');
    expect(volumes).toContain('observability nfs.csi.k8s.io Bound');
    expect(volumes).toContain('dev nfs.csi.k8s.io Bound');
  });

  test('has no secret in logs, journal and the host’s own logs', async () => {
    const folder = join(operator.home, 'state/lab');
    expect(leaksBelow(folder, vaultOf(operator), path => /\/(vault\.json|peers\/|environments\/)/.test(path))).toEqual(
      [],
    );
    const journal = await on('journalctl --no-pager --output=cat');
    expect(leaksIn(journal, vaultOf(operator))).toEqual([]);
  });
});

describe('another environment', () => {
  const namesBelow = (domain: string) =>
    on(`grep -c '${domain.replaceAll('.', '[.]')}' /etc/nginx/conf.d/groundwork.conf || :`);

  test('is added beside the first, which is not touched', async () => {
    const ran = await groundwork(operator, [
      ...['environment', 'add', 'qa', '--module', 'spar', '--yes', '--output', 'jsonl'],
      ...small,
    ]);
    expect(ran.code, why(ran)).toBe(0);
    const changed = [...stepsOf(ran.events, 'resource.changed')].filter(step => !step.startsWith('environment-qa-'));
    expect(changed.toSorted()).toEqual(['certificates', 'nginx', 'openg2p-charts']);
    expect(await onCluster('helm list -n qa --short | sort | xargs')).toBe('commons commons-services spar');
    expect(await namesBelow('qa.openg2p.test')).not.toBe('0');
  });

  test('is removed without a trace, and the first one is as it was', async () => {
    const ran = await groundwork(operator, [
      'environment',
      'remove',
      'qa',
      '--purge',
      '--confirm',
      'qa',
      '--output',
      'jsonl',
    ]);
    expect(ran.code, why(ran)).toBe(0);
    const left = await onCluster(
      `kubectl get namespaces,persistentvolumes,projects.management.cattle.io -A -o jsonpath='{range .items[*]}{.kind} {.metadata.name} {.spec.claimRef.namespace}{"\\n"}{end}'`,
    );
    expect(left).not.toMatch(/\bqa\b/);
    expect(await namesBelow('qa.openg2p.test')).toBe('0');
    const planned = await groundwork(operator, ['plan', '--output', 'jsonl', '--exit-code']);
    expect(planned.code, why(planned)).toBe(0);
    expect(planned.events.at(-1)).toMatchObject({type: 'plan', changes: 0});
  });
});

test('nothing of all this was refused by the API server', () => {
  expect(cluster.complaints()).toEqual([]);
});
