import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {openg2p} from '../../source/blueprints/openg2p.ts';
import {type Command, parseInvocation} from '../../source/commands/command.ts';
import {exit} from '../../source/commands/exit.ts';
import {install} from '../../source/commands/install.ts';
import {openSite} from '../../source/commands/site.ts';
import {uninstallCommand} from '../../source/commands/uninstall.ts';
import {pathsFor} from '../../source/deployment/paths.ts';
import {deployment as schema} from '../../source/deployment/schema.ts';
import type {PlannedStep, RunEvent} from '../../source/engine/events.ts';
import type {Connection} from '../../source/hosts/connection.ts';
import type {PracticeHosts} from '../../source/practice/practice-hosts.ts';
import {removalList} from '../../source/reporters/removal.ts';
import {sh} from '../../source/shell/script.ts';
import {anEnvironment} from '../support/deployments.ts';
import {connectTo, practiceFolder, run as runOn, startedPractice} from '../support/practice.ts';
import {projectRoot} from '../support/terminal.ts';
import {madeUpWorld} from '../support/world.ts';

/** Install, take away, install again on a practice host, by the commands that an operator has. */
let directory: string;
let home: string;
let practice: PracticeHosts;
let connection: Connection;

const siteOf = () => {
  const site = openSite(madeUpWorld(home, {root: projectRoot}).world);
  if (!site.ok) throw new Error(site.error.message);
  return site.value;
};

const run = async (command: Command, ...args: readonly string[]) => {
  const {world, out, err} = madeUpWorld(home, {root: projectRoot});
  const invocation = parseInvocation(command, [...args, '--output', 'jsonl']);
  if (!invocation.ok) throw new Error(invocation.error);
  const status = await command.run(invocation.value, world);
  const events = out()
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line) as RunEvent);
  return {status, events, err: err()};
};

/** Whatever did not go as it should, in words. */
const failures = (events: readonly RunEvent[]): readonly string[] =>
  events.flatMap(event => {
    if (event.type === 'problem') return [event.failure.message];
    if (event.type !== 'step.finished' || !['failed', 'blocked', 'stopped'].includes(event.state)) return [];
    const {message = '', tail = []} = event.failure ?? {};
    return [[`${event.step} ${event.state}: ${message}`, ...tail].join('\n')];
  });

/** What the command lists, host by host. */
const listed = async (...args: readonly string[]) => {
  const {status, events, err} = await run(uninstallCommand, ...args, '--dry-run');
  expect(err).not.toContain('groundwork:');
  expect(status).toBe(exit.done);
  const planned = events.find(event => event.type === 'plan');
  return removalList((planned?.steps ?? []) as readonly PlannedStep[])[0];
};

const laid = async () => {
  const installed = await run(install, '--yes');
  expect(failures(installed.events)).toEqual([]);
  expect(installed.status).toBe(exit.done);
};

/** Every file that a host has of its own, with its content, owner and mode, but what the machine writes by itself. */
const filesNow = async (): Promise<ReadonlyMap<string, string>> => {
  const {stdout} = await runOn(
    connection,
    sh`cd / && find etc usr/local/bin usr/local/share usr/local/lib/systemd var/lib/groundwork var/lib/rancher var/www srv opt -xdev \( -type f -o -type l -o -type d \) 2>/dev/null |
  grep -vE '^(etc/(ssh/ssh_host|machine-id|mtab)|usr/local/lib/practice)' | sort | while IFS= read -r path; do
  if [ -L "$path" ]; then printf '%s -> %s\n' "$path" "$(readlink "$path")"
  elif [ -d "$path" ]; then printf '%s/ %s\n' "$path" "$(stat -c '%a %U' "$path")"
  else printf '%s %s %s\n' "$path" "$(stat -c '%a %U' "$path")" "$(sha256sum <"$path" | cut -c 1-16)"
  fi
done`,
  );
  return new Map(
    stdout
      .split('\n')
      .filter(line => line !== '')
      .map(line => [line.split(/[ /] |\/ /)[0] ?? '', line]),
  );
};

/** Lines that are there now and were not before, and those that are gone. */
const difference = (before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>) => [
  ...[...after.values()].filter(line => ![...before.values()].includes(line)).map(line => `+ ${line}`),
  ...[...before.values()].filter(line => ![...after.values()].includes(line)).map(line => `- ${line}`),
];

let bare: ReadonlyMap<string, string>;

