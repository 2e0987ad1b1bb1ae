import {describe, expect, test, vi} from 'vitest';
import {kubernetes} from '../../source/deployment/schema.ts';
import {key, openStage, type Stage} from '../support/frames.ts';
import {type MadeUp, madeUpServices} from '../support/services.ts';
import {answered} from '../support/walk.ts';

const {down, enter, left, right, up} = key;

const withPlatform = (route: string) => {
  const saved = answered({route});
  return {
    ...saved,
    deployment: {
      ...saved.deployment,
      components: {...saved.deployment.components, kubernetes: kubernetes.parse({})},
    },
  };
};

const open = async (route: string): Promise<{stage: Stage; services: MadeUp; now: () => Deployed}> => {
  const services = madeUpServices({saved: [withPlatform(route)]});
  const stage = openStage(services, {app: {deployment: 'sandbox'}, rows: 30});
  await stage.waitFor(route === 'components' ? 'What is installed' : 'Add an environment');
  return {stage, services, now: () => deployedOf(services)};
};

type Deployed = ReturnType<typeof deployedOf>;

const deployedOf = (services: MadeUp) => {
  const [saved] = services.stored();
  if (!saved) throw new Error('nothing is saved');
  return saved.deployment;
};

const leave = async (stage: Stage): Promise<void> => {
  await stage.press(key.ctrlC);
  await stage.ended;
};

describe('components', () => {
  test('say what each part takes, and what all of it takes together', async () => {
    const {stage} = await open('components');
    expect(stage.text()).toMatch(/Rancher +yes +1 +2 GB +2 GB/);
    expect(stage.text()).toMatch(/All of it, about +with the ground +6 +10 GB +62 GB/);
    await stage.press(down, down, left);
    await stage.waitFor(/Monitoring +. no . +\+1 +\+2 GB/);
    await stage.waitFor(/All of it, about +with the ground +5 +8 GB +52 GB/);
    await leave(stage);
  });

  test('can be the ground alone, and what was answered for the platform is there again when one goes back on that', async () => {
    const {stage, now} = await open('components');
    await stage.press(down.repeat(3), right, right);
    await vi.waitFor(() => expect(now().components.kubernetes?.logging.size).toBe('large'));
    await stage.press(up.repeat(3), right);
    await stage.waitFor('no, ground only');
    await vi.waitFor(() => expect(now().components.kubernetes).toBeUndefined());
    expect(stage.text()).not.toContain('Rancher');
    await stage.press(right);
    await vi.waitFor(() => expect(now().components.kubernetes?.logging.size).toBe('large'));
    await leave(stage);
  });

  test('take the password of a mail server into the vault, and not into the answers', async () => {
    const {stage, services, now} = await open('components');
    await stage.press(down.repeat(6), enter);
    await stage.waitFor('Alerts by mail');
    await stage.press(right, down.repeat(5), 'alerts');
    await stage.waitFor('Password');
    await stage.waitFor('is still missing');
    await stage.press(down, 's3cret-of-mine');
    await stage.waitFor('**************');
    expect(stage.text()).not.toContain('s3cret');
    await stage.press(down);
    await vi.waitFor(() => expect(services.asked).toContain('keep alerts-smtp-password'));
    await stage.waitFor('in the vault; type to replace it');
    expect(JSON.stringify(now())).not.toContain('s3cret');
    expect(now().components.kubernetes?.monitoring.alerts.mail?.user).toBe('alerts');
    await leave(stage);
    expect(stage.bytes()).not.toContain('s3cret');
  });

  test('keep a secret also when one leaves the screen in the middle of its field', async () => {
    const {stage, services} = await open('components');
    await stage.press(down.repeat(6), enter);
    await stage.waitFor('Alerts by Slack');
    await stage.press(down, right, `${down}${down}`, 'https://hooks.example/x');
    await stage.press(key.escape);
    await stage.waitFor('What is installed');
    await vi.waitFor(() => expect(services.asked).toContain('keep alerts-slack-webhook'));
    await leave(stage);
  });

  test('take the number of a group of Telegram, which is negative', async () => {
    const {stage, now} = await open('components');
    await stage.press(down.repeat(6), enter);
    await stage.waitFor('Alerts by Telegram');
    await stage.press(down.repeat(2), right, down, '-');
    await stage.waitFor(/Chat +-/);
    expect(now().components.kubernetes?.monitoring.alerts.telegram?.chat).toBe(0);
    await stage.press('1001234567890');
    await vi.waitFor(() => expect(now().components.kubernetes?.monitoring.alerts.telegram?.chat).toBe(-1001234567890));
    await leave(stage);
  });

  test('come from the publishers, a mirror or a folder, and no answer is lost in between', async () => {
    const {stage, now} = await open('components');
    await stage.press(down.repeat(7), enter);
    await stage.waitFor('Programs, charts');
    await stage.press(right, `${down}https://mirror.site.example/gw`);
    await vi.waitFor(() =>
      expect(now().artifacts).toEqual({
        source: 'mirror',
        address: 'https://mirror.site.example/gw',
        checksums: 'pinned',
      }),
    );
    await stage.press(up, right, `${down}/media/usb`);
    await vi.waitFor(() => expect(now().artifacts).toEqual({source: 'directory', path: '/media/usb'}));
    await stage.press(up, left);
    await stage.waitFor('https://mirror.site.example/gw');
    await leave(stage);
  });

  test('take a proxy, and lose it when its address is deleted', async () => {
    const {stage, now} = await open('components');
    await stage.press(down.repeat(7), enter);
    await stage.waitFor('Programs, charts');
    await stage.press(`${down}http://proxy.site.example:3128`);
    await stage.press(`${down}10.0.0.0/8, .site.example`);
    await vi.waitFor(() =>
      expect(now().artifacts.proxy).toEqual({
        address: 'http://proxy.site.example:3128',
        exclude: ['10.0.0.0/8', '.site.example'],
      }),
    );
    await stage.press(up, key.ctrlU);
    await vi.waitFor(() => expect(now().artifacts).toEqual({source: 'online'}));
    await leave(stage);
  });
});

