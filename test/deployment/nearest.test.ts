import {describe, expect, it} from 'vitest';
import {nearest} from '../../source/deployment/nearest.ts';

const known = ['name', 'reach', 'address', 'port', 'privateAddress', 'privateSubnet', 'adminSources'];

describe('the word that was meant', () => {
  it.each([
    ['adress', 'address'],
    ['prot', 'port'],
    ['private_address', 'privateAddress'],
    ['privatesubnet', 'privateSubnet'],
    ['admin-source', 'adminSources'],
    ['nme', 'name'],
  ])('%s: %s', (wrong, meant) => {
    expect(nearest(wrong, known)).toBe(meant);
  });

  it.each(['colour', 'x', 'firewall', ''])('is not guessed for %j', wrong => {
    expect(nearest(wrong, known)).toBeUndefined();
  });

  it('is nothing when nothing is known', () => {
    expect(nearest('name', [])).toBeUndefined();
  });
});
