import {describe, expect, test, vi} from 'vitest';
import type {NewEvent, RunEvent} from '../../source/engine/events.ts';
import type {Failure} from '../../source/engine/failure.ts';
import {key, openStage, type Stage, type StageOptions} from '../support/frames.ts';
import {type MadeUp, madeUpServices, type Script} from '../support/services.ts';
import {answered} from '../support/walk.ts';

const {down, enter} = key;

const failing = (more: Partial<NonNullable<Script['failing']>> = {}): Script => ({
  failing: {step: 'wireguard', times: 1, ...more},
});

/** Begins an installation. */
const install = async (script: Script, options: StageOptions = {}): Promise<{stage: Stage; services: MadeUp}> => {
  const services = madeUpServices({saved: [answered()], ...script});
  const stage = openStage(services, {app: {deployment: 'sandbox'}, ...options});
  await stage.waitFor('13 changes');
  await stage.press(`${down.repeat(3)}${enter}`);
  await stage.waitFor('Type "install"');
  await stage.press(`install${enter}${enter}`);
  return {stage, services};
};

const leave = async (stage: Stage): Promise<void> => {
  await stage.press(key.ctrlC);
  await stage.ended;
};

describe('an installation', () => {
  test('does not begin by Enter alone', async () => {
    const services = madeUpServices({saved: [answered()]});
    const stage = openStage(services, {app: {deployment: 'sandbox'}});
    await stage.waitFor('13 changes');
    await stage.press(`${down.repeat(3)}${enter}`);
    await stage.waitFor('Type "install"');
    await stage.press(enter, enter, enter);
    expect(services.asked).toEqual(['plan']);
    await leave(stage);
  });

  test('shows steps by word and time, and the log of the one that runs', async () => {
    const {stage, services} = await install({holdAt: 'firewall'});
    const shown = await stage.waitFor(/running +Firewall/);
    expect(shown).toMatch(/✓ done +Host baseline +sandbox-1 +5 s {2}2 changes/);
    expect(shown).toMatch(/· to do +nginx +sandbox-1/);
    await stage.waitFor('log of Firewall on sandbox-1');
    await stage.waitFor('firewall: line 3 of what it prints');
    services.release();
    await stage.waitFor('is installed');
    await leave(stage);
  });

  test('leaves on the terminal what matters afterwards', async () => {
    const {stage} = await install({});
    await stage.waitFor('is installed');
    await stage.press(key.ctrlC);
    expect(await stage.ended).toMatchObject({code: 0, outcome: 'succeeded'});
    const left = stage.history();
    expect(left).toContain('sandbox is installed: 12 changes');
    expect(left).toContain('peers/laptop.conf  WireGuard configuration of laptop (secret)');
    expect(left).toContain('update-ca-certificates');
    expect(left).not.toContain('Enter choose');
  });

  test('can be held and goes on', async () => {
    const {stage, services} = await install({holdAt: 'firewall'});
    await stage.waitFor(/running +Firewall/);
    await stage.press('p');
    await stage.waitFor('PAUSED');
    services.release();
    await new Promise(resolve => setTimeout(resolve, 250));
    expect(stage.text()).toMatch(/running +Firewall/);
    await stage.press('p');
    await stage.waitFor('is installed');
    await leave(stage);
  });

  test('is stopped after its command, and says that what is done is kept', async () => {
    const {stage, services} = await install({holdAt: 'firewall'});
    await stage.waitFor(/running +Firewall/);
    await stage.press('s');
    await stage.waitFor('Stop the run?');
    await stage.press(`${down}${enter}`);
    await stage.waitFor('Stopping after the running command.');
    services.release();
    await stage.waitFor('Stopped. What is done is kept');
    await leave(stage);
    expect((await stage.ended).code).toBe(5);
  });

  test('is not left without asking; one may leave when it has stopped', async () => {
    const {stage} = await install({holdAt: 'firewall'});
    await stage.waitFor(/running +Firewall/);
    await stage.press(key.ctrlC);
    await stage.waitFor('Stop the run?');
    await stage.press(enter);
    await stage.waitFor(/running/);
    await stage.press(key.ctrlC);
    await stage.waitFor('Stop the run?');
    await stage.press(`${down}${down}${enter}`);
    expect(await stage.ended).toMatchObject({reason: 'left', outcome: 'stopped', code: 5});
    expect(stage.text()).toMatch(/^Stopped\. What is done is kept/);
  });

  test('shows all that is known of a step, and its whole log', async () => {
    const {stage, services} = await install({holdAt: 'firewall'});
    await stage.waitFor(/running +Firewall/);
    await stage.press('p', key.home, enter);
    await stage.waitFor(/Changes +2 of 2 made/);
    expect(stage.text()).toContain('passed: Host baseline does its work');
    await stage.press(key.escape, 'l');
    await stage.waitFor('Log of Host baseline on sandbox-1');
    expect(stage.text()).toContain('logs/sandbox-1.log');
    await stage.press('/', 'line 2', enter);
    await stage.waitFor('2 lines with "line 2"');
    expect(stage.text()).not.toContain('line 3');
    await stage.press(key.escape);
    await stage.waitFor('6 lines');
    await stage.press(key.escape, 'p');
    services.release();
    await stage.waitFor('is installed');
    await leave(stage);
  });

  test('is ended by a signal, and says how to go on', async () => {
    const {stage} = await install({holdAt: 'firewall'});
    await stage.waitFor(/running +Firewall/);
    stage.signal('SIGTERM');
    expect(await stage.ended).toMatchObject({reason: 'signal', code: 143, outcome: 'stopped'});
    expect(stage.history()).toContain('Stopped. What is done is kept');
  });
});

