import type {Remedy} from '../../source/engine/step.ts';
import {platformRemedies} from '../shared/platform-remedies.ts';

/** What goes wrong while OpenG2P's services start, and then what goes wrong with anything on a cluster. */
export const environmentRemedies: readonly Remedy[] = [
  {
    id: 'environment-old-password',
    match: /password authentication failed for user/i,
    cause:
      'A database was made with another password than the vault has: its volume is of an earlier installation whose vault is gone.',
    remedy: 'Put the earlier vault back, or remove the environment with --purge if its data may go, then add it again.',
  },
  {
    id: 'environment-schema',
    match: /relation "?key_alias"? does not exist/i,
    cause:
      'The tables of a key manager are not there yet; its Job makes them while the service starts again and again.',
    remedy: 'Retry: the Job is made if it is not there, and the service comes up within a minute of its end.',
    transient: true,
  },
  {
    id: 'environment-foreign-object',
    match: /invalid ownership metadata|cannot be imported into the current release/i,
    cause: 'In the namespace is something of the same name that was not made by this release.',
    remedy: 'See what made it (`kubectl get KIND NAME -n NAMESPACE -o yaml`), remove or rename it, then retry.',
  },
  ...platformRemedies,
];
