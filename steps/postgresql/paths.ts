/** Debian and Ubuntu keep several servers apart as `VERSION/NAME`; ours has the name that their packages give to the first. */
export const clusterName = 'main';

export type ClusterPaths = {
  /** Owned by `postgres`. */
  readonly data: string;
  readonly configuration: string;
  /** Read after postgresql.conf, by name: whoever sets something for a purpose of its own has a file of its own here. */
  readonly settings: string;
  readonly ourSettings: string;
  /** Who may connect, from where, to which database. */
  readonly access: string;
  readonly programs: string;
};

/** Where a server of this major version has its things. */
export const clusterPaths = (version: number): ClusterPaths => {
  const configuration = `/etc/postgresql/${version}/${clusterName}`;
  return {
    data: `/var/lib/postgresql/${version}/${clusterName}`,
    configuration,
    settings: `${configuration}/conf.d`,
    ourSettings: `${configuration}/conf.d/groundwork.conf`,
    access: `${configuration}/pg_hba.conf`,
    programs: `/usr/lib/postgresql/${version}/bin`,
  };
};

/** The unit that is the server itself; `postgresql.service` only starts all servers of a machine at boot. */
export const clusterUnit = (version: number): string => `postgresql@${version}-${clusterName}.service`;

/** Where the server's socket lies, whatever its version. */
export const socketDirectory = '/var/run/postgresql';

/**
 * TLS of the server, apart from the proxy's. The key is made on the host and stays there; the CA's certificate is for
 * clients on other machines, which verify the server by it.
 */
export const tlsPaths = {
  directory: '/etc/groundwork/postgresql',
  authority: '/etc/groundwork/postgresql/ca.crt',
  key: '/etc/groundwork/postgresql/server.key',
  certificate: '/etc/groundwork/postgresql/server.crt',
} as const;
