import {PassThrough} from 'node:stream';
import {describe, expect, test, vi} from 'vitest';
import {runApp} from '../../source/app/run-app.tsx';
import {kubernetes, publicAcknowledgement} from '../../source/deployment/schema.ts';
import {key, openStage} from '../support/frames.ts';
import {madeUpServices, sampleBlueprint} from '../support/services.ts';
import {answered} from '../support/walk.ts';

const {down, enter, up} = key;

describe('a topology', () => {
  const tall = {
    ...sampleBlueprint,
    topologies: sampleBlueprint.topologies.map(each => ({
      ...each,
      drawing: Array.from({length: 14}, (_, index) => `drawing ${index}`.padEnd(76, '=')),
    })),
  };
  const open = async (rows: number, columns = 80) => {
    const stage = openStage(
      {...madeUpServices({saved: [answered({route: 'topology'})]}), blueprints: [tall]},
      {app: {deployment: 'sandbox'}, rows, columns},
    );
    await stage.waitFor('Sandbox');
    return stage;
  };

  test('has its drawing on a page of its own where there is no room beside the questions', async () => {
    const stage = await open(24);
    expect(stage.text()).not.toContain('drawing 0');
    await stage.press(up, enter);
    await stage.waitFor('The Sandbox topology');
    expect(stage.text()).toContain('drawing 13');
    await stage.press('x');
    await stage.waitFor('Continue');
    await stage.press(key.ctrlC);
    await stage.ended;
  });

  test('has it beside the questions on a larger terminal', async () => {
    const stage = await open(40);
    await stage.waitFor('drawing 13');
    expect(stage.text()).toContain('Continue');
    await stage.press(key.ctrlC);
    await stage.ended;
  });

  test('says why there is none on a small one', async () => {
    const stage = await open(16, 60);
    await stage.waitFor('it needs a terminal of 80x24');
    await stage.press(key.ctrlC);
    await stage.ended;
  });
});

describe('answers', () => {
  test('are all there when one goes back and forth', async () => {
    const services = madeUpServices({saved: [answered({route: 'domain'})]});
    const stage = openStage(services, {app: {deployment: 'sandbox'}});
    await stage.waitFor('openg2p.test');
    await stage.press('\u0015site.test', `${down.repeat(5)}${enter}`);
    await stage.waitFor(/ Channels/);
    await stage.press(`${down}\u0015vpn.site.org`);
    await stage.press(key.escape);
    await stage.waitFor('site.test');
    await stage.press(`${down.repeat(5)}${enter}`);
    await stage.waitFor('vpn.site.org');
    await stage.press(key.escape, key.escape, key.escape, key.escape);
    await stage.waitFor('New installation');
    await stage.press(key.ctrlC);
    await stage.ended;
    expect(services.stored()[0]?.deployment).toMatchObject({
      domain: 'site.test',
      channels: [{endpoint: 'vpn.site.org'}],
    });
  });

  test('are kept when one leaves, and the next start goes on where it was', async () => {
    const services = madeUpServices();
    const first = openStage(services);
    await first.waitFor('New installation');
    await first.press(enter);
    await first.waitFor('Step 1 of 7');
    await first.press(enter);
    await first.waitFor('Step 2 of 7');
    await first.press(key.ctrlC);
    expect(await first.ended).toMatchObject({code: 0, reason: 'left', deployment: 'sandbox'});
    expect(first.history()).toContain('sandbox is saved. groundwork goes on from Hosts.');

    const second = openStage(services);
    await second.waitFor('answers up to Hosts');
    await second.press(enter);
    await second.waitFor('Go on with the answers   from Hosts');
    await second.press(enter);
    await second.waitFor('Step 2 of 7');
    await second.press(key.ctrlC);
    await second.ended;
  });

  test('survive the terminal: a closed window, a signal', async () => {
    for (const end of ['hangUp', 'signal'] as const) {
      const services = madeUpServices({saved: [answered({route: 'domain'})]});
      const stage = openStage(services, {app: {deployment: 'sandbox'}});
      await stage.waitFor('openg2p.test');
      await stage.press('x');
      await vi.waitFor(() => expect(services.stored()[0]?.deployment.domain).toBe('openg2p.testx'));
      if (end === 'signal') stage.signal('SIGTERM');
      else stage.hangUp();
      expect(await stage.ended).toMatchObject({reason: 'signal', code: end === 'signal' ? 143 : 129});
    }
  });

  test('are written to a file', async () => {
    const services = madeUpServices({saved: [answered()]});
    const stage = openStage(services, {app: {deployment: 'sandbox'}});
    await stage.waitFor('13 changes');
    await stage.press(`${down}${down}${enter}`);
    await stage.waitFor('Write it');
    await stage.press(`\u0015/nowhere/x${enter}`, enter);
    await stage.waitFor('/nowhere/x cannot be written');
    await stage.press(`${down}${down}${enter}`);
    await stage.waitFor('Write it');
    await stage.press(enter, enter);
    await stage.waitFor('Written to sandbox.yaml');
    expect(services.asked).toContain('export sandbox.yaml');
    await stage.press(key.ctrlC);
    await stage.ended;
  });
});

