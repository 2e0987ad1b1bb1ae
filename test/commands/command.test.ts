import {describe, expect, it} from 'vitest';
import {parseInvocation} from '../../source/commands/command.ts';
import {exit, exitOf} from '../../source/commands/exit.ts';
import {helpOf} from '../../source/commands/help.ts';
import {commands} from '../../source/commands/index.ts';
import {newSecretsBox} from '../../source/commands/site.ts';

const command = {
  name: 'install',
  words: ['STEP', '[FILE]'],
  options: {
    yes: {type: 'boolean', short: 'y', help: ''},
    accept: {type: 'string', multiple: true, help: ''},
    output: {type: 'string', help: ''},
  },
} as const;

const errorOf = (args: readonly string[]): string => {
  const parsed = parseInvocation(command, args);
  return parsed.ok ? '' : parsed.error;
};

describe('a command line', () => {
  it('gives words, texts and flags', () => {
    const parsed = parseInvocation(command, [
      'nginx',
      '--accept',
      'memory',
      '--accept=cpus',
      '-y',
      '--output',
      'plain',
    ]);
    if (!parsed.ok) throw new Error(parsed.error);
    expect(parsed.value.positionals).toEqual(['nginx']);
    expect(parsed.value.texts('accept')).toEqual(['memory', 'cpus']);
    expect(parsed.value.text('output')).toBe('plain');
    expect(parsed.value.flag('yes')).toBe(true);
  });

  it('takes the last of an option that is given twice', () => {
    const parsed = parseInvocation(command, ['nginx', '--output', 'plain', '--output', 'jsonl']);
    expect(parsed.ok && parsed.value.text('output')).toBe('jsonl');
  });

  it('says which word is missing, which is too many, and which option is unknown', () => {
    expect(errorOf([])).toBe('STEP is missing');
    expect(errorOf(['nginx', 'file', 'other'])).toBe('"other" is one word too many');
    expect(errorOf(['nginx', '--force'])).toContain('--force');
    expect(errorOf(['nginx', '--output'])).toContain('--output');
  });
});

describe('the help', () => {
  it.each(
    commands.map(each => [each.name, each] as const),
  )('of %s fits 80 columns and has an example', (name, each) => {
    const text = helpOf(each);
    expect(Math.max(...text.split('\n').map(line => line.length))).toBeLessThanOrEqual(80);
    expect(text).toContain(`  groundwork ${name}`);
  });
});

describe('an exit status', () => {
  it.each([
    ['input', exit.usage],
    ['preflight', exit.preflight],
    ['host-key-changed', exit.unreachable],
    ['authentication', exit.unreachable],
    ['sudo', exit.unreachable],
    ['cancelled', exit.stopped],
    ['command', exit.failed],
    ['verification', exit.failed],
  ] as const)('tells scripts of a failure of kind %s', (kind, status) => {
    expect(exitOf({kind, message: ''})).toBe(status);
  });
});

describe('typed secrets', () => {
  it('are given only to what they were typed for', () => {
    const box = newSecretsBox();
    box.give('a', {password: 'for a'});
    box.give('b', {sudoPassword: 'sudo on b'});
    expect(box.credentials.password('a')).toBe('for a');
    expect(box.credentials.password('b')).toBeUndefined();
    expect(box.credentials.sudoPassword('b')).toBe('sudo on b');
  });

  it('are all known to what keeps them out of logs', () => {
    const box = newSecretsBox();
    box.give('a', {password: 'one', passphrase: 'two'}, '/home/me/.ssh/id');
    box.giveVaultPassphrase('sandbox', 'three');
    expect(new Set(box.values())).toEqual(new Set(['one', 'two', 'three']));
  });
});
