import {execFileSync} from 'node:child_process';
import {readdirSync, readFileSync} from 'node:fs';
import {cpus, hostname, totalmem} from 'node:os';
import {join} from 'node:path';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import type {Facts} from '../../source/hosts/facts.ts';
import {mountOf} from '../../source/hosts/facts-storage.ts';
import {factsScript, inspectionScript, parseFacts} from '../../source/hosts/gather-facts.ts';

const folder = new URL('../../fixtures/facts/', import.meta.url).pathname;
const recorded = (name: string): string => readFileSync(join(folder, `${name}.txt`), 'utf8');

const factsOf = (text: string): Facts => {
  const parsed = parseFacts(text);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
};

/** A recording with one section's lines replaced. */
const withSection = (text: string, name: string, lines: readonly string[], code = 0): string =>
  text.replace(
    new RegExp(`^@${name} \\d+\\n(\\|.*\\n)*`, 'm'),
    () => `@${name} ${code}\n${lines.map(line => `|${line}\n`).join('')}`,
  );

const cases = readdirSync(folder, {recursive: true, encoding: 'utf8'}).flatMap(path =>
  path.endsWith('.json') ? [path.slice(0, -'.json'.length)] : [],
);

describe('facts of recorded hosts', () => {
  it('covers every supported system', () => {
    const systems = new Set(cases.map(name => name.split('/')[0]));
    expect([...systems].sort()).toEqual(['debian-12', 'debian-13', 'ubuntu-22.04', 'ubuntu-24.04']);
  });

  it.each(cases)('%s reads as its JSON says', name => {
    const expected = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));
    expect(JSON.parse(JSON.stringify(factsOf(recorded(name))))).toEqual(expected);
  });
});

describe('a disk', () => {
  it('is unknown, and not taken for solid state, where the kernel does not tell', () => {
    const text = withSection(recorded('debian-12/lab'), 'disks', ['disk vda 254:0 1000 -']);
    expect(factsOf(text).disks).toEqual([{name: 'vda', bytes: 512_000, rotational: undefined}]);
  });

  it('is found below LVM, encryption and RAID', () => {
    const {mounts, disks} = factsOf(recorded('debian-13/bare-metal'));
    expect(mountOf(mounts, '/')?.disks).toEqual(['sda']);
    expect(mountOf(mounts, '/srv/my data/nfs')?.disks).toEqual(['nvme0n1', 'nvme1n1']);
    expect(disks.map(({name}) => name)).toEqual(['nvme0n1', 'nvme1n1', 'sda']);
  });
});

describe('a mount', () => {
  it.each([
    ['/', '/'],
    ['/srv/nfs', '/'],
    ['/boot/efi/x', '/boot/efi'],
    ['/bootstrap', '/'],
  ])('%s lies on %s', (path, mount) => {
    expect(mountOf(factsOf(recorded('ubuntu-24.04/cloud')).mounts, path)?.path).toBe(mount);
  });

  it('that another one hides does not count', () => {
    const text = withSection(recorded('debian-12/lab'), 'mounts', [
      'Type 1B-blocks Avail Inodes IFree Mounted on',
      'ext4 1000 900 10 5 /srv',
      'tmpfs 100 90 10 5 /srv',
    ]);
    expect(factsOf(text).mounts).toEqual([
      {path: '/srv', type: 'tmpfs', bytes: 100, freeBytes: 90, freeInodes: 5, disks: []},
    ]);
  });
});

describe('memory', () => {
  it.each([
    ['max', 24_684_092 * 1024],
    ['1073741824', 1_073_741_824],
    ['9223372036854771712', 24_684_092 * 1024],
  ])('under a limit of %s is %d', (limit, bytes) => {
    const text = recorded('debian-12/lab').replace('|uid=0', `|uid=0\n|memory-limit=${limit}`);
    const known = withSection(text, 'memory', ['MemTotal:       24684092 kB']);
    expect(factsOf(known).memoryBytes).toBe(bytes);
  });
});

