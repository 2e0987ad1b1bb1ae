import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {isDnsLabel, isDomainName, isHostReference} from '../../source/network/names.ts';

const character = fc.constantFrom(...'abz09-._ AZé\n');
const text = fc.string({unit: character, maxLength: 66});

/** The rule of RFC 1123 §2.1 with lower case, spelt out one condition at a time. */
const followsRfc1123 = (label: string): boolean =>
  label.length >= 1 &&
  label.length <= 63 &&
  [...label].every(one => 'abcdefghijklmnopqrstuvwxyz0123456789-'.includes(one)) &&
  !label.startsWith('-') &&
  !label.endsWith('-');

describe('a DNS label', () => {
  it('follows RFC 1123 in lower case, whatever is thrown at it', () => {
    fc.assert(
      fc.property(text, label => isDnsLabel(label) === followsRfc1123(label)),
      {numRuns: 2000},
    );
  });

  it.each(['a', 'sandbox-1', '0', 'a'.repeat(63), 'xn--caf-dma'])('%s is one', label => {
    expect(isDnsLabel(label)).toBe(true);
  });

  it.each(['', '-a', 'a-', 'a.b', 'A', 'a_b', 'a'.repeat(64), 'a\n', 'é'])('%j is none', label => {
    expect(isDnsLabel(label)).toBe(false);
  });
});

describe('a domain name', () => {
  it.each(['openg2p.test', 'a.b.c', 'dev.openg2p.test', '1.2.com', `${'a'.repeat(63)}.test`])('%s is one', name => {
    expect(isDomainName(name)).toBe(true);
  });

  it.each([
    'openg2p',
    'openg2p.',
    '.test',
    'a..b',
    'OpenG2P.test',
    '*.openg2p.test',
    '10.0.0.1',
    'a.0',
    'openg2p.test\n',
    `${'a'.repeat(64)}.test`,
    Array(60).fill('abcd').join('.'),
  ])('%j is none', name => {
    expect(isDomainName(name)).toBe(false);
  });
});

describe('what can be dialled', () => {
  it.each(['10.0.0.11', 'fd00::1', 'vpn.example.org', 'jump', 'Jump-Box', 'VPN.Example.ORG'])('%s can', name => {
    expect(isHostReference(name)).toBe(true);
  });

  it.each([
    '',
    '10.0.0.300',
    '10.0.0',
    '123',
    'a b',
    'a;reboot',
    '-oProxyCommand=x',
    'user@host',
    'fe80::1%eth0',
    '[::1]',
  ])('%j cannot', name => {
    expect(isHostReference(name)).toBe(false);
  });
});