describe('a step that failed', () => {
  test('is told with all that is known, and tried again', async () => {
    const {stage, services} = await install(failing());
    const card = await stage.waitFor('FAILED: WireGuard server on sandbox-1');
    for (const part of [
      'The packages could not be installed.',
      'installing packages wireguard',
      'exit status',
      'E: Unable to locate package wireguard',
      'The list of packages is old',
      'Check the network of the host',
    ]) {
      expect(card).toContain(part);
    }
    expect(card).not.toContain('Skip');
    await stage.press(enter);
    await stage.waitFor('is installed');
    expect(services.asked).toContain('answer retry');
    await leave(stage);
  });

  test('is skipped only where that is safe, and by the word', async () => {
    const {stage, services} = await install(failing({skipCosts: 'The VPN is missing.'}));
    await stage.waitFor('Skip this step');
    await stage.press(`${down.repeat(4)}${enter}`);
    await stage.waitFor('Type "skip"');
    await stage.press(enter, enter);
    expect(services.asked).not.toContain('answer skip');
    await stage.press(`${key.up}skip${enter}${enter}`);
    await stage.waitFor('is installed');
    expect(services.asked).toContain('answer skip');
    await leave(stage);
  });

  test('leads to the answers that one wants to change', async () => {
    const {stage, services} = await install(failing());
    await stage.waitFor('FAILED');
    await stage.press(`${down}${enter}`);
    await stage.waitFor('Domain and TLS');
    await stage.press(`${down}${down}${enter}`);
    await stage.waitFor('Step 4 of 7');
    expect(services.asked).toContain('answer change');
    await leave(stage);
  });

  test('for want of a password asks for one and goes on', async () => {
    const failure: Failure = {kind: 'sudo', message: 'sudo asks for a password.', host: 'sandbox-1'};
    const {stage, services} = await install(failing({failure}));
    await stage.waitFor('sudo asks for a password.');
    await stage.press(`${down}${enter}`);
    await stage.waitFor('Password for sudo');
    await stage.press(`${down}geheim${down.repeat(4)}`, enter);
    await stage.waitFor('is installed');
    expect(services.asked).toContain('secrets sandbox-1 sudoPassword');
    expect(stage.bytes()).not.toContain('geheim');
    await leave(stage);
  });

  test('offers a shell on the host, and shows the card again after it', async () => {
    const spawnInTerminal = vi.fn(async () => 0);
    const {stage} = await install(failing(), {spawnInTerminal});
    await stage.waitFor('Open a shell');
    await stage.press(`${down.repeat(3)}${enter}`);
    await vi.waitFor(() => expect(spawnInTerminal).toHaveBeenCalledWith(['ssh', 'ubuntu@10.0.0.11']));
    await stage.waitFor('FAILED: WireGuard server');
    await stage.press(key.up.repeat(3), enter);
    await stage.waitFor('is installed');
    await leave(stage);
  });

  test('is not answered by an Enter that was under way', async () => {
    const {stage, services} = await install(failing());
    await stage.waitFor('FAILED');
    stage.send(enter);
    await new Promise(resolve => setTimeout(resolve, 100));
    expect(services.asked).not.toContain('answer retry');
    stage.signal('SIGTERM');
    await stage.ended;
  });

  test('and is stopped at leaves what failed and what to do on the terminal', async () => {
    const {stage} = await install(failing({times: 9}));
    await stage.waitFor('FAILED');
    await stage.press(`${down.repeat(4)}${enter}`);
    await stage.waitFor('Stopped.');
    await stage.press(key.ctrlC);
    expect((await stage.ended).code).toBe(5);
    expect(stage.history()).toContain('WireGuard server on sandbox-1: The packages could not be installed.');
    expect(stage.history()).toContain('What to do: Check the network of the host, then try again.');
  });
});