describe('nameservers', () => {
  const asked = (...lines: string[]) =>
    factsOf(withSection(recorded('debian-12/lab'), 'resolver', ['resolved=no', 'file=yes', ...lines])).nameservers;

  it.each([
    [
      'behind the stub',
      [
        'from=/run/systemd/resolve/resolv.conf',
        'nameserver 192.0.2.1',
        'from=/etc/resolv.conf',
        'nameserver 127.0.0.53',
      ],
      ['192.0.2.1'],
    ],
    [
      'without any stub',
      ['from=/etc/resolv.conf', 'nameserver 192.0.2.1', 'nameserver 192.0.2.2'],
      ['192.0.2.1', '192.0.2.2'],
    ],
    [
      'behind a server of the host itself',
      [
        'from=/etc/resolv.conf',
        'nameserver 10.92.0.11',
        'from=/var/lib/dhcp/dhclient.eth0.leases',
        '  option domain-name-servers 192.0.2.1, 192.0.2.2;',
      ],
      ['192.0.2.1', '192.0.2.2'],
    ],
    [
      'behind our own dnsmasq',
      [
        'from=/etc/resolv.conf',
        'nameserver 127.0.0.1',
        'from=/etc/dnsmasq.d/groundwork.conf',
        'server=/corp.example/10.9.9.9',
        'server=192.0.2.1',
        'server=192.0.2.2#5353',
      ],
      ['192.0.2.1', '192.0.2.2'],
    ],
    ['over IPv6 with a zone', ['from=/etc/resolv.conf', 'nameserver fe80::1%eth0'], ['fe80::1']],
    ['where there are none', ['from=/etc/resolv.conf', 'nameserver 127.0.0.53'], []],
  ])('%s', (_, lines, expected) => {
    expect(asked(...lines)).toEqual(expected);
  });
});

describe('the time', () => {
  const time = (...lines: string[]) =>
    factsOf(
      withSection(recorded('debian-12/lab'), 'time', [
        'services=chrony systemd-timesyncd ntpsec ntp openntpd',
        ...lines,
      ]),
    ).time;
  const tracking = (leap: string) =>
    `tracking=A9FEA97B,169.254.169.123,4,1795250100.1,0.1,0.1,0.1,-2.9,0.1,0.1,0.1,0.1,16.2,${leap}`;

  it.each([
    ['chrony that follows a server', ['states=active inactive', tracking('Normal')], 'chrony', true],
    ['chrony that does not', ['states=active inactive', tracking('Not synchronised')], 'chrony', false],
    ['timesyncd that has reached one', ['states=inactive active', 'timesyncd=yes'], 'systemd-timesyncd', true],
    ['timesyncd that has not', ['states=inactive active', 'kernel=no'], 'systemd-timesyncd', false],
    ['a container whose host keeps it', ['states=inactive inactive', 'kernel=yes'], 'none', true],
    ['a host without systemd', ['states= '], 'none', false],
  ])('%s', (_, lines, service, synchronised) => {
    expect(time(...lines)).toMatchObject({service, synchronised});
  });
});

describe('cloud-init', () => {
  const state = (lines: readonly string[], result: readonly string[] = []) =>
    factsOf(withSection(withSection(recorded('debian-12/lab'), 'cloud-init', lines), 'cloud-init-result', result))
      .cloudInit;

  it.each([
    ['absent', ['installed=no', 'disabled=no', 'started=no', 'finished=no'], []],
    ['absent', ['installed=yes', 'disabled=yes', 'started=no', 'finished=no'], []],
    ['running', ['installed=yes', 'disabled=no', 'started=yes', 'finished=no'], []],
    ['done', ['installed=yes', 'disabled=no', 'started=yes', 'finished=yes'], ['{"v1": {"errors": []}}']],
    ['error', ['installed=yes', 'disabled=no', 'started=yes', 'finished=yes'], ['{"v1": {"errors": ["no network"]}}']],
    ['error', ['installed=yes', 'disabled=no', 'started=yes', 'finished=yes'], ['half a fi']],
  ])('is %s by %j and %j', (expected, lines, result) => {
    expect(state(lines, result)).toBe(expected);
  });
});

