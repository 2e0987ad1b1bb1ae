import {z} from 'zod';
import {cronSchedule, dnsLabel, hostReference, port, unixPath} from './scalars.ts';

/** A registry of the site that images are pulled from. Its password, if it wants one, is in the vault. */
export const imageRegistry = z.strictObject({
  /** With a path when the registry keeps the images of others below one: `https://registry.site.example/mirror`. */
  address: z
    .string()
    .regex(
      /^https?:\/\/[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?(\/[\w.-]+)*$/,
      'must be an address like https://registry.site.example:5000, without a login and without "/" at its end',
    ),
  user: z
    .string()
    .regex(/^[\w.@$+-]+$/, 'must be a user name of the registry')
    .optional(),
  /** On the compute hosts: the certificate of the authority that signed the registry's own. */
  authorityFile: unixPath.optional(),
});

/** How much of a machine a part of the platform may take: `small` is for one machine of the sandbox's size. */
const platformSize = z.enum(['small', 'medium', 'large']);

/** An address that mail goes from or to. */
const mailAddress = z.email('must be a mail address, like operators@example.org');

/**
 * Where alerts go. Nothing secret stands here: the address of Slack's webhook, the mail server's password and the token
 * of Telegram's bot are in the vault.
 */
export const alertChannels = z.strictObject({
  slack: z.strictObject({channel: z.string().regex(/^[#@][\w.-]+$/, 'must be a channel like #alerts')}).optional(),
  mail: z
    .strictObject({
      server: hostReference,
      port: port.default(587),
      from: mailAddress,
      to: z.array(mailAddress).min(1, 'needs at least one receiver'),
      /** Without it the server is used without logging in. */
      user: z
        .string()
        .regex(/^[^\p{Cc}]+$/u, 'must be a user name of the mail server')
        .optional(),
    })
    .optional(),
  /** The number of the chat, negative for a group. */
  telegram: z.strictObject({chat: z.int().refine(chat => chat !== 0, 'must be the number of a chat')}).optional(),
});

/** What runs on the cluster for its operators. */
const platform = {
  storage: z
    .strictObject({
      /** Of the class that claims get when they name none. */
      className: dnsLabel,
      /** What becomes of the data of a claim that is deleted. */
      reclaim: z.enum(['Retain', 'Delete']),
    })
    .default({className: 'nfs-csi', reclaim: 'Retain'}),
  rancher: z
    .strictObject({
      enabled: z.boolean().default(true),
      replicas: z.int().min(1).max(5).default(1),
    })
    .default({enabled: true, replicas: 1}),
  monitoring: z
    .strictObject({
      enabled: z.boolean().default(true),
      size: platformSize.default('small'),
      alerts: alertChannels.default({}),
    })
    .default({enabled: true, size: 'small', alerts: {}}),
  logging: z
    .strictObject({
      enabled: z.boolean().default(true),
      size: platformSize.default('small'),
      /** After which log lines are erased. */
      retentionDays: z.int().min(1).max(365).default(7),
    })
    .default({enabled: true, size: 'small', retentionDays: 7}),
};

/** RKE2 and what runs on it. */
export const kubernetes = z.strictObject({
  /** A row of the version matrix. */
  versions: z.string().default('default'),
  /** The profile that RKE2 has for the CIS benchmark: more is refused, also of what others install. */
  cis: z.boolean().default(false),
  registry: imageRegistry.optional(),
  /** Copies of the cluster's state on the host itself; those that are off the host are another matter. */
  snapshots: z
    .strictObject({schedule: cronSchedule, keep: z.int().min(1).max(1000)})
    // The two defaults of RKE2 itself.
    .default({schedule: '0 */12 * * *', keep: 5}),
  ...platform,
});
