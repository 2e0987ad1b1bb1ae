import {describe, expect, test, vi} from 'vitest';
import {tls} from '../../source/deployment/schema.ts';
import {key, openStage} from '../support/frames.ts';
import {madeUpServices} from '../support/services.ts';
import {answered} from '../support/walk.ts';

const {down, up, enter, right} = key;

/** Domain and TLS of a deployment whose certificates come from a CA. */
const suppliedScreen = async () => {
  const saved = answered({route: 'domain'});
  const services = madeUpServices({
    saved: [{...saved, deployment: {...saved.deployment, tls: tls.parse({mode: 'supplied'})}}],
  });
  const stage = openStage(services, {app: {deployment: 'sandbox'}});
  await stage.waitFor('is still missing');
  const leave = async () => {
    await stage.press(key.ctrlC);
    await stage.ended;
  };
  return {stage, services, leave};
};

/** From the first row to what is named. */
const importScreen = async () => {
  const opened = await suppliedScreen();
  await opened.stage.press(down.repeat(2), enter);
  await opened.stage.waitFor('Import certificates');
  return opened;
};

describe('certificates from a CA', () => {
  test('are one of two ways, and what was answered for the other is kept', async () => {
    const services = madeUpServices({saved: [answered({route: 'domain'})]});
    const stage = openStage(services, {app: {deployment: 'sandbox'}});
    await stage.waitFor('Valid for, days');
    await stage.press(down.repeat(2), '\u0015400', up, right);
    await stage.waitFor('supplied, from a CA');
    await stage.waitFor('is still missing');
    expect(services.stored()[0]?.deployment.tls).toEqual({mode: 'supplied', certificates: ['main'], warnDays: 30});
    await stage.press(right);
    await stage.waitFor('Valid for, days');
    expect(services.stored()[0]?.deployment.tls).toMatchObject({mode: 'local-ca', leafDays: 400});
    await stage.press(key.ctrlC);
    await stage.ended;
  });

  test('are judged while one chooses files, and kept when they can be used', async () => {
    const {stage, services, leave} = await importScreen();
    expect(stage.text()).toContain('choose files first');
    await stage.press(down.repeat(5), enter);
    await stage.waitFor('[x] fullchain.pem');
    await stage.waitFor('cannot be used');
    expect(stage.text()).toContain('The private key of openg2p.test is not here');
    await stage.press(down.repeat(2), enter);
    await stage.waitFor('can be used until 2027-05-01');
    expect(stage.lines().every(line => line.length <= 80)).toBe(true);
    await stage.press(up.repeat(10), down.repeat(2), enter);
    await stage.waitFor('until 2027-05-01: openg2p.test');
    expect(services.asked).toContain('import /home/ops/fullchain.pem /home/ops/privkey.pem');
    await leave();
  });

  test('in a locked file want its password, which is not shown', async () => {
    const {stage, leave} = await importScreen();
    await stage.press(down.repeat(6), enter);
    await stage.waitFor('openg2p.pfx is locked with a password');
    await stage.press(up.repeat(10), down, 'open', enter);
    await stage.waitFor('is not opened by this password');
    await stage.press(up, '\u0015sesame', enter);
    await stage.waitFor('can be used until 2027-05-01');
    expect(stage.bytes()).not.toContain('sesame');
    await leave();
  });

  test('may lie in another folder, and a folder that is not there is said', async () => {
    const {stage, leave} = await importScreen();
    await stage.press(down.repeat(8), enter);
    await stage.waitFor('openg2p.zip');
    await stage.press(up.repeat(10), '\u0015/nowhere', down);
    await stage.waitFor('there is no such folder');
    await stage.press(key.escape);
    await stage.waitFor('Domain and TLS');
    await leave();
  });

  test('are asked for with a request that says where it lies, and are waited for without losing anything', async () => {
    const {stage, services, leave} = await suppliedScreen();
    await stage.press(down.repeat(3), enter);
    await stage.waitFor('Certificate request');
    expect(stage.text()).toContain('openg2p.test, *.openg2p.test');
    await stage.press(down.repeat(2), 'O=Ministry', down.repeat(2), enter);
    await stage.waitFor('The request lies in /state/requests/main.csr');
    await vi.waitFor(() => expect(services.asked).toContain('request main wildcards ec O=Ministry'));
    await stage.press(key.escape);
    await stage.waitFor('waiting for the CA');
    // One goes on meanwhile.
    await stage.press(down.repeat(10), enter);
    await stage.waitFor(/ Channels/);
    await stage.press(key.escape);
    await stage.waitFor('waiting for the CA');
    await leave();
  });
});
