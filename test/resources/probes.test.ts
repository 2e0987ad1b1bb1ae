import {describe, expect, test} from 'vitest';
import {aptPackages} from '../../source/resources/apt-packages.ts';
import {command} from '../../source/resources/command.ts';
import {kernelModule} from '../../source/resources/kernel-module.ts';
import type {Resource} from '../../source/resources/resource.ts';
import {sysctl} from '../../source/resources/sysctl.ts';
import {user} from '../../source/resources/user.ts';
import {waitFor} from '../../source/resources/wait-for.ts';
import {sh} from '../../source/shell/script.ts';

const changes = (resource: Resource, stdout: string, code = 0): readonly string[] => {
  const assessed = resource.assess({stdout, code, stderr: ''});
  if (!assessed.ok) throw new Error(assessed.error);
  expect(assessed.value.apply !== undefined).toBe(assessed.value.changes.length > 0);
  return assessed.value.changes.map(({summary}) => summary);
};

describe('packages', () => {
  const resource = aptPackages(['nginx', 'ufw', 'jq', 'ufw']);

  test('have an id that does not depend on the order in which they are named', () => {
    expect(resource.id).toBe(aptPackages(['ufw', 'jq', 'nginx']).id);
  });

  test('that are installed, held or on their way out by hand later are there', () => {
    expect(changes(resource, 'nginx ii \nufw hi \njq ri \n')).toEqual([]);
  });

  test('that dpkg never heard of, or of which only configuration is left, are installed', () => {
    expect(changes(resource, 'nginx rc \nufw ii \n')).toEqual(['install jq, nginx']);
  });

  test('whose installation was cut are finished', () => {
    expect(changes(resource, 'nginx iF \nufw iU \njq iHR\n')).toEqual([
      'finish the interrupted installation of jq, nginx, ufw',
    ]);
  });

  test('have names that cannot be options or commands', () => {
    for (const wrong of ['-o=x', 'a b', 'x;y', 'UPPER', '']) expect(() => aptPackages([wrong])).toThrow('not the name');
  });
});

describe('kernel settings', () => {
  const right = 'file 644 root:root 0:0 99\nsame\n\n=== live values\n';
  const resource = sysctl('x', {'net.ipv4.ip_forward': 1, 'net.ipv4.ip_local_port_range': '1024 60999'});

  test('are compared whatever blanks the kernel puts between values', () => {
    const live = 'net.ipv4.ip_forward = 1\nnet.ipv4.ip_local_port_range = 1024\t60999\n';
    expect(changes(resource, right + live)).toEqual([]);
  });

  test('that the kernel does not have are said to be missing', () => {
    expect(changes(resource, `${right}net.ipv4.ip_forward = 0\n`)).toEqual([
      'net.ipv4.ip_forward: 0 → 1',
      'net.ipv4.ip_local_port_range = 1024 60999 (this kernel has no such setting now)',
    ]);
  });

  test('cannot bring more than one line into their file', () => {
    expect(() => sysctl('x', {'a.b': '1\nkernel.x = 2'})).not.toThrow();
    expect(sysctl('x', {'a.b': '1\nc'}).probe.text).toBe(sysctl('x', {'a.b': '1 c'}).probe.text);
    expect(() => sysctl('x', {'a b': 1})).toThrow('not a kernel setting');
  });
});

describe('a kernel module', () => {
  const file = 'file 644 root:root 0:0 99\nsame\n\n=== in the kernel\n';
  test('is loaded when it is neither loaded nor built in', () => {
    expect(changes(kernelModule('br_netfilter'), `${file}there\n`)).toEqual([]);
    expect(changes(kernelModule('br_netfilter'), `${file}absent\n`)).toEqual(['load br_netfilter']);
  });
});

describe('an account', () => {
  const resource = user('app', {system: true, home: '/srv/app', groups: ['ssl-cert']});
  test('that is right is left alone, with all its other groups', () => {
    expect(changes(resource, 'app:x:999:999::/srv/app:/usr/sbin/nologin\napp ssl-cert games\n')).toEqual([]);
  });
  test('is made, or mended where it differs', () => {
    expect(changes(resource, '')).toEqual(['create system user app']);
    expect(changes(resource, 'app:x:999:999::/home/app:/bin/sh\napp\n')).toEqual([
      'home /home/app → /srv/app',
      'shell /bin/sh → /usr/sbin/nologin',
      'add to ssl-cert',
    ]);
  });
  test('that cannot be read is an error, not a missing one', () => {
    expect(resource.assess({stdout: '', code: 1, stderr: ''}).ok).toBe(false);
  });
});

describe('guards and conditions', () => {
  test('are about the exit status alone', () => {
    const guarded = command({id: 'x', doing: 'x', unless: sh`true`, script: sh`true`, change: 'make x'});
    expect(changes(guarded, 'whatever', 0)).toEqual([]);
    expect(changes(guarded, 'whatever', 3)).toEqual(['make x']);
    const wait = waitFor({id: 'x', doing: 'x', until: sh`true`, timeoutSeconds: 5, what: 'x'});
    expect(changes(wait, '', 1)).toEqual(['wait for x']);
  });
});
