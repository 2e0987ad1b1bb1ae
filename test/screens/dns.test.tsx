import {expect, test} from 'vitest';
import {key, openStage} from '../support/frames.ts';
import {madeUpServices} from '../support/services.ts';
import {answered} from '../support/walk.ts';

const {down, enter, right} = key;

test('the site’s DNS is chosen with its resolver, and the records are shown and asked for from here', async () => {
  const services = madeUpServices({saved: [answered({route: 'domain'})]});
  const stage = openStage(services, {app: {deployment: 'sandbox'}});
  await stage.waitFor('a server of ours');
  await stage.press(down.repeat(4));
  await stage.press(right);
  await stage.waitFor("the site's DNS");
  await stage.press(`${down}172.16.0.53`);
  await stage.waitFor('172.16.0.53');
  expect(services.stored()[0]?.deployment.components.dns).toMatchObject({server: 'site', resolver: '172.16.0.53'});
  await stage.press(`\u0015${down}${enter}`);
  const records = await stage.waitFor(/A {2}10\.\S+ {2}internal/);
  expect(services.stored()[0]?.deployment.components.dns.resolver).toBeUndefined();
  expect(records).toContain('Hosts ask for them too');
  await stage.press('n');
  await stage.waitFor(/here +(it leads to 10\.9\.9\.9|the name does not exist)/);
  await stage.press(key.escape);
  await stage.waitFor('Domain and TLS');
  await stage.press(key.ctrlC);
  await stage.ended;
});

test('a checklist for other departments is saved from Review, also while answers are missing', async () => {
  const services = madeUpServices({saved: [answered()]});
  const stage = openStage(services, {app: {deployment: 'sandbox'}});
  await stage.waitFor('13 changes');
  await stage.press(`${down.repeat(4)}${enter}`);
  await stage.waitFor('What others have to provide');
  await stage.press(`${down}${enter}`);
  await stage.waitFor('Written to sandbox-checklist.txt');
  expect(services.asked).toContain('checklist sandbox-checklist.txt');
  await stage.press(key.ctrlC);
  await stage.ended;
});
