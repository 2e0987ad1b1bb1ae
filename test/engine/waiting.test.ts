import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import type {RunEvent} from '../../source/engine/events.ts';
import {lastRunOf} from '../../source/engine/resume.ts';
import {runView} from '../../source/engine/run-view.ts';
import type {Awaited, Step} from '../../source/engine/step.ts';
import {plainLines} from '../../source/reporters/plain.ts';
import {err, ok} from '../../source/result.ts';
import {sh} from '../../source/shell/script.ts';
import {ends, newDisk, of, plan, run, running, stepOf, writes} from '../support/engine.ts';
import {type FakeHosts, fakeHosts} from '../support/fake-hosts.ts';

let hosts: FakeHosts;
beforeEach(() => {
  hosts = fakeHosts();
});
afterEach(() => hosts.remove());

const make = (name: string, content: string): void => writeFileSync(join(hosts.folder('one'), name), content);

/** A file that somebody else makes. */
const file = (name: string): Awaited => ({
  id: name,
  title: `${name} is there`,
  script: sh`cat ${name} 2>/dev/null || true`,
  check: ({stdout}) =>
    stdout.trim() === 'right' ? ok('right') : err(stdout.trim() === '' ? 'nothing' : `"${stdout.trim()}"`),
  how: 'the host looks',
  remedy: `Ask for ${name}.`,
});

const waits = (id: string, name: string, more: Partial<Step> = {}): Step =>
  stepOf(id, {awaits: () => [file(name)], verify: () => [file(name)], ...more});

/** Somebody outside does something as soon as an event is seen. */
const meanwhile = (seen: (event: RunEvent, count: number) => string | undefined) => {
  const events: RunEvent[] = [];
  return {
    events,
    port: (event: RunEvent): void => {
      events.push(event);
      const content = seen(event, of(events, 'waiting').length);
      if (content !== undefined) make('record', content);
    },
  };
};

