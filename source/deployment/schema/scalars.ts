import {z} from 'zod';
import {parseAddress, parseCidr} from '../../network/address.ts';
import {isDnsLabel, isDomainName, isHostReference} from '../../network/names.ts';
import type {Result} from '../../result.ts';

export const checked = (test: (text: string) => string | undefined) =>
  z.string().superRefine((text, context) => {
    const wrong = test(text);
    if (wrong) context.addIssue({code: 'custom', message: wrong});
  });

/** Checked and brought into its one canonical form, so that the rest of the program can compare text. */
const canonical = (parse: (text: string) => Result<string, string>) =>
  z.string().transform((text, context) => {
    const result = parse(text);
    if (result.ok) return result.value;
    context.addIssue({code: 'custom', message: result.error});
    return z.NEVER;
  });

export const address = canonical(parseAddress);
export const cidr = canonical(parseCidr);
export const dnsLabel = checked(text =>
  isDnsLabel(text)
    ? undefined
    : 'must be a DNS label: 1 to 63 lower-case letters, digits and hyphens, no hyphen at either end',
);
export const domainName = checked(text =>
  isDomainName(text) ? undefined : 'must be a domain name in lower case with at least one dot, like openg2p.test',
);
export const hostReference = checked(text =>
  isHostReference(text) ? undefined : 'must be an IP address or a host name',
);
export const port = z
  .int('must be a whole number')
  .min(1, 'must be from 1 to 65535')
  .max(65535, 'must be from 1 to 65535');
export const unixPath = z
  .string()
  .regex(/^\/(?!\/)[\w./@-]*$/, 'must be an absolute path of letters, digits and . _ @ - /');
export const userName = z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/i, 'must be a user name of the host');

/** Minute, hour, day of the month, month, day of the week; each a number, `*`, a range, a list or a step. */
export const cronSchedule = z
  .string()
  .regex(/^[\d*,/-]+( [\d*,/-]+){4}$/, 'must be five fields of cron, like "0 */12 * * *" (twice a day)');
