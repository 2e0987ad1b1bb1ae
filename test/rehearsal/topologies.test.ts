import {expect, test} from 'vitest';
import {groundwork, jsonLines, newHome} from '../support/program.ts';

type Event = Readonly<Record<string, unknown>>;

const of = (events: readonly Event[], type: string): readonly Event[] => events.filter(event => event.type === type);

/** Steps that ran at some moment together with one of another host. */
const sideBySide = (events: readonly Event[]): readonly Event[] => {
  const running = new Map<unknown, Event>();
  const found: Event[] = [];
  for (const event of events) {
    if (event.type === 'step.started') {
      running.set(event.host, event);
      if (running.size > 1) found.push(event);
    }
    if (event.type === 'step.finished') running.delete(event.host);
  }
  return found;
};

// Minutes, where the machine has other work. A run that takes longer than this hangs.
test('four machines are installed side by side, and nothing is left to change', {timeout: 480_000}, async () => {
  const {status, stdout, stderr} = await groundwork(
    ['practice', '--topology', 'production-minimum', '--yes', '--pace', '0', '--output', 'jsonl'],
    {home: newHome()},
  );
  expect(stderr).toBe('');
  const events = jsonLines(stdout);
  expect(of(events, 'step.finished').filter(({state}) => !['changed', 'unchanged'].includes(String(state)))).toEqual(
    [],
  );
  expect(of(events, 'run.finished')).toMatchObject([{outcome: 'succeeded', failed: 0}]);
  expect(events.at(-1)).toMatchObject({type: 'plan', changes: 0});
  expect(sideBySide(events).length).toBeGreaterThan(10);

  const hostsOf = (step: string) =>
    of(events, 'step.finished').flatMap(each => (each.step === step ? [each.host] : []));
  expect(hostsOf('firewall').toSorted()).toEqual(['backup-1', 'compute-1', 'proxy-1', 'storage-1']);
  expect(hostsOf('nginx')).toEqual(['proxy-1']);
  expect(hostsOf('wireguard')).toEqual(['proxy-1']);
  expect(hostsOf('nfs-server')).toEqual(['storage-1']);
  expect(hostsOf('rke2')).toEqual(['compute-1']);
  // Asked on the cluster's machine, answered by the proxy, which passes it to the cluster.
  expect(
    of(events, 'verified').flatMap(({step, passed}) => (step === 'environment-dev-gateway' ? [passed] : [])),
  ).toEqual([true]);
  // So is this: a user of the storage host's databases, who comes from the cluster's machine.
  expect(
    of(events, 'verified').flatMap(({step, passed}) => (step === 'environment-dev-database-access' ? [passed] : [])),
  ).toEqual([true]);
  expect(status).toBe(0);
});