describe('a step that waits for somebody outside', () => {
  test('goes on by itself when it has come; the others, on its own host too, have gone on meanwhile', async () => {
    const record = waits('record', 'record');
    const {events, port} = meanwhile(event =>
      event.type === 'step.finished' && event.step === 'other' ? 'right' : undefined,
    );
    const {result, questions} = await run(
      {hosts, steps: [record, writes('needs', {after: [record]}), writes('other')]},
      {events: port},
    );
    expect(result).toMatchObject({outcome: 'succeeded', failed: 0});
    expect(questions).toEqual([]);
    expect(ends(events)).toEqual(['other@one changed', 'record@one unchanged', 'needs@one changed']);
    expect(of(events, 'waiting')[0]).toMatchObject({
      step: 'record',
      host: 'one',
      inSeconds: 5,
      news: true,
      missing: [
        {id: 'record', title: 'record is there', found: 'nothing', how: 'the host looks', remedy: 'Ask for record.'},
      ],
    });
  });

  test('tells news once, and the wrong thing apart from none', async () => {
    const {events, port} = meanwhile((event, count) =>
      event.type !== 'waiting' ? undefined : count === 2 ? 'wrong' : count === 4 ? 'right' : undefined,
    );
    const {slept} = await run({hosts, steps: [waits('record', 'record')]}, {events: port});
    expect(of(events, 'waiting').map(({news, missing}) => `${news} ${missing[0]?.found}`)).toEqual([
      'true nothing',
      'false nothing',
      'true "wrong"',
      'false "wrong"',
    ]);
    expect(slept).toEqual([5, 10, 15, 30]);
    const told = events.flatMap(plainLines).filter(line => line.includes('found:'));
    expect(told).toEqual(['    found: nothing (the host looks)', '    found: "wrong" (the host looks)']);
  });

  test('is in the view with what is missing, and no failure', async () => {
    const {events, port} = meanwhile((event, count) => (event.type === 'waiting' && count === 3 ? 'right' : undefined));
    await run({hosts, steps: [waits('record', 'record')]}, {events: port});
    const at = events.findIndex(({type}) => type === 'waiting');
    const [step] = runView(events.slice(0, at + 1)).steps;
    expect(step).toMatchObject({state: 'waiting', wait: {inSeconds: 5, missing: [{found: 'nothing'}]}});
    expect(step?.failure).toBeUndefined();
    expect(runView(events).steps[0]).toMatchObject({state: 'unchanged'});
    expect(runView(events).steps[0]?.wait).toBeUndefined();
  });

  test('is looked at once more at a key, before its time', async () => {
    let look = () => {};
    const {result} = await run(
      {hosts, steps: [waits('record', 'record')]},
      {
        events: event => {
          if (event.type !== 'waiting') return;
          make('record', 'right');
          setImmediate(() => look());
        },
        control: {
          ...running,
          onLookAgain: callback => {
            look = callback;
            return () => {};
          },
        },
        // Only the key ends this pause.
        sleep: (_, signal) => new Promise(resolve => signal?.addEventListener('abort', () => resolve())),
      },
    );
    expect(result.outcome).toBe('succeeded');
  });

  test('is given up when the time is over: what needs it is not begun, the rest is done, resume goes on', async () => {
    const disk = newDisk();
    const record = waits('record', 'record');
    const steps = [record, writes('needs', {after: [record]}), writes('other')];
    const {result, events, slept} = await run({hosts, steps, disk}, {patience: 12});
    expect(result).toMatchObject({outcome: 'waiting', failed: 0, failures: [{kind: 'waiting', host: 'one'}]});
    expect(result.failures[0]?.message).toBe('Waiting for you: record is there');
    expect(slept).toEqual([5, 7]);
    expect(ends(events)).toEqual(['other@one changed', 'record@one waiting', 'needs@one blocked']);
    expect(of(events, 'run.finished')).toMatchObject([{outcome: 'waiting', failed: 0}]);
    expect(lastRunOf(events)).toMatchObject({outcome: 'waiting', failed: [{step: 'record'}]});
    make('record', 'right');
    const again = await run({hosts, steps, disk});
    expect(again.result).toMatchObject({outcome: 'succeeded', changed: 1});
    expect(of(again.events, 'waiting')).toEqual([]);
  });

  test('waits not at all without patience, and not for what is there', async () => {
    const none = await run({hosts, steps: [waits('record', 'record')]}, {patience: 0});
    expect(none.result.outcome).toBe('waiting');
    expect(none.slept).toEqual([]);
    make('record', 'right');
    expect((await run({hosts, steps: [waits('record', 'record')]}, {patience: 0})).result.outcome).toBe('succeeded');
  });

  test('ends with the run when it is stopped', async () => {
    const stop = new AbortController();
    const events: RunEvent[] = [];
    const {result} = await run(
      {hosts, steps: [waits('record', 'record')]},
      {
        control: {...running, signal: stop.signal},
        events: event => {
          events.push(event);
          if (event.type === 'waiting') stop.abort();
        },
      },
    );
    expect(result.outcome).toBe('stopped');
    expect(ends(events)).toEqual(['record@one stopped']);
  });

  test('costs a finished installation no round trip of its own, and is proven by it', async () => {
    const disk = newDisk();
    make('record', 'right');
    const steps = [waits('record', 'record'), writes('other')];
    await run({hosts, steps, disk});
    const before = hosts.execs('one');
    const {result, events} = await run({hosts, steps, disk});
    expect(result).toMatchObject({outcome: 'succeeded', changed: 0});
    expect(of(events, 'verified')).toMatchObject([{check: 'record', passed: true}]);
    expect(hosts.execs('one') - before).toBe(1);
  });

  test('is said by the plan before anything begins', async () => {
    const {steps} = await plan({hosts, steps: [waits('record', 'record'), writes('other')]});
    expect(steps.map(({step, awaits}) => [step, awaits])).toEqual([
      ['record', ['record is there']],
      ['other', undefined],
    ]);
  });

  test('may find out in a resource that something is missing: it is tried again, and the others go on', async () => {
    let asked = 0;
    const certificate = stepOf('certificate', {
      resources: () => [
        {
          id: 'certificate',
          doing: 'taking the certificate over',
          probe: sh`true`,
          assess: () =>
            ok(
              asked > 2
                ? {changes: []}
                : {
                    changes: [{summary: 'take it over'}],
                    apply: async () => {
                      asked += 1;
                      return asked > 2
                        ? ok()
                        : err({kind: 'waiting' as const, message: 'The CA has not signed yet.', remedy: 'Ask the CA.'});
                    },
                  },
            ),
        },
      ],
    });
    const {result, events, questions} = await run({hosts, steps: [certificate, writes('other')]});
    expect(result).toMatchObject({outcome: 'succeeded', failed: 0, changed: 2});
    expect(questions).toEqual([]);
    expect(ends(events)).toEqual(['other@one changed', 'certificate@one changed']);
    expect(of(events, 'waiting').map(({missing}) => missing[0]?.title)).toEqual([
      'The CA has not signed yet.',
      'The CA has not signed yet.',
    ]);
  });
});
