import {describe, expect, test} from 'vitest';
import type {Failure} from '../../source/engine/failure.ts';
import {generalRemedies, withRemedy} from '../../source/engine/remedies.ts';
import {automaticDelay} from '../../source/engine/retry.ts';

const failed = (...tail: string[]): Failure => ({kind: 'command', message: tail.at(-1) ?? '', tail});
const remedyOf = (...tail: string[]) => {
  const known = withRemedy(failed(...tail), []);
  return generalRemedies.find(({cause}) => cause === known.cause)?.id;
};

describe('known failures of any step', () => {
  test.each([
    ['E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1234 (unattended-upgr)', 'apt-lock'],
    [
      'E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?',
      'apt-lock',
    ],
    ["E: You don't have enough free space in /var/cache/apt/archives/.", 'disk-full'],
    ['tee: /etc/hosts: No space left on device', 'disk-full'],
    ['mkdir: cannot create directory: Read-only file system', 'read-only'],
    [
      "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem.",
      'dpkg-interrupted',
    ],
    ["W: Failed to fetch http://deb.debian.org/  Temporary failure resolving 'deb.debian.org'", 'name-resolution'],
    ['E: Failed to fetch http://archive.ubuntu.com/x.deb  404  Not Found [IP: 1.2.3.4 80]', 'mirror'],
    ['curl: (7) Failed to connect to example.org port 443: Connection refused', 'network'],
    ['bash: fork: Cannot allocate memory', 'memory'],
    ['nginx: [emerg] bind() to 0.0.0.0:443 failed (98: Address already in use)', 'port-taken'],
  ])('%s', (line, id) => {
    expect(remedyOf('something before', line)).toBe(id);
  });

  test('leave alone what they do not know, and what the failure says itself', () => {
    expect(withRemedy(failed('segmentation fault'), [])).toEqual(failed('segmentation fault'));
    expect(withRemedy({...failed('Read-only file system'), cause: 'mine', remedy: 'mine too'}, [])).toMatchObject({
      cause: 'mine',
      remedy: 'mine too',
    });
  });

  test('come after those of the step itself', () => {
    const own = {id: 'own', match: /read-only/i, cause: 'own cause', remedy: 'own remedy'};
    expect(withRemedy(failed('Read-only file system'), [own])).toMatchObject({cause: 'own cause'});
  });
});

describe('trying again without asking', () => {
  test('is for what may pass by itself, three times, with longer and longer waits', () => {
    const lost: Failure = {kind: 'connection-lost', message: 'lost'};
    expect([0, 1, 2, 3].map(tries => automaticDelay(lost, tries))).toEqual([5, 15, 45, undefined]);
    expect(automaticDelay(withRemedy(failed('Could not get lock /x'), []), 0)).toBe(5);
  });

  test.each([
    'command',
    'authentication',
    'host-key-changed',
    'sudo',
    'verification',
    'not-converged',
    'input',
  ] as const)('is never for %s', kind => {
    expect(automaticDelay({kind, message: 'x'}, 0)).toBeUndefined();
  });

  test('is not for what says that it stays', () => {
    expect(automaticDelay({kind: 'unreachable', message: 'no such name', transient: false}, 0)).toBeUndefined();
  });
});
