import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import type {ModuleId} from '../../source/deployment/environments.ts';
import type {Problem} from '../../source/deployment/problem.ts';
import {pathOf, pathText} from '../../source/deployment/problem.ts';
import type {Deployment, Environment} from '../../source/deployment/schema.ts';
import {kubernetes as kubernetesSchema, publicAcknowledgement} from '../../source/deployment/schema.ts';
import {problemsOf} from '../../source/deployment/validate.ts';
import {overlap, subnetOf} from '../../source/network/address.ts';
import {anEnvironment, finished, madeUpBlueprint} from '../support/deployments.ts';

const problems = (deployment: Deployment): readonly Problem[] => problemsOf(deployment, [madeUpBlueprint]);

const lines = (change: Parameters<typeof finished>[0]): string[] =>
  problems(finished(change)).map(({path, message, severity}) => `${severity} ${path}: ${message}`);

const privateChannel = (deployment: ReturnType<typeof finished>) => {
  const [channel] = deployment.channels;
  if (channel?.kind !== 'private') throw new Error('the first channel is private');
  return channel;
};

describe('a finished deployment', () => {
  it('has no problem', () => {
    expect(lines(() => undefined)).toEqual([]);
  });
});

describe('a deployment that is being filled in', () => {
  it('is told what is still empty or wrong, and nothing that only follows from it', () => {
    expect(
      lines(draft => {
        draft.name = '';
        draft.domain = 'openg2p';
        privateChannel(draft).endpoint = '';
        privateChannel(draft).subnet = '10.15';
        draft.network.privateSubnet = '';
        draft.hosts[0]!.privateAddress = '';
        draft.tls = {mode: 'local-ca', leafDays: Number.NaN, renewDays: 60};
      }),
    ).toEqual([
      'error name: is still empty',
      'error hosts[0].privateAddress: is still empty',
      'error domain: must be a domain name in lower case with at least one dot, like openg2p.test',
      'error tls.leafDays: must be a whole number',
      'error channels[0].subnet: "10.15" is not a subnet; write it like 10.0.0.0/24',
      'error channels[0].endpoint: is still empty',
      'error network.privateSubnet: is still empty',
    ]);
  });

  it('may hold anything in its fields without an accident', () => {
    const odd = fc.oneof(fc.string(), fc.constantFrom('', '::', '10.0.0.0/8', '0.0.0.0/0', '-', '*.a', 'a.b'));
    fc.assert(
      fc.property(fc.array(odd, {minLength: 8, maxLength: 8}), fc.integer(), ([a, b, c, d, e, f, g, h], number) => {
        const deployment = finished(draft => {
          draft.domain = a!;
          draft.network.privateSubnet = b!;
          privateChannel(draft).subnet = c!;
          privateChannel(draft).port = number;
          privateChannel(draft).peers = [{name: d!, address: e!}];
          draft.hosts[0]!.privateAddress = f!;
          draft.components.nfs.exportPath = g!;
          draft.environments = [{...anEnvironment({name: 'qa'}), name: h!, domain: a!, hostnames: {kafka: b!}}];
        });
        return problems(deployment).every(({path}) => path !== '');
      }),
    );
  });
});

describe('addresses that would lead to two places', () => {
  it('are found whichever of two blocks is inside the other, and only then', () => {
    const block = fc
      .tuple(
        fc.constantFrom('10.0.0.0', '10.15.0.0', '10.42.0.0', '10.43.7.0', '172.16.0.0'),
        fc.integer({min: 6, max: 28}),
      )
      .map(([address, prefix]) => subnetOf(address, prefix));
    fc.assert(
      fc.property(block, block, (subnet, pods) => {
        const found = lines(draft => {
          privateChannel(draft).subnet = subnet;
          draft.network.pods = pods;
        }).filter(line => line.includes('overlaps'));
        const {services, privateSubnet} = finished().network;
        const pairs = [
          [services, pods],
          [services, privateSubnet],
          [pods, privateSubnet],
          [services, subnet],
          [pods, subnet],
          [privateSubnet, subnet],
        ] as const;
        return found.length === pairs.filter(([a, b]) => overlap(a, b)).length;
      }),
    );
  });
});

