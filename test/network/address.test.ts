import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {
  addressAt,
  contains,
  expandRange,
  hostCapacity,
  isHostAddress,
  isIpv6,
  largestRange,
  overlap,
  parseAddress,
  parseCidr,
  prefixOf,
  purposeOf,
  sizeOf,
  subnetOf,
} from '../../source/network/address.ts';
import {askPython} from '../support/python.ts';

const samples = 2000;
const sample = <T>(arbitrary: fc.Arbitrary<T>): T[] => fc.sample(arbitrary, {numRuns: samples, seed: 1});

/** Mostly near misses: right addresses with one character changed, and odd spellings that libraries differ on. */
const addressText = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc
    .tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(40), fc.constantFrom('', '0', ':', '.', 'f', ' ', '%', 'g', '١'))
    .map(([text, at, character]) => text.slice(0, at) + character + text.slice(at + 1)),
  fc
    .array(fc.constantFrom('0', '00', '1', '010', '255', '256', '0x10', '-1', ''), {minLength: 3, maxLength: 5})
    .map(parts => parts.join('.')),
  fc
    .array(fc.constantFrom('', '0', '1', 'ffff', '00001', 'g', '10.0.0.1', '010.0.0.1'), {minLength: 2, maxLength: 9})
    .map(parts => parts.join(':')),
);

/** Canonical blocks, small ones and large ones of both families. */
const block: fc.Arbitrary<string> = fc.oneof(
  fc.tuple(fc.ipV4(), fc.nat(32)).map(([address, prefix]) => subnetOf(address, prefix)),
  fc
    .tuple(fc.constantFrom('10.0.0.0', '10.15.0.0', '10.42.1.0', '172.16.0.0'), fc.integer({min: 4, max: 32}))
    .map(([address, prefix]) => subnetOf(address, prefix)),
  fc.tuple(fc.ipV6(), fc.nat(128)).map(([address, prefix]) => subnetOf(parsed(address), prefix)),
);

const parsed = (text: string): string => {
  const result = parseAddress(text);
  if (!result.ok) throw new Error(result.error);
  return result.value;
};

const canonical = (text: string) => {
  const result = parseAddress(text);
  return result.ok ? result.value : null;
};

describe('an address, judged by Python', () => {
  it('is taken or refused alike, and means the same', () => {
    const texts = sample(addressText);
    const answers = askPython<{text: string; ours: string | null}, {valid: boolean; same: boolean}>(
      [
        'try:',
        '    theirs = ipaddress.ip_address(case["text"])',
        '    theirs = None if "%" in case["text"] else theirs',
        'except ValueError:',
        '    theirs = None',
        'ours = None if case["ours"] is None else ipaddress.ip_address(case["ours"])',
        'return {"valid": theirs is not None, "same": ours == theirs}',
      ],
      texts.map(text => ({text, ours: canonical(text)})),
    );
    expect(texts.filter((_, index) => !answers[index]?.same)).toEqual([]);
    // The samples must hold enough of both kinds for this to mean something.
    expect(answers.filter(answer => answer.valid).length).toBeGreaterThan(samples / 10);
    expect(answers.filter(answer => !answer.valid).length).toBeGreaterThan(samples / 10);
  });

  it('has one canonical form, that of RFC 5952', () => {
    const texts = sample(fc.ipV6());
    // Python 3.13 writes ::ffff:10.0.0.1 with dots, which the standard leaves open.
    const answers = askPython<string, string>(['return ipaddress.ip_address(case).compressed'], texts);
    const plain = texts.flatMap((text, index) => (answers[index]?.includes('.') ? [] : [[text, answers[index]]]));
    expect(plain.map(([text = '']) => canonical(text))).toEqual(plain.map(([, answer]) => answer));
    expect(plain.length).toBeGreaterThan(samples / 2);
  });

  it('says what is wrong in words', () => {
    expect(parseAddress('10.0.0.300')).toEqual({ok: false, error: '"10.0.0.300" is not an IP address'});
  });
});

