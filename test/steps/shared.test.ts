import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {managedFile, UnsafeText, word} from '../../steps/shared/config-text.ts';
import {isPublic, servedNames, systemOf, vpns} from '../../steps/shared/deployment.ts';
import {anEnvironment} from '../support/deployments.ts';
import {sampleFacts} from '../support/facts.ts';
import {sampleDeployment} from '../support/step-context.ts';

describe('words of configuration files', () => {
  it('takes what names, addresses, blocks, paths and keys are made of', () => {
    for (const text of ['openg2p.test', '*.openg2p.test', '10.0.0.0/24', '[fd00::1]', '/srv/nfs', 'a+b/c=', 51820])
      expect(word(text)).toBe(String(text));
  });

  it('refuses every text that a file’s format could take for more than a word', () => {
    const special = fc.constantFrom(
      '\n',
      '\r',
      ' ',
      '\t',
      ';',
      '#',
      '"',
      "'",
      '`',
      '$',
      '{',
      '}',
      '\\',
      ',',
      '|',
      '\0',
      '',
    );
    fc.assert(
      fc.property(fc.string(), special, fc.string(), (before, middle, after) => {
        fc.pre(middle !== '' || before + after === '');
        expect(() => word(before + middle + after)).toThrow(UnsafeText);
      }),
    );
  });

  it('marks every file as ours in its first line', () => {
    expect(managedFile('a', ['b', 'c'])).toBe('# Managed by Groundwork. Changes made here are overwritten.\na\nb\nc\n');
  });
});

describe('what steps read from a deployment', () => {
  const environments = [anEnvironment({name: 'qa'})];

  it('names each environment in the certificate, because a wildcard covers one level', () => {
    expect(servedNames(sampleDeployment({environments}))).toEqual([
      'openg2p.test',
      '*.openg2p.test',
      'qa.openg2p.test',
      '*.qa.openg2p.test',
    ]);
  });

  it('counts the interfaces of private channels only', () => {
    const web = {name: 'web', kind: 'public' as const, acknowledgement: ''};
    const deployment = {...sampleDeployment(), channels: [web, ...sampleDeployment().channels]};
    expect(vpns(deployment).map(vpn => vpn.interface)).toEqual(['wg0']);
    expect([isPublic(deployment), isPublic(sampleDeployment())]).toEqual([true, false]);
  });

  it('treats an unknown release as its newest known relative', () => {
    const {os} = sampleFacts();
    expect(systemOf({os: {...os, version: '26.04'}}).codename).toBe('noble');
    expect(systemOf({os: {...os, id: 'debian', version: '14'}}).codename).toBe('trixie');
  });
});