describe('topologies', () => {
  const host = (name: string, number: number, roles: string[]): Deployment['hosts'][number] => ({
    name,
    reach: 'ssh',
    address: `10.0.0.${number}`,
    port: 22,
    user: 'ubuntu',
    roles,
    privateAddress: `10.0.0.${number}`,
  });
  const cluster = (hosts: Deployment['hosts']) =>
    lines(draft => {
      draft.topology = 'cluster';
      draft.hosts = hosts;
    });
  const computes = [1, 2, 3].map(number => host(`c${number}`, number, ['compute', 'base']));

  it('take as many machines of each kind as they name', () => {
    expect(cluster([host('p', 9, ['base', 'proxy']), ...computes])).toEqual([]);
    expect(cluster([host('p', 9, ['base', 'proxy']), ...computes.slice(1)])).toEqual([
      'error hosts: "cluster" needs 3 or more × compute machine; there are 2',
    ]);
    const proxies = [7, 8, 9].map(number => host(`p${number}`, number, ['base', 'proxy']));
    expect(cluster([...proxies, ...computes])).toEqual([
      'error hosts: "cluster" needs 1 to 2 × proxy machine; there are 3',
    ]);
  });

  it('name the kinds of machine that they know to a host of none', () => {
    expect(
      cluster([host('p', 9, ['base', 'proxy']), ...computes, host('x', 20, ['base', 'proxy', 'compute'])]),
    ).toEqual(['error hosts[4].roles: a machine of "cluster" has the roles base, proxy; or base, compute']);
  });
});

describe('hosts', () => {
  it('may share an address behind different ports or jump hosts, as machines behind one door do', () => {
    const found = lines(draft => {
      const [first] = draft.hosts;
      draft.hosts = [
        first!,
        {...first!, name: 'two', port: 2222, privateAddress: '10.0.0.12'},
        {
          ...first!,
          name: 'three',
          jump: {address: 'jump.example.org', port: 22, user: 'me'},
          privateAddress: '10.0.0.13',
        },
      ];
    });
    expect(found.filter(line => !line.includes('needs 1'))).toEqual([]);
  });

  it('can be this machine once only', () => {
    expect(
      lines(draft => {
        const [first] = draft.hosts;
        draft.hosts = [
          {...first!, reach: 'local'},
          {...first!, reach: 'local', name: 'two', privateAddress: '10.0.0.12'},
        ];
      }),
    ).toContain('error hosts[1].reach: only one host can be the machine that Groundwork runs on');
  });
});

describe('the resolver of the VPN’s devices', () => {
  const withResolver = (resolver: string, change: Parameters<typeof finished>[0] = () => undefined) =>
    lines(draft => {
      draft.components.dns = {server: 'site', resolver, upstreams: []};
      change(draft);
    });

  it('must lie inside of what the tunnel reaches', () => {
    expect(withResolver('10.0.0.53')).toEqual([]);
    expect(withResolver('10.15.0.53')).toEqual([]);
    expect(withResolver('172.16.0.53')).toEqual([
      expect.stringMatching(
        /^error components\.dns\.resolver: 172\.16\.0\.53 is not reached through the VPN "\w+": it must lie in 10\./,
      ),
    ]);
    expect(withResolver('172.16.0.53', draft => (privateChannel(draft).tunnel = 'full'))).toEqual([]);
  });

  it('is our own server where there is one', () => {
    expect(lines(draft => (draft.components.dns = {server: 'own', resolver: '10.0.0.53', upstreams: []}))).toEqual([
      expect.stringContaining("error components.dns.resolver: our own DNS server is the VPN's resolver"),
    ]);
  });

  it('lets a real domain keep its public records', () => {
    expect(withResolver('10.0.0.53', draft => (draft.domain = 'g2p.gov.in'))).toEqual([]);
  });
});

