import {describe, expect, it} from 'vitest';
import {stepsOf} from '../../source/blueprints/blueprint.ts';
import {blueprintById, blueprints, topologyById} from '../../source/blueprints/index.ts';
import {openg2p} from '../../source/blueprints/openg2p.ts';
import {deployment} from '../../source/deployment/schema.ts';
import {problemsOf} from '../../source/deployment/validate.ts';
import {fromYaml, toYaml} from '../../source/deployment/yaml.ts';
import {type Step, step} from '../../source/engine/step.ts';
import {anEnvironment, finished} from '../support/deployments.ts';

const machines = blueprints.flatMap(({topologies}) => topologies.flatMap(topology => topology.machines));

describe('blueprints', () => {
  it('are found by their names', () => {
    expect(blueprintById('openg2p')).toBe(openg2p);
    expect(topologyById(openg2p, 'sandbox')?.machines).toHaveLength(1);
    expect(blueprintById('mosip')).toBeUndefined();
    expect(topologyById(openg2p, 'production-ha')).toBeUndefined();
  });

  it('give machines roles that exist, and every role to some machine', () => {
    for (const {roles, topologies} of blueprints) {
      const ids = roles.map(({id}) => id).toSorted();
      const kinds = topologies.flatMap(topology => topology.machines);
      expect([...new Set(kinds.flatMap(kind => kind.roles))].toSorted()).toEqual(ids);
      expect(kinds.every(kind => kind.roles.includes('base'))).toBe(true);
    }
  });

  it('insist on no more than they ask for', () => {
    for (const {least, nominal} of machines) {
      expect(least.cpus).toBeLessThanOrEqual(nominal.cpus);
      expect(least.memoryGb).toBeLessThanOrEqual(nominal.memoryGb);
      expect(least.diskGb).toBeLessThanOrEqual(nominal.diskGb);
    }
  });

  it('have drawings that fit a small terminal without Unicode', () => {
    for (const {drawing} of blueprints.flatMap(({topologies}) => topologies)) {
      expect(drawing.length).toBeGreaterThan(5);
      expect(drawing.length).toBeLessThanOrEqual(14);
      for (const line of drawing) expect(line).toMatch(/^[ -~]{0,76}$/);
    }
  });

  it('have steps with roles that machines play, each once', () => {
    for (const {steps, roles} of blueprints) {
      const known = roles.map(({id}) => id);
      expect(steps.length).toBeGreaterThan(0);
      expect(steps.filter(({role}) => !known.includes(role)).map(({id}) => id)).toEqual([]);
      expect(new Set(steps.map(({id}) => id)).size).toBe(steps.length);
    }
  });

  it('list a step after all that it waits for', () => {
    for (const {steps} of blueprints) {
      for (const [index, {after}] of steps.entries()) {
        expect(after.every(earlier => steps.slice(0, index).includes(earlier))).toBe(true);
      }
    }
  });
});

describe('the steps of a deployment', () => {
  const named = (id: string): Step =>
    step({id, title: id, why: '', role: 'base', after: [], estimate: 1, resources: () => [], verify: () => []});
  const ground = named('ground');
  const made = {steps: [ground], environmentSteps: ({name}: {name: string}) => [named(`environment-${name}-base`)]};
  const names = (...environments: string[]) => ({
    environments: finished(draft => {
      draft.environments = environments.map(name => anEnvironment({name}));
    }).environments,
  });

  it('are the blueprint’s, then those of each environment', () => {
    expect(stepsOf(made, names('qa', 'dev')).map(({id}) => id)).toEqual([
      'ground',
      'environment-qa-base',
      'environment-dev-base',
    ]);
  });

  it('are the blueprint’s alone without environments', () => {
    expect(stepsOf(made, names())).toEqual([ground]);
    expect(stepsOf({steps: [ground]}, names('qa'))).toEqual([ground]);
  });
});

describe('the sandbox of OpenG2P', () => {
  const fresh = openg2p.defaults('pilot', 'sandbox');

  it('wants one machine of 16 CPUs, 64 GB and 128 GB, and takes what such a machine really shows', () => {
    expect(topologyById(openg2p, 'sandbox')?.machines).toMatchObject([
      {
        count: {min: 1, max: 1},
        nominal: {cpus: 16, memoryGb: 64, diskGb: 128},
        least: {cpus: 16, memoryGb: 60, diskGb: 100},
      },
    ]);
  });

  it('begins private, with a VPN for one laptop', () => {
    expect(fresh).toMatchObject({
      version: 1,
      name: 'pilot',
      topology: 'sandbox',
      domain: 'openg2p.test',
      tls: {mode: 'local-ca'},
      channels: [{kind: 'private', subnet: '10.15.0.0/16', port: 51820, peers: [{name: 'laptop'}]}],
    });
    expect(fresh.network.adminSources).not.toContain('0.0.0.0/0');
  });

  it('leaves open only what nobody can guess', () => {
    expect(problemsOf(fresh, blueprints)).toEqual([
      {path: 'channels[0].endpoint', message: 'is still empty', severity: 'error'},
      {path: 'hosts', message: '"sandbox" needs 1 × sandbox machine; there are 0', severity: 'error'},
    ]);
  });

  it('is complete and without a warning when that is filled in, and survives being written down', () => {
    const [channel] = fresh.channels;
    const [machine] = topologyById(openg2p, 'sandbox')?.machines ?? [];
    if (channel?.kind !== 'private' || !machine) throw new Error('the sandbox has a private channel and a machine');
    const whole = deployment.parse({
      ...fresh,
      hosts: [{name: 'one', address: '10.0.0.11', roles: [...machine.roles], privateAddress: '10.0.0.11'}],
      channels: [{...channel, endpoint: '203.0.113.10'}],
    });
    expect(problemsOf(whole, blueprints)).toEqual([]);
    expect(fromYaml(toYaml(whole))).toEqual({ok: true, value: whole});
  });

  it('is a new one each time', () => {
    expect(openg2p.defaults('a', 'sandbox').channels[0]).not.toBe(openg2p.defaults('b', 'sandbox').channels[0]);
  });
});
