import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {Facts} from '../../source/hosts/facts.ts';
import {mountOf} from '../../source/hosts/facts-storage.ts';
import {factsScript, inspectionScript, parseFacts} from '../../source/hosts/gather-facts.ts';
import {osDataFor} from '../../source/hosts/os-data.ts';
import type {Script} from '../../source/shell/script.ts';
import {cliConnection, type LabHost, labDown, labExec, labUp} from '../support/lab.ts';

let hosts: LabHost[];
let host: LabHost;

/** As an installer gets them: over SSH, through sudo. */
const gather = async (script: Script = factsScript, user = 'ubuntu', on = host): Promise<Facts> => {
  const answer = await cliConnection(on, user).run(script, {root: user === 'ubuntu'});
  if (!answer.ok) throw new Error(answer.error.message);
  const parsed = parseFacts(answer.value.stdout);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
};

/** What a tool on the host says, without the installer's code between. */
const says = async (script: string): Promise<string> => (await labExec(host, script)).stdout.trim();

/** Starts a program that outlives the shell, and waits until it shows. */
const started = async (command: string, until: string): Promise<void> => {
  const {code} = await labExec(
    host,
    `setsid -f ${command} >/dev/null 2>&1 </dev/null; for i in {1..100}; do ${until} && exit; sleep 0.05; done; exit 1`,
  );
  expect(code, command).toBe(0);
};

beforeAll(async () => {
  hosts = await labUp(2, {prefix: 'facts'});
  host = hosts[0] as LabHost;
});

afterAll(() => labDown(hosts));

describe('facts of a real host', () => {
  it('are what the tools of the host say', async () => {
    const facts = await gather();
    const number = async (script: string) => Number(await says(script));
    expect(facts.cpus).toBe(await number('nproc'));
    expect(facts.memoryBytes).toBe(await number("free -b | awk '/^Mem:/ {print $2}'"));
    expect(facts.swapBytes).toBe(await number("free -b | awk '/^Swap:/ {print $2}'"));
    expect(facts.kernel).toBe(await says('uname -r'));
    expect(facts.hostname).toBe(await says('hostname'));
    expect(facts.arch).toBe(await says('dpkg --print-architecture'));
    expect(facts.machineId).toBe(await says('cat /etc/machine-id'));
    expect(facts.bootId).toBe(await says('cat /proc/sys/kernel/random/boot_id'));
    expect(facts.virtualisation).toBe(await says('systemd-detect-virt'));
    expect(facts.os).toMatchObject({id: 'debian', version: '12', codename: 'bookworm'});
    expect(facts).toMatchObject({systemd: true, privileged: true, unread: [], practice: false, deployment: undefined});
    expect(Math.abs(facts.time.epochSeconds - (await number('date +%s')))).toBeLessThan(30);
  });

  it('have the file systems of df', async () => {
    const root = mountOf((await gather()).mounts, '/srv/nfs');
    const [type, size] = (await says('df -B1 --output=fstype,size / | tail -n 1')).split(/\s+/);
    expect(root).toMatchObject({path: '/', type, bytes: Number(size)});
    // other programs write to the same disk meanwhile
    const free = Number(await says('df -B1 --output=avail / | tail -n 1'));
    expect(Math.abs((root?.freeBytes ?? 0) - free)).toBeLessThan(0.05 * free);
  });

  it('have the interfaces, addresses and routes of ip', async () => {
    const facts = await gather();
    type Link = {ifname: string; mtu: number; address: string; addr_info: {local: string; prefixlen: number}[]};
    const links = JSON.parse(await says('ip -j address')) as Link[];
    expect(facts.interfaces.map(({name, mtu, mac, addresses}) => ({name, mtu, mac, addresses}))).toEqual(
      links.map(({ifname, mtu, address, addr_info}) => ({
        name: ifname,
        mtu,
        mac: address,
        addresses: addr_info.map(({local, prefixlen}) => `${local}/${prefixlen}`),
      })),
    );
    const [route] = JSON.parse(await says('ip -j route show default')) as {dev: string; gateway: string}[];
    expect(facts.defaultRoute).toEqual({interface: route?.dev, gateway: route?.gateway});
    expect(facts.nameservers).toEqual([await says("awk '/^nameserver/ {print $2; exit}' /etc/resolv.conf")]);
  });

  it('are the same from /proc and /sys where iproute2 is missing', async () => {
    const without = {
      kind: 'script',
      text: factsScript.text.replace('has() {', 'has() { case $1 in ip|ss) return 1 ;; esac;'),
    } as const;
    const [with_, poor] = [await gather(), await gather(without)];
    const byName = (facts: Facts) =>
      facts.interfaces
        .map(({name, mtu, mac, up, addresses}) => ({name, mtu, mac, up, addresses: addresses.toSorted()}))
        .toSorted((a, b) => a.name.localeCompare(b.name));
    expect(byName(poor)).toEqual(byName(with_));
    expect(poor.defaultRoute).toEqual(with_.defaultRoute);
    expect(poor.listeners).toEqual(expect.arrayContaining([...with_.listeners]));
    expect(poor.listeners).toHaveLength(with_.listeners.length);
  });

  it('tell where the connection comes from, for root and for the user alone', async () => {
    const gateway = await says("ip route show default | awk '{print $3}'");
    expect(await gather()).toMatchObject({seenFrom: gateway, sshPort: host.port});
    expect(await gather(factsScript, 'admin')).toMatchObject({
      seenFrom: gateway,
      sshPort: host.port,
      privileged: false,
    });
  });

  it('differ between two hosts in what must differ', async () => {
    const [one, two] = [await gather(), await gather(factsScript, 'ubuntu', hosts[1])];
    expect(one.machineId).not.toBe(two.machineId);
    expect(one.bootId).not.toBe(two.bootId);
  });
});