describe('package sources', () => {
  const sources = (...lines: string[]) =>
    factsOf(withSection(recorded('debian-12/lab'), 'sources', lines)).packageSources;

  it('are unknown where nobody tried', () => {
    expect(factsOf(recorded('debian-12/lab').replace(/^@sources.*\n(\|.*\n)*/m, '')).packageSources).toBeUndefined();
  });

  it.each([
    [['yes http://a:80', 'no https://b:443'], true, ['https://b:443']],
    [['no http://a:80'], false, ['http://a:80']],
    [['proxy', 'no http://proxy:3128'], false, ['http://proxy:3128']],
    [['local file:/srv'], true, []],
    [['other mirror+file:/etc/apt/mirrors'], true, []],
    [['practice'], true, []],
    [[], false, []],
  ])('%j', (lines, reachable, unreachable) => {
    expect(sources(...lines)).toMatchObject({reachable, unreachable});
  });
});

describe('where the connection comes from', () => {
  it.each([
    ['SSH_CONNECTION=2001:db8::5 50322 2001:db8::b 2222', '2001:db8::5', 2222],
    ['10.0.0.5 50322 10.0.0.11 22', '10.0.0.5', 22],
    ['SSH_CONNECTION=fe80::5%eth0 50322 fe80::b%eth0 22', 'fe80::5', 22],
    ['', undefined, undefined],
  ])('%s', (line, seenFrom, sshPort) => {
    expect(factsOf(withSection(recorded('debian-12/lab'), 'ssh', [line]))).toMatchObject({seenFrom, sshPort});
  });
});

describe('hostile and broken answers', () => {
  it.each([
    ['hostile/garbage', 'the host did not answer with facts; is bash its shell for scripts?'],
    ['hostile/cut-short', 'the answer of the host was cut short'],
  ])('%s is an error', (name, error) => {
    expect(parseFacts(recorded(name))).toEqual({ok: false, error});
  });

  it('an answer that says nothing is an error', () => {
    expect(parseFacts('@groundwork-facts 1\n@values 0\n@end\n')).toMatchObject({ok: false});
  });

  it('a banner before the answer, also one that looks like it, changes nothing', () => {
    expect(factsOf(recorded('hostile/banner'))).toEqual(factsOf(recorded('debian-12/lab')));
  });

  it('control sequences do not come through, and what is no number is none', () => {
    const facts = factsOf(recorded('hostile/control-sequences'));
    expect(JSON.stringify(facts)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]|\\u00/);
    expect(facts.hostname).toContain('evil');
    expect(facts.os).toMatchObject({id: 'debian', version: '12', title: expect.stringContaining('"12"')});
    expect(facts.memoryBytes).toBe(0);
    expect(facts.unread).toContain('memory');
    expect(facts.seenFrom).toBeUndefined();
    expect(facts.listeners.map(({port}) => port)).toEqual([22, 8080]);
    expect(facts.aptLock).toMatch(/^\/var\/lib\/dpkg\/lock is held by .*evil \(process 77\)$/);
  });

  it('half answers give what there is and name what there is not', () => {
    const facts = factsOf(recorded('hostile/half-answers'));
    expect(facts).toMatchObject({
      cpus: 0,
      privileged: false,
      interfaces: [{name: 'eth0', mac: '', addresses: ['10.92.0.11/24']}],
      defaultRoute: undefined,
      mounts: [{path: '/', bytes: 200}],
      disks: [],
      cloudInit: 'error',
    });
    expect(facts.leftovers).toEqual([
      'WireGuard (/etc/wireguard/wg0.conf, /etc/wireguard/wg1.conf, /etc/wireguard/wg2.conf, /etc/wireguard/wg3.conf and 196 more)',
    ]);
    expect(facts.unread).toEqual(['cpus', 'listeners', 'time']);
  });

  it('a section that was cut loses its last, half line', () => {
    const lines = ['tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:*', 'tcp LISTEN 0 128 0.0.0.0:44'];
    const whole = withSection(recorded('debian-12/lab'), 'listeners', lines);
    expect(factsOf(whole.replace('@listeners 0', '@listeners 0 cut')).listeners.map(({port}) => port)).toEqual([22]);
  });

  it('more listeners than a host can have are read', () => {
    const lines = Array.from({length: 70_000}, (_, index) => `udp UNCONN 0 0 0.0.0.0:${index} 0.0.0.0:*`);
    expect(factsOf(withSection(recorded('debian-12/lab'), 'listeners', lines)).listeners).toHaveLength(65_536);
  });

  it('no text makes the reader throw or lets a control character through', () => {
    const lines = recorded('ubuntu-22.04/first-boot').split('\n');
    const spoilt = fc
      .array(
        fc.tuple(
          fc.nat(lines.length - 2),
          fc.oneof(fc.string({unit: 'binary'}), fc.constantFrom('|', '@end', '@values 0', '|[[[{', '|a=b=c', '|- - -')),
        ),
        {minLength: 1, maxLength: 12},
      )
      .map(changes => {
        const copy = [...lines];
        for (const [index, text] of changes) copy[index] = index % 2 === 0 ? text : `|${copy[index]}${text}`;
        return copy.join('\n');
      });
    fc.assert(
      fc.property(spoilt, text => {
        const parsed = parseFacts(text);
        if (parsed.ok) expect(JSON.stringify(parsed.value)).not.toMatch(/\\u00[01][0-9a-f]|\\[nrtbf]|[\u007f-\u009f]/);
      }),
      {numRuns: 300},
    );
  });
});

