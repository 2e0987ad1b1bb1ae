import {expect, test, vi} from 'vitest';
import type {Services} from '../../source/app/services.ts';
import {openg2p} from '../../source/blueprints/openg2p.ts';
import type {Deployment} from '../../source/deployment/schema.ts';
import {key, openStage} from '../support/frames.ts';
import {madeUpServices} from '../support/services.ts';
import {answered} from '../support/walk.ts';

const decided = ({tls, components: {dns, postgresql, backup}}: Deployment) => ({
  tls,
  server: dns.server,
  postgresql,
  backup,
});

test('another topology brings what it decides for itself, and gives back what was answered before', async () => {
  const sandbox = {
    ...openg2p.defaults('sandbox', 'sandbox'),
    tls: {mode: 'local-ca' as const, leafDays: 90, renewDays: 30},
  };
  const madeUp = madeUpServices({saved: [{...answered({route: 'topology'}), deployment: sandbox}]});
  const services: typeof madeUp & Services = {
    ...madeUp,
    blueprints: [openg2p],
    firstAnswers: (blueprint, name, topology) => blueprint.defaults(name, topology),
  };
  const stage = openStage(services, {app: {deployment: 'sandbox'}});
  const stored = () => services.stored()[0]?.deployment as Deployment;
  await stage.waitFor('Continue');
  while (!/▸ Topology/.test(stage.text())) await stage.press(key.up);

  await stage.press(key.right);
  await vi.waitFor(() => expect(stored().topology).toBe('production-minimum'));
  expect(decided(stored())).toEqual(decided(openg2p.defaults('sandbox', 'production-minimum')));
  expect(stored().tls.mode).toBe('supplied');
  expect(stored().components.backup).toBeDefined();

  await stage.press(key.left);
  await vi.waitFor(() => expect(stored().topology).toBe('sandbox'));
  expect(decided(stored())).toEqual(decided(sandbox));
  await stage.press(key.ctrlC);
  await stage.ended;
});

test('practice begins with the topology that it was started for', async () => {
  const services = {...madeUpServices({}), blueprints: [openg2p], firstTopology: 'production-minimum'};
  const stage = openStage(services);
  await stage.waitFor('New installation');
  await stage.press(key.enter);
  await stage.waitFor('Production, minimum');
  await stage.press(key.ctrlC);
  await stage.ended;
});