describe('a host where something is in the way', () => {
  it('names the program that listens on a port', async () => {
    await started('python3 -m http.server 443', "ss -Hlnt | grep -q ':443 '");
    expect((await gather()).listeners).toContainEqual({
      protocol: 'tcp',
      address: '0.0.0.0',
      port: 443,
      process: 'python3',
    });
  });

  it('names the program that holds the lock of dpkg, and not one that merely has the file open', async () => {
    const open = 'import fcntl,os,time; f=os.open("/var/lib/dpkg/lock-frontend",os.O_RDWR|os.O_CREAT,0o640)';
    await started(`python3 -c '${open}; open("/run/opened","w"); time.sleep(600)'`, '[ -e /run/opened ]');
    expect((await gather()).aptLock).toBeUndefined();
    await started(
      `python3 -c '${open}; fcntl.lockf(f,fcntl.LOCK_EX); open("/run/locked","w").write(str(os.getpid())); time.sleep(600)'`,
      '[ -s /run/locked ]',
    );
    const holder = await says('cat /run/locked');
    expect((await gather()).aptLock).toBe(`/var/lib/dpkg/lock-frontend is held by python3 (process ${holder})`);
    await labExec(host, `kill ${holder}; while kill -0 ${holder} 2>/dev/null; do sleep 0.05; done`);
    expect((await gather()).aptLock).toBeUndefined();
  });

  it('is told by the name of the deployment, and by what others left', async () => {
    await labExec(
      host,
      `mkdir -p /var/lib/groundwork /etc/wireguard /var/lib/rancher/rke2 /var/lib/openg2p/deploy-state
      echo other >/var/lib/groundwork/deployment
      echo '# Managed by Groundwork. Changes made here are overwritten.' >/etc/wireguard/wg0.conf
      echo '[Interface]' >/etc/wireguard/wg1.conf
      touch /var/lib/openg2p/deploy-state/phase1.rke2.done`,
    );
    expect(await gather()).toMatchObject({
      deployment: 'other',
      leftovers: [
        'RKE2 (/var/lib/rancher/rke2)',
        "OpenG2P's shell installer (/var/lib/openg2p/deploy-state/phase1.rke2.done)",
        'WireGuard (/etc/wireguard/wg1.conf)',
      ],
    });
  });

  it('is read when its disk is full, and nothing is left on it by reading', async () => {
    await labExec(host, 'mount -t tmpfs -o size=4k,nr_inodes=2 none /tmp; echo full >/tmp/full');
    const listing = 'ls -A /tmp /var/tmp /run /var/lib /root';
    const before = await says(listing);
    const facts = await gather();
    expect(mountOf(facts.mounts, '/tmp')).toMatchObject({path: '/tmp', freeBytes: 0, freeInodes: 0});
    expect(await says(listing)).toBe(before);
    await labExec(host, 'umount /tmp');
  });
});

describe('packages', () => {
  it('come from a source that answers', async () => {
    expect((await gather(inspectionScript)).packageSources).toMatchObject({reachable: true, unreachable: []});
  });

  it('do not, and the reason is told in seconds, where the source is gone', async () => {
    await labExec(
      hosts[1] as LabHost,
      `rm /etc/apt/apt.conf.d/*proxy* ; grep -rl Proxy /etc/apt/apt.conf.d | xargs -r sed -i '/Proxy/d'
      ip route del default`,
    );
    const facts = await gather(inspectionScript, 'ubuntu', hosts[1]);
    expect(facts.packageSources).toMatchObject({reachable: false, unreachable: ['http://deb.debian.org:80']});
    expect(facts.defaultRoute).toBeUndefined();
  });

  it('that the steps name all exist on this system', async () => {
    const data = osDataFor(await gather());
    const {nfs, ...named} = data?.packages ?? {nfs: {kernel: [], ganesha: []}};
    const names = [...Object.values(named), ...nfs.kernel, ...nfs.ganesha];
    await says('apt-get -qq update');
    const missing = await says(`for p in ${names.join(' ')}; do apt-cache show $p >/dev/null 2>&1 || echo $p; done`);
    expect(names.length).toBeGreaterThan(10);
    expect(missing).toBe('');
    const version = async (name: string) => says(`apt-cache policy ${name} | sed -n 's/^  Candidate: //p'`);
    expect(await version('nginx')).toContain(data?.nginx.version);
    expect(await version('openssl')).toContain(data?.openssl.version);
  });
});
