import {describe, expect, it} from 'vitest';
import {resolveHere} from '../../source/network/resolve.ts';

const failing = (code: string) => ({
  resolve4: async () => {
    throw Object.assign(new Error(code), {code});
  },
});

describe('asking this machine’s own resolvers', () => {
  it('gives addresses with the time that they may be remembered, and asks below a wildcard', async () => {
    let asked = '';
    const resolver = {
      resolve4: async (name: string) => {
        asked = name;
        return [
          {address: '10.0.0.12', ttl: 300},
          {address: '10.0.0.11', ttl: 60},
        ];
      },
    };
    const answer = await resolveHere('*.qa.openg2p.test', resolver as never);
    expect(answer).toEqual({kind: 'addresses', addresses: ['10.0.0.11', '10.0.0.12'], ttl: 60});
    expect(asked).toMatch(/^groundwork-\d+\.qa\.openg2p\.test$/);
  });

  it.each([
    ['ENOTFOUND', {kind: 'absent', exists: false}],
    ['ENODATA', {kind: 'absent', exists: true}],
    ['ETIMEOUT', {kind: 'silent', said: 'timed out'}],
    ['ECONNREFUSED', {kind: 'silent', said: 'connection refused'}],
    ['ESERVFAIL', {kind: 'refused', status: 'SERVFAIL'}],
    ['EREFUSED', {kind: 'refused', status: 'REFUSED'}],
  ])('%s', async (code, expected) => {
    expect(await resolveHere('nothing.invalid', failing(code) as never)).toEqual(expected);
  });
});
