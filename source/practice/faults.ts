/**
 * What goes wrong once, on purpose: a tool that prints `says` and ends with `status` instead of doing its work. Or, where
 * that is a word, it does its work, and what it made is found not to run: containers that need more `memory` than they may
 * have, or a `job` that ends with an error. `says` is then what is found.
 */
export type Fault = {
  /** The stand-in that fails. */
  readonly tool: string;
  /** Fails only when its arguments contain this. */
  readonly when: string;
  readonly says: readonly string[];
  readonly status: number | 'memory' | 'job';
};

/** A release whose containers are killed as soon as they run. */
const stuck = (release: string): Fault => ({
  tool: 'helm',
  when: release,
  says: ['was killed because it used more memory than it may, 5 restarts'],
  status: 'memory',
});

/** A record of the site's DNS that is not there yet when it is looked for, and is when it is looked for again. */
const recordMissing: Fault = {
  tool: 'dig',
  when: '',
  says: [
    ';; Got answer:',
    ';; ->>HEADER<<- opcode: QUERY, status: NXDOMAIN, id: 26313',
    ';; AUTHORITY SECTION:',
    'openg2p.test.\t\t300\tIN\tSOA\tns1.openg2p.test. hostmaster.openg2p.test. 2026112101 7200 3600 1209600 300',
  ],
  status: 0,
};

/** No room for a package that a step installs. */
const noRoomFor = (name: string): Fault => ({
  tool: 'apt-get',
  when: name,
  says: ["E: You don't have enough free space in /var/cache/apt/archives/."],
  status: 100,
});

/** The cluster has no room to write down objects of a kind. */
const diskFull = (kind: string): Fault => ({
  tool: 'kubectl',
  when: kind,
  says: [
    'Error from server: rpc error: code = Unknown desc = write /var/lib/rancher/rke2/server/db/etcd/member/wal: no space left on device',
  ],
  status: 1,
});

/**
 * A failure for each step, as its real tools would report it. Each is of a kind that does not pass by itself, so that
 * the engine asks the operator and does not just try again.
 */
