import {createHash} from 'node:crypto';
import {setTimeout as sleep} from 'node:timers/promises';
import {afterAll, beforeAll, describe, expect, test} from 'vitest';
import {openg2p} from '../../source/blueprints/openg2p.ts';
import type {RunEvent} from '../../source/engine/events.ts';
import {
  buildProgram,
  groundwork,
  killedAt,
  type Operator,
  operatorOf,
  type Point,
  type Ran,
  small,
  startGroundwork,
  vaultOf,
  why,
} from '../support/groundwork.ts';
import {type LabHost, lab, labDown, labExec, labUp} from '../support/lab.ts';

/** Those of a deployment without a cluster, like the one here. */
const groundSteps = openg2p.steps.filter(({enabled}) => enabled?.(openg2p.defaults('lab', 'sandbox')) ?? true);

let hosts: LabHost[] = [];
let operators: Operator[] = [];

beforeAll(async () => {
  await buildProgram();
  hosts = await labUp(3, {prefix: 'interrupted'});
  operators = hosts.map(host => operatorOf(host));
});

afterAll(async () => {
  await labDown(hosts);
  for (const operator of operators) operator.remove();
});

const first = ({file}: Operator) => ['install', '--yes', '--output', 'jsonl', '-d', file, ...small];
const again = ['resume', '--yes', '--output', 'jsonl'];

const on = async (host: LabHost, script: string) => (await labExec(host, script)).stdout.trim();
const hash = (text: string) => createHash('sha256').update(text).digest('hex');

/** All that must stay once it is there, as hashes by name; what is not there yet is left out. */
const identitiesOf = async (operator: Operator): Promise<Readonly<Record<string, string>>> => {
  const made = await on(
    operator.host,
    'for file in /etc/wireguard/keys/* /etc/groundwork/tls/*.crt /etc/groundwork/tls/*.key; do [ ! -s "$file" ] || sha256sum "$file"; done',
  );
  return Object.fromEntries([
    ...Object.entries(vaultOf(operator)).map(([name, value]) => [`vault: ${name}`, hash(value)] as const),
    ...made
      .split('\n')
      .filter(line => line !== '')
      .map(line => line.split(/ +/).reverse() as [string, string]),
  ]);
};

/** What a finished installation looks like from both sides, whatever happened on the way to it. */
const expectFinished = async (operator: Operator): Promise<void> => {
  const planned = await groundwork(operator, ['plan', '--output', 'jsonl', '--exit-code']);
  expect(planned.code, planned.output).toBe(0);
  expect(planned.events.at(-1)).toMatchObject({type: 'plan', changes: 0});
  const verified = await groundwork(operator, ['verify', '--output', 'plain']);
  expect(verified.code, verified.output).toBe(0);
  const {host} = operator;
  expect(await on(host, 'ls -A /run/groundwork/jobs')).toBe('');
  expect(
    await on(host, 'systemctl list-units --all --plain --no-legend "groundwork-*" | cut -d " " -f 1'),
    'units of ours',
  ).toBe('groundwork-vpn-nat.service');
  expect(await on(host, 'systemctl --failed --plain --no-legend "groundwork-*" "wg-quick@*" nginx dnsmasq')).toBe('');
  expect(await on(host, 'dpkg --audit; ls /usr/sbin/policy-rc.d 2>/dev/null')).toBe('');
  // Watchers of scripts end with their connection; those of a connection that was cut, when they notice its silence.
  const ours = 'pgrep -fa "gw_length|/run/groundwork"';
  for (let tries = 0; tries < 60 && (await on(host, ours)) !== ''; tries += 1) await sleep(1000);
  expect(await on(host, ours), 'processes of ours').toBe('');
  expect(await on(host, 'find / -xdev -name ".groundwork-*"')).toBe('');
};

const packageInstalledTwice = 'awk \'$3 == "install" {print $4}\' /var/log/dpkg.log | sort | uniq -d';

const at = (type: RunEvent['type'], step?: string): Point => ({
  ...(step !== undefined && {step}),
  matches: event => event.type === type && (step === undefined || ('step' in event && event.step === step)),
});
const begins = (step: string, resource: RegExp, later = 0): Point => ({
  step,
  later,
  matches: event => event.type === 'resource.started' && event.step === step && resource.test(event.resource),
});
const ends = (step: string, resource: RegExp): Point => ({
  step,
  matches: event => event.type === 'resource.changed' && event.step === step && resource.test(event.resource),
});
/** In the middle of a job on the host. */
const prints = (step: string, line = /^(Unpacking|Setting up)/): Point => ({
  step,
  matches: event => event.type === 'log' && event.step === step && line.test(event.line),
});

