import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {contains, isHostAddress, sizeOf, subnetOf} from '../../source/network/address.ts';
import {type Vpn, vpns} from '../../steps/shared/deployment.ts';
import {addressedPeers, pinPeerAddresses, serverAddress} from '../../steps/wireguard/addresses.ts';
import {
  allowedIps,
  mtuFor,
  peerConfiguration,
  reloadUnit,
  serverConfiguration,
} from '../../steps/wireguard/configuration.ts';
import {generatePresharedKey, generatePrivateKey, publicKeyOf} from '../../steps/wireguard/keys.ts';
import {chainRules, restoreFile} from '../../steps/wireguard/translation.ts';
import {sampleFacts} from '../support/facts.ts';
import {sampleDeployment} from '../support/step-context.ts';

const channel = (more: Partial<Vpn> = {}): Vpn => ({...(vpns(sampleDeployment())[0] as Vpn), ...more});

describe('addresses of a VPN', () => {
  it('gives the server the first address and peers those that follow', () => {
    const vpn = channel();
    expect(serverAddress(vpn)).toBe('10.15.0.1');
    expect(addressedPeers(vpn)).toEqual([
      {name: 'laptop', address: '10.15.0.2'},
      {name: 'phone', address: '10.15.0.3'},
    ]);
  });

  it('crosses the end of an octet without giving out .0 or .255 where they are not hosts, and gives them where they are', () => {
    const many = Array.from({length: 300}, (_, index) => ({name: `p${index}`}));
    const addresses = addressedPeers(channel({peers: many})).map(({address}) => address);
    expect(addresses.slice(252, 256)).toEqual(['10.15.0.254', '10.15.0.255', '10.15.1.0', '10.15.1.1']);
  });

  it('never gives out the network, the broadcast or the server address, nor one twice, in any subnet', () => {
    fc.assert(
      fc.property(fc.integer({min: 24, max: 30}), fc.nat(255), fc.nat(253), (prefix, octet, wanted) => {
        const subnet = subnetOf(`10.7.${octet}.0`, prefix);
        const room = Number(sizeOf(subnet)) - 3;
        const peers = Array.from({length: Math.min(room, wanted)}, (_, index) => ({name: `p${index}`}));
        const given = addressedPeers({subnet, peers}).map(({address}) => address);
        expect(new Set([...given, serverAddress({subnet})]).size).toBe(peers.length + 1);
        for (const address of given) expect(isHostAddress(subnet, address)).toBe(true);
      }),
    );
  });

  it('moves nobody when a peer goes, once addresses are pinned', () => {
    const pinned = pinPeerAddresses(sampleDeployment());
    const [first] = pinned.channels;
    if (first?.kind !== 'private') throw new Error('the sample has a private channel');
    const [, phone] = first.peers;
    expect(addressedPeers({...first, peers: [phone ?? {name: ''}, {name: 'tablet'}]})).toEqual([
      {name: 'phone', address: '10.15.0.3'},
      {name: 'tablet', address: '10.15.0.2'},
    ]);
  });
});

describe('keys', () => {
  it('derives the public key that wg derives (a pair that wg 1.0.20210914 made)', () => {
    expect(publicKeyOf('qAOAiHB7U2axZO838VEV0X30j+V1kFkrv4DOgX/IGE4=')).toBe(
      'DycHeHtrdvObj6MbwqbSsNI44w6DY4kYPoOK3aGJ6Xs=',
    );
  });

  it('makes keys of 32 bytes that differ every time', () => {
    const keys = [generatePrivateKey(), generatePrivateKey(), generatePresharedKey(), generatePresharedKey()];
    expect(new Set(keys).size).toBe(4);
    for (const key of keys) expect(Buffer.from(key, 'base64')).toHaveLength(32);
  });
});

const keys = {publicKey: publicKeyOf(generatePrivateKey()), presharedKey: generatePresharedKey()};

