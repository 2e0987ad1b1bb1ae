import {describe, expect, test} from 'vitest';
import {inOrder, instancesOf, prerequisitesOf} from '../../source/engine/graph.ts';
import type {Step} from '../../source/engine/step.ts';
import {deploymentOf, stepOf} from '../support/engine.ts';

const keys = (instances: readonly {readonly key: string}[]) => instances.map(({key}) => key);

describe('the order of steps', () => {
  test('is that of the blueprint, except where one must come after another', () => {
    const a = stepOf('a', {});
    const b = stepOf('b', {});
    const c = stepOf('c', {after: [b]});
    expect(inOrder([c, a, b]).map(({id}) => id)).toEqual(['b', 'c', 'a']);
  });

  test('that goes in a circle, or names a step that is not there, is a bug', () => {
    const after: Step[] = [];
    const a = stepOf('a', {after});
    const b = stepOf('b', {after: [a]});
    after.push(b);
    expect(() => inOrder([a, b])).toThrow('steps wait for each other: a → b → a');
    expect(() => inOrder([b])).toThrow('step b is after a, which is not in the blueprint');
  });
});

describe('steps on hosts', () => {
  const first = stepOf('first', {role: 'first'});
  const off = stepOf('off', {after: [first], enabled: () => false});
  const nobody = stepOf('nobody', {after: [off], role: 'nobody'});
  const last = stepOf('last', {after: [nobody]});
  const instances = instancesOf([first, off, nobody, last], deploymentOf('one', 'two'));

  test('are those of its role that are switched on', () => {
    expect(keys(instances)).toEqual(['first@one', 'last@one', 'last@two']);
  });

  test('wait for the steps that they are after on every other host, through those that concern nobody', () => {
    const [, , lastOnTwo] = instances;
    expect(keys(prerequisitesOf(lastOnTwo!, instances, deploymentOf('one', 'two')))).toEqual(['first@one']);
  });

  test('wait for a step that concerns their own host on that one alone', () => {
    const every = stepOf('every', {});
    const next = stepOf('next', {after: [every]});
    const found = instancesOf([every, next], deploymentOf('one', 'two'));
    expect(keys(prerequisitesOf(found.at(-1)!, found, deploymentOf('one', 'two')))).toEqual(['every@two']);
  });

  test('wait for what another step makes for them on every host where it is made', () => {
    const every = stepOf('every', {provides: deployment => deployment.hosts.map(({name}) => `key.${name}`)});
    const next = stepOf('next', {after: [every], needs: ['key.one']});
    const found = instancesOf([every, next], deploymentOf('one', 'two'));
    expect(keys(prerequisitesOf(found.at(-1)!, found, deploymentOf('one', 'two')))).toEqual(['every@one', 'every@two']);
  });

  test('that are done once concern the first host of their role, and others wait for that one', () => {
    const cluster = stepOf('cluster', {once: true});
    const every = stepOf('every', {after: [cluster]});
    const elsewhere = stepOf('elsewhere', {once: true, role: 'nobody', after: [cluster]});
    const found = instancesOf([cluster, every, elsewhere], deploymentOf('one', 'two', 'three'));
    expect(keys(found)).toEqual(['cluster@one', 'every@one', 'every@two', 'every@three']);
    expect(keys(prerequisitesOf(found.at(-1)!, found, deploymentOf('one', 'two')))).toEqual(['cluster@one']);
  });
});
