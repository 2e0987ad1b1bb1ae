import {randomBytes} from 'node:crypto';
import {setTimeout as sleep} from 'node:timers/promises';
import {afterAll, beforeAll, expect, test} from 'vitest';
import type {Deployment} from '../../source/deployment/schema.ts';
import {emptyCache, type LookCache} from '../../source/engine/look.ts';
import {planDeployment, verifyDeployment} from '../../source/engine/plan.ts';
import type {LookPorts} from '../../source/engine/ports.ts';
import {runDeployment} from '../../source/engine/run.ts';
import {factsScript, parseFacts} from '../../source/hosts/gather-facts.ts';
import {addressAt, subnetOf} from '../../source/network/address.ts';
import {ok} from '../../source/result.ts';
import {steps} from '../../steps/index.ts';
import {cliConnection, type LabHost, labDown, labUp} from '../support/lab.ts';
import {sampleDeployment} from '../support/step-context.ts';

let machine: LabHost;
let deployment: Deployment;
let trips = 0;
let cache: LookCache = emptyCache;
const vault = new Map<string, string>();

beforeAll(async () => {
  [machine] = (await labUp(1, {prefix: 'trips'})) as [LabHost];
  const subnet = subnetOf(machine.address, 24);
  deployment = sampleDeployment({
    hosts: [
      {
        name: machine.name,
        reach: 'ssh',
        address: machine.address,
        port: 22,
        user: 'ubuntu',
        roles: ['base', 'proxy', 'compute', 'storage'],
        privateAddress: machine.address,
      },
    ],
    network: {
      privateSubnet: subnet,
      adminSources: [`${addressAt(subnet, 1)}/32`],
      pods: '10.42.0.0/16',
      services: '10.43.0.0/16',
    },
  });
});
afterAll(async () => {
  await labDown(machine ? [machine] : []);
});

const ports = (): LookPorts => ({
  deployment,
  steps,
  connect: async () => {
    const connection = cliConnection(machine);
    return ok({
      ...connection,
      run: (script, options) => {
        trips += 1;
        return connection.run(script, options);
      },
    });
  },
  facts: {script: factsScript, parse: parseFacts},
  ensureSecret: async (name, generate) => {
    const value = vault.get(name) ?? (await generate());
    vault.set(name, value);
    return ok(value);
  },
  cache: {
    read: () => cache,
    write: given => {
      cache = JSON.parse(JSON.stringify(given));
    },
  },
  clock: {
    now: () => new Date(),
    sleep: (milliseconds, signal) => sleep(milliseconds, undefined, {...(signal && {signal})}).catch(() => undefined),
  },
  marker: () => `gw${randomBytes(16).toString('hex')}`,
  signal: new AbortController().signal,
});

const install = async () =>
  runDeployment({
    ...ports(),
    run: 'trips',
    resumed: false,
    practice: false,
    preflight: () => [],
    accepted: [],
    handOver: async ({path}) => ok(path),
    events: () => {},
    ask: async () => ({choice: 'stop', by: 'policy'}),
    control: {signal: new AbortController().signal, whenRunning: () => Promise.resolve()},
    redact: text => text,
    parallel: 4,
  });

/** What something cost in round trips. */
const costOf = async (work: () => Promise<unknown>): Promise<number> => {
  const before = trips;
  await work();
  return trips - before;
};

test('the ground of the sandbox is laid on a real host', async () => {
  const result = await install();
  expect(result).toMatchObject({outcome: 'succeeded', failures: []});
  expect(result.changed).toBeGreaterThan(30);
});

test('installing again finds nothing to do, and proves everything, in at most two round trips', async () => {
  const cost = await costOf(async () => expect(await install()).toMatchObject({outcome: 'succeeded', changed: 0}));
  expect(cost).toBeLessThanOrEqual(2);
});

test('a plan costs one round trip, and a proof of everything one more at most', async () => {
  expect(
    await costOf(async () => expect(await planDeployment(ports())).toMatchObject({ok: true, value: {changes: 0}})),
  ).toBe(1);
  expect(
    await costOf(async () =>
      expect(await verifyDeployment(ports(), () => {})).toMatchObject({ok: true, value: {failures: []}}),
    ),
  ).toBeLessThanOrEqual(2);
});

test('a plan on another computer, which remembers nothing, costs the facts and the probes and what needs them', async () => {
  cache = emptyCache;
  expect(await costOf(() => planDeployment(ports()))).toBeLessThanOrEqual(3);
});