describe('the server’s configuration', () => {
  const text = serverConfiguration(channel(), [{name: 'laptop', address: '10.15.0.2', ...keys}], 1420);

  it('names each peer with its own address only', () => {
    expect(text).toContain('Address = 10.15.0.1/16\nListenPort = 51820\nMTU = 1420\n');
    expect(text).toContain(
      `# laptop\n[Peer]\nPublicKey = ${keys.publicKey}\nPresharedKey = ${keys.presharedKey}\nAllowedIPs = 10.15.0.2/32\n`,
    );
  });

  it('holds no private key, not even its own', () => {
    expect(text).not.toMatch(/^PrivateKey/m);
    expect(text).toContain('PostUp = wg set %i private-key /etc/wireguard/keys/admin.key');
  });

  it('is reloaded together with the key, so that the running server does not forget it', () => {
    expect(reloadUnit(channel())).toContain('PrivateKey = "; cat /etc/wireguard/keys/admin.key');
  });
});

describe('a peer’s configuration', () => {
  const write = (vpn: Vpn, deployment = sampleDeployment()) =>
    peerConfiguration(
      {vpn, deployment, mtu: 1420},
      {name: 'laptop', address: '10.15.0.2'},
      {privateKey: generatePrivateKey(), presharedKey: keys.presharedKey, serverPublicKey: keys.publicKey},
    );

  it('sends only the VPN and the private subnet through a split tunnel, and asks the VPN’s own resolver', () => {
    const text = write(channel());
    expect(text).toContain('AllowedIPs = 10.15.0.0/16, 10.0.0.0/24\n');
    expect(text).toContain('DNS = 10.15.0.1, openg2p.test\n');
    expect(text).toContain('Address = 10.15.0.2/32\n');
    expect(text).toContain('Endpoint = 203.0.113.10:51820\n');
    expect(text).toContain('PersistentKeepalive = 25\n');
  });

  it('asks the site’s resolver where the site’s DNS answers, and otherwise whom it asks anyway', () => {
    const {components} = sampleDeployment();
    const withDns = (dns: Partial<typeof components.dns>) =>
      write(
        channel(),
        sampleDeployment({components: {...components, dns: {...components.dns, server: 'site', ...dns}}}),
      );
    expect(withDns({resolver: '10.0.0.53'})).toContain('DNS = 10.0.0.53, openg2p.test\n');
    expect(withDns({})).not.toContain('DNS =');
  });

  it('has the resolver inside what goes through the tunnel, in either mode', () => {
    for (const tunnel of ['split', 'full'] as const) {
      const vpn = channel({tunnel});
      expect(allowedIps(vpn, '10.0.0.0/24').some(block => contains(block, serverAddress(vpn)))).toBe(true);
    }
  });

  it('does not route the endpoint into its own tunnel', () => {
    expect(allowedIps(channel({endpoint: '10.0.0.11'}), '10.0.0.0/24')).toEqual(['10.15.0.0/16']);
  });

  it('writes an IPv6 endpoint in brackets', () => {
    expect(write(channel({endpoint: '2001:db8::1'}))).toContain('Endpoint = [2001:db8::1]:51820\n');
  });
});

describe('packet size', () => {
  it('leaves room for the tunnel in what the outward interface carries', () => {
    expect(mtuFor(sampleFacts())).toBe(1420);
    const narrow = sampleFacts().interfaces.map(one => (one.name === 'ens5' ? {...one, mtu: 1460} : one));
    expect(mtuFor(sampleFacts({interfaces: narrow}))).toBe(1380);
    expect(mtuFor(sampleFacts({defaultRoute: undefined}))).toBe(1420);
  });
});

describe('address translation', () => {
  it('goes by the source subnet and never by the name of a network card', () => {
    const rules = chainRules([channel()], '10.0.0.0/24');
    expect(rules).toEqual(['-A GROUNDWORK-VPN -s 10.15.0.0/16 -d 10.0.0.0/24 -j MASQUERADE']);
    expect(chainRules([channel({tunnel: 'full'})], '10.0.0.0/24')).toEqual([
      '-A GROUNDWORK-VPN -s 10.15.0.0/16 ! -d 10.15.0.0/16 -j MASQUERADE',
    ]);
  });

  it('fills its own chain and no other', () => {
    expect(restoreFile(['-A GROUNDWORK-VPN -s 10.15.0.0/16 -j MASQUERADE']).split('\n').slice(1)).toEqual([
      '*nat',
      ':GROUNDWORK-VPN - [0:0]',
      '-A GROUNDWORK-VPN -s 10.15.0.0/16 -j MASQUERADE',
      'COMMIT',
      '',
    ]);
  });
});
