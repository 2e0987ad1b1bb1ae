import {describe, expect, it} from 'vitest';
import {supportedSystems} from '../../source/hosts/os-data.ts';
import {hostsLines} from '../../steps/host-baseline/hosts-file.ts';
import {swapOff} from '../../steps/host-baseline/swap.ts';
import {keepsTime, timeSources} from '../../steps/host-baseline/time.ts';
import {updatesConfiguration} from '../../steps/host-baseline/updates.ts';
import {sampleFacts} from '../support/facts.ts';
import {sampleDeployment} from '../support/step-context.ts';

describe('/etc/hosts', () => {
  const deployment = sampleDeployment();
  const [host] = deployment.hosts;
  if (!host) throw new Error('the sample has a host');

  it('names every machine, and this one by its own host name too', () => {
    expect(hostsLines(deployment, host, {hostname: 'sandbox-1'})).toEqual(['10.0.0.11 sandbox-1']);
    expect(hostsLines(deployment, host, {hostname: 'ip-10-0-0-11'})).toEqual(['10.0.0.11 sandbox-1 ip-10-0-0-11']);
  });

  it('leaves out a host name that is none', () => {
    expect(hostsLines(deployment, host, {hostname: 'a b\n127.0.0.1 bank.example'})).toEqual(['10.0.0.11 sandbox-1']);
  });
});

describe('swap', () => {
  const changesFor = (stdout: string) => {
    const assessed = swapOff.assess({code: 0, stdout, stderr: ''});
    return assessed.ok ? assessed.value.changes.map(({summary}) => summary) : [assessed.error];
  };

  it('is as it should be when nothing is in use and nothing would come back', () => {
    expect(changesFor('--\n# /dev/sda2 none swap sw 0 0\nUUID=1 / ext4 defaults 0 1\n')).toEqual([]);
  });

  it('names what is in use and what would come back', () => {
    expect(
      changesFor('/swap.img\n/dev/zram0\n--\nUUID=1 / ext4 defaults 0 1\n/swap.img\tnone\tswap\tsw\t0\t0\n'),
    ).toEqual([
      'switch off swap on /swap.img',
      'switch off swap on /dev/zram0',
      'comment out a swap line in /etc/fstab',
    ]);
  });

  it('does not take a file system that has swap in its name for swap', () => {
    expect(changesFor('--\n/dev/sdb1 /srv/swap ext4 defaults 0 2\n')).toEqual([]);
  });
});

describe('the clock', () => {
  const withService = (service: string, virtualisation = 'kvm') =>
    keepsTime(sampleFacts({virtualisation, time: {...sampleFacts().time, service}}));

  it('is kept by chrony, whatever the fresh machine had', () => {
    expect([withService('systemd-timesyncd'), withService('chrony'), withService('')]).toEqual([true, true, true]);
  });

  it('is left to another time server that somebody chose', () => {
    expect([withService('ntpsec'), withService('openntpd.service')]).toEqual([false, false]);
  });

  it('belongs to the machine below in a container, unless chrony is there already', () => {
    expect([withService('', 'lxc'), withService('chrony', 'container-other')]).toEqual([false, true]);
  });

  it('follows the servers that the deployment names', () => {
    const deployment = sampleDeployment();
    const named = {...deployment, components: {...deployment.components, timeServers: ['ntp.example.org', '10.0.0.1']}};
    expect(timeSources(named)).toContain('server ntp.example.org iburst\nserver 10.0.0.1 iburst\n');
  });
});

describe('automatic updates', () => {
  it('are those of security alone, on every system, and never restart the machine', () => {
    for (const system of supportedSystems) {
      const text = updatesConfiguration('security', system);
      expect(text).toContain('APT::Periodic::Unattended-Upgrade "1";');
      expect(text).toContain(`${system.codename}-security`);
      expect(text).toContain('Unattended-Upgrade::Automatic-Reboot "false";');
      expect(text.indexOf('#clear Unattended-Upgrade::Origins-Pattern;')).toBeLessThan(text.indexOf('-security'));
    }
  });

  it('can be left to the operator', () => {
    const [system] = supportedSystems;
    if (!system) throw new Error('there are systems');
    expect(updatesConfiguration('off', system)).toContain('APT::Periodic::Unattended-Upgrade "0";');
  });
});
