import {openings} from '../../steps/firewall/openings.ts';
import {hasKubernetes, hasOwnDns, publicAddress, servedNames, vpns} from '../../steps/shared/deployment.ts';
import {recordsOf} from '../../steps/site-dns/records.ts';
import {type Machine, machineOf, type Topology} from '../blueprints/blueprint.ts';
import type {Deployment, HostSpec} from '../deployment/schema.ts';
import {supportedTitles} from '../hosts/os-data.ts';

/** A part of the checklist, for one department. Tables are for those who work through them line by line. */
export type Section = {
  readonly title: string;
  /** Whom it concerns: `Network department`. */
  readonly who: string;
  readonly text: readonly string[];
  readonly table?: {readonly columns: readonly string[]; readonly rows: readonly (readonly string[])[]};
  /** What comes back to whoever installs: one line for each answer. */
  readonly answers?: readonly string[];
};

export type Checklist = {
  readonly title: string;
  readonly text: readonly string[];
  readonly sections: readonly Section[];
};

/** Where a department writes something in. */
export const blank = '____________';

const orBlank = (text: string | undefined): string => (text === undefined || text === '' ? blank : text);

/** A machine that is to be, with the host that stands for it once there is one. */
type Planned = {readonly name: string; readonly machine: Machine; readonly host: HostSpec | undefined};

/** As many machines of each kind as there are hosts, and at least as many as the topology wants. */
const plannedMachines = (topology: Topology, {hosts}: Deployment): readonly Planned[] =>
  topology.machines.flatMap(machine => {
    const own = hosts.filter(host => machineOf(topology, host) === machine);
    const count = Math.max(own.length, machine.count.min);
    return Array.from({length: count}, (_, index) => ({
      name: own[index]?.name ?? `${machine.id}-${index + 1}`,
      machine,
      host: own[index],
    }));
  });

const machinesSection = (planned: readonly Planned[], {network, artifacts, components}: Deployment): Section => ({
  title: 'Machines',
  who: 'whoever provides machines',
  text: [
    `System: ${supportedTitles}, freshly installed, 64 bits (amd64). All in one private subnet (${network.privateSubnet}), one network interface each, SSD.`,
    ...planned.flatMap(({name, machine: {volumeGb}}) =>
      volumeGb && components.backup
        ? [
            `${name} has a volume of ${volumeGb.nominal} GB beside its disk, mounted at ${components.backup.path}, for copies.`,
          ]
        : [],
    ),
    'Time is kept by a time server. Each machine has a host name of its own.',
    artifacts.source === 'online'
      ? 'During the installation the machines reach the internet (HTTPS, and the package mirror of the system), directly or by a proxy.'
      : 'The machines need no internet; their package mirror is inside the site.',
  ],
  table: {
    columns: ['Machine', 'vCPU', 'Memory', 'Disk', 'Private address', 'Role'],
    rows: planned.map(({name, machine, host}) => [
      name,
      String(machine.nominal.cpus),
      `${machine.nominal.memoryGb} GB`,
      `${machine.nominal.diskGb} GB`,
      orBlank(host?.privateAddress),
      machine.title,
    ]),
  },
  answers: ['Private address of each machine, and its host name', 'Private subnet, if it is another one'],
});

const accessSection = (planned: readonly Planned[], {network}: Deployment): Section => ({
  title: 'SSH access',
  who: 'whoever provides machines',
  text: [
    'One account on every machine that may use sudo for everything, and logs in with a key. The public key comes from whoever installs.',
    `SSH is used from: ${network.adminSources.join(', ')}.`,
  ],
  table: {
    columns: ['Machine', 'SSH address', 'Port', 'Account'],
    rows: planned.map(({name, host}) => [
      name,
      host?.reach === 'local' ? 'this machine' : orBlank(host?.address),
      host ? String(host.port) : blank,
      orBlank(host?.user),
    ]),
  },
  answers: [
    'SSH address, port and account of each machine',
    'Fingerprint of each machine’s SSH host key (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub)',
  ],
});

const networkSection = (deployment: Deployment): Section => ({
  title: 'Networks',
  who: 'network department',
  text: ['These subnets must not be used for anything else that the machines or the devices of operators reach.'],
  table: {
    columns: ['Subnet', 'For'],
    rows: [
      [deployment.network.privateSubnet, 'the machines (it may exist already)'],
      ...vpns(deployment).map(({subnet, name}) => [subnet, `devices of the VPN "${name}"`]),
      ...(hasKubernetes(deployment)
        ? [
            [deployment.network.pods, 'inside the cluster: pods'],
            [deployment.network.services, 'inside the cluster: services'],
          ]
        : []),
    ],
  },
  answers: [
    ...vpns(deployment).map(
      ({name, port, endpoint}) =>
        `Address at which devices dial the VPN "${name}" (UDP ${port}, passed on to the reverse proxy): ${orBlank(endpoint)}`,
    ),
  ],
});

