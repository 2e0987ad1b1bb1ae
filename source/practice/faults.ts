/** What goes wrong once, on purpose: a tool that prints `says` and ends with `status` instead of doing its work. */
export type Fault = {
  /** The stand-in that fails. */
  readonly tool: string;
  /** Fails only when its arguments contain this. */
  readonly when: string;
  readonly says: readonly string[];
  readonly status: number;
};

/**
 * A failure for each step, as its real tools would report it. Each is of a kind that does not pass by itself, so that
 * the engine asks the operator and does not just try again.
 */
export const faults: Readonly<Record<string, Fault>> = {
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
};

/** The steps that can be made to fail. */
export const faultySteps: readonly string[] = Object.keys(faults);

/** Where the stand-ins of a host look for a fault. */
export const faultPath = '/var/lib/practice/fault';

/** As the stand-ins read it: the tool, the argument, the status, then what to print. */
export const faultText = ({tool, when, status, says}: Fault): string =>
  [tool, when, String(status), ...says, ''].join('\n');