const fixed: Readonly<Record<string, Fault>> = {
  'host-baseline': {
    tool: 'apt-get',
    when: 'install',
    says: [
      'dpkg: error processing archive /var/cache/apt/archives/jq_1.7.1-3build1_amd64.deb (--unpack):',
      " cannot copy extracted data for './usr/bin/jq' to '/usr/bin/jq.dpkg-new': failed to write (No space left on device)",
      'E: Sub-process /usr/bin/dpkg returned an error code (1)',
    ],
    status: 100,
  },
  firewall: {
    tool: 'ufw',
    when: 'enable',
    says: [
      'ERROR: problem running ufw-init',
      'iptables-restore v1.8.10 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)',
    ],
    status: 1,
  },
  wireguard: {
    tool: 'wg-quick',
    when: 'up',
    says: ['[#] ip link add wg0 type wireguard', 'RTNETLINK answers: Address already in use'],
    status: 2,
  },
  'local-dns': {
    tool: 'dnsmasq',
    when: 'start',
    says: ['dnsmasq: failed to create listening socket for 10.0.0.11: Address already in use'],
    status: 2,
  },
  'site-dns': recordMissing,
  certificates: {
    tool: 'update-ca-certificates',
    when: '',
    says: [
      'Updating certificates in /etc/ssl/certs...',
      'mktemp: failed to create file via template ‘/etc/ssl/certs/ca-certificates.crt.new.XXXXXX’: No space left on device',
    ],
    status: 1,
  },
  nginx: {
    tool: 'nginx',
    when: 'start',
    says: [
      'nginx: [emerg] bind() to 0.0.0.0:443 failed (98: Address already in use)',
      'nginx: [emerg] still could not bind()',
    ],
    status: 1,
  },
  'nfs-server': {
    tool: 'rpc.nfsd',
    when: 'start',
    says: ['rpc.nfsd: unable to bind AF_INET TCP socket: errno 98 (2049: Address already in use)'],
    status: 1,
  },
  postgresql: {
    tool: 'postgres',
    when: 'start',
    says: [
      'LOG:  could not bind IPv4 address "10.0.0.11": Address already in use',
      'FATAL:  could not create any TCP/IP sockets',
    ],
    status: 1,
  },
  'storage-access': noRoomFor('libnfs-utils'),
  'kubernetes-tools': {
    tool: 'curl',
    when: 'dl.k8s.io',
    says: ['curl: (60) SSL certificate problem: self-signed certificate in certificate chain'],
    status: 60,
  },
  rke2: {
    tool: 'rke2',
    when: 'server',
    says: [
      'time="2026-11-21T08:00:02Z" level=fatal msg="starting kubernetes: preparing server: failed to listen on 0.0.0.0:9345: listen tcp 0.0.0.0:9345: bind: address already in use"',
    ],
    status: 1,
  },
  'storage-class': stuck('csi-driver-nfs'),
  coredns: diskFull('HelmChartConfig'),
  istio: {
    tool: 'helm',
    when: 'istio-ingressgateway',
    says: [
      'Error: INSTALLATION FAILED: 1 error occurred:',
      '  * Service "istio-ingressgateway" is invalid: spec.ports[1].nodePort: Invalid value: 30080: provided port is already allocated',
    ],
    status: 1,
  },
  rancher: stuck('rancher'),
  monitoring: stuck('rancher-monitoring'),
  logging: {
    tool: 'helm',
    when: 'loki',
    says: [
      'Error: INSTALLATION FAILED: execution error at (loki/templates/validate.yaml:31:4): You must provide a schema_config for Loki, one is not provided as this will be individual for every Loki cluster.',
    ],
    status: 1,
  },
  'openg2p-charts': {
    tool: 'curl',
    when: 'openg2p.github.io',
    says: ['curl: (60) SSL certificate problem: self-signed certificate in certificate chain'],
    status: 60,
  },
  'backup-keys': noRoomFor('openssh-client'),
  'backup-access': noRoomFor('sudo'),
  'backup-rancher': stuck('rancher-backup'),
  'backup-postgresql': noRoomFor('pgbackrest'),
  'backup-jobs': noRoomFor('restic'),
  'backup-repository': {
    tool: 'pgbackrest',
    when: 'stanza-create',
    says: [
      'ERROR: [028]: backup and archive info files exist but do not match the database',
      '       HINT: is this the correct stanza?',
      '       HINT: did an error occur during stanza-upgrade?',
    ],
    status: 28,
  },
};

/** The same for the steps of an environment, by what follows its name in theirs. */
const ofEnvironment = (name: string): Readonly<Record<string, Fault>> => ({
  dns: recordMissing,
  namespace: diskFull(`Namespace/${name}`),
  gateway: diskFull(`${name}/Gateway`),
  passwords: diskFull(`${name}/Secret`),
  databases: {
    tool: 'psql',
    when: '',
    says: ['psql:<stdin>:4: PANIC:  could not write to file "pg_wal/xlogtemp.4711": No space left on device'],
    status: 2,
  },
  'database-access': diskFull(`${name}/EndpointSlice`),
  'commons-base': {
    tool: 'helm',
    when: 'commons',
    says: ['the Job has failed: Job has reached the specified backoff limit'],
    status: 'job',
  },
  'commons-services': stuck('commons-services'),
  registry: stuck('registry'),
  spar: stuck('spar'),
  pbms: stuck('pbms'),
  'g2p-bridge': stuck('g2p-bridge'),
});

/** The steps that can be made to fail; NAME stands for any environment. */
export const faultySteps: readonly string[] = [
  ...Object.keys(fixed),
  ...Object.keys(ofEnvironment('NAME')).map(part => `environment-NAME-${part}`),
];

/** The failure of a step; undefined when it has none. */
export const faultOf = (step: string): Fault | undefined => {
  if (Object.hasOwn(fixed, step)) return fixed[step];
  for (const part of Object.keys(ofEnvironment('NAME'))) {
    const name = new RegExp(`^environment-(.+)-${part}$`).exec(step)?.[1];
    if (name !== undefined) return ofEnvironment(name)[part];
  }
  return undefined;
};

/** Where the stand-ins of a host look for a fault. */
export const faultPath = '/var/lib/practice/fault';

/** As the stand-ins read it: the tool, the argument, the status, then what to print. */
export const faultText = ({tool, when, status, says}: Fault): string =>
  [tool, when, String(status), ...says, ''].join('\n');
