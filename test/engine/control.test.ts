import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import type {RunEvent} from '../../source/engine/events.ts';
import {ends, of, run, running, stepOf, writes} from '../support/engine.ts';
import {command, type FakeHosts, fakeHosts, note} from '../support/fake-hosts.ts';

let hosts: FakeHosts;
beforeEach(() => {
  hosts = fakeHosts();
});
afterEach(() => hosts.remove());

describe('control', () => {
  const slow = () =>
    stepOf('slow', {
      resources: () => [note('before', 'x'), command('slow', 'echo begun; sleep 30; touch slow'), note('later', 'x')],
    });

  test('stop ends the command that runs, and nothing else begins', async () => {
    const stop = new AbortController();
    const events: RunEvent[] = [];
    const {result} = await run(
      {hosts, steps: [slow(), writes('other')]},
      {
        control: {signal: stop.signal, whenRunning: () => Promise.resolve()},
        events: event => {
          events.push(event);
          if (event.type === 'log' && event.line === 'begun') stop.abort();
        },
      },
    );
    expect(result).toMatchObject({outcome: 'stopped', changed: 1, failed: 0});
    expect(ends(events)).toEqual(['slow@one stopped', 'other@one stopped']);
    expect(Object.keys(hosts.files('one'))).toEqual(['before']);
  });

  test('stop before the look is over changes nothing', async () => {
    const stop = new AbortController();
    const {result} = await run(
      {hosts, steps: [writes('a')]},
      {
        control: {signal: stop.signal, whenRunning: () => Promise.resolve()},
        events: event => event.type === 'host.connected' && stop.abort(),
      },
    );
    expect(result).toMatchObject({outcome: 'stopped', changed: 0, failed: 0});
    expect(hosts.files('one')).toEqual({});
  });

  test('stop while a question is open answers it', async () => {
    const stop = new AbortController();
    const {result, events} = await run(
      {hosts, steps: [stepOf('bad', {resources: () => [command('bad', 'exit 1')]})]},
      {
        control: {signal: stop.signal, whenRunning: () => Promise.resolve()},
        ask: () => {
          stop.abort();
          return new Promise(() => {});
        },
      },
    );
    expect(result.outcome).toBe('stopped');
    expect(of(events, 'answer')[0]?.answer).toBe('stop');
  });

  test('pause holds before the next resource and tells so once, continue goes on', async () => {
    let release = () => {};
    let paused: Promise<void> | undefined;
    const events: RunEvent[] = [];
    const {result} = await run(
      {
        hosts,
        steps: [writes('a', {resources: () => [note('a', 'a'), note('b', 'b')]}), writes('c')],
        names: ['one', 'two'],
      },
      {
        control: {signal: running.signal, whenRunning: () => paused ?? Promise.resolve()},
        events: event => {
          events.push(event);
          if (event.type === 'resource.changed' && !paused) {
            paused = new Promise(resolve => {
              release = resolve;
            });
          }
          if (event.type === 'paused') setTimeout(release, 100);
        },
      },
    );
    expect(result.outcome).toBe('succeeded');
    const order = events.map(({type}) => type).filter(type => type === 'paused' || type === 'continued');
    expect(order).toEqual(['paused', 'continued']);
    expect(events.findIndex(({type}) => type === 'paused')).toBeLessThan(
      events.findLastIndex(({type}) => type === 'resource.started'),
    );
  });

  test('asks one question at a time', async () => {
    let open = 0;
    let most = 0;
    await run(
      {hosts, steps: [stepOf('bad', {resources: () => [command('bad', 'exit 1')]})], names: ['one', 'two', 'three']},
      {
        ask: async () => {
          open += 1;
          most = Math.max(most, open);
          await new Promise(resolve => setTimeout(resolve, 20));
          open -= 1;
          return {choice: 'leave', by: 'operator'};
        },
      },
    );
    expect(most).toBe(1);
  });
});

test('a journal that cannot be written stops the run', async () => {
  let left = 6;
  const {result} = await run(
    {hosts, steps: [writes('a'), writes('b'), writes('c')]},
    {
      events: () => {
        left -= 1;
        if (left < 0) throw new Error('ENOSPC: no space left on device');
      },
    },
  );
  expect(result).toMatchObject({outcome: 'failed', failures: [{message: expect.stringContaining('ENOSPC')}]});
  expect(Object.keys(hosts.files('one'))).toEqual(['a']);
});
