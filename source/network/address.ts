import ipaddr from 'ipaddr.js';
import {err, ok, type Result} from '../result.ts';

/** An address as text in its one canonical form. */
export type Address = string;

/** A block as text in canonical form: the first address of the block, then the prefix length. */
export type Cidr = string;

type Parsed = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * IPv6 text with the IPv4 address that may stand at its end written as two groups. The library reads octal numbers in
 * such an address, and takes `::10.0.0.1` for `::ffff:10.0.0.1`.
 */
const withoutDots = (text: string): string | undefined => {
  if (!text.includes('.')) return text;
  const at = text.lastIndexOf(':') + 1;
  const embedded = text.slice(at);
  if (!ipaddr.IPv4.isValidFourPartDecimal(embedded)) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = ipaddr.IPv4.parse(embedded).octets;
  return `${text.slice(0, at)}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
};

const parseIpv6 = (text: string): ipaddr.IPv6 | undefined => {
  const plain = /^[0-9a-f:.]+$/i.test(text) ? withoutDots(text) : undefined;
  return plain !== undefined && ipaddr.IPv6.isValid(plain) ? ipaddr.IPv6.parse(plain) : undefined;
};

/**
 * IPv4 in four decimal numbers, or IPv6; nothing else that libraries let through (octal, one number, zones).
 * The canonical form of IPv6 is that of RFC 5952.
 */
export const parseAddress = (text: string): Result<Address, string> => {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ok(text);
  const ipv6 = parseIpv6(text);
  return ipv6 ? ok(ipv6.toRFC5952String()) : err(`"${text}" is not an IP address`);
};

/** A block whose address is its first one: 10.0.0.0/24, not 10.0.0.5/24. */
export const parseCidr = (text: string): Result<Cidr, string> => {
  const [addressText = '', prefixText = '', ...rest] = text.split('/');
  const address = parseAddress(addressText);
  if (rest.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(prefixText) || !address.ok) {
    return err(`"${text}" is not a subnet; write it like 10.0.0.0/24`);
  }
  const prefix = Number(prefixText);
  const bits = addressText.includes(':') ? 128 : 32;
  if (prefix > bits) return err(`"${text}": the prefix length can be at most ${bits}`);
  const first = firstAddress(address.value, prefix);
  if (first !== address.value)
    return err(`"${text}" is an address inside a subnet; the subnet itself is ${first}/${prefix}`);
  return ok(`${first}/${prefix}`);
};

const split = (cidr: Cidr): {address: Parsed; prefix: number; bits: number} => {
  const [text = '', prefix = ''] = cidr.split('/');
  const address = ipaddr.parse(text);
  return {address, prefix: Number(prefix), bits: address.kind() === 'ipv4' ? 32 : 128};
};

const toInteger = (address: Parsed): bigint =>
  address.toByteArray().reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);

const fromInteger = (value: bigint, bits: number): Address => {
  const bytes = Array.from({length: bits / 8}, (_, index) => Number((value >> BigInt(bits - 8 * (index + 1))) & 255n));
  const parsed = ipaddr.fromByteArray(bytes);
  return parsed instanceof ipaddr.IPv6 ? parsed.toRFC5952String() : parsed.toString();
};

const firstAddress = (address: Address, prefix: number): Address => {
  const parsed = ipaddr.parse(address);
  const bits = parsed.kind() === 'ipv4' ? 32 : 128;
  const size = BigInt(bits - prefix);
  return fromInteger((toInteger(parsed) >> size) << size, bits);
};

/** The block of `prefix` bits that an address lies in. */
export const subnetOf = (address: Address, prefix: number): Cidr => `${firstAddress(address, prefix)}/${prefix}`;

export const prefixOf = (cidr: Cidr): number => split(cidr).prefix;

export const isIpv6 = (text: Address | Cidr): boolean => text.includes(':');

/** How many addresses a block holds. */
export const sizeOf = (cidr: Cidr): bigint => {
  const {prefix, bits} = split(cidr);
  return 1n << BigInt(bits - prefix);
};

/** The address `index` places after the first one of a block; undefined outside the block. */
export const addressAt = (cidr: Cidr, index: number | bigint): Address | undefined => {
  const {address, bits} = split(cidr);
  const offset = BigInt(index);
  return offset >= 0n && offset < sizeOf(cidr) ? fromInteger(toInteger(address) + offset, bits) : undefined;
};

/** Whether `inner`, an address or a block, lies wholly in `outer`. */
export const contains = (outer: Cidr, inner: Address | Cidr): boolean => {
  const whole = inner.includes('/') ? inner : `${inner}/${isIpv6(inner) ? 128 : 32}`;
  const [a, b] = [split(outer), split(whole)];
  return (
    a.bits === b.bits &&
    a.prefix <= b.prefix &&
    toInteger(b.address) >> BigInt(a.bits - a.prefix) === toInteger(a.address) >> BigInt(a.bits - a.prefix)
  );
};

export const overlap = (a: Cidr, b: Cidr): boolean => contains(a, b) || contains(b, a);

/** How many addresses of a block can be given to hosts: for IPv4 without the network's and the broadcast address. */
export const hostCapacity = (cidr: Cidr): bigint =>
  isIpv6(cidr) || prefixOf(cidr) >= 31 ? sizeOf(cidr) : sizeOf(cidr) - 2n;

/** Whether an IPv4 address can be a host's own in its block: not the network's, not the broadcast address. */
export const isHostAddress = (cidr: Cidr, address: Address): boolean => {
  if (!contains(cidr, address)) return false;
  if (isIpv6(cidr) || prefixOf(cidr) >= 31) return true;
  return address !== addressAt(cidr, 0) && address !== addressAt(cidr, sizeOf(cidr) - 1n);
};

/** What the address space that a block begins in is set aside for; `public` when it is for nothing special. */
export type Purpose = 'public' | 'private' | 'shared' | 'loopback' | 'link-local' | 'multicast' | 'reserved';

/**
 * `private` is RFC 1918 and fc00::/7, `shared` is what carriers use behind their NAT (100.64.0.0/10, RFC 6598);
 * `reserved` also stands for documentation, benchmarks and translation.
 */
export const purposeOf = (block: Address | Cidr): Purpose => {
  const range = ipaddr.parse(block.split('/')[0] ?? '').range();
  switch (range) {
    case 'unicast':
      return 'public';
    case 'private':
    case 'uniqueLocal':
      return 'private';
    case 'carrierGradeNat':
      return 'shared';
    case 'loopback':
      return 'loopback';
    case 'linkLocal':
      return 'link-local';
    case 'multicast':
      return 'multicast';
    default:
      return 'reserved';
  }
};

/** The most addresses that one range or scan may name; more is surely a slip of the key. */
export const largestRange = 4096;

/** The addresses that `10.0.0.11-20` or `10.0.0.11-10.0.0.20` names, both ends included. */
export const expandRange = (text: string): Result<Address[], string> => {
  const [from = '', to = '', ...rest] = text.split('-');
  const start = parseAddress(from.trim());
  const shorthand = /^\d{1,3}$/.test(to.trim()) && from.includes('.');
  const end = parseAddress(
    shorthand ? `${from.trim().slice(0, from.trim().lastIndexOf('.'))}.${to.trim()}` : to.trim(),
  );
  if (rest.length > 0 || !start.ok || !end.ok || isIpv6(start.value) !== isIpv6(end.value)) {
    return err(`"${text}" is not a range; write it like 10.0.0.11-20`);
  }
  const [first, last] = [start.value, end.value].map(address => toInteger(ipaddr.parse(address))) as [bigint, bigint];
  if (last < first) return err(`"${text}" ends before it begins`);
  if (last - first >= BigInt(largestRange)) return err(`"${text}" names more than ${largestRange} addresses`);
  const bits = isIpv6(start.value) ? 128 : 32;
  return ok(Array.from({length: Number(last - first) + 1}, (_, index) => fromInteger(first + BigInt(index), bits)));
};