describe('channels', () => {
  const channels = async () => {
    const services = madeUpServices({saved: [answered({route: 'channels'})]});
    const stage = openStage(services, {app: {deployment: 'sandbox'}, rows: 40});
    await stage.waitFor('SSH allowed from');
    return {services, stage, now: () => services.stored()[0]?.deployment};
  };

  test('overlaps are told while one types', async () => {
    const {stage} = await channels();
    await stage.press(`${down.repeat(3)}\u001510.0.0.0/16`);
    await stage.waitFor('10.0.0.0/16 overlaps the private subnet');
    await stage.press(key.ctrlC);
    await stage.ended;
  });

  test('devices are named, and those that stay keep their address', async () => {
    const saved = answered({route: 'channels'});
    const deployment = {
      ...saved.deployment,
      channels: saved.deployment.channels.map(channel => ({
        ...channel,
        peers: [{name: 'laptop', address: '10.15.0.2'}],
      })),
    };
    const services = madeUpServices({saved: [{...saved, deployment}]});
    const stage = openStage(services, {app: {deployment: 'sandbox'}, rows: 40});
    await stage.waitFor('SSH allowed from');
    await stage.press(`${down.repeat(4)}, phone`);
    await vi.waitFor(() =>
      expect(services.stored()[0]?.deployment.channels[0]).toMatchObject({
        peers: [{name: 'laptop', address: '10.15.0.2'}, {name: 'phone'}],
      }),
    );
    await stage.press(key.ctrlC);
    await stage.ended;
  });

  test('a second VPN gets a subnet, a port and a name of its own, and can be taken away', async () => {
    const {stage, now} = await channels();
    await stage.press(`${down.repeat(6)}${enter}`);
    await stage.waitFor('VPN "staff"');
    await vi.waitFor(() =>
      expect(now()?.channels[1]).toMatchObject({name: 'staff', subnet: '10.16.0.0/16', port: 51821}),
    );
    await stage.waitFor('Remove the VPN "staff"');
    await stage.press(`${up}${enter}`);
    await stage.waitFor(/VPN "admin"(?![\s\S]*VPN "staff")/);
    await vi.waitFor(() => expect(now()?.channels).toHaveLength(1));
    await stage.press(key.ctrlC);
    await stage.ended;
  });

  test('public access takes more than a choice: the sentence, letter by letter', async () => {
    const {stage, now} = await channels();
    await stage.press(down.repeat(9), key.right);
    await stage.waitFor('Type this sentence');
    await stage.press(`${down}anyone`);
    await stage.waitFor('type it letter by letter');
    await stage.press(`\u0015${publicAcknowledgement}`);
    await stage.waitFor('Understood');
    await vi.waitFor(() =>
      expect(now()?.channels[1]).toEqual({name: 'public', kind: 'public', acknowledgement: publicAcknowledgement}),
    );
    await stage.press(`${up}${key.right}`);
    await vi.waitFor(() => expect(now()?.channels).toHaveLength(1));
    await stage.press(key.ctrlC);
    await stage.ended;
  });
});

