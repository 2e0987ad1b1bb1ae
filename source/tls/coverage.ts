import {domainToASCII} from 'node:url';

/** A name as certificates and the DNS write it: lower case, letters of other scripts as `xn--…`, no dot at the end. */
export const asciiName = (name: string): string => {
  const bare = name.trim().replace(/\.$/, '');
  const [prefix, rest] = bare.startsWith('*.') ? ['*.', bare.slice(2)] : ['', bare];
  return prefix + (domainToASCII(rest) || rest.toLowerCase());
};

/**
 * Whether a DNS name of a certificate stands for a host name (RFC 9525 §6.3). A wildcard is a whole label, the first
 * one, and stands for exactly one label; so the domain itself is another name. `*.test` stands for nothing, as
 * for browsers and OpenSSL. Given a wildcard, the answer is whether all that it stands for is covered.
 */
export const nameCovers = (certified: string, name: string): boolean => {
  const [has, wanted] = [certified.toLowerCase(), asciiName(name)];
  if (has === wanted) return true;
  if (!has.startsWith('*.') || wanted.startsWith('*.')) return false;
  const domain = has.slice(2);
  const [label = '', ...rest] = wanted.split('.');
  return domain.includes('.') && !domain.includes('*') && label !== '' && rest.join('.') === domain;
};

/** Whether one of a certificate's names covers a host name, or all that a wildcard stands for. */
export const covers = (certified: readonly string[], name: string): boolean =>
  certified.some(each => nameCovers(each, name));
