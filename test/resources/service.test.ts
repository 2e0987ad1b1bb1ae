import {describe, expect, test} from 'vitest';
import {readService, type Service, service, todo, unread} from '../../source/resources/service.ts';
import {ok} from '../../source/result.ts';
import {sh} from '../../source/shell/script.ts';

const file = '/etc/nginx/nginx.conf';
const seen = Date.parse('2025-11-21T08:22:12Z') / 1000;

type Recorded = {
  readonly show?: Readonly<Record<string, string>>;
  readonly files?: readonly string[];
  readonly loaded?: readonly string[];
};

/** What the probe prints for nginx on Debian 12. */
const printed = ({show = {}, files = [], loaded = []}: Recorded = {}): string => {
  const properties = {
    LoadState: 'loaded',
    UnitFileState: 'enabled',
    ActiveState: 'active',
    SubState: 'running',
    InvocationID: '5f0c2b',
    ActiveEnterTimestamp: 'Fri 2025-11-21 08:22:12 UTC',
    NeedDaemonReload: 'no',
    ...show,
  };
  return [
    ...Object.entries(properties).map(([key, value]) => `${key}=${value}`),
    '=== files',
    ...files,
    '=== loaded',
    ...loaded,
    '',
  ].join('\n');
};

const stateOf = (recorded: Recorded = {}) => {
  const state = readService('nginx', printed(recorded));
  if (!state.ok) throw new Error(state.error);
  return state.value;
};
const doing = (options: Service, recorded: Recorded = {}) =>
  todo(stateOf(recorded), 'nginx', options).map(({action}) => action);
const wanted: Service = {enabled: true, running: true, configuration: [file]};

describe('a unit that is as it should be', () => {
  test.each([
    'enabled',
    'static',
    'alias',
    'indirect',
    'generated',
  ])('starts at boot when systemd calls it %s', state => {
    expect(doing({enabled: true, running: true}, {show: {UnitFileState: state}})).toEqual([]);
  });

  test('may be reloading just now', () => {
    expect(doing({running: true}, {show: {ActiveState: 'reloading'}})).toEqual([]);
  });

  test('is left as it is where nothing was said', () => {
    expect(doing({}, {show: {UnitFileState: 'disabled', ActiveState: 'inactive'}})).toEqual([]);
  });
});

describe('a unit that is not', () => {
  test('is unmasked before it is enabled and started', () => {
    const show = {LoadState: 'masked', UnitFileState: 'masked', ActiveState: 'inactive'};
    expect(doing(wanted, {show})).toEqual(['unmask', 'enable', 'start']);
  });

  test('and is not there yet will be enabled and started', () => {
    const show = {LoadState: 'not-found', UnitFileState: '', ActiveState: 'inactive', ActiveEnterTimestamp: ''};
    expect(doing(wanted, {show, files: ['missing']})).toEqual(['enable', 'start']);
  });

  test('and is enabled only until the next boot is enabled', () => {
    expect(doing({enabled: true}, {show: {UnitFileState: 'enabled-runtime'}})).toEqual(['enable']);
  });

  test('and must not run is stopped and disabled', () => {
    expect(doing({enabled: false, running: false})).toEqual(['disable', 'stop']);
  });

  test('and has failed says so', () => {
    const state = stateOf({show: {ActiveState: 'failed', SubState: 'failed'}});
    expect(todo(state, 'nginx', {running: true})[0]?.summary).toBe('start nginx (it has failed)');
  });

  test('of a changed unit file makes systemd read that', () => {
    expect(doing({running: true}, {show: {NeedDaemonReload: 'yes'}})).toEqual(['daemon-reload']);
  });

  test('is an error on a host without systemd', () => {
    expect(readService('nginx', 'no-systemd\n').ok).toBe(false);
  });
});

