import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import type {CheckResult} from '../../source/hosts/check.ts';
import {sh} from '../../source/shell/script.ts';
import {of, run, writes} from '../support/engine.ts';
import {type FakeHosts, fakeHosts} from '../support/fake-hosts.ts';

let hosts: FakeHosts;
beforeEach(() => {
  hosts = fakeHosts();
});
afterEach(() => hosts.remove());

const check = (outcome: CheckResult['outcome'], found: string): CheckResult => ({
  id: 'downloads',
  host: 'one',
  title: 'Everything can be had',
  severity: 'error',
  acceptable: true,
  outcome,
  found,
  needed: 'all',
  remedy: 'Fill the mirror.',
});

describe('a preflight check that asks the host', () => {
  it('asks over the connection that is open, before anything is changed', async () => {
    const {result} = await run(
      {hosts, steps: [writes('a')]},
      {
        preflight: async ([known], connect) => {
          const connection = known && (await connect(known.host));
          const ran = connection?.ok ? await connection.value.run(sh`ls | wc -l`) : undefined;
          return [check('passed', ran?.ok ? ran.value.stdout.trim() : 'no answer')];
        },
      },
    );
    expect(result.outcome).toBe('succeeded');
    expect(hosts.logins()).toBe(1);
  });

  it('stops the run before its first step when it fails', async () => {
    const {result, events} = await run(
      {hosts, steps: [writes('a')]},
      {preflight: async () => [check('failed', '404')]},
    );
    expect(result).toMatchObject({outcome: 'failed', failures: [{kind: 'preflight', host: 'one'}]});
    expect(result.failures[0]?.message).toBe('Everything can be had: found 404, needed all');
    expect(of(events, 'step.started')).toEqual([]);
    expect(hosts.files('one')).toEqual({});
  });

  it('is left when the operator stops meanwhile', async () => {
    const stop = new AbortController();
    const {result, events} = await run(
      {hosts, steps: [writes('a')]},
      {
        preflight: async () => {
          stop.abort();
          return [];
        },
        control: {signal: stop.signal, whenRunning: () => Promise.resolve()},
      },
    );
    expect(result.outcome).toBe('stopped');
    expect(of(events, 'step.started')).toEqual([]);
  });
});