/** More than the twenty that are wanted: a job that goes on without its installer may be past a point by the next start. */
const points: readonly Point[] = [
  at('run.started'),
  at('plan'),
  begins('host-baseline', /^file .var.lib.groundwork/),
  begins('host-baseline', /^packages/, 500),
  prints('host-baseline'),
  begins('host-baseline', /^file .etc.apt/, 100),
  begins('host-baseline', /^block hosts/),
  begins('firewall', /^packages/, 300),
  prints('firewall'),
  begins('firewall', /^firewall/),
  begins('firewall', /^firewall/, 1500),
  at('verified', 'firewall'),
  prints('wireguard'),
  begins('wireguard', /^wireguard key/),
  begins('wireguard', /^wireguard key/, 200),
  begins('wireguard', /^file .etc.wireguard.wg0/),
  begins('wireguard', /^service wg-quick/, 300),
  at('handover', 'wireguard'),
  prints('local-dns'),
  begins('local-dns', /^service/, 100),
  begins('local-dns', /^block resolver/, 50),
  begins('certificates', /^trust/, 200),
  begins('certificates', /^certificate/),
  ends('certificates', /^certificate/),
  prints('nginx'),
  begins('nginx', /^file .etc.nginx/, 100),
  begins('nginx', /^service/, 200),
  prints('nfs-server'),
  begins('nfs-server', /^service/, 100),
  at('step.finished', 'nfs-server'),
];

describe.concurrent('an installation comes to the same end', () => {
  test('when its installer is killed at twenty points and started again each time', async () => {
    const [operator] = operators as [Operator];
    const open = new Set(points);
    const killed: Point[] = [];
    const told: RunEvent[] = [];
    let known: Readonly<Record<string, string>> = {};
    let ran: Ran;
    for (;;) {
      const life = await killedAt(operator, killed.length === 0 ? first(operator) : again, [...open]);
      ran = life.ran;
      told.push(...ran.events);
      const now = await identitiesOf(operator);
      expect(now, 'what was there before').toMatchObject(known);
      known = now;
      if (!life.met) break;
      open.delete(life.met);
      killed.push(life.met);
    }
    expect(ran.code, why(ran)).toBe(0);
    expect(ran.events.at(-1)).toMatchObject({type: 'run.finished', outcome: 'succeeded', failed: 0});
    expect(killed.length).toBeGreaterThanOrEqual(20);
    expect(new Set(killed.flatMap(({step}) => step ?? []))).toEqual(new Set(groundSteps.map(({id}) => id)));
    const changed = told.flatMap(event =>
      event.type === 'resource.changed' ? [`${event.step} ${event.resource}`] : [],
    );
    expect(
      changed.filter((each, index) => changed.indexOf(each) !== index),
      'changed twice',
    ).toEqual([]);
    expect(await on(operator.host, packageInstalledTwice)).toBe('');
    expect(Object.keys(known).length).toBeGreaterThanOrEqual(5);
    await expectFinished(operator);
    expect(await identitiesOf(operator)).toEqual(known);
  });

  test('when the network is cut for longer than a connection lives, while packages are being installed', async () => {
    const [, operator] = operators as [Operator, Operator];
    const cut = prints('host-baseline');
    let state: 'whole' | 'cut' | 'healed' = 'whole';
    let netem: Promise<unknown> = Promise.resolve();
    const ran = await groundwork(operator, first(operator), {
      onEvent: event => {
        if (state === 'whole' && cut.matches(event)) {
          state = 'cut';
          netem = lab(['netem', operator.host.name, '--loss', '100']);
        } else if (state === 'cut' && event.type === 'log' && event.line.includes('trying to reach it again')) {
          state = 'healed';
          netem = netem.then(() => lab(['netem', operator.host.name]));
        }
      },
    });
    await netem;
    expect(state).toBe('healed');
    expect(ran.code, why(ran)).toBe(0);
    expect(ran.events.filter(({type}) => type === 'host.connected')).toHaveLength(2);
    expect(await on(operator.host, packageInstalledTwice)).toBe('');
    await expectFinished(operator);
  });

  test('when the host loses its power in the middle of a step, alone or together with the installer', async () => {
    const [, , operator] = operators as [Operator, Operator, Operator];
    const {name} = operator.host;
    const powerCut = async () => {
      await lab(['kill', name]);
      await lab(['restart', name]);
    };
    const alone = prints('host-baseline', /^Unpacking/);
    const together = prints('nginx');
    let restarted: Promise<void> | undefined;
    const running = startGroundwork(operator, first(operator), {
      onEvent: event => {
        if (!restarted && alone.matches(event)) restarted = powerCut();
        if (together.matches(event)) running.kill();
      },
    });
    const killed = await running.ended;
    expect(restarted, why(killed)).toBeDefined();
    await restarted;
    expect(killed.code, why(killed)).toBeUndefined();
    await powerCut();
    const known = await identitiesOf(operator);
    const ran = await groundwork(operator, again);
    expect(ran.code, why(ran)).toBe(0);
    expect(await identitiesOf(operator)).toMatchObject(known);
    await expectFinished(operator);
  });
});
