import {describe, expect, it} from 'vitest';
import {readDraft} from '../../source/deployment/draft.ts';
import {type Migration, migrate, migrations} from '../../source/deployment/migrate.ts';
import {schemaVersion} from '../../source/deployment/schema.ts';
import {finished} from '../support/deployments.ts';

/** Made-up history: version 2 renamed a setting, version 3 made a list of it. */
const chain: Record<number, Migration> = {
  1: ({subnet, ...rest}) => ({...rest, privateSubnet: subnet}),
  2: ({privateSubnet, ...rest}) => ({...rest, privateSubnets: [privateSubnet]}),
};

describe('a document of an older version', () => {
  it('goes through every version up to the present one', () => {
    const old = {version: 1, name: 'pilot', subnet: '10.0.0.0/24'};
    expect(migrate(old, chain, 3)).toEqual({
      ok: true,
      value: {version: 3, name: 'pilot', privateSubnets: ['10.0.0.0/24']},
    });
    expect(old).toEqual({version: 1, name: 'pilot', subnet: '10.0.0.0/24'});
  });

  it('begins at its own version', () => {
    expect(migrate({version: 2, privateSubnet: 'a'}, chain, 3)).toEqual({
      ok: true,
      value: {version: 3, privateSubnets: ['a']},
    });
  });

  it('is left alone when it is of the present version', () => {
    expect(migrate({version: 3, subnet: 'a'}, chain, 3)).toEqual({ok: true, value: {version: 3, subnet: 'a'}});
  });

  it('is refused when there is no way from it', () => {
    expect(migrate({version: 0}, chain, 3)).toEqual({
      ok: false,
      error: expect.stringMatching(/version 0 cannot be read/),
    });
  });

  it('can be reached from every version since the first', () => {
    const versions = Array.from({length: schemaVersion - 1}, (_, index) => index + 1);
    expect(Object.keys(migrations).map(Number)).toEqual(versions);
  });
});

describe('a document whose version says nothing', () => {
  it.each([
    ['of a newer program', {version: 4}, /newer Groundwork.*update Groundwork/],
    ['without a version', {name: 'x'}, /version is missing/],
    ['with a version in quotes', {version: '3'}, /must be a whole number/],
    ['with half a version', {version: 1.5}, /must be a whole number/],
    ['that is a list', [], /not a deployment/],
    ['that is nothing', null, /not a deployment/],
    ['that is text', 'version: 1', /not a deployment/],
  ])('%s is refused', (_, raw, message) => {
    expect(migrate(raw, chain, 3)).toEqual({ok: false, error: expect.stringMatching(message)});
  });
});

describe('a saved draft', () => {
  const stored = (change: Parameters<typeof finished>[0]) => JSON.parse(JSON.stringify(finished(change)));

  it('keeps what is in its fields, right or wrong', () => {
    const raw = stored(draft => {
      draft.domain = '';
      draft.hosts[0]!.privateAddress = '10.0.0.';
      draft.network.adminSources = [];
      draft.tls = {mode: 'local-ca', leafDays: 1, renewDays: 60};
    });
    expect(readDraft(raw)).toEqual({ok: true, value: raw});
  });

  it('gets the defaults of settings that came later', () => {
    const {domain: _, components: __, ...rest} = stored(() => undefined);
    const raw = {...rest, domain: 'x', components: {dns: {}, nfs: {}, nginx: {}}};
    expect(readDraft(raw)).toEqual({ok: true, value: {...finished(), domain: 'x'}});
  });

  it('has an empty number field filled with its default', () => {
    const raw = stored(draft => {
      draft.tls = {mode: 'local-ca', leafDays: Number.NaN, renewDays: 60};
      draft.domain = '';
    });
    expect(raw.tls.leafDays).toBeNull();
    expect(readDraft(raw)).toMatchObject({ok: true, value: {tls: {leafDays: 397}}});
  });

  it.each([
    ['text where a number belongs', (raw: Record<string, unknown>) => ({...raw, hosts: [{port: 'x'}]}), /hosts\[0\]/],
    ['no hosts at all', ({hosts: _, ...raw}: Record<string, unknown>) => raw, /hosts is missing/],
    [
      'an unknown kind of channel',
      (raw: Record<string, unknown>) => ({...raw, channels: [{kind: 'x'}]}),
      /channels\[0\]/,
    ],
    [
      'a setting that does not exist',
      (raw: Record<string, unknown>) => ({...raw, colour: 'x'}),
      /"colour": no such setting/,
    ],
    ['a newer version', (raw: Record<string, unknown>) => ({...raw, version: 2}), /newer Groundwork/],
  ])('cannot be read with %s', (_, change, message) => {
    expect(readDraft(change(stored(() => undefined)))).toEqual({ok: false, error: expect.stringMatching(message)});
  });
});