beforeAll(async () => {
  directory = await practiceFolder();
  home = mkdtempSync(join(tmpdir(), 'groundwork-uninstall-'));
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
        kubernetes: {rancher: {enabled: false}, monitoring: {enabled: false}, logging: {enabled: false}},
      },
      environments: [anEnvironment({name: 'qa', modules: []})],
    }),
  });
  bare = await filesNow();
}, 120_000);
afterAll(async () => {
  await connection?.close();
  await practice?.close();
  rmSync(home, {recursive: true, force: true});
  await rm(directory, {recursive: true, force: true});
});

/** What a distribution's packages have brought stays, and so does data. */
const expectedToStay =
  /^etc\/(chrony|dnsmasq|nginx|wireguard|exports|nfs|ufw|ssl\/certs|default|apt|systemd\/system\/.*(wants|nfs-kernel-server))|^(srv|var\/lib\/groundwork)/;

/** What lies below these is nobody's: folders that are empty again. */
const emptied =
  /^[+-] (etc\/(modules-load|profile)\.d|usr\/local\/lib\/systemd(\/system)?|usr\/local\/share\/ca-certificates)\/ /;

test('nothing is there to be taken away from a bare host', {timeout: 120_000}, async () => {
  expect(await listed('hosts')).toMatchObject({goes: [], loses: []});
});

test('the platform goes, its data stays, and it comes again', {timeout: 600_000}, async () => {
  await laid();
  await runOn(connection, sh`mkdir -p /srv/nfs/practice/qa-data && echo precious >/srv/nfs/practice/qa-data/rows`);
  const list = await listed('platform');
  expect(list?.goes.map(({title}) => title)).toEqual(['qa: namespace', 'RKE2 (Kubernetes)', 'Tools for Kubernetes']);
  expect(list?.loses[0]?.detail).toContain('release commons in qa (openg2p-commons-base-2.3.3)');
  expect(list?.stays.map(({what}) => what)).toContain('volumes of the cluster in /srv/nfs/practice');

  expect((await run(uninstallCommand, 'platform', '--yes')).status).toBe(exit.stopped);
  expect((await run(uninstallCommand, 'platform', '--yes', '--confirm', 'sandbox')).status).toBe(exit.stopped);
  const gone = await run(uninstallCommand, 'platform', '--confirm', 'practice');
  expect(failures(gone.events)).toEqual([]);
  expect(gone.status).toBe(exit.done);
  expect(siteOf().store.get('practice')?.lastRun).toMatchObject({outcome: 'succeeded', removes: 'the platform'});
  expect(
    (await runOn(connection, sh`ls -d /var/lib/rancher /etc/rancher /usr/local/bin/rke2 2>/dev/null | wc -l`)).stdout,
  ).toBe('0\n');
  expect((await runOn(connection, sh`cat /srv/nfs/practice/qa-data/rows`)).stdout).toBe('precious\n');
  expect(await listed('platform')).toMatchObject({goes: [], loses: []});
  await laid();
});

test('the hosts are as they were before, data and packages aside', {timeout: 600_000}, async () => {
  const gone = await run(uninstallCommand, 'hosts', '--confirm', 'practice');
  expect(failures(gone.events)).toEqual([]);
  expect(gone.status).toBe(exit.done);
  const left = difference(bare, await filesNow()).filter(
    line => !emptied.test(line) && !expectedToStay.test(line.slice(2)),
  );
  expect(left).toEqual([]);
  expect(
    (await runOn(connection, sh`find /etc /usr/local -iname '*groundwork*' ! -name groundwork-practice`)).stdout,
  ).toBe('');
  expect((await runOn(connection, sh`LC_ALL=C ufw status`)).stdout).toBe('Status: inactive\n');
  expect((await runOn(connection, sh`cat /srv/nfs/practice/qa-data/rows`)).stdout).toBe('precious\n');
  expect(await listed('hosts')).toMatchObject({goes: [], loses: []});
});

test('data goes when that is said, and then nothing of it is left', {timeout: 300_000}, async () => {
  const list = await listed('hosts', '--purge');
  expect(list?.loses.map(({summary}) => summary.replace(/ \(.*/, ''))).toEqual(
    expect.arrayContaining([
      'erase the passwords of qa in /var/lib/groundwork/environments/qa-secrets.json',
      'erase volumes of the cluster in /srv/nfs/practice',
    ]),
  );
  const gone = await run(uninstallCommand, 'hosts', '--purge', '--confirm', 'practice');
  expect(failures(gone.events)).toEqual([]);
  expect((await runOn(connection, sh`ls -d /srv/nfs /var/lib/groundwork 2>/dev/null | wc -l`)).stdout).toBe('0\n');
});