const dnsSection = (deployment: Deployment): Section => {
  const records = recordsOf(deployment);
  const isOwn = hasOwnDns(deployment);
  return {
    title: 'DNS records',
    who: 'whoever keeps the DNS zone',
    text: [
      ...(isOwn
        ? [
            `The installation answers for ${deployment.domain} itself, for devices of the VPN. Others of the private subnet ask the proxy for that domain.`,
          ]
        : [
            'internal: in the DNS that the machines and the devices of the VPN ask (split horizon, or a zone of its own). public: in the DNS of the internet.',
            'A name that begins with * is a wildcard. Until the records are there the installation does the rest and waits for them; a TTL of 300 seconds keeps corrections quick.',
          ]),
      ...(!isOwn && hasKubernetes(deployment) && deployment.environments.length === 0
        ? [
            `Each environment has two more, once it has a name: NAME.${deployment.domain} and *.NAME.${deployment.domain}, with the same value.`,
          ]
        : []),
      ...(records.length === 0 ? ['No record is needed.'] : []),
    ],
    ...(records.length > 0 && {
      table: {
        columns: ['Name', 'Type', 'Value', 'Where', 'For'],
        rows: records.map(({name, type, value, channel, why}) => [
          name,
          type,
          orBlank(value),
          channel === 'private' ? 'internal' : 'public',
          why,
        ]),
      },
    }),
    answers: isOwn
      ? []
      : [
          `Resolver that devices of the VPN ask, in ${deployment.network.privateSubnet}: ${orBlank(deployment.components.dns.resolver)}`,
          ...(deployment.channels.some(({kind}) => kind === 'public')
            ? [`Public address of the reverse proxy: ${orBlank(publicAddress(deployment))}`]
            : []),
        ],
  };
};

const certificatesSection = (deployment: Deployment): Section => {
  const names = servedNames(deployment);
  const isOwn = deployment.tls.mode === 'local-ca';
  return {
    title: 'Certificates',
    who: 'whoever orders certificates',
    text: isOwn
      ? [
          'None has to be ordered: the installation has a certificate authority of its own. Its certificate has to be put on every device that is to trust it; whoever installs hands it over.',
        ]
      : [
          'For these names, in one certificate or in several. A wildcard stands for one label only, and never for the domain itself.',
          'Server certificates, RSA of 2048 bits or more, or ECDSA P-256 or P-384, with the chain of the CA.',
          'As PEM (certificate, chain, key), PFX/P12 with its password, or the ZIP that the CA sends. The password comes by another way than the file.',
          'They go to whoever installs, and to nobody else; the machines need not be touched for it.',
        ],
    ...(!isOwn && {table: {columns: ['Name (SAN)'], rows: names.map(name => [name])}}),
    answers: isOwn ? [] : ['Files of the certificates', 'Who renews them, and when they expire'],
  };
};

const firewallSection = (deployment: Deployment, planned: readonly Planned[]): Section => {
  const needed = openings(
    deployment,
    planned.map(({name, machine}) => ({name, roles: machine.roles})),
  );
  const everyMachine = (names: readonly string[]) =>
    names.length === planned.length && names.length > 1 ? 'every machine' : names.join(', ');
  return {
    title: 'Firewall openings',
    who: 'network department',
    text: [
      'Machines have firewalls of their own, which the installation sets. These openings concern what stands before the site and between its machines; answers to what was let in pass.',
      'Out: HTTPS to the internet (or to the site’s mirror) during the installation; DNS and time to the site’s servers.',
    ],
    table: {
      columns: ['From', 'To', 'Ports', 'For', 'Across'],
      rows: needed.map(({to, ports, protocol, from, purpose, perimeter}) => [
        from.join(', '),
        everyMachine(to),
        `${ports.join(', ')}/${protocol}`,
        purpose,
        perimeter ? 'perimeter' : 'machines',
      ]),
    },
    answers: ['Date from which the openings are in force'],
  };
};

/**
 * All that other departments have to provide before an installation, from what is known already; the rest is left blank. Pure:
 * neither hosts nor resolvers are asked.
 */
export const checklistOf = (deployment: Deployment, topology: Topology): Checklist => {
  const planned = plannedMachines(topology, deployment);
  return {
    title: `What ${deployment.name} needs from others`,
    text: [
      `${topology.title}: ${topology.purpose}`,
      `Domain: ${orBlank(deployment.domain)}. Nothing has been installed for this list, and it holds no secret.`,
    ],
    sections: [
      machinesSection(planned, deployment),
      accessSection(planned, deployment),
      networkSection(deployment),
      dnsSection(deployment),
      certificatesSection(deployment),
      firewallSection(deployment, planned),
    ],
  };
};