describe.runIf(process.platform === 'linux')('the script itself, on this machine', () => {
  const run = (text: string, environment: NodeJS.ProcessEnv = process.env): string =>
    execFileSync('bash', ['-s'], {input: text, encoding: 'utf8', env: environment});

  it('tells what Node tells', () => {
    const facts = factsOf(run(factsScript.text));
    expect(facts.cpus).toBeGreaterThan(0);
    expect(facts.cpus).toBeLessThanOrEqual(cpus().length);
    expect(facts.memoryBytes).toBeLessThanOrEqual(totalmem());
    expect(facts.hostname).toBe(hostname());
    expect(facts.privileged).toBe(process.getuid?.() === 0);
    expect(facts.packageSources).toBeUndefined();
  });

  it('reads the SSH session it runs in', () => {
    const environment = {...process.env, SSH_CONNECTION: '192.0.2.7 50000 192.0.2.8 2200'};
    expect(factsOf(run(factsScript.text, environment))).toMatchObject({seenFrom: '192.0.2.7', sshPort: 2200});
  });

  it('finds the SSH session above a shell that sudo has given a clean environment', () => {
    const text = execFileSync('bash', ['-c', 'env -i PATH="$PATH" bash -s; true'], {
      input: factsScript.text,
      encoding: 'utf8',
      env: {...process.env, SSH_CONNECTION: '192.0.2.7 50000 192.0.2.8 2200'},
    });
    expect(factsOf(text)).toMatchObject({seenFrom: '192.0.2.7', sshPort: 2200});
  });

  it('works as one of several framed scripts, and as a script on standard input that is longer than itself', () => {
    const text = run(`before=1\n( ${factsScript.text}\n) </dev/null 2>/dev/null\necho "after $before"`);
    expect(text).toMatch(/@end\nafter 1\n$/);
  });

  it('needs nothing but a shell: without any tool the answer is poor and whole', () => {
    const bare = `command() { return 1; }; PATH=/nonexistent\n${factsScript.text.replace(/PATH="[^"]*"/, 'PATH=/nonexistent')}`;
    const facts = factsOf(run(bare));
    expect(facts.hostname).toBe(hostname());
    expect(facts.unread).toEqual(expect.arrayContaining(['cpus', 'mounts']));
  });

  it('cuts what is endless, and says so', () => {
    const text = run(
      factsScript.text.replace('leftovers() {', 'leftovers() { yes /etc/openg2p | head -c 1000000; return 0'),
    );
    expect(text).toMatch(/^@leftovers 0 cut$/m);
    expect(text.length).toBeLessThan(400_000);
    expect(factsOf(text).leftovers).toHaveLength(1);
  });

  it('is plain for bash in both forms', () => {
    for (const {text} of [factsScript, inspectionScript])
      expect(() => execFileSync('bash', ['-n'], {input: text, stdio: ['pipe', 'ignore', 'pipe']})).not.toThrow();
  });
});
