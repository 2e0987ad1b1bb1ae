import {parseAddress} from './address.ts';

/** RFC 1123: what Kubernetes takes as the name of a namespace or node, and DNS as one part of a name. */
export const isDnsLabel = (text: string): boolean => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text);

/** Labels with dots, 253 characters at most, at least two labels, the last not all digits. */
export const isDomainName = (text: string): boolean => {
  const labels = text.split('.');
  return text.length <= 253 && labels.length >= 2 && labels.every(isDnsLabel) && !/^\d+$/.test(labels.at(-1) ?? '');
};

/** What can be dialled: an address, a domain name, or a single-label name of a local network; case does not matter. */
export const isHostReference = (text: string): boolean => {
  const name = text.toLowerCase();
  return parseAddress(text).ok || isDomainName(name) || (isDnsLabel(name) && !/^\d+$/.test(name));
};