describe('the name of a deployment', () => {
  test('is another one when it is changed before the first run', async () => {
    const services = madeUpServices({saved: [answered()]});
    const stage = openStage(services, {app: {deployment: 'sandbox'}});
    await stage.waitFor('13 changes');
    await stage.press(`${up}\u0015site-1${enter}`);
    await stage.waitFor('Groundwork · site-1');
    expect(services.stored().map(saved => saved.deployment.name)).toEqual(['site-1']);
    await stage.press(key.ctrlC);
    await stage.ended;
  });

  test('cannot be one that is taken, nor no name', async () => {
    const other = answered();
    const services = madeUpServices({
      saved: [answered(), {...other, deployment: {...other.deployment, name: 'other'}}],
    });
    const stage = openStage(services, {app: {deployment: 'sandbox'}});
    await stage.waitFor('13 changes');
    await stage.press(`${up}\u0015other`);
    await stage.waitFor('there is a deployment "other" already');
    await stage.press('\u0015No Good');
    await stage.waitFor('lower-case letters');
    await stage.press(key.ctrlC);
    await stage.ended;
    expect(new Set(services.stored().map(saved => saved.deployment.name))).toEqual(new Set(['other', 'sandbox']));
  });
});

describe('Home', () => {
  test('deletes a deployment only when its name was typed', async () => {
    const services = madeUpServices({saved: [answered()]});
    const stage = openStage(services);
    await stage.waitFor('New installation');
    await stage.press(enter);
    await stage.waitFor('Change answers');
    await stage.press(`${down}${down}${enter}`);
    await stage.waitFor('Type "sandbox"');
    await stage.press(enter, enter);
    expect(services.asked).not.toContain('remove sandbox');
    await stage.press(`${up}sandbox${enter}${enter}`);
    await stage.waitFor(/Home\n/);
    expect(services.asked).toContain('remove sandbox');
    expect(services.stored()).toEqual([]);
    await stage.press(key.ctrlC);
    await stage.ended;
  });

  test.each([
    ['succeeded', 'installed on 2026-11-20', 'Look again'],
    ['interrupted', 'was interrupted on 2026-11-20', 'Go on with the installation'],
    ['failed', 'failed at nginx on 2026-11-20', 'Go on with the installation'],
  ] as const)('offers what fits a run that %s', async (outcome, told, first) => {
    const lastRun = {run: 'r', outcome, at: '2026-11-20T10:00:00Z', ...(outcome === 'failed' && {failedStep: 'nginx'})};
    const stage = openStage(madeUpServices({saved: [answered({lastRun})]}));
    await stage.waitFor(told);
    await stage.press(enter);
    await stage.waitFor(`▸ ${first}`);
    await stage.press(key.ctrlC);
    await stage.ended;
  });

  test('leads to the addresses of what is installed', async () => {
    const lastRun = {run: 'r', outcome: 'succeeded', at: '2026-11-20T10:00:00Z'} as const;
    const saved = answered({lastRun});
    const components = {...saved.deployment.components, kubernetes: kubernetes.parse({})};
    const stage = openStage(
      madeUpServices({
        saved: [{...saved, deployment: {...saved.deployment, components}}],
        lastRun: [
          {type: 'run.started', at: lastRun.at, run: 'r', deployment: 'sandbox', practice: false, resumed: false},
          {type: 'run.finished', at: lastRun.at, outcome: 'succeeded', changed: 9, unchanged: 1, failed: 0},
        ],
      }),
    );
    await stage.waitFor('installed on');
    await stage.press(enter);
    await stage.waitFor('How to get in');
    await stage.press(`${down}${down}${enter}`);
    await stage.waitFor('Addresses and first login');
    await stage.waitFor('https://rancher.openg2p.test');
    await stage.press(key.ctrlC);
    await stage.ended;
  });

  test('shows practice only when practising, and the other way round', async () => {
    const stage = openStage(madeUpServices({saved: [answered()], practice: true}));
    await stage.waitFor('New installation');
    expect(stage.text()).not.toContain('sandbox  ');
    await stage.press(key.ctrlC);
    await stage.ended;
  });

  test('tells what must be told, such as damaged settings', async () => {
    const stage = openStage(madeUpServices({notices: ['The settings were damaged; a copy is at /home/ops/x.']}));
    await stage.waitFor('! The settings were damaged');
    await stage.press(key.escape);
    expect((await stage.ended).reason).toBe('left');
  });
});

test('without a terminal it says what to do instead', async () => {
  const stdout = Object.assign(new PassThrough(), {isTTY: false});
  const ended = await runApp({services: madeUpServices(), stdin: new PassThrough(), stdout});
  expect(ended).toEqual({code: 2, reason: 'no-terminal'});
  expect(String(stdout.read())).toContain('groundwork install --deployment FILE --yes');
});