describe('what only time or somebody else can mend', () => {
  /** A run that says what the test lets it say. */
  const scripted = (events: readonly NewEvent[]) => {
    const services = madeUpServices({saved: [answered()]});
    let looks = 0;
    const run: typeof services.run = async (_, ports) => {
      ports.control.onLookAgain?.(() => {
        looks += 1;
      });
      for (const event of events) ports.events({...event, at: '2026-11-21T10:00:00.000Z'} as RunEvent);
      await new Promise<void>(resolve => ports.control.signal.addEventListener('abort', () => resolve()));
      return {outcome: 'stopped', changed: 0, unchanged: 0, failed: 0};
    };
    return {services: {...services, run}, looks: () => looks};
  };
  const planned = {step: 'local-dns', title: 'Local DNS', host: 'sandbox-1', estimate: 9, resources: []};
  const begun: readonly NewEvent[] = [
    {type: 'run.started', run: 'r', deployment: 'sandbox', practice: false, resumed: false},
    {type: 'host.connected', host: 'sandbox-1', address: '10.0.0.11'},
    {type: 'plan', changes: 1, unchanged: 0, steps: [planned]},
    {type: 'step.started', step: 'local-dns', host: 'sandbox-1', attempt: 1},
  ];
  const open = async (services: MadeUp) => {
    const stage = openStage(services, {app: {deployment: 'sandbox'}, start: '2026-11-21T09:59:50.000Z'});
    await stage.waitFor('13 changes');
    await stage.press(`${down.repeat(3)}${enter}`);
    await stage.waitFor('Type "install"');
    await stage.press(`install${enter}${enter}`);
    return stage;
  };

  const waiting: NewEvent = {
    type: 'waiting',
    step: 'local-dns',
    host: 'sandbox-1',
    missing: [
      {
        id: 'record',
        title: 'rancher.openg2p.test leads to 10.0.0.11',
        found: 'the name does not exist (NXDOMAIN)',
        how: 'the host’s own resolver is asked',
        remedy: 'Ask whoever keeps the zone.',
      },
    ],
    inSeconds: 30,
    news: true,
  };

  test('is waited for in sight of everybody, looked at again when one says so, and never called a failure', async () => {
    const {services, looks} = scripted([...begun, waiting]);
    const stage = await open(services);
    const shown = await stage.waitFor('Waiting for you');
    expect(shown).toContain('until    rancher.openg2p.test leads to 10.0.0.11');
    expect(shown).toContain('found    the name does not exist (NXDOMAIN)');
    expect(shown).toContain('to do    Ask whoever keeps the zone.');
    expect(shown).toMatch(/Everything else is done\. Looks again in \d+ s\./);
    expect(shown).not.toMatch(/fail(ed|ure) on/i);
    await stage.press(enter);
    await stage.press('n');
    await vi.waitFor(() => expect(looks()).toBe(2));
    await stage.press(key.escape);
    const steps = await stage.waitFor(/waiting +Local DNS +sandbox-1/);
    expect(steps).toContain('WAITING for you');
    await stage.press('w');
    await stage.waitFor('until    rancher.openg2p.test');
    stage.signal('SIGTERM');
    await stage.ended;
  });

  test('leaves the other steps in sight while they go on', async () => {
    const other = {...planned, step: 'nginx', title: 'nginx'};
    const {services} = scripted([
      begun[0]!,
      begun[1]!,
      {type: 'plan', changes: 2, unchanged: 0, steps: [planned, other]},
      waiting,
      {type: 'step.started', step: 'nginx', host: 'sandbox-1', attempt: 1},
    ]);
    const stage = await open(services);
    const steps = await stage.waitFor(/running +nginx/);
    expect(steps).toMatch(/waiting +Local DNS +sandbox-1/);
    expect(steps).toMatch(/WAITING for you \(w shows it; looks again in \d+ s\): rancher\.openg2p\.test leads/);
    stage.signal('SIGTERM');
    await stage.ended;
  });

  test('is tried again by itself, and the seconds until then are shown', async () => {
    const {services} = scripted([
      ...begun,
      {type: 'retry.scheduled', step: 'local-dns', host: 'sandbox-1', attempt: 2, inSeconds: 30, reason: 'apt is busy'},
    ]);
    const stage = await open(services);
    await stage.waitFor(/Local DNS on sandbox-1: attempt 2 in \d+ s \(apt is busy\)/);
    stage.signal('SIGTERM');
    await stage.ended;
  });
});