describe('a subnet, judged by Python', () => {
  it('is taken or refused alike', () => {
    const texts = sample(
      fc.oneof(
        block,
        fc
          .tuple(
            addressText,
            fc.constantFrom('/0', '/8', '/24', '/024', '/32', '/33', '/64', '/128', '/129', '/', '', '/+8'),
          )
          .map(parts => parts.join('')),
      ),
    );
    const answers = askPython<string, boolean>(
      [
        '# Python takes netmasks and a missing prefix too, which nobody should write here.',
        'address, slash, prefix = case.partition("/")',
        'if not slash or not prefix.isdigit() or not prefix.isascii() or (prefix[0] == "0" and prefix != "0") or "%" in address:',
        '    return False',
        'try:',
        '    ipaddress.ip_network(case, strict=True)',
        '    return True',
        'except ValueError:',
        '    return False',
      ],
      texts,
    );
    expect(texts.filter((text, index) => parseCidr(text).ok !== answers[index])).toEqual([]);
    expect(answers.filter(valid => !valid).length).toBeGreaterThan(samples / 10);
  });

  it('contains and overlaps alike, and counts alike', () => {
    const pairs = sample(fc.tuple(block, block));
    const answers = askPython(
      [
        'a, b = (ipaddress.ip_network(text) for text in case)',
        'inside = a.version == b.version and b.subnet_of(a)',
        'return [inside, a.overlaps(b), str(a.num_addresses), a.prefixlen]',
      ],
      pairs,
    );
    const ours = pairs.map(([a, b]) => [contains(a, b), overlap(a, b), String(sizeOf(a)), prefixOf(a)]);
    expect(ours).toEqual(answers);
    expect(ours.filter(([inside]) => inside).length).toBeGreaterThan(20);
  });

  it('gives the same address at a place, and none outside', () => {
    const cases = sample(fc.tuple(block, fc.integer({min: -2, max: 70_000})));
    const answers = askPython(
      [
        'net = ipaddress.ip_network(case[0])',
        'return str(int(net[case[1]])) if 0 <= case[1] < net.num_addresses else None',
      ],
      cases,
    );
    const numbers = askPython<string | null, string | null>(
      ['return None if case is None else str(int(ipaddress.ip_address(case)))'],
      cases.map(([cidr, index]) => addressAt(cidr, index) ?? null),
    );
    expect(numbers).toEqual(answers);
  });

  it('tells addresses of hosts from those of the network and the broadcast', () => {
    const cases = sample(fc.tuple(fc.tuple(fc.ipV4(), fc.integer({min: 22, max: 32})), fc.ipV4())).flatMap(
      ([[address, prefix], other]) => {
        const cidr = subnetOf(address, prefix);
        return [address, other, addressAt(cidr, 0), addressAt(cidr, sizeOf(cidr) - 1n)].map(text => [cidr, text ?? '']);
      },
    );
    const answers = askPython(
      [
        'net, address = ipaddress.ip_network(case[0]), ipaddress.ip_address(case[1])',
        'edge = net.prefixlen < 31 and address in (net.network_address, net.broadcast_address)',
        'return address in net and not edge',
      ],
      cases,
    );
    expect(cases.map(([cidr = '', text = '']) => isHostAddress(cidr, text))).toEqual(answers);
  });

  it('has room for as many hosts as Python counts', () => {
    const blocks = sample(fc.tuple(fc.ipV4(), fc.integer({min: 20, max: 32}))).slice(0, 50);
    const cidrs = blocks.map(([address, prefix]) => subnetOf(address, prefix));
    const answers = askPython(['return len(list(ipaddress.ip_network(case).hosts()))'], cidrs);
    expect(cidrs.map(cidr => Number(hostCapacity(cidr)))).toEqual(answers);
  });

  it.each([
    ['10.0.0.5/24', '"10.0.0.5/24" is an address inside a subnet; the subnet itself is 10.0.0.0/24'],
    ['10.0.0.0/33', '"10.0.0.0/33": the prefix length can be at most 32'],
    ['fd00::/129', '"fd00::/129": the prefix length can be at most 128'],
    ['10.0.0.0', '"10.0.0.0" is not a subnet; write it like 10.0.0.0/24'],
    ['10.0.0.0/255.0.0.0', '"10.0.0.0/255.0.0.0" is not a subnet; write it like 10.0.0.0/24'],
  ])('%s is refused with a reason that helps', (text, error) => {
    expect(parseCidr(text)).toEqual({ok: false, error});
  });
});