describe('warnings, which stop nobody', () => {
  it.each<[string, Parameters<typeof finished>[0], string]>([
    ['a .local domain', draft => (draft.domain = 'openg2p.local'), 'domain: names below ".local" belong to mDNS'],
    ['a made-up top level', draft => (draft.domain = 'openg2p.lan'), 'domain: ".lan" is set aside for nobody'],
    [
      'a real domain',
      draft => (draft.domain = 'g2p.gov.in'),
      'domain: our DNS server will answer for all of g2p.gov.in',
    ],
    [
      'SSH from everywhere',
      draft => (draft.network.adminSources = ['10.0.0.0/8', '0.0.0.0/0']),
      'network.adminSources[1]: 0.0.0.0/0 lets everybody',
    ],
    [
      'SSH from every IPv6 address',
      draft => (draft.network.adminSources = ['::/0']),
      'network.adminSources[0]: ::/0 lets',
    ],
    [
      'a VPN without the site’s resolver',
      draft => (draft.components.dns = {server: 'site', upstreams: []}),
      'components.dns.resolver: is not set: devices of the VPN',
    ],
    [
      'servers to ask that nobody asks',
      draft => (draft.components.dns = {server: 'site', resolver: '10.0.0.53', upstreams: ['9.9.9.9']}),
      'components.dns.upstreams: are not used',
    ],
    [
      'a public channel whose address nobody said',
      draft => draft.channels.push({name: 'web', kind: 'public', acknowledgement: publicAcknowledgement}),
      'channels[1].address: is not set: the records that the public needs',
    ],
    ['no channel', draft => (draft.channels = []), 'channels: there is none'],
    [
      'a public subnet used inside',
      draft => (privateChannel(draft).subnet = '8.8.0.0/16'),
      'channels[0].subnet: 8.8.0.0/16 belongs to the public internet',
    ],
    [
      'an endpoint on the peer itself',
      draft => (privateChannel(draft).endpoint = '127.0.0.1'),
      "channels[0].endpoint: 127.0.0.1 is the peer's own machine",
    ],
    [
      'a check accepted for nobody',
      draft => (draft.acceptedChecks = ['gone:memory']),
      'acceptedChecks[0]: there is no host "gone"',
    ],
  ])('%s', (_, change, message) => {
    expect(lines(change)).toEqual([expect.stringContaining(`warning ${message}`)]);
  });
});

describe('domains for private use', () => {
  it.each(['openg2p.test', 'pilot.internal', 'openg2p.home.arpa'])('%s raises no question', domain => {
    expect(lines(draft => (draft.domain = domain))).toEqual([]);
  });
});

describe('export paths', () => {
  it.each([
    '/srv/nfs',
    '/data/nfs',
    '/var/lib/nfs-data',
    '/mnt/disk1',
    '/home/shares',
    '/export',
    '/etcetera/nfs',
  ])('%s is a folder of its own', path => expect(lines(draft => (draft.components.nfs.exportPath = path))).toEqual([]));

  it.each([
    '/',
    '/etc',
    '/usr/share',
    '/srv',
    '/var',
    '/tmp/x',
    '/srv/',
    '/srv//nfs',
    '/srv/./nfs',
    '/var/lib/rancher/x',
    '/root/nfs',
  ])('%s is refused', path => {
    expect(lines(draft => (draft.components.nfs.exportPath = path))).toEqual([
      expect.stringMatching(/^error components\.nfs\.exportPath: /),
    ]);
  });
});

describe('names of environments', () => {
  it.each(['default', 'kube', 'cattle', 'istio', 'rancher', 'local', 'observability'])('%s is taken', name => {
    expect(lines(draft => (draft.environments = [anEnvironment({name})]))).toContainEqual(
      expect.stringContaining('is a namespace that the cluster keeps for itself'),
    );
  });

  it.each(['dev', 'qa', 'defaults', 'qa2'])('%s is free', name => {
    expect(lines(draft => (draft.environments = [anEnvironment({name})]))).toEqual([]);
  });

  it.each(['a-b', 'Qa', '2qa', 'averyveryverylongname', ''])('"%s" cannot become part of other names', name => {
    expect(lines(draft => (draft.environments = [{...anEnvironment({name: 'qa'}), name}]))).toContainEqual(
      expect.stringMatching(/^error environments\[0\]\.name: .*(lower-case letters and digits|empty)/),
    );
  });
});