test('what is installed can be verified, which changes nothing', async () => {
  const services = madeUpServices({saved: [answered({lastRun: {run: 'r', outcome: 'succeeded', at: '2026-11-01'}})]});
  const stage = openStage(services);
  await stage.waitFor('installed on');
  await stage.press(enter);
  await stage.waitFor('Look again');
  await stage.press(`${down}${enter}`);
  await stage.waitFor('nothing to change');
  expect(services.asked).toEqual(['verify']);
  await leave(stage);
});

test('a fault of the program itself ends it with a word, and loses no answer', async () => {
  const services = madeUpServices({saved: [answered({route: 'domain'})]});
  const broken = {
    ...services,
    problems: (deployment: Parameters<typeof services.problems>[0]) => {
      if (deployment.domain.endsWith('x')) throw new Error('the bug');
      return services.problems(deployment);
    },
  };
  const stage = openStage(broken, {app: {deployment: 'sandbox'}});
  await stage.waitFor('openg2p.test');
  await stage.press('x');
  expect(await stage.ended).toMatchObject({code: 1, reason: 'crash', error: new Error('the bug')});
  expect(stage.history()).toMatch(/Nothing that you answered\s+is lost/);
  expect(stage.history()).toContain('Logs: /home/ops/.local/state/groundwork/sandbox');
  expect(services.stored()[0]?.deployment.domain).toBe('openg2p.testx');
});

describe('a deployment that another program works on', () => {
  const lockedBy =
    'ana on jump-1 works on this deployment: groundwork install, process 4711, since 2026-11-21T09:00:00Z';

  test('is left alone, and one can come back to Review', async () => {
    const {stage, services} = await install({lockedBy});
    await stage.waitFor('ana on jump-1 works on this deployment');
    await stage.press(enter);
    await vi.waitFor(() => expect(services.asked.filter(asked => asked === 'run')).toHaveLength(2));
    await stage.waitFor('Somebody else works on it');
    await stage.press(key.escape);
    await stage.waitFor('13 changes');
    expect(services.asked).not.toContain('run, taking over');
    await leave(stage);
  });

  test('is taken over when its name was typed, and not by Enter alone', async () => {
    const {stage, services} = await install({lockedBy});
    await stage.waitFor('Somebody else works on it');
    await stage.press(`${down}${enter}`);
    await stage.waitFor('Type "sandbox"');
    await stage.press(enter, enter);
    expect(services.asked).not.toContain('run, taking over');
    await stage.press(`${key.up}sandbox${enter}${enter}`);
    await stage.waitFor('is installed');
    expect(services.asked).toContain('run, taking over');
    await leave(stage);
  });
});
