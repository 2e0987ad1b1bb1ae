import {execFileSync} from 'node:child_process';
import {copyFileSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {leaksBelow, leaksIn, vaultSecrets, watchProcesses} from '../support/canary.ts';
import {operatorAt} from '../support/operator.ts';
import {startedPractice} from '../support/practice.ts';
import {groundwork, newHome, program} from '../support/program.ts';
import {key, openTerminal} from '../support/terminal.ts';

const typed = {
  password: 'canary-Password-6f1d0c2a97',
  sudoPassword: 'canary-Sudo-b83e55d1f40c',
  passphrase: 'canary-Passphrase-19a7c4e2',
  vault: 'canary-Vault-d02b6e8f317a',
};

const deploymentYaml = (port: number, identityFile: string): string => `version: 1
name: canary
blueprint: openg2p
topology: sandbox
hosts:
  - name: sandbox-1
    address: 127.0.0.1
    port: ${port}
    user: root
    identityFile: ${identityFile}
    roles: [base, proxy, compute, storage]
    privateAddress: 10.0.0.11
domain: openg2p.test
tls: {mode: local-ca}
channels:
  - {name: admin, kind: private, subnet: 10.15.0.0/16, endpoint: 10.0.0.11, peers: [{name: laptop}]}
network: {privateSubnet: 10.0.0.0/24, adminSources: [10.0.0.0/8]}
components: {dns: {}, nfs: {}, nginx: {}}
`;

test('no secret is anywhere but where it belongs, after an installation', {timeout: 300_000}, async () => {
  const home = newHome();
  const hostFolder = newHome();
  const practice = await startedPractice({directory: hostFolder});
  try {
    const [host] = practice.hosts;
    if (!host) throw new Error('there is no practice host');
    const identity = join(home, 'identity');
    copyFileSync(host.identityFile, identity);
    execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', typed.passphrase, '-f', identity]);
    const file = join(home, 'canary.yaml');
    writeFileSync(file, deploymentYaml(host.port, identity));
    const input = JSON.stringify({
      hosts: {'sandbox-1': {password: typed.password, sudoPassword: typed.sudoPassword}},
      identityFiles: {[identity]: typed.passphrase},
      vault: typed.vault,
    });

    const processes = watchProcesses();
    const shown = await groundwork(['trust', '-d', file], {home});
    expect(shown.status).toBe(4);
    const fingerprint = /SHA256:\S+/.exec(shown.stdout)?.[0] ?? '';
    const trusted = await groundwork(['trust', '-d', file, '--fingerprint', fingerprint], {home});
    expect(trusted.status).toBe(0);
    const installed = await groundwork(['install', '-d', file, '--yes', '--secrets', '--output', 'jsonl'], {
      home,
      input,
    });
    expect(installed.status).toBe(0);
    const secrets = {...typed, ...vaultSecrets(join(home, 'state/canary/vault.json'))};
    expect(Object.keys(secrets).length).toBeGreaterThan(Object.keys(typed).length + 2);
    const exported = await groundwork(['export', 'canary'], {home});
    const status = await groundwork(['status'], {home});
    const sealed = await groundwork(['vault', 'seal', 'canary'], {home, input: `${typed.vault}\n`});
    expect(sealed.status).toBe(0);
    // Sealed, it is the same installation: nothing to change.
    const planned = await groundwork(['plan', '-d', 'canary', '--detail', '--secrets', '--exit-code'], {home, input});
    expect(planned.status).toBe(0);
    const argumentsAndEnvironments = processes.end();

    for (const {stdout, stderr} of [shown, trusted, installed, exported, status, sealed, planned])
      expect(leaksIn(stdout + stderr, secrets)).toEqual([]);
    expect(argumentsAndEnvironments.some(text => text.includes('install\0-d'))).toBe(true);
    expect(argumentsAndEnvironments.filter(text => leaksIn(text, secrets).length > 0)).toEqual([]);
    // Files that are handed over, and the key of ours that the test itself wrote.
    expect(leaksBelow(home, secrets, path => path.includes('/state/canary/peers/'))).toEqual([]);
    // The search does find what is there: the file for the peer holds its key.
    const peer = readFileSync(join(home, 'state/canary/peers/laptop.conf'), 'utf8');
    expect(leaksIn(peer, secrets)).not.toEqual([]);
    // On the host: the preshared keys in WireGuard's configuration, and in the memory of the kernel that is not one.
    expect(leaksBelow(hostFolder, secrets, path => path.endsWith('/etc/wireguard/wg0.conf'))).toEqual([]);
  } finally {
    await practice.close();
  }
});

test('secrets that are typed into the wizard are neither shown nor kept', {timeout: 180_000}, async () => {
  const home = newHome();
  const screen = openTerminal(program, ['practice'], {environment: {GROUNDWORK_HOME: home, HOME: home}});
  const {choose, goTo} = operatorAt(screen);
  await screen.waitFor('New installation', 60_000);
  await choose('New installation', 'Blueprint and topology');
  await choose('Continue', 'Add a host');
  await choose('Add a host', 'Known already');
  await choose('sandbox-1', 'not looked at yet');
  await choose('sandbox-1', 'Host sandbox-1');
  await choose('Login', 'Passphrase of the key');
  const rows = {
    Password: typed.password,
    'Password for sudo': typed.sudoPassword,
    'Passphrase of the key': typed.passphrase,
  };
  for (const [label, secret] of Object.entries(rows)) {
    await goTo(label);
    await screen.press(secret);
  }
  await screen.press(key.up, key.escape);
  await screen.waitFor('Host sandbox-1');
  screen.kill('SIGTERM');
  expect(await screen.waitForExit(60_000)).toBe(143);
  expect(leaksIn(screen.bytes(), typed)).toEqual([]);
  expect(screen.bytes()).not.toContain('canary-');
  expect(leaksBelow(home, typed, () => false)).toEqual([]);
});
