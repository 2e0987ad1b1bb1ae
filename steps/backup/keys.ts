import type {Deployment} from '../../source/deployment/schema.ts';
import type {StepContext} from '../../source/engine/step.ts';
import {type Resource, resource, script} from '../../source/resources/resource.ts';
import {err, ok} from '../../source/result.ts';
import {nothing, sh} from '../../source/shell/script.ts';
import {sshPortOf} from '../firewall/firewall.ts';
import {keyPath} from './paths.ts';
import {keeps} from './settings.ts';

/** What the backup host has keys for, one each, so that each opens one thing only. */
export const fetchKeys = ['etcd', 'files', 'configurations'] as const;
export type FetchKey = (typeof fetchKeys)[number];

/** Of pgBackRest: from the backup host to the database, and from the database to the backup host. */
export const repositoryKey = 'postgresql-repository';
export const databaseKey = 'postgresql-database';

export const keyProduct = (key: string): string => `backup-key.${key}`;

/** The keys that the backup host makes for a deployment. */
export const keysOfBackupHost = (deployment: Deployment): readonly string[] => [
  ...fetchKeys.filter(key => keeps(deployment, key)),
  ...(keeps(deployment, 'postgresql') ? [repositoryKey] : []),
];

/** Words of an OpenSSH public key, `TYPE BASE64`, without the comment; undefined when it is none. */
const publicKeyIn = (text: string): string | undefined =>
  /^((?:ssh-(?:ed25519|rsa)|ecdsa-sha2-nistp\d+) [A-Za-z0-9+/]+=*)(?: |$)/m.exec(text)?.[1];

/** A key of the host’s own, made there; the private half never leaves it, the public half is a product. */
export const sshKey = (key: string, owner = 'root'): Resource => {
  const path = keyPath(key);
  return resource<{readonly publicKey: string | undefined; readonly permissions: string}>({
    id: `ssh key ${path}`,
    doing: `making the key ${key}`,
    probe: sh`if [ -s ${path} ]; then stat -c '%a %U' ${path}; ssh-keygen -y -P '' -f ${path} 2>/dev/null || :; fi`,
    read: ({stdout}) => {
      const [permissions = '', ...rest] = stdout.split('\n');
      return ok({permissions, publicKey: publicKeyIn(rest.join('\n'))});
    },
    diff: ({publicKey, permissions}) => {
      if (publicKey === undefined) return [{summary: 'make a private key on the host'}];
      return permissions === `600 ${owner}` ? [] : [{summary: `owner and mode ${permissions} → 600 ${owner}`}];
    },
    products: ({publicKey}) => (publicKey === undefined ? {} : {[keyProduct(key)]: publicKey}),
    apply: ({publicKey}) =>
      script(
        publicKey === undefined
          ? sh`set -e
rm -f ${`${path}.new`} ${`${path}.new.pub`}
ssh-keygen -q -t ed25519 -N '' -C ${`groundwork-backup ${key}`} -f ${`${path}.new`}
chown ${`${owner}:`} ${`${path}.new`}
rm -f ${`${path}.new.pub`}
mv -fT ${`${path}.new`} ${path}`
          : sh`chown ${`${owner}:`} ${path} && chmod 600 ${path}`,
      ),
  });
};

/** Where a host is found by the others, by its name: which machine it is, its SSH server’s port and key. */
export const sourceProduct = (host: string): string => `backup-source.${host}`;

export type Source = {readonly machine: string; readonly port: number; readonly hostKey: string};

export const sourceIn = (product: string | undefined): Source | undefined => {
  const [, machine = '', port = '', hostKey = ''] = /^(\S+) (\d+) (\S+ \S+)$/.exec(product ?? '') ?? [];
  return hostKey === '' ? undefined : {machine, port: Number(port), hostKey};
};

/**
 * Finds out how others know this host: over the installer’s own verified connection, so that no host ever has to trust
 * what it is told by the network.
 */
export const sourceOf = ({host, facts}: Pick<StepContext, 'host' | 'facts'>): Resource =>
  resource<string>({
    id: 'ssh host key',
    doing: 'reading the key of the SSH server',
    probe: sh`for type in ed25519 ecdsa rsa; do
  file="/etc/ssh/ssh_host_"$type"_key.pub"
  if [ -s "$file" ]; then cat "$file"; break; fi
done`,
    read: ({stdout}) => {
      const key = publicKeyIn(stdout);
      return key === undefined ? err('the SSH server of this host has no key in /etc/ssh') : ok(key);
    },
    diff: () => [],
    products: key => ({[sourceProduct(host.name)]: `${facts.machineId} ${sshPortOf(facts)} ${key}`}),
    apply: () => script(nothing),
  });
