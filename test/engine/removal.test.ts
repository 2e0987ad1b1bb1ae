import {describe, expect, it} from 'vitest';
import {stepsOf} from '../../source/blueprints/blueprint.ts';
import {blueprints} from '../../source/blueprints/index.ts';
import {openg2p} from '../../source/blueprints/openg2p.ts';
import {backup} from '../../source/deployment/schema.ts';
import {inOrder, instancesOf} from '../../source/engine/graph.ts';
import {type Purge, removalSteps} from '../../source/engine/removal.ts';
import type {Step} from '../../source/engine/step.ts';
import {absent} from '../../source/resources/file.ts';
import {anEnvironment} from '../support/deployments.ts';
import {stepOf} from '../support/engine.ts';
import {sampleFacts} from '../support/facts.ts';
import {contextFor, productionDeployment, sampleDeployment, wholeDeployment} from '../support/step-context.ts';

const kept = {data: false, backups: false};

const orderOf = (steps: readonly Step[]) =>
  Object.fromEntries(steps.map(({id, after}) => [id, after.map(step => step.id).sort()]));

const removable = (id: string, after: readonly Step[], more: Partial<Step> = {}) =>
  stepOf(id, {after, removal: {resources: () => [absent(`/etc/${id}`)]}, ...more});

describe('the steps of a removal', () => {
  it('come in the reverse order of those that they take away', () => {
    const base = removable('base', []);
    const left = removable('left', [base]);
    const right = removable('right', [base]);
    const top = removable('top', [left, right]);
    const removals = removalSteps([base, left, right, top], {scope: 'hosts', purge: kept});
    expect(orderOf(removals)).toEqual({
      'remove-top': [],
      'remove-left': ['remove-top'],
      'remove-right': ['remove-top'],
      'remove-base': ['remove-left', 'remove-right'],
    });
    expect(inOrder(removals).at(-1)?.id).toBe('remove-base');
  });

  it('wait for the step that others go with', () => {
    const ground = removable('ground', []);
    const storage = removable('storage', [ground]);
    const cluster = removable('cluster', [ground]);
    const chart = stepOf('chart', {after: [cluster, storage], removal: {goesWith: cluster}});
    const service = stepOf('service', {after: [chart], removal: {goesWith: cluster}});
    const passwords = removable('passwords', [chart]);
    const steps = [ground, storage, cluster, chart, service, passwords];
    expect(orderOf(removalSteps(steps, {scope: 'platform', purge: kept}))).toEqual({
      'remove-passwords': [],
      'remove-cluster': ['remove-passwords'],
      'remove-storage': ['remove-cluster'],
      'remove-ground': ['remove-cluster', 'remove-storage'],
    });
  });

  it('take nothing from a host that another deployment has', async () => {
    const [removal] = removalSteps([removable('one', [])], {scope: 'hosts', purge: kept}) as [Step];
    const context = await contextFor(removal, {deployment: sampleDeployment()});
    const of = (deployment: string | undefined) =>
      removal.resources({...context, facts: {...sampleFacts(), deployment}}).map(resource => resource.id);
    expect(of(undefined)).toEqual(['absent /etc/one']);
    expect(of('demo')).toEqual(['absent /etc/one']);
    expect(of('other')).toEqual(['the host belongs to this deployment']);
  });
});

describe('every blueprint', () => {
  const deployment = wholeDeployment({environments: [anEnvironment({name: 'qa', modules: ['registry', 'spar']})]});

  it('says of each step how it is taken away', () => {
    for (const blueprint of blueprints)
      for (const step of stepsOf(blueprint, deployment)) expect(step.removal, step.id).toBeDefined();
  });

  it('keeps the ground until what stands on it is gone', () => {
    for (const blueprint of blueprints) {
      const order = inOrder(removalSteps(stepsOf(blueprint, deployment), {scope: 'hosts', purge: kept})).map(
        ({id}) => id,
      );
      const isBefore = (first: string, second: string) =>
        expect(order.indexOf(first), `${first} before ${second}`).toBeLessThan(order.indexOf(second));
      isBefore('remove-environment-qa-namespace', 'remove-rke2');
      for (const id of ['nfs-server', 'nginx', 'local-dns', 'certificates', 'kubernetes-tools', 'firewall'])
        isBefore('remove-rke2', `remove-${id}`);
      for (const id of ['nginx', 'local-dns', 'wireguard', 'nfs-server']) isBefore(`remove-${id}`, 'remove-firewall');
      expect(order.at(-1)).toBe('remove-host-baseline');
    }
  });

  it('can be taken away with data and without, with whatever it has and has not', async () => {
    const whole = [deployment, sampleDeployment(), productionDeployment({environments: [anEnvironment({name: 'qa'})]})];
    for (const each of whole) {
      for (const scope of ['platform', 'hosts'] as const) {
        for (const purge of [kept, {data: true, backups: true}]) {
          for (const {step, host} of instancesOf(removalSteps(stepsOf(openg2p, each), {scope, purge}), each)) {
            const context = await contextFor(step, {deployment: each});
            const ids = step.resources({...context, host}).map(({id}) => id);
            expect(new Set(ids).size, `${step.id} of ${each.name}: ${ids.join(', ')}`).toBe(ids.length);
          }
        }
      }
    }
  });

  it('erases no data and no backup unless that was said', async () => {
    const each = productionDeployment({components: {...productionDeployment().components, backup: backup.parse({})}});
    const erased = async (purge: Purge) => {
      const found: string[] = [];
      for (const {step, host} of instancesOf(removalSteps(stepsOf(openg2p, each), {scope: 'hosts', purge}), each)) {
        for (const resource of step.resources({...(await contextFor(step, {deployment: each})), host})) {
          if (!resource.id.startsWith('data ')) continue;
          const full = resource.assess({code: 0, stdout: 'entries 3 0\nKiB 12000000\n', stderr: ''});
          if (full.ok && full.value.changes.length > 0) found.push(resource.id);
          else expect(full.ok && full.value.stays?.[0]?.bytes, resource.id).toBe(12_288_000_000);
        }
      }
      return found;
    };
    expect(await erased(kept)).toEqual([]);
    const data = await erased({data: true, backups: false});
    expect(data).toContain('data /srv/nfs/demo');
    expect(data.some(id => id.includes('backup'))).toBe(false);
    const backups = await erased({data: false, backups: true});
    expect(backups).toContain('data /var/lib/groundwork-backup/postgresql');
    expect(backups).not.toContain('data /srv/nfs/demo');
  });
});
