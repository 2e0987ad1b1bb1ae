import {describe, expect, test} from 'vitest';
import type {HostReport, Services} from '../../source/app/services.ts';
import {openg2p} from '../../source/blueprints/openg2p.ts';
import type {Deployment} from '../../source/deployment/schema.ts';
import {sampleFacts} from '../support/facts.ts';
import {key, openStage, type Stage} from '../support/frames.ts';
import {type MadeUp, madeUpServices} from '../support/services.ts';
import {answered} from '../support/walk.ts';

const {down, up, enter} = key;
const GiB = 1024 ** 3;

/** Sizes of the machines that answer at 10.0.0.11 and on: not in the order of the topology. */
const sizes = [
  {cpus: 16, memoryGb: 64, diskGb: 128, volumeGb: 0},
  {cpus: 4, memoryGb: 8, diskGb: 64, volumeGb: 1000},
  {cpus: 8, memoryGb: 32, diskGb: 64, volumeGb: 0},
  {cpus: 2, memoryGb: 4, diskGb: 64, volumeGb: 0},
];

const reportOf = ({name, address}: Deployment['hosts'][number]): HostReport => {
  const last = Number(address.split('.').at(-1));
  const size = sizes[last - 11] ?? sizes[0]!;
  return {
    host: name,
    state: 'ready',
    checks: [],
    facts: sampleFacts({
      hostname: name,
      cpus: size.cpus,
      memoryBytes: size.memoryGb * 0.98 * GiB,
      disks: [
        {name: 'vda', bytes: size.diskGb * 1e9, rotational: false},
        ...(size.volumeGb > 0 ? [{name: 'vdb', bytes: size.volumeGb * 1e9, rotational: true}] : []),
      ],
      mounts: [
        {path: '/', type: 'ext4', bytes: size.diskGb * 0.97e9, freeBytes: 5e10, freeInodes: 1e6, disks: ['vda']},
      ],
      interfaces: [{name: 'ens5', mac: '', mtu: 1500, up: true, addresses: [`10.0.0.${last}/24`]}],
    }),
  };
};

const found = sizes.map((_, index) => ({
  name: `host-10-0-0-${11 + index}`,
  address: `10.0.0.${11 + index}`,
  port: 22,
  source: 'range 10.0.0.11-14',
}));

/** The Hosts screen of the smallest production, with nothing in it yet. */
const hostsScreen = async (rows = 24): Promise<{stage: Stage; services: MadeUp}> => {
  const saved = answered({route: 'hosts'});
  const deployment = {...openg2p.defaults('prod', 'production-minimum'), name: 'sandbox'};
  const madeUp = madeUpServices({
    saved: [{...saved, deployment}],
    hostKey: {status: 'known'},
    inspection: ({hosts}) => hosts.map(reportOf),
  });
  const services: MadeUp & Services = {
    ...madeUp,
    blueprints: [openg2p],
    discover: async sources => ({ok: true, value: sources.includes('10.0.0.11-14') ? found : []}),
  };
  const stage = openStage(services, {app: {deployment: 'sandbox'}, rows});
  await stage.waitFor('4 hosts still to add');
  return {stage, services};
};

const leave = async (stage: Stage): Promise<void> => {
  await stage.press(key.ctrlC);
  await stage.ended;
};

/** Finds all four at once and looks at them. */
const lookedAt = async (rows = 24) => {
  const {stage, services} = await hostsScreen(rows);
  await stage.press(enter);
  await stage.waitFor('Known already');
  await stage.press(`10.0.0.11-14${enter}${enter}`);
  await stage.waitFor('Found: 4 hosts');
  await stage.press(enter);
  await stage.waitFor(/host-10-0-0-14 .*not looked at yet/);
  await stage.press(enter);
  await stage.waitFor(/proxy-1 .*ready/);
  return {stage, services};
};

const hosts = (services: MadeUp) =>
  services.stored()[0]?.deployment.hosts.map(({name, address, roles}) => `${name} ${address} ${roles[1]}`);

describe('four hosts', () => {
  test('are added in one go, and get roles and names by what they are', async () => {
    const {stage, services} = await lookedAt();
    expect(hosts(services)).toEqual([
      'compute-1 10.0.0.11 compute',
      'backup-1 10.0.0.12 backup',
      'storage-1 10.0.0.13 storage',
      'proxy-1 10.0.0.14 proxy',
    ]);
    expect(services.asked).toContain('try connections');
    const shown = stage.text();
    expect(shown).toMatch(/compute-1 +compute +ubuntu@10\.0\.0\.11 +ready/);
    expect(shown).toMatch(/proxy-1 +reverse proxy +ubuntu@10\.0\.0\.14 +ready/);
    await stage.press(up.repeat(12));
    await stage.waitFor(/Suggested as compute, because it has\s+the most memory \(62\.7 GiB\)/);
    await stage.press(down);
    await stage.waitFor(/second\s+volume of 1\.0 TB \(vdb\)/);
    await leave(stage);
  });

  test('change roles with a key, and what is then double or missing is said', async () => {
    const {stage, services} = await lookedAt();
    await stage.press(up.repeat(12), 'r');
    await stage.waitFor('2 hosts are storage, none is compute');
    expect(hosts(services)?.[0]).toBe('storage-2 10.0.0.11 storage');
    await stage.waitFor('Its facts speak for compute');
    await stage.press('s');
    await stage.waitFor('Suggested as compute');
    expect(hosts(services)?.[0]).toBe('compute-1 10.0.0.11 compute');
    await leave(stage);
  });

  test('that the operator has decided about keep their roles when they are looked at again', async () => {
    const {stage, services} = await lookedAt();
    await stage.press(up.repeat(12), 'r', down, down, 'r', 'r', 'r');
    await stage.waitFor(/compute-1 +compute +ubuntu@10\.0\.0\.13/);
    const chosen = ['storage-2 10.0.0.11 storage', 'backup-1 10.0.0.12 backup', 'compute-1 10.0.0.13 compute'];
    expect(hosts(services)?.slice(0, 3)).toEqual(chosen);
    await stage.press(down.repeat(5), enter);
    await stage.waitFor(/10\.0\.0\.13 +ready/);
    expect(hosts(services)?.slice(0, 3)).toEqual(chosen);
    await leave(stage);
  });

  test('are reached through the proxy by one choice, and directly again', async () => {
    const {stage, services} = await lookedAt();
    const jumps = () => services.stored()[0]?.deployment.hosts.map(({jump}) => jump?.address ?? 'none');
    await stage.press(up.repeat(3), key.right);
    await stage.waitFor('through proxy-1');
    expect(jumps()).toEqual(['10.0.0.14', '10.0.0.14', '10.0.0.14', 'none']);
    await stage.press(key.right);
    await stage.waitFor('directly');
    expect(jumps()).toEqual(['none', 'none', 'none', 'none']);
    await leave(stage);
  });

  test('are shown with what they have and should have', async () => {
    const {stage} = await lookedAt();
    await stage.press(up, enter);
    const shown = await stage.waitFor('Sizes of the machines');
    expect(shown).toMatch(/compute-1 +compute +16\/16 +63\/64 +124\/128/);
    expect(shown).toMatch(/storage-1 +storage +8\/8 +31\/32 +! 62\/256/);
    expect(shown).toMatch(/backup-1 +backup +4\/4 +8\/8 +62\/64 +1000\/1000/);
    await leave(stage);
  });
});
