import type {Deployment, HostSpec} from '../../source/deployment/schema.ts';
import {managedFile, word} from '../shared/config-text.ts';
import {hostsPlaying, roles} from '../shared/deployment.ts';

/** How one address is written where a subnet may stand. */
const alone = (address: string): string => `${address}/${address.includes(':') ? 128 : 32}`;

/** Machines whose pods work with the databases: pods come with their machine's address, but on their own machine with theirs. */
const clients = (deployment: Deployment, host: Pick<HostSpec, 'roles'>): readonly string[] => [
  ...hostsPlaying(deployment, roles.compute).map(({privateAddress}) => alone(privateAddress)),
  ...(host.roles.includes(roles.compute) ? [deployment.network.pods] : []),
];

/**
 * Who may connect: the machine's own users by their name, the compute hosts over TLS with a password, and nobody else.
 * OpenG2P's charts come as `postgres` to make databases and users, from the compute hosts, hence `all`; which database a
 * user may enter is said by the databases themselves. Copies of the whole server (`replication`) are for this machine only:
 * OpenG2P's charts give every user of theirs that right, and it would open all databases.
 */
export const accessRules = (deployment: Deployment, host: Pick<HostSpec, 'roles'>): string =>
  managedFile(
    'local   all          postgres                        peer',
    'local   all          all                             peer',
    'local   replication  postgres                        peer',
    'host    all          all  127.0.0.1/32               scram-sha-256',
    'host    all          all  ::1/128                    scram-sha-256',
    clients(deployment, host).map(from => `hostssl all          all  ${word(from)}  scram-sha-256`),
  );