describe('properties of blocks', () => {
  it('every block is the block of each of its addresses', () => {
    fc.assert(
      fc.property(block, fc.nat(), (cidr, seed) => {
        const address = addressAt(cidr, BigInt(seed) % sizeOf(cidr));
        return address !== undefined && contains(cidr, address) && subnetOf(address, prefixOf(cidr)) === cidr;
      }),
    );
  });

  it('two blocks overlap exactly when one contains the other, whichever is named first', () => {
    fc.assert(
      fc.property(
        block,
        block,
        (a, b) => overlap(a, b) === overlap(b, a) && overlap(a, b) === (contains(a, b) || contains(b, a)),
      ),
    );
  });

  it('a canonical text reads back as itself', () => {
    fc.assert(fc.property(block, cidr => parseCidr(cidr).ok && (parseCidr(cidr) as {value: string}).value === cidr));
  });
});

describe('what an address is set aside for', () => {
  it.each([
    ['10.0.0.1', 'private'],
    ['192.168.7.0/24', 'private'],
    ['fd00::/8', 'private'],
    ['100.64.0.0/10', 'shared'],
    ['127.0.0.1', 'loopback'],
    ['::1', 'loopback'],
    ['169.254.1.1', 'link-local'],
    ['224.0.0.1', 'multicast'],
    ['203.0.113.7', 'reserved'],
    ['255.255.255.255', 'reserved'],
    ['8.8.8.8', 'public'],
    ['2606:4700::/32', 'public'],
  ])('%s: %s', (text, purpose) => {
    expect(purposeOf(text)).toBe(purpose);
  });
});

describe('a range of addresses', () => {
  it.each([
    ['10.0.0.11-13', ['10.0.0.11', '10.0.0.12', '10.0.0.13']],
    ['10.0.0.254-10.0.1.1', ['10.0.0.254', '10.0.0.255', '10.0.1.0', '10.0.1.1']],
    [' 10.0.0.1 - 2 ', ['10.0.0.1', '10.0.0.2']],
    ['10.0.0.1-1', ['10.0.0.1']],
    ['fd00::fffe-fd00::1:1', ['fd00::fffe', 'fd00::ffff', 'fd00::1:0', 'fd00::1:1']],
  ])('%s names both its ends and all between', (text, addresses) => {
    expect(expandRange(text)).toEqual({ok: true, value: addresses});
  });

  it.each([
    ['10.0.0.20-11', /ends before it begins/],
    ['10.0.0.1-256', /is not a range/],
    ['10.0.0.1-010', /is not a range/],
    ['10.0.0.1-2-3', /is not a range/],
    ['10.0.0.1-fd00::1', /is not a range/],
    ['10.0.0.1', /is not a range/],
    ['10.0.0.0-10.255.0.0', /names more than 4096 addresses/],
  ])('%s is refused', (text, message) => {
    expect(expandRange(text)).toEqual({ok: false, error: expect.stringMatching(message)});
  });

  it('holds as many addresses as the limit allows, and not one more', () => {
    const last = addressAt('10.0.0.0/8', largestRange - 1);
    const result = expandRange(`10.0.0.0-${last}`);
    expect(result.ok && result.value.length).toBe(largestRange);
    expect(expandRange(`10.0.0.0-${addressAt('10.0.0.0/8', largestRange)}`).ok).toBe(false);
  });

  it('lists what Python lists', () => {
    const cases = sample(fc.tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(20)))
      .slice(0, 200)
      .flatMap(([text, more]) => {
        const first = parsed(text);
        const last = addressAt(isIpv6(first) ? '::/0' : '0.0.0.0/0', BigInt(numberOf(first)) + BigInt(more));
        return last === undefined ? [] : [[first, last] as const];
      });
    const answers = askPython<unknown, string[]>(
      [
        'first, last = (ipaddress.ip_address(text) for text in case)',
        'return [str(number) for number in range(int(first), int(last) + 1)]',
      ],
      cases,
    );
    const ours = cases.map(([first, last]) => {
      const range = expandRange(`${first}-${last}`);
      return range.ok ? range.value.map(numberOf) : range.error;
    });
    expect(ours).toEqual(answers);
  });
});

/** An address as a decimal number, without the code under test. */
const numberOf = (text: string): string => {
  const [head = '', tail = ''] = text.includes(':') ? text.split('::') : [];
  if (!text.includes(':')) return String(text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n));
  const groups = (half: string) => half.split(':').filter(Boolean);
  const zeros = text.includes('::') ? Array(8 - groups(head).length - groups(tail).length).fill('0') : [];
  return String(
    [...groups(head), ...zeros, ...groups(tail)].reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n),
  );
};