describe('whether a unit has read its configuration', () => {
  const reads = (files: readonly string[], loaded: readonly string[], show = {}) =>
    unread(stateOf({files, loaded, show}), [file]).length === 0;

  test('is known by the hash while it lives on since we loaded it', () => {
    expect(reads([`aaa ${seen + 999}`], ['5f0c2b', `aaa ${file}`])).toBe(true);
    expect(reads([`bbb ${seen - 999}`], ['5f0c2b', `aaa ${file}`])).toBe(false);
  });

  test('is known by the times when it was started anew: a reboot is not a change', () => {
    expect(reads([`bbb ${seen - 1}`], ['old-life', `aaa ${file}`])).toBe(true);
    expect(reads([`bbb ${seen + 1}`], ['old-life', `aaa ${file}`])).toBe(false);
  });

  test('is doubted when both happened in the same second', () => {
    expect(reads([`aaa ${seen}`], [])).toBe(false);
  });

  test('is known by the times for a file that we did not load before', () => {
    expect(reads([`aaa ${seen - 1}`], ['5f0c2b', 'ccc /etc/other'])).toBe(true);
    expect(reads([`aaa ${seen + 1}`], ['5f0c2b', 'ccc /etc/other'])).toBe(false);
  });

  test('notices a file that went, and one that came back', () => {
    expect(reads(['missing'], ['5f0c2b', `aaa ${file}`])).toBe(false);
    expect(reads(['missing'], ['5f0c2b', `missing ${file}`])).toBe(true);
    expect(reads([`aaa ${seen - 1}`], ['5f0c2b', `missing ${file}`])).toBe(false);
  });

  test('does not matter while it does not run', () => {
    const show = {ActiveState: 'inactive'};
    expect(doing({configuration: [file]}, {files: [`aaa ${seen + 1}`], show})).toEqual([]);
    expect(doing(wanted, {files: [`aaa ${seen + 1}`], show})).toEqual(['start']);
  });

  test('decides about the reload or the restart that was asked for', () => {
    const files = [`aaa ${seen + 1}`];
    expect(doing(wanted, {files})).toEqual(['reload']);
    expect(doing({...wanted, onChange: 'restart'}, {files})).toEqual(['restart']);
  });
});

test('a unit cannot have a name that is an option or more than one word', () => {
  for (const wrong of ['--force', 'a b', 'x;y', '']) expect(() => service(wrong)).toThrow('not the name of a unit');
});

describe('a unit whose program was replaced', () => {
  const options: Service = {...wanted, programs: ['/usr/local/bin/nginx']};
  const running = (program: string): Recorded => ({
    files: [`aa ${seen - 50}`, program],
    loaded: ['5f0c2b', `aa ${file}`],
  });

  test('is restarted, whatever it does for its configuration', () => {
    expect(doing(options, running(`- ${seen + 1}`))).toEqual(['restart']);
  });

  test('is left alone when the program is older than its start, or was there in the second of it', () => {
    expect(doing(options, running(`- ${seen - 1}`))).toEqual([]);
    expect(doing(options, running(`- ${seen}`))).toEqual([]);
    expect(doing(options, running('missing'))).toEqual([]);
  });
});

describe('a unit that takes its time', () => {
  const slow = {seconds: 600, progress: sh`echo 'importing images'`};
  const scriptOf = async (options: Service, show: Readonly<Record<string, string>>) => {
    const assessed = service('nginx', options).assess({code: 0, stdout: printed({show}), stderr: ''});
    const scripts: {text: string; options: unknown}[] = [];
    await (assessed.ok ? assessed.value.apply : undefined)?.({
      now: () => new Date(),
      tell: () => {},
      send: async () => ok(),
      run: async (script, given) => {
        scripts.push({text: script.text, options: given});
        return ok({code: 0, stdout: '', stderr: '', truncated: false});
      },
    });
    return scripts[0];
  };

  test('is started in the background, in a job that outlives the connection', async () => {
    const started = await scriptOf({running: true, slow}, {ActiveState: 'inactive'});
    expect(started?.text).toContain('systemctl --no-block start nginx');
    expect(started?.text).toContain('importing images');
    expect(started?.options).toEqual({detached: true, timeoutMs: 660_000});
  });

  test('is enabled at once like any other', async () => {
    const enabled = await scriptOf({enabled: true, slow}, {UnitFileState: 'disabled'});
    expect(enabled?.text).toContain('systemctl --quiet enable nginx');
    expect(enabled?.text).not.toContain('--no-block');
  });
});