describe('environments', () => {
  test('are added with a name that is free, changed, and bring the modules that they need', async () => {
    const {stage, now} = await open('environments');
    await stage.press(enter);
    await stage.waitFor('Environment dev');
    await stage.press(`${key.ctrlU}qa`);
    await stage.waitFor('qa.openg2p.test, from its name');
    await stage.press(down.repeat(6), right);
    await vi.waitFor(() =>
      expect(now().environments[0]).toMatchObject({name: 'qa', modules: ['registry', 'spar', 'g2p-bridge']}),
    );
    expect(now().environments[0]?.domain).toBeUndefined();
    await stage.press(key.escape);
    await stage.waitFor('qa.openg2p.test   Registry, SPAR, G2P Bridge');
    await leave(stage);
  });

  test('have a domain of their own only when one is typed', async () => {
    const {stage, now} = await open('environments');
    await stage.press(enter);
    await stage.waitFor('Environment dev');
    await stage.press(`${down}try.openg2p.test`);
    await vi.waitFor(() => expect(now().environments[0]?.domain).toBe('try.openg2p.test'));
    await stage.press(key.ctrlU);
    await vi.waitFor(() => expect(now().environments[0]).not.toHaveProperty('domain'));
    await leave(stage);
  });

  test('are taken out only when their name was typed', async () => {
    const {stage, now} = await open('environments');
    await stage.press(enter);
    await stage.waitFor('Environment dev');
    await stage.press(down.repeat(8), enter);
    await stage.waitFor('Type "dev"');
    await stage.press(enter, enter);
    expect(now().environments).toHaveLength(1);
    await stage.press(`${up}dev${enter}${enter}`);
    await vi.waitFor(() => expect(now().environments).toEqual([]));
    await stage.waitFor('without one');
    await leave(stage);
  });

  test('cannot be added to the ground alone, and it says why', async () => {
    const services = madeUpServices({saved: [answered({route: 'environments'})]});
    const stage = openStage(services, {app: {deployment: 'sandbox'}});
    await stage.waitFor('the ground alone is laid');
    await stage.press(up, enter);
    expect(deployedOf(services).environments).toEqual([]);
    await stage.waitFor('choose the platform in Components first');
    await stage.press(down, enter);
    await stage.waitFor('13 changes');
    await leave(stage);
  });
});
