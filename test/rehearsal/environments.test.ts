import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {openg2p} from '../../source/blueprints/openg2p.ts';
import {parseInvocation} from '../../source/commands/command.ts';
import {environment} from '../../source/commands/environment.ts';
import {exit} from '../../source/commands/exit.ts';
import {openSite} from '../../source/commands/site.ts';
import {pathsFor} from '../../source/deployment/paths.ts';
import {type Deployment, deployment as schema} from '../../source/deployment/schema.ts';
import type {RunEvent} from '../../source/engine/events.ts';
import type {Connection} from '../../source/hosts/connection.ts';
import type {PracticeHosts} from '../../source/practice/practice-hosts.ts';
import {sh} from '../../source/shell/script.ts';
import {onCluster} from '../../steps/shared/platform.ts';
import {connectTo, practiceFolder, run as runOn, startedPractice} from '../support/practice.ts';
import {projectRoot} from '../support/terminal.ts';
import {madeUpWorld} from '../support/world.ts';

/** The command on a practice host, as an operator would use it: nothing of it is in the deployment or on the host before. */
let directory: string;
let home: string;
let practice: PracticeHosts;
let connection: Connection;

const siteOf = () => {
  const site = openSite(madeUpWorld(home, {root: projectRoot}).world);
  if (!site.ok) throw new Error(site.error.message);
  return site.value;
};

const saved = (): Deployment => {
  const found = siteOf().store.get('practice');
  if (!found) throw new Error('the deployment is not saved');
  return found.deployment;
};

const run = async (...args: readonly string[]) => {
  const {world, out, err} = madeUpWorld(home, {root: projectRoot});
  const invocation = parseInvocation(environment, args);
  if (!invocation.ok) throw new Error(invocation.error);
  const status = await environment.run(invocation.value, world);
  const events = out()
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line) as RunEvent);
  return {status, events, out: out(), err: err()};
};

const failures = (events: readonly RunEvent[]) =>
  events.filter(event => event.type === 'problem' || (event.type === 'step.finished' && event.state === 'failed'));

const stepsOf = (events: readonly RunEvent[]) => [
  ...new Set(events.flatMap(event => (event.type === 'step.started' ? [event.step] : []))),
];

beforeAll(async () => {
  directory = await practiceFolder();
  home = mkdtempSync(join(tmpdir(), 'groundwork-environments-'));
  practice = await startedPractice({directory});
  const [host] = practice.hosts;
  if (!host) throw new Error('no practice host');
  connection = await connectTo(host);
  const known = pathsFor({GROUNDWORK_HOME: home}, home).knownHosts;
  mkdirSync(dirname(known), {recursive: true});
  writeFileSync(known, `[${host.address}]:${host.port} ${host.hostKey.type} ${host.hostKey.key}\n`);
  const defaults = openg2p.defaults('practice', 'sandbox');
  const {name, address, port, user, identityFile, privateAddress} = host;
  const [channel] = defaults.channels;
  siteOf().store.save({
    updatedAt: '2026-11-20T10:00:00.000Z',
    practice: true,
    deployment: schema.parse({
      ...defaults,
      hosts: [
        {name, address, port, user, identityFile, privateAddress, roles: ['base', 'proxy', 'compute', 'storage']},
      ],
      channels: [{...channel, endpoint: privateAddress}],
      network: {...defaults.network, privateSubnet: '10.0.0.0/24'},
      components: {
        ...defaults.components,
        kubernetes: {monitoring: {enabled: false}, logging: {enabled: false}},
      },
    }),
  });
}, 120_000);
afterAll(async () => {
  await connection?.close();
  await practice?.close();
  rmSync(home, {recursive: true, force: true});
  await rm(directory, {recursive: true, force: true});
});

const cluster = async (text: Parameters<typeof onCluster>[0]) =>
  (await runOn(connection, onCluster(text))).stdout.trim();

test('an environment is added and removed by the command', {timeout: 600_000}, async () => {
  const added = await run('add', 'qa', '--module', 'registry', '--yes', '--output', 'jsonl');
  expect(failures(added.events)).toEqual([]);
  expect(added.err).toBe('');
  expect(added.status).toBe(exit.done);
  expect(stepsOf(added.events)).toContain('environment-qa-registry');
  expect(saved().environments.map(({name}) => name)).toEqual(['qa']);
  expect(await cluster(sh`helm list --namespace qa --short | sort | xargs`)).toBe('commons commons-services registry');
  expect(
    (await runOn(connection, sh`grep -c 'qa[.]openg2p[.]test' /etc/nginx/conf.d/groundwork.conf`)).stdout,
  ).not.toBe('0\n');
  expect(readFileSync(join(siteOf().paths.deployment('practice').folder, 'environments/qa.txt'), 'utf8')).toContain(
    'https://registry.qa.openg2p.test',
  );

  const again = await run('add', 'dev', '--yes', '--output', 'jsonl');
  expect(again.status).toBe(exit.done);
  const changed = again.events.flatMap(event => (event.type === 'resource.changed' ? [event.step] : []));
  expect([...new Set(changed)].filter(step => !step.startsWith('environment-dev-')).sort()).toEqual([
    'certificates',
    'nginx',
  ]);

  const removed = await run('remove', 'qa', '--purge', '--confirm', 'qa', '--output', 'jsonl');
  expect(failures(removed.events)).toEqual([]);
  expect(removed.err).toContain('remove registry and its data');
  expect(removed.status).toBe(exit.done);
  expect(saved().environments.map(({name}) => name)).toEqual(['dev']);
  expect(await cluster(sh`kubectl get namespace qa --ignore-not-found --output name`)).toBe('');
  expect((await runOn(connection, sh`cat /etc/nginx/conf.d/groundwork.conf`)).stdout).not.toContain('qa.openg2p.test');
  expect(
    (await runOn(connection, sh`openssl x509 -in /etc/groundwork/tls/server.crt -noout -text`)).stdout,
  ).not.toContain('qa.openg2p.test');
  expect(await cluster(sh`helm list --namespace dev --short | sort | xargs`)).toBe('commons commons-services');
});