describe('where environments are found', () => {
  const two = (...environments: Parameters<typeof anEnvironment>[0][]) =>
    lines(draft => (draft.environments = environments.map(anEnvironment)));

  it('is their name below the deployment’s domain, or a domain of their own below it', () => {
    expect(two({name: 'qa'}, {name: 'dev', domain: 'development.openg2p.test'})).toEqual([]);
  });

  it('is in one place each', () => {
    expect(two({name: 'qa'}, {name: 'dev', domain: 'qa.openg2p.test'})).toEqual([
      'error environments[1].domain: "qa.openg2p.test" is the domain of environments[0] already',
    ]);
    expect(two({name: 'qa'}, {name: 'dev', domain: 'x.qa.openg2p.test'})).toEqual([
      'error environments[1].domain: lies below qa.openg2p.test, which is environments[0]',
    ]);
  });

  it('is where our DNS and certificates are', () => {
    expect(two({name: 'qa', domain: 'qa.example.org'})).toEqual([
      'error environments[0].domain: must lie below openg2p.test, like qa.openg2p.test',
    ]);
    expect(two({name: 'qa', domain: 'rancher.openg2p.test'})).toEqual([
      'error environments[0].domain: "rancher.openg2p.test" is a name of the platform',
    ]);
  });

  it('may be another name for a service, which a certificate of ours covers and nobody else has', () => {
    const named = (hostnames: Environment['hostnames']) => two({name: 'qa', hostnames}, {name: 'dev'});
    expect(named({odk: 'forms.qa.openg2p.test', registry: 'register.openg2p.test'})).toEqual([]);
    expect(named({odk: 'a.b.qa.openg2p.test'})).toEqual([
      'error environments[0].hostnames.odk: must be one label below qa.openg2p.test or openg2p.test: no certificate of ours covers a.b.qa.openg2p.test',
    ]);
    expect(named({odk: 'forms.qa.openg2p.test', minio: 'forms.qa.openg2p.test'})).toEqual([
      'error environments[0].hostnames.odk: "forms.qa.openg2p.test" is environments[0].hostnames.minio already',
    ]);
    expect(named({odk: 'superset.qa.openg2p.test'})).toEqual([
      'error environments[0].hostnames.odk: "superset.qa.openg2p.test" is the usual name of another service',
    ]);
    expect(named({odk: 'rancher.openg2p.test'})).toEqual([
      'error environments[0].hostnames.odk: "rancher.openg2p.test" is a name of the platform or the domain of an environment',
    ]);
  });
});

describe('modules of environments', () => {
  const withModules = (...modules: ModuleId[]) =>
    lines(draft => (draft.environments = [anEnvironment({name: 'qa', modules})]));

  it('bring what they work with', () => {
    expect(withModules('registry', 'spar', 'pbms', 'g2p-bridge')).toEqual([]);
    expect(withModules('pbms', 'g2p-bridge')).toEqual([
      'error environments[0].modules[0]: "pbms" works with "registry": add it to the modules',
      'error environments[0].modules[1]: "g2p-bridge" works with "spar": add it to the modules',
    ]);
    expect(withModules('spar', 'spar')).toEqual(['error environments[0].modules[1]: "spar" is there twice']);
  });
});

describe('the versions of the cluster', () => {
  const withVersions = (versions: string) =>
    lines(draft => {
      draft.components.kubernetes = kubernetesSchema.parse({versions});
    });

  it('are a set that is known', () => {
    expect(withVersions('default')).toEqual([]);
    expect(withVersions('of-2019')).toEqual([
      expect.stringMatching(
        /^error components\.kubernetes\.versions: there is no set of versions "of-2019"; there are default, /,
      ),
    ]);
  });
});

describe('the path of a problem', () => {
  it('reads back as the keys and indexes that it was made of', () => {
    const part = fc.oneof(fc.nat(99), fc.constantFrom('hosts', 'roles', 'network', 'privateSubnet'));
    fc.assert(
      fc.property(fc.array(part, {maxLength: 5}), rest => {
        const path = ['hosts', ...rest];
        expect(pathOf(pathText(path))).toEqual(path);
      }),
    );
    expect(pathText(['hosts', 0, 'privateAddress'])).toBe('hosts[0].privateAddress');
  });
});
